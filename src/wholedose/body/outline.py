"""The skin surface of the stylised body. Defines `Outline`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from wholedose.base import Grid
from wholedose.body.shapes import Axes, Shape
from wholedose.tables import load

Arms = Literal["up", "down"]
Depth = NDArray[np.float32]

TRUNK_POWER = 2.3
FAR = np.float32(-1e3)


@dataclass(frozen=True)
class Outline:
    """Trunk, neck and head as a stack of superellipses, with limbs and breasts as solids.

    Attributes
    ----------
    z_mm, a_mm, b_mm, y_mm : arrays
        Control sections: height, half widths across and front to back, middle.
    is_head : array of bool
    extra : tuple of Shape
        Limbs, breasts, scrotum; the body is the union.
    """

    z_mm: NDArray[np.float64]
    a_mm: NDArray[np.float64]
    b_mm: NDArray[np.float64]
    y_mm: NDArray[np.float64]
    is_head: NDArray[np.bool_]
    extra: tuple[Shape, ...]

    @classmethod
    def of(cls, sex: str, z_scale: float, girth: float, head: float, extra: tuple[Shape, ...]) -> Outline:
        """Make the outline of a person.

        Parameters
        ----------
        sex : {"F", "M"}
        z_scale : float
            mm of the person per published mm along z.
        girth : float
            Factor on the half widths of the trunk; the neck follows by its square root, the head not.
        head : float
            Factor on the half widths of the head.
        extra : tuple of Shape
        """
        table = load("body/own_outline")
        z = table["z"]
        is_head = table["part"] == "head"
        neck = np.clip((z - 66.0) / 7.0, 0.0, 1.0)
        factor = np.where(is_head, head, girth * (1 - neck) + girth**0.5 * neck)
        a, b, y = (10.0 * factor * table[f"{k}_{sex}"] for k in ("a", "b", "y0"))
        # what a heavier person gains in depth lies mostly in front
        gained = np.where(is_head, 0.0, np.maximum(0.0, 10.0 * table[f"b_{sex}"] * (girth - 1.0)))
        return cls(10.0 * z_scale * z, a, b, y - 0.4 * gained, is_head, extra)

    def section(self, z_mm: NDArray[np.float32]) -> tuple[Depth, Depth, Depth]:
        """Return half widths a, b and the middle y0 in mm at each z; zero width outside."""
        inside = (z_mm >= self.z_mm[0]) & (z_mm <= self.z_mm[-1])
        a, b, y = (
            np.interp(z_mm, self.z_mm, v).astype(np.float32) for v in (self.a_mm, self.b_mm, self.y_mm)
        )
        return np.where(inside, a, np.float32(0)), np.where(inside, b, np.float32(0)), y

    def bounds(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the corners (x, y, z) in mm of the box around the body."""
        lows = [np.array([-self.a_mm.max(), (self.y_mm - self.b_mm).min(), self.z_mm[0]])]
        highs = [np.array([self.a_mm.max(), (self.y_mm + self.b_mm).max(), self.z_mm[-1]])]
        for shape in self.extra:
            low, high = shape.bounds()
            lows.append(low)
            highs.append(high)
        return np.min(lows, axis=0), np.max(highs, axis=0)

    def grid(self, voxel_mm: float, margin: int = 2) -> Grid:
        """Return the grid that holds the body, symmetric in x, with air around it."""
        low, high = self.bounds()
        half = int(np.ceil(max(-low[0], high[0]) / voxel_mm)) + margin
        ny = int(np.ceil((high[1] - low[1]) / voxel_mm)) + 2 * margin
        nz = int(np.ceil((high[2] - low[2]) / voxel_mm)) + 2 * margin
        first_y = (np.floor(low[1] / voxel_mm) - margin + 0.5) * voxel_mm
        first_z = (np.floor(low[2] / voxel_mm) - margin + 0.5) * voxel_mm
        return Grid((nz, ny, 2 * half), (voxel_mm,) * 3, (-(half - 0.5) * voxel_mm, first_y, first_z))

    def depth(self, axes: Axes) -> Depth:
        """Return the approximate depth in mm below the skin of every voxel, positive inside the body."""
        z, y, x = axes
        found = np.full((z.size, y.size, x.size), FAR, dtype=np.float32)
        a, b, y0 = self.section(z)
        power = np.where(np.interp(z, self.z_mm, self.is_head.astype(float)) > 0.5, 2.0, TRUNK_POWER).astype(
            np.float32
        )
        for k in np.flatnonzero(a > 0):
            p = power[k]
            u = np.abs(x / a[k])[None, :] ** p + (np.abs((y - y0[k]) / b[k]) ** p)[:, None]
            u = np.maximum(u ** (1 / p), np.float32(1e-3))
            r = np.sqrt(x[None, :] ** 2 + ((y - y0[k]) ** 2)[:, None])
            found[k] = r * (1 / u - 1)
        for shape in self.extra:
            box, depth = shape.depth(axes)
            np.maximum(found[box], depth, out=found[box])
        return found
