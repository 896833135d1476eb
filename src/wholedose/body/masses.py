"""How much of everything a person has. Defines `Target`, `Anatomy`, `anatomy_of` and `targets_of`.

The reference persons of ICRP 89 at 0, 1, 5, 10, 15 and from 20 years, interpolated in age, scaled to the
person's height and brought to the person's weight. Table 2.8 lists tissue without blood; the blood of Tables
2.13 and 2.14 is added to what holds it. What no row lists (connective tissue, nerves, vessel walls) is
``residual_soft_tissue``. The masses of all regions add up to the body.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache

import numpy as np

from wholedose.body.growth import AGE_COLUMNS, REFERENCE_AGES_Y, Monotone, clock, reference_build
from wholedose.body.organs import BONE_SITES, ORGANS, PARTS
from wholedose.body.person import Person, Sex
from wholedose.body.pregnancy import conceptus_of, maternal_gain_g
from wholedose.body.skeleton import Spongiosa, spongiosa_density, spongiosa_of
from wholedose.matter import material
from wholedose.tables import load

LEAN_POWER = 0.75
FRAME_POWER = 2.0
BLOOD_POWER = 1.13
"""Whole blood grows with (body surface)^1.13: the slope of the formulas of Bosgra et al. 2012 (3330 BSA - 810
g, 2660 BSA - 460 g) at the reference adults."""
ADIPOSE_SHARE_OF_WEIGHT_CHANGE = 0.75
LEAST_ADIPOSE_SHARE = 0.04
LEAST_MUSCLE = 0.4
"""A thin body keeps this part of its weight as adipose tissue, and this part of the muscle of its height."""
LYING_GAS_SHARE = 0.72
"""Gas in the lungs at the end of a quiet breath, lying over upright (ASSUMPTION: chosen so that the lungs of
the reference man have the 0.38 g/cm³ of the published adult voxel models)."""
GLANDULARITY = 0.4
"""Part of the breasts' mass that is glandular where it is not given (assumption)."""
REST = "residual_soft_tissue"
CONCEPTUS = ("fetus", "fetus_brain", "fetus_skeleton", "placenta", "amniotic_fluid")


@dataclass(frozen=True)
class Target:
    """What a region of a person's body should be.

    Attributes
    ----------
    region : str
        A label name (`wholedose.body.organs.REGIONS`).
    mass_g : float
        With its blood: what the voxels hold.
    tissue_g : float
        Without blood, as ICRP 89 lists it; NaN where no source lists the region.
    material : str
        Name in ``matter/materials``; of a bone site ``"spongiosa"``, whose mixture for the person is
        `wholedose.body.skeleton.spongiosa_material`.
    density_g_cm3 : float
        Mass over volume, blood included.
    sourced : bool
        Whether the tissue mass is a published one (interpolated and scaled where the person is no reference).
    blood_g : float
        The part of ``mass_g`` that is blood.
    """

    region: str
    mass_g: float
    tissue_g: float
    material: str
    density_g_cm3: float
    sourced: bool
    blood_g: float = 0.0

    @property
    def volume_cm3(self) -> float:
        """Volume in cm³."""
        return self.mass_g / self.density_g_cm3


@dataclass(frozen=True)
class Anatomy:
    """All masses of a person.

    Attributes
    ----------
    person : Person
        With height and weight filled in.
    targets : mapping of str to Target
    spongiosa : mapping of bone site to Spongiosa
    active_marrow_g, trabecular_g : float
        Without blood.
    blood_g : float
        The whole blood.
    """

    person: Person
    targets: Mapping[str, Target]
    spongiosa: Mapping[str, Spongiosa]
    active_marrow_g: float
    trabecular_g: float
    blood_g: float


@dataclass(frozen=True)
class _Recipe:
    rows: tuple[str, ...]
    blood: tuple[str, ...]
    scale: str


@cache
def _recipes() -> dict[str, _Recipe]:
    def split(cell: str) -> tuple[str, ...]:
        return tuple(part.strip() for part in cell.split("+") if part.strip())

    return {
        str(row["region"]): _Recipe(split(str(row["rows"])), split(str(row["blood"])), str(row["scale"]))
        for row in load("body/region_masses").rows()
    }


@cache
def _own() -> dict[str, tuple[dict[str, float], str, str]]:
    return {
        str(row["region"]): (
            {"M": float(row["mass_M_g"]), "F": float(row["mass_F_g"])},
            str(row["follows"]),
            str(row["taken_from"]),
        )
        for row in load("body/own_masses").rows()
    }


@cache
def listed(sex: Sex) -> Mapping[str, tuple[float, ...]]:
    """Return the rows of ICRP 89 Table 2.8 for a sex, one value per reference age, NaN where not listed."""
    table = load("body/icrp89_masses")
    columns = [table[column] for column in AGE_COLUMNS]
    return {
        str(name): tuple(float(column[i]) for column in columns)
        for i, (name, its) in enumerate(zip(table["tissue"], table["sex"], strict=True))
        if its == sex
    }


def _reference_tissue(sex: Sex, age: int) -> dict[str, float]:
    """Tissue by region of a reference person, own volumes taken out of what contains them; and the rest."""
    rows = listed(sex)
    found: dict[str, float] = {}
    for region, recipe in _recipes().items():
        if all(row in rows for row in recipe.rows):
            found[region] = sum(rows[row][age] for row in recipe.rows)
    found["trabecular"] = rows["bone_trabecular"][age]
    if math.isnan(found["breasts"]):
        found["breasts"] = _own()[f"breasts_{AGE_COLUMNS[age]}"][0][sex]
    found["blood"] = rows["blood_mass"][age]
    inside = {"trabecular"}  # listed beside the spongiosa that contains it
    found[REST] = rows["body_mass_total"][age] - sum(m for name, m in found.items() if name not in inside)
    return found


def _take_own(tissue: dict[str, float], sex: Sex) -> None:
    """Cut the regions that ICRP 89 does not list out of those that contain them."""
    adult = _reference_tissue(sex, len(AGE_COLUMNS) - 1)
    for region, (mass, follows, _) in _own().items():
        if follows:
            tissue[region] = mass[sex] * tissue[follows] / adult[follows]
    for region, (_, follows, source) in _own().items():
        if follows:
            tissue[source] -= tissue[region]


@cache
def _curves(sex: Sex) -> dict[str, Monotone]:
    points = [_reference_tissue(sex, age) for age in range(len(AGE_COLUMNS))]
    x = [clock(age) for age in REFERENCE_AGES_Y]
    found = {}
    for region in points[0]:
        values = [point[region] for point in points]
        found[region] = Monotone(x, values, log=min(values) > 0)
    return found


@cache
def _blood_shares(sex: Sex) -> dict[str, float]:
    table = load("body/regional_blood")
    shares = {str(n): float(p) / 100 for n, p in zip(table["tissue"], table[f"pct_{sex}"], strict=True)}
    shares["all_other_tissues"] += 1 - sum(shares.values())
    return shares


def with_size(person: Person) -> Person:
    """Return the person with height and weight filled in where they are not known.

    The height is that of the reference person of the age and sex; the weight keeps the reference's body mass
    index, and a pregnancy adds its mean gain (assumptions).

    Examples
    --------
    >>> with_size(Person("F", 30)).weight_kg, with_size(Person("M", 5)).height_cm
    (60.0, 109.0)
    """
    height, weight, _ = reference_build(person.sex, person.age_y)
    tall = person.height_cm if person.height_cm is not None else height
    heavy = person.weight_kg
    if heavy is None:
        heavy = weight * (tall / height) ** 2 + _gain_g(person) / 1000
    return person.with_(height_cm=tall, weight_kg=heavy)


def _gain_g(person: Person) -> float:
    return 0.0 if person.pregnancy_week is None else maternal_gain_g(person.pregnancy_week)


def targets_of(person: Person) -> Mapping[str, Target]:
    """Return what every region of a person's body should be; the masses add up to the body weight.

    Parameters
    ----------
    person : Person
        Height and weight that are not known are taken from `with_size`.

    Returns
    -------
    mapping of str to Target
        By region name, regions without mass left out.

    Examples
    --------
    >>> targets = targets_of(Person("M", 40))
    >>> round(targets["liver"].mass_g), round(targets["liver"].tissue_g)
    (2360, 1800)
    >>> round(sum(target.mass_g for target in targets.values()))
    73000
    """
    return anatomy_of(person).targets


@lru_cache(maxsize=64)
def anatomy_of(person: Person) -> Anatomy:
    """Return all masses of a person."""
    sex = person.sex
    person = with_size(person)
    height_cm, weight_kg = float(person.height_cm or 0), float(person.weight_kg or 0)
    ref_height, ref_weight, _ = reference_build(sex, person.age_y)
    tall = height_cm / ref_height
    bare_kg = max(weight_kg - _gain_g(person) / 1000, 0.6 * weight_kg)
    surface = math.sqrt(height_cm * bare_kg / (ref_height * ref_weight))
    factor = {
        "lean": tall**LEAN_POWER,
        "fixed": 1.0,
        "frame": tall**FRAME_POWER,
        "fat": tall**FRAME_POWER,
        "muscle": tall**FRAME_POWER,
        "surface": surface,
        "blood": surface**BLOOD_POWER,
    }
    scale = {region: recipe.scale for region, recipe in _recipes().items()}
    scale |= {REST: "frame", "blood": "blood", "trabecular": "frame"}
    tissue = {
        region: curve(clock(person.age_y)) * factor[scale[region]] for region, curve in _curves(sex).items()
    }
    blood = tissue.pop("blood")
    trabecular = tissue.pop("trabecular")
    if person.breast_mass_g is not None:
        tissue["breasts"] = person.breast_mass_g
    blood += _add_pregnancy(tissue, person)
    _to_weight(tissue, blood + sum(tissue.values()), 1000.0 * weight_kg)
    _take_own(tissue, sex)
    held = _held_blood(tissue, blood, sex)
    return _assemble(person, tissue, held, trabecular, blood)


def _add_pregnancy(tissue: dict[str, float], person: Person) -> float:
    """Add the conceptus and the growth of the mother's own tissues; return the blood that is added."""
    if person.pregnancy_week is None:
        return 0.0
    more = conceptus_of(person.pregnancy_week)
    tissue["fetus"] = more.fetus_g - more.brain_g - more.skeleton_g
    tissue["fetus_brain"], tissue["fetus_skeleton"] = more.brain_g, more.skeleton_g
    tissue["placenta"], tissue["amniotic_fluid"] = more.placenta_g, more.fluid_g
    tissue["uterus"] += more.uterus_g
    tissue[REST] += more.water_g
    if person.breast_mass_g is None:
        tissue["breasts"] += more.breasts_g
    return more.blood_g


def _to_weight(tissue: dict[str, float], now: float, weight_g: float) -> None:
    """Bring the body to its weight by adipose tissue and muscle; a very thin body shrinks as a whole."""
    change = weight_g - now
    adipose = tissue["adipose"] + ADIPOSE_SHARE_OF_WEIGHT_CHANGE * change
    adipose = max(adipose, min(tissue["adipose"], LEAST_ADIPOSE_SHARE * weight_g))
    change -= adipose - tissue["adipose"]
    muscle = max(tissue["muscle"] + change, LEAST_MUSCLE * tissue["muscle"])
    change -= muscle - tissue["muscle"]
    tissue["adipose"], tissue["muscle"] = adipose, muscle
    if abs(change) > 1e-9 * weight_g:
        whole = sum(tissue.values())
        for region in tissue:
            tissue[region] *= 1 + change / whole


def _held_blood(tissue: dict[str, float], blood: float, sex: Sex) -> dict[str, float]:
    shares = _blood_shares(sex)
    users: dict[str, list[str]] = {}
    held = dict.fromkeys(tissue, 0.0)
    other = {REST}
    recipes = {**_recipes()}
    for part, source in (("hippocampi", "brain"), ("eye_lenses", "eyes")):
        recipes[part] = recipes[source]
    recipes["lymphatic_nodes"] = _Recipe((), ("lymph_nodes",), "lean")
    for region in ("spinal_cord", "oral_mucosa", "extrathoracic_region"):
        recipes[region] = recipes["eyes"]
    for region, recipe in recipes.items():
        if region not in tissue or recipe.blood == ("none",):
            continue
        if recipe.blood == ("other",):
            other.add(region)
        for row in recipe.blood:
            if row in shares:
                users.setdefault(row, []).append(region)
    used = 0.0
    for row, regions in users.items():
        whole = sum(tissue[region] for region in regions)
        for region in regions:
            weight = tissue[region] / whole if whole > 0 else 1 / len(regions)
            held[region] += blood * shares[row] * weight
        used += shares[row]
    # skeletal blood that is neither in marrow nor in bone, and all that no row names
    held[REST] += blood * shares["skeleton_other"]
    spread = blood * (1 - used - shares["skeleton_other"])
    whole = sum(tissue[region] for region in other)
    for region in other:
        held[region] += spread * tissue[region] / whole
    return held


def _assemble(
    person: Person, tissue: dict[str, float], held: dict[str, float], trabecular: float, blood: float
) -> Anatomy:
    sex = person.sex
    shares = _blood_shares(sex)
    active = tissue.pop("spongiosa") - trabecular
    inactive = tissue.pop("inactive_marrow")
    marrow_blood = held.pop("spongiosa")
    held.pop("inactive_marrow")
    part = shares["skeleton_red_marrow"]
    part /= part + shares["skeleton_trabecular_bone"]
    rows = listed(sex)
    adult = rows["marrow_active"][-1] / (rows["marrow_active"][-1] + rows["marrow_inactive"][-1])
    sites, medullary = spongiosa_of(
        active, inactive, trabecular, (marrow_blood * part, marrow_blood * (1 - part)), adult
    )
    found: dict[str, Target] = {}
    glandular = GLANDULARITY if person.breast_glandularity is None else person.breast_glandularity
    breasts, breast_blood = tissue.pop("breasts"), held.pop("breasts")
    for name, share in (("breast_gland", glandular), ("breast_adipose", 1 - glandular)):
        tissue[name], held[name] = breasts * share, breast_blood * share
    if medullary > 0:
        tissue["medullary_cavities"], held["medullary_cavities"] = medullary, 0.0
    own = {*_own(), *CONCEPTUS, "breast_gland", "breast_adipose", "medullary_cavities", REST, "spinal_cord"}
    for region, mass in tissue.items():
        whole = mass + held[region]
        if whole > 0:
            grown = region == "uterus" and person.pregnancy_week is not None
            sourced = region not in own and mass > 0 and not grown
            known = {**ORGANS, **PARTS}[region].material
            density = _density(region, mass, held[region], known, person)
            listed_g = mass if sourced else math.nan
            found[region] = Target(region, whole, listed_g, known, density, sourced, held[region])
    for site in BONE_SITES:
        mixed = sites[site]
        if mixed.mass_g > 0:
            tissue_g, density = mixed.mass_g - mixed.blood_g, spongiosa_density(mixed.parts)
            found[site] = Target(site, mixed.mass_g, tissue_g, "spongiosa", density, False, mixed.blood_g)
    return Anatomy(person, found, sites, active, trabecular, blood)


def _density(region: str, tissue_g: float, blood_g: float, name: str, person: Person) -> float:
    if region == "lungs":
        return (tissue_g + blood_g) / (
            tissue_g / material("lung_deflated").density_g_cm3
            + blood_g / material("blood").density_g_cm3
            + 1000.0 * lung_gas_l(person.sex, float(person.height_cm or 0))
        )
    volume = tissue_g / material(name).density_g_cm3 + blood_g / material("blood").density_g_cm3
    return (tissue_g + blood_g) / volume


def lung_gas_l(sex: Sex, height_cm: float) -> float:
    """Return the gas in the lungs at the end of a quiet breath in litres, lying, by height.

    Interpolated in logarithms; beyond the table's heights with the slope of its end.

    Examples
    --------
    >>> round(lung_gas_l("M", 160), 2)
    1.46
    """
    table = load("body/lung_volume")
    x, y = np.log(table["height_cm"]), np.log(table[f"gas_{sex}_l"])
    at = math.log(height_cm)
    i = int(np.clip(np.searchsorted(x, at) - 1, 0, len(x) - 2))
    return LYING_GAS_SHARE * float(math.exp(y[i] + (at - x[i]) * (y[i + 1] - y[i]) / (x[i + 1] - x[i])))
