"""Promises of the regions by name."""

from __future__ import annotations

import pytest

from wholedose.base import UnknownName
from wholedose.body import Body, region_range


def test_regions_hold_their_organs(man: Body) -> None:
    """Each region holds the middle of its organ; they lie one above the other."""
    z = man.grid.axes_mm()[0]
    middles = []
    for region, organ in (
        ("pelvis", "urinary_bladder"),
        ("abdomen", "kidneys"),
        ("chest", "heart"),
        ("head", "brain"),
    ):
        low, high = region_range(man, region)
        profile = man.mask(organ).sum(axis=(1, 2))
        assert low < float((z * profile).sum() / profile.sum()) < high
        middles.append(low + high)
    assert middles == sorted(middles)


def test_an_unknown_region_is_named(man: Body) -> None:
    """A misspelt region is answered with the nearest name."""
    with pytest.raises(UnknownName, match="did you mean 'chest'"):
        region_range(man, "chst")
