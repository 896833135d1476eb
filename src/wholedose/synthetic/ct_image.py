"""CT slices of a body as a scanner would show them. Defines `SlicePainter` and `relative_mu_of`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wholedose.base import Grid
from wholedose.body import Body
from wholedose.matter import Spectrum, hu_of
from wholedose.synthetic.technique import ScanPlan

FloatArray = NDArray[np.float32]
MATRIX = 512

# assumptions: noise of a soft kernel behind 26 cm of water at 100 effective mAs and 3 mm, and its power
# spectrum f·exp(−(f/cut)²), which peaks at 0.2 per mm
NOISE_HU = 14.0
NOISE_CUT_PER_MM = 0.28
COUCH_WIDTH_MM, COUCH_DEPTH_MM, COUCH_SKIN_MM, COUCH_RADIUS_MM = 410.0, 45.0, 2.5, 800.0
COUCH_SKIN, COUCH_CORE = 0.95, 0.06


def beam(kv: float) -> Spectrum:
    """Return the spectrum behind the filter and 15 cm of water, to which CT numbers refer."""
    return Spectrum.tube(kv, anode_deg=7.0, filters={"aluminium": 6.0, "water": 150.0})


def relative_mu_of(body: Body, spectrum: Spectrum) -> FloatArray:
    """Return μ/μ_water of each voxel of a body: CT number = 1000 (μ/μ_water − 1)."""
    mass = np.array([(hu_of(m, spectrum) / 1000.0 + 1.0) / m.density_g_cm3 for m in body.materials])
    return np.asarray(mass.astype(np.float32)[body.material] * body.density_g_cm3, dtype=np.float32)


@dataclass(eq=False)
class SlicePainter:
    """Paints slices on a 512 × 512 matrix.

    Parameters
    ----------
    relative_mu : float32 array [z, y, x]
        On ``grid``.
    grid : Grid
    plan : ScanPlan
    centre_mm : (float, float)
        x, y of the isocentre, the middle of the image.
    fov_mm : float
    couch_y_mm : float
        y of the top of the couch in its middle.
    seed : int
    """

    relative_mu: FloatArray
    grid: Grid
    plan: ScanPlan
    centre_mm: tuple[float, float]
    fov_mm: float
    couch_y_mm: float
    seed: int
    _along_x: Any = field(init=False)
    _along_y: Any = field(init=False)
    _couch: FloatArray = field(init=False)
    _filter: FloatArray = field(init=False)

    def __post_init__(self) -> None:
        from scipy.sparse import csr_array

        _, y, x = self.grid.axes_mm()
        x_pixel, y_pixel = self.axes_mm()
        # a scanner's blur hides the voxels of the body: half a voxel of standard deviation
        self._along_x = csr_array(_weights(x_pixel, x, 0.5 * self.grid.spacing_mm[2]))
        self._along_y = csr_array(_weights(y_pixel, y, 0.5 * self.grid.spacing_mm[1]))
        self._couch = couch(x_pixel - self.centre_mm[0], y_pixel - self.couch_y_mm)
        frequency = np.hypot(
            np.fft.fftfreq(MATRIX, self.pixel_mm)[:, None], np.fft.rfftfreq(MATRIX, self.pixel_mm)[None, :]
        )
        power = frequency * np.exp(-((frequency / NOISE_CUT_PER_MM) ** 2))
        power[0, 0] = 0.0
        full = np.concatenate([power, power[:, 1:-1]], axis=1)
        self._filter = np.sqrt(power / full.mean()).astype(np.float32)

    @property
    def pixel_mm(self) -> float:
        """Pixel size."""
        return self.fov_mm / MATRIX

    def axes_mm(self) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return the pixel centres along x and y."""
        offset = (np.arange(MATRIX) - (MATRIX - 1) / 2) * self.pixel_mm
        return self.centre_mm[0] + offset, self.centre_mm[1] + offset

    def noise_hu(self, index: int) -> float:
        """Return the standard deviation of the noise in slice ``index``.

        √(exp(μ (D − 26 cm)) × 100 mAs / effective mAs × 3 mm / thickness) times 14 HU.
        """
        diameter = float(np.interp(self.plan.slices_mm[index], self.plan.z_mm, self.plan.diameter_cm))
        mas = float(self.plan.ctdivol_mgy(self.plan.slice_ma[index])) / self.plan.output * 100.0
        power = np.exp(0.19 * (diameter - 26.0)) * 100.0 / mas * 3.0 / self.plan.thickness_mm
        return float(NOISE_HU * np.sqrt(power))

    def without_noise(self, index: int) -> FloatArray:
        """Return the HU of slice ``index`` before noise."""
        z_axis = self.grid.axes_mm()[0]
        z = self.plan.slices_mm[index]
        weights = _weights(np.array([z]), z_axis, 0.0, self.plan.thickness_mm)[0]
        used = np.flatnonzero(weights)
        plane = np.tensordot(weights[used], self.relative_mu[used[0] : used[-1] + 1], axes=1)
        body = (self._along_x @ (self._along_y @ plane).T).T
        return np.asarray(1000.0 * (body + self._couch - 1.0), dtype=np.float32)

    def paint(self, index: int) -> NDArray[np.int16]:
        """Return the HU of slice ``index`` with its noise; the same for the same seed."""
        from scipy.fft import irfft2, rfft2

        hu = self.without_noise(index)
        rng = np.random.default_rng((self.seed, index))
        white = rng.standard_normal((MATRIX, MATRIX), dtype=np.float32)
        noise = irfft2(rfft2(white) * self._filter, s=(MATRIX, MATRIX))
        # rays beside the patient are hardly attenuated
        hu += noise * np.float32(self.noise_hu(index)) * np.where(hu > -950, 1.0, 0.6).astype(np.float32)
        return np.clip(np.rint(hu), -1024, 3071).astype(np.int16)


def _weights(at: NDArray[Any], nodes: NDArray[Any], sigma: float, width: float = 0.0) -> FloatArray:
    """Return the rows that resample from voxels at ``nodes``: a Gaussian of ``sigma``, or a box of ``width``.

    Positions beyond the last node take its value: the body's grid ends in air.
    """
    distance = at[:, None] - nodes[None, :]
    if width:
        half = (nodes[1] - nodes[0]) / 2
        weights = np.clip(width / 2 + half - np.abs(distance), 0.0, min(width, 2 * half))
    else:
        weights = np.exp(-0.5 * (distance / sigma) ** 2)
        weights[weights < 1e-4] = 0.0
    total = weights.sum(axis=1)
    empty = total < 1e-3
    weights[empty] = 0.0
    weights[empty, np.abs(distance[empty]).argmin(axis=1)] = 1.0
    total[empty] = 1.0
    return np.asarray(weights / total[:, None], dtype=np.float32)


def couch_rise_mm(x_mm: NDArray[Any]) -> NDArray[Any]:
    """Return how much higher than its middle the top of the couch is beside it."""
    return np.asarray(x_mm**2 / (2 * COUCH_RADIUS_MM))


def couch(x_mm: NDArray[Any], y_mm: NDArray[Any]) -> FloatArray:
    """Return μ/μ_water of a curved couch: two thin skins around a foam core; 0 elsewhere.

    Parameters
    ----------
    x_mm, y_mm : arrays
        Pixel centres relative to the middle of the couch's top.
    """
    x, y = x_mm[None, :], y_mm[:, None]
    top = -couch_rise_mm(x)
    depth = y - top
    floor = COUCH_DEPTH_MM * (1 - (2 * x / COUCH_WIDTH_MM) ** 2).clip(0.0)
    pixel = x_mm[1] - x_mm[0]

    def inside(distance: NDArray[Any]) -> NDArray[Any]:
        return np.asarray(np.clip(distance / pixel + 0.5, 0.0, 1.0))

    within = inside(depth) * inside(floor - depth) * inside(COUCH_WIDTH_MM / 2 - np.abs(x))
    core = inside(depth - COUCH_SKIN_MM) * inside(floor - COUCH_SKIN_MM - depth)
    return np.asarray(within * (COUCH_SKIN + (COUCH_CORE - COUCH_SKIN) * core), dtype=np.float32)
