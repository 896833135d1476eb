"""Compiled loops of fields. Defines distances to ellipsoids, tubes and triangles, and sorting into cells."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

_jit: Any = njit(nogil=True, cache=True, error_model="numpy")


@_jit
def count_cells(points, low, size, nx, ny, nz):  # type: ignore[no-untyped-def]
    """Return how many points each cube holds."""
    counts = np.zeros(nx * ny * nz, dtype=np.int64)
    for i in range(len(points)):
        x = min(int((points[i, 0] - low[0]) / size), nx - 1)
        y = min(int((points[i, 1] - low[1]) / size), ny - 1)
        z = min(int((points[i, 2] - low[2]) / size), nz - 1)
        counts[(x * ny + y) * nz + z] += 1
    return counts


@_jit
def list_cells(points, low, size, nx, ny, nz, nxt):  # type: ignore[no-untyped-def]
    """Return the points ordered by cube; ``nxt`` is each cube's first place and is used up."""
    order = np.empty(len(points), dtype=np.int32)
    for i in range(len(points)):
        x = min(int((points[i, 0] - low[0]) / size), nx - 1)
        y = min(int((points[i, 1] - low[1]) / size), ny - 1)
        z = min(int((points[i, 2] - low[2]) / size), nz - 1)
        cell = (x * ny + y) * nz + z
        order[nxt[cell]] = i
        nxt[cell] += 1
    return order


@_jit
def ellipsoid_field(points, chosen, solids, reach, out):  # type: ignore[no-untyped-def]
    """Lower ``out`` to the radial distance from superellipsoids."""
    for i in range(len(chosen)):
        j = chosen[i]
        for k in range(len(solids)):
            s = solids[k]
            dx, dy, dz = points[j, 0] - s[0], points[j, 1] - s[1], points[j, 2] - s[2]
            length = math.sqrt(dx * dx + dy * dy + dz * dz)
            if length > 1.8 * max(s[3], s[4], s[5]) + reach:
                continue
            u = abs(s[6] * dx + s[7] * dy + s[8] * dz) / s[3]
            v = abs(s[9] * dx + s[10] * dy + s[11] * dz) / s[4]
            w = abs(s[12] * dx + s[13] * dy + s[14] * dz) / s[5]
            if s[15] == 2.0:
                rho = math.sqrt(u * u + v * v + w * w)
            else:
                rho = (u ** s[15] + v ** s[15] + w ** s[15]) ** (1.0 / s[15])
            value = length * (1.0 - 1.0 / rho) if rho > 1e-6 else -min(s[3], s[4], s[5])
            if value < out[i]:
                out[i] = value


@_jit
def tube_field(points, chosen, cones, reach, out):  # type: ignore[no-untyped-def]
    """Lower ``out`` to the distance from round cones."""
    for i in range(len(chosen)):
        j = chosen[i]
        px, py, pz = points[j, 0], points[j, 1], points[j, 2]
        for k in range(len(cones)):
            c = cones[k]
            ax, ay, az = c[4] - c[0], c[5] - c[1], c[6] - c[2]
            bx, by, bz = px - c[0], py - c[1], pz - c[2]
            square = ax * ax + ay * ay + az * az
            t = (ax * bx + ay * by + az * bz) / square if square > 0.0 else 0.0
            t = min(max(t, 0.0), 1.0)
            ex, ey, ez = bx - t * ax, by - t * ay, bz - t * az
            value = math.sqrt(ex * ex + ey * ey + ez * ez) - (c[3] + t * (c[7] - c[3]))
            if value < out[i] and value <= reach:
                out[i] = value


@_jit
def triangle_field(points, chosen, triangles, reach, out):  # type: ignore[no-untyped-def]
    """Lower ``out`` to the distance from thick triangles, half thickness interpolated over the corners."""
    for i in range(len(chosen)):
        j = chosen[i]
        px, py, pz = points[j, 0], points[j, 1], points[j, 2]
        for k in range(len(triangles)):
            t = triangles[k]
            thick = max(t[3], t[7], t[11]) + reach
            # a sphere around the first corner rejects most
            lx = max(abs(t[4] - t[0]), abs(t[8] - t[0])) + thick
            ly = max(abs(t[5] - t[1]), abs(t[9] - t[1])) + thick
            lz = max(abs(t[6] - t[2]), abs(t[10] - t[2])) + thick
            if abs(px - t[0]) > lx or abs(py - t[1]) > ly or abs(pz - t[2]) > lz:
                continue
            distance, b, c = _triangle_distance(px, py, pz, t)
            value = distance - (t[3] * (1.0 - b - c) + t[7] * b + t[11] * c)
            if value < out[i]:
                out[i] = value


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
