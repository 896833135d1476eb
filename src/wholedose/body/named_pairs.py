"""Named pairs of people: who holds, feeds, nurses or pushes whom. Defines `PAIRS`, `Recipe`, `pair_of`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from wholedose.base.errors import UnknownName
from wholedose.body.clearing import cleared
from wholedose.body.figure import Figure
from wholedose.body.pairs import TOUCH_MM, Pair, at_distance, place
from wholedose.body.pose import JOINTS, SIDES, Angles, Pose
from wholedose.body.posed import Posed
from wholedose.tables import load

# arms that are in nobody's way
_ARMS_AWAY: Angles = MappingProxyType(
    {
        (f"{joint}_both", movement): angle
        for joint, movement, angle in (
            ("shoulder", "flexion", 0.0),
            ("shoulder", "abduction", 150.0),
            ("shoulder", "rotation", 0.0),
            ("elbow", "flexion", 0.0),
        )
    }
)
ROOM_STEPS = 12


@dataclass(frozen=True)
class Room:
    """Whose arms make room for the other body, and how far in one step (degrees)."""

    of: str
    step: Angles

    @classmethod
    def read(cls, words: str) -> Room | None:
        """Read "first: shoulder_both flexion 5; elbow_both flexion -1"; None of nothing."""
        if not words:
            return None
        of, _, moves = words.partition(":")
        split = [move.split() for move in moves.split(";")]
        return cls(of.strip(), {(joint, movement): float(angle) for joint, movement, angle in split})

    def opened(self, pose: Pose, steps: int) -> Pose:
        """Return the pose with the arms opened by a number of steps, as far as the joints go."""
        moved: dict[tuple[str, str], float] = {}
        for (joint, movement), angle in self.step.items():
            sides = [f"{joint[:-5]}_{side}" for side in SIDES] if joint.endswith("_both") else [joint]
            for each in sides:
                limit = JOINTS[each][movement]
                # two entries may move the same joint
                so_far = moved.get((each, movement), pose[each, movement])
                moved[each, movement] = min(max(so_far + steps * angle, limit.low), limit.high)
        return pose.with_(moved)


@dataclass(frozen=True)
class Recipe:
    """How a named pair is put together; the arguments of `place`, and who is who."""

    first: str
    second: str
    first_pose: str
    second_pose: str
    at: str
    to: str
    facing: float
    toward: str | None
    distance_mm: float
    floor_mm: float | None
    room: Room | None
    why: str


def _pairs() -> Mapping[str, Recipe]:
    found = {}
    for row in load("body/pairs").rows():
        floor = float(row["floor_mm"])
        found[str(row["pair"])] = Recipe(
            first=str(row["first"]),
            second=str(row["second"]),
            first_pose=str(row["first_pose"]),
            second_pose=str(row["second_pose"]),
            at=str(row["at"]),
            to=str(row["to"]),
            facing=float(row["facing"]),
            toward=str(row["toward"]) or None,
            distance_mm=float(row["distance_mm"]),
            floor_mm=None if np.isnan(floor) else floor,
            room=Room.read(str(row["room"])),
            why=str(row["why"]),
        )
    return MappingProxyType(found)


PAIRS: Mapping[str, Recipe] = _pairs()
"""The named pairs."""


def pair_of(
    name: str,
    first: Figure,
    second: Figure,
    *,
    distance_mm: float | None = None,
    push_apart: bool = True,
) -> Pair:
    """Return a named pair of two figures; `PAIRS` lists them and says who is first.

    Parameters
    ----------
    name : str
        For example "adult holding an infant".
    first, second : Figure
    distance_mm : float, optional
        Another distance than the named one.
    push_apart : bool
        As in `place`; named pairs make room by themselves unless it is switched off.

    Raises
    ------
    UnknownName
        No such pair; the closest names are offered.
    InvalidInput
        The bodies cut into each other.
    """
    if name not in PAIRS:
        raise UnknownName("pair", name, PAIRS)
    recipe = PAIRS[name]
    asked = recipe.distance_mm if distance_mm is None else distance_mm
    poses = {
        "first": cleared(first, Pose.of(recipe.first_pose)),
        "second": cleared(second, Pose.of(recipe.second_pose)),
    }

    def placed(mm: float, poses: Mapping[str, Pose], checked: bool) -> Pair:
        return (place if checked else at_distance)(
            Posed.of(first, poses["first"]),
            Posed.of(second, poses["second"]),
            at=recipe.at,
            to=recipe.to,
            distance_mm=mm,
            facing=recipe.facing,
            toward=recipe.toward,
            floor_mm=recipe.floor_mm,
            **({"push_apart": push_apart} if checked else {}),
        )

    if recipe.room is None or not push_apart:
        return placed(asked, poses, True)
    whose = recipe.room.of
    # how near the bodies come when no arm is in the way
    away = {**poses, whose: poses[whose].with_(_ARMS_AWAY)}
    nearest = placed(asked, away, True).distance_mm
    for steps in range(ROOM_STEPS + 1):
        opened = {**poses, whose: recipe.room.opened(poses[whose], steps)}
        pair = placed(nearest, opened, False)
        if pair.penetration_mm <= TOUCH_MM:
            return pair
    return placed(nearest, opened, True)
