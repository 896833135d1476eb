"""How places in an image answer to places in a model body. Defines `Placement`.

The fit along z and across (`wholedose.body.locate`) comes first, then the registered displacement, which
fades beyond the image to a plain shift.
"""

# mypy: disallow-untyped-decorators=False

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from wholedose.base import Grid
from wholedose.body.locate import Fit
from wholedose.body.registration import Warp
from wholedose.body.slabs import over

FADE_MM = 120.0
"""How far beyond the image the registered displacement reaches, as it fades to a shift."""

END_MM = 60.0
"""The part of the image at its end that says what this shift is."""

TABLE_STEP_MM = 1.0

_jit: Any = njit(nogil=True, cache=True, error_model="numpy")


@_jit
def _shift(warp: Any, origin: Any, step: float, x: float, y: float, z: float, out: Any) -> None:
    # pragma: no cover - compiled; adds the displacement at a point, trilinear, constant beyond the grid
    nz, ny, nx = warp.shape[1:]
    px = min(max((x - origin[0]) / step, 0.0), nx - 1.0)
    py = min(max((y - origin[1]) / step, 0.0), ny - 1.0)
    pz = min(max((z - origin[2]) / step, 0.0), nz - 1.0)
    i, j, k = int(pz), int(py), int(px)
    i1, j1, k1 = min(i + 1, nz - 1), min(j + 1, ny - 1), min(k + 1, nx - 1)
    c, b, a = pz - i, py - j, px - k
    for n in range(3):
        f = warp[n]
        low = (1 - b) * ((1 - a) * f[i, j, k] + a * f[i, j, k1]) + b * (
            (1 - a) * f[i, j1, k] + a * f[i, j1, k1]
        )
        up = (1 - b) * ((1 - a) * f[i1, j, k] + a * f[i1, j, k1]) + b * (
            (1 - a) * f[i1, j1, k] + a * f[i1, j1, k1]
        )
        out[n] += (1 - c) * low + c * up


@_jit
def _look_up(
    z0: int,
    z1: int,
    place: Any,
    step: float,
    warp: Any,
    warp_origin: Any,
    warp_step: float,
    more: Any,
    more_origin: Any,
    more_step: float,
    table: Any,
    table_low: float,
    source_low: Any,
    source_step: float,
    source_shape: Any,
    out: Any,
) -> None:  # pragma: no cover - compiled
    # table rows: height on the body, x image, x scale, x body, y image, y scale, y body at each mm
    rows = table.shape[1]
    ny, nx = out.shape[1:]
    sz, sy, sx = source_shape[0], source_shape[1], source_shape[2]
    p, e = np.empty(3), np.empty(3)
    for z in range(z0, z1):
        for y in range(ny):
            for x in range(nx):
                out[z, y, x] = -1
                p[0], p[1], p[2] = place[0] + x * step, place[1] + y * step, place[2] + z * step
                if more.shape[1] > 0:
                    e[0] = e[1] = e[2] = 0.0
                    _shift(more, more_origin, more_step, p[0], p[1], p[2], e)
                    p[0] += e[0]
                    p[1] += e[1]
                    p[2] += e[2]
                e[0] = e[1] = e[2] = 0.0
                _shift(warp, warp_origin, warp_step, p[0], p[1], p[2], e)
                p[0] += e[0]
                p[1] += e[1]
                p[2] += e[2]
                at = min(max(p[2] - table_low, 0.0), rows - 1.001)
                i = int(at)
                t = at - i
                height = (1 - t) * table[0, i] + t * table[0, i + 1] + (p[2] - table_low - at)
                kz = int(np.floor((height - source_low[2]) / source_step))
                if kz < 0 or kz >= sz:
                    continue
                bx = (p[0] - ((1 - t) * table[1, i] + t * table[1, i + 1])) * (
                    (1 - t) * table[2, i] + t * table[2, i + 1]
                ) + ((1 - t) * table[3, i] + t * table[3, i + 1])
                kx = int(np.floor((bx - source_low[0]) / source_step))
                if kx < 0 or kx >= sx:
                    continue
                by = (p[1] - ((1 - t) * table[4, i] + t * table[4, i + 1])) * (
                    (1 - t) * table[5, i] + t * table[5, i + 1]
                ) + ((1 - t) * table[6, i] + t * table[6, i + 1])
                ky = int(np.floor((by - source_low[1]) / source_step))
                if ky < 0 or ky >= sy:
                    continue
                out[z, y, x] = (kz * sy + ky) * sx + kx


NO_WARP = Warp(Grid((1, 1, 1), (1.0, 1.0, 1.0), (0.0, 0.0, 0.0)), np.zeros((3, 1, 1, 1), dtype=np.float32))


@dataclass(frozen=True, eq=False)
class Placement:
    """The map from places in the image (and beyond it) to places in a model body.

    Parameters
    ----------
    fit : Fit
        Heights, and shift and scale across.
    warp : Warp
        Displacement in the image's space that comes before the fit.
    """

    fit: Fit
    warp: Warp = NO_WARP

    def with_registered(self, warp: Warp, body: NDArray[np.bool_]) -> Placement:
        """Return the placement with a displacement registered inside the image.

        Parameters
        ----------
        warp : Warp
            On the image's (coarse) grid.
        body : bool array
            Where the person is, on the same grid: says which shift counts beyond the image.
        """
        grid, u = warp.grid, warp.shift_mm
        step = grid.spacing_mm[0]
        beyond = int(np.ceil(FADE_MM / step)) + 1
        end = max(1, round(END_MM / step))
        parts = []
        for edge, part in ((u[:, :1], slice(0, end)), (u[:, -1:], slice(-end, None))):
            inside = body[part]
            mean = u[:, part][:, inside].mean(axis=1) if inside.any() else np.zeros(3)
            far = np.arange(1, beyond + 1) * step / FADE_MM
            share = np.clip(1 - far, 0, 1) ** 2 * (1 + 2 * np.clip(far, 0, 1))
            parts.append(
                mean[:, None, None, None] + share[None, :, None, None] * (edge - mean[:, None, None, None])
            )
        field = np.concatenate([parts[0][:, ::-1], u, parts[1]], axis=1).astype(np.float32)
        x, y, z = grid.origin_mm
        nz, ny, nx = grid.shape
        longer = Grid((nz + 2 * beyond, ny, nx), grid.spacing_mm, (x, y, z - beyond * step))
        return Placement(self.fit, Warp(longer, np.ascontiguousarray(field), warp.misfit))

    @cached_property
    def _heights(self) -> tuple[NDArray[Any], NDArray[Any]]:
        """Heights in the image, and on the body of the middle of the section there."""
        fit = self.fit
        low = min(fit.z_mm[0], self.warp.grid.lower_mm[2]) - 2500.0
        high = max(fit.z_mm[-1], self.warp.grid.upper_mm[2]) + 2500.0
        z = np.arange(low, high, 2.0)
        (x, _, _), (y, _, _) = fit.section(z)
        moved = z + self.warp.at(np.stack([x, y, z], axis=1))[:, 2]
        return z, np.maximum.accumulate(fit.to_body_z(moved) + 1e-6 * np.arange(z.size))

    def to_body_z(self, z_mm: Any) -> NDArray[Any]:
        """Return heights on the body, in the middle of the section, of heights in the image."""
        z, body = self._heights
        return np.asarray(np.interp(z_mm, z, body))

    def to_image_z(self, z_mm: Any) -> NDArray[Any]:
        """Return heights in the image of heights on the body."""
        z, body = self._heights
        return np.asarray(np.interp(z_mm, body, z))

    def look_up(self, grid: Grid, source: Grid, more: Warp = NO_WARP) -> NDArray[np.int32]:
        """Return for each voxel of a grid the flat index of the source's voxel there; -1 outside.

        Parameters
        ----------
        grid : Grid
            Cubic voxels in the image's space.
        source : Grid
            Cubic voxels of the model body.
        more : Warp
            A further displacement in the image's space, before the registered one.
        """
        fit = self.fit
        low = float(fit.z_mm[0]) - 2.0
        z = np.arange(low, float(fit.z_mm[-1]) + 3.0, TABLE_STEP_MM)
        knots = np.concatenate([fit.z_image_mm, z])
        low, high = float(knots.min()) - 1.0, float(knots.max()) + 2.0
        z = low + np.arange(int(np.ceil(high - low)) + 1) * TABLE_STEP_MM
        across = [part for three in fit.section(z) for part in three]
        table = np.ascontiguousarray(np.stack([fit.to_body_z(z), *across]))
        out = np.empty(grid.shape, dtype=np.int32)
        fixed: tuple[Any, ...] = (
            np.array(grid.origin_mm), grid.spacing_mm[0],
            self.warp.shift_mm, np.array(self.warp.grid.origin_mm), self.warp.grid.spacing_mm[0],
            more.shift_mm if more is not NO_WARP else np.zeros((3, 0, 0, 0), dtype=np.float32),
            np.array(more.grid.origin_mm), more.grid.spacing_mm[0],
            table, low, np.array(source.lower_mm), source.spacing_mm[0],
            np.array(source.shape), out,
        )  # fmt: skip
        over(grid.shape[0], 1, lambda first, last: _look_up(first, last, *fixed))
        return out


def taken(values: NDArray[Any], index: NDArray[np.int32], empty: Any = 0) -> NDArray[Any]:
    """Return values of a source at looked-up voxels; ``empty`` where there are none."""
    found = values.reshape(-1)[np.maximum(index, 0)]
    found[index < 0] = empty
    return np.asarray(found)
