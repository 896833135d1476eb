"""Whole bodies for everyone. Defines `reference`.

A person's skin and rig come from a fitted figure, the inner anatomy from shapes drawn once in template space;
a lattice carries them to the person and into the pose, and every region claims the voxels that its mass asks
for.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache, lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wholedose.base import Assumption, Grid
from wholedose.base.errors import Cancelled, InvalidInput
from wholedose.body.addition import Addition
from wholedose.body.anatomy import anatomy_u_of
from wholedose.body.body import Body
from wholedose.body.clearing import cleared
from wholedose.body.figure import Figure, fit_figures, template_figure
from wholedose.body.lattice import Lattice
from wholedose.body.masses import Target, targets_of, with_size
from wholedose.body.meshdistance import SignedDistance, signed_distance
from wholedose.body.organs import BONE_SITES
from wholedose.body.paint import Canvas
from wholedose.body.painting import paint
from wholedose.body.percentiles import check
from wholedose.body.person import Person
from wholedose.body.pose import Pose
from wholedose.body.posed import Posed
from wholedose.body.premises import premises_of
from wholedose.body.skeleton import spongiosa_material
from wholedose.body.skin_surface import SkinSurface
from wholedose.body.slabs import over
from wholedose.matter import Material, material

VOXEL_LIMITS_MM = (1.0, 10.0)
"""Edges of the cubic voxels that a reference body can have."""

MARGIN_VOXELS = 2
DENSITY_SLACK = 0.12
"""How far the density of a region may move from its tissue's to give a mass that whole voxels miss."""

CORE_GRID_MM = 5.0
KEPT_VOXELS = 120_000_000


def reference(
    person: Person,
    pose: str | Pose = "supine, arms down",
    voxel_mm: float = 3.0,
    *,
    additions: Sequence[Addition] = (),
    progress: Callable[[float, str], bool | None] | None = None,
) -> Body:
    """Return the whole body of a person in a pose.

    Parameters
    ----------
    person : Person
        Any age, sex, height and weight within the population (0.1 to 99.9 %); what is unknown is the
        reference of ICRP 89, listed as an assumption.
    pose : str or Pose
        A name of `POSES`, or a pose of your own.
    voxel_mm : float
        Edge of the cubic voxels, 1 to 10 mm.
    additions : sequence of Addition
        Lesions, glands or implants of your own.
    progress : callable, optional
        Called with the fraction done and what is done; returning False cancels.

    Returns
    -------
    Body
        Axes of the patient (LPS, z to the head) for lying poses, z upward with the soles near 0 for upright
        ones.

    Raises
    ------
    InvalidInput
        The voxel size is not offered, or height and weight lie outside the population.
    UnknownName
        No such pose.

    Examples
    --------
    ``reference(Person("F", 5), "sitting", voxel_mm=4.0).mass_g("liver")`` → about 0.7 kg with its blood.
    """
    check_voxel_mm(voxel_mm)
    if isinstance(pose, str):
        pose = Pose.of(pose)
    key = (person.with_(name=""), pose, float(voxel_mm), tuple(additions))
    if key in _kept:
        return _kept[key].with_(person=person)
    body = built(*key, progress=progress)
    if body.labels.size <= KEPT_VOXELS:
        while _kept and sum(b.labels.size for b in _kept.values()) + body.labels.size > KEPT_VOXELS:
            _kept.pop(next(iter(_kept)))
        _kept[key] = body
    return body.with_(person=person)


def check_voxel_mm(voxel_mm: float) -> None:
    """Refuse an edge of voxels that bodies do not have."""
    if not VOXEL_LIMITS_MM[0] <= voxel_mm <= VOXEL_LIMITS_MM[1]:
        raise InvalidInput(
            f"Voxels of {voxel_mm:g} mm are not offered.",
            where="voxel_mm",
            way_out=f"Give {VOXEL_LIMITS_MM[0]:g} to {VOXEL_LIMITS_MM[1]:g} mm.",
        )


_kept: dict[tuple[Person, Pose, float, tuple[Addition, ...]], Body] = {}


@lru_cache(maxsize=16)
def lattice_of(person: Person) -> tuple[Figure, Lattice]:
    """Return the figure of a person in the rest pose and the lattice that fills it."""
    targets = targets_of(person)
    sized = with_size(person)
    actual, core = fit_figures(
        sized.sex,
        sized.age_y,
        float(sized.height_cm or 0.0),
        sum(target.volume_cm3 for target in targets.values()),
        pregnancy_week=sized.pregnancy_week,
        breast_g=sum(targets[n].mass_g for n in ("breast_gland", "breast_adipose") if n in targets),
    )
    return actual, Lattice.of(actual, core, template_figure())


@cache
def core_distance() -> SignedDistance:
    """Return the depth under the lean skin of the template."""
    figure = template_figure()
    return signed_distance(figure.vertices_mm, figure.faces, CORE_GRID_MM, margin_mm=60.0)


def built(
    person: Person,
    pose: Pose,
    voxel_mm: float,
    additions: tuple[Addition, ...] = (),
    *,
    placed: Posed | None = None,
    progress: Callable[[float, str], bool | None] | None = None,
) -> Body:
    """Return a body that is made anew: `reference` without its memory.

    Parameters
    ----------
    placed : Posed, optional
        The person's figure already posed and moved, instead of ``pose``.
    """

    def step(fraction: float, text: str) -> None:
        if progress is not None and progress(fraction, text) is False:
            raise Cancelled("The body was cancelled.")

    check(person)
    step(0.0, "fitting the figure")
    targets = _with_additions(targets_of(person), additions)
    figure, lattice = lattice_of(person)
    step(0.2, "posing")
    if placed is None:
        placed = Posed.of(figure, cleared(figure, pose))
    nodes = lattice.posed(placed.matrices)
    low, high = lattice.bounds_mm(nodes)
    grid = _grid(low, high, voxel_mm)
    step(0.3, "placing voxels")
    inside = lattice.raster(nodes, grid, sum(target.volume_cm3 for target in targets.values()))
    step(0.5, "painting")
    canvas = Canvas(inside.template_mm, inside.depth_mm, grid.voxel_cm3)
    painted = paint(
        canvas,
        {name: target.volume_cm3 for name, target in targets.items()},
        person.sex,
        lambda points: core_distance().at(points).astype(np.float32),
        person.pregnancy_week is not None,
        additions,
    )
    step(0.9, "filling")
    labels = np.zeros(grid.shape, dtype=np.int16)
    labels.reshape(-1)[inside.index] = painted.label
    counts = np.bincount(painted.label, minlength=len(painted.names) + 1)
    index, rho, materials, off = _filled(person, targets, painted.names, counts, grid)
    found, density = np.empty(grid.shape, dtype=index.dtype), np.empty(grid.shape, dtype=rho.dtype)

    def fill(first: int, last: int) -> None:
        own = slice(first, last)
        np.take(index, labels[own], out=found[own], mode="clip")
        np.take(rho, labels[own], out=density[own], mode="clip")

    over(grid.shape[0], 1, fill)
    for array in (labels, found, density):
        array.setflags(write=False)
    body = Body(
        person=person,
        grid=grid,
        labels=labels,
        organs=painted.names,
        material=found,
        density_g_cm3=density,
        materials=materials,
        origin=dict.fromkeys(painted.names, "reference"),
        assumptions=(*_assumptions(person, pose, placed.pose), *off),
        added=tuple(addition.region for addition in additions),
        surface=SkinSurface.of_figure(figure, lattice.skin_mm(nodes)),
    )
    shares = {site.name: site.marrow_share for site in body.skeleton}
    step(1.0, "done")
    return body.with_(
        anatomy_u=anatomy_u_of(body.origin, {}, shares),
        landmarks=_landmarks(body, figure, placed.joint_mm, (float(low[2]), float(high[2]))),
    )


def _with_additions(targets: Mapping[str, Target], additions: tuple[Addition, ...]) -> Mapping[str, Target]:
    """Let hosts make room: each addition takes its volume and its mass off its host."""
    found = dict(targets)
    for addition in additions:
        host = found.get(addition.within)
        if host is None:
            raise InvalidInput(f"This person has no {addition.within}.", where=addition.region)
        if addition.region in found:
            raise InvalidInput(f"Two additions are called {addition.region!r}.", where="additions")
        density = material(addition.material).density_g_cm3
        left = host.mass_g - addition.mass_g / density * host.density_g_cm3
        if left <= 0:
            raise InvalidInput(
                f"{addition.mass_g:g} g of {addition.region} do not fit into {host.mass_g:.3g} g of "
                f"{addition.within}.",
                where=addition.region,
                way_out="Give a smaller mass or another host.",
            )
        found[addition.within] = replace(host, mass_g=left, tissue_g=host.tissue_g * left / host.mass_g)
        found[addition.region] = Target(
            addition.region, addition.mass_g, math.nan, addition.material, density, False
        )
    return found


def _grid(low: NDArray[Any], high: NDArray[Any], h: float) -> Grid:
    """A grid of cubes with faces in the plane x = 0, so that mirrored bodies have mirrored voxels."""
    first = np.floor(low / h) - MARGIN_VOXELS
    last = np.ceil(high / h) + MARGIN_VOXELS
    nx, ny, nz = (int(n) for n in last - first)
    origin = tuple(float(v) for v in (first + 0.5) * h)
    return Grid(shape=(nz, ny, nx), spacing_mm=(h, h, h), origin_mm=(origin[0], origin[1], origin[2]))


def _filled(
    person: Person,
    targets: Mapping[str, Target],
    names: tuple[str, ...],
    counts: NDArray[np.int64],
    grid: Grid,
) -> tuple[NDArray[np.uint8], NDArray[np.float32], tuple[Material, ...], list[Assumption]]:
    """Material and density by label: the mass of each region over the voxels that it got."""
    air = material("air")
    materials: list[Material] = [air]
    index = np.zeros(len(names) + 1, dtype=np.uint8)
    density = np.zeros(len(names) + 1, dtype=np.float32)
    density[0] = air.density_g_cm3
    notes = []
    # the drawn bones share out the spongiosa, so that only its whole mass is a target
    sites = [i for i, name in enumerate(names, start=1) if name in BONE_SITES]
    whole = sum(targets[names[i - 1]].mass_g for i in sites)
    spongy = whole / max(
        sum(counts[i] * targets[names[i - 1]].density_g_cm3 for i in sites) * grid.voxel_cm3, 1e-9
    )
    for i, name in enumerate(names, start=1):
        target = targets[name]
        filling = spongiosa_material(person, name) if name in BONE_SITES else material(target.material)
        known = [m.name for m in materials]
        if filling.name not in known:
            materials.append(filling)
            known.append(filling.name)
        index[i] = known.index(filling.name)
        got = float(counts[i]) * grid.voxel_cm3
        if i in sites:
            wanted = spongy * target.density_g_cm3
        else:
            wanted = target.mass_g / got if got else target.density_g_cm3
        slack = DENSITY_SLACK * target.density_g_cm3
        density[i] = np.clip(wanted, target.density_g_cm3 - slack, target.density_g_cm3 + slack)
        mass = float(density[i]) * got
        missed = abs(mass - target.mass_g) > max(0.03 * target.mass_g, 0.5 * grid.voxel_cm3)
        if missed and i not in sites:
            notes.append(
                Assumption(
                    f"mass of {name}",
                    f"{mass:.3g} g in the voxels, {target.mass_g:.3g} g for the person",
                    "there was no more room between its neighbours, or the voxels are large",
                )
            )
    for name, target in targets.items():
        if name not in names:
            lacking = f"0 g in the voxels, {target.mass_g:.3g} g for the person"
            notes.append(Assumption(f"mass of {name}", lacking, "it is not drawn, or found no room"))
    return index, density, tuple(materials), notes


def _assumptions(person: Person, asked: Pose, pose: Pose) -> tuple[Assumption, ...]:
    sized = with_size(person)
    found = [
        Assumption(
            "anatomy",
            f"reference body, {sized.height_cm:.0f} cm, {sized.weight_kg:.1f} kg, {pose.name}",
            "own anatomy of smooth shapes, every region of the ICRP 89 mass for age, sex and size",
        )
    ]
    if person.height_cm is None:
        found.append(Assumption("height", f"{sized.height_cm:.0f} cm", "reference of the age, ICRP 89"))
    if person.weight_kg is None:
        found.append(
            Assumption("weight", f"{sized.weight_kg:.1f} kg", "body mass index of the reference, ICRP 89")
        )
    if dict(asked.angles) != dict(pose.angles):
        found.append(
            Assumption("pose", "limbs spread", "as far as they would cut into each other or the trunk")
        )
    found += premises_of(person)
    return tuple(found)


def _landmarks(
    body: Body, figure: Figure, joints: NDArray[Any], extent: tuple[float, float]
) -> dict[str, float]:
    """z of the landmarks that place images on the body."""
    z = body.grid.axes_mm()[0]
    half = body.grid.spacing_mm[0] / 2

    at = {name: float(joints[i, 2]) for i, name in enumerate(figure.joints)}

    def reach(name: str, joint: str) -> tuple[float, float]:
        # at coarse voxels a small bone of a newborn may have none
        used = z[(body.labels == body.label(name)).any(axis=(1, 2))] if name in body.organs else z[:0]
        if not used.size:
            return at[joint], at[joint]
        return float(used.min()) - half, float(used.max()) + half

    lungs, liver = reach("lungs", "spine01"), reach("liver", "spine02")
    head, pelvis = reach("bone_cranium", "head"), reach("bone_pelvis", "root")
    return {
        "vertex": head[1],
        "chin": reach("bone_mandible", "neck03")[0],
        "shoulder": at["clavicle.L"],
        "lung_top": lungs[1],
        "lung_bottom": lungs[0],
        "liver_bottom": liver[0],
        "iliac_crest": pelvis[1],
        "hip": pelvis[0],
        "sole": extent[0],
    }
