"""Promises of what the field of view shows and cuts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.body.make_ct import as_ct
from tests.body.make_phantom import GRID, ellipse, trunk

from wholedose.body import Person, reference, region_range
from wholedose.body import segmentation as seg
from wholedose.body.view import arms_of, view_edge

PERSON = Person("M", 40, 176, 73)


def with_arms(*sides: int, gap_mm: float = 6.0) -> np.ndarray:
    """A narrower trunk with arms at the sides (−1 low x, 1 high x)."""
    hu = trunk(noise_hu=5.0)
    hu[:, ~ellipse(0, 0, 130, 115)] = -1000.0
    for side in sides:
        at = side * (130 + gap_mm + 25)
        hu[:, ellipse(at, 20, 26, 30)] = 40.0
        hu[:, ellipse(at, 20, 12, 12)] = 900.0
        hu[:, ellipse(at, 20, 7, 7)] = 20.0
    return hu


@pytest.mark.parametrize("gap_mm", [6.0, -4.0])
def test_arms_beside_the_trunk_are_down(gap_mm: float) -> None:
    """Arms beside the trunk are seen, apart from it or touching it, each on its side."""
    both = with_arms(-1, 1, gap_mm=gap_mm)
    seen = arms_of(seg.segment(both, GRID), GRID)
    assert (seen.left, seen.right, seen.state) == ("down", "down", "down")
    one = arms_of(seg.segment(with_arms(1, gap_mm=gap_mm), GRID), GRID)
    assert (one.left, one.right) == ("down", "up")
    mirrored = arms_of(seg.segment(with_arms(1, gap_mm=gap_mm)[:, :, ::-1].copy(), GRID), GRID)
    assert (mirrored.left, mirrored.right) == ("up", "down")


def test_a_whole_trunk_without_arms_means_up() -> None:
    """A trunk that the view shows whole, without arms beside it, has them raised."""
    assert arms_of(seg.segment(with_arms(), GRID), GRID).state == "up"


def test_a_view_that_cuts_the_side_cuts_the_arm() -> None:
    """Where the image ends in the body, the arm there is cut."""
    hu = with_arms(-1, 1, gap_mm=-4.0)[:, :, 17:]
    found = seg.segment(np.ascontiguousarray(hu), GRID)
    assert found.truncated > 0.9
    assert found.cut_left.all()
    assert not found.cut_right.any()
    seen = arms_of(found, GRID)
    assert (seen.left, seen.right) == ("down", "cut")


def test_a_round_view_cuts_too() -> None:
    """Padding outside a round field of view is its edge: a trunk that reaches it is cut on both sides."""
    hu = trunk()
    _, y, x = GRID.axes_mm()
    outside = np.hypot(y[:, None] + 1.5, x[None, :] + 1.5) > 155.0
    hu[:, outside] = -1024.0
    assert seg.segment(hu, GRID).truncated == 0.0  # not round about the middle of this image
    square = np.ascontiguousarray(hu[:, :, 15:115])
    # padding of a 100 × 100 image beyond a circle of 48 voxels
    v, u = np.mgrid[:100, :100] - 49.5
    square[:, np.hypot(u, v) > 48.0] = -1024.0
    found = seg.segment(square, GRID)
    assert found.truncated > 0.9
    assert found.cut_left.all()
    assert found.cut_right.all()
    assert view_edge(square)[50, 1]


def test_noise_free_air_is_no_edge() -> None:
    """Air of one value around a body is no padding."""
    edge = view_edge(np.full((3, 20, 20), -1000.0, dtype=np.float32))
    assert edge.sum() == 4 * 19


@pytest.mark.parametrize("pose", ["up", "down"])
def test_the_arms_of_the_reference_man(pose: str) -> None:
    """A scan of the abdomen of the reference man tells his arms."""
    body = reference(PERSON, f"supine, arms {pose}", 5.0)
    image = as_ct(body, region_range(body, "abdomen"))
    assert arms_of(seg.segment(image.values.astype(np.float32), image.grid), image.grid).state == pose


def test_a_head_says_nothing() -> None:
    """A head CT tells nothing about the arms."""
    body = reference(PERSON, "supine, arms down", 5.0)
    image = as_ct(body, (body.landmarks["chin"] + 30, body.landmarks["vertex"]))
    assert arms_of(seg.segment(image.values.astype(np.float32), image.grid), image.grid).state == "unknown"


@pytest.mark.shared
def test_the_arms_on_real_images(shared: Path) -> None:
    """On the DICOM slices both arms lie beside the trunk; the cropped abdomen cuts the left side."""
    from wholedose.body.resample import box_mean, isotropic
    from wholedose.records import read_ct_series
    from wholedose.records.nifti import read_nifti

    image = read_ct_series(shared / "ct/example_ct_dicom").image
    grid = isotropic(image.grid, 3.0)
    seen = arms_of(seg.segment(box_mean(image, grid, -1024.0), grid), grid)
    assert (seen.left, seen.right) == ("down", "down")
    cropped = read_nifti(shared / "ct/example_ct.nii.gz")
    hu = np.maximum(cropped.values, -1024).astype(np.float32)
    assert arms_of(seg.segment(hu, cropped.grid), cropped.grid).left == "cut"
