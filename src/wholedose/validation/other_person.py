"""Whole bodies of other people: organs not where, and not as large as, a reference body has them.

Defines `other_person`, for truths that a completed body is compared with.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from wholedose.base import Grid
from wholedose.body import Body, Person, reference
from wholedose.body.ensemble import NOT_SWOLLEN, parameter
from wholedose.body.organs import PARTS
from wholedose.body.population import population
from wholedose.body.registration import Warp

VOXEL_MM = 4.0
FIELD_MM = 16.0
SEED = 116
DEEP_MM = 30.0
"""Depth under the skin from which organs have all their freedom."""

ADULT_MM = 1700.0
LEAST_SWOLLEN_CM3 = 4.0


def other_person(person: Person, pose: str, seed: int, voxel_mm: float = VOXEL_MM) -> Body:
    """Return a body of this person's height whose organs lie and measure as another one's.

    A random displacement moves what lies deep in the trunk by what the ensemble takes for organs out of
    sight, and each organ there is swollen or shrunk by the spread of its mass among people; skin, head and
    limbs keep their shape. The weight is what comes out: ``person`` of the body holds it.

    Parameters
    ----------
    person : Person
    pose : str
    seed : int
        Of the displacement; ensembles use none of these numbers.
    """
    body = reference(person, pose, voxel_mm)
    rng = np.random.default_rng([SEED, seed])
    warp = _other_anatomy(body, rng)
    grid = body.grid
    z, y, x = grid.axes_mm()
    origin, step = np.array(grid.origin_mm), np.array(grid.spacing_mm[::-1])
    index = np.full(grid.shape, -1, dtype=np.int64)
    across = np.stack(np.broadcast_arrays(x[None, :], y[:, None]), axis=-1).reshape(-1, 2)
    last = np.array(grid.shape[::-1]) - 1
    for k, height in enumerate(z):
        place = np.column_stack([across, np.full(len(across), height)])
        at = np.rint((place + warp.at(place) - origin) / step).astype(np.int64)
        ok = ((at >= 0) & (at <= last)).all(axis=1)
        flat = (at[:, 2] * grid.shape[1] + at[:, 1]) * grid.shape[2] + at[:, 0]
        index[k] = np.where(ok, flat, -1).reshape(grid.shape[1:])
    held = index >= 0
    index[~held] = 0
    labels, material, density = (
        values.ravel()[index] for values in (body.labels, body.material, body.density_g_cm3)
    )
    outside = ~held | (labels == 0)
    labels[outside], material[outside] = 0, 0
    density[outside] = body.density_g_cm3[body.labels == 0].min(initial=np.float32(0.0))
    moved = body.with_(labels=labels, material=material, density_g_cm3=density)
    return moved.with_(person=person.with_(weight_kg=round(moved.total_mass_kg, 1)))


def _other_anatomy(body: Body, rng: np.random.Generator) -> Warp:
    """Displacement that takes places of another person to those of the reference body."""
    low, high = np.array(body.grid.lower_mm), np.array(body.grid.upper_mm)
    shape = [int(np.ceil((b - a) / FIELD_MM)) + 1 for a, b in zip(low, high, strict=True)]
    grid = Grid((shape[2], shape[1], shape[0]), (FIELD_MM,) * 3, (low[0], low[1], low[2]))
    blur = parameter("correlation") / 2.0 / FIELD_MM
    moved = np.empty((3, *grid.shape))
    for axis in range(3):
        noise = ndimage.gaussian_filter(rng.standard_normal(grid.shape), blur, mode="wrap", truncate=3.0)
        noise /= noise.std()
        moved[axis] = noise * parameter("far_z" if axis == 2 else "far_xy")
    z = grid.axes_mm()[0]
    marks = body.landmarks
    at = [marks["iliac_crest"], marks["lung_bottom"], marks["lung_bottom"] + 60, marks["lung_top"]]
    moved[2] += rng.standard_normal() * parameter("breathing") * np.interp(z, at, [0, 1, 1, 0])[:, None, None]
    _swell(body, grid, moved, rng)
    return Warp(grid, (moved * _free(body, grid)).astype(np.float32))


def _free(body: Body, grid: Grid) -> NDArray[np.float64]:
    """How far tissue may move: skin, head and limbs stay in shape, organs of the trunk are free."""
    picks = [
        np.clip(np.rint((at - first[0]) / step).astype(np.int64), 0, first.size - 1)
        for at, first, step in zip(grid.axes_mm(), body.grid.axes_mm(), body.grid.spacing_mm, strict=True)
    ]
    depth = FIELD_MM * ndimage.distance_transform_edt(body.labels[np.ix_(*picks)] > 0)
    marks, z = body.landmarks, grid.axes_mm()[0]
    ends = [marks["hip"] - 60.0, marks["hip"], marks["shoulder"], marks["chin"]]
    trunk = np.interp(z, ends, [0.0, 1.0, 1.0, 0.0])[:, None, None]
    size = min(1.0, (marks["vertex"] - marks["sole"]) / ADULT_MM)
    return np.asarray(size * trunk * np.clip((depth - FIELD_MM) / DEEP_MM, 0.0, 1.0), dtype=np.float64)


def _swell(body: Body, grid: Grid, moved: NDArray[np.float64], rng: np.random.Generator) -> None:
    """Add to a displacement the sizes of organs: a ball round each that widens or narrows."""
    axes, spread = body.grid.axes_mm(), population(body.person)
    high, deep, wide = grid.axes_mm()
    places = (wide[None, None, :], deep[None, :, None], high[:, None, None])
    wholes: dict[str, list[str]] = {}
    for name in body.organs:
        whole = PARTS[name].part_of if name in PARTS and PARTS[name].part_of else name
        if not {name, whole} & set(NOT_SWOLLEN):
            wholes.setdefault(whole, []).append(name)
    for names in wholes.values():
        k, j, i = np.nonzero(np.isin(body.labels, [body.label(name) for name in names]))
        if k.size * body.grid.voxel_cm3 < LEAST_SWOLLEN_CM3:
            continue
        at = np.stack([axes[2][i], axes[1][j], axes[0][k]], axis=1)
        sizes = [body.label_mass_g(name) for name in names]
        sd = float(np.average([spread.get(name, 0.2) for name in names], weights=sizes))
        factor = math.exp(-sd * rng.standard_normal() / 3.0) - 1.0
        middle = at.mean(axis=0)
        # paired organs lie on both sides: each its own ball
        two = np.abs(at[:, 0] - middle[0]).mean() > 2.0 * np.abs(at[:, 1] - middle[1]).mean()
        for side in (at[at[:, 0] < middle[0]], at[at[:, 0] >= middle[0]]) if two else (at,):
            centre = side.mean(axis=0)
            radius = max(float(np.sqrt(((side - centre) ** 2).sum(axis=1).mean())), 8.0)
            off = [p - c for p, c in zip(places, centre, strict=True)]
            square = off[0] ** 2 + off[1] ** 2 + off[2] ** 2
            weight = factor * np.exp(-((square / (2.0 * radius**2)) ** 2))
            for axis in range(3):
                moved[axis] += weight * off[axis]
