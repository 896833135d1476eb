"""Where the radiosensitive cells of the skin lie, as small patches round a body. Defines `SkinSurface`.

Voxels of millimetres cannot hold the basal layer of the epidermis, 50 to 100 µm under the surface of the
head, trunk, arms and legs. Here it is a surface of its own: of a reference body its very skin mesh, of an
image the smooth boundary of its voxels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_fill_holes, gaussian_filter

from wholedose.base import Grid, UnknownName
from wholedose.base.errors import InvalidInput
from wholedose.body.meshdistance import surface_of

if TYPE_CHECKING:
    from wholedose.body.figure import Figure

FloatArray = NDArray[np.float64]

DEPTH_MM = 0.07
"""Depth of the basal layer that stands for the body: the epidermis is 50 to 100 µm thick on head, trunk, arms
and legs, and 70 µm is ICRP's reference (ICRP 89 as cited by the Health Physics Society, answer 8268). On
palms and soles it may be 400 µm."""

PATCH_MM2 = 40.0  # larger faces are split
BLOCK_MM = 6.0  # faces of voxels within such a cube make one patch
_SLICES, _HALO = 48, 4

_PARTS = {
    "head": ("head", "eye"),
    "neck": ("neck",),
    "arm": ("upperarm", "lowerarm"),
    "hand": ("wrist", "finger", "metacarpal"),
    "leg": ("upperleg", "lowerleg"),
    "foot": ("foot", "toe"),
}
_PAIRED = ("arm", "hand", "leg", "foot")


@dataclass(frozen=True, eq=False)
class SkinSurface:
    """The basal layer of the skin as patches.

    Attributes
    ----------
    points_mm : float32 array ``[n, 3]``
        The middle of each patch, ``depth_mm`` under the surface, LPS mm.
    normals : float32 array ``[n, 3]``
        Unit vectors that lead out of the body.
    area_mm2 : float32 array ``[n]``
    region : int16 array ``[n]``
        Row in ``names``.
    names : tuple of str
        Regions: head, neck, trunk, arm_left … foot_right; ``body`` alone where the parts are not known.
    depth_mm : float
    """

    points_mm: NDArray[np.float32]
    normals: NDArray[np.float32]
    area_mm2: NDArray[np.float32]
    region: NDArray[np.int16]
    names: tuple[str, ...]
    depth_mm: float = DEPTH_MM

    def __len__(self) -> int:
        return len(self.area_mm2)

    @property
    def area_cm2(self) -> float:
        """Area of all patches, cm²."""
        return float(self.area_mm2.sum(dtype=np.float64)) / 100.0

    def where(self, name: str) -> NDArray[np.bool_]:
        """Return which patches belong to a region.

        Raises
        ------
        UnknownName
            This surface has no such region.
        """
        if name not in self.names:
            raise UnknownName("region of the skin", name, self.names)
        return np.asarray(self.region == self.names.index(name))

    @classmethod
    def of_figure(cls, figure: Figure, skin_mm: FloatArray | None = None) -> SkinSurface:
        """Return the surface of a figure: what bounds it, not the walls of mouth and eye sockets.

        Parameters
        ----------
        figure : Figure
        skin_mm : array ``[v, 3]``, optional
            Where its vertices lie in a pose; at rest by default.

        Examples
        --------
        >>> from wholedose.body.figure import template_figure
        >>> round(SkinSurface.of_figure(template_figure()).area_cm2, -3)
        18000.0
        """
        outer = surface_of(figure.vertices_mm, figure.faces)
        faces = figure.faces[outer]
        part, names = _parts(figure)
        region = part[faces].sum(axis=1).argmax(axis=1)
        posed = figure.vertices_mm if skin_mm is None else np.asarray(skin_mm, dtype=np.float64)
        if posed.shape != figure.vertices_mm.shape:
            raise InvalidInput(f"{len(posed)} points do not fit a skin of {len(figure.vertices_mm)}.")
        corners, region = _split(posed[faces], region)
        cross = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        double = np.linalg.norm(cross, axis=1)
        kept = double > 1e-6
        normals = cross[kept] / double[kept, None]
        return cls._at(corners[kept].mean(axis=1), normals, double[kept] / 2.0, region[kept], names)

    @classmethod
    def of_voxels(cls, grid: Grid, inside: NDArray[np.bool_]) -> SkinSurface:
        """Return the smooth boundary of voxels; where the grid cuts the body there is no skin.

        Each face between a voxel inside and one outside is moved to the half level of the smoothed mask,
        takes its normal from there, and counts with its area times the cosine to the normal: a flat surface
        has its true area in any direction. Air that a slice encloses, as in the windpipe, is no outside.

        Parameters
        ----------
        grid : Grid
        inside : bool array ``[z, y, x]``

        Raises
        ------
        InvalidInput
            No voxel is inside, or the boundary lies nowhere within the grid.
        """
        if inside.shape != grid.shape:
            raise InvalidInput(f"The mask {inside.shape} does not fit the grid {grid.shape}.")
        found = [_boundary(grid, inside, first) for first in range(0, grid.shape[0], _SLICES)]
        points, normals, area = (np.concatenate([part[k] for part in found]) for k in range(3))
        if not len(area):
            raise InvalidInput("These voxels have no skin.", way_out="Give a body with air around it.")
        points, normals, area = _blocks(points, normals, area)
        return cls._at(points, normals, area, np.zeros(len(area), dtype=np.int64), ("body",))

    @classmethod
    def _at(
        cls,
        surface_mm: FloatArray,
        normals: FloatArray,
        area: FloatArray,
        region: NDArray[Any],
        names: Sequence[str],
    ) -> SkinSurface:
        arrays = (
            (surface_mm - DEPTH_MM * normals).astype(np.float32),
            normals.astype(np.float32),
            area.astype(np.float32),
            region.astype(np.int16),
        )
        for array in arrays:
            array.setflags(write=False)
        return cls(*arrays, tuple(names))


def _parts(figure: Figure) -> tuple[FloatArray, tuple[str, ...]]:
    """The share ``[v, part]`` of each vertex in the parts of the body, by the bones that move it."""
    names = ["trunk", "head", "neck"]
    names += [f"{part}_{side}" for part in _PAIRED for side in ("left", "right")]
    row = []
    for joint in figure.joints:
        part = next((part for part, starts in _PARTS.items() if joint.startswith(starts)), "trunk")
        side = "left" if joint.endswith(".L") else "right"
        row.append(names.index(f"{part}_{side}" if part in _PAIRED else part))
    share = np.zeros((len(figure.vertices_mm), len(names)))
    vertex = np.arange(len(share))
    for k in range(figure.weight_index.shape[1]):
        np.add.at(share, (vertex, np.array(row)[figure.weight_index[:, k]]), figure.weight[:, k])
    return share, tuple(names)


def _split(corners: FloatArray, region: NDArray[Any]) -> tuple[FloatArray, NDArray[Any]]:
    """Split triangles ``[n, 3, 3]`` in four until none is larger than a patch may be."""
    done, owner = [], []
    while len(corners):
        cross = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        small = np.linalg.norm(cross, axis=1) <= 2.0 * PATCH_MM2
        done.append(corners[small])
        owner.append(region[small])
        a, b, c = (corners[~small, k] for k in range(3))
        ab, bc, ca = (a + b) / 2.0, (b + c) / 2.0, (c + a) / 2.0
        quarters = ((a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca))
        corners = np.concatenate([np.stack(quarter, axis=1) for quarter in quarters])
        region = np.tile(region[~small], 4)
    return np.concatenate(done), np.concatenate(owner)


def _boundary(grid: Grid, inside: NDArray[np.bool_], first: int) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Points, outward normals and areas of the faces whose lower voxel lies in a slab of slices."""
    low = max(first - _HALO, 0)
    slab = np.array([binary_fill_holes(part) for part in inside[low : first + _SLICES + _HALO]])
    if not slab.any():
        return np.zeros((0, 3)), np.zeros((0, 3)), np.zeros(0)
    smooth = gaussian_filter(slab.astype(np.float32), 1.0, mode="nearest", truncate=3.0)
    spacing = np.array(grid.spacing_mm[::-1])  # along x, y, z
    origin = np.array(grid.origin_mm)
    origin[2] += low * spacing[2]
    own = slice(first - low, first - low + _SLICES)
    found = []
    for axis in range(3):
        step = np.eye(3, dtype=np.int64)[axis]
        # of the pair along z the lower voxel decides to which slab the face belongs
        differs = np.diff(slab.astype(np.int8), axis=axis) != 0
        differs[: own.start] = False
        differs[own.stop :] = False
        index = np.argwhere(differs)
        if not len(index):
            continue
        value, slope = np.zeros(len(index)), np.zeros((len(index), 3))
        for end in (index, index + step):
            value += smooth[tuple(end.T)] / 2.0
            for k in range(3):
                up, down = end.copy(), end.copy()
                up[:, k] = np.minimum(up[:, k] + 1, slab.shape[k] - 1)
                down[:, k] = np.maximum(down[:, k] - 1, 0)
                width = np.maximum(up[:, k] - down[:, k], 1) * spacing[2 - k]
                slope[:, 2 - k] += (smooth[tuple(up.T)] - smooth[tuple(down.T)]) / width / 2.0
        size = np.maximum(np.linalg.norm(slope, axis=1), 1e-6)
        normal = -slope / size[:, None]
        shift = np.clip((value - 0.5) / size, -spacing[2 - axis], spacing[2 - axis])
        point = origin + (index + step / 2.0)[:, ::-1] * spacing + shift[:, None] * normal
        face = np.prod(spacing) / spacing[2 - axis]
        found.append((point, normal, face * np.abs(normal[:, 2 - axis])))
    if not found:
        return np.zeros((0, 3)), np.zeros((0, 3)), np.zeros(0)
    return tuple(np.concatenate([part[k] for part in found]) for k in range(3))  # type: ignore[return-value]


def _blocks(
    points: FloatArray, normals: FloatArray, area: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Join the faces in one cube that look the same way into one patch."""
    main = np.abs(normals).argmax(axis=1)
    way = 2 * main + (normals[np.arange(len(main)), main] > 0.0)
    key = np.concatenate([np.floor(points / BLOCK_MM).astype(np.int64), way[:, None]], axis=1)
    _, owner = np.unique(key, axis=0, return_inverse=True)
    owner = owner.reshape(-1)
    total = np.bincount(owner, area)

    def mean(values: FloatArray) -> FloatArray:
        return np.stack([np.bincount(owner, area * values[:, k]) for k in range(3)], axis=1)

    kept = total > 1e-6
    normal = mean(normals)[kept]
    middle = mean(points)[kept] / total[kept, None]
    unit: FloatArray = normal / np.linalg.norm(normal, axis=1, keepdims=True)
    return middle, unit, np.asarray(total[kept], dtype=np.float64)
