"""Which bones move the inside of a body, and where to. Defines `Skin`, `bones_of` and `bent`."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra
from scipy.spatial.transform import Rotation

from wholedose.body.bending import Levels
from wholedose.body.cells import Cells

FloatArray = NDArray[np.float64]

_MOST_BONES = 8
_EVENING = 12  # rounds of averaging of the bones' shares with neighbours
# bones whose turning swells the flesh beside the joint if they bend it like hips and knees
_NEAR = 5.0
_SHOULDER = ("clavicle", "shoulder", "upperarm")


class Skin(Protocol):
    """What a lattice needs to know of a figure: skin, joints and which bones move the skin."""

    @property
    def vertices_mm(self) -> FloatArray:
        """Vertices of the skin, mm ``[v, 3]``."""

    @property
    def faces(self) -> NDArray[Any]:
        """Triangles ``[f, 3]``, facing outward."""

    @property
    def joints(self) -> tuple[str, ...]:
        """Names of the bones; sides end in .L and .R."""

    @property
    def joint_mm(self) -> FloatArray:
        """Where bones begin, mm ``[j, 3]``."""

    @property
    def tail_mm(self) -> FloatArray:
        """Where bones end, mm ``[j, 3]``."""

    @property
    def weight_index(self) -> NDArray[Any]:
        """The bones that move each vertex ``[v, k]``."""

    @property
    def weight(self) -> NDArray[Any]:
        """Their shares ``[v, k]``."""


def vertex_area(figure: Skin) -> FloatArray:
    """Return the area of skin, mm² ``[v]``, that belongs to each vertex."""
    v, f = figure.vertices_mm, np.asarray(figure.faces)
    a, b, c = v[f[:, 0]], v[f[:, 1]], v[f[:, 2]]
    area = np.linalg.norm(np.cross(b - a, c - a), axis=1) / 6.0
    return np.asarray(np.bincount(f.ravel(), weights=np.repeat(area, 3), minlength=len(v)), dtype=np.float64)


def bones_of(
    cells: Cells, actual: Skin, skin: csr_array, twin: NDArray[np.int64] | None
) -> tuple[NDArray[np.int16], NDArray[np.float32]]:
    """Return which bones move each node, and their shares, ``[n, 8]`` each.

    The skin's bones are carried along the cubes' edges to the nearest nodes and evened out inside the body;
    along the shafts of bones the flesh belongs to the bone.

    Parameters
    ----------
    cells : Cells
    actual : Skin
    skin : sparse array ``[v, n]``
        Interpolates from nodes to the vertices of the skin.
    twin : int array ``[n]``, optional
        The node that mirrors each node, where the figure is its own mirror image.
    """
    bones = len(actual.joint_mm)
    n = len(cells.node_mm)
    shares = np.zeros((len(actual.vertices_mm), bones))
    np.add.at(shares, (np.arange(len(shares))[:, None], np.asarray(actual.weight_index)), actual.weight)
    area = vertex_area(actual) / cells.edge_mm**2
    mass = np.asarray(skin.T @ area)
    known = np.asarray(skin.T @ (area[:, None] * shares))
    points, owner = _along_bones(actual, cells.edge_mm / 2.0, shares.sum(axis=0) > 0)
    place, found = cells.locate(points)
    mass = mass + np.asarray(place.T @ found.astype(np.float64))
    known = (known + np.asarray(place.T @ np.eye(bones)[owner])).astype(np.float32)
    sure = np.flatnonzero(mass > 0.01)
    edges = Levels(cells.cube, cells.corner, cells.pairs).edges()
    ones = np.ones(len(edges), dtype=np.float32)
    graph = csr_array((ones, (edges[:, 0], edges[:, 1])), shape=(n, n))
    graph = csr_array(graph + graph.T)
    _, _, source = dijkstra(
        graph, directed=False, indices=sure, unweighted=True, min_only=True, return_predecessors=True
    )
    source = np.where(source >= 0, source, sure[0])
    share = known[source] / mass[source].astype(np.float32)[:, None]
    pull = mass.astype(np.float32)
    degree = np.asarray(graph.sum(axis=1), dtype=np.float32)
    for _ in range(_EVENING):
        share = (graph @ share + known) / (degree + pull)[:, None]
    if twin is not None:
        share = (share + share[twin][:, _other_side(actual)]) / 2.0
    best = np.argpartition(-share, _MOST_BONES, axis=1)[:, : _MOST_BONES + 1]
    weight = np.take_along_axis(share, best, axis=1)
    # less the first share that is left out: a bone fades out, and left and right bones go together
    best = np.take_along_axis(best, np.argsort(-weight, axis=1, kind="stable"), axis=1)
    weight = np.take_along_axis(share, best, axis=1)
    best, weight = best[:, :_MOST_BONES], weight[:, :_MOST_BONES] - weight[:, _MOST_BONES:]
    return best.astype(np.int16), weight / weight.sum(axis=1, keepdims=True)


def _other_side(figure: Skin) -> NDArray[np.int64]:
    """The bone that mirrors each bone."""
    names = list(figure.joints)
    swapped = [n[:-1] + {"L": "R", "R": "L"}[n[-1]] if n.endswith((".L", ".R")) else n for n in names]
    return np.array([names.index(n) for n in swapped], dtype=np.int64)


def _along_bones(figure: Skin, step: float, moves: NDArray[np.bool_]) -> tuple[FloatArray, NDArray[np.int64]]:
    """Points along the shafts of the bones that move skin, and their bones."""
    points, owner = [np.empty((0, 3))], [np.empty(0, dtype=np.int64)]
    for bone, (head, tail) in enumerate(zip(figure.joint_mm, figure.tail_mm, strict=True)):
        length = float(np.linalg.norm(tail - head))
        if moves[bone] and length > step:
            t = np.linspace(0.2, 0.8, 1 + int(0.6 * length / step))[:, None]
            points.append(head + t * (tail - head))
            owner.append(np.full(len(t), bone))
    return np.concatenate(points), np.concatenate(owner)


def linear_share(figure: Skin, index: NDArray[np.int16], weight: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return how much of each node belongs to the shoulder, ``[n]``, for `bent`: all near its bones."""
    shoulder = np.array([name.startswith(_SHOULDER) for name in figure.joints])
    share = (weight * shoulder[index]).sum(axis=1)
    return np.asarray(np.minimum(_NEAR * share, 1.0), dtype=np.float32)


def bent(
    points_mm: FloatArray,
    index: NDArray[np.int16],
    weight: NDArray[np.float32],
    linear: NDArray[np.float32],
    matrices: FloatArray,
) -> FloatArray:
    """Return where points lie, mm, when bones have moved.

    Moves are blended as dual quaternions (Kavan et al. 2008, doi 10.1145/1409625.1409627), which keeps a bent
    hip or knee from collapsing, and linearly in the share ``linear`` of a point that belongs to the shoulder,
    which dual quaternions swell when the arm is raised.

    Parameters
    ----------
    points_mm : array ``[n, 3]``
    index, weight : arrays ``[n, k]``
    linear : array ``[n]``
        0: dual quaternions, 1: linear.
    matrices : array ``[j, 4, 4]``
        Rigid moves.
    """
    turn, shift = matrices[:, :3, :3], matrices[:, :3, 3]
    real = Rotation.from_matrix(turn).as_quat(scalar_first=True)
    w, v = real[:, :1], real[:, 1:]
    dual = 0.5 * np.concatenate(
        [-(shift * v).sum(axis=1, keepdims=True), w * shift + np.cross(shift, v)], axis=1
    )
    # of the two quaternions of a turn take the one on the side of the point's main bone
    main = real[np.take_along_axis(index, weight.argmax(axis=1)[:, None], axis=1)[:, 0]]
    sum_real, sum_dual = np.zeros((len(points_mm), 4)), np.zeros((len(points_mm), 4))
    plain = np.zeros_like(points_mm)
    for k in range(index.shape[1]):
        bone, share = index[:, k], weight[:, k, None].astype(np.float64)
        plain += share * (np.einsum("nij,nj->ni", turn[bone], points_mm) + shift[bone])
        signed = np.where((real[bone] * main).sum(axis=1, keepdims=True) < 0, -share, share)
        sum_real += signed * real[bone]
        sum_dual += signed * dual[bone]
    length = np.linalg.norm(sum_real, axis=1, keepdims=True)
    w, v = sum_real[:, :1] / length, sum_real[:, 1:] / length
    dw, dv = sum_dual[:, :1] / length, sum_dual[:, 1:] / length
    turned = points_mm + 2.0 * np.cross(v, np.cross(v, points_mm) + w * points_mm)
    turned += 2.0 * (w * dv - dw * v + np.cross(v, dv))
    return np.asarray(turned + linear[:, None] * (plain - turned))
