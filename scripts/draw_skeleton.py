"""Draw the vertebrae and ribs of the reference body: writes the table ``body/drawn_spine_and_ribs``.

Twenty-four vertebrae and twenty-four ribs repeat one design, so they are written by a rule from a few levels
and sizes instead of by hand. The rule has no random part: running it again gives the same bytes. All lengths are
in mm of the template body (x to the left, y to the back, z to the head).

    python scripts/draw_skeleton.py
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
TABLE = Path(__file__).parents[1] / "src/wholedose/tables/data/body/drawn_spine_and_ribs.csv"

HEADER = """\
# title: Drawn shapes of the spine and the rib cage
# source: own design: written by scripts/draw_skeleton.py from vertebral levels, sizes of vertebral bodies (C5 25 x 17 x 12 mm, T6 32 x 30 x 18 mm, L3 50 x 35 x 27 mm wide x deep x high), a canal 18 mm wide and ribs of 13 x 6 mm, rounded after common anatomy (ASSUMPTION); the chest wall follows the skin of the template 12 to 18 mm below it
# unit: mm
# licence: Apache-2.0, own work
# note: written by a script, do not edit by hand
region,kind,side,sex,points,cuts,note
"""

LEVELS = ("C1 C2 C3 C4 C5 C6 C7 T1 T2 T3 T4 T5 T6 T7 T8 T9 T10 T11 T12 L1 L2 L3 L4 L5 S1").split()
TOP = dict(
    zip(
        LEVELS,
        [1620, 1600, 1583, 1566, 1550, 1534, 1517, 1500, 1481, 1461, 1440, 1419, 1397, 1375, 1352, 1329, 1305]
        + [1280, 1254, 1225, 1190, 1154, 1118, 1081, 1045],
        strict=True,
    )
)
"""Upper edge of each vertebra."""

MIDDLE = {"C1": -40, "C2": -39, "C5": -38, "C7": -28, "T2": -14, "T5": -4, "T8": 0, "T11": -4}
MIDDLE |= {"L1": -10, "L3": -24, "L5": -24, "S1": -10}
"""y of the middle of the vertebral body."""

# half width and half depth of the body, gap to the next body
BODY = {"C2": (9.5, 8, 5), "C5": (12.5, 8.5, 5), "C7": (14, 8.5, 5), "T1": (15, 9, 4.5), "T3": (14, 12, 4)}
BODY |= {
    "T6": (16, 15, 4),
    "T12": (21, 16, 6),
    "L1": (22, 16.5, 8),
    "L3": (25, 17.5, 9),
    "L5": (26, 17.5, 10),
}

CANAL = 9.0
"""Half width of the vertebral canal."""


def along(table: dict[str, tuple[float, ...]], level: str) -> Array:
    """Return a row of a table given for some levels, between them by number of the level."""
    known = [LEVELS.index(name) for name in table]
    at = LEVELS.index(level)
    return np.array([np.interp(at, known, column) for column in zip(*table.values(), strict=True)])


def middle(level: str) -> float:
    """Return y of the middle of a vertebral body."""
    return float(along({k: (v,) for k, v in MIDDLE.items()}, level)[0])


def text(points: Array) -> str:
    """Return points [n, 4] as the table's text."""
    return "; ".join(" ".join(f"{v:.4g}" if abs(v) < 1000 else f"{v:.1f}" for v in p) for p in points)


def ball(centre: Array, half: Array, turn: float = 0.0, n: float = 2.0) -> str:
    """Return a superellipsoid, turned around x."""
    return f"{text(np.atleast_2d(centre))}; {text(np.atleast_2d(half))}; {round(turn, 1)} 0 0; {n:g}"


def site(level: str) -> str:
    """Return the bone site of a vertebra."""
    return {"C": "bone_cervical_spine", "T": "bone_thoracic_spine", "L": "bone_lumbar_spine"}[level[0]]


def atlas() -> list[tuple[str, ...]]:
    """Return the first two vertebrae: a ring, and a body with its tooth."""
    arch = np.array([[0, -53, 1611, 3.5], [11, -50, 1611, 3.5], [19, -42, 1611, 7], [17, -30, 1611, 4]])
    arch = np.vstack([arch, [[12, -20, 1610, 3.5], [0, -16, 1609, 4]]])
    wing = np.array([[19, -40, 1611, 6.5], [35, -36, 1610, 4]])
    rows = [("bone_cervical_spine", "tube", "both", text(p), "atlas") for p in (arch, wing)]
    tooth = np.array([[0, -42, 1590, 6.5], [0, -43, 1612, 5]])
    return [*rows, ("bone_cervical_spine", "tube", "mid", text(tooth), "dens")]


def vertebra(level: str) -> list[tuple[str, ...]]:
    """Return body, disc, arch, joints and processes of one vertebra."""
    below = LEVELS[LEVELS.index(level) + 1]
    half_width, half_depth, gap = along(BODY, level)
    top, bottom = TOP[level], TOP[below] + gap
    if level == "C2":
        top -= 4
    y, slope = middle(level), (middle(level) - middle(below)) / (TOP[level] - TOP[below])
    turn, z = -math.degrees(math.atan(slope)), (top + bottom) / 2
    name, kind = site(level), level[0]
    rows = [
        (
            name,
            "ellipsoid",
            "mid",
            ball([0, y, z], [half_width, half_depth, (top - bottom) / 2], turn, 3.5),
            level,
        )
    ]
    disc = [0, (y + middle(below)) / 2, (bottom + TOP[below]) / 2]
    rows.append(
        (
            "cartilage",
            "ellipsoid",
            "mid",
            ball(disc, [half_width * 0.97, half_depth * 0.97, gap / 2 + 0.8], turn, 3),
            f"disc below {level}",
        )
    )
    back = y + half_depth
    r = {"C": 2.8, "T": 3.6, "L": 4.6}[kind]
    high = {"C": 4.0, "T": 7.0, "L": 9.0}[kind]
    side, root = CANAL + r, back + 2 * CANAL + r
    pedicle, lamina = z + {"C": 0, "T": 3, "L": 5}[kind], z - {"C": 1, "T": 2, "L": 3}[kind]
    rows.append(
        (
            name,
            "tube",
            "both",
            text(np.array([[side, back - 4, pedicle, r + 1], [side, back + 8, pedicle, r + 1]])),
            "pedicle",
        )
    )
    # the lamina is a plate from the pedicle to the root of the spinous process
    plate = [
        np.array(
            [
                [side + 1, back + 9, lamina + s * high, r - 0.6],
                [side * 0.7, back + 15, lamina + s * high, r - 0.6],
            ]
        )
        for s in (0.7, -0.7)
    ]
    plate = [np.vstack([p, [[0, root, p[0, 2] - 2, r - 0.3]]]) for p in plate]
    rows.append(
        (
            name,
            "sheet",
            "both",
            ", ".join(text(plate[0]).split("; ")) + "; " + ", ".join(text(plate[1]).split("; ")),
            "lamina",
        )
    )
    joint = {"C": (19, 0, 5.5), "T": (14, 11, 4.2), "L": (17, 11, 6.0)}[kind]
    span = (TOP[level] - TOP[below]) / 2
    facet = np.array(
        [
            [joint[0], back + joint[1], z + span - 3, joint[2]],
            [joint[0], back + joint[1], z - span + 1, joint[2]],
        ]
    )
    rows.append((name, "tube", "both", text(facet), "articular processes"))
    wing = {
        "C": [[17, back - 3, z, 4], [25, back - 6, z - 2, 3.2]],
        "T": [[side, back + 11, pedicle - 1, 4.6], [33, back + 20, pedicle + 1, 4.8]],
        "L": [[side + 2, back + 4, pedicle - 3, 4], [43, back + 7, pedicle - 2, 3.5]],
    }[kind]
    rows.append((name, "tube", "both", text(np.array(wing)), "transverse process"))
    length = {"C": 8 if level != "C7" else 20, "T": 20, "L": 20}[kind]
    drop = {"C": 4, "T": 17, "L": 3}[kind]
    thick = {"C": 3.0, "T": 3.2, "L": 3.2}[kind]
    tall = {"C": 2.5, "T": 5, "L": 9}[kind]
    if level == "C2":
        length = 12
    spine = [
        np.array(
            [
                [0, root, lamina + s * tall - 1, thick],
                [0, root + length, lamina - drop + s * tall, thick + 0.4],
            ]
        )
        for s in (1, -1)
    ]
    rows.append(
        (
            name,
            "sheet",
            "mid",
            ", ".join(text(spine[0]).split("; ")) + "; " + ", ".join(text(spine[1]).split("; ")),
            "spinous process",
        )
    )
    return rows


# the middle surface of the rib cage: z, half width, front y, back y
WALL = np.array(
    [
        [1500, 48, -56, 22],
        [1480, 62, -62, 30],
        [1460, 78, -67, 37],
        [1440, 94, -74, 43],
        [1420, 108, -84, 49],
        [1400, 118, -93, 54],
        [1380, 126, -103, 57],
        [1360, 131, -110, 58],
        [1340, 135, -117, 58],
        [1320, 138, -123, 58],
        [1300, 140, -128, 57],
        [1280, 140, -130, 55],
        [1260, 138, -129, 52],
        [1240, 135, -128, 48],
        [1220, 131, -127, 44],
        [1200, 128, -126, 41],
        [1180, 125, -124, 38],
        [1150, 122, -121, 35],
    ]
)
EXPONENT = 2.4


def wall(t: float, z: float) -> Array:
    """Return the point of the chest wall at an angle from the back (0) over the left side (π/2) to the front (π)."""
    a, front, back = (np.interp(-z, -WALL[:, 0], WALL[:, i]) for i in (1, 2, 3))
    power = 2 / EXPONENT
    x = a * abs(math.sin(t)) ** power
    y = (front + back) / 2 + (back - front) / 2 * math.copysign(abs(math.cos(t)) ** power, math.cos(t))
    return np.array([x, y, z])


def angle(ratio: float) -> float:
    """Return the angle at the back where x is a ratio of the half width."""
    return math.asin(min(ratio, 1.0) ** (EXPONENT / 2))


# front end of the bony rib: x as share of the half width (beyond the side: at the front), z; end on the sternum
FRONT = {
    1: (0.42, 1434),
    2: (0.56, 1397),
    3: (0.64, 1369),
    4: (0.69, 1342),
    5: (0.74, 1314),
    6: (0.78, 1284),
    7: (0.83, 1254),
    8: (0.88, 1226),
    9: (0.93, 1201),
    10: (0.975, 1180),
}
STERNUM = {
    1: (25, -78, 1437),
    2: (20, -95, 1403),
    3: (17, -106, 1380),
    4: (17, -113, 1360),
    5: (17, -117, 1343),
    6: (15, -120, 1327),
    7: (11, -122, 1313),
}
FLOATING = {11: (100.0, 1183), 12: (47.0, 1195)}
"""Angle (degree from the back) and z where the floating ribs end."""


def rib(number: int) -> list[tuple[str, ...]]:
    """Return one rib and its cartilage."""
    level = f"T{number}"
    half_width, half_depth, _ = along(BODY, level)
    back, z0 = middle(level) + half_depth, TOP[level] - (2 if number < 10 else 8)
    start = angle(min(66.0 / np.interp(-z0, -WALL[:, 0], WALL[:, 1]), 0.62) if number > 1 else 0.7)
    if number in FLOATING:
        stop, z1 = math.radians(FLOATING[number][0]), FLOATING[number][1]
    else:
        ratio, z1 = FRONT[number]
        stop = math.pi - angle(ratio)
    count = 11 if number < 11 else 6
    first = z0 - 0.10 * (z0 - z1)
    path = [
        wall(t, first + (z1 - first) * s)
        for s in [np.linspace(0, 1, count)]
        for t, s in zip(start + (stop - start) * s, s, strict=True)
    ]
    neck = np.array([[half_width + 1, back - 4, z0 + 1], [half_width * 0.4 + 19, back + 10, z0 + 2]])
    tubercle = np.array([[38, back + 20, z0 - 1]])
    if number > 10:
        tubercle = np.array([[34, back + 16, z0 - 3]])
    line = np.vstack([neck, tubercle, path])
    half, high = (3.0, 3.6) if number > 1 else (2.6, 5.0)
    rows = []
    edges = []
    for s in (1, -1):
        edge = line + np.array([0, 0, s * high])
        edge[3:] = [
            wall(t, p[2] + s * high) for t, p in zip(np.linspace(start, stop, count), path, strict=True)
        ]
        if number == 1:
            # the first rib lies flat: its edges are inner and outer, not upper and lower
            edge = line.copy()
            edge[:, :2] *= 1 - s * 0.08
            edge[:3] = line[:3]
            edge[:, 2] += s * 1.5
        edges.append(np.column_stack([edge, np.full(len(edge), half)]))
    sheet = "; ".join(", ".join(text(edge).split("; ")) for edge in edges)
    rows.append(("bone_ribs", "sheet", "both", sheet, f"rib {number}"))
    tip = path[-1]
    if number in STERNUM:
        end = np.array(STERNUM[number])
        sag = 0.0 if number < 4 else 3.0 * (number - 3)
        curve = [tip]
        for s in (0.33, 0.67):
            z = tip[2] + (end[2] - tip[2]) * s - sag * (1 - s)
            x = tip[0] + (end[0] - tip[0]) * s
            a = np.interp(-z, -WALL[:, 0], WALL[:, 1])
            curve.append(wall(math.pi - angle(x / a), z))
        curve.append(end)
        tube = np.column_stack([np.array(curve), [6.2, 6.2, 6.0, 5.4]])
        rows.append(("cartilage", "tube", "both", text(tube), f"costal cartilage {number}"))
    elif number <= 10:
        # joins the cartilage above
        upper_ratio, upper_z = FRONT[number - 1]
        z = upper_z + 3
        join = wall(math.pi - angle(upper_ratio - 0.17), z)
        bend = wall(math.pi - angle(upper_ratio - 0.02), (tip[2] + z) / 2 - 6)
        tube = np.column_stack([np.array([tip, bend, join]), [6, 5.6, 5]])
        rows.append(("cartilage", "tube", "both", text(tube), f"costal cartilage {number}"))
    return rows


def main() -> None:
    """Write the table."""
    rows = atlas()
    for level in LEVELS[1:-1]:
        rows += vertebra(level)
    for number in range(1, 13):
        rows += rib(number)
    lines = [f'{region},{kind},{side},both,"{points}",,{note}' for region, kind, side, points, note in rows]
    TABLE.write_text(HEADER + "\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
