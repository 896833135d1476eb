"""Directions in space. Defines `deflect` and `isotropic`."""

from __future__ import annotations

import math
from typing import Any

from wholedose.transport.compiled import inlined
from wholedose.transport.rng import uniform


@inlined
def deflect(u: Any, v: Any, w: Any, cos_theta: Any, rng: Any) -> Any:
    """Return the unit vector (u, v, w) turned by θ, with the azimuth uniform.

    The azimuth's cosine and sine come from a point in the unit disc (von Neumann's rejection), which is
    cheaper than trigonometry.
    """
    while True:
        a = 2.0 * uniform(rng) - 1.0
        b = 2.0 * uniform(rng) - 1.0
        r2 = a * a + b * b
        if 0.0 < r2 < 1.0:
            break
    sin_theta = math.sqrt(max(0.0, 1.0 - cos_theta * cos_theta))
    s = sin_theta / math.sqrt(r2)
    a *= s
    b *= s
    rho2 = u * u + v * v
    if rho2 < 1e-12:  # along z, the usual formula divides by zero
        if w < 0.0:
            return a, b, -cos_theta
        return a, b, cos_theta
    rho = math.sqrt(rho2)
    inverse = 1.0 / rho
    u2 = u * cos_theta + (u * w * a - v * b) * inverse
    v2 = v * cos_theta + (v * w * a + u * b) * inverse
    w2 = w * cos_theta - rho * a
    # one Newton step keeps the length at 1 over any number of scatterings
    norm = 1.5 - 0.5 * (u2 * u2 + v2 * v2 + w2 * w2)
    return u2 * norm, v2 * norm, w2 * norm


@inlined
def isotropic(rng: Any) -> Any:
    """Return a unit vector uniform over the sphere (Marsaglia 1972, doi:10.1214/aoms/1177692644)."""
    while True:
        a = 2.0 * uniform(rng) - 1.0
        b = 2.0 * uniform(rng) - 1.0
        r2 = a * a + b * b
        if r2 < 1.0:
            break
    s = 2.0 * math.sqrt(1.0 - r2)
    return a * s, b * s, 1.0 - 2.0 * r2
