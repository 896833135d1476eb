"""Mathematical solids of the stylised body. Defines `Shape`, `shapes_from` and `Frame`.

A solid is an ellipsoid, an elliptical cylinder along x or z, or a tube (round cone with round ends), given in
the cm of the published adult and brought to the person by a `Frame`. Each solid answers with an approximate
*depth* below its surface, positive inside, from which shells and fills follow.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wholedose.base.errors import InvalidInput

Axes = tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]
Depth = NDArray[np.float32]
Box = tuple[slice, slice, slice]


@dataclass(frozen=True)
class Frame:
    """How published cm become mm of the person: scales of positions along x, y, z, and of radii across z.

    Radii scale with ``rx`` and ``ry`` (like positions when 0) and along z with ``z``.
    """

    x: float
    y: float
    z: float
    rx: float = 0.0
    ry: float = 0.0
    shift_y: float = 0.0
    shift_z: float = 0.0

    @property
    def round(self) -> float:
        """Scale of the radius of a round section, in mm per published cm."""
        return 10.0 * math.sqrt((self.rx or self.x) * (self.ry or self.y))

    def point(self, x: float, y: float, z: float) -> tuple[float, float, float]:
        """Return a published point (cm) in mm of the person."""
        return 10.0 * self.x * x, 10.0 * self.y * y + self.shift_y, 10.0 * self.z * z + self.shift_z


@dataclass(frozen=True)
class Cut:
    """A half space ``cx·x + cy·y + cz·z < limit`` in published cm."""

    cx: float
    cy: float
    cz: float
    limit: float


_TERM = re.compile(r"([+-]?)(\d*\.?\d*)([xyz])(?:/(\d+\.?\d*))?")


def parse_cuts(text: str) -> tuple[Cut, ...]:
    """Read half spaces such as ``"x>3 z<54"`` or ``"x/35+y/45-z/43<-1"``.

    Examples
    --------
    >>> parse_cuts("z>14")
    (Cut(cx=-0.0, cy=-0.0, cz=-1.0, limit=-14.0),)
    """
    cuts = []
    for part in str(text).split():
        match = re.fullmatch(r"([^<>]+)([<>])(-?\d+\.?\d*)", part)
        if match is None:
            raise InvalidInput(f"The cut {part!r} is not of the form ax+by+cz<d.")
        coefficient = {"x": 0.0, "y": 0.0, "z": 0.0}
        for sign, factor, axis, divisor in _TERM.findall(match[1]):
            value = float(factor or 1.0) / float(divisor or 1.0)
            coefficient[axis] += -value if sign == "-" else value
        turn = 1.0 if match[2] == "<" else -1.0
        c = coefficient
        cuts.append(Cut(turn * c["x"], turn * c["y"], turn * c["z"], turn * float(match[3])))
    return tuple(cuts)


@dataclass(frozen=True)
class Shape:
    """One solid, in the person's mm.

    Attributes
    ----------
    organ : str
        The label that it fills.
    kind : {"ellipsoid", "cylx", "cylz", "tube"}
    centre, end : point in mm
        Centre of an ellipsoid; first and second end of a cylinder or tube.
    radii : (a, b, c) in mm
        Half axes; for a tube a and c are the radii at the two ends.
    axis_x, axis_y, axis_z : unit vectors
        Directions of the half axes of an ellipsoid.
    wall_mm : float
        Only the shell down to this depth counts; infinite for a full solid.
    cuts : half spaces in published cm
    frame : Frame
    mirror : bool
        Whether x changes sign (the right one of a pair).
    fit : {"abc", "ab", "none"}
        Which radii change when the organ is fitted to its mass.
    """

    organ: str
    kind: str
    centre: tuple[float, float, float]
    end: tuple[float, float, float]
    radii: tuple[float, float, float]
    rotation: NDArray[np.float64]
    wall_mm: float
    cuts: tuple[Cut, ...]
    frame: Frame
    mirror: bool
    fit: str

    def scaled(self, q: float) -> Shape:
        """Return the solid with its radii multiplied by q (as far as ``fit`` lets it)."""
        a, b, c = self.radii
        if self.fit == "none":
            return self
        radii = (a * q, b * q, c if self.fit == "ab" else c * q)
        return Shape(
            self.organ, self.kind, self.centre, self.end, radii, self.rotation, self.wall_mm * q, self.cuts,
            self.frame, self.mirror, self.fit,
        )  # fmt: skip

    def bounds(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the lower and upper corner (x, y, z) in mm of a box around the solid."""
        a, b, c = self.radii
        p, q = np.array(self.centre), np.array(self.end)
        if self.kind == "tube":
            reach = max(a, c)
            low, high = np.minimum(p, q) - reach, np.maximum(p, q) + reach
        elif self.kind == "cylz":
            low, high = np.array([p[0] - a, p[1] - b, p[2]]), np.array([p[0] + a, p[1] + b, q[2]])
        elif self.kind == "cylx":
            low, high = np.array([p[0], p[1] - b, p[2] - c]), np.array([q[0], p[1] + b, p[2] + c])
        else:
            reach3 = np.sqrt((self.rotation**2).T @ np.array([a, b, c]) ** 2)
            low, high = p - reach3, p + reach3
        if self.mirror:
            low, high = low.copy(), high.copy()
            low[0], high[0] = -high[0], -low[0]
        return low, high

    def box(self, axes: Axes) -> Box:
        """Return the part of the grid that can lie inside the solid."""
        low, high = self.bounds()
        parts = []
        for axis, k in zip(axes, (2, 1, 0), strict=True):
            start, stop = np.searchsorted(axis, [low[k], high[k]])
            parts.append(slice(int(start), int(stop)))
        return parts[0], parts[1], parts[2]

    def depth(self, axes: Axes) -> tuple[Box, Depth]:
        """Return the box and in it the depth in mm below the surface, positive inside; cut parts negative."""
        box = self.box(axes)
        z, y, x = (axis[part] for axis, part in zip(axes, box, strict=True))
        z, y, x = z[:, None, None], y[None, :, None], x[None, None, :]
        if self.mirror:
            x = -x
        found = self._depth(x, y, z)
        if math.isfinite(self.wall_mm):
            found = np.minimum(found, np.float32(self.wall_mm) - found)
        for cut in self.cuts:
            f = self.frame
            plane = (
                np.float32(cut.cx / (10 * f.x)) * x
                + np.float32(cut.cy / (10 * f.y)) * (y - np.float32(f.shift_y))
                + np.float32(cut.cz / (10 * f.z)) * (z - np.float32(f.shift_z))
            )
            found = np.where(plane < np.float32(cut.limit), found, np.float32(-1.0))
        return box, found.astype(np.float32, copy=False)

    def _depth(self, x: Depth, y: Depth, z: Depth) -> Depth:
        a, b, c = (max(r, 1e-3) for r in self.radii)
        px, py, pz = self.centre
        if self.kind == "tube":
            qx, qy, qz = self.end
            dx, dy, dz = qx - px, qy - py, qz - pz
            length2 = max(dx * dx + dy * dy + dz * dz, 1e-6)
            t = ((x - px) * dx + (y - py) * dy + (z - pz) * dz) / length2
            t = np.clip(t, 0.0, 1.0)
            gap = np.sqrt((x - px - t * dx) ** 2 + (y - py - t * dy) ** 2 + (z - pz - t * dz) ** 2)
            return np.asarray(a + t * (c - a) - gap, dtype=np.float32)
        if self.kind == "cylz":
            flat = _ellipse_depth(x - px, y - py, a, b)
            return np.broadcast_to(flat, np.broadcast_shapes(flat.shape, z.shape))
        if self.kind == "cylx":
            flat = _ellipse_depth(y - py, z - pz, b, c)
            return np.broadcast_to(flat, np.broadcast_shapes(flat.shape, x.shape))
        turn = self.rotation.astype(np.float32)
        ex, ey, ez = x - px, y - py, z - pz
        u = (turn[0, 0] * ex + turn[0, 1] * ey + turn[0, 2] * ez) / a
        v = (turn[1, 0] * ex + turn[1, 1] * ey + turn[1, 2] * ez) / b
        w = (turn[2, 0] * ex + turn[2, 1] * ey + turn[2, 2] * ez) / c
        level = u * u + v * v + w * w
        # first-order distance to the surface: (1 - level) / |gradient of level|
        slope = 2 * np.sqrt((u / a) ** 2 + (v / b) ** 2 + (w / c) ** 2)
        return np.asarray((1 - level) / np.maximum(slope, 1 / max(a, b, c)), dtype=np.float32)


def _ellipse_depth(x: Depth, y: Depth, a: float, b: float) -> Depth:
    """First-order distance to an ellipse: (1 - level) / |gradient of level|, level its normalised radius."""
    level = np.sqrt((x / a) ** 2 + (y / b) ** 2)
    slope = np.sqrt((x / a**2) ** 2 + (y / b**2) ** 2) / np.maximum(level, np.float32(1e-3))
    return np.asarray((1 - level) / np.maximum(slope, 1 / max(a, b)), dtype=np.float32)


def rotation(about_x: float, about_y: float, about_z: float) -> NDArray[np.float64]:
    """Return the matrix that turns body axes into a solid's axes; angles in degrees, z last."""
    cx, sx = math.cos(math.radians(about_x)), math.sin(math.radians(about_x))
    cy, sy = math.cos(math.radians(about_y)), math.sin(math.radians(about_y))
    cz, sz = math.cos(math.radians(about_z)), math.sin(math.radians(about_z))
    rx = np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
    ry = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    rz = np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]])
    return np.asarray((rz @ ry @ rx).T, dtype=np.float64)


def shapes_from(rows: Sequence[dict[str, Any]], frames: dict[str, Frame], sex: str) -> list[Shape]:
    """Make solids from table rows; a row of side ``both`` makes a left and a right one.

    Parameters
    ----------
    rows : table rows
        Columns as in ``body/published_solids``.
    frames : mapping of frame name to Frame
    sex : str
        Rows of the other sex are left out.
    """
    found: list[Shape] = []
    for row in rows:
        if row["sex"] not in ("both", sex):
            continue
        frame = frames[str(row["frame"])]
        cell = {key: 0.0 if _empty(row[key]) else float(row[key]) for key in _NUMBERS}
        scales = (10 * (frame.rx or frame.x), 10 * (frame.ry or frame.y), 10 * frame.z)
        radii = [cell[k] * s for k, s in zip("abc", scales, strict=True)]
        if row["kind"] == "tube":
            radii = [cell[k] * frame.round for k in "aac"]
        wall = math.inf if _empty(row["wall"]) else cell["wall"] * frame.round
        found.extend(
            Shape(
                str(row["organ"]),
                str(row["kind"]),
                frame.point(cell["x"], cell["y"], cell["z"]),
                frame.point(cell["x2"], cell["y2"], cell["z2"]),
                (radii[0], radii[1], radii[2]),
                rotation(cell["turn_x"], cell["turn_y"], cell["turn_z"]),
                wall,
                parse_cuts("" if _empty(row["cuts"]) else row["cuts"]),
                frame,
                mirror,
                str(row["fit"]),
            )
            for mirror in ((False, True) if row["side"] == "both" else (False,))
        )
    return found


_NUMBERS = ("x", "y", "z", "a", "b", "c", "x2", "y2", "z2", "turn_x", "turn_y", "turn_z", "wall")


def _empty(value: Any) -> bool:
    return str(value).strip() in ("", "nan")
