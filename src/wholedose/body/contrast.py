"""Iodine and barium in an image. Defines `Contrast`, `find_contrast`, `iodine_hu_per_mg_ml` and `iodinated`.

Contrast medium makes blood and gut as bright as bone, but without bone's density: read as bone it would be
too dense, hold no iodine, and could even be given marrow. Here it becomes blood or soft tissue with the mass
of iodine that its CT number asks for at the tube voltage::

    c = (HU - HU0) / s(kV, L),   s = 1000 / μw · d(μ)/d(c)   in HU per mg/mL

with μ weighted as an energy-integrating detector behind L cm of water does. Barium has nearly iodine's edge
(37.4 and 33.2 keV) and is counted as iodine.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from wholedose.base import Grid
from wholedose.body.segmentation import threshold
from wholedose.matter import Material, Spectrum, material
from wholedose.matter.hu import hu_of

Mask = NDArray[np.bool_]

KV_ASSUMED = 120.0
FILTER_MM_AL = 7.5
"""Filtration behind which iodine is looked at (assumption: tube and the middle of a body filter)."""

BLOODY = ("heart", "heart_wall", "heart_left_chambers", "heart_right_chambers", "aorta", "large_veins")
SOLID = ("kidneys", "liver", "spleen", "pancreas", "adrenals", "prostate", "uterus")
HOLLOW = (
    *("stomach", "stomach_wall", "stomach_contents", "oesophagus", "colon", "urinary_bladder"),
    *("small_intestine", "small_intestine_wall", "small_intestine_contents", "urinary_bladder_contents"),
    *("right_colon_contents", "left_colon_contents", "rectosigmoid_contents", "gall_bladder"),
)
LEVEL_RATIO = 1.15
"""Step between the iodine levels that materials are made for; half of it is how far a voxel is rounded."""

MOST_MG_ML = 400.0
# other labels by which a voxel may hold contrast that our own segmentation saw
NEVER = ("bone", "eye_lenses", "skin", "lungs", "thyroid", "brain", "spinal_cord")


@dataclass(frozen=True, eq=False)
class Contrast:
    """Where contrast medium is and how much.

    Attributes
    ----------
    where : bool array [z, y, x]
    mg_ml : float32 array [n]
        Iodine in mg/mL at the voxels of ``where``, in its order.
    level : uint8 array [n]
        Index into ``materials``.
    materials : tuple of Material
        Blood or soft tissue with iodine.
    density_g_cm3 : float32 array [n]
    cm3 : mapping of str to float
        Volume by place, largest first.
    """

    where: Mask
    mg_ml: NDArray[np.float32]
    level: NDArray[np.uint8]
    materials: tuple[Material, ...]
    density_g_cm3: NDArray[np.float32]
    cm3: Mapping[str, float]

    @property
    def total_cm3(self) -> float:
        """The volume of all enhanced voxels."""
        return float(sum(self.cm3.values()))

    @property
    def mean_mg_ml(self) -> float:
        """Mean iodine concentration of the enhanced voxels; 0 where there are none."""
        return float(self.mg_ml.mean()) if self.mg_ml.size else 0.0


def iodinated(matrix: Material, mg_ml: float) -> Material:
    """Return a tissue with iodine in mg per mL; its volume is not changed by the iodine (assumption).

    Examples
    --------
    >>> round(iodinated(material("blood"), 10.0).density_g_cm3, 3)
    1.07
    """
    grams = mg_ml / 1000.0
    total = matrix.density_g_cm3 + grams
    name = f"{matrix.name} with {mg_ml:.3g} mg/mL iodine"
    parts = [(matrix, matrix.density_g_cm3 / total), (material("iodine"), grams / total)]
    return Material.mixture(name, total, parts)


@lru_cache(maxsize=64)
def iodine_hu_per_mg_ml(kv: float = KV_ASSUMED, water_cm: float = 30.0) -> float:
    """Return by how much 1 mg/mL of iodine raises the CT number of blood.

    Parameters
    ----------
    kv : float
        Tube voltage, 40 to 150.
    water_cm : float
        Water that rays pass in all, the size of the section: what hardens the beam.

    Notes
    -----
    From the mass attenuation coefficients and a tungsten spectrum behind 7.5 mm Al; the signal's derivative
    for a small detail is weighted by what reaches the detector. At 30 cm 39.9, 30.4, 24.5 and 20.3 HU per
    mg/mL at 80, 100, 120 and 140 kV.

    Examples
    --------
    >>> round(iodine_hu_per_mg_ml(120.0, 30.0), 1)
    24.5
    """
    beam = Spectrum.tube(kv, 12.0, {"aluminium": FILTER_MM_AL, "water": 10.0 * water_cm})
    blood, step = material("blood"), 5.0
    return (hu_of(iodinated(blood, step), beam) - hu_of(blood, beam)) / step


def water_cm_of(body: Mask, grid: Grid) -> float:
    """Return the diameter of the circle that has the area of the middle section of a body, 10 to 40 cm."""
    area = body.sum(axis=(1, 2))
    area = area[area > 0]
    if not area.size:
        return 30.0
    mm2 = float(np.median(area)) * grid.spacing_mm[1] * grid.spacing_mm[2]
    return float(np.clip(2 * np.sqrt(mm2 / np.pi) / 10.0, 10.0, 40.0))


def find_contrast(
    hu: NDArray[np.float32],
    grid: Grid,
    seen: Mask,
    named: Mapping[str, Mask],
    *,
    kv: float | None = None,
    water_cm: float = 30.0,
    keep_out: Mask | None = None,
) -> Contrast:
    """Return contrast medium and its iodine.

    Parameters
    ----------
    hu : array [z, y, x]
    grid : Grid
    seen : bool array [z, y, x]
        What our own segmentation takes for contrast.
    named : mapping of str to bool array
        Organs from a label map: they decide, over our segmentation, which bright voxels are no bone.
    kv : float, optional
        Tube voltage; 120 kV when unknown.
    water_cm : float
        Size of the section, cm.
    keep_out : bool array, optional
        Metal and what else is never contrast.
    """
    allowed = np.ones(hu.shape, dtype=np.bool_) if keep_out is None else ~keep_out
    for name, mask in named.items():
        if name in NEVER or name.startswith("bone_"):
            allowed &= ~mask
    where = seen & allowed
    blood = np.zeros(hu.shape, dtype=np.bool_)
    for name, mask in named.items():
        if name in (*BLOODY, *SOLID, *HOLLOW):
            where |= _enhanced(hu, mask & allowed, hollow=name in HOLLOW)
        if name in BLOODY:
            blood |= mask
    if not where.any():
        none = np.zeros(0, dtype=np.float32)
        return Contrast(where, none, none.astype(np.uint8), (), none, {})
    # noise of single voxels is not iodine: the mean of the enhanced neighbours
    value = _mean_within(hu, where)[where]
    slope = iodine_hu_per_mg_ml(KV_ASSUMED if kv is None else float(kv), round(water_cm))
    mg_ml = np.clip((value - threshold("contrast_base")) / slope, 0.5, MOST_MG_ML).astype(np.float32)
    level, materials = _levels(mg_ml, blood[where])
    matrix = np.where(blood[where], material("blood").density_g_cm3, material("soft_tissue").density_g_cm3)
    density = (matrix + mg_ml / 1000.0).astype(np.float32)
    return Contrast(where, mg_ml, level, materials, density, _places(where, named, grid))


def _enhanced(hu: NDArray[np.float32], mask: Mask, *, hollow: bool) -> Mask:
    """Return the enhanced part of an organ: all that is bright of an enhanced one, pools in a hollow one."""
    if not mask.any():
        return mask
    # the rim holds fat, air and neighbours
    core = ndimage.binary_erosion(mask)
    core = core if core.any() else mask
    smooth = _mean_within(hu, mask)
    if not hollow and float(np.median(hu[core])) > threshold("enhanced_median"):
        return np.asarray(mask & (smooth > threshold("enhanced_median")))
    return np.asarray(mask & (smooth > threshold("bone_from")))


def _mean_within(values: NDArray[np.float32], mask: Mask) -> NDArray[np.float32]:
    """Return the mean over the 27 voxels around each, of those inside a mask."""
    inside = mask.astype(np.float32)
    weight = ndimage.uniform_filter(inside, 3, mode="constant")
    total = ndimage.uniform_filter(np.where(mask, values, np.float32(0.0)), 3, mode="constant")
    return np.asarray(np.where(mask, total / np.maximum(weight, 1e-6), values), dtype=np.float32)


def _levels(mg_ml: NDArray[np.float32], blood: Mask) -> tuple[NDArray[np.uint8], tuple[Material, ...]]:
    """Return for each voxel which of few materials it is: iodine in steps, matrix blood or soft tissue."""
    step = np.rint(np.log(mg_ml) / np.log(LEVEL_RATIO)).astype(int)
    key = 1000 * blood.astype(int) + step + 100
    keys, level = np.unique(key, return_inverse=True)
    found = []
    for one in keys:
        matrix = material("blood" if one >= 1000 else "soft_tissue")
        found.append(iodinated(matrix, float(LEVEL_RATIO ** (int(one) % 1000 - 100))))
    return level.astype(np.uint8), tuple(found)


def _places(where: Mask, named: Mapping[str, Mask], grid: Grid) -> dict[str, float]:
    left = where.copy()
    found: dict[str, float] = {}
    for name, mask in named.items():
        here = left & mask
        if here.any():
            found[name.replace("_", " ")] = float(here.sum()) * grid.voxel_cm3
            left &= ~mask
    if left.any():
        found["elsewhere" if found else "bright soft tissue"] = float(left.sum()) * grid.voxel_cm3
    return dict(sorted(found.items(), key=lambda item: -item[1]))
