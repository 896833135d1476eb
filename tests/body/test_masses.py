"""Promises of the masses of a person."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest

from wholedose.body import Person
from wholedose.body.masses import LYING_GAS_SHARE, anatomy_of, listed, lung_gas_l, targets_of, with_size
from wholedose.body.organs import BONE_SITES, REGIONS
from wholedose.body.person import Sex
from wholedose.tables import load

REFERENCES: list[tuple[Sex, int]] = [(sex, age) for sex in ("M", "F") for age in (0, 1, 5, 10, 15, 30)]
TISSUE = {
    "adrenals": "adrenals",
    "cartilage": "cartilage",
    "cortical_bone": "bone_cortical",
    "heart_wall": "heart_tissue",
    "kidneys": "kidneys",
    "liver": "liver",
    "lungs": "lung_tissue",
    "muscle": "skeletal_muscle",
    "pancreas": "pancreas",
    "rectosigmoid_wall": "rectosigmoid_wall",
    "skin": "skin",
    "spleen": "spleen",
    "stomach_contents": "stomach_contents",
    "thymus": "thymus",
    "thyroid": "thyroid",
}


def _column(age: float) -> int:
    return [0, 1, 5, 10, 15, 30].index(int(age))


@pytest.mark.parametrize(("sex", "age"), REFERENCES)
def test_reference_persons_have_the_masses_of_icrp_89(sex: Sex, age: float) -> None:
    """Each listed tissue of a reference person is the printed one, and all regions add up to its weight."""
    targets = targets_of(Person(sex, age))
    rows = listed(sex)
    column = _column(age)
    for region, row in TISSUE.items():
        assert targets[region].tissue_g == pytest.approx(rows[row][column], rel=1e-9), region
        assert targets[region].sourced
    total = sum(target.mass_g for target in targets.values())
    assert total == pytest.approx(rows["body_mass_total"][column], rel=1e-12)


def test_every_listed_mass_is_used() -> None:
    """Each part and content of ICRP 89 Table 2.8 is in a body at its mass, blood and skeletal rest apart."""
    table, recipes = load("body/icrp89_masses"), load("body/region_masses").rows()
    wanted = {str(row["tissue"]) for row in table.rows() if row["role"] in ("part", "content")}
    used = {part.strip() for row in recipes for part in str(row["rows"]).split("+") if part.strip()}
    assert wanted - used == {"blood_mass", "skeleton_miscellaneous"}
    own = {"brain": "hippocampi", "eyes": "eye_lenses"}
    for sex, age in REFERENCES:
        anatomy, rows = anatomy_of(Person(sex, age)), listed(sex)
        for recipe in recipes:
            region, names = str(recipe["region"]), str(recipe["rows"]).split(" + ")
            values = [rows[name][_column(age)] for name in names if name in rows]
            if region not in anatomy.targets or not values:
                continue
            held = (anatomy.targets[name] for name in (region, own.get(region)) if name)
            tissue = sum(target.mass_g - target.blood_g for target in held)
            assert tissue == pytest.approx(sum(values), rel=1e-9), (sex, age, region)


@pytest.mark.parametrize(("sex", "age"), REFERENCES)
def test_skeleton_adds_up(sex: Sex, age: float) -> None:
    """Active and inactive marrow and trabecular bone over the sites and the shafts are those of the table."""
    found = anatomy_of(Person(sex, age))
    rows = {name: values[_column(age)] for name, values in listed(sex).items()}
    sites = found.spongiosa.values()
    assert sum(s.active_g for s in sites) == pytest.approx(rows["marrow_active"])
    assert sum(s.trabecular_g for s in sites) == pytest.approx(rows["bone_trabecular"])
    shafts = found.targets["medullary_cavities"].mass_g if "medullary_cavities" in found.targets else 0.0
    assert sum(s.inactive_g for s in sites) + shafts == pytest.approx(rows["marrow_inactive"])


def test_blood_is_where_the_table_has_it() -> None:
    """The man's organs with blood weigh what ICRP 89 and its blood table give together; no blood is lost."""
    person = Person("M", 30)
    targets = targets_of(person)
    for region, mass in {"kidneys": 422.0, "liver": 2360.0, "spleen": 228.4, "lungs": 1200.0}.items():
        assert targets[region].mass_g == pytest.approx(mass, abs=0.05), region
    assert targets["heart_left_chambers"].mass_g == pytest.approx(252)
    assert targets["aorta"].mass_g == pytest.approx(336)
    assert targets["large_veins"].mass_g == pytest.approx(1008)
    assert sum(t.blood_g for t in targets.values()) == pytest.approx(5600)


@pytest.mark.parametrize("sex", ["M", "F"])
def test_masses_are_positive_and_named_at_any_size(sex: Sex) -> None:
    """From the thin to the very heavy and from birth to old age every region is a label with a mass."""
    sizes: list[tuple[float, float, float]]
    sizes = [(0, 44, 2), (0.3, 60, 6), (7.5, 125, 40), (13, 150, 35), (17, 190, 60)]
    for age, height, weight in sizes:
        _sound(Person(sex, age, height, weight))
    adults: list[tuple[float | None, float | None]]
    adults = [(150, 34), (195, 60), (160, 140), (185, 220), (176, None), (None, 73)]
    for tall, heavy in adults:
        _sound(Person(sex, 50, tall, heavy))


def _sound(person: Person) -> None:
    targets = targets_of(person)
    weight = with_size(person).weight_kg
    assert weight is not None
    assert sum(t.mass_g for t in targets.values()) == pytest.approx(1000 * weight, rel=1e-9)
    for name, target in targets.items():
        assert name in REGIONS
        assert target.mass_g > 0
        assert 0.2 < target.density_g_cm3 < 2.0, name
        assert target.material == "spongiosa" or name not in BONE_SITES
    assert ("testes" in targets) == (person.sex == "M")
    assert ("uterus" in targets) == (person.sex == "F")


def test_growth_is_smooth_and_monotone() -> None:
    """Between the reference ages liver and brain grow without a step."""
    ages = [0.05 * i for i in range(401)]
    for region in ("liver", "brain", "cortical_bone"):
        masses = [targets_of(Person("F", age))[region].mass_g for age in ages]
        steps = [b / a for a, b in pairwise(masses)]
        assert min(steps) > 0.999, region
        assert max(steps[20:]) < 1.03, region


def test_lean_organs_follow_height_and_fat_follows_weight() -> None:
    """A taller person has a larger liver by the power 0.75; added weight is mostly fat."""
    short, tall = (targets_of(Person("M", 40, h, 73 * (h / 176) ** 2)) for h in (160, 190))
    assert tall["liver"].tissue_g / short["liver"].tissue_g == pytest.approx((190 / 160) ** 0.75)
    assert tall["brain"].tissue_g == pytest.approx(short["brain"].tissue_g)
    lean, heavy = (targets_of(Person("M", 40, 176, w)) for w in (73, 93))
    added = heavy["adipose"].tissue_g - lean["adipose"].tissue_g
    assert added > 2 * (heavy["muscle"].tissue_g - lean["muscle"].tissue_g) > 0


def test_lungs_hold_gas_by_height() -> None:
    """Lung density falls from the newborn to the adult, and the gas is the table's."""
    assert lung_gas_l("F", 140) == pytest.approx(1.276 * LYING_GAS_SHARE)
    densities = [targets_of(Person("M", age))["lungs"].density_g_cm3 for age in (0, 1, 5, 10)]
    assert densities == sorted(densities, reverse=True)
    assert densities[0] < 0.6
    assert math.isnan(targets_of(Person("M", 30))["residual_soft_tissue"].tissue_g)
