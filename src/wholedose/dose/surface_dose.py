"""Dose to the basal layer of the skin. Defines `surface_dose`, `SurfaceDose` and `PeakDose`."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from wholedose.base import AbsorbedDose, Cause, InvalidInput
from wholedose.body import Body
from wholedose.body.skin_surface import SkinSurface
from wholedose.dose.dose_map import DoseMap
from wholedose.matter import Material, material, photon_data

FloatArray = NDArray[np.float64]

# where voxels are sampled along the inward normal, in voxels: the first layer and those under it
_SHALLOW = (0.1, 0.35, 0.6, 0.85)
_DEEP = (1.5, 2.0, 2.5)
_RADIUS_VOXELS, _RADIUS_MM = 1.25, 3.0
_MOST_PER_MM = 0.1  # dose falls no faster: soft tissue at 18 keV
# what the exponential gives too much, per mm of voxel: 0.6 to 0.9 % in beams of 30 to 100 keV on a flat skin,
# where the scatter that comes back grazing rises in the first tenths of a millimetre (docs/skin-surface.md)
_EXCESS_PER_MM = 0.008
_CHUNK = 8192
_KEV = np.geomspace(15.0, 150.0, 47)
_ASSUMED_KEV = 60.0
_SKIN = "skin"


@dataclass(frozen=True)
class PeakDose:
    """The highest dose of an area of skin.

    Attributes
    ----------
    dose : AbsorbedDose
        Mean over the area.
    area_cm2 : float
        The area over which it is the mean; less than asked where the skin has less.
    place_mm : tuple of float
        Its middle, LPS mm.
    region : str
    """

    dose: AbsorbedDose
    area_cm2: float
    place_mm: tuple[float, float, float]
    region: str


@dataclass(frozen=True, eq=False)
class SurfaceDose:
    """The absorbed dose to the basal layer of the skin, by patch.

    Attributes
    ----------
    surface : SkinSurface
    dose_mgy : float32 array ``[n]``
    u_mgy : float32 array ``[n]``
        Statistical standard uncertainty of a patch; 0 where the map tells none.
    relative_parts : mapping of Cause to float
        Uncertainties that scale all of it: those of the dose map, and what voxels cannot resolve.
    kev : float
        The photon energy whose energy absorption coefficients turned doses of other tissues into doses of
        skin.
    kev_from : {"given", "map", "assumed"}
    """

    surface: SkinSurface
    dose_mgy: NDArray[np.float32]
    u_mgy: NDArray[np.float32]
    relative_parts: Mapping[Cause, float] = field(default_factory=dict)
    kev: float = _ASSUMED_KEV
    kev_from: Literal["given", "map", "assumed"] = "assumed"

    @property
    def mean(self) -> AbsorbedDose:
        """The mean over the area of the whole skin."""
        return self._over(np.ones(len(self.surface), dtype=bool))

    def by_region(self) -> dict[str, AbsorbedDose]:
        """Return the mean of each part of the body."""
        parts = {name: self.surface.where(name) for name in self.surface.names}
        return {name: self._over(mask) for name, mask in parts.items() if mask.any()}

    def share_above(self, mgy: float) -> float:
        """Return the share of the skin's area with more than a dose in mGy, 0 to 1."""
        area = self.surface.area_mm2.astype(np.float64)
        return float(area[self.dose_mgy > mgy].sum() / area.sum())

    def peak(self, area_cm2: float = 1.0) -> PeakDose:
        """Return the highest mean dose over patches round a point that together have an area.

        The highest of many values with noise lies above the highest true one by up to three or so of their
        uncertainties.

        Raises
        ------
        InvalidInput
            Not a positive area.
        """
        if not area_cm2 > 0.0:
            raise InvalidInput(f"An area is positive, got {area_cm2:g} cm².", where="area_cm2")
        dose, u = self.dose_mgy.astype(np.float64), self.u_mgy.astype(np.float64)
        # a mean is no higher than the highest in it: candidates in falling order until none can win
        order = np.argsort(-dose, kind="stable")
        reach = 2.0 * math.sqrt(100.0 * area_cm2 / math.pi)
        best, found = -1.0, (0, 0.0, 0.0)
        for first in range(0, len(order), 256):
            middle = order[first : first + 256]
            if dose[middle[0]] <= best:
                break
            for patch, share in zip(middle, self._discs(middle, area_cm2 * 100.0, reach), strict=True):
                index, weight = share
                mean = float(weight @ dose[index] / weight.sum())
                if mean > best:
                    # patches that lie so close share most of their voxels and photons
                    spread = float(weight @ u[index] / weight.sum())
                    best, found = mean, (patch, spread, float(weight.sum()))
        patch, spread, area = found
        x, y, z = (float(v) for v in self.surface.points_mm[patch])
        name = self.surface.names[int(self.surface.region[patch])]
        return PeakDose(self._dose(best, spread), area / 100.0, (x, y, z), name)

    @cached_property
    def _tree(self) -> Any:
        return cKDTree(self.surface.points_mm)

    def _discs(self, middle: NDArray[Any], area: float, reach: float) -> list[tuple[Any, FloatArray]]:
        """Round each patch the nearest ones that look the same way, with the area that each lends."""
        found = []
        points, normals = self.surface.points_mm, self.surface.normals
        size = self.surface.area_mm2.astype(np.float64)
        for patch, near in zip(middle, self._tree.query_ball_point(points[middle], reach), strict=True):
            index = np.array(near)
            index = index[normals[index] @ normals[patch] > 0.0]
            distance = np.linalg.norm(points[index] - points[patch], axis=1)
            index = index[np.argsort(distance, kind="stable")]
            before = np.cumsum(size[index]) - size[index]
            weight = np.clip(area - before, 0.0, size[index])
            found.append((index[weight > 0.0], weight[weight > 0.0]))
        return found

    def _over(self, mask: NDArray[np.bool_]) -> AbsorbedDose:
        area = self.surface.area_mm2[mask].astype(np.float64)
        share = area / area.sum()
        # patches within the voxels' reach are one measurement, those further apart are independent
        each = max(100.0 * 0.3, float(area.mean())) / float(area.mean())
        u = math.sqrt(each * float(np.sum((share * self.u_mgy[mask]) ** 2)))
        return self._dose(float(share @ self.dose_mgy[mask]), u)

    def _dose(self, value: float, u: float) -> AbsorbedDose:
        parts = {cause: value * part for cause, part in self.relative_parts.items()}
        if u > 0.0:
            parts[Cause("statistical", "skin surface")] = u
        return AbsorbedDose(value, parts)


def surface_dose(body: Body, dose_map: DoseMap, *, kev: float | None = None) -> SurfaceDose:
    """Return the dose to the basal layer of the skin from a dose map of the body's voxels.

    The voxels of the first layer under a patch, and those of the two layers below, each give a mean dose and
    a mean depth; the exponential through both leads to the depth of the basal layer. The dose of voxels of
    other tissue counts times the ratio of mass energy absorption coefficients, skin over that tissue, at one
    effective energy (secondary electrons deposit where they arise). That energy is the one at which the
    voxels of skin agree with their neighbours of other tissue.

    Parameters
    ----------
    body : Body
        Its ``surface``, or that of its voxels.
    dose_map : DoseMap
        On the body's grid.
    kev : float, optional
        The effective energy, instead of the one found.

    Raises
    ------
    InvalidInput
        The map has another grid than the body, or the energy is not 1 keV to 10 MeV.

    Examples
    --------
    ``surface_dose(body, result.map).peak(1.0).dose`` → the peak skin dose over 1 cm².
    """
    if dose_map.grid != body.grid:
        raise InvalidInput(
            "The dose map and the body have different grids.",
            where="dose_map",
            way_out="Give the map of a simulation in this very body.",
        )
    if kev is not None and not 1.0 <= kev <= 10_000.0:
        raise InvalidInput(
            f"An energy of {kev:g} keV is not offered.", where="kev", way_out="1 to 10,000 keV."
        )
    surface = body.surface if body.surface is not None else SkinSurface.of_voxels(body.grid, body.labels > 0)
    sampler = _Sampler(body, dose_map, surface)
    source: Literal["given", "map", "assumed"] = "given"
    if kev is None:
        found = sampler.effective_kev()
        kev, source = (_ASSUMED_KEV, "assumed") if found is None else (found, "map")
    every = np.arange(len(surface))
    dose, u = sampler.doses(every, skin_over(body.materials, np.array([kev]))[0])
    known = np.isfinite(dose)
    if not known.any():
        raise InvalidInput("No part of the skin lies within the dose map.", where="body.surface")
    if not known.all():
        _, nearest = cKDTree(surface.points_mm[known]).query(surface.points_mm[~known])
        dose[~known], u[~known] = dose[known][nearest], u[known][nearest]
    return SurfaceDose(
        surface,
        dose.astype(np.float32),
        u.astype(np.float32),
        dict(dose_map.relative_parts) | {Cause("voxel size", "skin surface"): -_EXCESS_PER_MM * sampler.step},
        float(kev),
        source,
    )


def skin_over(materials: Sequence[Material], kev: NDArray[Any]) -> FloatArray:
    """Return the dose of skin over the dose of each material in one fluence, ``[energy, material]``.

    Examples
    --------
    >>> float(skin_over([material("adipose")], np.array([60.0])).round(2)[0, 0])
    1.21
    """
    skin = photon_data(material(_SKIN)).on("energy_absorption", kev)
    return np.stack([skin / photon_data(item).on("energy_absorption", kev) for item in materials], axis=1)


class _Sampler:
    """Looks up the voxels under patches."""

    def __init__(self, body: Body, dose_map: DoseMap, surface: SkinSurface) -> None:
        grid = body.grid
        self.surface = surface
        self.materials = body.materials
        self.is_skin = np.array([item.name == _SKIN for item in body.materials])
        self.shape = np.array(grid.shape)
        self.spacing, self.origin = np.array(grid.spacing_mm[::-1]), np.array(grid.origin_mm)
        self.inside = (body.labels > 0).reshape(-1)
        self.material = body.material.reshape(-1)
        self.dose = dose_map.dose_mgy.reshape(-1)
        self.u = None if dose_map.relative_u is None else dose_map.relative_u.reshape(-1)
        self.step = float(self.spacing.max())
        self.radius = max(_RADIUS_VOXELS * self.step, _RADIUS_MM)

    def _samples(self, patches: NDArray[Any], depths: Sequence[float]) -> tuple[Any, Any, FloatArray]:
        """Voxels ``[patch, sample]`` under patches, whether they lie in the body, depth of their centres."""
        normal = self.surface.normals[patches].astype(np.float64)
        skin = self.surface.points_mm[patches] + self.surface.depth_mm * normal
        disc = _disc(normal) * self.radius
        layer = np.array(depths) * self.step
        point = (skin[:, None] + disc)[:, :, None] - layer[:, None] * normal[:, None, None]
        place = np.rint((point.reshape(len(patches), -1, 3) - self.origin) / self.spacing).astype(np.int64)
        within = ((place >= 0) & (place < self.shape[::-1])).all(axis=2)
        place = np.clip(place, 0, self.shape[::-1] - 1)
        flat = (place[..., 2] * self.shape[1] + place[..., 1]) * self.shape[2] + place[..., 0]
        depth = np.einsum("nsk,nk->ns", skin[:, None] - (place * self.spacing + self.origin), normal)
        return flat, within & self.inside[flat], depth

    def doses(self, patches: NDArray[Any], ratio: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Dose and its uncertainty of patches; NaN where there is no voxel."""
        parts = [self._few(patches[i : i + _CHUNK], ratio) for i in range(0, len(patches), _CHUNK)]
        return np.concatenate([p[0] for p in parts]), np.concatenate([p[1] for p in parts])

    def _few(self, patches: NDArray[Any], ratio: FloatArray) -> tuple[FloatArray, FloatArray]:
        flat, held, depth = self._samples(patches, _SHALLOW)
        dose = self.dose[flat] * ratio[self.material[flat]]
        relative = np.zeros(len(patches))
        if self.u is not None:
            # voxels so close share most of their photons: no square root of their number
            u = _mean(dose * np.where(dose > 0.0, self.u[flat], 0.0), held)
            relative = np.divide(u, _mean(dose, held), out=relative, where=_mean(dose, held) > 0.0)
        first, at_first = _mean(dose, held), _mean(depth, held)
        flat, held, depth = self._samples(patches, _DEEP)
        below = _mean(self.dose[flat] * ratio[self.material[flat]], held)
        at_below = _mean(depth, held)
        missing = np.isnan(first)
        first[missing], at_first[missing] = below[missing], at_below[missing]
        gradient = gradient_per_mm(first, below, at_below - at_first)
        dose_there = first * np.exp(gradient * (at_first - self.surface.depth_mm))
        return dose_there, relative * dose_there

    def effective_kev(self) -> float | None:
        """The energy at which voxels of skin in the first layer agree with all of that layer."""
        patches = np.arange(0, len(self.surface), max(len(self.surface) // 4000, 1))
        flat, held, depth = self._samples(patches, _SHALLOW)
        skin = self.is_skin[self.material[flat]] & held
        mixed = skin.any(axis=1) & (held & ~skin).any(axis=1)
        if mixed.sum() < 50:
            return None
        flat, held, depth, skin = flat[mixed], held[mixed], depth[mixed], skin[mixed]
        deep, deep_held, deep_depth = self._samples(patches[mixed], _DEEP)
        area = self.surface.area_mm2[patches[mixed]]
        ratios = skin_over(self.materials, _KEV)
        gap = _mean(deep_depth, deep_held) - _mean(depth, held)
        # of what the layers hold only the doses depend on the energy, by material
        inner, lower = self.material[flat], self.material[deep]

        def excess(k: int) -> float:
            dose = self.dose[flat] * ratios[k][inner]
            below = _mean(self.dose[deep] * ratios[k][lower], deep_held)
            gradient = gradient_per_mm(_mean(dose, held), below, gap)[:, None]
            level = dose * np.exp(gradient * depth)  # what each voxel says of the surface
            return float(np.nansum(area * (_mean(level, skin) - _mean(level, held & ~skin))))

        low, high = 0, len(_KEV) - 1
        under, over = excess(low), excess(high)
        if not under < 0.0 < over:
            return None
        while high - low > 1:
            middle = (low + high) // 2
            found = excess(middle)
            if found > 0.0:
                high, over = middle, found
            else:
                low, under = middle, found
        share = under / (under - over)
        return float(_KEV[low] * (_KEV[high] / _KEV[low]) ** share)


def gradient_per_mm(first: FloatArray, below: FloatArray, gap_mm: FloatArray) -> FloatArray:
    """Return how fast the dose falls from one depth to another: of its logarithm per mm; 0 where unknown."""
    known = (first > 0.0) & (below > 0.0) & (gap_mm > 0.0)
    slope = np.zeros(len(first))
    slope[known] = np.log(first[known] / below[known]) / gap_mm[known]
    return np.clip(slope, -_MOST_PER_MM, _MOST_PER_MM)


def _mean(values: FloatArray, held: NDArray[np.bool_]) -> FloatArray:
    """Mean over the samples of each patch that count; NaN without any."""
    count = held.sum(axis=1)
    total = np.where(held, values, 0.0).sum(axis=1, dtype=np.float64)
    return np.asarray(np.divide(total, count, out=np.full(len(count), np.nan), where=count > 0))


def _disc(normal: FloatArray) -> FloatArray:
    """Nineteen points of a unit disc across each normal, ``[n, 19, 3]``, evenly spread."""
    # the axis most across: mirrored normals get mirrored discs
    axis = np.eye(3)[np.abs(normal).argmin(axis=1)]
    one = np.cross(axis, normal)
    one /= np.linalg.norm(one, axis=1, keepdims=True)
    two = np.cross(normal, one)
    inner = np.arange(6) * np.pi / 3.0
    outer = np.arange(12) * np.pi / 6.0
    a = np.concatenate([[0.0], 0.45 * np.cos(inner), 0.87 * np.cos(outer)])
    b = np.concatenate([[0.0], 0.45 * np.sin(inner), 0.87 * np.sin(outer)])
    return np.asarray(a[:, None] * one[:, None] + b[:, None] * two[:, None])
