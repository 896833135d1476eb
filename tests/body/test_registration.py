"""Promises of the registration."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import map_coordinates

from wholedose.base import Grid
from wholedose.body.registration import Warp, channel, register

STEP = 8.0
GRID = Grid((24, 26, 28), (STEP, STEP, STEP), (0.0, 0.0, 0.0))


def ball(centre: tuple[float, float, float], radii: tuple[float, float, float]) -> np.ndarray:
    z, y, x = np.meshgrid(*(np.arange(n) for n in GRID.shape), indexing="ij")
    parts = [((a - c) / r) ** 2 for a, c, r in zip((z, y, x), centre, radii, strict=True)]
    return np.asarray(parts[0] + parts[1] + parts[2] <= 1.0)


@pytest.fixture(scope="module")
def model() -> list[np.ndarray]:
    body = ball((12, 13, 14), (11, 9, 11))
    lung = ball((14, 12, 9), (5, 5, 3)) | ball((14, 12, 19), (5, 5, 3))
    bone = ball((12, 19, 14), (11, 2, 2))
    return [channel(mask, STEP, 10.0) for mask in (body, lung, bone)]


def moved(pictures: list[np.ndarray], shift: np.ndarray) -> list[np.ndarray]:
    """Pictures of an image whose places answer to place + shift (voxels; x, y, z) in the model."""
    at = np.stack(np.meshgrid(*(np.arange(n, dtype=float) for n in GRID.shape), indexing="ij"))
    return [map_coordinates(p, at + shift[::-1], order=1, mode="nearest") for p in pictures]


def test_a_shift_is_found(model: list[np.ndarray]) -> None:
    """A shift of 8, 12 and 16 mm is found to 1 mm by the affine map alone."""
    shift = np.array([1.0, -1.5, 2.0])[:, None, None, None] * np.ones((3, *GRID.shape))
    warp = register(moved(model, shift), model, GRID, (0, 0, 0), mesh_mm=None)
    middle = warp.shift_mm[:, 8:16, 8:18, 8:20].reshape(3, -1).mean(axis=1)
    assert middle == pytest.approx([8.0, -12.0, 16.0], abs=1.0)


def test_a_smooth_bend_is_found(model: list[np.ndarray]) -> None:
    """Where edges show it, a bend of 12 mm is found to 4 mm; the penalty on bending keeps the rest."""
    z = np.arange(GRID.shape[0])[:, None, None]
    shift = np.zeros((3, *GRID.shape))
    shift[1] += 1.5 * np.sin(2 * np.pi * z / 24.0)
    image = moved(model, shift)
    warp = register(image, model, GRID, (0, 0, 0), iterations=60)
    slope = np.abs(np.gradient(model[0], axis=1)) > 0.1
    off = warp.shift_mm[1][slope] - STEP * shift[1][slope]
    assert np.sqrt((off**2).mean()) < 4.0
    before = sum(((a - b) ** 2).mean() for a, b in zip(image, model, strict=True))
    after = moved(model, warp.shift_mm / STEP)
    assert sum(((a - b) ** 2).mean() for a, b in zip(image, after, strict=True)) < 0.15 * before


def test_the_same_input_gives_the_same_bits(model: list[np.ndarray]) -> None:
    """Two runs give one displacement, bit for bit."""
    image = moved(model, np.full((3, *GRID.shape), 0.7))
    first, second = (register(image, model, GRID, (0, 0, 0), iterations=8).shift_mm for _ in range(2))
    assert np.array_equal(first, second)


def test_the_displacement_is_bounded(model: list[np.ndarray]) -> None:
    """Pictures too far apart are not torn: no point moves by more than the limits allow."""
    far = [np.roll(p, 12, axis=2) for p in model]
    warp = register(far, model, GRID, (0, 0, 0), limit_mm=10.0)
    # the shift and the spline's part, each along three axes, and 12 % of stretching over half the image
    assert warp.greatest_mm() < np.sqrt(3) * (10.0 + 10.0 + 3 * 0.12 * 112.0)


def test_what_the_image_does_not_tell_is_left_out(model: list[np.ndarray]) -> None:
    """Rubbish outside the mask changes nothing."""
    image = moved(model, np.full((3, *GRID.shape), 0.5))
    mask = np.ones(GRID.shape, dtype=bool)
    mask[:, :, -5:] = False
    spoilt = [p.copy() for p in image]
    for p in spoilt:
        p[:, :, -5:] = 1.0
    one, two = (register(p, model, GRID, (0, 0, 0), mask=mask, iterations=8) for p in (image, spoilt))
    assert np.array_equal(one.shift_mm, two.shift_mm)


def test_a_model_that_reaches_further_lines_up(model: list[np.ndarray]) -> None:
    """Pictures that begin some voxels earlier are the same model."""
    wide = [np.pad(p, 4, mode="edge") for p in model]
    warp = register(model, wide, GRID, (4, 4, 4))
    assert warp.greatest_mm() < 1.0


def test_displacements_between_and_beyond_nodes() -> None:
    """Between nodes a displacement is interpolated, beyond them it stays."""
    field = np.zeros((3, 2, 2, 2), dtype=np.float32)
    field[0, :, :, 1] = 10.0
    warp = Warp(Grid((2, 2, 2), (4.0, 4.0, 4.0), (0.0, 0.0, 0.0)), field)
    assert warp.at(np.array([[2.0, 0.0, 0.0], [99.0, 0.0, 0.0]]))[:, 0] == pytest.approx([5.0, 10.0])
