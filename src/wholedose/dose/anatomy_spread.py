"""How far an organ's dose depends on anatomy that nobody saw. Defines `ensemble_spread` and `DoseField`.

The members of a body's ensemble put the organs to other places of one dose map. Their doses spread; the
root mean square of the logarithm against the nominal body is the relative standard uncertainty. The map's own
noise must not count as spread: the dose is read from a field that is smoothed where the map is noisy, and is
continued exponentially along z where there is nothing but noise.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from wholedose.base import Grid
from wholedose.body import BONE_SITES, ORGANS, Body
from wholedose.body.ensemble import Member, parameter
from wholedose.dose.dose_map import DoseMap

FloatArray = NDArray[np.float64]

QUIET = 0.03
"""Relative noise up to which the field is used as it is; more is smoothed further."""

BLURS = (0.0, 0.7, 1.5, 3.0, 6.0)
"""Standard deviations in coarse voxels, tried in this order."""

NOISIEST = 0.3
"""Relative noise of a whole slice above which the map tells nothing there, and the table has to."""


@dataclass(frozen=True, eq=False)
class DoseField:
    """The dose to soft tissue on coarse voxels, also where the body has none.

    Parameters
    ----------
    grid : Grid
    dose_mgy : float64 array ``[z, y, x]``
    told : bool array ``[z]``
        Slices where the map tells a dose; elsewhere it is continued exponentially.
    """

    grid: Grid
    dose_mgy: FloatArray
    told: NDArray[np.bool_]

    @classmethod
    def of(cls, body: Body, dose_map: DoseMap, grid: Grid) -> DoseField:
        """Average a map over coarse voxels, bone left out, and quieten it."""
        energy, weight, noise = _averaged(body, dose_map, grid)
        per_slice = [part.sum(axis=(1, 2)) for part in (energy, weight, noise)]
        with np.errstate(divide="ignore", invalid="ignore"):
            mean = per_slice[0] / per_slice[1]
            told = (per_slice[0] > 0) & (np.sqrt(per_slice[2]) < NOISIEST * per_slice[0])
        z = np.arange(grid.shape[0], dtype=np.float64)
        along = _continued(z, mean, told)[:, None, None]
        dose = np.broadcast_to(along, grid.shape).copy()
        # what is smoothed is the dose over the mean of its slice, so that the fall along z stays as steep
        energy, noise = energy / along, noise / along**2
        left = np.broadcast_to(told[:, None, None], grid.shape).copy()
        for blur in BLURS:
            top, below, spread = (_blurred(part, blur) for part in (energy, weight, noise))
            if blur:
                # the noise of neighbours averages out: squared weights are a narrower Gaussian
                spread = (
                    gaussian_filter(noise, blur / math.sqrt(2.0)) / (2.0 * math.sqrt(math.pi) * blur) ** 3
                )
            good = left & (below > 0.05 * max(float(weight.max()), 1e-9)) & (top > 0)
            good &= np.sqrt(np.maximum(spread, 0.0)) <= QUIET * top
            dose[good] *= top[good] / below[good]
            left &= ~good
        return cls(grid, dose, np.asarray(told))

    def mean(self, index: NDArray[np.int32]) -> float:
        """Return the mean dose over voxels."""
        return float(self.dose_mgy.ravel()[index].mean())

    def told_share(self, index: NDArray[np.int32]) -> float:
        """Return the share of voxels in slices where the map tells a dose."""
        return float(self.told[index // (self.grid.shape[1] * self.grid.shape[2])].mean())


def _blurred(values: FloatArray, blur: float) -> FloatArray:
    return np.asarray(gaussian_filter(values, blur)) if blur else values


def _averaged(body: Body, dose_map: DoseMap, grid: Grid) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Energy, mass and variance of the energy of soft tissue in coarse voxels."""
    hard = {
        body.label(name) for name in (*BONE_SITES, "bone", "cortical_bone", "teeth") if name in body.organs
    }
    used = np.flatnonzero((body.labels > 0).ravel() & ~np.isin(body.labels.ravel(), list(hard)))
    k, j, i = np.unravel_index(used, body.grid.shape)
    parts = []
    for axis, fine in ((2, k), (1, j), (0, i)):
        at = body.grid.axes_mm()[2 - axis]
        step = grid.spacing_mm[2 - axis]
        coarse = np.floor((at - grid.lower_mm[axis]) / step + 1e-6).astype(np.int64)
        parts.append(np.clip(coarse, 0, grid.shape[2 - axis] - 1)[fine])
    flat = (parts[0] * grid.shape[1] + parts[1]) * grid.shape[2] + parts[2]
    mass = body.density_g_cm3.ravel()[used].astype(np.float64)
    energy = mass * dose_map.dose_mgy.ravel()[used]
    relative = dose_map.relative_u
    noise = np.zeros(used.size) if relative is None else (energy * relative.ravel()[used]) ** 2
    size = int(np.prod(grid.shape))

    def summed(values: FloatArray) -> FloatArray:
        total = np.bincount(flat, weights=values, minlength=size).reshape(grid.shape)
        return np.asarray(total, dtype=np.float64)

    return summed(energy), summed(mass), summed(noise)


def _continued(z: FloatArray, mean: FloatArray, told: NDArray[np.bool_]) -> FloatArray:
    """Slice means, log-linear between and beyond the slices that tell one."""
    at = np.flatnonzero(told)
    if at.size < 2:
        return np.full(z.size, float(np.nan_to_num(mean).max()))
    logs = np.log(mean[at])
    found = np.interp(z, z[at], logs)
    for side, edge in ((-1, at[0]), (1, at[-1])):
        beyond = z < edge if side < 0 else z > edge
        last = slice(0, 10) if side < 0 else slice(-10, None)
        slope = float(np.polyfit(z[at][last], logs[last], 1)[0]) if at.size > 3 else 0.0
        slope = max(slope, 0.0) if side < 0 else min(slope, 0.0)
        found[beyond] = logs[0 if side < 0 else -1] + slope * (z[beyond] - edge)
    return np.exp(found)


def ensemble_spread(body: Body, dose_map: DoseMap) -> dict[str, float]:
    """Return the relative standard uncertainty of organ doses by anatomy that was not seen.

    Parameters
    ----------
    body : Body
        With an ``ensemble``.
    dose_map : DoseMap
        On the body's grid.

    Returns
    -------
    mapping of organ to float
        For the organs and bone sites of the body, red bone marrow, endosteum and bone; empty without an
        ensemble. Organs in slices where the map holds no more than noise are left out: there the table
        (``body.anatomy_u``) has to tell.

    Examples
    --------
    ``ensemble_spread(body, dose.map)["spleen"]`` → 0.05 inside a chest scan, 0.3 far from it.
    """
    if not body.ensemble:
        return {}
    members: tuple[Member, ...] = body.ensemble
    field = DoseField.of(body, dose_map, members[0].grid)
    nominal = Member.of(members[0].grid, body.organs, _nominal(body, members[0].grid))
    labels = {name: _spread(field, (name,), nominal, members) for name in body.organs}
    found = {name: value for name, value in labels.items() if value is not None}
    for organ in ORGANS:
        if organ in ("red_bone_marrow", "endosteum") or not body.members(organ):
            continue
        value = _spread(field, body.members(organ), nominal, members)
        if value is not None:
            found[organ] = value
    for organ in ("red_bone_marrow", "endosteum"):
        shares = {
            site.name: site.marrow_share if organ == "red_bone_marrow" else site.endosteum_share
            for site in body.skeleton
        }
        value = _marrow(field, shares, nominal, members)
        if value is not None:
            found[organ] = value
    return {name: math.hypot(value, _floor(body, name)) for name, value in found.items()}


def _nominal(body: Body, grid: Grid) -> NDArray[np.int16]:
    picks = [
        np.clip(np.floor((at - low) / step + 1e-6).astype(np.int64), 0, n - 1)
        for at, low, step, n in zip(
            grid.axes_mm(), body.grid.lower_mm[::-1], body.grid.spacing_mm, body.grid.shape, strict=True
        )
    ]
    return np.ascontiguousarray(body.labels[np.ix_(*picks)])


def _spread(
    field: DoseField, names: tuple[str, ...], nominal: Member, members: tuple[Member, ...]
) -> float | None:
    """Root mean square of the logarithm of the dose against the nominal body's; None where noise rules."""
    doses = []
    for one in (nominal, *members):
        index = np.concatenate([one.voxels(name) for name in names])
        if index.size:
            doses.append(field.mean(index) if field.told_share(index) > 0.5 else math.nan)
        elif one is nominal:
            # too small for a coarse voxel: the members, who hold its points, tell among themselves
            doses.append(-1.0)
    return _log_spread(doses)


def _marrow(
    field: DoseField, shares: Mapping[str, float], nominal: Member, members: tuple[Member, ...]
) -> float | None:
    doses = []
    for one in (nominal, *members):
        used = {name: share for name, share in shares.items() if share > 0 and one.voxels(name).size}
        if used:
            total = sum(share * field.mean(one.voxels(name)) for name, share in used.items())
            doses.append(total / sum(used.values()))
    return _log_spread(doses)


def _log_spread(doses: list[float]) -> float | None:
    if len(doses) < 3:
        return None
    first, rest = doses[0], np.array(doses[1:])
    told = np.isfinite(rest) & (rest > 0)
    if told.mean() < 0.5 or not math.isfinite(first):
        return None
    logs = np.log(rest[told])
    middle: Any = math.log(first) if first > 0 else logs.mean()
    return float(np.sqrt(((logs - middle) ** 2).mean()))


def _floor(body: Body, name: str) -> float:
    """What places leave out, by how the organ is known."""
    parts = [part for part in (body.members(name) if name in ORGANS else (name,)) if part in body.organs]
    if not parts:
        return 0.0
    sizes = np.array([max(body.label_mass_g(part), 1e-9) for part in parts])
    floors = []
    for part in parts:
        origin = body.origin[part]
        if origin in ("label map", "image"):
            inside = parameter("floor_label" if origin == "label map" else "floor_image")
        else:
            inside = parameter("floor_inside")
        share = body.inside(part, body.image_z_mm) if body.image_z_mm else 0.0
        floors.append(share * inside + (1 - share) * parameter("floor_outside"))
    return float(np.average(floors, weights=sizes))
