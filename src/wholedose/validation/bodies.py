"""The reference bodies beside ICRP 89 and beside themselves. Defines `rows` and the parts of the suite.

Masses, heights and weights are counted in the voxels. Masses are compared with the rows of ICRP 89 as
printed, with the blood of each region (`wholedose.body.masses.Target`) taken off first.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from wholedose.body import BONE_SITES, Body, Person, Pose, reference
from wholedose.body.growth import REFERENCE_AGES_Y
from wholedose.body.masses import listed, targets_of, with_size
from wholedose.body.percentiles import distribution
from wholedose.body.pose import POSES
from wholedose.body.pregnancy import maternal_gain_g
from wholedose.tables import load
from wholedose.validation.body_beams import dose_rows, row
from wholedose.validation.suites import REPORTED_ONLY, Evidence, Progress, Row

ICRP89 = "ICRP Publication 89 (2002), Table 2.8; table body/icrp89_masses"
OWN = "our own bodies, compared with each other"
ASKED = "the person that was asked for"

MASS_LIMIT, SIZE_LIMIT, POSE_LIMIT = 0.03, 0.01, 0.02
STANDING, SUPINE = "standing", "supine, arms down"
FINE_MM, INFANT_MM, COARSE_MM = 3.0, 2.0, 4.0
FINEST_MM = 1.0
"""Thin organs only: an adult of 1 mm needs 6 GB of memory and more for the transport."""
INFANT_Y = 1.0
ADULT_Y = 40.0

# bones are drawn whole: which part of the spongiosa a site gets follows its drawn size
SPONGIOSA_ROWS = ("bone_trabecular", "marrow_active", "marrow_inactive")
# organs that are drawn alike at both sides; kidneys are not: the right one lies lower
SYMMETRIC = (
    *("brain", "skin", "cortical_bone", "eyes", "eye_lenses", "thyroid", "salivary_glands", "muscle"),
    "urinary_bladder_wall",
)
MIRROR_DICE = 0.98


@dataclass(frozen=True)
class Odd:
    """A person who is no reference: percentiles of height and weight, from which the size follows."""

    sex: str
    age_y: float
    height_pct: float
    weight_pct: float
    week: float | None = None

    @property
    def person(self) -> Person:
        """The person with height and weight filled in."""
        sex = "M" if self.sex == "M" else "F"
        height = distribution(sex, self.age_y, "height").value(self.height_pct)  # type: ignore[arg-type]
        if self.age_y < 2.0:
            weight = distribution(sex, self.age_y, "weight").value(self.weight_pct)  # type: ignore[arg-type]
        else:
            bmi = distribution(sex, self.age_y, "bmi").value(self.weight_pct)  # type: ignore[arg-type]
            weight = bmi * (height / 100.0) ** 2
        if self.week is not None:
            weight += maternal_gain_g(self.week) / 1000.0
        return Person(sex, self.age_y, round(height, 1), round(weight, 2), pregnancy_week=self.week)  # type: ignore[arg-type]


HELD_OUT = (
    Odd("F", 0.25, 40, 80),
    Odd("M", 0.6, 90, 20),
    Odd("F", 2.5, 3, 97),
    Odd("M", 3.7, 97, 3),
    Odd("F", 7.3, 60, 99),
    Odd("M", 8.9, 1, 50),
    Odd("F", 12.4, 99, 1),
    Odd("M", 13.6, 20, 95),
    Odd("F", 17.2, 75, 10),
    Odd("M", 26, 99, 99),
    Odd("F", 33, 1, 1),
    Odd("M", 58, 1, 99),
    Odd("F", 71, 30, 97),
    Odd("M", 88, 50, 1),
    Odd("F", 27, 50, 40, 12.0),
    Odd("F", 34, 80, 70, 26.0),
    Odd("F", 22, 10, 50, 39.0),
)
"""Persons between the references, small and tall, thin and heavy, and pregnant ones."""


def rows(reference_data: Path | None = None, progress: Progress = lambda text: None) -> list[Row]:
    """Return all comparisons: about six minutes on two cores."""
    found = reference_rows(progress)
    found += held_out_rows(HELD_OUT, progress)
    for person in (Person("F", ADULT_Y), Person("M", 5.0)):
        found += pose_rows(person, tuple(POSES), COARSE_MM, progress)
    found += mirror_rows(Person("F", ADULT_Y), COARSE_MM, progress)
    found += dose_rows(Person("M", ADULT_Y), (COARSE_MM, INFANT_MM, FINEST_MM), progress)
    return found


def reference_persons() -> tuple[Person, ...]:
    """Return the reference persons of ICRP 89: both sexes at 0, 1, 5, 10, 15 and from 20 years."""
    return tuple(
        Person(sex, min(age, 15.0) if age < 20 else ADULT_Y) for age in REFERENCE_AGES_Y for sex in ("M", "F")
    )


def reference_rows(progress: Progress = lambda text: None) -> list[Row]:
    """Return tissue masses, height and weight of the reference persons."""
    found = []
    for person in reference_persons():
        progress(f"reference body {name_of(person)}")
        body = reference(person, STANDING, INFANT_MM if person.age_y <= INFANT_Y else FINE_MM)
        found += mass_rows(body)
        found += size_rows(body)
    return found


def held_out_rows(odd: Sequence[Odd], progress: Progress = lambda text: None) -> list[Row]:
    """Return height and weight of other persons, and the mass furthest from its target."""
    found = []
    for item in odd:
        person = item.person
        progress(f"held-out body {name_of(person)}")
        body = reference(person, STANDING, INFANT_MM if person.age_y <= INFANT_Y else COARSE_MM)
        found += size_rows(body)
        found.append(worst_mass_row(body))
    return found


def name_of(person: Person) -> str:
    """Return a person in words.

    Examples
    --------
    >>> name_of(Person("F", 5)), name_of(Person("M", 40, 180, 90)), name_of(Person("F", 0))
    ('girl of 5 y', 'man of 40 y, 180 cm, 90 kg', 'newborn girl')
    """
    words = {("M", True): "man", ("F", True): "woman", ("M", False): "boy", ("F", False): "girl"}
    word = words[person.sex, person.is_adult]
    name = f"newborn {word}" if person.age_y == 0 else f"{word} of {person.age_y:g} y"
    if person.height_cm is not None:
        name += f", {person.height_cm:g} cm"
    if person.weight_kg is not None:
        name += f", {person.weight_kg:g} kg"
    if person.pregnancy_week is not None:
        name += f", week {person.pregnancy_week:g}"
    return name


@cache
def row_groups() -> Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]]:
    """Return which rows of ICRP 89 add up to which regions: name → (rows, regions).

    A region that was cut out of a listed tissue (hippocampi out of the brain) counts with it; spongiosa of
    all sites and the marrow of shafts count together, since drawn bones share it out.
    """
    inside: dict[str, list[str]] = {}
    for entry in load("body/own_masses").rows():
        inside.setdefault(str(entry["taken_from"]), []).append(str(entry["region"]))
    found = {}
    for entry in load("body/region_masses").rows():
        region = str(entry["region"])
        if region in ("spongiosa", "inactive_marrow") or not isinstance(entry["rows"], str):
            continue
        names = tuple(part.strip() for part in entry["rows"].split("+") if part.strip())
        if names:
            regions = (region, *inside.get(region, ()))
            found[region] = (names, ("breast_gland", "breast_adipose") if region == "breasts" else regions)
    found["spongiosa and marrow"] = (SPONGIOSA_ROWS, (*BONE_SITES, "medullary_cavities"))
    return found


def published_g(person: Person, names: Sequence[str]) -> float:
    """Return the sum of rows of ICRP 89 at a reference person's age; NaN where one is not listed."""
    table = listed(person.sex)
    age = min(person.age_y, REFERENCE_AGES_Y[-1])
    column = REFERENCE_AGES_Y.index(age)
    return sum(table[name][column] if name in table else math.nan for name in names)


def mass_rows(body: Body) -> list[Row]:
    """Return the blood-free mass of every tissue in the voxels of a reference person beside ICRP 89.

    Regions that no row lists are compared with our own target, reported only.
    """
    person, targets = body.person, targets_of(body.person)
    found: list[Row] = []
    covered: set[str] = set()
    for name, (names, regions) in row_groups().items():
        regions = tuple(region for region in regions if region in targets)
        published = published_g(person, names)
        if not regions or not published > 0:
            continue
        covered.update(regions)
        tissue = sum(label_mass(body, region) - targets[region].blood_g for region in regions)
        found.append(
            row(
                name_of(person),
                f"tissue of {name.replace('_', ' ')}, g",
                tissue,
                published,
                f"mass without blood: {MASS_LIMIT:.0%}",
                abs(tissue / published - 1.0) <= MASS_LIMIT,
                "published",
                ICRP89,
            )
        )
    for name, target in targets.items():
        if name not in covered and name not in BONE_SITES:
            text = f"{name.replace('_', ' ')} with its blood, g (no published mass)"
            mass = label_mass(body, name)
            found.append(reported(name_of(person), text, mass, target.mass_g, "own simulation", OWN))
    return found


def label_mass(body: Body, name: str) -> float:
    """Return the mass of a label's voxels in g, 0 where the body lacks it."""
    return body.label_mass_g(name) if name in body.organs else 0.0


def height_cm(body: Body) -> float:
    """Return the extent of a standing body's voxels along z in cm."""
    used = np.flatnonzero((body.labels > 0).any(axis=(1, 2)))
    return float(used[-1] - used[0] + 1) * body.grid.spacing_mm[0] / 10.0


def size_rows(body: Body) -> list[Row]:
    """Return height and weight of a standing body beside what was asked."""
    sized = with_size(body.person)
    found = []
    for what, ours, asked in (
        ("height, cm", height_cm(body), sized.height_cm),
        ("weight, kg", body.total_mass_kg, sized.weight_kg),
    ):
        wanted = float(asked or math.nan)
        passed = abs(ours / wanted - 1.0) <= SIZE_LIMIT
        rule = f"height and weight: {SIZE_LIMIT:.0%}"
        found.append(row(name_of(body.person), what, ours, wanted, rule, passed, "own simulation", ASKED))
    return found


def worst_mass_row(body: Body) -> Row:
    """Return the region whose mass is furthest from what it should be, tolerated to 3 % or one voxel."""
    targets = {name: t for name, t in targets_of(body.person).items() if name not in BONE_SITES}

    def miss(name: str) -> float:
        target = targets[name]
        voxel = body.grid.voxel_cm3 * target.density_g_cm3
        allowed = max(MASS_LIMIT * target.mass_g, voxel)
        return abs(label_mass(body, name) - target.mass_g) / allowed

    worst = max(targets, key=miss)
    return row(
        name_of(body.person),
        f"{worst.replace('_', ' ')} with its blood, g: the furthest from its target",
        label_mass(body, worst),
        targets[worst].mass_g,
        f"mass of the worst region: {MASS_LIMIT:.0%}, or one voxel",
        miss(worst) <= 1.0,
        "own simulation",
        "wholedose.body.masses.targets_of",
    )


def volumes_cm3(body: Body) -> dict[str, float]:
    """Return the volume of each label in cm³."""
    counts = np.bincount(body.labels[body.labels > 0], minlength=len(body.organs) + 1)
    return {name: float(counts[i + 1]) * body.grid.voxel_cm3 for i, name in enumerate(body.organs)}


def pose_rows(
    person: Person, poses: Sequence[str], voxel_mm: float, progress: Progress = lambda text: None
) -> list[Row]:
    """Return, for each pose, the regions whose volume differs by more than 2 % from the supine body's.

    Where none does, the one that differs most; a difference of one voxel is none.
    """
    start = volumes_cm3(reference(person, SUPINE, voxel_mm))
    voxel = voxel_mm**3 / 1000.0
    found = []
    for pose in poses:
        if pose == SUPINE:
            continue
        progress(f"pose {pose}, {name_of(person)}")
        now = volumes_cm3(reference(person, pose, voxel_mm))
        off = {
            name: 0.0 if abs(now.get(name, 0.0) - cm3) <= 1.01 * voxel else abs(now.get(name, 0.0) / cm3 - 1)
            for name, cm3 in start.items()
            if cm3 > 0 and name not in BONE_SITES
        }
        beyond = [name for name, share in off.items() if share > POSE_LIMIT]
        found += [
            row(
                f"{name_of(person)}, {pose}",
                f"volume of {name.replace('_', ' ')}, cm³: the furthest of {len(off)} regions",
                now.get(name, 0.0),
                start[name],
                f"volume beside the supine body's: {POSE_LIMIT:.0%} or one voxel",
                off[name] <= POSE_LIMIT,
                "own simulation",
                OWN,
            )
            for name in beyond or [max(off, key=lambda key: off[key])]
        ]
    return found


def mirror_rows(person: Person, voxel_mm: float, progress: Progress = lambda text: None) -> list[Row]:
    """Return how well the body in a mirrored pose is the mirror image of the body, for symmetric organs."""
    progress(f"mirrored pose, {name_of(person)}")
    one, other = (
        reference(
            person,
            Pose.of(STANDING).with_(
                {(f"elbow_{side}", "flexion"): 90.0, (f"hip_{side}", "flexion"): 30.0}, name=f"bent {side}"
            ),
            voxel_mm,
        )
        for side in ("left", "right")
    )
    found = []
    for name in SYMMETRIC:
        here, there = one.labels == one.label(name), other.labels == other.label(name)
        found.append(
            row(
                f"{name_of(person)}, bent left and bent right",
                f"Dice of {name.replace('_', ' ')} and its mirror image",
                overlap(here, one, there[:, :, ::-1], other),
                1.0,
                f"Dice of mirror images: at least {MIRROR_DICE:g}",
                overlap(here, one, there[:, :, ::-1], other) >= MIRROR_DICE,
                "own simulation",
                OWN,
            )
        )
    return found


def overlap(here: NDArray[np.bool_], one: Body, there: NDArray[np.bool_], other: Body) -> float:
    """Return the Dice of two masks, the second of a body whose x axis is turned round."""
    h = one.grid.spacing_mm[0]
    low = np.array(one.grid.lower_mm[::-1]) / h
    second = np.array([other.grid.lower_mm[2], other.grid.lower_mm[1], -other.grid.upper_mm[0]]) / h
    a = np.argwhere(here) + np.rint(low).astype(int)
    b = np.argwhere(there) + np.rint(second).astype(int)
    first = np.minimum(a.min(0), b.min(0))
    size = np.maximum(a.max(0), b.max(0)) - first + 1
    both = np.zeros(size, dtype=np.int8)
    both[tuple((a - first).T)] += 1
    both[tuple((b - first).T)] += 1
    return 2.0 * float((both == 2).sum()) / (len(a) + len(b))


def reported(
    case: str, quantity: str, value: float, reference_value: float, evidence: Evidence, source: str
) -> Row:
    """Return a row without tolerance."""
    return row(case, quantity, value, reference_value, REPORTED_ONLY, True, evidence, source)
