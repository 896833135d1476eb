"""Do two skins cut into each other? Defines `winding`, `distance`, `penetration`, `gap`, `overlap`."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Faces = NDArray[np.integer]

# cells across the longest side: about the size of a face of a figure
CELLS = 150
NEAREST = 24
# a ray that meets an edge exactly would count twice or never; vertices of one mesh often share
# their x with those of a mirror image, so rays start a little beside them
ASIDE_MM = np.array([3.1e-4, 1.7e-4])
EDGE = 1e-12


def winding(points: Array, vertices: Array, faces: Faces) -> NDArray[np.int64]:
    """Return how often a closed surface winds around each point: 0 outside, 1 inside.

    Two where a skin overlaps itself, as an arm in front of the trunk that cuts into it.

    Parameters
    ----------
    points : f8[n, 3]
        mm.
    vertices, faces : f8[v, 3], int[f, 3]
        A closed surface with its faces turned outward, mm.

    Returns
    -------
    i8[n]

    Examples
    --------
    >>> corners = np.array([[0, 0, 0], [9, 0, 0], [0, 9, 0], [0, 0, 9.0]])
    >>> faces = np.array([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]])
    >>> winding(np.array([[1.0, 1, 1], [8, 8, 8]]), corners, faces)
    array([1, 0])
    """
    count = np.zeros(len(points), dtype=np.int64)
    low, high = vertices.min(axis=0), vertices.max(axis=0)
    near = np.flatnonzero(((points >= low) & (points <= high)).all(axis=1))
    if not len(near):
        return count
    at = points[near, :2] + ASIDE_MM
    rays_low, rays_high = at.min(axis=0), at.max(axis=0)
    corners = vertices[faces]
    flat = corners[:, :, :2]
    seen = (
        (flat.max(axis=1) >= rays_low).all(axis=1)
        & (flat.min(axis=1) <= rays_high).all(axis=1)
        & (corners[:, :, 2].max(axis=1) >= points[near, 2].min())
    )
    corners, flat = corners[seen], flat[seen]
    side = float((high - low).max()) / CELLS
    start, triangle = _bins(flat, rays_low, rays_high, side)
    columns = int(np.floor((rays_high[1] - rays_low[1]) / side)) + 1
    cell = np.floor((at - rays_low) / side).astype(np.int64)
    number = cell[:, 0] * columns + cell[:, 1]
    length = start[number + 1] - start[number]
    ray = np.repeat(np.arange(len(near)), length)
    offset = np.arange(len(ray)) - np.repeat(np.cumsum(length) - length, length)
    corner = corners[triangle[np.repeat(start[number], length) + offset]]
    a, b, c = (corner[:, k] - np.column_stack([at[ray], points[near[ray], 2]]) for k in range(3))
    u, v, w = _cross(b, c), _cross(c, a), _cross(a, b)
    area = u + v + w
    hit = ((u > 0) & (v > 0) & (w > 0)) | ((u < 0) & (v < 0) & (w < 0))
    hit &= np.abs(area) > EDGE
    height = np.zeros(len(ray))
    np.divide(u * a[:, 2] + v * b[:, 2] + w * c[:, 2], area, out=height, where=hit)
    hit &= height > 0
    count[near] = np.bincount(ray[hit], np.sign(area[hit]), minlength=len(near)).astype(np.int64)
    return count


def _cross(a: Array, b: Array) -> Array:
    product: Array = a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]
    return product


def _bins(flat: Array, low: Array, high: Array, side: float) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Sort triangles, seen from above, into square cells: where each cell starts, and its triangles."""
    size = np.floor((high - low) / side).astype(np.int64) + 1
    first = np.clip(np.floor((flat.min(axis=1) - low) / side).astype(np.int64), 0, size - 1)
    last = np.clip(np.floor((flat.max(axis=1) - low) / side).astype(np.int64), 0, size - 1)
    wide = last - first + 1
    count = wide[:, 0] * wide[:, 1]
    triangle = np.repeat(np.arange(len(flat)), count)
    k = np.arange(len(triangle)) - np.repeat(np.cumsum(count) - count, count)
    cell = (
        (first[triangle, 0] + k // wide[triangle, 1]) * size[1] + first[triangle, 1] + k % wide[triangle, 1]
    )
    order = np.argsort(cell, kind="stable")
    start = np.searchsorted(cell[order], np.arange(size[0] * size[1] + 1))
    return start.astype(np.int64), triangle[order]


def distance(points: Array, vertices: Array, faces: Faces) -> Array:
    """Return the distance of each point from a surface, f8[n] mm.

    The exact distance from the faces with the nearest middles: right to well below a millimetre on
    the skins of figures, whose faces are all small.
    """
    if not len(points):
        return np.zeros(0)
    from scipy.spatial import cKDTree

    corners = vertices[faces]
    _, near = cKDTree(corners.mean(axis=1)).query(points, k=min(NEAREST, len(faces)))
    near = near.reshape(len(points), -1)
    found = np.full(len(points), np.inf)
    for k in range(near.shape[1]):
        np.minimum(found, _to_triangle(points, corners[near[:, k]]), out=found)
    return found


def _to_triangle(points: Array, corners: Array) -> Array:
    a, b, c = corners[:, 0], corners[:, 1], corners[:, 2]
    normal = np.cross(b - a, c - a)
    length = np.linalg.norm(normal, axis=1)
    found = np.minimum.reduce([_to_segment(points, *ends) for ends in ((a, b), (b, c), (c, a))])
    above = np.full(len(points), True)
    for start, end in ((a, b), (b, c), (c, a)):
        above &= np.einsum("ij,ij->i", np.cross(end - start, points - start), normal) >= 0
    above &= length > EDGE
    plane = np.abs(np.einsum("ij,ij->i", points - a, normal)) / np.maximum(length, EDGE)
    result: Array = np.where(above, plane, found)
    return result


def _to_segment(points: Array, start: Array, end: Array) -> Array:
    along = end - start
    square = np.maximum(np.einsum("ij,ij->i", along, along), EDGE)
    share = np.clip(np.einsum("ij,ij->i", points - start, along) / square, 0.0, 1.0)
    result: Array = np.linalg.norm(points - start - share[:, None] * along, axis=1)
    return result


def overlap(a: Array, a_faces: Faces, b: Array, b_faces: Faces) -> bool:
    """Return whether a vertex of one skin lies inside the other."""
    return bool((winding(a, b, b_faces) > 0).any() or (winding(b, a, a_faces) > 0).any())


def penetration(a: Array, a_faces: Faces, b: Array, b_faces: Faces) -> float:
    """Return how deep two skins cut into each other, mm: 0 where they are apart."""
    deepest = 0.0
    for points, skin, faces in ((a, b, b_faces), (b, a, a_faces)):
        cut = points[winding(points, skin, faces) > 0]
        if len(cut):
            deepest = max(deepest, float(distance(cut, skin, faces).max()))
    return deepest


def gap(a: Array, a_faces: Faces, b: Array, b_faces: Faces, closest: int = 64) -> float:
    """Return the least distance between two skins that are apart, mm.

    From each vertex to the other surface; only the `closest` vertices are measured exactly.
    """
    from scipy.spatial import cKDTree

    least = np.inf
    for points, skin, faces in ((a, b, b_faces), (b, a, a_faces)):
        rough, _ = cKDTree(skin).query(points)
        near = np.argsort(rough)[:closest]
        least = min(least, float(distance(points[near], skin, faces).min()))
    return least
