"""Big bodies spread their limbs, others keep the named pose."""

import pytest

from wholedose.body.clearing import cleared, limb_cut
from wholedose.body.figure import Figure, Shape, figure_of, template_figure
from wholedose.body.pose import SIDES, Pose

LIMBS = [f"{stem}_{side}" for stem in ("shoulder", "hip") for side in SIDES]


@pytest.fixture(scope="module")
def heavy() -> Figure:
    return figure_of(Shape(gender=0.0, age=0.9, muscle=0.3, weight=1.0))


@pytest.mark.parametrize("name", ["standing", "sitting", "supine, arms down", "supine, arms up"])
def test_a_lean_body_keeps_the_pose(name: str) -> None:
    """The template needs no more room than the named pose gives."""
    assert cleared(template_figure(), Pose.of(name)) == Pose.of(name)


@pytest.mark.parametrize("name", ["standing", "sitting", "supine, arms down"])
def test_a_heavy_body_spreads_its_arms(heavy: Figure, name: str) -> None:
    """A heavy man's arms cut into the trunk in the named pose; cleared, none of their skin lies inside."""
    pose = Pose.of(name)
    assert limb_cut(heavy, pose, "shoulder_left") > 0
    free = cleared(heavy, pose)
    assert [limb_cut(heavy, free, limb) for limb in LIMBS] == [0.0] * 4
    left, right = (free[f"shoulder_{side}", "abduction"] for side in SIDES)
    assert left == right > pose["shoulder_left", "abduction"]
    # nothing but the spread changes
    assert free.with_({("shoulder_both", "abduction"): pose["shoulder_left", "abduction"]}) == pose


def test_a_hand_in_the_belly_is_found(heavy: Figure) -> None:
    """An arm laid through the trunk counts as cut with most of its skin."""
    through = Pose("through", {("shoulder_left", "abduction"): -30})
    assert limb_cut(heavy, through, "shoulder_left") > 0.3


def test_the_rest_pose_stays(heavy: Figure) -> None:
    """The rest pose has room by itself."""
    assert cleared(heavy, Pose.rest()) == Pose.rest()
