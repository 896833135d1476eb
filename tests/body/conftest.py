"""Stylised bodies and the images that a scanner would make of them."""

from __future__ import annotations

import nibabel as nib
import numpy as np
import pytest

from wholedose.base import Grid, Volume
from wholedose.body import Body, Person, stylised
from wholedose.matter import HuCalibration


def as_ct(
    body: Body, z_mm: tuple[float, float] | None = None, *, couch: bool = True, noise_hu: float = 8.0
) -> Volume:
    """The CT image of a body: CT numbers by density, noise, a couch under the back, cut along z."""
    scale = np.arange(-1000, 3000, dtype=float)
    density = np.maximum.accumulate(HuCalibration.schneider2000().density(scale))
    hu = np.interp(body.density_g_cm3, density, scale)
    hu[body.density_g_cm3 < 0.01] = -1000.0
    if couch:
        back = int(np.flatnonzero((body.labels > 0).any(axis=(0, 2)))[-1]) + 2
        hu[:, min(back, hu.shape[1] - 1), 10:-10] = -300.0
    hu += np.random.default_rng(7).normal(0.0, noise_hu, hu.shape)
    grid, values = body.grid, hu.astype(np.int16)
    if z_mm is not None:
        z = grid.axes_mm()[0]
        keep = np.flatnonzero((z >= z_mm[0]) & (z <= z_mm[1]))
        values = values[keep[0] : keep[-1] + 1]
        x, y, _ = grid.origin_mm
        grid = Grid((len(keep), *grid.shape[1:]), grid.spacing_mm, (x, y, float(z[keep[0]])))
    return Volume(grid, values, "HU", {"modality": "CT"})


def read_nifti(path: object, unit: str) -> Volume:
    """A NIfTI file with axes along the patient's as a volume in LPS."""
    image = nib.as_closest_canonical(nib.load(str(path)))
    values = np.transpose(np.asanyarray(image.dataobj), (2, 1, 0))[:, ::-1, ::-1]
    (nx, ny, nz), (dx, dy, dz), affine = image.shape, image.header.get_zooms(), image.affine
    origin = (
        -(affine[0, 3] + affine[0, 0] * (nx - 1)),
        -(affine[1, 3] + affine[1, 1] * (ny - 1)),
        affine[2, 3],
    )
    grid = Grid((nz, ny, nx), (float(dz), float(dy), float(dx)), tuple(float(p) for p in origin))
    return Volume(grid, np.ascontiguousarray(values), unit, {})


def dice(a: np.ndarray, b: np.ndarray) -> float:
    return float(2 * (a & b).sum() / max(a.sum() + b.sum(), 1))


@pytest.fixture(scope="session")
def man() -> Body:
    return stylised(Person("M", 40, 176, 73), 4.0, "up")


@pytest.fixture(scope="session")
def woman() -> Body:
    return stylised(Person("F", 40, 163, 60), 4.0, "up")
