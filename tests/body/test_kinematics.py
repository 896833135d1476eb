"""From angles to matrices: what is measured on the posed joints is what was asked, at every age."""

import numpy as np
import pytest
from numpy.typing import NDArray

from wholedose.body import touching
from wholedose.body.figure import Figure, Shape, figure_of, template_figure
from wholedose.body.kinematics import posed_joints, posed_vertices, rest_palm, transforms, turn, vector
from wholedose.body.pose import POSES, Pose

Array = NDArray[np.float64]

SHAPES = {
    "man": Shape(gender=0.0),
    "woman": Shape(gender=1.0, weight=0.8),
    "child": Shape(age=0.3),
    "newborn": Shape(age=-1 / 3),
}
FORWARD, BACKWARD, UP, DOWN, LEFT = (
    np.array(v, dtype=float) for v in ((0, -1, 0), (0, 1, 0), (0, 0, 1), (0, 0, -1), (1, 0, 0))
)


@pytest.fixture(scope="module", params=SHAPES)
def figure(request: pytest.FixtureRequest) -> Figure:
    return figure_of(SHAPES[request.param])


def limb(figure: Figure, pose: Pose, start: str, end: str) -> Array:
    """Return the direction of a limb of the posed figure."""
    at = dict(zip(figure.joints, posed_joints(figure, transforms(figure, pose)), strict=True))
    way: Array = (at[end] - at[start]) / np.linalg.norm(at[end] - at[start])
    return way


def angle(a: Array, b: Array) -> float:
    return float(np.degrees(np.arccos(np.clip(a @ b / np.linalg.norm(a) / np.linalg.norm(b), -1, 1))))


def test_the_rest_pose_moves_nothing(figure: Figure) -> None:
    """All matrices of the rest pose are identity and the skin stays where it was drawn."""
    matrices = transforms(figure, Pose.rest())
    np.testing.assert_array_equal(matrices, np.broadcast_to(np.eye(4), matrices.shape))
    np.testing.assert_allclose(posed_vertices(figure, matrices), figure.vertices_mm, atol=1e-3)


def test_zero_is_the_neutral_zero_position(figure: Figure) -> None:
    """At zero arms and legs hang straight down, feet look forward, palms face the thighs."""
    zero = Pose("zero")
    matrices = transforms(figure, zero)
    for tag, side in (("L", 1.0), ("R", -1.0)):
        for start, end in (
            ("upperarm01", "lowerarm01"),
            ("lowerarm01", "wrist"),
            ("wrist", "finger3-1"),
            ("upperleg01", "lowerleg01"),
            ("lowerleg01", "foot"),
        ):
            assert angle(limb(figure, zero, f"{start}.{tag}", f"{end}.{tag}"), DOWN) < 0.1, (start, tag)
        foot = limb(figure, zero, f"foot.{tag}", f"toe3-1.{tag}") * (1, 1, 0)
        assert angle(foot, FORWARD) < 0.1
        palm = matrices[figure.joints.index(f"wrist.{tag}"), :3, :3] @ rest_palm(figure, tag)
        assert angle(palm, -side * LEFT) < 1e-3


@pytest.mark.parametrize("degrees", [15.0, 60.0, 90.0, 140.0])
def test_elbow_knee_and_hip_bend_by_what_is_asked(figure: Figure, degrees: float) -> None:
    """Measured between the bones, a flexion is the asked angle, and it goes the natural way."""
    for side, tag in (("left", "L"), ("right", "R")):
        bent = Pose("bent", {("elbow_both", "flexion"): degrees})
        fore = limb(figure, bent, f"lowerarm01.{tag}", f"wrist.{tag}")
        # the two bones of the rig's forearm do not lie in one line; the wrist shifts by 0.2 degrees
        assert angle(limb(figure, bent, f"upperarm01.{tag}", f"lowerarm01.{tag}"), fore) == pytest.approx(
            degrees, abs=0.3
        )
        assert fore @ FORWARD == pytest.approx(np.sin(np.radians(degrees)), abs=0.01)
        knee = Pose("bent", {(f"knee_{side}", "flexion"): degrees})
        shank = limb(figure, knee, f"lowerleg01.{tag}", f"foot.{tag}")
        assert angle(shank, DOWN) == pytest.approx(degrees, abs=0.1)
        assert shank @ BACKWARD > 0
        hip = Pose("bent", {(f"hip_{side}", "flexion"): degrees})
        thigh = limb(figure, hip, f"upperleg01.{tag}", f"lowerleg01.{tag}")
        assert angle(thigh, DOWN) == pytest.approx(degrees, abs=0.1)
        assert thigh @ FORWARD > 0


def test_arms_rise_forward_and_sideways(figure: Figure) -> None:
    """Shoulder flexion raises an arm forward, abduction to its own side, both overhead at the end."""
    for tag, side in (("L", 1.0), ("R", -1.0)):

        def arm(flexion: float, abduction: float, tag: str = tag) -> Array:
            angles = {("shoulder_both", "flexion"): flexion, ("shoulder_both", "abduction"): abduction}
            return limb(figure, Pose("arms", angles), f"upperarm01.{tag}", f"lowerarm01.{tag}")

        assert angle(arm(90, 0), FORWARD) < 0.1
        assert angle(arm(0, 90), side * LEFT) < 0.1
        assert angle(arm(180, 0), UP) < 0.1
        assert angle(arm(0, 180), UP) < 0.1
        assert angle(arm(30, 40), DOWN) == pytest.approx(50.0, abs=0.1)


def test_turning_inward(figure: Figure) -> None:
    """Inward rotation of the shoulder brings a bent forearm, of the hip a bent lower leg, the right way."""
    for side, tag, sign in (("left", "L", 1.0), ("right", "R", -1.0)):
        pose = Pose("in", {(f"elbow_{side}", "flexion"): 90, (f"shoulder_{side}", "rotation"): 70})
        fore = limb(figure, pose, f"lowerarm01.{tag}", f"wrist.{tag}")
        assert angle(fore, FORWARD) == pytest.approx(70.0, abs=0.3)
        assert fore @ (-sign * LEFT) > 0.9
        pose = Pose("in", {(f"knee_{side}", "flexion"): 90, (f"hip_{side}", "rotation"): 30})
        shank = limb(figure, pose, f"lowerleg01.{tag}", f"foot.{tag}")
        # the thigh turns inward, so the lower leg behind it goes outward
        assert shank @ (sign * LEFT) == pytest.approx(0.5, abs=0.01)


def test_palms(figure: Figure) -> None:
    """With bent elbows, pronation turns the palm down and supination up."""
    for tag in "LR":
        for pronation, way in ((80, DOWN), (-80, UP)):
            pose = Pose("palm", {("elbow_both", "flexion"): 90, ("forearm_both", "pronation"): pronation})
            matrices = transforms(figure, pose)
            palm = matrices[figure.joints.index(f"wrist.{tag}"), :3, :3] @ rest_palm(figure, tag)
            assert angle(palm, way) == pytest.approx(10.0, abs=0.5)


def test_wrists(figure: Figure) -> None:
    """Wrist flexion bends toward the palm, abduction toward the thumb, by what is asked."""
    for tag, sign in (("L", 1.0), ("R", -1.0)):
        hand = limb(figure, Pose("w", {("wrist_both", "flexion"): 50}), f"wrist.{tag}", f"finger3-1.{tag}")
        assert angle(hand, DOWN) == pytest.approx(50.0, abs=0.1)
        assert hand @ (-sign * LEFT) > 0
        hand = limb(figure, Pose("w", {("wrist_both", "abduction"): 20}), f"wrist.{tag}", f"finger3-1.{tag}")
        assert angle(hand, DOWN) == pytest.approx(20.0, abs=0.1)
        assert hand @ FORWARD > 0


def test_ankles(figure: Figure) -> None:
    """Positive flexion of the ankle lifts the toes."""
    up = limb(figure, Pose("a", {("ankle_both", "flexion"): 20}), "foot.L", "toe3-1.L")
    flat = limb(figure, Pose("zero"), "foot.L", "toe3-1.L")
    assert angle(up, flat) == pytest.approx(20.0, abs=0.1)
    assert up[2] > flat[2]


@pytest.mark.parametrize(
    ("movement", "axis", "top"),
    [("flexion", (1, 0, 0), FORWARD), ("lateral_flexion", (0, 1, 0), LEFT), ("rotation", (0, 0, 1), None)],
)
@pytest.mark.parametrize(("joint", "end"), [("spine", "spine01"), ("neck", "head")])
def test_spine_and_neck(
    figure: Figure, movement: str, axis: tuple[int, int, int], top: Array | None, joint: str, end: str
) -> None:
    """The pieces of spine and neck add up to the asked angle, about the right axis."""
    pose = Pose("bent", {(joint, movement): 30})
    rotation = transforms(figure, pose)[figure.joints.index(end), :3, :3]
    np.testing.assert_allclose(vector(rotation), 30.0 * np.array(axis), atol=1e-6)
    if top is not None:
        assert (rotation @ UP) @ top == pytest.approx(0.5)


def test_turning_the_head_to_the_left_looks_left(figure: Figure) -> None:
    """Positive rotation of neck and spine turns the face to the person's left."""
    rotation = transforms(figure, Pose("look", {("neck", "rotation"): 60}))[
        figure.joints.index("head"), :3, :3
    ]
    assert (rotation @ FORWARD) @ LEFT == pytest.approx(np.sin(np.radians(60)))


@pytest.mark.parametrize("name", POSES)
def test_bones_keep_their_length(figure: Figure, name: str) -> None:
    """In every named pose each joint keeps its distance from the joint that carries it."""
    posed = posed_joints(figure, transforms(figure, Pose.of(name)))
    for i, joint in enumerate(figure.joints):
        mother = int(figure.parent[i])
        # the rig's pelvis bones are skin of the buttocks, and turn about the hip
        if mother >= 0 and not figure.joints[mother].startswith("pelvis") and not joint.startswith("pelvis"):
            before = np.linalg.norm(figure.joint_mm[i] - figure.joint_mm[mother])
            assert np.linalg.norm(posed[i] - posed[mother]) == pytest.approx(before, abs=1e-6), joint


@pytest.mark.parametrize("name", POSES)
def test_mirrored_pose_is_the_mirror_image(figure: Figure, name: str) -> None:
    """The mirrored pose of a symmetric figure is the mirror image of the pose, vertex by vertex."""
    pose = Pose.of(name)
    one = posed_vertices(figure, transforms(figure, pose))
    other = posed_vertices(figure, transforms(figure, pose.mirrored()))
    np.testing.assert_allclose(other[figure.mirror] * (-1, 1, 1), one, atol=0.02)


@pytest.mark.parametrize("name", POSES)
def test_where_a_posed_body_stands(figure: Figure, name: str) -> None:
    """Upright bodies touch the floor at z = 0; the middle of the hips lies at x = y = 0 in every pose."""
    pose = Pose.of(name)
    matrices = transforms(figure, pose)
    joints = dict(zip(figure.joints, posed_joints(figure, matrices), strict=True))
    hips = (joints["upperleg01.L"] + joints["upperleg01.R"]) / 2.0
    np.testing.assert_allclose(hips[:2], 0.0, atol=1e-6)
    if pose.orientation == "upright":
        assert posed_vertices(figure, matrices)[:, 2].min() == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize("name", POSES)
def test_no_limb_lies_inside_the_trunk(figure: Figure, name: str) -> None:
    """In every named pose elbows, hands, knees and feet lie in no other part of the body."""
    matrices = transforms(figure, Pose.of(name))
    skin, joints = posed_vertices(figure, matrices), posed_joints(figure, matrices)
    ends = ("lowerarm", "wrist", "finger", "metacarpal", "lowerleg", "foot", "toe")
    of_limbs = np.array([joint.startswith(ends) for joint in figure.joints])
    assert touching.winding(joints[of_limbs], skin, figure.faces).max() == 1


def test_poses_do_what_their_name_says() -> None:
    """Hands over the head, hands on handles, a level thigh, a bent trunk: measured on the template."""
    figure = template_figure()

    def at(name: str) -> dict[str, Array]:
        return dict(zip(figure.joints, posed_joints(figure, transforms(figure, Pose.of(name))), strict=True))

    up = at("supine, arms up")
    assert min(up["wrist.L"][2], up["wrist.R"][2]) > up["head"][2] + 200
    pushing = at("pushing a wheelchair")
    assert 900 <= pushing["finger3-1.L"][2] <= 1000
    assert pushing["finger3-1.L"][1] < -250
    sitting = at("sitting")
    assert abs(sitting["upperleg01.L"][2] - sitting["lowerleg01.L"][2]) < 50
    assert abs(sitting["wrist.L"][0] - sitting["lowerleg01.L"][0]) < 80
    assert 0 < sitting["wrist.L"][2] - sitting["lowerleg01.L"][2] < 170
    leaning = at("leaning over a bed")
    trunk = leaning["neck01"] - leaning["spine05"]
    assert 40 <= angle(trunk, UP) <= 60
    holding = at("holding an infant")
    assert holding["wrist.L"][2] < holding["wrist.R"][2] < holding["neck01"][2]


def test_rotation_vectors_come_back() -> None:
    """A rotation and its vector are the same thing up to 180 degrees."""
    rng = np.random.default_rng(4)
    for _ in range(50):
        v = rng.normal(size=3)
        v *= rng.uniform(0.0, 179.0) / np.linalg.norm(v)
        np.testing.assert_allclose(vector(turn(v)), v, atol=1e-6)
        np.testing.assert_allclose(turn(v) @ turn(v).T, np.eye(3), atol=1e-12)
