"""Suite of completion: doses in bodies completed from a cut CT beside those in the whole body behind it.

Truths are persons whose organs are not where the reference body has them (`other_person`); their CT is cut to
a region, completed by `wholedose.body.from_ct` as any user's would be, and one scan of that region is
simulated in both. Any whole body can be a truth (`Truth`), so tests put voxel phantoms and real images in.
Defines `Truth`, `OrganCase`, `organ_cases`, `summary_rows` and `rows`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from wholedose.base import Grid, Volume
from wholedose.body import ORGANS, Body, Person, from_ct
from wholedose.body.locate import region_range
from wholedose.dose import OrganDose
from wholedose.matter import hu_of
from wholedose.synthetic.ct_image import beam
from wholedose.validation.bodies import name_of
from wholedose.validation.other_person import other_person
from wholedose.validation.suites import REPORTED_ONLY, Progress, Row
from wholedose.xray.ct_dose import CtDose
from wholedose.xray.ct_estimate import estimate
from wholedose.xray.ct_scan import CtScan

SUITE = "completion"
SOURCE = "our own transport in both bodies"
REGIONS = ("chest", "abdomen", "pelvis", "head")
VOXEL_MM = 4.0
KV, NOISE_HU = 120.0, 10.0
BATCHES = 3
SEED = 116
AIR_MM = 24.0
OVERRANGE_MM = 15.0

COVERAGE_GOAL, OUTSIDE_GOAL = 0.90, 0.20
NORMAL_95 = 1.96
INSIDE, OUTSIDE = 0.9, 0.1
"""Shares of an organ's mass in the image above and below which it counts as in it and out of it."""

NOISIEST = 0.15
"""Relative statistical uncertainty of either dose above which a pair tells nothing about anatomy."""

TEXTURE_HU, SPONGY_FROM = 60.0, 1.12
"""Spread of the CT numbers of bone, from a density in g/cm³, from voxel to voxel (assumption): bodies hold it
as even blocks, which in an image pass for blood with contrast."""

PLACES = {"inside": "in the image", "partly": "partly in the image", "outside": "out of the image"}

PERSONS = (Person("F", 52, 158, 74), Person("M", 37, 188, 82), Person("M", 8, 135, 27))
"""None of them of reference size; the weight changes a little with the organs."""


@dataclass(frozen=True, eq=False)
class Truth:
    """A whole body, and what a user would know of the person.

    Attributes
    ----------
    name : str
    body : Body
        In the pose of the image.
    known : Person
    ranges_mm : mapping of str to (float, float)
        z of the images cut out of it; by default of the regions of ``body/regions`` by landmarks.
    organs : tuple of str
        To be compared; by default all that both bodies have.
    """

    name: str
    body: Body
    known: Person
    ranges_mm: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    organs: tuple[str, ...] = ()

    def range_mm(self, region: str) -> tuple[float, float]:
        """Return the ends of the image of a region in mm."""
        return self.ranges_mm.get(region) or region_range(self.body, region)


@dataclass(frozen=True)
class OrganCase:
    """The dose of one organ in the completed body beside the true one.

    Attributes
    ----------
    truth, region, organ : str
    dose_mgy, true_mgy : float
    anatomy_u : float
        Relative standard uncertainty by anatomy that the product states.
    statistical_u : float
        Relative, of both simulations together.
    in_image : float
        Share of the true organ's mass in the image.
    """

    truth: str
    region: str
    organ: str
    dose_mgy: float
    true_mgy: float
    anatomy_u: float
    statistical_u: float
    in_image: float

    @property
    def u(self) -> float:
        """Relative standard uncertainty of the comparison."""
        return math.hypot(self.anatomy_u, self.statistical_u)

    @property
    def error(self) -> float:
        """Completed over true, minus 1."""
        return self.dose_mgy / self.true_mgy - 1.0

    @property
    def covered(self) -> bool:
        """Whether the true dose lies in the 95 % interval, which is log-normal: a dose is positive."""
        return abs(math.log(self.dose_mgy / self.true_mgy)) <= NORMAL_95 * self.u

    @property
    def place(self) -> str:
        """``"inside"``, ``"partly"`` or ``"outside"`` the image."""
        return "inside" if self.in_image >= INSIDE else "outside" if self.in_image <= OUTSIDE else "partly"


def ct_of(body: Body, z_mm: tuple[float, float], seed: int = 1) -> Volume:
    """Return the CT image of a part of a body, in its own voxels, with noise and air around.

    Parameters
    ----------
    body : Body
    z_mm : (float, float)
        Ends of the image.
    seed : int
        Of the noise.
    """
    spectrum, z = beam(KV), body.grid.axes_mm()[0]
    keep = np.flatnonzero((z >= z_mm[0]) & (z <= z_mm[1]))
    part = slice(int(keep[0]), int(keep[-1]) + 1)
    mass = np.array([(hu_of(m, spectrum) / 1000.0 + 1.0) / m.density_g_cm3 for m in body.materials])
    hu = 1000.0 * (mass[body.material[part]] * body.density_g_cm3[part] - 1.0)
    pad = [0, *(math.ceil(AIR_MM / step) for step in body.grid.spacing_mm[1:])]
    spongy = body.density_g_cm3[part] > SPONGY_FROM
    hu[spongy] += np.random.default_rng([SEED, seed, 1]).normal(0.0, TEXTURE_HU, int(spongy.sum()))
    hu = np.pad(hu, [(n, n) for n in pad], constant_values=-1000.0)
    hu += np.random.default_rng([SEED, seed]).normal(0.0, NOISE_HU, hu.shape)
    x, y, _ = body.grid.origin_mm
    _, dy, dx = body.grid.spacing_mm
    grid = Grid(
        (hu.shape[0], hu.shape[1], hu.shape[2]),
        body.grid.spacing_mm,
        (x - pad[2] * dx, y - pad[1] * dy, float(z[keep[0]])),
    )
    return Volume(grid, np.clip(hu, -1024, 3071).astype(np.int16), "HU", {"modality": "CT"})


def scan_of(image: Volume, region: str) -> CtScan:
    """Return a helical scan of what an image shows, with one technique for both bodies."""
    low, high = image.grid.lower_mm[2] - OVERRANGE_MM, image.grid.upper_mm[2] + OVERRANGE_MM
    x, y, _ = image.grid.centre_mm
    head = region == "head"
    ctdivol = 40.0 if head else 8.0
    return CtScan.typed(
        kv=KV,
        ctdivol_mgy=ctdivol,
        phantom_cm=16 if head else 32,
        dlp_mgy_cm=ctdivol * (high - low) / 10.0,
        mode="helical",
        start_z_mm=low,
        end_z_mm=high,
        collimation_mm=20.0,
        pitch=1.0,
        isocentre_mm=(x, y),
        name=region,
    )


def organ_cases(
    truth: Truth, region: str, batches: int = BATCHES, image: Volume | None = None
) -> list[OrganCase]:
    """Cut a region out of a whole body, complete it, scan both and compare the doses of organs.

    Parameters
    ----------
    truth : Truth
    region : str
    batches : int
        Of 100 000 photons each.
    image : Volume, optional
        The cut image; by default made of the true body.
    """
    image = image or ct_of(truth.body, truth.range_mm(region))
    scan = scan_of(image, region)
    completed = from_ct(image, truth.known, voxel_mm=VOXEL_MM)
    ours = estimate(scan, completed, batches=batches, seed=SEED)
    true = estimate(scan, truth.body, batches=batches, seed=SEED)
    return compared(truth, region, ours, true)


def compared(truth: Truth, region: str, ours: CtDose, true: CtDose) -> list[OrganCase]:
    """Return the organs that both doses hold, side by side."""
    found = []
    there = {item.organ: item for item in true.organs.values()}
    z_mm = ours.body.image_z_mm or (0.0, 0.0)
    for item in ours.organs.values():
        organ = item.organ
        if organ not in there or organ not in ORGANS or (truth.organs and organ not in truth.organs):
            continue
        pair = (item, there[organ])
        if min(one.dose.value for one in pair) <= 0.0:
            continue
        noise = math.hypot(*(_part(one, "statistical") for one in pair))
        found.append(
            OrganCase(
                truth.name,
                region,
                organ,
                item.dose.value,
                there[organ].dose.value,
                _part(item, "anatomy"),
                noise,
                truth.body.inside(organ, z_mm),
            )
        )
    return found


def _part(item: OrganDose, name: str) -> float:
    """Relative standard uncertainty by one cause."""
    return item.dose.by_name().get(name, 0.0) / item.dose.value


def told(cases: Iterable[OrganCase]) -> list[OrganCase]:
    """Return the cases whose doses are not mere noise."""
    return [case for case in cases if case.statistical_u <= NOISIEST]


def coverage(cases: Sequence[OrganCase]) -> float:
    """Return the share of cases whose true dose lies in the 95 % interval; NaN of none."""
    return sum(case.covered for case in cases) / len(cases) if cases else math.nan


def median_error(cases: Sequence[OrganCase]) -> float:
    """Return the median of the absolute relative errors; NaN of none."""
    return float(np.median([abs(case.error) for case in cases])) if cases else math.nan


def summary_rows(cases: Sequence[OrganCase], who: str) -> list[Row]:
    """Return the judged coverage and median error of a set of cases, and what is only reported.

    Parameters
    ----------
    cases : sequence of OrganCase
        Noisy pairs are left out.
    who : str
        Name of the set.
    """
    kept = told(cases)
    places = {place: [case for case in kept if case.place == place] for place in PLACES}
    share = coverage(kept)
    error = median_error(places["outside"])
    found = [
        _row(
            who,
            f"share of {len(kept)} organ cases whose true dose is in the 95 % interval",
            share,
            0.95,
            f"coverage: at least {COVERAGE_GOAL:.0%}",
            share >= COVERAGE_GOAL,
        ),
        _row(
            who,
            f"median error of {len(places['outside'])} organ cases out of the image",
            error,
            0.0,
            f"median error out of the image: at most {OUTSIDE_GOAL:.0%}",
            error <= OUTSIDE_GOAL,
        ),
    ]
    for place, part in places.items():
        if part:
            text = f"of {len(part)} organ cases {PLACES[place]}"
            found.append(_row(who, f"share in the 95 % interval {text}", coverage(part), 0.95))
            if place != "outside":
                found.append(_row(who, f"median error {text}", median_error(part), 0.0))
    found.append(_row(who, "share of cases left out as noise", 1.0 - len(kept) / max(len(cases), 1), 0.0))
    return found


def case_rows(cases: Sequence[OrganCase]) -> list[Row]:
    """Return the two doses of every case, without verdict."""
    return [
        _row(
            f"{case.truth}, image of the {case.region}",
            f"dose of {case.organ.replace('_', ' ')} {PLACES[case.place]}, mGy",
            case.dose_mgy,
            case.true_mgy,
            u=case.u * case.dose_mgy,
        )
        for case in told(cases)
    ]


def organ_table(cases: Sequence[OrganCase]) -> list[tuple[str, ...]]:
    """Return, per organ, cases, coverage and median error in all, and median error by place: for the page."""
    kept = told(cases)
    found = []
    for organ in dict.fromkeys(case.organ for case in kept):
        mine = [case for case in kept if case.organ == organ]
        within = sum(case.covered for case in mine)
        cells = [organ.replace("_", " "), str(len(mine)), f"{within}/{len(mine)}"]
        for place in PLACES:
            part = [case for case in mine if case.place == place]
            cells.append(f"{100 * median_error(part):.0f} %" if part else "")
        cells.append(f"{100 * float(np.median([case.anatomy_u for case in mine])):.0f} %")
        found.append(tuple(cells))
    return found


def truths(region: str) -> list[Truth]:
    """Return the persons behind the images of a region, with organs of their own."""
    pose = "supine, arms down" if region == "head" else "supine, arms up"
    found = []
    for seed, person in enumerate(PERSONS, start=1):
        body = other_person(person, pose, seed)
        found.append(Truth(name_of(person.with_(weight_kg=None)), body, body.person))
    return found


def rows(reference_data: Path | None = None, progress: Progress = lambda text: None) -> list[Row]:
    """Return the comparison of all persons and regions: four to seven minutes on two cores."""
    cases: list[OrganCase] = []
    for region in REGIONS:
        for truth in truths(region):
            progress(f"{truth.name}, image of the {region}")
            cases += organ_cases(truth, region)
    return [*summary_rows(cases, "persons with organs of their own"), *case_rows(cases)]


def _row(
    case: str,
    quantity: str,
    value: float,
    expected: float,
    tolerance: str = REPORTED_ONLY,
    passed: bool = True,
    u: float = 0.0,
) -> Row:
    return Row(
        SUITE, case, quantity, float(value), u, float(expected), 0.0, tolerance, bool(passed),
        "own simulation", SOURCE,
    )  # fmt: skip
