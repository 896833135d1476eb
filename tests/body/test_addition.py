"""Regions of one's own in a reference body."""

from __future__ import annotations

import numpy as np
import pytest

from wholedose.base.errors import InvalidInput
from wholedose.body import Addition, Person, reference

MAN = Person("M", 40)
LESION = Addition("liver_lesion", "liver", 60.0, "ellipsoid", "-80 -40 1280; 24 24 24")


def test_lesion_takes_its_mass_from_its_host() -> None:
    """The lesion has its mass, its host lost as much volume, everybody else kept theirs."""
    plain, ill = reference(MAN, voxel_mm=6.0), reference(MAN, voxel_mm=6.0, additions=[LESION])
    assert ill.mass_g("liver_lesion") == pytest.approx(60.0, rel=0.01)
    assert plain.mass_g("liver") - ill.mass_g("liver") == pytest.approx(60.0, rel=0.02)
    assert ill.mass_g("kidneys") == pytest.approx(plain.mass_g("kidneys"), rel=1e-3)
    assert ill.total_mass_kg == pytest.approx(plain.total_mass_kg, rel=1e-3)


def test_lesion_lies_in_its_host() -> None:
    """Voxels round the lesion are liver, nearly all of them."""
    body = reference(MAN, voxel_mm=6.0, additions=[LESION])
    k, j, i = np.nonzero(body.mask("liver_lesion"))
    box = body.labels[k.min() - 1 : k.max() + 2, j.min() - 1 : j.max() + 2, i.min() - 1 : i.max() + 2]
    inside = np.isin(box, [body.label("liver"), body.label("liver_lesion")])
    assert inside.mean() > 0.95


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"region": "Liver lesion"}, "snake_case"),
        ({"region": "kidneys"}, "already"),
        ({"within": "soul"}, "make room"),
        ({"mass_g": -1.0}, "mass"),
        ({"points": "0 0 0"}, "ellipsoid"),
    ],
)
def test_bad_additions_are_refused(change: dict[str, object], says: str) -> None:
    """A taken or misspelt name, an unknown host, no mass and no shape are refused with the reason."""
    good = {
        "region": "lesion",
        "within": "liver",
        "mass_g": 1.0,
        "kind": "ellipsoid",
        "points": "-80 -40 1280; 9 9 9",
    }
    with pytest.raises(InvalidInput, match=says):
        Addition(**{**good, **change})  # type: ignore[arg-type]


def test_too_big_for_its_host_is_refused() -> None:
    """Three kilograms do not fit into a liver of 2.4 kg."""
    big = Addition("giant", "liver", 3000.0, "ellipsoid", "-80 -40 1280; 24 24 24")
    with pytest.raises(InvalidInput, match="do not fit"):
        reference(MAN, voxel_mm=8.0, additions=[big])
