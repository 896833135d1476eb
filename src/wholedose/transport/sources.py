"""Where photons start. Defines `ParallelBeam`, `XrayBeam`, `IsotropicSource`, their arrays and `emit`.

Positions are LPS mm outside; inside the kernels cm from the low corner of the geometry's box, computed in
double precision before anything is projected. Discrete choices (energy, view, fan bin) are drawn with
alias tables (Walker 1977, doi:10.1145/355744.355749; Vose 1991, doi:10.1109/32.92917).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from wholedose.base import InvalidInput, OutsideDomain, digest_of
from wholedose.transport.compiled import inlined
from wholedose.transport.direction import isotropic
from wholedose.transport.energies import MAX_KEV, MIN_KEV
from wholedose.transport.rng import uniform

FloatArray = NDArray[np.float64]
Point = tuple[float, float, float]

PARALLEL, XRAY, ISOTROPIC, FIELD, ACTIVITY = 0, 1, 2, 3, 4


class SourceArrays(NamedTuple):
    """A source as the kernels read it; lengths in cm from the geometry's low corner.

    Attributes
    ----------
    kind : int
    frame : float64 [12]
        Parallel: centre, direction, first and second axis; isotropic: centre and half edges; field: low
        corner and edges; activity: low corner and edges of a voxel.
    size : float64 [3]
        Parallel: half widths, and 1 for a circle; X-ray: half the z jitter; field: 1 for all directions, 0
        for those perpendicular to z; activity: voxels along x and y.
    focus, axis, fan, cone : float64 [views, 3]
    opening_of_view : int32 [views]
    opening : float64 [openings, 2]
        Limits of tan(cone angle).
    view_chance, view_alias : [1, views]
        Field: the faces across x, y and z; activity: cumulated shares and numbers of the voxels.
    bin_low, bin_width : float64 [openings, bins]
        Fan angle where the bin begins inside the opening, and its width there.
    bin_top : float64 [openings, bins]
        Largest solid angle per fan angle within the bin.
    bin_chance, bin_alias : [openings, bins]
    energy_kev : float64 [m]
    energy_chance, energy_alias : [bins, m]
    """

    kind: int
    frame: FloatArray
    size: FloatArray
    focus: FloatArray
    axis: FloatArray
    fan: FloatArray
    cone: FloatArray
    opening_of_view: NDArray[np.int32]
    opening: FloatArray
    view_chance: FloatArray
    view_alias: NDArray[np.int32]
    bin_low: FloatArray
    bin_width: FloatArray
    bin_top: FloatArray
    bin_chance: FloatArray
    bin_alias: NDArray[np.int32]
    energy_kev: FloatArray
    energy_chance: FloatArray
    energy_alias: NDArray[np.int32]


class SpectrumLike(Protocol):
    """What a source needs of a spectrum: discrete energies and their relative photon numbers."""

    @property
    def energy_kev(self) -> FloatArray:
        """Energies in keV."""
        ...

    @property
    def weight(self) -> FloatArray:
        """Relative photon numbers."""
        ...


Energy = float | SpectrumLike | tuple[ArrayLike, ArrayLike]
"""A line in keV, a spectrum, or discrete energies in keV with relative photon numbers."""


class Source(Protocol):
    """Anything that `simulate` can start photons from."""

    def arrays(self, lower_mm: Point) -> SourceArrays:
        """Return the source relative to a geometry's low corner."""
        ...

    def digest(self) -> str:
        """Return a digest of everything that defines the source."""
        ...


def alias_table(weights: ArrayLike) -> tuple[FloatArray, NDArray[np.int32]]:
    """Return (chance, alias) of Walker's method for relative weights, by Vose's construction."""
    w = np.asarray(weights, dtype=np.float64)
    n = len(w)
    scaled = w * (n / w.sum())
    chance, alias = np.ones(n), np.arange(n, dtype=np.int32)
    small = [i for i in range(n) if scaled[i] < 1.0]
    large = [i for i in range(n) if scaled[i] >= 1.0]
    while small and large:
        less, more = small.pop(), large.pop()
        chance[less], alias[less] = scaled[less], more
        scaled[more] -= 1.0 - scaled[less]
        (small if scaled[more] < 1.0 else large).append(more)
    return chance, alias


def checked_spectrum(
    energy: Energy,
) -> tuple[FloatArray, FloatArray]:
    """Return (energies, weights) of a line in keV, a spectrum, or a pair of arrays; zero weights dropped.

    Raises
    ------
    OutsideDomain
        An energy outside 1 keV to 10 MeV.
    InvalidInput
        Weights that are negative or all zero.
    """
    if isinstance(energy, int | float):
        kev, weight = np.array([float(energy)]), np.ones(1)
    elif isinstance(energy, tuple):
        kev, weight = np.asarray(energy[0], dtype=np.float64), np.asarray(energy[1], dtype=np.float64)
    else:
        kev, weight = np.asarray(energy.energy_kev, np.float64), np.asarray(energy.weight, np.float64)
    if kev.shape != weight.shape or kev.ndim != 1 or not np.isfinite(weight).all() or (weight < 0).any():
        raise InvalidInput("A spectrum needs one non-negative weight for each energy.", where="source")
    kev, weight = kev[weight > 0], weight[weight > 0]
    if not len(kev):
        raise InvalidInput("The spectrum has no photons.", where="source")
    check_energies(kev)
    return kev, weight


def check_energies(kev: FloatArray) -> None:
    """Raise OutsideDomain unless all energies lie in the engine's domain."""
    low, high = float(kev.min()), float(kev.max())
    if not (low >= MIN_KEV and high <= MAX_KEV):
        raise OutsideDomain(
            f"Photons of {low:g} to {high:g} keV are outside the transport's domain.",
            where="source",
            way_out=f"Give energies from {MIN_KEV:g} keV to {MAX_KEV / 1000:g} MeV.",
        )


def _unit(vector: ArrayLike, what: str) -> FloatArray:
    v = np.atleast_1d(np.asarray(vector, dtype=np.float64))
    norm = np.linalg.norm(v, axis=-1, keepdims=True)
    if v.shape[-1] != 3 or not np.isfinite(norm).all() or (norm == 0).any():
        raise InvalidInput(f"The {what} needs three finite numbers that are not all zero.", where="source")
    return np.asarray(v / norm)


def _empty(**parts: Any) -> SourceArrays:
    one, none = np.ones((1, 1)), np.zeros((1, 1), dtype=np.int32)
    vector = np.zeros((1, 3))
    base: dict[str, Any] = {
        "frame": np.zeros(12), "size": np.zeros(3), "focus": vector, "axis": vector, "fan": vector,
        "cone": vector, "opening_of_view": none[0], "opening": np.zeros((1, 2)), "view_chance": one,
        "view_alias": none, "bin_low": one, "bin_width": one, "bin_top": one, "bin_chance": one,
        "bin_alias": none,
    }  # fmt: skip
    return SourceArrays(**{**base, **parts})


@dataclass(frozen=True)
class ParallelBeam:
    """A parallel beam with a uniform rectangular or circular cross-section.

    Parameters
    ----------
    centre_mm : (x, y, z)
        Any point on the beam's axis at or before the geometry, in LPS mm.
    direction : (x, y, z)
        Where the photons fly.
    size_mm : (a, b)
        Full widths along ``across`` and along direction × across; for a circle both are the diameter.
    energy : float, spectrum or (energies, weights)
        A line in keV, or discrete energies with relative photon numbers.
    across : (x, y, z), optional
        The first axis of the cross-section; by default the most perpendicular of x and y.
    circular : bool

    Examples
    --------
    >>> ParallelBeam((0, 0, -10), (0, 0, 1), (100, 100), 60.0).size_mm
    (100, 100)
    """

    centre_mm: Point
    direction: Point
    size_mm: tuple[float, float]
    energy: Energy
    across: Point | None = None
    circular: bool = False

    def __post_init__(self) -> None:
        checked_spectrum(self.energy)
        _unit(self.direction, "direction")
        if len(self.size_mm) != 2 or not min(self.size_mm) >= 0:
            raise InvalidInput(f"A beam needs two widths in mm, got {self.size_mm}.", where="size_mm")

    def arrays(self, lower_mm: Point) -> SourceArrays:
        """Return the source relative to a geometry's low corner."""
        w = _unit(self.direction, "direction")
        first = self.across
        if first is None:
            first = (1.0, 0.0, 0.0) if abs(w[0]) <= abs(w[1]) else (0.0, 1.0, 0.0)
        u = _unit(np.asarray(first) - np.dot(first, w) * w, "across")
        centre = (np.asarray(self.centre_mm, dtype=np.float64) - lower_mm) / 10.0
        kev, weight = checked_spectrum(self.energy)
        chance, alias = alias_table(weight)
        return _empty(
            kind=PARALLEL,
            frame=np.concatenate([centre, w, u, np.cross(w, u)]),
            size=np.array([self.size_mm[0] / 20, self.size_mm[1] / 20, float(self.circular)]),
            energy_kev=kev,
            energy_chance=chance[None],
            energy_alias=alias[None],
        )

    def digest(self) -> str:
        """Return a digest of everything that defines the source."""
        return _digest("parallel beam", self.arrays((0.0, 0.0, 0.0)))


@dataclass(frozen=True)
class IsotropicSource:
    """Photons in all directions from a point, or uniformly from a box.

    Parameters
    ----------
    centre_mm : (x, y, z)
        LPS mm.
    energy : float, spectrum or (energies, weights)
    size_mm : (x, y, z)
        Full edges of the box that emits; a point by default.
    """

    centre_mm: Point
    energy: Energy
    size_mm: Point = (0.0, 0.0, 0.0)

    def __post_init__(self) -> None:
        checked_spectrum(self.energy)
        if len(self.size_mm) != 3 or not min(self.size_mm) >= 0:
            raise InvalidInput(f"A source box needs three edges in mm, got {self.size_mm}.", where="size_mm")

    def arrays(self, lower_mm: Point) -> SourceArrays:
        """Return the source relative to a geometry's low corner."""
        centre = (np.asarray(self.centre_mm, dtype=np.float64) - lower_mm) / 10.0
        kev, weight = checked_spectrum(self.energy)
        chance, alias = alias_table(weight)
        return _empty(
            kind=ISOTROPIC,
            frame=np.concatenate([centre, np.asarray(self.size_mm, np.float64) / 20, np.zeros(6)]),
            energy_kev=kev,
            energy_chance=chance[None],
            energy_alias=alias[None],
        )

    def digest(self) -> str:
        """Return a digest of everything that defines the source."""
        return _digest("isotropic source", self.arrays((0.0, 0.0, 0.0)))


def _digest(kind: str, arrays: SourceArrays) -> str:
    return digest_of(kind, *(np.asarray(item) for item in arrays))


@inlined
def _pick(row: Any, chance: Any, alias: Any, rng: Any) -> Any:
    scaled = uniform(rng) * chance.shape[1]
    k = int(scaled)
    if scaled - k < chance[row, k]:
        return k
    return np.int64(alias[row, k])


@inlined
def emit(source: Any, rng: Any) -> Any:
    """Return (x, y, z, u, v, w, energy in keV) of a source photon; cm from the geometry's low corner."""
    if source.kind == PARALLEL:
        f = source.frame
        while True:
            a = 2.0 * uniform(rng) - 1.0
            b = 2.0 * uniform(rng) - 1.0
            if source.size[2] == 0.0 or a * a + b * b < 1.0:
                break
        a *= source.size[0]
        b *= source.size[1]
        x, y, z = f[0] + a * f[6] + b * f[9], f[1] + a * f[7] + b * f[10], f[2] + a * f[8] + b * f[11]
        u, v, w = f[3], f[4], f[5]
        row = 0
    elif source.kind == XRAY:
        x, y, z, u, v, w, row = _emit_xray(source, rng)
    elif source.kind == FIELD:
        x, y, z, u, v, w = _emit_field(source, rng)
        row = 0
    elif source.kind == ACTIVITY:
        x, y, z = _place_in_voxel(source, rng)
        u, v, w = isotropic(rng)
        row = 0
    else:
        f = source.frame
        x = f[0] + (2.0 * uniform(rng) - 1.0) * f[3]
        y = f[1] + (2.0 * uniform(rng) - 1.0) * f[4]
        z = f[2] + (2.0 * uniform(rng) - 1.0) * f[5]
        u, v, w = isotropic(rng)
        row = 0
    if len(source.energy_kev) == 1:
        energy = source.energy_kev[0]
    else:
        energy = source.energy_kev[_pick(row, source.energy_chance, source.energy_alias, rng)]
    return x, y, z, u, v, w, energy


@inlined
def _emit_xray(source: Any, rng: Any) -> Any:
    view = 0
    if source.view_chance.shape[1] > 1:
        view = _pick(0, source.view_chance, source.view_alias, rng)
    opening = source.opening_of_view[view]
    row = 0
    if source.bin_chance.shape[1] > 1:
        row = _pick(opening, source.bin_chance, source.bin_alias, rng)
    # in the angles γ (fan) and β (elevation), dΩ = cosβ dβ dγ; a rectangular opening limits tanβ/cosγ
    while True:
        gamma = source.bin_low[opening, row] + uniform(rng) * source.bin_width[opening, row]
        cos_gamma = math.cos(gamma)
        low = source.opening[opening, 0] * cos_gamma
        high = source.opening[opening, 1] * cos_gamma
        sin_low = low / math.sqrt(1.0 + low * low)
        sin_high = high / math.sqrt(1.0 + high * high)
        if uniform(rng) * source.bin_top[opening, row] <= sin_high - sin_low:
            break
    sin_beta = sin_low + uniform(rng) * (sin_high - sin_low)
    cos_beta = math.sqrt(1.0 - sin_beta * sin_beta)
    a = cos_gamma * cos_beta
    b = math.sin(gamma) * cos_beta
    u = a * source.axis[view, 0] + b * source.fan[view, 0] + sin_beta * source.cone[view, 0]
    v = a * source.axis[view, 1] + b * source.fan[view, 1] + sin_beta * source.cone[view, 1]
    w = a * source.axis[view, 2] + b * source.fan[view, 2] + sin_beta * source.cone[view, 2]
    z = source.focus[view, 2] + (2.0 * uniform(rng) - 1.0) * source.size[0]
    return source.focus[view, 0], source.focus[view, 1], z, u, v, w, row


@inlined
def _place_in_voxel(source: Any, rng: Any) -> Any:
    chance = source.view_chance
    target = uniform(rng)
    low, high = 0, chance.shape[1] - 1
    while low < high:
        middle = (low + high) // 2
        if chance[0, middle] < target:
            low = middle + 1
        else:
            high = middle
    at = np.int64(source.view_alias[0, low])
    nx, ny = np.int64(source.size[0]), np.int64(source.size[1])
    f = source.frame
    return (
        f[0] + (at % nx + uniform(rng)) * f[3],
        f[1] + ((at // nx) % ny + uniform(rng)) * f[4],
        f[2] + (at // (nx * ny) + uniform(rng)) * f[5],
    )


@inlined
def _emit_field(source: Any, rng: Any) -> Any:
    f = source.frame
    across = _pick(0, source.view_chance, source.view_alias, rng)
    far = uniform(rng) < 0.5
    # the current through a face is the fluence times the cosine to its normal
    if source.size[0] != 0.0:
        cos2 = uniform(rng)
        sine, turn = math.sqrt(1.0 - cos2), 2.0 * math.pi * uniform(rng)
        normal, first, second = math.sqrt(cos2), sine * math.cos(turn), sine * math.sin(turn)
    else:
        first, second = 2.0 * uniform(rng) - 1.0, 0.0
        normal = math.sqrt(1.0 - first * first)
    if far:
        normal = -normal
    x, y, z = f[0] + f[3] * uniform(rng), f[1] + f[4] * uniform(rng), f[2] + f[5] * uniform(rng)
    if across == 0:
        return f[0] + f[3] * far, y, z, normal, first, second
    if across == 1:
        return x, f[1] + f[4] * far, z, first, normal, second
    return x, y, f[2] + f[5] * far, first, second, normal
