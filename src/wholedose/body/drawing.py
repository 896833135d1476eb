"""Labels while they are drawn. Defines `Drawing`."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from wholedose.body.shapes import Axes, Box, Shape

AIRWAY = np.int16(-2)
PENDING = np.int16(-1)


class Drawing:
    """Labels while they are drawn: earlier organs keep their voxels."""

    def __init__(
        self, axes: Axes, depth: NDArray[np.float32], names: tuple[str, ...], voxel_cm3: float
    ) -> None:
        self.axes, self.depth, self.names, self.voxel_cm3 = axes, depth, names, voxel_cm3
        self.labels = np.zeros(depth.shape, dtype=np.int16)
        # organs keep off the outermost voxels, so that none touches air
        self.free_space = core_of(depth > 0)
        self.only: NDArray[np.bool_] | None = None
        self.bone_depth = np.zeros(depth.shape, dtype=np.float32)

    def number(self, name: str) -> int:
        """Return the label of a name."""
        return self.names.index(name) + 1

    def claim(self, shapes: list[Shape]) -> list[tuple[Box, NDArray[np.bool_]]]:
        """Return the free voxels inside the skin that the solids hold, without double counting."""
        found = []
        for shape in shapes:
            box, depth = shape.depth(self.axes)
            free = (depth > 0) & (self.labels[box] == 0) & self.free_space[box]
            found.append((box, free if self.only is None else free & self.only[box]))
        return found

    def inside(self, shapes: list[Shape]) -> NDArray[np.bool_]:
        """Return where any of the solids is, labelled or not."""
        found = np.zeros(self.labels.shape, dtype=np.bool_)
        for shape in shapes:
            box, depth = shape.depth(self.axes)
            found[box] |= depth > 0
        return found

    def count(self, shapes: list[Shape]) -> int:
        """Return how many free voxels the solids hold together."""
        claims = self.claim(shapes)
        if len(claims) == 1:
            return int(claims[0][1].sum())
        number = PENDING
        for box, free in claims:
            self.labels[box][free] = number
        total = 0
        for box, _ in claims:
            part = self.labels[box]
            total += int((part == number).sum())
            part[part == number] = 0
        return total

    def fill(self, name: str, shapes: list[Shape]) -> None:
        """Give the free voxels of the solids a label."""
        number = self.number(name)
        for box, free in self.claim(shapes):
            self.labels[box][free] = number

    def fill_ranked(self, name: str, shapes: list[Shape], volume_cm3: float) -> None:
        """Give the deepest free voxels of solids a label, as many as the volume asks for."""
        each = volume_cm3 / self.voxel_cm3 / len(shapes)
        number = self.number(name)
        for i, shape in enumerate(shapes):
            wanted = round(each * (i + 1)) - round(each * i)
            if shape.mirror:
                wanted = round(each)
            box, depth = shape.scaled(1.8).depth(self.axes)
            free = (depth > 0) & (self.labels[box] == 0) & self.free_space[box]
            if wanted >= int(free.sum()):
                self.labels[box][free] = number
                continue
            if wanted:
                place = np.argwhere(free)[np.argsort(-depth[free], kind="stable")[:wanted]]
                self.labels[box][tuple(place.T)] = number

    def fit(self, shapes: list[Shape], volume_cm3: float, power: float = 2.5) -> list[Shape]:
        """Scale the radii until the free voxels have the volume (within 1 %, or as near as six tries get)."""
        q, best, miss = 1.0, shapes, math.inf
        for _ in range(6):
            scaled = [shape.scaled(q) for shape in shapes]
            volume = self.count(scaled) * self.voxel_cm3
            if abs(volume / volume_cm3 - 1) < miss:
                best, miss = scaled, abs(volume / volume_cm3 - 1)
            if miss < 0.01:
                break
            q *= min(max((volume_cm3 / max(volume, self.voxel_cm3)) ** (1 / power), 0.6), 1.7)
        return best


def core_of(inside: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return a mask without the voxels that touch its outside along an axis."""
    core = inside.copy()
    for axis in range(3):
        ahead = [slice(None)] * 3
        behind = [slice(None)] * 3
        ahead[axis], behind[axis] = slice(1, None), slice(None, -1)
        core[tuple(ahead)] &= inside[tuple(behind)]
        core[tuple(behind)] &= inside[tuple(ahead)]
    return core
