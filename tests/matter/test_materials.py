"""Materials: the table, the rules of a composition, mixing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wholedose.base.errors import InvalidInput, UnknownName
from wholedose.matter import Material, material, materials
from wholedose.tables import load


@pytest.mark.parametrize("name", materials())
def test_every_material_sums_to_one(name: str) -> None:
    """Every material of the table has fractions that sum to 1, a density and a named source."""
    found = material(name)
    assert sum(fraction for _, fraction in found.composition) == pytest.approx(1, abs=1e-12)
    assert 0.001 < found.density_g_cm3 < 23
    row = list(load("matter/materials")["name"]).index(name)
    assert len(str(load("matter/materials")["source"][row])) > 10


def test_printed_values() -> None:
    """First and last rows and well-known tissues hold the printed numbers."""
    table = load("matter/materials")
    assert str(table["name"][0]) == "air"
    assert (table["N"][0], table["Ar"][0]) == (0.755268, 0.012827)
    assert str(table["name"][-1]) == "polycarbonate"
    assert material("cortical_bone").density_g_cm3 == 1.92
    assert dict(material("cortical_bone").composition)[20] == pytest.approx(0.225)
    assert dict(material("red_marrow").composition)[6] == pytest.approx(0.414)
    assert dict(material("yellow_marrow").composition)[6] == pytest.approx(0.644)
    assert dict(material("spongiosa").composition)[20] == pytest.approx(0.074)


def test_names_that_others_rely_on() -> None:
    """The materials that bodies and phantoms are built of are there."""
    needed = (
        "water air pmma soft_tissue muscle adipose lung lung_deflated cortical_bone red_marrow yellow_marrow "
        "spongiosa skin brain liver breast_gland blood cartilage aluminium graphite copper titanium"
    )
    assert set(needed.split()) <= set(materials())
    assert material("lung").density_g_cm3 == 0.26


def test_unknown_name() -> None:
    """An unknown material is refused with the closest name and the list."""
    with pytest.raises(UnknownName, match=r"No material 'watr'; did you mean 'water'\? Known: adipose, air,"):
        material("watr")


@pytest.mark.parametrize(
    ("density", "composition", "sentence"),
    [
        (0.0, ((1, 1.0),), "The density is 0.0 g/cm³"),
        (1.0, ((1, 0.5),), "The mass fractions sum to 0.5, not 1"),
        (1.0, ((8, 0.5), (1, 0.5)), "not listed once each in order"),
        (1.0, (), "A mass fraction is not between 0 and 1"),
    ],
)
def test_bad_materials(density: float, composition: tuple[tuple[int, float], ...], sentence: str) -> None:
    """A composition that is no composition is refused with the reason."""
    with pytest.raises(InvalidInput, match=sentence):
        Material("x", density, composition)


def test_per_cent_are_refused() -> None:
    """Mass fractions in per cent are refused, rounded fractions are divided by their sum."""
    with pytest.raises(InvalidInput, match="Give mass fractions, not per cent"):
        Material.from_elements("x", 1.0, {"H": 11.2, "O": 88.8})
    rounded = Material.from_elements("x", 1.0, {"H": 0.112, "O": 0.889})
    assert dict(rounded.composition)[1] == pytest.approx(0.112 / 1.001)


@given(st.floats(0.01, 0.99))
def test_mixture_is_linear(share: float) -> None:
    """Mixing by mass is linear in each element's fraction and in the electrons per gram."""
    water, bone = material("water"), material("cortical_bone")
    mixed = Material.mixture("m", 1.2, [(water, share), (bone, 1 - share)])
    for z, fraction in mixed.composition:
        expected = share * dict(water.composition).get(z, 0) + (1 - share) * dict(bone.composition).get(z, 0)
        assert fraction == pytest.approx(expected, rel=1e-9)
    electrons = share * water.electrons_per_g + (1 - share) * bone.electrons_per_g
    assert mixed.electrons_per_g == pytest.approx(electrons, rel=1e-9)


def test_water_has_ten_electrons_per_molecule() -> None:
    """Electrons per gram of water are 10/18.0153 mol; a density changes nothing else."""
    assert material("water").electrons_per_g == pytest.approx(10 / 18.0153, rel=2e-5)
    assert material("water").with_density(0.5).composition == material("water").composition
