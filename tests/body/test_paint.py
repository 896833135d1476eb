"""Regions claim voxels."""

import numpy as np
import pytest

from wholedose.base.errors import InvalidInput
from wholedose.body.fields import Shapes, shapes_of
from wholedose.body.paint import Canvas


@pytest.fixture
def canvas() -> Canvas:
    axis = np.arange(-29.0, 30.0, 2.0)
    z, y, x = np.meshgrid(axis, axis, axis, indexing="ij")
    points = np.stack([x, y, z], axis=-1).reshape(-1, 3).astype(np.float32)
    depth = (30.0 - np.abs(points).max(axis=1)).astype(np.float32)
    return Canvas(points, depth, 0.008)


def ball(radius: float, x: float = 0.0) -> Shapes:
    text = f"{x} 0 0; {radius} {radius} {radius}"
    return shapes_of([{"kind": "ellipsoid", "side": "mid", "points": text, "cuts": ""}])


@pytest.mark.parametrize("volume", [0.5, 4.0, 14.0, 40.0])
def test_volume_is_met_whatever_was_drawn(canvas: Canvas, volume: float) -> None:
    """A region drawn as a ball of 14.1 cm³ has the asked volume within half a voxel, and is a ball of it."""
    claim = canvas.claim(ball(15.0), [("liver", volume)])
    assert claim.got_cm3 == pytest.approx(volume, abs=0.0041)
    radius = (volume * 1000 * 3 / (4 * np.pi)) ** (1 / 3)
    far = np.linalg.norm(canvas.template_mm[canvas.label == 1], axis=1).max()
    assert far == pytest.approx(radius, abs=2.0)


def test_wall_surrounds_contents(canvas: Canvas) -> None:
    """Nested regions share a shape: the contents lie inside, the wall outside, each of its volume."""
    canvas.claim(ball(15.0), [("contents", 6.0), ("wall", 5.0)])
    distance = np.linalg.norm(canvas.template_mm, axis=1)
    contents, wall = (canvas.label == canvas.number(name) for name in ("contents", "wall"))
    assert contents.sum() * 0.008 == pytest.approx(6.0, abs=0.01)
    assert wall.sum() * 0.008 == pytest.approx(5.0, abs=0.01)
    assert distance[contents].max() <= distance[wall].min()


def test_nobody_loses_what_he_has(canvas: Canvas) -> None:
    """A later region takes only free voxels, and finds its volume beside the earlier one."""
    canvas.claim(ball(12.0), [("heart", 7.0)])
    before = canvas.label == 1
    canvas.claim(ball(12.0, 6.0), [("lung", 7.0)])
    assert (canvas.label[before] == 1).all()
    assert (canvas.label == 2).sum() * 0.008 == pytest.approx(7.0, abs=0.01)


def test_missing_room_is_said_and_shared(canvas: Canvas) -> None:
    """Where the volume does not fit, contents and wall shrink alike and the claim says what they got."""
    canvas.claim(ball(5.0), [("contents", 600.0), ("wall", 200.0)], reach_mm=3.0)
    contents, wall = canvas.claims
    assert contents.got_cm3 < 600.0
    assert contents.got_cm3 / wall.got_cm3 == pytest.approx(3.0, rel=0.05)


def test_lowest_score_takes_the_shell(canvas: Canvas) -> None:
    """Skin claimed by depth is the outermost layer."""
    canvas.claim_lowest(canvas.depth_mm, [("skin", 30.0)])
    assert canvas.depth_mm[canvas.label == 1].max() <= canvas.depth_mm[canvas.label == 0].min()


def test_canvas_needs_as_many_depths_as_points() -> None:
    """Arrays of different voxels are refused."""
    with pytest.raises(InvalidInput, match="different voxels"):
        Canvas(np.zeros((3, 3), np.float32), np.zeros(2, np.float32), 1.0)
