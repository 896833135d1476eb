"""A simple trunk in CT numbers, for tests of the segmentation: soft ellipse in fat, spine, couch."""

from __future__ import annotations

import numpy as np

from wholedose.base import Grid

STEP = 3.0
GRID = Grid((14, 100, 130), (STEP, STEP, STEP), (-195.0, -150.0, 0.0))


def trunk(noise_hu: float = 12.0, seed: int = 3) -> np.ndarray:
    """A trunk of 33 × 23 cm in air: fat, soft tissue at 50 HU, a vertebra of spongy bone in its cortex."""
    hu = np.full(GRID.shape, -1000.0, dtype=np.float32)
    hu[:, ellipse(0, 0, 165, 115)] = -100.0
    hu[:, ellipse(0, 0, 150, 100)] = 50.0
    hu[:, ellipse(0, 65, 24, 20)] = 700.0
    hu[:, ellipse(0, 65, 19, 15)] = 220.0
    if noise_hu:
        hu += np.random.default_rng(seed).normal(0.0, noise_hu, hu.shape).astype(np.float32)
    return hu


def ellipse(x_mm: float, y_mm: float, a_mm: float, b_mm: float) -> np.ndarray:
    """Where in a plane [y, x] an ellipse about (x, y) with half axes a and b is."""
    _, y, x = GRID.axes_mm()
    return ((x[None, :] - x_mm) / a_mm) ** 2 + ((y[:, None] - y_mm) / b_mm) ** 2 < 1
