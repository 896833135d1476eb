"""How regions claim voxels. Defines `Canvas`, `Claim` and `lowest`.

Every region claims, in order of priority, its *free* voxels of lowest score (the field of its shape, or a
depth) until its volume is met. So each region has the asked volume at any age, size, pose and voxel size,
nothing overlaps, and where the asked volume does not find room, that is said instead of being lost.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from wholedose.base.errors import InvalidInput
from wholedose.body.fields import REACH_MM, Cells, Shapes

Score = NDArray[np.float32]


@dataclass(frozen=True)
class Claim:
    """What a region got.

    Attributes
    ----------
    region : str
    asked_cm3, got_cm3 : float
    threshold_mm : float
        Score of the last voxel: how far the drawn surface had to move to hold the volume.
    """

    region: str
    asked_cm3: float
    got_cm3: float
    threshold_mm: float


def lowest(score: Score, count: int) -> NDArray[np.bool_]:
    """Return which ``count`` scores are the lowest; of equal ones the first, so that machines agree.

    Examples
    --------
    >>> lowest(np.array([3.0, 1.0, 1.0, 2.0], dtype=np.float32), 1).tolist()
    [False, True, False, False]
    """
    if count >= len(score):
        return np.ones(len(score), dtype=np.bool_)
    if count <= 0:
        return np.zeros(len(score), dtype=np.bool_)
    level = np.partition(score, count - 1)[count - 1]
    keep: NDArray[np.bool_] = score < level
    keep[np.flatnonzero(score == level)[: count - int(np.count_nonzero(keep))]] = True
    return keep


@dataclass(eq=False)
class Canvas:
    """The voxels of a body while regions claim them.

    Parameters
    ----------
    template_mm : float32 array [n, 3]
        Template coordinates of the voxels inside the skin.
    depth_mm : float32 array [n]
        Depth under the skin.
    voxel_cm3 : float

    Examples
    --------
    >>> points = np.stack(np.meshgrid(*[np.arange(10.0)] * 3), axis=-1).reshape(-1, 3).astype(np.float32)
    >>> canvas = Canvas(points, points[:, 2], 0.001)
    >>> canvas.claim_lowest(points[:, 2], [("skin", 0.1)]).got_cm3
    0.1
    """

    template_mm: NDArray[np.float32]
    depth_mm: Score
    voxel_cm3: float
    names: list[str] = field(default_factory=list)
    claims: list[Claim] = field(default_factory=list)

    def __post_init__(self) -> None:
        if len(self.template_mm) != len(self.depth_mm):
            raise InvalidInput("Template coordinates and depths belong to different voxels.")
        self.label = np.zeros(len(self.template_mm), dtype=np.int16)

    @cached_property
    def cells(self) -> Cells:
        """The voxels sorted into cubes of the template."""
        return Cells(self.template_mm)

    def move(self, template_mm: NDArray[np.float32]) -> None:
        """Let voxels lie elsewhere in the template."""
        self.template_mm = template_mm
        self.__dict__.pop("cells", None)

    def number(self, region: str) -> int:
        """Return the label of a region, new if it has none yet."""
        if region not in self.names:
            self.names.append(region)
        return self.names.index(region) + 1

    def free(self, chosen: NDArray[np.int64] | None = None) -> NDArray[np.int64]:
        """Return which of the chosen voxels (of all, when None) nobody has claimed."""
        if chosen is None:
            return np.flatnonzero(self.label == 0)
        free: NDArray[np.int64] = chosen[self.label[chosen] == 0]
        return free

    def near(self, shapes: Shapes, reach_mm: float = REACH_MM) -> tuple[NDArray[np.int64], Score]:
        """Return the free voxels near shapes and their field."""
        chosen = self.cells.near(shapes.boxes(), reach_mm, self.label)
        return chosen, shapes.field(self.template_mm, chosen, reach_mm)

    def claim(
        self, shapes: Shapes, regions: Sequence[tuple[str, float]], reach_mm: float = REACH_MM
    ) -> Claim:
        """Let nested regions claim a drawn shape.

        Parameters
        ----------
        shapes : Shapes
        regions : sequence of (str, float)
            Names and volumes in cm³, from the innermost (contents) to the outermost (wall).
        reach_mm : float
            How far from its drawn surface the shape may grow.
        """
        chosen, score = self.near(shapes, reach_mm)
        within = score <= reach_mm
        return self.take(chosen[within], score[within], regions)

    def claim_lowest(self, score: Score, regions: Sequence[tuple[str, float]]) -> Claim:
        """Let regions claim the free voxels of lowest score, given for all voxels."""
        chosen = self.free()
        return self.take(chosen, score[chosen], regions)

    def take(self, chosen: NDArray[np.int64], score: Score, regions: Sequence[tuple[str, float]]) -> Claim:
        """Let nested regions claim the voxels of lowest score among the chosen free ones."""
        edges = np.rint(np.cumsum([0.0, *(cm3 for _, cm3 in regions)]) / self.voxel_cm3).astype(np.int64)
        count = int(min(edges[-1], len(chosen)))
        # what does not find room is missing from all nested regions in proportion, not from the wall alone
        if count < edges[-1]:
            edges = np.rint(edges * (count / max(int(edges[-1]), 1))).astype(np.int64)
        numbers = [self.number(region) for region, _ in regions]
        threshold = float("nan")
        # from the outside in: the next region keeps the lowest of what this one was given
        for number, last in zip(numbers[::-1], edges[:0:-1], strict=True):
            keep = lowest(score, int(last))
            chosen, score = chosen[keep], score[keep]
            self.label[chosen] = number
            if number == numbers[-1] and last:
                threshold = float(score.max())
        claim = Claim("", 0.0, 0.0, threshold)
        for (region, cm3), first, last in zip(regions, edges[:-1], edges[1:], strict=True):
            claim = Claim(region, cm3, float((last - first) * self.voxel_cm3), threshold)
            self.claims.append(claim)
        return claim

    def assign(self, chosen: NDArray[np.int64], region: str) -> None:
        """Give voxels to a region without asking for a volume."""
        self.label[chosen] = self.number(region)
