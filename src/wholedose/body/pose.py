"""How a body holds itself. Defines `Pose`, `JOINTS`, `POSES` and `pose_named`.

Angles are anatomical and counted from the neutral zero position: standing upright, arms hanging at
the sides with the palms facing the thighs, legs straight, feet forward.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from types import MappingProxyType
from typing import Any, Literal, Self, cast

from wholedose.base.errors import InvalidInput, UnknownName
from wholedose.tables import load

Orientation = Literal["supine", "prone", "left lateral", "right lateral", "upright"]

# where down is, in the axes of the posed body: x left, y back, z head, or up where it is upright
DOWN: Mapping[Orientation, tuple[float, float, float]] = MappingProxyType(
    {
        "supine": (0.0, 1.0, 0.0),
        "prone": (0.0, -1.0, 0.0),
        "left lateral": (1.0, 0.0, 0.0),
        "right lateral": (-1.0, 0.0, 0.0),
        "upright": (0.0, 0.0, -1.0),
    }
)

SIDES = ("left", "right")
# an arm that is raised forward and sideways at once cannot pass the vertical
GREATEST_ELEVATION = 180.0


@dataclass(frozen=True)
class Movement:
    """One movement of one joint.

    Parameters
    ----------
    joint, movement : str
        For example "elbow_left" and "flexion".
    low, high : float
        Normal range of motion in degrees.
    positive, negative : str
        What a positive and a negative angle mean, in words.
    source : str
        Where the range comes from.
    """

    joint: str
    movement: str
    low: float
    high: float
    positive: str
    negative: str
    source: str


def _joints() -> Mapping[str, Mapping[str, Movement]]:
    joints: dict[str, dict[str, Movement]] = {}
    for row in load("body/joint_ranges").rows():
        stem = str(row["joint"])
        for name in [f"{stem}_{side}" for side in SIDES] if row["sides"] == "two" else [stem]:
            joints.setdefault(name, {})[str(row["movement"])] = Movement(
                name,
                str(row["movement"]),
                float(row["low"]),
                float(row["high"]),
                str(row["positive"]),
                str(row["negative"]),
                str(row["source"]),
            )
    return MappingProxyType({name: MappingProxyType(moves) for name, moves in joints.items()})


JOINTS: Mapping[str, Mapping[str, Movement]] = _joints()
"""Each joint by name, with its movements."""

Angles = Mapping[tuple[str, str], float]


@dataclass(frozen=True)
class Pose:
    """A pose: the angle of each joint, and where down is.

    Parameters
    ----------
    name : str
        A label for reports.
    angles : mapping of (joint, movement) to float
        Degrees from the neutral zero position; what is not named is zero. The joint "elbow_both"
        means the left and the right one.
    orientation : {"supine", "prone", "left lateral", "right lateral", "upright"}
        A lying body keeps its own axes (x to its left, y to its back, z to its head), as a scanner
        sees it; only `down` tells how it lies. An upright body stands or sits with z up.
    at_rest : bool
        The pose in which the figure was drawn, with arms and legs spread; see `Pose.rest`.

    Raises
    ------
    UnknownName
        No such joint, movement or orientation; the closest names are offered.
    InvalidInput
        An angle beyond the normal range of motion; the message names both.

    Examples
    --------
    >>> pose = Pose.of("standing").with_({("elbow_left", "flexion"): 90}, name="arm in a sling")
    >>> pose["elbow_left", "flexion"], pose["elbow_right", "flexion"]
    (90.0, 10.0)
    >>> Pose.of("standing").with_({("knee_left", "flexion"): 170})  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    wholedose.base.errors.InvalidInput: A knee_left flexion of 170° is beyond the normal range, ...
    """

    name: str
    angles: Angles = field(default_factory=dict)
    orientation: Orientation = "upright"
    at_rest: bool = False

    def __post_init__(self) -> None:
        if self.orientation not in DOWN:
            raise UnknownName("orientation", str(self.orientation), DOWN, where=f'pose "{self.name}"')
        if self.at_rest and self.angles:
            raise InvalidInput(
                "The rest pose has no angles.",
                where=f'pose "{self.name}"',
                way_out='Start from another pose, for example Pose.of("standing").with_(...).',
            )
        checked = self._checked()
        object.__setattr__(self, "angles", MappingProxyType(dict(sorted(checked.items()))))
        for side in SIDES:
            flexion, abduction = self[f"shoulder_{side}", "flexion"], self[f"shoulder_{side}", "abduction"]
            if math.hypot(flexion, abduction) > GREATEST_ELEVATION:
                raise InvalidInput(
                    f"A shoulder_{side} flexion of {flexion:g}° and abduction of {abduction:g}° together "
                    f"raise the arm by {math.hypot(flexion, abduction):.0f}°, beyond "
                    f"{GREATEST_ELEVATION:g}°.",
                    where=f'pose "{self.name}"',
                    way_out="Reduce one of them: the square root of the sum of their squares counts.",
                )

    def _checked(self) -> dict[tuple[str, str], float]:
        where = f'pose "{self.name}"'
        checked: dict[tuple[str, str], float] = {}
        for (asked, name), value in self.angles.items():
            joints = [asked]
            if asked.endswith("_both") and f"{asked[:-5]}_left" in JOINTS:
                joints = [f"{asked[:-5]}_{side}" for side in SIDES]
            for joint in joints:
                if joint not in JOINTS:
                    raise UnknownName("joint", joint, JOINTS, where=where)
                if name not in JOINTS[joint]:
                    raise UnknownName(f"movement of {joint}", name, JOINTS[joint], where=where)
                move, angle = JOINTS[joint][name], float(value)
                if not move.low <= angle <= move.high:
                    raise InvalidInput(
                        f"A {joint} {name} of {angle:g}° is beyond the normal range, {move.low:g}° to "
                        f"{move.high:g}°.",
                        where=where,
                        way_out=f"Positive is {move.positive}, negative {move.negative}.",
                    )
                if angle:
                    checked[joint, name] = angle
        return checked

    def __getitem__(self, key: tuple[str, str]) -> float:
        """Return the angle of a joint's movement in degrees, zero where it is not named."""
        return float(self.angles.get(key, 0.0))

    def __hash__(self) -> int:
        return hash((self.name, tuple(self.angles.items()), self.orientation, self.at_rest))

    def __reduce__(self) -> tuple[Any, ...]:
        # a mapping proxy does not pickle
        return Pose, (self.name, dict(self.angles), self.orientation, self.at_rest)

    @classmethod
    def of(cls, name: str) -> Pose:
        """Return a named pose; `POSES` lists the names, and each has other names too.

        Raises
        ------
        UnknownName
            No such pose; the closest names are offered.

        Examples
        --------
        >>> Pose.of("arms up").name
        'supine, arms up'
        """
        return pose_named(name)

    @classmethod
    def rest(cls) -> Pose:
        """Return the pose in which figures are drawn, with arms and legs spread: nothing moves."""
        return cls("rest", {}, "upright", at_rest=True)

    def with_(self, angles: Angles, *, name: str | None = None) -> Self:
        """Return the pose with some joints moved to other angles.

        Parameters
        ----------
        angles : mapping of (joint, movement) to float
            Degrees; "elbow_both" means both sides.
        name : str, optional
            A new label; the old one if left out.
        """
        moved = dict(self.angles)
        for (joint, movement), angle in angles.items():
            stem = joint[:-5] if joint.endswith("_both") else ""
            for each in [f"{stem}_{side}" for side in SIDES] if stem else [joint]:
                moved[each, movement] = angle
        return replace(self, angles=moved, name=self.name if name is None else name)

    @property
    def down(self) -> tuple[float, float, float]:
        """Unit vector of gravity in the axes of the posed body."""
        return DOWN[self.orientation]

    def mirrored(self) -> Self:
        """Return the mirror image: left and right exchanged."""
        angles: dict[tuple[str, str], float] = {}
        for (joint, movement), angle in self.angles.items():
            stem, _, side = joint.rpartition("_")
            if side in SIDES:
                angles[f"{stem}_{SIDES[1 - SIDES.index(side)]}", movement] = angle
            else:
                angles[joint, movement] = angle if movement == "flexion" else -angle
        turned = {"left lateral": "right lateral", "right lateral": "left lateral"}
        orientation = cast(Orientation, turned.get(self.orientation, self.orientation))
        return replace(self, angles=angles, orientation=orientation)


@cache
def _named() -> tuple[Mapping[str, Pose], Mapping[str, str]]:
    angles: dict[str, dict[tuple[str, str], float]] = {}
    orientation: dict[str, Orientation] = {}
    alias: dict[str, str] = {}
    for row in load("body/poses").rows():
        name, joint, movement = str(row["pose"]), str(row["joint"]), str(row["movement"])
        if joint == "orientation":
            orientation[name], angles[name], alias[name] = cast(Orientation, movement), {}, name
        elif joint == "alias":
            alias[movement] = name
        else:
            angles[name][joint, movement] = float(row["angle"])
    return MappingProxyType({n: Pose(n, angles[n], orientation[n]) for n in angles}), MappingProxyType(alias)


def pose_named(name: str) -> Pose:
    """Return a pose of the table by its name or one of its other names; see `Pose.of`."""
    poses, alias = _named()
    wanted = " ".join(name.lower().replace(",", " ").split())
    for other, pose in alias.items():
        if " ".join(other.replace(",", " ").split()) == wanted:
            return poses[pose]
    raise UnknownName("pose", name, alias)


POSES: tuple[str, ...] = tuple(_named()[0])
"""The names of the poses that ship."""
