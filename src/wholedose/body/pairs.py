"""Two people near each other. Defines `Pair`, `place` and `at_distance`.

The axes of a pair are those of the first, posed person; the second is turned and moved as a whole.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wholedose.base.errors import InvalidInput, UnknownName
from wholedose.body import touching
from wholedose.body.kinematics import turn, unit
from wholedose.body.pose import Pose
from wholedose.body.posed import Posed

Array = NDArray[np.float64]

FACING: Mapping[str, float] = MappingProxyType({"same": 0.0, "left": 90.0, "opposite": 180.0, "right": -90.0})
TOWARD: Mapping[str, tuple[float, float, float]] = MappingProxyType(
    {"left": (1, 0, 0), "right": (-1, 0, 0), "back": (0, 1, 0), "front": (0, -1, 0), "up": (0, 0, 1)}
)

# skins that cut less deep than this touch: the faces of a skin are flat
TOUCH_MM = 2.0
FARTHEST_MM = 1500.0
STEP_MM = 25.0
FINEST_MM = 1.0


@dataclass(frozen=True, eq=False)
class Pair:
    """Two posed people in the axes of the first.

    Attributes
    ----------
    first, second : Posed
    distance_mm : float
        From contact point to contact point along `toward`.
    toward : f8[3]
        The way from the first contact point to the second.
    """

    first: Posed
    second: Posed
    distance_mm: float
    toward: Array

    @cached_property
    def penetration_mm(self) -> float:
        """How deep the skins cut into each other, 0 where they are apart."""
        return touching.penetration(*_skins(self.first, self.second))

    @cached_property
    def gap_mm(self) -> float:
        """The least distance between the skins, 0 where they touch."""
        skins = _skins(self.first, self.second)
        return 0.0 if touching.overlap(*skins) else touching.gap(*skins)


def _skins(first: Posed, second: Posed) -> tuple[Array, Any, Array, Any]:
    return first.vertices_mm, first.figure.faces, second.vertices_mm, second.figure.faces


def _to_room(pose: Pose) -> Array:
    """Return the rotation from a body's axes to a room: z up, and its front or, lying, its head to -y."""
    up = -np.array(pose.down)
    ahead = np.array([0.0, -1.0, 0.0] if pose.orientation == "upright" else [0.0, 0.0, 1.0])
    return np.stack([np.cross(up, ahead), -ahead, up])


def place(
    first: Posed,
    second: Posed,
    *,
    at: str,
    to: str,
    distance_mm: float,
    facing: str | float = "same",
    toward: str | None = None,
    floor_mm: float | None = None,
    push_apart: bool = False,
) -> Pair:
    """Place a second person near a first one.

    Parameters
    ----------
    first, second : Posed
        Each in its own axes, as `Posed.of` gives them.
    at, to : str
        A contact point of the first and of the second person; see `CONTACTS`.
    distance_mm : float
        From the first contact point to the second, along `toward`.
    facing : str or float
        Where the second person's front, or head if lying, points in the room, seen from the first
        one's: "same", "left", "right", "opposite", or degrees counter-clockwise seen from above.
    toward : {"left", "right", "front", "back", "up"}, optional
        The way to the second contact point, in the first person's axes; left out: away from the
        first person's skin.
    floor_mm : float, optional
        How much higher the second person's lowest point lies than the first one's: 0 on the same
        floor. Then `toward` is taken level. Left out: the contact points lie level with each other,
        or along `toward`.
    push_apart : bool
        Where the skins cut into each other, take the least distance that leaves them free.

    Returns
    -------
    Pair

    Raises
    ------
    InvalidInput
        The bodies cut into each other; the message names the depth and the distance that is free.

    Examples
    --------
    >>> from wholedose.body.figure import template_figure
    >>> one = Posed.of(template_figure(), Pose.of("standing"))
    >>> pair = place(one, one, at="chest", to="chest", distance_mm=500, facing="opposite")
    >>> round(pair.distance_mm), pair.penetration_mm
    (500, 0.0)
    """

    def pair(mm: float) -> Pair:
        return at_distance(
            first, second, at=at, to=to, distance_mm=mm, facing=facing, toward=toward, floor_mm=floor_mm
        )

    return _free(pair, float(distance_mm), push_apart)


def at_distance(
    first: Posed,
    second: Posed,
    *,
    at: str,
    to: str,
    distance_mm: float,
    facing: str | float = "same",
    toward: str | None = None,
    floor_mm: float | None = None,
) -> Pair:
    """Place a second person as `place` does, whether or not the bodies cut into each other."""
    if isinstance(facing, str) and facing not in FACING:
        raise UnknownName("facing", facing, FACING)
    if toward is not None and toward not in TOWARD:
        raise UnknownName("way", toward, TOWARD)
    if not (np.isfinite(distance_mm) and -FARTHEST_MM <= distance_mm <= 10 * FARTHEST_MM):
        raise InvalidInput(
            f"A distance of {distance_mm:g} mm is not possible.",
            where="distance_mm",
            way_out=f"Give {-FARTHEST_MM:g} to {10 * FARTHEST_MM:g} mm.",
        )
    degrees = FACING[facing] if isinstance(facing, str) else float(facing)
    room = _to_room(first.pose)
    spin = room.T @ turn(np.array([0.0, 0.0, degrees])) @ _to_room(second.pose)
    start = first.contact(at)
    way = np.array(TOWARD[toward], dtype=np.float64) if toward else start.outward
    up = -np.array(first.pose.down)
    if floor_mm is not None:
        way = way - (way @ up) * up
    if np.linalg.norm(way) < 0.1:
        raise InvalidInput(
            f"The contact point {at} gives no way to go"
            + (" level with the floor." if toward is None else "."),
            where="toward",
            way_out=f"Give one of {', '.join(TOWARD)}.",
        )
    way = unit(way)
    turned = second.moved(_rigid(spin, np.zeros(3)))
    home = start.point_mm - turned.contact(to).point_mm
    if floor_mm is not None:
        heights = first.vertices_mm @ up, (turned.vertices_mm @ up)
        rise = heights[0].min() + floor_mm - heights[1].min()
        home = home + (rise - home @ up) * up

    return Pair(first, second.moved(_rigid(spin, home + distance_mm * way)), float(distance_mm), way)


def _rigid(rotation: Array, shift: Array) -> Array:
    rigid = np.eye(4)
    rigid[:3, :3], rigid[:3, 3] = rotation, shift
    return rigid


def _free(at_distance: Callable[[float], Pair], asked: float, push_apart: bool) -> Pair:
    pair = at_distance(asked)
    if pair.penetration_mm <= TOUCH_MM:
        return pair
    low, high = asked, asked
    while True:
        low, high = high, high + STEP_MM
        if high > asked + FARTHEST_MM:
            raise InvalidInput(
                f"The bodies cut {pair.penetration_mm:.0f} mm into each other at {asked:.0f} mm, and no "
                f"distance up to {asked + FARTHEST_MM:.0f} mm frees them.",
                where="distance_mm",
                way_out="Change the poses, the contact points or the way.",
            )
        if at_distance(high).penetration_mm <= TOUCH_MM:
            break
    while high - low > FINEST_MM:
        middle = (low + high) / 2.0
        low, high = (low, middle) if at_distance(middle).penetration_mm <= TOUCH_MM else (middle, high)
    if push_apart:
        return at_distance(high)
    raise InvalidInput(
        f"The bodies cut {pair.penetration_mm:.0f} mm into each other at a distance of {asked:.0f} mm.",
        where="distance_mm",
        way_out=f"They are free from {np.ceil(high):.0f} mm on; give that, or push_apart=True.",
    )
