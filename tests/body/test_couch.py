"""Promises of the couch: it attenuates, and is nobody."""

from __future__ import annotations

import numpy as np
import pytest
from tests.body.make_phantom import GRID, ellipse, trunk

from wholedose.base import Volume
from wholedose.body import Person, from_ct
from wholedose.body import segmentation as seg
from wholedose.body.couch import find_couch


def plate(top_mm: float, thick_mm: float, bend_mm: float = 0.0) -> np.ndarray:
    """A plate [y, x] across the image whose top is lower by ``bend_mm`` in the middle than at the sides."""
    _, y, x = GRID.axes_mm()
    top = top_mm + bend_mm * (1 - (x / 180.0) ** 2)
    inside = (y[:, None] >= top[None, :]) & (y[:, None] < (top + thick_mm)[None, :])
    return inside & (np.abs(x) < 185)[None, :]


def person_on(couch: np.ndarray, level: float) -> tuple[np.ndarray, np.ndarray]:
    """The trunk on a couch that it presses on: a flat back, and how the trunk is without the couch."""
    hu = trunk(noise_hu=8.0)
    hu[:, 80:] = np.where(hu[:, 80:] > -300, -1000.0, hu[:, 80:])  # a back pressed flat
    person = hu > -300
    where = np.broadcast_to(couch, hu.shape) & ~person
    hu[where] = level + np.random.default_rng(2).normal(0, 8, int(where.sum()))
    return hu, where


@pytest.mark.parametrize("level", [-150.0, 60.0])
def test_a_thick_plate_under_the_back_is_couch(level: float) -> None:
    """A plate of 24 mm, as dense as fat or plastic, that touches the back is couch and no person."""
    hu, couch = person_on(plate(90.0, 24.0), level)
    person = (hu > -300) & ~couch
    found = seg.segment(hu, GRID)
    assert found.mask("couch")[couch].mean() > 0.95
    assert found.body[couch].mean() < 0.03
    assert found.body[person].mean() > 0.98


def test_without_a_couch_nothing_is_cut() -> None:
    """A person without a couch, and one whose couch shows nowhere beside the back, lose nothing."""
    hu = trunk()
    assert not find_couch(hu, GRID, -700.0).any()
    hu[:, :, 0:8] = hu[:, :, -8:] = -1000.0
    assert seg.segment(hu, GRID).body.sum() == pytest.approx((hu > -300).sum(), rel=0.01)


def test_thin_shells_are_couch() -> None:
    """Thin shells with foam between, close to the back but apart, are couch by their thickness."""
    hu = trunk()
    shells = plate(124.0, 5.0, 10.0) | plate(141.0, 4.0, 5.0)
    hu[:, shells] = -100.0
    found = seg.segment(hu, GRID)
    assert found.mask("couch")[:, shells].mean() > 0.95
    assert not found.body[:, shells].any()


def test_the_couch_is_in_the_geometry_but_in_no_mass() -> None:
    """The couch keeps its density; the person weighs the same with and without it."""
    hu, couch = person_on(plate(90.0, 24.0), 60.0)
    bare = np.where(couch, np.float32(-1000.0), hu)
    bodies = [
        from_ct(Volume(GRID, v, "HU", {"modality": "CT"}), Person("M", 40, 176, 73), completion=False)
        for v in (hu, bare)
    ]
    assert bodies[0].total_mass_kg == pytest.approx(bodies[1].total_mass_kg, rel=0.01)
    dense = (bodies[0].labels == 0) & (bodies[0].density_g_cm3 > 0.9)
    assert dense.sum() == pytest.approx(couch.sum(), rel=0.05)
    assert not ((bodies[1].labels == 0) & (bodies[1].density_g_cm3 > 0.9)).sum() > 0.02 * couch.sum()


def test_few_slices_and_random_images_are_survived() -> None:
    """Slabs too thin to tell, and noise, give an answer of the right shape."""
    hu, _ = person_on(plate(90.0, 24.0), 60.0)
    assert not find_couch(hu[:3], GRID, -700.0).any()
    rng = np.random.default_rng(1)
    for _ in range(10):
        noise = rng.uniform(-1024, 3000, (6, 30, 40)).astype(np.float32)
        assert find_couch(noise, GRID, -700.0).shape == noise.shape


def test_where_nothing_lies_the_arms_of_an_ellipse_stay() -> None:
    """A cut through two legs is no couch."""
    hu = np.full(GRID.shape, -1000.0, dtype=np.float32)
    for x in (-90, 90):
        hu[:, ellipse(x, 0, 70, 70)] = 40.0
    assert not find_couch(hu, GRID, -700.0).any()
