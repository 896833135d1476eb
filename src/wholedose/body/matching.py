"""The scanned part of a person matched with a model body. Defines `match`.

Skin, lungs and bones are what every CT shows; organs that a label map names join them. All are compared at
once by `wholedose.body.registration`, after the fit along z.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from wholedose.base import Grid
from wholedose.body.body import Body
from wholedose.body.locate import Fit, bright_bone, size_of, whole_organ
from wholedose.body.placement import Placement, taken
from wholedose.body.registration import Field, Warp, channel, register
from wholedose.body.segmentation import threshold
from wholedose.body.view import view_edge, without_arms

if TYPE_CHECKING:
    from wholedose.body.scanned import Scanned

Mask = NDArray[np.bool_]

STEP_MM = 6.0
BLUR_MM = 9.0
ROUGH_STEP_MM, ROUGH_BLUR_MM = 12.0, 15.0
MARGIN_MM = 54.0
MESH_MM = 75.0
LIMIT_MM = 20.0
WEIGHTS = {"body": 0.1, "lung": 4.0, "bone": 2.0}
ROUGH_WEIGHTS = {"body": 0.0, "lung": 4.0, "bone": 0.5}
"""Lungs and bones tell the place, skin hardly: chosen on bodies of our own with other organs (assumption)."""

ORGAN_WEIGHT = 2.0
LEAST_ORGAN_CM3 = 5.0


def match(drawn: Scanned, model: Body, fits: Sequence[Fit], known: tuple[str, ...] = ()) -> Placement:
    """Return where places of an image (and beyond) lie in a model body.

    Parameters
    ----------
    drawn : Scanned
        The segmented image, with a label map's organs in it.
    model : Body
        The whole model body, coarse.
    fits : sequence of Fit
        Where the image may lie along it; a match of each on coarser voxels tells the best.
    known : tuple of str
        Organs and bone sites that a label map shows.
    """
    size = size_of(model)
    fit, shown = fits[0], _shown(drawn, model, known)
    if len(fits) > 1:
        rough = _Pictures.of(drawn, model, shown, ROUGH_STEP_MM, ROUGH_BLUR_MM)
        misfits = [rough.registered(one, size, ROUGH_WEIGHTS).misfit for one in fits]
        fit = fits[int(np.argmin(misfits))]
    pictures = _Pictures.of(drawn, model, shown, STEP_MM, BLUR_MM)
    warp = pictures.registered(fit, size)
    return Placement(fit).with_registered(warp, shrunk(drawn.found.body, pictures.factor) > 0.5)


def _shown(drawn: Scanned, model: Body, known: tuple[str, ...]) -> dict[str, tuple[Mask, Mask]]:
    """What image and model both show, by channel: the mask in the one and in the other."""
    found = drawn.found
    # arms lie otherwise in every person
    trunk, model_trunk = without_arms(found.body), without_arms(model.labels > 0)
    shown = {
        "body": (trunk, model_trunk),
        "lung": (found.mask("lung"), model.mask("lungs")),
        "bone": (found.mask("bone") & trunk, bright_bone(model) & model_trunk),
    }
    for name in known:
        mask, twin = drawn.labels == drawn.number[name], whole_organ(model, name)
        if mask.sum() * drawn.grid.voxel_cm3 > LEAST_ORGAN_CM3 and twin.any():
            shown[name] = mask, twin
    return shown


@dataclass(frozen=True, eq=False)
class _Pictures:
    """What the image shows, on voxels of one coarse size, and the same of the model."""

    grid: Grid
    factor: int
    blur_mm: float
    model: Body
    fixed: Mapping[str, Field]
    there: Mapping[str, Mask]
    tells: Mask | None

    @classmethod
    def of(
        cls,
        drawn: Scanned,
        model: Body,
        shown: Mapping[str, tuple[Mask, Mask]],
        step_mm: float,
        blur_mm: float,
    ) -> _Pictures:
        grid, factor = coarse_grid(drawn.grid, step_mm)
        found = drawn.found
        fixed = {
            name: channel(shrunk(mask, factor), grid.spacing_mm[0], blur_mm)
            for name, (mask, _) in shown.items()
        }
        there = {name: twin for name, (_, twin) in shown.items()}
        tells = None
        if found.truncated > threshold("truncated_flag"):
            inside = ~view_edge(drawn.hu)
            tells = np.broadcast_to(shrunk(inside[None], factor, along=1)[0] > 0.99, grid.shape)
        return cls(grid, factor, blur_mm, model, fixed, there, tells)

    def registered(self, fit: Fit, size: float, share: Mapping[str, float] = WEIGHTS) -> Warp:
        """Register the model, brought to a fit; ``size`` is the body height over an adult's."""
        step = self.grid.spacing_mm[0]
        margin = int(np.ceil(MARGIN_MM / step))
        x, y, z = self.grid.origin_mm
        nz, ny, nx = (n + 2 * margin for n in self.grid.shape)
        origin = (x - margin * step, y - margin * step, z - margin * step)
        index = Placement(fit).look_up(Grid((nz, ny, nx), self.grid.spacing_mm, origin), self.model.grid)
        weights = {name: share.get(name, ORGAN_WEIGHT) for name in self.fixed}
        used = [name for name, weight in weights.items() if weight]
        return register(
            [self.fixed[name] for name in used],
            [channel(taken(self.there[name], index, False), step, self.blur_mm) for name in used],
            self.grid,
            (margin, margin, margin),
            weights=[weights[name] for name in used],
            mask=self.tells,
            mesh_mm=max(MESH_MM * size, 2.5 * step),
            limit_mm=LIMIT_MM * size,
        )


def coarse_grid(grid: Grid, step_mm: float = STEP_MM) -> tuple[Grid, int]:
    """Return the grid of whole blocks of voxels near a size, and how many voxels make an edge."""
    step = grid.spacing_mm[0]
    factor = max(1, min(round(step_mm / step), *grid.shape))
    shape = tuple(n // factor for n in grid.shape)
    origin = tuple(o + (factor - 1) / 2 * step for o in grid.origin_mm)
    return Grid(
        (shape[0], shape[1], shape[2]), (factor * step,) * 3, (origin[0], origin[1], origin[2])
    ), factor


def shrunk(mask: NDArray[Any], factor: int, along: int | None = None) -> NDArray[np.float32]:
    """Return the share of a mask in blocks of voxels; ``along`` is the factor along z if it differs."""
    factors = (along or factor, factor, factor)
    part = mask[tuple(slice(0, n // f * f) for n, f in zip(mask.shape, factors, strict=True))]
    nz, ny, nx = (n // f for n, f in zip(part.shape, factors, strict=True))
    blocks = part.reshape(nz, factors[0], ny, factors[1], nx, factors[2])
    return np.asarray(blocks.mean(axis=(1, 3, 5), dtype=np.float32))
