"""Tests of the consistency checks."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from wholedose.base import Grid, Volume
from wholedose.body import Body
from wholedose.xray import CtScan, estimate, resolve
from wholedose.xray.checks import size_along, size_estimates


def image_of(body: Body, half_mm: float) -> Volume:
    """A coarse CT of the little body, cut at a half width."""
    grid = body.grid
    nz = grid.shape[0]
    n = int(half_mm / 5.0)
    small = Grid(
        (nz, n, n), (grid.spacing_mm[0], 10.0, 10.0), (-half_mm + 5.0, -half_mm + 5.0, grid.origin_mm[2])
    )
    _, y, x = small.axes_mm()
    inside = (x[None, :] / 160.0) ** 2 + (y[:, None] / 105.0) ** 2 <= 1.0
    values = np.broadcast_to(np.where(inside, 40, -1000), small.shape).astype(np.int16)
    return Volume(small, values, "HU", {})


def test_size_of_a_body_follows_its_density(body: Body) -> None:
    """Without an image the size comes from the body: an ellipse of soft tissue has about √(a·b), lungs
    less."""
    size = size_along(body)
    z = size.z_mm
    soft = size.diameter_cm[np.argmin(np.abs(z + 130.0))]
    assert soft == pytest.approx(2.0 * np.sqrt(16.0 * 10.5) * np.sqrt(1.03), rel=0.03)
    assert size.diameter_cm[np.argmin(np.abs(z - 110.0))] < soft


def test_truncated_image_is_a_warning(body: Body, little_scan: Callable[..., CtScan]) -> None:
    """A body cut at the edge of the image is a warning with its size; a whole one is none."""
    for half_mm, expected in ((200.0, []), (120.0, ["warning"])):
        scan = little_scan(image=image_of(body, half_mm))
        found = estimate(scan, body, batches=2)
        assert [item.severity for item in found.checks if "cut off" in item.what] == expected


def test_size_outside_the_tables_gives_no_estimate(body: Body, little_scan: Callable[..., CtScan]) -> None:
    """A range where no body lies, or a size outside AAPM 204, gives no size-specific estimate."""
    scan = little_scan(start_z_mm=900.0, end_z_mm=950.0)
    item = resolve(scan.single_range(), scan)
    assert size_estimates(scan, body, [item]) == (None,)


def test_section_dose_lies_between_its_organs(body: Body, little_scan: Callable[..., CtScan]) -> None:
    """The mean over the section lies between the lowest and the highest dose of organs inside the range."""
    found = estimate(little_scan(), body, batches=3)
    ratio = next(item.size for item in found.checks if "size-specific" in item.what)
    size = found.ssde[0]
    assert size is not None
    assert ratio is not None
    inside = [item.dose.value for item in found.organs.values() if item.in_scan == 1.0]
    assert min(inside) * 0.8 < ratio * size.dose.value < max(inside) * 1.2
