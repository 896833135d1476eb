"""Images that a scanner would make of a body, and readers for the tests."""

from __future__ import annotations

import nibabel as nib
import numpy as np

from wholedose.base import Grid, Volume
from wholedose.body import Body
from wholedose.matter import HuCalibration

MARGIN = 8
TEXTURE_HU = 60.0
"""Spread of spongy bone from voxel to voxel (assumption): an even block of it would pass for contrast."""

SPONGY_FROM = 1.12


def as_ct(
    body: Body, z_mm: tuple[float, float] | None = None, *, couch: bool = True, noise_hu: float = 8.0
) -> Volume:
    """The CT image of a body: CT numbers by density, noise, a couch under the back, cut along z."""
    scale = np.arange(-1000, 3000, dtype=float)
    density = np.maximum.accumulate(HuCalibration.schneider2000().density(scale))
    matter = np.pad(body.density_g_cm3, ((0, 0), (MARGIN, MARGIN), (0, 0)), constant_values=0.0012)
    hu = np.interp(matter, density, scale)
    hu[matter < 0.01] = -1000.0
    if couch:
        back = int(np.flatnonzero((body.labels > 0).any(axis=(0, 2)))[-1]) + MARGIN + 3
        hu[:, back, 10:-10] = -250.0
    spongy = matter > SPONGY_FROM
    hu[spongy] += np.random.default_rng(8).normal(0.0, TEXTURE_HU, int(spongy.sum()))
    hu += np.random.default_rng(7).normal(0.0, noise_hu, hu.shape)
    x, y, z0 = body.grid.origin_mm
    step = body.grid.spacing_mm[1]
    values = hu.astype(np.int16)
    grid = Grid(values.shape, body.grid.spacing_mm, (x, y - MARGIN * step, z0))
    if z_mm is not None:
        z = grid.axes_mm()[0]
        keep = np.flatnonzero((z >= z_mm[0]) & (z <= z_mm[1]))
        values = values[keep[0] : keep[-1] + 1]
        x, y, _ = grid.origin_mm
        grid = Grid(values.shape, grid.spacing_mm, (x, y, float(z[keep[0]])))
    return Volume(grid, values, "HU", {"modality": "CT"})


def read_nifti(path: object, unit: str) -> Volume:
    """A NIfTI file with axes along the patient's as a volume in LPS."""
    image = nib.as_closest_canonical(nib.load(str(path)))
    values = np.transpose(np.asanyarray(image.dataobj), (2, 1, 0))[:, ::-1, ::-1]
    (nx, ny, nz), (dx, dy, dz), affine = image.shape, image.header.get_zooms(), image.affine
    x = -(affine[0, 3] + affine[0, 0] * (nx - 1))
    y = -(affine[1, 3] + affine[1, 1] * (ny - 1))
    grid = Grid((nz, ny, nx), (float(dz), float(dy), float(dx)), (float(x), float(y), float(affine[2, 3])))
    return Volume(grid, np.ascontiguousarray(values), unit, {})


def dice(a: np.ndarray, b: np.ndarray) -> float:
    return float(2 * (a & b).sum() / max(a.sum() + b.sum(), 1))
