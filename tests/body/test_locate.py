"""Promises of the regions by name."""

from __future__ import annotations

import numpy as np
import pytest

from wholedose.base import UnknownName
from wholedose.body import Body, region_range
from wholedose.body.locate import Profile, bright_bone, locate, profile, worth_a_look


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


def part_of(body: Body, low: float, high: float) -> Profile:
    """What slices between two heights hold."""
    z, y, x = body.grid.axes_mm()
    keep = (z >= low) & (z <= high)
    return profile(z[keep], y, x, (body.labels > 0)[keep], body.mask("lungs")[keep], bright_bone(body)[keep])


def test_a_place_is_looked_for_as_far_as_slices_allow() -> None:
    """Far places are tried while areas differ by less than 2, none beyond 200 mm; near ones always."""
    away = np.linspace(-400.0, 400.0, 801)
    flat_above = np.where(away < 0.0, -away / 10.0, 0.5)
    assert set(worth_a_look(away, flat_above, 1.0, fixed=False)) == {
        *(-25.0, -50.0, -75.0), *(float(d) for d in range(25, 201, 25))
    }  # fmt: skip
    assert max(worth_a_look(away, flat_above, 1.0, fixed=True)) == 75.0
    assert max(worth_a_look(away, flat_above, 0.5, fixed=False)) == 100.0


def test_landmarks_keep_the_places_near(man: Body) -> None:
    """Where both ends of the lungs show, no place further off than 75 mm is tried."""
    low, high = region_range(man, "chest")
    fit = locate(part_of(man, low - 60.0, high + 60.0), man)
    assert fit.ends == ("lung base", "lung apex")
    assert sorted(abs(value) for value in fit.look_mm)[-1] < 76.0
