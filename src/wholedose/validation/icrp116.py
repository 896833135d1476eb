"""Doses per fluence of whole-body irradiation, as ICRP Publication 116 has them. Defines `dose_coefficients`
and `effective`.

A reference adult stands in a vacuum in a uniform field of photons of one energy: parallel from the front
(AP), the back (PA), the left or the right side (LLAT, RLAT), turning about the long axis (ROT), or from all
directions (ISO). Scored are organ absorbed doses per fluence; the effective dose per fluence is the mean
over the sexes of the organs' doses with the ICRP 103 weights. What differs from ICRP 116 by method:
secondary electrons deposit where they arise, and red marrow and endosteum are scored by the fluence in
bone sites (`wholedose.body.skeletal_response`). See ``docs/icrp116.md``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from wholedose.base import (
    Executor,
    Grid,
    InvalidInput,
    MissingInput,
    ThreadExecutor,
    UnknownName,
)
from wholedose.body import Body
from wholedose.tables import load
from wholedose.transport import (
    IsotropicField,
    ParallelBeam,
    Regions,
    RotatingField,
    Source,
    Tally,
    VoxelGeometry,
    simulate,
)
from wholedose.validation.suites import Progress
from wholedose.xray.ct_estimate import organ_terms, regions_of

GEOMETRIES = ("AP", "PA", "LLAT", "RLAT", "ROT", "ISO")
ENERGIES_KEV = (20.0, 30.0, 40.0, 60.0, 80.0, 100.0, 150.0, 300.0, 600.0, 1000.0, 2000.0, 3000.0)
TARGET_U = 0.0125
"""Relative statistical uncertainty of one body at which a point is finished: 0.9 % in the mean of two."""

PILOT_BATCHES, HISTORIES = 20, 10_000
MOST_BATCHES = 2_000
PGY_PER_MGY = 1e9

# the way the photons fly; LPS: x to the left, y to the back
_DIRECTION = {
    "AP": (0.0, 1.0, 0.0),
    "PA": (0.0, -1.0, 0.0),
    "LLAT": (-1.0, 0.0, 0.0),
    "RLAT": (1.0, 0.0, 0.0),
}


class Coefficient(NamedTuple):
    """A dose per fluence in pGy cm² and its statistical standard uncertainty."""

    value: float
    u: float


@dataclass(frozen=True)
class Coefficients:
    """The doses per fluence of one body in one field.

    Attributes
    ----------
    sex : {"F", "M"}
    geometry : str
        One of `GEOMETRIES`.
    energy_kev : float
    organs : mapping of str to Coefficient
        Mean absorbed dose per fluence in pGy cm², by organ.
    weighted : Coefficient
        Sum over this body's tissues with the ICRP 103 weights, pSv cm²: its half of the effective dose.
    mixture : Coefficient
        The same sum if red marrow and endosteum had the dose of the bone sites that hold them, as if bone
        were a homogeneous mixture.
    histories : int
    """

    sex: str
    geometry: str
    energy_kev: float
    organs: Mapping[str, Coefficient]
    weighted: Coefficient
    mixture: Coefficient
    histories: int

    def to_json(self) -> dict[str, Any]:
        """Return a dictionary that `from_json` reads back."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Coefficients:
        """Return the coefficients that `to_json` wrote."""
        organs = {name: Coefficient(*pair) for name, pair in data["organs"].items()}
        sums = {name: Coefficient(*data[name]) for name in ("weighted", "mixture")}
        return cls(**{**data, **sums, "organs": organs})


def field(geometry: str, grid: Grid, energy_kev: float) -> tuple[Source, float]:
    """Return the source of a geometry around a grid, and the fluence per history in 1/cm².

    Parameters
    ----------
    geometry : str
        One of `GEOMETRIES`.
    grid : Grid
        Its box is filled by the field.
    energy_kev : float

    Raises
    ------
    UnknownName
        Not one of the geometries.

    Examples
    --------
    >>> source, fluence = field("AP", Grid((10, 5, 5), (10.0, 10.0, 10.0), (0.0, 0.0, 0.0)), 60.0)
    >>> source.direction, round(fluence, 6)
    ((0.0, 1.0, 0.0), 0.02)
    """
    low, high = grid.lower_mm, grid.upper_mm
    if geometry == "ISO":
        everywhere = IsotropicField(low, high, energy_kev)
        return everywhere, everywhere.fluence_per_cm2
    if geometry == "ROT":
        turning = RotatingField(low, high, energy_kev)
        return turning, turning.fluence_per_cm2
    if geometry not in _DIRECTION:
        raise UnknownName("geometry", geometry, GEOMETRIES)
    direction = np.array(_DIRECTION[geometry])
    size = np.subtract(high, low)
    centre = np.array(grid.centre_mm) - direction * size / 2.0
    width, height = float(size[0] if direction[0] == 0.0 else size[1]), float(size[2])
    across = (1.0, 0.0, 0.0) if direction[0] == 0.0 else (0.0, 1.0, 0.0)
    beam = ParallelBeam(
        (float(centre[0]), float(centre[1]), float(centre[2])),
        _DIRECTION[geometry],
        (width, height),
        energy_kev,
        across,
    )
    return beam, 100.0 / (width * height)


class Voxels(NamedTuple):
    """What of a body is simulated: cropped to the person, nothing around."""

    geometry: VoxelGeometry
    regions: Regions


def voxels_of(body: Body) -> Voxels:
    """Return the voxels of a body cropped to the person, in a vacuum, and the regions to score."""
    used = [np.flatnonzero(body.labels.any(axis=axes)) for axes in ((1, 2), (0, 2), (0, 1))]
    if not all(len(item) for item in used):
        raise InvalidInput("The body has no voxels.", where="body")
    cut = tuple(slice(int(item[0]), int(item[-1]) + 1) for item in used)
    labels = body.labels[cut]
    z, y, x = (axis[part] for axis, part in zip(body.grid.axes_mm(), cut, strict=True))
    shape = (int(labels.shape[0]), int(labels.shape[1]), int(labels.shape[2]))
    grid = Grid(shape, body.grid.spacing_mm, (float(x[0]), float(y[0]), float(z[0])))
    density: NDArray[np.float32] = np.where(labels > 0, body.density_g_cm3[cut], np.float32(0.0))
    whole = regions_of(body)
    return Voxels(
        VoxelGeometry(grid, body.material[cut], density, body.materials),
        Regions(labels, whole.names, whole.response),
    )


def weights(body: Body) -> dict[str, float]:
    """Return what each organ of a body counts in the effective dose, the remainder shared by its 13 tissues.

    Raises
    ------
    MissingInput
        The body lacks a tissue of ICRP 103.

    Examples
    --------
    The prostate of a man counts 0.12/13, his testes 0.08, a woman's prostate nothing.
    """
    terms, sex = organ_terms(body), body.person.sex
    found: dict[str, float] = {}
    for row in load("dose/tissue_weights").rows():
        tissue, weight = str(row["tissue"]), float(row["tissue_weighting_factor"])
        members = [tissue]
        if tissue == "gonads":
            members = ["testes" if sex == "M" else "ovaries"]
        elif tissue == "remainder":
            table = load("dose/remainder_tissues").rows()
            members = [str(item["tissue"]) for item in table if item["sex"] in ("both", sex)]
        missing = [name for name in members if name not in terms]
        if missing:
            raise MissingInput(
                f"The effective dose needs {', '.join(missing)}, which this body does not have.",
                where="body",
                way_out="Use a whole reference body.",
            )
        for name in members:
            found[name] = found.get(name, 0.0) + weight / len(members)
    return found


def dose_coefficients(
    body: Body,
    geometry: str,
    energies_kev: Sequence[float] = ENERGIES_KEV,
    *,
    seed: int = 1,
    target_u: float = TARGET_U,
    executor: Executor | None = None,
    progress: Progress = lambda text: None,
) -> list[Coefficients]:
    """Return organ absorbed doses per fluence of a body in a field, one entry an energy.

    A pilot of 20 batches tells how many are needed; the result depends on the seed, not on the workers.

    Parameters
    ----------
    body : Body
        Upright: z to the head; whole, with all tissues of ICRP 103.
    geometry : str
        One of `GEOMETRIES`.
    energies_kev : sequence of float
        Photon energies, 1 keV to 10 MeV.
    seed : int
    target_u : float
        Relative statistical uncertainty of the body's weighted sum to reach, by at most 20 million photons.
    executor : Executor, optional
        Threads on all cores by default.
    progress : callable, optional
        Called with a text before each energy.

    Raises
    ------
    UnknownName
        Not one of the geometries.
    MissingInput
        The body lacks a tissue.
    OutsideDomain
        An energy outside the transport's domain.
    """
    counted, terms = weights(body), organ_terms(body)
    mixed = terms | {
        "red_bone_marrow": [(name.split("@")[0], share) for name, share in terms["red_bone_marrow"]],
        "endosteum": [(site.name, site.endosteum_share) for site in body.skeleton],
    }
    voxels = voxels_of(body)
    workers = ThreadExecutor() if executor is None else executor
    found = []
    for energy in energies_kev:
        progress(f"{geometry}, {energy:g} keV, {body.person.sex}")
        source, fluence = field(geometry, voxels.geometry.grid, float(energy))
        scale = PGY_PER_MGY / fluence

        def run(batches: int, source: Source = source) -> Tally:
            return simulate(
                voxels.geometry,
                source,
                seed=seed,
                regions=voxels.regions,
                batches=batches,
                histories_per_batch=HISTORIES,
                executor=workers,
                voxel_scores=False,
            )

        tally = run(PILOT_BATCHES)
        weighted = _weighted(tally, terms, counted, scale)
        needed = math.ceil(tally.batches * (weighted.u / (target_u * weighted.value)) ** 2)
        if needed > tally.batches:
            tally = run(min(needed, MOST_BATCHES))
            weighted = _weighted(tally, terms, counted, scale)
        organs = {
            name: _coefficient(_per_batch(tally, combination), scale) for name, combination in terms.items()
        }
        mixture = _weighted(tally, mixed, counted, scale)
        found.append(
            Coefficients(body.person.sex, geometry, float(energy), organs, weighted, mixture, tally.histories)
        )
    return found


def _per_batch(tally: Tally, combination: Sequence[tuple[str, float]]) -> NDArray[np.float64]:
    total = np.zeros(tally.batches)
    for key, share in combination:
        total += share * tally.regions[key].per_batch
    return total


def _coefficient(per_batch: NDArray[np.float64], scale: float) -> Coefficient:
    spread = float(per_batch.std(ddof=1)) / math.sqrt(len(per_batch))
    return Coefficient(float(per_batch.mean()) * scale, spread * scale)


def _weighted(
    tally: Tally, terms: Mapping[str, list[tuple[str, float]]], counted: Mapping[str, float], scale: float
) -> Coefficient:
    # organs of one run are correlated, so the sum is taken in each batch
    total = np.zeros(tally.batches)
    for organ, weight in counted.items():
        total += weight * _per_batch(tally, terms[organ])
    return _coefficient(total, scale)


def effective(male: Coefficients, female: Coefficients, *, mixture: bool = False) -> Coefficient:
    """Return the effective dose per fluence in pSv cm²: the mean over the sexes (ICRP 103, equation 4.5).

    Parameters
    ----------
    male, female : Coefficients
    mixture : bool
        Take the sums in which bone is a homogeneous mixture.

    Raises
    ------
    InvalidInput
        Not a man and a woman in the same field.

    Examples
    --------
    Of 0.40 ± 0.003 and 0.44 ± 0.004 pSv cm² it is 0.42 ± 0.0025 pSv cm².
    """
    same = (male.geometry, male.energy_kev) == (female.geometry, female.energy_kev)
    if (male.sex, female.sex) != ("M", "F") or not same:
        raise InvalidInput(
            f"The effective dose needs a man and a woman in the same field, got {male.sex} in "
            f"{male.geometry} at {male.energy_kev:g} keV and {female.sex} in {female.geometry} at "
            f"{female.energy_kev:g} keV.",
            where="effective",
        )
    one, other = (male.mixture, female.mixture) if mixture else (male.weighted, female.weighted)
    return Coefficient(0.5 * (one.value + other.value), 0.5 * math.hypot(one.u, other.u))
