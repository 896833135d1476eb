"""Bodies in three dimensions."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.report.ball_body import ball_body

from wholedose.base import InvalidInput
from wholedose.report.organ_colours import look_of
from wholedose.report.rendering import Rendering, Scene, render


def near(made: Rendering, organ: str) -> NDArray[np.bool_]:
    """Pixels as strong in colour as an organ, with its leading channel; skin and bone are pale."""
    pixels = made.pixels.astype(float)
    low, high = pixels.min(axis=2), pixels.max(axis=2)
    leads = pixels.argmax(axis=2) == int(np.argmax(look_of(organ).colour))
    return np.asarray(((high - low) > 0.4 * high) & leads)


def centre_mm(made: Rendering, scene: Scene, azimuth: float, organ: str) -> tuple[float, float]:
    rows, columns = np.nonzero(near(made, organ))
    across = scene.reach_mm(azimuth)[0] + (columns.mean() - 0.5) * made.mm_per_pixel
    return float(across), float(scene.high_mm - (rows.mean() - 0.5) * made.mm_per_pixel)


@pytest.mark.parametrize(("azimuth", "across"), [(0.0, -60.0), (180.0, 60.0), (90.0, -10.0)])
def test_liver_is_where_it_is(azimuth: float, across: float) -> None:
    """The liver, right and forward, appears on the viewer's left from the front and the right from behind."""
    body = ball_body(6.0)
    scene = Scene([body], ["liver"])
    made = render(scene, azimuth)
    found = centre_mm(made, scene, azimuth, "liver")
    assert found == pytest.approx((across, -20.0), abs=6.0)


def test_size_is_kept() -> None:
    """An organ covers the area of its projection, from the front as from the side."""
    scene = Scene([ball_body(3.0, only=("muscle", "liver"))], ["liver"])
    for azimuth, across in ((0.0, 60), (90.0, 55)):
        made = render(scene, azimuth)
        area = near(made, "liver").sum() * made.mm_per_pixel**2
        assert area == pytest.approx(np.pi * across * 50, rel=0.05)


def test_nearer_organs_hide_farther_ones() -> None:
    """From the front the liver hides part of a kidney; from behind nothing does."""
    body = ball_body(6.0, only=("muscle", "liver", "kidneys"))
    front = near(render(Scene([body])), "kidneys").sum()
    back = near(render(Scene([body]), 180.0), "kidneys").sum()
    alone = near(render(Scene([body], ["kidneys"]), 180.0), "kidneys").sum()
    assert front < 0.75 * back
    assert back == pytest.approx(alone, rel=0.03)


def test_thin_organs_do_not_vanish() -> None:
    """An organ of one voxel across is still drawn."""
    body = ball_body(6.0, only=("muscle", "thyroid"))
    labels = np.where(body.labels == 2, 1, body.labels).astype(np.int16)
    middle = tuple(n // 2 for n in labels.shape)
    labels[middle[0] : middle[0] + 12, middle[1], middle[2]] = 2
    made = render(Scene([body.with_(labels=labels)], ["thyroid"]))
    assert near(made, "thyroid").sum() * made.mm_per_pixel**2 > 0.5 * 12 * 36


def test_two_bodies_share_one_space() -> None:
    """Bodies side by side appear side by side, at their distance."""
    apart = 420.0
    scene = Scene([ball_body(6.0), ball_body(6.0, apart)], ["liver"])
    made = render(scene)
    columns = np.nonzero(near(made, "liver"))[1] * made.mm_per_pixel
    middle = (columns.min() + columns.max()) / 2
    gap = columns[columns > middle].mean() - columns[columns < middle].mean()
    assert gap == pytest.approx(apart, abs=3.0)


def test_empty_scenes_are_refused() -> None:
    """No body, or a body without voxels, is refused in a sentence."""
    with pytest.raises(InvalidInput, match="There is no body to draw"):
        Scene([])
    body = ball_body(6.0)
    with pytest.raises(InvalidInput, match="The body has no voxels"):
        Scene([body.with_(labels=np.zeros_like(body.labels))])
