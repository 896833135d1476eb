"""Photons directed at small places that few would ever hit. Defines `Sphere`, its arrays and the kernels.

Around a place stands a sphere. At each collision outside it, one more photon is drawn into the cone that the
sphere fills, with the weight that the scattering law gives this direction; it flies like any other, and lives
on if it arrives. Photons of the same collision that would enter the sphere by themselves end at its surface,
so nothing counts twice (DXTRAN spheres, as in MCNP; their theory: Booth 1983). Photons from fluorescence and
annihilation are not directed, and not stopped.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from wholedose.base import InvalidInput
from wholedose.transport.compiled import inlined, jit
from wholedose.transport.crosssections import PhysicsTables
from wholedose.transport.energies import (
    ELECTRON_KEV,
    ENERGY_KEV,
    HC_KEV_ANGSTROM,
    MIN_KEV,
    X2,
    energy_cell,
    x2_cell,
)
from wholedose.transport.incoherent import klein_nishina
from wholedose.transport.rng import uniform

FloatArray = NDArray[np.float64]
_X2_PER_KEV2 = 1.0 / HC_KEV_ANGSTROM**2
_COARSE = 8


class DirectedArrays(NamedTuple):
    """Spheres and scattering laws as the kernels read them; lengths in cm from the geometry's low corner.

    Attributes
    ----------
    centre : float64 [k, 3]
    radius : float64 [k]
    floor : float64 [k]
        Lighter directed photons play roulette for this weight.
    incoherent, coherent : float64 [nodes, materials]
        ∫ dσ/dΩ dΩ of the unnormalised laws of `_incoherent_law` and `_coherent_law`.
    """

    centre: FloatArray
    radius: FloatArray
    floor: FloatArray
    incoherent: FloatArray
    coherent: FloatArray


NOTHING_DIRECTED = DirectedArrays(
    np.zeros((0, 3)), np.zeros(0), np.zeros(0), np.zeros((1, 1)), np.zeros((1, 1))
)


@dataclass(frozen=True)
class Sphere:
    """Where photons are directed to.

    Parameters
    ----------
    centre_mm : (x, y, z)
        LPS mm.
    radius_mm : float
    weight : float
        About that of the photons that arrive; lighter ones play roulette for it.
    """

    centre_mm: tuple[float, float, float]
    radius_mm: float
    weight: float

    def joined(self, other: Sphere) -> Sphere:
        """Return the smallest sphere around two, with the lower weight."""
        a, b = np.array(self.centre_mm), np.array(other.centre_mm)
        apart = float(np.linalg.norm(b - a))
        weight = min(self.weight, other.weight)
        if apart + min(self.radius_mm, other.radius_mm) <= max(self.radius_mm, other.radius_mm):
            large = self if self.radius_mm >= other.radius_mm else other
            return Sphere(large.centre_mm, large.radius_mm, weight)
        radius = 0.5 * (apart + self.radius_mm + other.radius_mm)
        x, y, z = a + (b - a) * (radius - self.radius_mm) / apart
        return Sphere((float(x), float(y), float(z)), radius, weight)

    def __post_init__(self) -> None:
        if not (self.radius_mm > 0.0 and self.weight > 0.0 and np.isfinite(self.centre_mm).all()):
            raise InvalidInput(
                f"A sphere at {self.centre_mm} has radius {self.radius_mm} mm and weight {self.weight}.",
                where="directed",
                way_out="Give finite places, a radius and a weight above 0.",
            )


def directed_arrays(
    spheres: Sequence[Sphere], lower_mm: Sequence[float], physics: PhysicsTables
) -> DirectedArrays:
    """Return spheres as the kernels read them."""
    if not spheres:
        return NOTHING_DIRECTED
    centre = (np.array([s.centre_mm for s in spheres], dtype=np.float64) - np.asarray(lower_mm)) / 10.0
    return DirectedArrays(
        centre,
        np.array([s.radius_mm / 10.0 for s in spheres]),
        np.array([s.weight for s in spheres]),
        _incoherent_integral(physics),
        _coherent_integral(physics),
    )


def _incoherent_integral(physics: PhysicsTables) -> FloatArray:
    """2π ∫ Klein–Nishina × S dcosθ at the energy nodes, in units of r_e²."""
    coarse = ENERGY_KEV[::_COARSE]
    points, weights = np.polynomial.legendre.leggauss(160)
    half_sine = 0.5 * (points + 1.0)  # s = sin(θ/2): dcosθ = 4 s ds
    cos_theta = 1.0 - 2.0 * half_sine**2
    energy = coarse[:, None]
    x2 = energy**2 * _X2_PER_KEV2 * half_sine**2
    law = klein_nishina(energy, cos_theta) * 2.0 * np.pi * 4.0 * half_sine * 0.5 * weights
    found = np.empty((len(ENERGY_KEV), len(physics.scattering)))
    for m, nodes in enumerate(physics.scattering):
        total = (law * np.interp(x2, X2, nodes)).sum(axis=1)
        found[:, m] = np.exp(np.interp(np.log(ENERGY_KEV), np.log(coarse), np.log(total)))
    return found


def _coherent_integral(physics: PhysicsTables) -> FloatArray:
    """∫ F² (1 + cos²θ)/2 dx² to backscatter at the energy nodes, F² in the units of the cumulated table."""
    coarse = ENERGY_KEV[::_COARSE]
    top = coarse**2 * _X2_PER_KEV2
    found = np.empty((len(ENERGY_KEV), len(physics.form_factor)))
    for m, cumulated in enumerate(physics.form_factor):
        slope = np.diff(cumulated) / np.diff(X2)
        total = np.zeros(len(coarse))
        for i, most in enumerate(top):
            low, high = np.minimum(X2[:-1], most), np.minimum(X2[1:], most)
            # (1 + (1 − 2q)²)/2 with q = x²/top, integrated exactly over each step of the table
            a, b = low / most, high / most
            part = (b - a) - (b**2 - a**2) + 2.0 / 3.0 * (b**3 - a**3)
            total[i] = float((slope * part).sum() * most)
        found[:, m] = np.exp(np.interp(np.log(ENERGY_KEV), np.log(coarse), np.log(np.maximum(total, 1e-300))))
    return found


@inlined
def _incoherent_law(energy: Any, cos_theta: Any, m: Any, nodes: Any) -> Any:
    ratio = 1.0 / (1.0 + energy / ELECTRON_KEV * (1.0 - cos_theta))
    free = 0.5 * ratio * ratio * (ratio + 1.0 / ratio - 1.0 + cos_theta * cos_theta)
    cell, place = x2_cell(energy * energy * _X2_PER_KEV2 * 0.5 * (1.0 - cos_theta))
    return free * (nodes[m, cell] + place * (nodes[m, cell + 1] - nodes[m, cell])), ratio


@inlined
def _coherent_law(energy: Any, cos_theta: Any, m: Any, cumulated: Any) -> Any:
    # per steradian: dx² = top/2 dcosθ = top/(4π) dΩ
    top = energy * energy * _X2_PER_KEV2
    cell, _ = x2_cell(top * 0.5 * (1.0 - cos_theta))
    slope = (cumulated[m, cell + 1] - cumulated[m, cell]) / (X2[cell + 1] - X2[cell])
    return slope * 0.5 * (1.0 + cos_theta * cos_theta) * top / (4.0 * math.pi)


@jit
def scattering_density(
    energy: Any, cos_theta: Any, m: Any, coherent: Any, physics: Any, directed: Any
) -> Any:
    """Return the chance per steradian of a scattering angle, and the energy after it in keV."""
    cell, place = energy_cell(energy)
    if coherent:
        norm = directed.coherent[cell, m] + place * (
            directed.coherent[cell + 1, m] - directed.coherent[cell, m]
        )
        return _coherent_law(energy, cos_theta, m, physics.form_factor) / norm, energy
    norm = directed.incoherent[cell, m] + place * (
        directed.incoherent[cell + 1, m] - directed.incoherent[cell, m]
    )
    law, ratio = _incoherent_law(energy, cos_theta, m, physics.scattering)
    return law / norm, energy * ratio


@jit
def way_to_spheres(x: Any, y: Any, z: Any, u: Any, v: Any, w: Any, directed: Any) -> Any:
    """Return the distance in cm to the first sphere that a ray enters from outside; infinite if none."""
    nearest = np.inf
    for k in range(len(directed.radius)):
        px, py, pz = directed.centre[k, 0] - x, directed.centre[k, 1] - y, directed.centre[k, 2] - z
        beyond = px * px + py * py + pz * pz - directed.radius[k] ** 2
        if beyond <= 0.0:
            continue
        along = px * u + py * v + pz * w
        root = along * along - beyond
        if along > 0.0 and root > 0.0:
            nearest = min(nearest, along - math.sqrt(root))
    return nearest


@jit
def direct_photon(
    k: Any, x: Any, y: Any, z: Any, u: Any, v: Any, w: Any, energy: Any, weight: Any, m: Any,
    physics: Any, voxels: Any, directed: Any, rng: Any,
) -> Any:  # fmt: skip
    """Draw a photon of a collision into the cone of sphere k and fly it there.

    Returns
    -------
    tuple
        x, y, z where it enters the sphere, its direction, energy and weight; weight 0 when it is gone.
    """
    px, py, pz = directed.centre[k, 0] - x, directed.centre[k, 1] - y, directed.centre[k, 2] - z
    far2, radius2 = px * px + py * py + pz * pz, directed.radius[k] ** 2
    gone = (x, y, z, u, v, w, energy, 0.0)
    if far2 <= radius2:
        return gone
    cell, place = energy_cell(energy)
    branch = physics.branch
    first = np.float64(branch[cell, m, 0]) + place * np.float64(branch[cell + 1, m, 0] - branch[cell, m, 0])
    second = np.float64(branch[cell, m, 1]) + place * np.float64(branch[cell + 1, m, 1] - branch[cell, m, 1])
    third = np.float64(branch[cell, m, 2]) + place * np.float64(branch[cell + 1, m, 2] - branch[cell, m, 2])
    chance = first + min(third, 1.0) - second
    far = math.sqrt(far2)
    px, py, pz = px / far, py / far, pz / far
    edge = math.sqrt(1.0 - radius2 / far2)
    cos_off = edge + (1.0 - edge) * uniform(rng)
    sin_off = math.sqrt(max(0.0, 1.0 - cos_off * cos_off))
    turn = 2.0 * math.pi * uniform(rng)
    a, b = sin_off * math.cos(turn), sin_off * math.sin(turn)
    rho = math.sqrt(px * px + py * py)
    if rho < 1e-6:
        nu, nv, nw = a, b, cos_off * (1.0 if pz > 0.0 else -1.0)
    else:
        nu = px * cos_off + (px * pz * a - py * b) / rho
        nv = py * cos_off + (py * pz * a + px * b) / rho
        nw = pz * cos_off - rho * a
    coherent = uniform(rng) * chance > first
    cos_theta = min(max(nu * u + nv * v + nw * w, -1.0), 1.0)
    density, after = scattering_density(energy, cos_theta, m, coherent, physics, directed)
    weight *= chance * density * 2.0 * math.pi * (1.0 - edge)
    if after < MIN_KEV or weight <= 0.0:
        return gone
    floor = directed.floor[k]
    if weight < floor:
        if uniform(rng) * floor >= weight:
            return gone
        weight = floor
    reach = far * cos_off - math.sqrt(max(0.0, radius2 - far2 * sin_off * sin_off))
    # what another sphere hides is that sphere's
    if way_to_spheres(x, y, z, nu, nv, nw, directed) < reach - 1e-9:
        return gone
    if not _arrives(x, y, z, nu, nv, nw, after, reach, physics, voxels, rng):
        return gone
    return x + reach * nu, y + reach * nv, z + reach * nw, nu, nv, nw, after, weight


@jit
def _arrives(
    x: Any,
    y: Any,
    z: Any,
    u: Any,
    v: Any,
    w: Any,
    energy: Any,
    goal: Any,
    physics: Any,
    voxels: Any,
    rng: Any,
) -> Any:
    """Whether a photon flies a distance within the grid without a collision."""
    cell, place = energy_cell(energy)
    nx, ny, nz, dx, dy, dz = voxels.nx, voxels.ny, voxels.nz, voxels.dx, voxels.dy, voxels.dz
    ix = min(max(int(x / dx), 0), nx - 1)
    iy = min(max(int(y / dy), 0), ny - 1)
    iz = min(max(int(z / dz), 0), nz - 1)
    sx, sy, sz = (1 if u > 0.0 else -1), (1 if v > 0.0 else -1), (1 if w > 0.0 else -1)
    delta_x = abs(dx / u) if u != 0.0 else np.inf
    delta_y = abs(dy / v) if v != 0.0 else np.inf
    delta_z = abs(dz / w) if w != 0.0 else np.inf
    next_x = ((ix + (sx > 0)) * dx - x) / u if u != 0.0 else np.inf
    next_y = ((iy + (sy > 0)) * dy - y) / v if v != 0.0 else np.inf
    next_z = ((iz + (sz > 0)) * dz - z) / w if w != 0.0 else np.inf
    depth = -math.log(uniform(rng))
    travelled = 0.0
    while True:
        at = (iz * ny + iy) * nx + ix
        m = np.int64(voxels.material[at])
        total = np.float64(physics.attenuation[cell, m, 0]) + place * physics.attenuation[cell, m, 1]
        reach = min(next_x, min(next_y, next_z), goal)
        depth -= total * voxels.density[at] * max(reach - travelled, 0.0)
        if depth <= 0.0:
            return False
        if reach >= goal:
            return True
        travelled = reach
        if reach == next_x:
            ix += sx
            next_x += delta_x
            if ix < 0 or ix >= nx:
                return False
        elif reach == next_y:
            iy += sy
            next_y += delta_y
            if iy < 0 or iy >= ny:
                return False
        else:
            iz += sz
            next_z += delta_z
            if iz < 0 or iz >= nz:
                return False
