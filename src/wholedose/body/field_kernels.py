"""Compiled loops of fields. Defines distances to ellipsoids, tubes and triangles, and sorting into cells."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

_jit: Any = njit(nogil=True, cache=True, error_model="numpy")

BLOCK, BIG_BLOCK = 64, 2048
"""Points that are asked together which solids can be near them."""


@_jit
def bounds(points, low, high):  # type: ignore[no-untyped-def]
    """Set the lowest and the highest coordinates of points."""
    for c in range(3):
        low[c], high[c] = points[0, c], points[0, c]
    for i in range(1, len(points)):
        for c in range(3):
            low[c], high[c] = min(low[c], points[i, c]), max(high[c], points[i, c])


@_jit
def cell_of(x, y, z, low, size, count):  # type: ignore[no-untyped-def]
    """Return the number of the cube that holds a point; cubes are numbered brick by brick of 4 x 4 x 4."""
    i = min(int((x - low[0]) / size), count[0] - 1)
    j = min(int((y - low[1]) / size), count[1] - 1)
    k = min(int((z - low[2]) / size), count[2] - 1)
    return _key(i, j, k, count)


@_jit
def _key(i, j, k, count):  # type: ignore[no-untyped-def]
    brick = ((i >> 2) * ((count[1] + 3) >> 2) + (j >> 2)) * ((count[2] + 3) >> 2) + (k >> 2)
    return brick * 64 + ((i & 3) * 4 + (j & 3)) * 4 + (k & 3)


@_jit
def sort_cells(points, low, size, count):  # type: ignore[no-untyped-def]
    """Return where each cube begins in the points ordered by cube, and that order."""
    bricks = ((count[0] + 3) >> 2) * ((count[1] + 3) >> 2) * ((count[2] + 3) >> 2)
    start = np.zeros(bricks * 64 + 2, dtype=np.int64)
    for i in range(len(points)):
        start[cell_of(points[i, 0], points[i, 1], points[i, 2], low, size, count) + 2] += 1
    for c in range(2, len(start)):
        start[c] += start[c - 1]
    order = np.empty(len(points), dtype=np.int32)
    for i in range(len(points)):
        cell = cell_of(points[i, 0], points[i, 1], points[i, 2], low, size, count) + 1
        order[start[cell]] = i
        start[cell] += 1
    return start[:-1], order


@_jit
def points_near(first, last, count, start, order, label):  # type: ignore[no-untyped-def]
    """Return the points without a label in cubes [first, last) of any box, cube by cube."""
    marked = np.zeros(len(start) - 1, dtype=np.bool_)
    for b in range(len(first)):
        for i in range(first[b, 0], last[b, 0]):
            for j in range(first[b, 1], last[b, 1]):
                for k in range(first[b, 2], last[b, 2]):
                    marked[_key(i, j, k, count)] = True
    total = 0
    for c in range(len(marked)):
        if marked[c]:
            total += start[c + 1] - start[c]
    found = np.empty(total, dtype=np.int64)
    n = 0
    for c in range(len(marked)):
        if marked[c]:
            for m in range(start[c], start[c + 1]):
                if label[order[m]] == 0:
                    found[n] = order[m]
                    n += 1
    return found[:n]


@_jit
def ellipsoid_field(points, chosen, solids, reach, floor, first, last, out):  # type: ignore[no-untyped-def]
    """Lower ``out[first:last]`` to the radial distance from superellipsoids, or to below ``floor``.

    The distance along the radius is no less than that to the ball and to the box round an ellipsoid, so that
    powers are only taken where these are lower than what is known already.
    """
    ball = np.empty(4)
    few, least = np.empty(len(solids), dtype=np.int32), np.empty(len(solids))
    for start in range(first, last, BLOCK):
        stop = min(start + BLOCK, last)
        _ball(points, chosen, start, stop, ball)
        count = 0
        for k in range(len(solids)):
            s = solids[k]
            dx, dy, dz = ball[0] - s[0], ball[1] - s[1], ball[2] - s[2]
            far, half = math.sqrt(dx * dx + dy * dy + dz * dz), max(s[3], s[4], s[5])
            if far <= 1.8 * half + reach + ball[3]:
                # the likeliest first
                m = count
                while m > 0 and least[m - 1] > far - half:
                    least[m], few[m] = least[m - 1], few[m - 1]
                    m -= 1
                least[m], few[m] = far - half, k
                count += 1
        for i in range(start, stop):
            j = chosen[i]
            for m in range(count):
                if out[i] < floor:
                    break
                s = solids[few[m]]
                dx, dy, dz = points[j, 0] - s[0], points[j, 1] - s[1], points[j, 2] - s[2]
                square = dx * dx + dy * dy + dz * dz
                bound = 1.8 * max(s[3], s[4], s[5]) + out[i]
                if bound < 0.0 or square > bound * bound:
                    continue
                length = math.sqrt(square)
                u = abs(s[6] * dx + s[7] * dy + s[8] * dz) / s[3]
                v = abs(s[9] * dx + s[10] * dy + s[11] * dz) / s[4]
                w = abs(s[12] * dx + s[13] * dy + s[14] * dz) / s[5]
                widest = max(u, v, w)
                if length * (widest - 1.0) > (out[i] + 1e-6) * widest:
                    continue
                if s[15] == 2.0:
                    rho = math.sqrt(u * u + v * v + w * w)
                else:
                    rho = (u ** s[15] + v ** s[15] + w ** s[15]) ** (1.0 / s[15])
                value = length * (1.0 - 1.0 / rho) if rho > 1e-6 else -min(s[3], s[4], s[5])
                if value < out[i]:
                    out[i] = value


@_jit
def steepness(solids, tube):  # type: ignore[no-untyped-def]
    """Return how fast the field of each round cone or thick triangle can change, in mm per mm."""
    found = np.ones(len(solids))
    for k in range(len(solids)):
        s = solids[k]
        ax, ay, az = s[4] - s[0], s[5] - s[1], s[6] - s[2]
        aa = ax * ax + ay * ay + az * az
        p = s[7] - s[3]
        square = p * p / aa if aa > 0.0 else 0.0
        if not tube:
            cx, cy, cz = s[8] - s[0], s[9] - s[1], s[10] - s[2]
            q = s[11] - s[3]
            ac, cc = ax * cx + ay * cy + az * cz, cx * cx + cy * cy + cz * cz
            det = aa * cc - ac * ac
            square = (p * p * cc - 2.0 * p * q * ac + q * q * aa) / det if det > 1e-12 else 1e12
        found[k] += math.sqrt(max(square, 0.0))
    return found


@_jit
def solid_field(points, chosen, solids, tube, steep, reach, first, last, out):  # type: ignore[no-untyped-def]
    """Lower ``out[first:last]`` to the distance from round cones (``tube``) or thick triangles.

    A block of neighbouring points asks only the solids that can be the nearest to one of them: by the field
    at the middle of the block, and how fast it can change.
    """
    ball = np.empty(4)
    every = np.arange(len(solids)).astype(np.int32)
    some, few = np.empty(len(solids), dtype=np.int32), np.empty(len(solids), dtype=np.int32)
    least = np.empty(len(solids))
    for big in range(first, last, BIG_BLOCK):
        end = min(big + BIG_BLOCK, last)
        _ball(points, chosen, big, end, ball)
        many = _rivals(ball, solids, tube, steep, reach, every, len(solids), least, some)
        if many == 0:
            continue
        for start in range(big, end, BLOCK):
            stop = min(start + BLOCK, end)
            _ball(points, chosen, start, stop, ball)
            count = _rivals(ball, solids, tube, steep, reach, some, many, least, few)
            for i in range(start, stop):
                j = chosen[i]
                # of double precision like the ball's middle, lest all is compiled twice
                x, y, z = float(points[j, 0]), float(points[j, 1]), float(points[j, 2])
                for m in range(count):
                    if least[m] > out[i]:
                        continue
                    value = _solid(x, y, z, solids[few[m]], tube)
                    if value < out[i] and value <= reach:
                        out[i] = value


@_jit
def _ball(points, chosen, first, last, ball):  # type: ignore[no-untyped-def]
    """Set ``ball`` to the middle and the radius of a sphere round some points."""
    square = 0.0
    for c in range(3):
        low, high = points[chosen[first], c], points[chosen[first], c]
        for i in range(first + 1, last):
            low, high = min(low, points[chosen[i], c]), max(high, points[chosen[i], c])
        ball[c] = 0.5 * (low + high)
        square += 0.25 * (high - low) * (high - low)
    ball[3] = math.sqrt(square) + 1e-3


@_jit
def _rivals(ball, solids, tube, steep, reach, asked, count, least, kept):  # type: ignore[no-untyped-def]
    """Keep those of the asked solids that can have the lowest field somewhere in a ball, the likeliest first.

    ``least`` says how low the field of each can be there.
    """
    bound, best, nearest = reach, 0, math.inf
    for m in range(count):
        k = asked[m]
        value = _solid(ball[0], ball[1], ball[2], solids[k], tube)
        least[m] = value - steep[k] * ball[3]
        bound = min(bound, value + steep[k] * ball[3])
        if value < nearest:
            best, nearest = k, value
    n = 0
    for m in range(count):
        if least[m] <= bound:
            kept[n], least[n] = asked[m], least[m]
            if kept[n] == best:
                kept[0], kept[n] = kept[n], kept[0]
                least[0], least[n] = least[n], least[0]
            n += 1
    return n


@_jit
def _solid(px, py, pz, s, tube):  # type: ignore[no-untyped-def]
    if not tube:
        distance, b, c = _triangle_distance(px, py, pz, s)
        return distance - (s[3] * (1.0 - b - c) + s[7] * b + s[11] * c)
    ax, ay, az = s[4] - s[0], s[5] - s[1], s[6] - s[2]
    bx, by, bz = px - s[0], py - s[1], pz - s[2]
    square = ax * ax + ay * ay + az * az
    t = (ax * bx + ay * by + az * bz) / square if square > 0.0 else 0.0
    t = min(max(t, 0.0), 1.0)
    ex, ey, ez = bx - t * ax, by - t * ay, bz - t * az
    return math.sqrt(ex * ex + ey * ey + ez * ez) - (s[3] + t * (s[7] - s[3]))


@_jit
def _triangle_distance(px, py, pz, t):  # type: ignore[no-untyped-def]
    """Return the distance of a point to a triangle and the weights of its second and third corner there.

    Region by region as in Ericson, Real-Time Collision Detection (2005), section 5.1.5.
    """
    ax, ay, az = t[4] - t[0], t[5] - t[1], t[6] - t[2]
    cx, cy, cz = t[8] - t[0], t[9] - t[1], t[10] - t[2]
    qx, qy, qz = px - t[0], py - t[1], pz - t[2]
    d1 = ax * qx + ay * qy + az * qz
    d2 = cx * qx + cy * qy + cz * qz
    b, c = 0.0, 0.0
    rx, ry, rz = px - t[4], py - t[5], pz - t[6]
    d3 = ax * rx + ay * ry + az * rz
    d4 = cx * rx + cy * ry + cz * rz
    sx, sy, sz = px - t[8], py - t[9], pz - t[10]
    d5 = ax * sx + ay * sy + az * sz
    d6 = cx * sx + cy * sy + cz * sz
    vc, vb, va = d1 * d4 - d3 * d2, d5 * d2 - d1 * d6, d3 * d6 - d5 * d4
    if d1 <= 0.0 and d2 <= 0.0:
        b, c = 0.0, 0.0
    elif d3 >= 0.0 and d4 <= d3:
        b, c = 1.0, 0.0
    elif vc <= 0.0 and d1 >= 0.0 and d3 <= 0.0:
        b, c = d1 / (d1 - d3), 0.0
    elif d6 >= 0.0 and d5 <= d6:
        b, c = 0.0, 1.0
    elif vb <= 0.0 and d2 >= 0.0 and d6 <= 0.0:
        b, c = 0.0, d2 / (d2 - d6)
    elif va <= 0.0 and d4 - d3 >= 0.0 and d5 - d6 >= 0.0:
        c = (d4 - d3) / ((d4 - d3) + (d5 - d6))
        b = 1.0 - c
    else:
        whole = va + vb + vc
        b, c = vb / whole, vc / whole
    ex = qx - b * ax - c * cx
    ey = qy - b * ay - c * cy
    ez = qz - b * az - c * cz
    return math.sqrt(ex * ex + ey * ey + ez * ez), b, c
