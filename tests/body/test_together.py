"""Two bodies in one room."""

from __future__ import annotations

import numpy as np
import pytest

from wholedose.base.errors import InvalidInput, UnknownName
from wholedose.body import Couple, Person, couple


@pytest.fixture(scope="module")
def held() -> Couple:
    return couple("adult holding an infant", Person("F", 30), Person("M", 0), 8.0)


def test_both_are_whole(held: Couple) -> None:
    """Both keep their weights, and the joint geometry loses at most what the touching skins share."""
    first, second = held.first.total_mass_kg, held.second.total_mass_kg
    assert first == pytest.approx(60.0, rel=0.01)
    assert second == pytest.approx(3.5, rel=0.02)
    geometry = held.geometry()
    inside = held.owner > 0
    whole = float(geometry.density_g_cm3[inside].sum()) * held.grid.voxel_cm3 / 1000.0
    assert first + second - 0.1 <= whole <= first + second + 1e-3


def test_infant_is_held_before_the_chest(held: Couple) -> None:
    """The newborn is in front of the adult's chest, between hip and chin, its skin near hers, not inside."""
    lungs = held.first.grid.axes_mm()
    z = lungs[0][held.first.mask("lungs").any(axis=(1, 2))]
    y = lungs[1][held.first.mask("lungs").any(axis=(0, 2))]
    own = held.second.grid.axes_mm()
    z2 = own[0][held.second.mask("lungs").any(axis=(1, 2))]
    y2 = own[1][held.second.mask("lungs").any(axis=(0, 2))]
    assert y2.max() < y.min()
    assert z.min() - 300 < z2.mean() < z.max() + 100
    assert held.pair.penetration_mm <= 2.0
    assert held.pair.gap_mm < 15.0


def test_materials_of_both_stay_their_own(held: Couple) -> None:
    """A voxel of the newborn has the material that its own body gives it, not the adult's."""
    geometry = held.geometry()
    window = held.window(held.second)
    mine = held.owner[window] == 2
    for k, j, i in np.argwhere(mine)[::97]:
        found = geometry.materials[geometry.material[window][k, j, i]]
        assert found == held.second.materials[held.second.material[k, j, i]]


def test_unknown_pair_and_voxel_are_refused() -> None:
    """A pair that nobody named, or voxels of half a millimetre, are refused with the way out."""
    with pytest.raises(UnknownName, match="adult holding an infant"):
        couple("adult holding an infnt", Person("F", 30), Person("M", 0))
    with pytest.raises(InvalidInput, match="not offered"):
        couple("adult holding an infant", Person("F", 30), Person("M", 0), 0.5)
