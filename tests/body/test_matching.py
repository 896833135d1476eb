"""Promises of the match of a scanned part with a model body."""

from __future__ import annotations

import numpy as np
import pytest
from tests.body.make_ct import as_ct

from wholedose.base import Grid, Volume
from wholedose.body import Body, Person, reference, region_range
from wholedose.body import segmentation as seg
from wholedose.body.locate import Fit
from wholedose.body.matching import coarse_grid, match, shrunk
from wholedose.body.placement import Placement
from wholedose.body.scanned import Scanned
from wholedose.body.view import without_arms
from wholedose.matter import HuCalibration

ENDS = np.array([0.0, 2000.0])
ONE = np.ones(2)
SHIFT_MM = np.array([12.0, -6.0, 18.0])


def fit(z_shift: float = 0.0) -> Fit:
    """An image that lies on the body as it lies in space, but for a height."""
    return Fit(
        np.array([1000.0]), np.array([1000.0 + z_shift]), ENDS,
        0 * ONE, ONE, 0 * ONE, 0 * ONE, ONE, 0 * ONE, 0.0, (),
    )  # fmt: skip


@pytest.fixture(scope="module")
def model() -> Body:
    return reference(Person("M", 40, 176, 73), "supine, arms down", 6.0)


def image_of(body: Body, region: str, shift_mm: np.ndarray) -> Volume:
    """A CT of part of a body, moved."""
    image = as_ct(body, region_range(body, region), couch=False)
    origin = np.array(image.grid.origin_mm) + shift_mm
    return Volume(Grid(image.grid.shape, image.grid.spacing_mm, tuple(origin)), image.values, "HU", {})


def drawn(image: Volume, erase: np.ndarray | None = None) -> Scanned:
    hu = image.values.astype(np.float32)
    if erase is not None:
        hu[erase] = -1000.0
    return Scanned(image.grid, hu, seg.segment(hu, image.grid), HuCalibration.schneider2000())


def displacement(placement: Placement, scanned: Scanned) -> np.ndarray:
    """Where voxels of the trunk are moved to, [n, 3] mm."""
    index = np.argwhere(without_arms(scanned.found.body))[::7]
    points = np.array(scanned.grid.origin_mm) + index[:, ::-1] * np.array(scanned.grid.spacing_mm[::-1])
    return placement.warp.at(points)


@pytest.mark.parametrize("region", ["chest", "abdomen"])
@pytest.mark.parametrize(("shift", "within_mm"), [((12.0, -6.0, 18.0), 3.0), ((9.0, -9.0, 15.0), 6.0)])
def test_a_known_shift_is_found(
    model: Body, region: str, shift: tuple[float, float, float], within_mm: float
) -> None:
    """A moved image is brought back to 3 mm along each axis, and half a voxel more between voxels."""
    scanned = drawn(image_of(model, region, np.array(shift)))
    off = displacement(match(scanned, model, [fit()]), scanned) + shift
    assert np.abs(np.median(off, axis=0)).max() < within_mm
    assert np.linalg.norm(off, axis=1).mean() < 2.0 * within_mm


def test_the_better_of_two_places_is_taken(model: Body) -> None:
    """A place 200 mm too low is further off than registration mends: one 10 mm too high wins."""
    scanned = drawn(image_of(model, "chest", np.zeros(3)))
    low, near = fit(-200.0), fit(10.0)
    assert match(scanned, model, [low, near]).fit is near
    assert match(scanned, model, [near, low]).fit is near


def test_arms_do_not_move_the_trunk(model: Body) -> None:
    """Without the voxels of the arms, which lie beside the trunk, the trunk has the same place to 1 mm."""
    image = image_of(model, "abdomen", SHIFT_MM)
    whole = drawn(image)
    arms = whole.found.body & ~without_arms(whole.found.body)
    assert arms.sum() > 0.02 * whole.found.body.sum()
    bare = drawn(image, erase=arms)
    assert (bare.found.body & arms).sum() == 0
    one, other = (displacement(match(item, model, [fit()]), bare) for item in (whole, bare))
    assert np.linalg.norm(one - other, axis=1).max() < 1.0


def test_arms_elsewhere_do_not_move_the_trunk(model: Body) -> None:
    """A person with raised arms lies on a model with hanging ones as on one with raised arms."""
    raised = reference(Person("M", 40, 176, 73), "supine, arms up", 6.0)
    scanned = drawn(image_of(raised, "abdomen", SHIFT_MM))
    one, other = (displacement(match(scanned, body, [fit()]), scanned) for body in (model, raised))
    off = np.linalg.norm(one - other, axis=1)
    assert off.mean() < 4.0


def test_coarse_voxels_are_whole_blocks() -> None:
    """Blocks of two voxels begin at the first voxel's edge; each holds its share of the mask."""
    grid = Grid((5, 4, 6), (3.0, 3.0, 3.0), (0.0, 10.0, 20.0))
    coarse, factor = coarse_grid(grid, 6.0)
    assert factor == 2
    assert coarse == Grid((2, 2, 3), (6.0, 6.0, 6.0), (1.5, 11.5, 21.5))
    mask = np.zeros(grid.shape, dtype=bool)
    mask[:2, :2, :1] = True
    assert shrunk(mask, factor)[0, 0, 0] == pytest.approx(0.5)
    assert shrunk(mask, factor).shape == coarse.shape
