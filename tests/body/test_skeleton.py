"""Promises of marrow and spongiosa by site and age."""

from __future__ import annotations

import pytest

from wholedose.body import BONE_SITES, Person
from wholedose.body.masses import anatomy_of, targets_of
from wholedose.body.person import Sex
from wholedose.body.skeleton import marrow_shares, skeleton_of, spongiosa_material

WHOLE = dict.fromkeys(BONE_SITES, 100.0)
LIMBS = ("bone_femora_upper", "bone_femora_lower", "bone_lower_legs")


def test_the_newborn_has_marrow_in_the_skull_and_the_legs() -> None:
    """Skull 29.5 % and lower limbs 23.7 % of the newborn's active marrow, as measured (Hudson 1965)."""
    share = {site.name: site.marrow_share for site in skeleton_of(WHOLE, 0.0, Person("F", 0))}
    assert share["bone_cranium"] + share["bone_mandible"] == pytest.approx(0.295, abs=0.001)
    assert sum(share[name] for name in LIMBS) == pytest.approx(0.237, abs=0.001)
    assert sum(share.values()) == pytest.approx(1.0)


def test_the_adult_has_the_published_shares() -> None:
    """Of an adult person the shares are those of Cristy (1981), and the marrow is that of ICRP 89."""
    sites = {site.name: site for site in skeleton_of(WHOLE, 0.0, Person("M", 40))}
    assert sites["bone_pelvis"].marrow_share == pytest.approx(17.5 / 99.9)
    assert sites["bone_lower_legs"].marrow_share == 0.0
    assert sum(site.marrow_mass_g for site in sites.values()) == pytest.approx(1170)
    assert sum(site.endosteum_share for site in sites.values()) == pytest.approx(1.0)


def test_marrow_leaves_the_limbs_with_age() -> None:
    """From birth to adulthood the legs' part of the active marrow falls, the pelvis's and spine's rises."""
    persons = [Person("M", age) for age in (0, 1, 5, 10, 15, 30)]
    shares = [{s.name: s.marrow_share for s in skeleton_of(WHOLE, 0.0, person)} for person in persons]
    legs = [share["bone_lower_legs"] for share in shares]
    pelvis = [share["bone_pelvis"] for share in shares]
    assert legs == sorted(legs, reverse=True)
    assert pelvis == sorted(pelvis)
    assert legs[-1] == 0.0
    assert sum(marrow_shares(0.5).values()) == pytest.approx(1.0)


@pytest.mark.parametrize("sex", ["M", "F"])
@pytest.mark.parametrize("age", [0, 0.5, 3, 8, 13, 60])
def test_spongiosa_is_mixed_for_the_person(sex: Sex, age: float) -> None:
    """A site's spongiosa lies between marrow and bone, holds calcium, and has its target's density."""
    person = Person(sex, age)
    targets = targets_of(person)
    for site in BONE_SITES:
        mixed = spongiosa_material(person, site)
        assert 1.0 < mixed.density_g_cm3 < 1.4
        assert mixed.density_g_cm3 == pytest.approx(targets[site].density_g_cm3)
        assert 0.02 < dict(mixed.composition)[20] < 0.12
        assert sum(fraction for _, fraction in mixed.composition) == pytest.approx(1.0)


def test_limbs_of_the_adult_hold_fat() -> None:
    """The adult's lower legs hold inactive marrow only; the newborn's spongiosa holds none."""
    adult, newborn = anatomy_of(Person("F", 40)).spongiosa, anatomy_of(Person("F", 0)).spongiosa
    assert adult["bone_lower_legs"].active_g == 0.0
    assert adult["bone_lower_legs"].inactive_g > 100.0
    assert all(site.inactive_g == 0.0 for site in newborn.values())
    ribs = adult["bone_ribs"]
    assert ribs.active_g / (ribs.active_g + ribs.inactive_g) == pytest.approx(0.7)
