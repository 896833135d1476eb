"""Words for the size of a risk."""

from __future__ import annotations

from itertools import pairwise

import pytest

from wholedose.base import EffectiveDose, InvalidInput
from wholedose.risk import band, bands, personal_number


@pytest.mark.parametrize(
    ("risk", "word"),
    [
        (-1e-5, "negligible"),
        (0.0, "negligible"),
        (9.9e-7, "negligible"),
        (1e-6, "minimal"),
        (1e-5, "very low"),
        (5e-4, "low"),
        (1e-3, "moderate"),
        (1.0, "moderate"),
    ],
)
def test_each_risk_has_one_band(risk: float, word: str) -> None:
    """Lower ends belong to the band above; a negative risk counts as none."""
    assert band(risk).name == word


def test_bands_tile_the_whole_range() -> None:
    """From 0 to 1 without gap or overlap."""
    found = bands()
    assert found[0].lower == 0.0
    assert found[-1].upper == 1.0
    assert all(a.upper == b.lower for a, b in pairwise(found))
    with pytest.raises(InvalidInput, match="is not a probability"):
        band(1.5)


def test_no_personal_number_below_1_msv() -> None:
    """Below an effective dose of 1 mSv only the band is given."""
    assert not personal_number(EffectiveDose(0.99))
    assert personal_number(EffectiveDose(1.0))
