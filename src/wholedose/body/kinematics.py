"""From angles to matrices. Defines `transforms`, `posed_vertices`, `posed_joints`.

Every figure is drawn in the same rest pose: arms and legs spread, elbows bent forward. What the
angles of that pose are differs from figure to figure, so they are measured on the figure's own
joints first; then zero is the neutral zero position for an infant as for an adult.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from wholedose.body.figure import Figure
from wholedose.body.pose import Pose

Array = NDArray[np.float64]

# share of each vertebral piece of the rig, from the pelvis up. ASSUMPTION: bending forward and
# sideways is mostly lumbar, turning mostly thoracic; the neck bends along its length
SPINE = ("spine05", "spine04", "spine03", "spine02", "spine01")
NECK = ("neck01", "neck02", "neck03", "head")
SHARE_BENDING: Mapping[str, float] = dict(zip(SPINE, (0.25, 0.25, 0.25, 0.15, 0.10), strict=True))
SHARE_TURNING: Mapping[str, float] = dict(zip(SPINE, (0.05, 0.10, 0.20, 0.35, 0.30), strict=True))
SHARE_NECK: Mapping[str, float] = dict(zip(NECK, (0.25, 0.25, 0.25, 0.25), strict=True))

# scapulohumeral rhythm: of three degrees of elevation beyond the first 30, the shoulder blade
# turns by one (Inman et al. 1944); ASSUMPTION: half of that in the collar bone's inner joint
SETTING_DEG = 30.0
BLADE_SHARE = 1.0 / 3.0
COLLAR_SHARE = 0.5

# ASSUMPTION, for smooth skin: how much of a turn about the bone's length, or of the bend beside
# it, the first of two pieces takes
UPPER_ARM_TURN = 0.5
THIGH_TURN = 0.5
FOREARM_TURN = (0.3, 0.75)
BUTTOCK_BEND = 0.35

X, Y, Z = np.eye(3)


def turn(vector_deg: Array) -> Array:
    """Return the rotation matrix of a rotation vector in degrees, f8[3, 3]."""
    angle = float(np.linalg.norm(vector_deg))
    if angle == 0.0:
        return np.eye(3)
    x, y, z = vector_deg / angle
    k = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    a = np.radians(angle)
    matrix: Array = np.eye(3) + np.sin(a) * k + (1.0 - np.cos(a)) * (k @ k)
    return matrix


def vector(rotation: Array) -> Array:
    """Return the rotation vector in degrees of a rotation by less than 180 degrees, f8[3]."""
    axis = np.array(
        [rotation[2, 1] - rotation[1, 2], rotation[0, 2] - rotation[2, 0], rotation[1, 0] - rotation[0, 1]]
    )
    sine = float(np.linalg.norm(axis)) / 2.0
    angle = np.degrees(np.arctan2(sine, (np.trace(rotation) - 1.0) / 2.0))
    found: Array = axis * (angle / (2.0 * sine)) if sine > 1e-12 else np.zeros(3)
    return found


def unit(v: Array) -> Array:
    """Return a vector of length 1."""
    result: Array = v / np.linalg.norm(v)
    return result


def frame(along: Array, across: Array) -> Array:
    """Return the rotation that brings `along` to -z and `across`, made square to it, to x."""
    down = unit(along)
    left = unit(across - (across @ down) * down)
    return np.stack([left, np.cross(-down, left), -down])


def swing_twist(rotation: Array) -> float:
    """Return the turn about z, in degrees, that a rotation holds."""
    return float(np.degrees(np.arctan2(rotation[1, 0] - rotation[0, 1], rotation[0, 0] + rotation[1, 1])))


class _Limbs:
    """The rest position of one figure: the rotation from rest to zero of each limb's pieces."""

    def __init__(self, rig: Figure, tag: str) -> None:
        at = {name: rig.joint_mm[i] for i, name in enumerate(rig.joints)}

        def joint(name: str) -> Array:
            return np.asarray(at[f"{name}.{tag}"], dtype=np.float64)

        shoulder, elbow, wrist = joint("upperarm01"), joint("lowerarm01"), joint("wrist")
        arm, fore = elbow - shoulder, wrist - elbow
        # the elbow is drawn bent, so its hinge is square to the plane of the arm
        hinge = np.cross(fore, arm)
        self.upper_arm = frame(arm, hinge)
        self.fore_arm = frame(fore, hinge)
        knuckles = joint("finger3-1") - wrist
        thumb_side = joint("finger2-1") - joint("finger5-1")
        # at zero the thumb side looks forward, so what is square to it looks to the left
        self.hand = frame(knuckles, np.cross(thumb_side, knuckles))
        hip, knee, ankle = joint("upperleg01"), joint("lowerleg01"), joint("foot")
        # the knee is drawn straight, and looks forward
        self.thigh = frame(knee - hip, X)
        self.shank = frame(ankle - knee, X)
        toes = joint("toe3-1") - ankle
        self.foot = turn(-np.degrees(np.arctan2(toes[0], -toes[1])) * Z)
        self.hip = hip
        # how far the arm is raised at rest, as flexion and abduction
        self.raised = vector(_swing_of(self.upper_arm).T)


def _swing_of(rest_to_zero: Array) -> Array:
    """Return the part of a rotation that is left when the turn about z is taken out first."""
    return turn(-swing_twist(rest_to_zero) * Z) @ rest_to_zero


def transforms(figure: Figure, pose: Pose) -> Array:
    """Return the skinning matrices of a pose.

    Parameters
    ----------
    figure : Figure
        Vertices and joints in the rest pose, mm.
    pose : Pose
        The angles.

    Returns
    -------
    f8[j, 4, 4]
        For each joint of the rig, what its rest space becomes: posed mm = matrix · rest mm.
        All are identity for `Pose.rest`. A lying body keeps its own axes and the middle of its hip
        joints at x = y = 0; an upright one stands with its lowest point at z = 0.

    Examples
    --------
    >>> from wholedose.body.figure import template_figure
    >>> transforms(template_figure(), Pose.of("sitting")).shape
    (104, 4, 4)
    """
    count = len(figure.joints)
    if pose.at_rest:
        return np.broadcast_to(np.eye(4), (count, 4, 4)).copy()
    rotation = dict(_rotations(figure, pose))
    pivot = {f"pelvis.{tag}": f"upperleg01.{tag}" for tag in "LR"}
    index = {name: i for i, name in enumerate(figure.joints)}
    root = _body_turn(pose)
    turned, place = np.empty((count, 3, 3)), np.empty((count, 3))
    for i, name in enumerate(figure.joints):
        mother = int(figure.parent[i])
        own = rotation.get(name)
        turned[i] = root @ own if own is not None else root if mother < 0 else turned[mother]
        if mother < 0:
            place[i] = figure.joint_mm[i]
            continue
        # the buttock turns about the hip and stays no part of the chain, so the hip keeps its place
        above = root if figure.joints[mother] in pivot else turned[mother]
        place[i] = place[mother] + above @ (figure.joint_mm[i] - figure.joint_mm[mother])
    matrices = np.zeros((count, 4, 4))
    matrices[:, 3, 3] = 1.0
    matrices[:, :3, :3] = turned
    matrices[:, :3, 3] = place - np.einsum("jab,jb->ja", turned, figure.joint_mm)
    for name, hip in pivot.items():
        i, h = index[name], index[hip]
        matrices[i, :3, 3] = place[h] - turned[i] @ figure.joint_mm[h]
    _stand(figure, pose, matrices, place[[index["upperleg01.L"], index["upperleg01.R"]]].mean(axis=0))
    return matrices


def _body_turn(pose: Pose) -> Array:
    return turn(pose["pelvis", "lateral_flexion"] * Y) @ turn(pose["pelvis", "flexion"] * X)


def _stand(figure: Figure, pose: Pose, matrices: Array, hips: Array) -> None:
    shift = np.array([-hips[0], -hips[1], 0.0])
    if pose.orientation == "upright":
        shift[2] = -float(posed_vertices(figure, matrices)[:, 2].min())
    matrices[:, :3, 3] += shift


def _rotations(figure: Figure, pose: Pose) -> Iterator[tuple[str, Array]]:
    """Yield the rotation of each joint that moves, before the whole body is turned."""
    bend = pose["spine", "flexion"] * X + pose["spine", "lateral_flexion"] * Y
    axial = pose["spine", "rotation"] * Z
    trunk = np.eye(3)
    for name in SPINE:
        trunk = trunk @ turn(SHARE_BENDING[name] * bend + SHARE_TURNING[name] * axial)
        yield name, trunk
    neck = np.array([pose["neck", m] for m in ("flexion", "lateral_flexion", "rotation")])
    head = trunk
    for name in NECK:
        head = head @ turn(SHARE_NECK[name] * neck)
        yield name, head
    for tag, side, sign in (("L", "left", 1.0), ("R", "right", -1.0)):
        rest = _Limbs(figure, tag)
        yield from _arm(pose, rest, trunk, tag, side, sign)
        yield from _leg(pose, rest, tag, side, sign)


def _arm(
    pose: Pose, rest: _Limbs, trunk: Array, tag: str, side: str, sign: float
) -> Iterator[tuple[str, Array]]:
    shoulder = f"shoulder_{side}"
    raised = -pose[shoulder, "flexion"] * X - sign * pose[shoulder, "abduction"] * Y
    inward = -sign * pose[shoulder, "rotation"]
    collar, blade = _girdle(raised, sign)
    rest_collar, rest_blade = _girdle(rest.raised, sign)
    yield f"clavicle.{tag}", trunk @ collar @ rest_collar.T
    yield f"shoulder01.{tag}", trunk @ blade @ rest_blade.T
    swing = trunk @ turn(raised)
    yield f"upperarm01.{tag}", swing @ turn(UPPER_ARM_TURN * inward * Z) @ rest.upper_arm
    upper = swing @ turn(inward * Z)
    yield f"upperarm02.{tag}", upper @ rest.upper_arm
    elbow = upper @ turn(-pose[f"elbow_{side}", "flexion"] * X)
    pronation = turn(-sign * pose[f"forearm_{side}", "pronation"] * Z)
    # the skin of the forearm is twisted by what the hand turns more than the elbow
    twist = swing_twist(pronation @ rest.hand @ rest.fore_arm.T)
    for name, share in zip(("lowerarm01", "lowerarm02"), FOREARM_TURN, strict=True):
        yield f"{name}.{tag}", elbow @ turn(share * twist * Z) @ rest.fore_arm
    # palm to the body at zero: bending to the palm is toward the middle, to the thumb forward
    wrist = sign * pose[f"wrist_{side}", "flexion"] * Y - pose[f"wrist_{side}", "abduction"] * X
    yield f"wrist.{tag}", elbow @ pronation @ turn(wrist) @ rest.hand


def _girdle(raised: Array, sign: float) -> tuple[Array, Array]:
    """Return the rotations of collar bone and shoulder blade for an arm raised by a vector."""
    elevation = float(np.linalg.norm(raised))
    share = max(0.0, elevation - SETTING_DEG) * BLADE_SHARE
    if share == 0.0:
        return np.eye(3), np.eye(3)
    way = raised / elevation
    # the collar bone lifts whichever way the arm is raised, and comes forward with the arm
    collar = COLLAR_SHARE * share * np.array([0.0, -sign, sign * 0.5 * way[0]])
    return turn(collar), turn(share * way)


def _leg(pose: Pose, rest: _Limbs, tag: str, side: str, sign: float) -> Iterator[tuple[str, Array]]:
    hip = f"hip_{side}"
    raised = -pose[hip, "flexion"] * X - sign * pose[hip, "abduction"] * Y
    inward = -sign * pose[hip, "rotation"]
    yield f"pelvis.{tag}", turn(BUTTOCK_BEND * raised)
    yield f"upperleg01.{tag}", turn(raised) @ turn(THIGH_TURN * inward * Z) @ rest.thigh
    thigh = turn(raised) @ turn(inward * Z)
    yield f"upperleg02.{tag}", thigh @ rest.thigh
    shank = thigh @ turn(pose[f"knee_{side}", "flexion"] * X)
    for name in ("lowerleg01", "lowerleg02"):
        yield f"{name}.{tag}", shank @ rest.shank
    yield f"foot.{tag}", shank @ turn(-pose[f"ankle_{side}", "flexion"] * X) @ rest.foot


def posed_vertices(figure: Figure, matrices: Array) -> Array:
    """Return the skin of a posed figure, f8[v, 3] mm, by linear blending of the joints' matrices.

    Parameters
    ----------
    figure : Figure
        The figure in its rest pose.
    matrices : f8[j, 4, 4]
        As `transforms` returns them.
    """
    flat = matrices[:, :3, :].reshape(len(matrices), 12)
    blended = np.zeros((len(figure.vertices_mm), 12))
    weight = figure.weight.astype(np.float64)
    weight /= weight.sum(axis=1, keepdims=True)
    for k in range(weight.shape[1]):
        blended += weight[:, k, None] * flat[figure.weight_index[:, k]]
    cells = blended.reshape(-1, 3, 4)
    skin: Array = np.einsum("vab,vb->va", cells[:, :, :3], figure.vertices_mm) + cells[:, :, 3]
    return skin


def posed_joints(figure: Figure, matrices: Array) -> Array:
    """Return where the joints' heads of a posed figure lie, f8[j, 3] mm."""
    joints: Array = np.einsum("jab,jb->ja", matrices[:, :3, :3], figure.joint_mm) + matrices[:, :3, 3]
    return joints


def rest_palm(figure: Figure, tag: str) -> Array:
    """Return the unit vector out of the palm of a figure at rest; tag "L" or "R"."""
    hand = _Limbs(figure, tag).hand
    out: Array = hand.T @ (-X if tag == "L" else X)
    return out
