"""Poses: names, ranges of motion, refusals, mirror images."""

import pickle

import pytest

from wholedose.base.errors import InvalidInput, UnknownName
from wholedose.body.pose import JOINTS, POSES, Pose
from wholedose.tables import load

PROMISED = (
    "supine, arms up",
    "supine, arms down",
    "prone",
    "left lateral",
    "standing",
    "sitting",
    "leaning over a bed",
    "holding an infant",
    "bottle feeding",
    "pushing a wheelchair",
)


def test_the_promised_poses_exist() -> None:
    """Each promised pose is found by its name and lies within the ranges of its joints."""
    assert set(PROMISED) <= set(POSES)
    for name in PROMISED:
        assert Pose.of(name).name == name


@pytest.mark.parametrize(
    ("other", "name"),
    [
        ("arms up", "supine, arms up"),
        ("Supine arms down", "supine, arms down"),
        ("SITTING", "sitting"),
        ("left decubitus", "left lateral"),
        ("holding a baby", "holding an infant"),
        ("bottle-feeding", "bottle feeding"),
    ],
)
def test_other_names_of_a_pose(other: str, name: str) -> None:
    """Capitals, commas and common other names do not matter."""
    assert Pose.of(other).name == name


def test_an_unknown_pose_offers_the_closest() -> None:
    """A misspelt pose is refused and the right name offered."""
    with pytest.raises(UnknownName, match="did you mean 'standing'"):
        Pose.of("standng")


def test_an_unknown_joint_offers_the_closest() -> None:
    """A misspelt joint or movement is refused and the right name offered."""
    with pytest.raises(UnknownName, match="did you mean 'elbow_left'"):
        Pose("mine", {("elbo_left", "flexion"): 10})
    with pytest.raises(UnknownName, match=r"movement of knee_left 'flexon'; did you mean 'flexion'"):
        Pose("mine", {("knee_left", "flexon"): 10})
    with pytest.raises(UnknownName, match="orientation"):
        Pose("mine", {}, "upside down")  # type: ignore[arg-type]


def test_every_end_of_every_range() -> None:
    """Each joint may go to the ends of its range, and one degree more is refused with the range named."""
    for joint, moves in JOINTS.items():
        for name, move in moves.items():
            for end, beyond in ((move.low, -1.0), (move.high, 1.0)):
                assert Pose("end", {(joint, name): end})[joint, name] == end
                with pytest.raises(InvalidInput) as refused:
                    Pose("beyond", {(joint, name): end + beyond})
                said = str(refused.value)
                assert f"{joint} {name}" in said
                assert f"{end + beyond:g}°" in said
                assert f"{move.low:g}° to {move.high:g}°" in said


def test_no_angle_that_is_not_a_number() -> None:
    """NaN and infinity are beyond every range."""
    for value in (float("nan"), float("inf")):
        with pytest.raises(InvalidInput, match="beyond the normal range"):
            Pose("mine", {("knee_left", "flexion"): value})


def test_an_arm_cannot_pass_the_vertical() -> None:
    """Flexion and abduction together raise an arm by at most 180 degrees."""
    with pytest.raises(InvalidInput, match="together raise the arm by 198°"):
        Pose("mine", {("shoulder_left", "flexion"): 140, ("shoulder_left", "abduction"): 140})


def test_ranges_carry_their_source() -> None:
    """Each range names its source, and published ones keep their published value."""
    assert all(str(row["source"]) for row in load("body/joint_ranges").rows())
    # AAOS; 38 CFR 4.71a note 2; CDC, girls of 2 to 8 years (140.8)
    assert (JOINTS["elbow_left"]["flexion"].low, JOINTS["elbow_left"]["flexion"].high) == (0, 150)
    assert JOINTS["spine"]["flexion"].high == 90
    assert JOINTS["hip_right"]["flexion"].high == 141


def test_both_sides_at_once() -> None:
    """A joint "elbow_both" moves the left and the right one, in a new pose and in a changed one."""
    pose = Pose("mine", {("elbow_both", "flexion"): 30}).with_({("knee_both", "flexion"): 20}, name="other")
    assert [pose[f"{j}_{s}", "flexion"] for j in ("elbow", "knee") for s in ("left", "right")] == [
        30,
        30,
        20,
        20,
    ]
    assert pose.name == "other"


def test_a_pose_is_a_value() -> None:
    """Equal poses are equal and hash alike, survive pickling, and cannot be changed in place."""
    pose = Pose.of("sitting")
    again = pickle.loads(pickle.dumps(pose))
    assert again == pose
    assert hash(again) == hash(pose)
    assert Pose("a", {("knee_left", "flexion"): 0.0}) == Pose("a")
    with pytest.raises(TypeError):
        pose.angles["knee_left", "flexion"] = 0.0  # type: ignore[index]


@pytest.mark.parametrize("name", POSES)
def test_mirrored_twice_is_the_same(name: str) -> None:
    """The mirror image of the mirror image is the pose itself; asymmetric poses change once."""
    pose = Pose.of(name)
    assert pose.mirrored().mirrored() == pose
    assert pose.mirrored().down == tuple(x * s for x, s in zip(pose.down, (-1, 1, 1), strict=True))


def test_the_rest_pose_has_no_angles() -> None:
    """The rest pose cannot be bent: the way out is to start from another."""
    with pytest.raises(InvalidInput, match="Start from another pose"):
        Pose.rest().with_({("knee_left", "flexion"): 10})
