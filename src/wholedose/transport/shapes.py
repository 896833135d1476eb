"""Simple solids. Defines `Box`, `Cylinder`, `Disc`, and what the kernels ask of them: `contains`, `chord`.

A shape is a row of numbers for the kernels (`SHAPE_NUMBERS` wide): kind, centre, half edges or axis with half
length and radius, and the normal of a cut through the centre (zero for none). All are convex, so that
a ray crosses each in one interval.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from wholedose.base import InvalidInput
from wholedose.transport.compiled import jit

FloatArray = NDArray[np.float64]
Point = tuple[float, float, float]

BOX, CYLINDER, DISC = 0.0, 1.0, 2.0
SHAPE_NUMBERS = 12
_AXES = {"x": (1.0, 0.0, 0.0), "y": (0.0, 1.0, 0.0), "z": (0.0, 0.0, 1.0)}


class Shape(Protocol):
    """A convex region of space."""

    @property
    def volume_cm3(self) -> float:
        """Volume in cm³."""
        ...

    def row(self, lower_mm: Point) -> FloatArray:
        """Return the kernels' numbers, in cm from a low corner."""
        ...

    def bounds_mm(self) -> tuple[FloatArray, FloatArray]:
        """Return the low and the high corner of a box around the shape, LPS mm."""
        ...


def _direction(axis: str | ArrayLike) -> FloatArray:
    named = _AXES.get(axis, ()) if isinstance(axis, str) else axis
    vector = np.asarray(named, dtype=np.float64)
    norm = float(np.linalg.norm(vector)) if vector.shape == (3,) else 0.0
    if not norm > 0.0:
        raise InvalidInput(f"No axis {axis!r}.", way_out='Give "x", "y", "z" or three numbers.')
    return np.asarray(vector / norm)


def _positive(what: str, *lengths: float) -> None:
    if not all(math.isfinite(length) and length > 0 for length in lengths):
        raise InvalidInput(f"The {what} needs positive lengths in mm, got {lengths}.")


@dataclass(frozen=True)
class Box:
    """A box with edges along the axes: centre and full edges (x, y, z), LPS mm."""

    centre_mm: Point
    size_mm: Point

    def __post_init__(self) -> None:
        _positive("box", *self.size_mm)

    @classmethod
    def between(cls, low_mm: Point, high_mm: Point) -> Box:
        """Return the box between two corners."""
        low, high = np.asarray(low_mm, float), np.asarray(high_mm, float)
        centre, size = (low + high) / 2, high - low
        return cls((centre[0], centre[1], centre[2]), (size[0], size[1], size[2]))

    @property
    def volume_cm3(self) -> float:
        """Volume in cm³."""
        return float(np.prod(self.size_mm)) / 1000.0

    def row(self, lower_mm: Point) -> FloatArray:
        """Return the kernels' numbers, in cm from a low corner."""
        centre = (np.asarray(self.centre_mm, float) - lower_mm) / 10.0
        return np.concatenate([[BOX], centre, np.asarray(self.size_mm, float) / 20.0, np.zeros(5)])

    def bounds_mm(self) -> tuple[FloatArray, FloatArray]:
        """Return the low and the high corner of a box around the shape, LPS mm."""
        centre, half = np.asarray(self.centre_mm, float), np.asarray(self.size_mm, float) / 2
        return centre - half, centre + half


@dataclass(frozen=True)
class Cylinder:
    """A circular cylinder, or half of one.

    Parameters
    ----------
    centre_mm : (x, y, z)
        The middle of its axis.
    radius_mm, length_mm : float
    axis : {"x", "y", "z"} or three numbers
    half : three numbers, optional
        Keeps only the half of the cylinder on this side of the plane through its axis, such as (1, 0, 0).
    """

    centre_mm: Point
    radius_mm: float
    length_mm: float
    axis: str | Point = "z"
    half: Point | None = None

    def __post_init__(self) -> None:
        _positive("cylinder", self.radius_mm, self.length_mm)
        if self.half is not None and abs(float(_direction(self.half) @ _direction(self.axis))) > 1e-9:
            raise InvalidInput("A half cylinder is cut along its axis.", where="half",
                               way_out="Give a direction perpendicular to the axis.")  # fmt: skip

    @property
    def volume_cm3(self) -> float:
        """Volume in cm³."""
        whole = math.pi * self.radius_mm**2 * self.length_mm / 1000.0
        return whole if self.half is None else whole / 2.0

    def row(self, lower_mm: Point) -> FloatArray:
        """Return the kernels' numbers, in cm from a low corner."""
        centre = (np.asarray(self.centre_mm, float) - lower_mm) / 10.0
        cut = np.zeros(3) if self.half is None else _direction(self.half)
        sizes = [self.length_mm / 20.0, (self.radius_mm / 10.0) ** 2]
        return np.concatenate([[CYLINDER], centre, _direction(self.axis), sizes, cut])

    def bounds_mm(self) -> tuple[FloatArray, FloatArray]:
        """Return the low and the high corner of a box around the shape, LPS mm."""
        axis = _direction(self.axis)
        reach = np.abs(axis) * self.length_mm / 2 + self.radius_mm * np.sqrt(1.0 - axis**2)
        centre = np.asarray(self.centre_mm, float)
        return centre - reach, centre + reach


@dataclass(frozen=True)
class Disc:
    """A flat disc to score fluence through: a photon that crosses it counts 1/|cosθ| over the area.

    Its ``volume_cm3`` is that of a layer of 1 cm, so that fluence is track length over volume as elsewhere.
    """

    centre_mm: Point
    radius_mm: float
    axis: str | Point = "z"

    def __post_init__(self) -> None:
        _positive("disc", self.radius_mm)

    @property
    def volume_cm3(self) -> float:
        """Its area in cm² times 1 cm."""
        return math.pi * self.radius_mm**2 / 100.0

    def row(self, lower_mm: Point) -> FloatArray:
        """Return the kernels' numbers, in cm from a low corner."""
        centre = (np.asarray(self.centre_mm, float) - lower_mm) / 10.0
        return np.concatenate(
            [[DISC], centre, _direction(self.axis), [0.0, (self.radius_mm / 10.0) ** 2], np.zeros(3)]
        )

    def bounds_mm(self) -> tuple[FloatArray, FloatArray]:
        """Return the low and the high corner of a box around the shape, LPS mm."""
        reach = self.radius_mm * np.sqrt(1.0 - _direction(self.axis) ** 2)
        centre = np.asarray(self.centre_mm, float)
        return centre - reach, centre + reach


@jit
def contains(shape: Any, x: Any, y: Any, z: Any) -> Any:
    """Return whether a point in cm lies in a shape's row; never for a disc."""
    px, py, pz = x - shape[1], y - shape[2], z - shape[3]
    if shape[0] == BOX:
        return abs(px) <= shape[4] and abs(py) <= shape[5] and abs(pz) <= shape[6]
    if shape[0] == DISC:
        return False
    along = px * shape[4] + py * shape[5] + pz * shape[6]
    if abs(along) > shape[7]:
        return False
    if px * shape[9] + py * shape[10] + pz * shape[11] < 0.0:
        return False
    return px * px + py * py + pz * pz - along * along <= shape[8]


@jit
def _between(p: Any, d: Any, half: Any, near: Any, far: Any) -> Any:
    """Narrow an interval of a ray to |p + d t| ≤ half."""
    if d == 0.0:
        if abs(p) > half:
            return near, near
        return near, far
    a, b = (-half - p) / d, (half - p) / d
    return max(near, min(a, b)), min(far, max(a, b))


@jit
def chord(shape: Any, x: Any, y: Any, z: Any, u: Any, v: Any, w: Any, length: Any) -> Any:
    """Return how many cm of a flight lie in a shape; for a disc 1/|cosθ| if the flight crosses it."""
    px, py, pz = x - shape[1], y - shape[2], z - shape[3]
    if shape[0] == BOX:
        near, far = _between(px, u, shape[4], 0.0, length)
        near, far = _between(py, v, shape[5], near, far)
        near, far = _between(pz, w, shape[6], near, far)
        return max(far - near, 0.0)
    along = px * shape[4] + py * shape[5] + pz * shape[6]
    slope = u * shape[4] + v * shape[5] + w * shape[6]
    if shape[0] == DISC:
        if slope == 0.0:
            return 0.0
        t = -along / slope
        if t <= 0.0 or t > length:
            return 0.0
        qx, qy, qz = px + t * u, py + t * v, pz + t * w
        return 1.0 / abs(slope) if qx * qx + qy * qy + qz * qz <= shape[8] else 0.0
    near, far = _between(along, slope, shape[7], 0.0, length)
    if far <= near:
        return 0.0
    # across the axis: |q + e t|² ≤ r², with q and e the parts of position and direction
    a = max(1.0 - slope * slope, 0.0)
    b = px * u + py * v + pz * w - along * slope
    c = px * px + py * py + pz * pz - along * along - shape[8]
    if a < 1e-14:
        if c > 0.0:
            return 0.0
    else:
        root2 = b * b - a * c
        if root2 <= 0.0:
            return 0.0
        root = math.sqrt(root2)
        near, far = max(near, (-b - root) / a), min(far, (-b + root) / a)
    p = px * shape[9] + py * shape[10] + pz * shape[11]
    d = u * shape[9] + v * shape[10] + w * shape[11]
    if d > 0.0:
        near = max(near, -p / d)
    elif d < 0.0:
        far = min(far, -p / d)
    elif p < 0.0:
        return 0.0
    return max(far - near, 0.0)
