"""Smooth shapes in template space. Defines `Shapes`, `shapes_of` and `Cells`.

A region of the anatomy is drawn as ellipsoids, tubes and sheets. Its *field* at a point is the least signed
distance (mm, about) to any of them: negative inside. Painting claims the points of lowest field, so a field
needs to be right in its order and near its zero, not exact everywhere.

- ``ellipsoid``: ``"x y z; a b c; turn_x turn_y turn_z; n"``: centre, half axes (mm), turns (degree,
  applied in the order x, y, z), exponent of the superellipsoid (2 when left out).
- ``tube``: ``"x y z r; x y z r; …"``: round cones between points of a curve, with radius at each.
- ``sheet``: ``"x y z r, x y z r, …; x y z r, …"``: rows of points of a curved plate, with its half thickness.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wholedose.base.errors import InvalidInput
from wholedose.body.field_kernels import (
    BIG_BLOCK,
    bounds,
    ellipsoid_field,
    points_near,
    solid_field,
    sort_cells,
    steepness,
)
from wholedose.body.slabs import over

Array = NDArray[np.float64]

REACH_MM = 30.0
"""How far from its drawn surface a shape may grow."""

CELL_MM = 10.0
PART = 4 * BIG_BLOCK  # points for one thread at least; whole blocks, which are culled together


@dataclass(frozen=True, eq=False)
class Shapes:
    """What a region is drawn of.

    Attributes
    ----------
    ellipsoids : float64 array [k, 16]
        Centre, half axes, rotation (rows), exponent.
    cones : float64 array [k, 8]
        Two ends with radii.
    triangles : float64 array [k, 12]
        Three corners with half thicknesses.
    cuts : float64 array [k, 4]
        Half spaces ``a x + b y + c z < d`` that bound the region, normals of length 1.
    """

    ellipsoids: Array
    cones: Array
    triangles: Array
    cuts: Array

    def boxes(self) -> Array:
        """Return lower and upper corners of all primitives, [k, 2, 3], without reach."""
        found = []
        if len(self.ellipsoids):
            centre, half = self.ellipsoids[:, :3], self.ellipsoids[:, 3:6]
            turn = np.abs(self.ellipsoids[:, 6:15].reshape(-1, 3, 3))
            span = np.einsum("kij,ki->kj", turn, half)
            found.append(np.stack([centre - span, centre + span], axis=1))
        if len(self.cones):
            ends = self.cones.reshape(-1, 2, 4)
            found.append(_box(ends))
        if len(self.triangles):
            found.append(_box(self.triangles.reshape(-1, 3, 4)))
        return np.concatenate(found) if found else np.zeros((0, 2, 3))

    def field(
        self,
        points_mm: NDArray[np.float32],
        chosen: NDArray[np.int64],
        reach_mm: float = REACH_MM,
        floor_mm: float = -math.inf,
    ) -> Any:
        """Return the field in mm at chosen points; above ``reach_mm`` it is only known to be larger.

        Parameters
        ----------
        points_mm : float32 array [n, 3]
        chosen : int64 array [m]
        reach_mm : float
        floor_mm : float
            Below this the field is only known to be lower.

        Returns
        -------
        float32 array [m]
        """
        out = np.full(len(chosen), np.float32(2.0 * reach_mm), dtype=np.float32)
        steep = [steepness(self.cones, True), steepness(self.triangles, False)]

        def part(first: int, last: int) -> None:
            if len(self.ellipsoids):
                ellipsoid_field(points_mm, chosen, self.ellipsoids, reach_mm, floor_mm, first, last, out)
            if len(self.cones):
                solid_field(points_mm, chosen, self.cones, True, steep[0], reach_mm, first, last, out)
            if len(self.triangles):
                solid_field(points_mm, chosen, self.triangles, False, steep[1], reach_mm, first, last, out)

        over(len(chosen), PART, part)
        for a, b, c, d in self.cuts:
            at = points_mm[chosen]
            np.maximum(out, (a * at[:, 0] + b * at[:, 1] + c * at[:, 2] - d).astype(np.float32), out=out)
        return out

    def mirrored(self) -> Shapes:
        """Return the shapes on the other side of the median plane."""
        e, c, t, cut = self.ellipsoids.copy(), self.cones.copy(), self.triangles.copy(), self.cuts.copy()
        if len(e):
            e[:, 0] *= -1.0
            e[:, [6, 9, 12]] *= -1.0
        if len(c):
            c[:, [0, 4]] *= -1.0
        if len(t):
            t[:, [0, 4, 8]] *= -1.0
        if len(cut):
            cut[:, 0] *= -1.0
        return Shapes(e, c, t, cut)

    def joined(self, other: Shapes) -> Shapes:
        """Return both together; the cuts must be the same."""
        return Shapes(
            np.concatenate([self.ellipsoids, other.ellipsoids]),
            np.concatenate([self.cones, other.cones]),
            np.concatenate([self.triangles, other.triangles]),
            self.cuts,
        )


def _box(corners: Array) -> Array:
    radius = corners[:, :, 3:]
    return np.stack([(corners[:, :, :3] - radius).min(1), (corners[:, :, :3] + radius).max(1)], axis=1)


def _numbers(text: str, count: int, where: str) -> list[float]:
    try:
        values = [float(part) for part in text.split()]
    except ValueError:
        raise InvalidInput(f"{text!r} does not hold numbers.", where=where) from None
    if len(values) != count or not np.isfinite(values).all():
        raise InvalidInput(f"{text!r} has {len(values)} numbers, not {count}.", where=where)
    return values


def _ellipsoid(text: str, where: str) -> Array:
    parts = [part.strip() for part in text.split(";")]
    if not 2 <= len(parts) <= 4:
        raise InvalidInput(f"The ellipsoid {text!r} needs centre; half axes; turns; exponent.", where=where)
    centre = _numbers(parts[0], 3, where)
    half = _numbers(parts[1], 3, where)
    turns = np.radians(_numbers(parts[2], 3, where)) if len(parts) > 2 and parts[2] else np.zeros(3)
    n = _numbers(parts[3], 1, where)[0] if len(parts) > 3 else 2.0
    if min(half) <= 0 or n < 1:
        raise InvalidInput(
            f"The ellipsoid {text!r} has no size.", where=where, way_out="Half axes > 0, n ≥ 1."
        )
    (cx, cy, cz), (sx, sy, sz) = np.cos(turns), np.sin(turns)
    rx = np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
    ry = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    rz = np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]])
    # rows are the ellipsoid's own axes in template space
    return np.concatenate([centre, half, (rz @ ry @ rx).T.ravel(), [n]])


def _tube(text: str, where: str) -> Array:
    points = [_numbers(part, 4, where) for part in text.split(";")]
    if len(points) < 2 or min(p[3] for p in points) <= 0:
        raise InvalidInput(f"The tube {text!r} needs two points or more, with radii above 0.", where=where)
    return np.array([[*a, *b] for a, b in pairwise(points)])


def _sheet(text: str, where: str) -> Array:
    rows = [[_numbers(part, 4, where) for part in row.split(",")] for row in text.split(";")]
    if len(rows) < 2 or len({len(row) for row in rows}) != 1 or len(rows[0]) < 2:
        raise InvalidInput(f"The sheet {text!r} needs two rows or more of equally many points.", where=where)
    found = []
    for upper, lower in pairwise(rows):
        for i in range(len(upper) - 1):
            a, b, c, d = upper[i], upper[i + 1], lower[i], lower[i + 1]
            found += [[*a, *b, *c], [*b, *d, *c]]
    return np.array(found)


def _cuts(text: object, where: str) -> Array:
    """Read half spaces: ``"a b c d; …"`` for a x + b y + c z < d in mm."""
    found = []
    for part in (p for p in (text.split(";") if isinstance(text, str) else ()) if p.strip()):
        values = np.array(_numbers(part, 4, where))
        length = float(np.linalg.norm(values[:3]))
        if length == 0.0:
            raise InvalidInput(f"The cut {part!r} has no direction.", where=where)
        found.append(values / length)
    return np.array(found).reshape(-1, 4)


def shapes_of(rows: Iterable[Mapping[str, Any]], where: str = "anatomy") -> Shapes:
    """Read the shapes of one region from table rows.

    Parameters
    ----------
    rows : iterable of mapping
        With ``kind``, ``side`` (``mid``, ``left``, or ``both``: drawn at the left and mirrored), ``points``
        and ``cuts``. All rows of a region share the cuts of the first.

    Raises
    ------
    InvalidInput
        A shape that cannot be read; the message names the row.
    """
    rows = list(rows)
    parts: dict[str, list[Array]] = {"ellipsoid": [], "tube": [], "sheet": []}
    mirrored: dict[str, list[Array]] = {"ellipsoid": [], "tube": [], "sheet": []}
    cuts = np.zeros((0, 4))
    for i, row in enumerate(rows):
        at = f"{where}, row {i + 1}"
        kind, side = str(row["kind"]), str(row["side"])
        if kind not in parts:
            raise InvalidInput(
                f"The kind {kind!r} is unknown.", where=at, way_out=f"Give {', '.join(parts)}."
            )
        if side not in ("mid", "left", "right", "both"):
            raise InvalidInput(
                f"The side {side!r} is unknown.", where=at, way_out="Give mid, left, right or both."
            )
        text = str(row["points"])
        read = {"ellipsoid": _ellipsoid, "tube": _tube, "sheet": _sheet}[kind](text, at)
        flat = np.atleast_2d(read)
        parts[kind].append(flat)
        if side == "both":
            mirrored[kind].append(flat)
        if i == 0:
            # a column without any cut is read as numbers
            cuts = _cuts(row.get("cuts"), at)
    width = {"ellipsoid": 16, "tube": 8, "sheet": 12}

    def joined(lists: Mapping[str, list[Array]]) -> Shapes:
        e, t, s = (np.concatenate(lists[k]) if lists[k] else np.zeros((0, width[k])) for k in width)
        return Shapes(e, t, s, cuts)

    return joined(parts).joined(joined(mirrored).mirrored())


@dataclass(eq=False)
class Cells:
    """Points sorted into cubes, to find those near a shape.

    Parameters
    ----------
    points_mm : float32 array [n, 3]
    """

    points_mm: NDArray[np.float32]
    _low: Array = field(init=False)
    _count: NDArray[np.int64] = field(init=False)
    _start: NDArray[np.int64] = field(init=False)
    _order: NDArray[np.int32] = field(init=False)

    def __post_init__(self) -> None:
        points = self.points_mm
        if len(points) == 0:
            raise InvalidInput("There are no points to paint.")
        self._low, high = np.empty(3), np.empty(3)
        bounds(points, self._low, high)
        self._count = np.floor((high - self._low) / CELL_MM).astype(np.int64) + 1
        self._start, self._order = sort_cells(points, self._low, CELL_MM, self._count)

    def near(
        self, boxes: Array, reach_mm: float, label: NDArray[np.int16] | None = None
    ) -> NDArray[np.int64]:
        """Return the indices of points in cubes that touch any of the boxes [k, 2, 3] widened by a reach.

        Points stand cube by cube, so that neighbours in the answer are neighbours in space; with ``label``
        only those whose label is 0.
        """
        if label is None:
            label = np.zeros(len(self.points_mm), dtype=np.int16)
        first = np.floor((boxes[:, 0] - reach_mm - self._low) / CELL_MM).astype(np.int64)
        last = np.floor((boxes[:, 1] + reach_mm - self._low) / CELL_MM).astype(np.int64) + 1
        first, last = np.clip(first, 0, self._count), np.clip(last, 0, self._count)
        found: NDArray[np.int64] = points_near(first, last, self._count, self._start, self._order, label)
        return found
