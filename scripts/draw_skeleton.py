"""Draw the vertebrae and ribs of the reference body: writes the table ``body/drawn_spine_and_ribs``.

Twenty-four vertebrae and twenty-four ribs repeat one design, so they are written by a rule from a few levels
and sizes instead of by hand. The rule has no random part: running it again gives the same bytes. Lengths are
in mm of the template body (x to the left, y to the back, z to the head).

    python scripts/draw_skeleton.py
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Row = tuple[str, str, str, str, str]
TABLE = Path(__file__).parents[1] / "src/wholedose/tables/data/body/drawn_spine_and_ribs.csv"

SOURCE = (
    "own design: written by scripts/draw_skeleton.py from vertebral levels, sizes of vertebral bodies "
    "(wide x deep x high: C5 25 x 17 x 12 mm, T6 32 x 30 x 18 mm, L3 50 x 35 x 27 mm), a canal "
    "18 mm wide and ribs of 14 x 6 mm, rounded after common anatomy (ASSUMPTION); the chest wall follows "
    "the skin of the template, 8 to 18 mm below it and 25 mm at the back"
)


def numbers(words: str) -> list[float]:
    """Return the numbers of a text."""
    return [float(word) for word in words.split()]


def table(words: str) -> dict[str, Array]:
    """Return rows of a small table by their first word."""
    return {
        line.split()[0]: np.array(numbers(line.split(maxsplit=1)[1])) for line in words.strip().splitlines()
    }


LEVELS = tuple(
    f"{kind}{i + 1}" for kind, count in (("C", 7), ("T", 12), ("L", 5), ("S", 1)) for i in range(count)
)

TOP = dict(
    zip(
        LEVELS,
        numbers(
            "1620 1600 1583 1566 1550 1534 1517 1500 1481 1461 1440 1419 1397 1375 1352 1329 1305 1280 1254"
            " 1225 1190 1154 1118 1081 1045"
        ),
        strict=True,
    )
)
"""Upper edge of each vertebra."""

MIDDLE = table("""
C1 -43
C2 -43
C5 -46
C7 -40
T2 -27
T5 -16
T8 -12
T11 -15
L1 -20
L3 -32
L5 -28
S1 -11
""")
"""y of the middle of the vertebral body: the canal lies 45 to 55 mm below the skin of the back."""

BODY = table("""
C2 9.5 8 5
C5 12.5 8.5 5
C7 14 8.5 5
T1 15 9 4.5
T3 14.5 12 4
T6 16 15 4
T12 21.5 16 6
L1 22.5 16.5 8
L3 25 17.5 9
L5 26 17.5 10
""")
"""Half width and half depth of the vertebral body, gap to the next one."""

BACK = np.array(
    [
        numbers(
            "1580 1540 1520 1500 1480 1460 1440 1420 1400 1380 1360 1340 1300 1240 1200 1160 1140 1120 1060"
        ),
        numbers("9 12 16.5 24 29.5 35.5 41 46.5 51 54 57.5 59.5 61 59 56 51 46.5 42 40"),
    ]
)
"""z and y of the skin of the back in the median plane; spinous processes end below it."""

CANAL = 9.0
"""Half width of the vertebral canal."""

SITE = {"C": "bone_cervical_spine", "T": "bone_thoracic_spine", "L": "bone_lumbar_spine"}


def room() -> str:
    """Return the free space inside the ribs in words."""
    inner = [f"{z:g}: {wide - 4:g} {front + 4:g} {back - 4:g}" for z, wide, front, back in WALL.T[:-1:2]]
    return "which leave free (z: half width, front y, back y): " + "; ".join(inner)


def header() -> str:
    """Return the header of the table."""
    return f"""\
# title: Drawn shapes of the spine and the rib cage
# source: {SOURCE}
# unit: mm
# licence: Apache-2.0, own work
# note: written by a script, do not edit by hand. What lies in the chest must stay inside the ribs, {room()}
region,kind,side,sex,points,cuts,note
"""


def along(known: dict[str, Array], level: str) -> Array:
    """Return a row of a table given for some levels, between them by number of the level."""
    at = [LEVELS.index(name) for name in known]
    return np.array(
        [np.interp(LEVELS.index(level), at, column) for column in zip(*known.values(), strict=True)]
    )


def text(points: Iterable[Iterable[float]], gap: str = "; ") -> str:
    """Return points as the table's text."""
    return gap.join(" ".join(f"{round(float(v), 1):g}" for v in p) for p in points)


def sheet(*rows: Iterable[Iterable[float]]) -> str:
    """Return rows of points as the table's text."""
    return "; ".join(text(row, ", ") for row in rows)


def ball(centre: Iterable[float], half: Iterable[float], turn: float, n: float) -> str:
    """Return a superellipsoid, turned around x."""
    return f"{text([centre])}; {text([half])}; {round(turn, 1):g} 0 0; {n:g}"


def atlas() -> list[Row]:
    """Return the ring of the first vertebra and the tooth of the second."""
    ring = [
        (0, -56, 1611, 4), (11, -53, 1611, 4), (19, -45, 1611, 7.5), (18, -31, 1611, 4.5), (13, -18, 1610, 4),
        (0, -12, 1609, 4.5),
    ]  # fmt: skip
    wing = [(19, -43, 1611, 7), (36, -39, 1610, 4.5)]
    tooth = [(0, -45, 1590, 6.5), (0, -46, 1612, 5)]
    name = SITE["C"]
    return [
        (name, "tube", "both", text(ring), "atlas"),
        (name, "tube", "both", text(wing), "transverse process of the atlas"),
        (name, "tube", "mid", text(tooth), "dens"),
    ]


def vertebra(level: str) -> list[Row]:
    """Return body, disc, arch, joints and processes of one vertebra."""
    below, kind = LEVELS[LEVELS.index(level) + 1], level[0]
    name = SITE[kind]
    wide, deep, gap = along(BODY, level)
    top, bottom = TOP[level] - (4 if level == "C2" else 0), TOP[below] + gap
    y, under = along(MIDDLE, level)[0], along(MIDDLE, below)[0]
    turn = -math.degrees(math.atan((y - under) / (TOP[level] - TOP[below])))
    z, back = (top + bottom) / 2, y + deep

    body = ball((0, y, z), (wide, deep, (top - bottom) / 2), turn, 4)
    disc = ball(
        (0, (y + under) / 2, (bottom + TOP[below]) / 2), (wide * 1.03, deep * 1.03, gap / 2 + 1), turn, 3
    )
    found: list[Row] = [
        (name, "ellipsoid", "mid", body, level),
        ("cartilage", "ellipsoid", "mid", disc, f"disc below {level}"),
    ]

    r = {"C": 3.2, "T": 3.9, "L": 5.2}[kind]
    side, root = CANAL + r, back + 2 * CANAL + r
    pedicle, lamina = z + {"C": 0, "T": 3, "L": 5}[kind], z - {"C": 1, "T": 2, "L": 3}[kind]
    found.append(
        (
            name,
            "tube",
            "both",
            text([(side, back - 4, pedicle, r + 1), (side, back + 8, pedicle, r + 1)]),
            "pedicle",
        )
    )
    high = {"C": 3.0, "T": 5.2, "L": 7.5}[kind]
    plate = [
        [
            (side + 1, back + 9, lamina + s, r - 0.6),
            (side * 0.75, back + 15.5, lamina + s, r - 0.6),
            (0, root, lamina + s - 2, r - 0.3),
        ]
        for s in (high, -high)
    ]
    found.append((name, "sheet", "both", sheet(*plate), "lamina"))

    x, behind, thick = {"C": (20, 0, 6.2), "T": (15, 11, 4.8), "L": (18, 11, 7)}[kind]
    span = (TOP[level] - TOP[below]) / 2
    facet = [(x, back + behind, z + span - 3, thick), (x, back + behind, z - span + 1, thick)]
    found.append((name, "tube", "both", text(facet), "articular processes"))
    wings: dict[str, list[tuple[float, ...]]] = {
        "C": [(17, back - 3, z, 4), (26, back - 6, z - 2, 3.6)],
        "T": [(side, back + 11, pedicle - 1, 5), (33, back + 20, pedicle + 1, 5)],
        "L": [
            (side + 2, back + 4, pedicle - 3, 5),
            (30, back + 5, pedicle - 2, 4.6),
            (43, back + 7, pedicle - 2, 4),
        ],
    }
    found.append((name, "tube", "both", text(wings[kind]), "transverse process"))

    drop, tall, thick = {"C": (4, 2.5, 3.2), "T": (17, 5, 3.6), "L": (3, 10, 4)}[kind]
    length = {"C2": 12, "C7": 20}.get(level, 8 if kind == "C" else 22)
    skin = np.interp(-(lamina - drop), -BACK[0], BACK[1])
    tip = max(min(root + length, skin - 6 - thick), root + 3)
    spine = [[(0, root, lamina + s - 1, thick), (0, tip, lamina - drop + s, thick)] for s in (tall, -tall)]
    found.append((name, "sheet", "mid", sheet(*spine), "spinous process"))
    return found


WALL = np.array(
    [
        numbers("1500 1480 1460 1440 1420 1400 1380 1360 1340 1320 1300 1280 1260 1240 1220 1200 1180 1150"),
        numbers("48 63 80 98 112 123 131 137 141 144 146 146 144 139 134 131 128 125"),
        numbers("-56 -62 -67 -74 -84 -93 -103 -110 -118 -125 -131 -133 -132 -130 -129 -128 -126 -123"),
        numbers("14 20 26 32 38 42 45 47 47 47 46 44 42 39 36 33 31 29"),
    ]
)
"""The middle surface of the rib cage: z, half width, front y, back y."""

EXPONENT = 2.8
"""Of the superellipse that is the rib cage's section."""


def wall(t: float, z: float) -> Array:
    """Return the point of the chest wall at an angle from the back (0) over the left to the front (π)."""
    wide, front, back = (np.interp(-z, -WALL[0], row) for row in WALL[1:])
    power = 2 / EXPONENT
    x = wide * abs(math.sin(t)) ** power
    y = (front + back) / 2 + (back - front) / 2 * math.copysign(abs(math.cos(t)) ** power, math.cos(t))
    return np.array([x, y, z])


def angle(ratio: float) -> float:
    """Return the angle at the back where x is this share of the half width."""
    return math.asin(min(max(ratio, 0.0), 1.0) ** (EXPONENT / 2))


FRONT = dict(
    enumerate(
        zip(
            numbers("0.42 0.56 0.64 0.69 0.74 0.78 0.83 0.88 0.93 0.975"),
            numbers("1434 1397 1369 1342 1314 1284 1254 1226 1201 1180"),
            strict=True,
        ),
        start=1,
    )
)
"""Front end of the bony rib: x as share of the half width, z."""

STERNUM = table("""
1 25 -77 1437
2 20 -94 1403
3 17 -106 1380
4 17 -113 1360
5 17 -117 1343
6 15 -120 1327
7 11 -122 1313
""")
"""Where cartilages reach the sternum."""

FLOATING = {11: (100.0, 1183.0), 12: (47.0, 1195.0)}
"""Angle (degree from the back) and z where the floating ribs end."""

HALF_THICK, HALF_HIGH, CARTILAGE = 3.2, 3.8, 7.4


def rib(number: int) -> list[Row]:
    """Return one rib and its cartilage."""
    level = f"T{number}"
    wide, deep, _ = along(BODY, level)
    # the second rib turns down early: it starts higher to stay clear of the third
    back, z0 = along(MIDDLE, level)[0] + deep, TOP[level] - {2: -2, 3: 3}.get(number, 2 if number < 10 else 8)
    start = angle(min(66.0 / np.interp(-z0, -WALL[0], WALL[1]), 0.62) if number > 1 else 0.7)
    if number in FLOATING:
        stop, z1 = math.radians(FLOATING[number][0]), FLOATING[number][1]
    else:
        stop, z1 = math.pi - angle(FRONT[number][0]), FRONT[number][1]
    count = 6 if number in FLOATING else 11
    turns = np.linspace(start, stop, count)
    heights = np.linspace(z0 - 0.1 * (z0 - z1), z1, count)
    tubercle = (38, back + 20, z0 - 1) if number < 11 else (34, back + 16, z0 - 3)
    neck = np.array([(wide + 1, back - 4, z0 + 1), (wide * 0.4 + 19, back + 10, z0 + 2), tubercle])
    edges = []
    for s in (1, -1):
        if number == 1:
            # the first rib lies flat: its edges are inner and outer, not upper and lower
            path = np.array([wall(t, z) for t, z in zip(turns, heights, strict=True)])
            path *= (1 - s * 0.08, 1 - s * 0.08, 1)
            edge = np.vstack([neck, path]) + np.array([0, 0, s * 1.5])
        else:
            path = np.array([wall(t, z + s * HALF_HIGH) for t, z in zip(turns, heights, strict=True)])
            edge = np.vstack([neck + np.array([0, 0, s * HALF_HIGH]), path])
        edges.append(np.column_stack([edge, np.full(len(edge), HALF_THICK)]))
    found: list[Row] = [("bone_ribs", "sheet", "both", sheet(*edges), f"rib {number}")]
    if number not in FLOATING:
        found.append(
            ("cartilage", "tube", "both", text(costal(number, wall(stop, z1))), f"costal cartilage {number}")
        )
    return found


def costal(number: int, tip: Array) -> Array:
    """Return the cartilage from the end of a rib to the sternum, or to the cartilage above."""
    if str(number) in STERNUM:
        end = STERNUM[str(number)]
        sag = max(0.0, 3.0 * (number - 3))
        points = [tip]
        for s in (0.33, 0.67):
            x, _, z = tip + (end - tip) * s - (0, 0, sag * (1 - s))
            points.append(wall(math.pi - angle(x / np.interp(-z, -WALL[0], WALL[1])), z))
        return np.column_stack([[*points, end], CARTILAGE + np.array([0, 0, -0.4, -1.6])])
    ratio, z = FRONT[number - 1]
    join = wall(math.pi - angle(ratio - 0.17), z + 3)
    bend = wall(math.pi - angle(ratio - 0.02), (tip[2] + z + 3) / 2 - 6)
    return np.column_stack([[tip, bend, join], CARTILAGE + np.array([-0.4, -0.8, -1.2])])


def main() -> None:
    """Write the table."""
    rows = atlas()
    for level in LEVELS[1:-1]:
        rows += vertebra(level)
    for number in range(1, 13):
        rows += rib(number)
    lines = [f'{region},{kind},{side},both,"{points}",,{note}' for region, kind, side, points, note in rows]
    TABLE.write_text(header() + "\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
