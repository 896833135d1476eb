"""Room between limbs and trunk. Defines `cleared` and `limb_cut`.

The angles of a named pose suit most people. Where a big body needs more room, arms and legs are
spread until they lie beside trunk and each other instead of inside.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from wholedose.body import touching
from wholedose.body.figure import Figure
from wholedose.body.kinematics import posed_vertices, transforms
from wholedose.body.pose import GREATEST_ELEVATION, JOINTS, SIDES, Pose

Array = NDArray[np.float64]

STEP_DEG = 3.0
MOST_DEG = 36.0
# a cut counts where skin of a limb lies in another part even when it is drawn toward its bone by
# this share of the way: folds of skin at bent joints are shallower
DRAWN_IN = 0.1
# skin near a joint of the limb belongs to a fold, not to a cut; share of the body height
FOLD = 0.05
# and so does the root of the limb, this share of its first bone
ROOT = 0.45

# the chain of joints of a limb, and the skin that counts as its own
_LIMBS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "shoulder": (
        ("upperarm01", "lowerarm01", "wrist"),
        ("upperarm02", "lowerarm", "wrist", "metacarpal", "finger"),
    ),
    "hip": (("upperleg01", "lowerleg01", "foot"), ("upperleg02", "lowerleg", "foot", "toe")),
}


def limb_cut(figure: Figure, pose: Pose, joint: str) -> float:
    """Return the share of a limb's skin that lies inside another part of the body.

    Parameters
    ----------
    figure : Figure
    pose : Pose
    joint : str
        The joint that carries the limb: "shoulder_left", "hip_right" and so on.
    """
    stem, side = joint.rsplit("_", 1)
    tag = side[0].upper()
    chain, skin = _LIMBS[stem]
    matrices = transforms(figure, pose)
    everything = posed_vertices(figure, matrices)
    own = _own_skin(figure, chain, skin, tag)
    index = [figure.joints.index(f"{name}.{tag}") for name in chain]
    ends = [matrices[i, :3, :3] @ figure.joint_mm[i] + matrices[i, :3, 3] for i in index]
    points = everything[own]
    bone = _nearest_on_chain(points, ends)
    deep = points + DRAWN_IN * (bone - points)
    return float((touching.winding(deep, everything, figure.faces) > 1).mean())


def _own_skin(figure: Figure, chain: tuple[str, ...], skin: tuple[str, ...], tag: str) -> NDArray[np.intp]:
    names = np.array([j.startswith(skin) and j.endswith(f".{tag}") for j in figure.joints])
    first = figure.weight_index[np.arange(len(figure.weight)), figure.weight.argmax(axis=1)]
    ends = [figure.joint_mm[figure.joints.index(f"{name}.{tag}")] for name in chain]
    at = figure.vertices_mm
    along = ends[1] - ends[0]
    far = (at - ends[0]) @ along / (along @ along) > ROOT
    bend = np.linalg.norm(at - ends[1], axis=1) > FOLD * figure.height_mm
    return np.flatnonzero(names[first] & far & bend)


def _nearest_on_chain(points: Array, ends: list[Array]) -> Array:
    best, found = np.full(len(points), np.inf), points.copy()
    for start, end in pairwise(ends):
        along = end - start
        share = np.clip((points - start) @ along / (along @ along), 0.0, 1.0)
        near = start + share[:, None] * along
        away = np.linalg.norm(points - near, axis=1)
        closer = away < best
        best[closer], found[closer] = away[closer], near[closer]
    return found


def cleared(figure: Figure, pose: Pose) -> Pose:
    """Return the pose with arms and legs spread, where needed, until they are free of the body.

    Parameters
    ----------
    figure : Figure
        Whose body needs the room.
    pose : Pose

    Returns
    -------
    Pose
        The same pose where nothing cuts; otherwise shoulder or hip abduction is larger by the least
        number of steps of 3 degrees, at most 36, that leaves the least cut.

    Examples
    --------
    >>> from wholedose.body.figure import template_figure
    >>> cleared(template_figure(), Pose.of("standing")) == Pose.of("standing")
    True
    """
    if pose.at_rest:
        return pose
    # legs first: hands may rest on thighs
    for stem in ("hip", "shoulder"):
        spread = {side: _spread(figure, pose, f"{stem}_{side}") for side in SIDES}
        pose = pose.with_({(f"{stem}_{side}", "abduction"): angle for side, angle in spread.items()})
    return pose


def _spread(figure: Figure, pose: Pose, joint: str) -> float:
    start = pose[joint, "abduction"]
    most = JOINTS[joint]["abduction"].high
    if joint.startswith("shoulder"):
        most = min(most, float(np.sqrt(GREATEST_ELEVATION**2 - pose[joint, "flexion"] ** 2)))
    best, least = start, np.inf
    for angle in np.arange(start, min(start + MOST_DEG, most) + 1e-9, STEP_DEG):
        cut = limb_cut(figure, pose.with_({(joint, "abduction"): float(angle)}), joint)
        if cut < least - 1e-12:
            best, least = float(angle), cut
        if cut == 0.0:
            break
    return best
