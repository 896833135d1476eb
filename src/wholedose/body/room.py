"""Room inside the trunk for a person's organs. Defines `with_room`.

Anatomy is drawn in a lean man, whose trunk has walls (ribs, muscle) of some 4 cm. Women and children have
thinner ones: in their figures, scaled to his, the organs that ICRP 89 gives them do not find room inside the
ribs. So the walls of chest and belly are as thick as the organs leave room for: what is drawn moves towards
the lean skin, or away from it, until the spaces of chest and belly hold what they hold in the man.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from wholedose.body.fields import Shapes
from wholedose.body.slabs import over

Points = NDArray[np.float32]
Depth = Callable[[Points], NDArray[np.float32]]

DRAWN_WALL_MM = 40.0
"""Ribs and muscle of the drawn man (ASSUMPTION: the depth of his pleura under the lean skin, rounded)."""

LEAST, MOST = 0.55, 1.3
"""How thin and how thick a wall may be, by the drawn one (ASSUMPTION)."""

THIN_PERCENT, MOST_FAT_MM = 15.0, 30.0
"""Where fat outside the lean skin is thin, and how much of it bones may move into (ASSUMPTION)."""

AXIS_Y_MM = -40.0
HALF_WIDTH_MM = 205.0
"""Where the axis of the trunk lies and how far its walls reach, in template mm (own design)."""

LEVELS_MM = (960.0, 1060.0, 1200.0, 1320.0, 1390.0, 1470.0)
"""From no change to the belly's, to the chest's, to none again, in template z."""

SPACES = ("chest_space", "belly_space")
CHEST = ("lungs", "heart_wall", "heart_left_chambers", "heart_right_chambers", "thymus")
BELLY = (
    "liver",
    "spleen",
    "stomach_wall",
    "stomach_contents",
    "small_intestine_wall",
    "small_intestine_contents",
    "right_colon_wall",
    "right_colon_contents",
    "left_colon_wall",
    "left_colon_contents",
    "kidneys",
    "pancreas",
    "gall_bladder_contents",
    "fetus",
    "amniotic_fluid",
    "placenta",
)
DRAWN: Mapping[str, tuple[float, float]] = {"chest_space": (4700.0, 5900.0), "belly_space": (5270.0, 10650.0)}
"""Of the man of ICRP 89, cm³: volume of the organs, and of the drawn space (above or below the diaphragm).

ASSUMPTION in part: only the ratio counts, how much of a space its organs fill where the walls are as drawn.
The chest's is of an earlier drawing, 5 % above that of today (organs 3960, space 4750); a test holds both
to the drawing.
"""

_STEPS = 9
_PART = 16_384  # points that are worth a thread


def _share(z: NDArray[np.float32], low: float, high: float) -> NDArray[np.float32]:
    t = np.clip((z - low) / (high - low), 0.0, 1.0)
    return np.asarray(t * t * (3.0 - 2.0 * t), dtype=np.float32)


def moved(points: Points, depth: NDArray[np.float32], fat: float, chest: float, belly: float) -> Points:
    """Return where points lie in the drawing when walls are ``chest`` and ``belly`` times the drawn ones.

    A wall reaches from the person's skin, ``fat`` mm outside the lean one, to 40 mm under the lean one.
    """
    out = np.empty_like(points)

    def part(first: int, last: int) -> None:
        own = slice(first, last)
        out[own] = _moved(points[own], depth[own], fat, chest, belly)

    over(len(points), _PART, part)
    return out


def _moved(points: Points, depth: NDArray[np.float32], fat: float, chest: float, belly: float) -> Points:
    z = points[:, 2]
    a, b, c, d, e, f = LEVELS_MM
    wall = belly + (chest - belly) * _share(z, c, d)
    wall = 1.0 + (wall - 1.0) * _share(z, a, b) * (1.0 - _share(z, e, f))
    x, y = points[:, 0], points[:, 1] - np.float32(AXIS_Y_MM)
    wall = 1.0 + (wall - 1.0) * (1.0 - _share(np.abs(x), HALF_WIDTH_MM - 20.0, HALF_WIDTH_MM))
    radius = np.maximum(np.hypot(x, y), 1.0)
    lean = radius + depth
    under = depth + np.float32(fat)
    drawn = np.float32(DRAWN_WALL_MM + fat)
    own = drawn * wall
    inner = radius * (lean - DRAWN_WALL_MM) / np.maximum(lean + fat - own, 1.0)
    outer = lean + fat - under / wall
    new = np.where(under > own, inner, outer)
    # too near the axis for a wall, or in thicker fat
    new = np.where((lean < 1.5 * DRAWN_WALL_MM) | (under <= 0.0), radius, new)
    out = points.copy()
    out[:, 0] = x * (new / radius)
    out[:, 1] = y * (new / radius) + np.float32(AXIS_Y_MM)
    return out


def with_room(
    points: Points,
    depth_mm: NDArray[np.float32],
    voxel_cm3: float,
    volumes_cm3: Mapping[str, float],
    shapes: Mapping[str, Shapes],
    core_depth: Depth,
) -> Points:
    """Return template coordinates of voxels, moved so that chest and belly hold a person's organs.

    Parameters
    ----------
    points : float32 array [n, 3]
        Template coordinates of the voxels, mm.
    depth_mm : float32 array [n]
        Depth under the person's skin, mm.
    voxel_cm3 : float
    volumes_cm3 : mapping of region to float
    shapes : mapping of region to Shapes
        With the two ``SPACES``; without them nothing is moved.
    core_depth : callable
        Depth in mm under the lean skin at template points.

    Returns
    -------
    float32 array [n, 3]
    """
    if any(space not in shapes for space in SPACES):
        return points
    trunk = np.flatnonzero(
        (points[:, 2] > LEVELS_MM[0])
        & (points[:, 2] < LEVELS_MM[-1])
        & (np.abs(points[:, 0]) < HALF_WIDTH_MM)
    )
    if len(trunk) < 100:
        return points
    at = np.ascontiguousarray(points[trunk])
    depth = core_depth(at)
    at_skin = (depth_mm[trunk] < 1.5 * 10.0 * np.cbrt(voxel_cm3)) & (np.abs(at[:, 2] - 1220.0) < 150.0)
    fat = (
        float(np.clip(np.percentile(-depth[at_skin], THIN_PERCENT), 0.0, MOST_FAT_MM))
        if at_skin.any()
        else 0.0
    )
    # a tenth of the voxels tells the volume
    some = np.arange(0, len(at), max(1, len(at) // 60_000))
    cm3 = voxel_cm3 * len(at) / len(some)
    walls = dict.fromkeys(SPACES, 1.0)
    for space, organs in zip(SPACES, (CHEST, BELLY), strict=True):
        asked = sum(volumes_cm3.get(name, 0.0) for name in organs) * DRAWN[space][1] / DRAWN[space][0]
        low, high = LEAST, MOST
        for _ in range(_STEPS):
            walls[space] = 0.5 * (low + high)
            inside = moved(at[some], depth[some], fat, walls["chest_space"], walls["belly_space"])
            room = cm3 * _held(inside, shapes, space)
            low, high = (low, walls[space]) if room < asked else (walls[space], high)
    out = points.copy()
    out[trunk] = moved(at, depth, fat, walls["chest_space"], walls["belly_space"])
    return out


def _held(points: Points, shapes: Mapping[str, Shapes], space: str) -> int:
    """Return how many points a space holds; what lies under the diaphragm is not chest."""
    chosen = np.arange(len(points))
    inside = shapes[space].field(points, chosen, 0.0, 0.0) < 0.0
    if space == "chest_space":
        chosen = chosen[inside]
        inside = shapes["belly_space"].field(points, chosen, 0.0, 0.0) >= 0.0
    return int(inside.sum())
