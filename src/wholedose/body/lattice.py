"""A person's body as a lattice that bends with the skeleton. Defines `Lattice`.

Every node knows where it lies in the person's rest pose, where the same place lies in the template
(whose anatomy is drawn), and which bones move it. See `wholedose.body.cells` for how nodes are joined,
`wholedose.body.skinning` for how bones move them and `wholedose.body.raster` for how a posed lattice becomes
voxels.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.spatial import cKDTree

from wholedose.base.errors import InvalidInput
from wholedose.base.grid import Grid
from wholedose.body.bending import fitted
from wholedose.body.cells import POINTS, SIDE, Cells
from wholedose.body.figure import skin_volume_cm3
from wholedose.body.levels import drawn_height
from wholedose.body.meshdistance import signed_distance
from wholedose.body.raster import Rastered, rastered
from wholedose.body.skinning import Skin, bent, bones_of, linear_share, vertex_area

FloatArray = NDArray[np.float64]

# so many cubes would fill a person's skin: edges of 14 mm for an adult, 5 mm for a newborn
_CUBES = 25_000
_JOINT = 2.0  # weight of a joint against the skin of one cube face
_TOLERANCE = 1e-3


@dataclass(frozen=True, eq=False)
class Lattice:
    """Nodes and tetrahedra that fill a person's body in the rest pose.

    Parameters
    ----------
    cells : Cells
    template_mm : array ``[n, 3]``
        Where each node lies in the template.
    weight_index, weight : arrays ``[n, 8]``
        The bones that move a node, by their row in the figure, and their shares; these add up to 1.
    linear : array ``[n]``
        The share of a node that belongs to the shoulder, see `wholedose.body.skinning.bent`.
    skin : sparse array ``[v, n]``
        Interpolates from nodes to the vertices of the person's skin.
    """

    cells: Cells
    template_mm: FloatArray
    weight_index: NDArray[np.int16]
    weight: NDArray[np.float32]
    linear: NDArray[np.float32]
    skin: csr_array

    @classmethod
    def of(cls, actual: Skin, core: Skin, template: Skin) -> Lattice:
        """Return the lattice of a person.

        Parameters
        ----------
        actual : Skin
            The person's figure, in mm.
        core : Skin
            The same person lean: its skin and joints are where the template's are in the template.
        template : Skin
            The figure whose anatomy is drawn.

        Raises
        ------
        InvalidInput
            The figures do not have the same vertices, faces and bones.
        """
        if core.vertices_mm.shape != template.vertices_mm.shape or len(core.joint_mm) != len(
            template.joint_mm
        ):
            raise InvalidInput("The lean figure and the template differ in their vertices or bones.")
        h = (1000.0 * skin_volume_cm3(actual.vertices_mm, actual.faces) / _CUBES) ** (1 / 3) / SIDE
        # the lean figure may stick out of the person's skin by a little, and its vertices need cubes too
        distance = signed_distance(actual.vertices_mm, actual.faces, h, multiple=SIDE, margin_mm=1.5 * h)
        mirrored = _is_mirrored(actual) and _is_mirrored(core) and _is_mirrored(template)
        if mirrored:
            middle = distance.values.shape[2] // 2
            left, right = distance.values[:, :, :middle], distance.values[:, :, :middle:-1]
            right[...] = np.maximum(left, right, out=left)
        cells = Cells.of(distance)
        twin = _twins(cells) if mirrored else None
        skin, known = cells.locate(actual.vertices_mm)
        if not known.all():
            raise InvalidInput("The lattice misses a part of the skin.", way_out="Give a closed skin mesh.")
        mapped = _map(cells, actual, core, template, twin)
        index, weight = bones_of(cells, actual, skin, twin)
        return cls(cells, mapped, index, weight, linear_share(actual, index, weight), skin)

    @property
    def node_mm(self) -> FloatArray:
        """Where nodes lie in the rest pose, LPS mm ``[n, 3]``."""
        return self.cells.node_mm

    @cached_property
    def drawn_mm(self) -> FloatArray:
        """Where each node lies in the template at the heights of the drawing, mm ``[n, 3]``."""
        return np.column_stack([self.template_mm[:, :2], drawn_height(self.template_mm)])

    @cached_property
    def _tets(self) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.uint8]]:
        return self.cells.tets()

    @property
    def tets(self) -> NDArray[np.int32]:
        """The nodes ``[t, 4]`` of each tetrahedron."""
        return self._tets[0]

    def posed(self, transforms: NDArray[np.floating[Any]] | None = None) -> FloatArray:
        """Return where nodes lie, mm ``[n, 3]``, when each bone has moved by its matrix (rest → posed mm)."""
        if transforms is None:
            return self.node_mm.copy()
        matrices = np.asarray(transforms, dtype=np.float64)
        if matrices.ndim != 3 or matrices.shape[1:] != (4, 4) or len(matrices) <= self.weight_index.max():
            raise InvalidInput(
                f"Bones move by matrices [bone, 4, 4], got an array of shape {matrices.shape}.",
                way_out="Give one matrix for each bone of the figure.",
            )
        return bent(self.node_mm, self.weight_index, self.weight, self.linear, matrices)

    def skin_mm(self, nodes_mm: FloatArray) -> FloatArray:
        """Return where the vertices of the skin lie, mm ``[v, 3]``, when nodes lie at ``nodes_mm``."""
        return np.asarray(self.skin @ nodes_mm)

    def bounds_mm(self, nodes_mm: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the low and the high corner (x, y, z) of the box round the posed skin, in mm."""
        skin = self.skin_mm(nodes_mm)
        return skin.min(axis=0), skin.max(axis=0)

    def raster(self, nodes_mm: FloatArray, grid: Grid, volume_cm3: float | None = None) -> Rastered:
        """Return the voxels whose centres lie in the posed body.

        Parameters
        ----------
        nodes_mm : array ``[n, 3]``
            From `posed`, perhaps turned and moved since.
        grid : Grid
        volume_cm3 : float, optional
            The volume that the body shall have; the skin is moved by up to 3 mm to give it.
        """
        return rastered(self, nodes_mm, grid, volume_cm3)

    def inverted_fraction(self, nodes_mm: FloatArray) -> float:
        """Return the fraction of tetrahedra that are turned inside out when nodes lie at ``nodes_mm``."""
        a, b, c, d = (nodes_mm[self.tets[:, i]] for i in range(4))
        return float((np.einsum("ij,ij->i", np.cross(b - a, c - a), d - a) <= 0).mean())


def _is_mirrored(figure: Skin) -> bool:
    """Whether a figure is its own mirror image."""
    points = figure.vertices_mm
    distance, _ = cKDTree(points).query(points * [-1.0, 1.0, 1.0])
    return bool(np.max(distance) < 1e-6 * np.ptp(points[:, 2]))


def _middles(cells: Cells) -> FloatArray:
    """The middle of the grid points of each copy of a cube, mm."""
    row = cells.lookup[tuple(cells.cube.T)]
    label = np.arange(len(row)) - cells.first[row] + 1
    own = (cells.labels[row] == label[:, None]).astype(np.float32)
    z, y, x = np.indices((POINTS, POINTS, POINTS), dtype=np.float32).reshape(3, -1)
    local = own @ np.stack([x, y, z], axis=1) / np.maximum(own.sum(axis=1, keepdims=True), 1.0)
    grid = cells.cube[:, ::-1] * SIDE + local
    return np.asarray(grid * cells.distance.spacing_mm + np.array(cells.distance.origin_mm))


def _twins(cells: Cells) -> NDArray[np.int64]:
    """The node that mirrors each node. Several nodes may lie at one place; their cubes tell them apart."""
    owner = np.zeros((len(cells.node_mm), 3))
    count = np.zeros(len(cells.node_mm))
    middle = _middles(cells)
    # the middle of the flesh round a node differs between nodes at one place, and mirrors
    weight = cells.labels.astype(bool).sum(axis=1)[cells.lookup[tuple(cells.cube.T)]]
    for c in range(8):
        np.add.at(owner, cells.corner[:, c], middle * weight[:, None])
        np.add.at(count, cells.corner[:, c], weight)
    key = np.concatenate([cells.node_mm, owner / count[:, None]], axis=1)
    _, twin = cKDTree(key).query(key * [-1.0, 1.0, 1.0, -1.0, 1.0, 1.0])
    return np.asarray(twin, dtype=np.int64)


def _rejointed(core: Skin, actual: Skin) -> FloatArray:
    """The lean figure's vertices, moved so that its bones lie where the person's do.

    The rig's joints shift a little with the fat round them, and limbs turn about the person's joints.
    """
    points = core.vertices_mm
    head, tail = core.joint_mm, core.tail_mm
    along = tail - head
    length = np.maximum(np.einsum("ij,ij->i", along, along), 1e-6)
    index, weight = np.asarray(core.weight_index), np.asarray(core.weight, dtype=np.float64)
    moved = points.copy()
    for k in range(index.shape[1]):
        bone = index[:, k]
        t = np.clip(np.einsum("ij,ij->i", points - head[bone], along[bone]) / length[bone], 0.0, 1.0)[:, None]
        shift = (1.0 - t) * (actual.joint_mm - head)[bone] + t * (actual.tail_mm - tail)[bone]
        moved += weight[:, k, None] * shift
    return moved


def _sound_joints(core: Skin, template: Skin, scale: FloatArray) -> NDArray[np.bool_]:
    """Which heads and tails can be matched: in a newborn's short neck the rig's joints swap order."""
    one, two = (core.tail_mm - core.joint_mm) * scale, template.tail_mm - template.joint_mm
    lengths = np.linalg.norm(one, axis=1) * np.linalg.norm(two, axis=1)
    turned = np.einsum("ij,ij->i", one, two) < 0.5 * lengths
    # the rig's spine lies well off the vertebrae in some figures (40 mm between man and woman)
    turned |= np.array([name.startswith("spine") for name in template.joints])
    ends = np.concatenate([template.joint_mm, template.tail_mm])
    distance, _ = (
        cKDTree(ends[np.concatenate([turned, turned])]).query(ends) if turned.any() else (np.ones(1), 0)
    )
    return np.broadcast_to(np.asarray(distance) > 1e-6, len(ends))


def _map(
    cells: Cells, actual: Skin, core: Skin, template: Skin, twin: NDArray[np.int64] | None
) -> FloatArray:
    """Where nodes lie in the template: smooth; sends lean skin and joints to the template's."""
    rejointed = _rejointed(core, actual)
    # where the lean figure sticks out of the person, the person's skin is the template's
    _, known = cells.locate(rejointed)
    rejointed[~known] = actual.vertices_mm[~known]
    source = np.concatenate([rejointed, actual.joint_mm, actual.tail_mm])
    target = np.concatenate([template.vertices_mm, template.joint_mm, template.tail_mm])
    weight = np.full(len(source), _JOINT)
    skin = len(rejointed)
    weight[:skin] = vertex_area(core) / cells.edge_mm**2
    # the nearest scaling along the three axes and shift along y and z keeps left and right
    scale, shift = np.ones(3), np.zeros(3)
    for axis in range(3):
        mean = (
            np.zeros(2)
            if axis == 0
            else np.average([source[:, axis], target[:, axis]], axis=1, weights=weight)
        )
        s, t = source[:, axis] - mean[0], target[:, axis] - mean[1]
        scale[axis] = (weight * s * t).sum() / (weight * s * s).sum()
        shift[axis] = mean[1] - scale[axis] * mean[0]
    weight[skin:] *= _sound_joints(core, template, scale)
    place, _ = cells.locate(source)
    moved = fitted(cells, place, weight, target - (source * scale + shift), _TOLERANCE)
    if twin is not None:
        moved = (moved + moved[twin] * [-1.0, 1.0, 1.0]) / 2.0
    return cells.node_mm * scale + shift + moved
