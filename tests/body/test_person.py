"""Promises of `Person`."""

from __future__ import annotations

import pytest

from wholedose.base import InvalidInput, MissingInput
from wholedose.body import Person


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"sex": "X", "age_y": 3}, "The sex is 'X'"),
        ({"sex": "F", "age_y": -1}, "An age of -1 years is not plausible"),
        ({"sex": "F", "age_y": float("nan")}, "An age of nan years is not plausible"),
        ({"sex": "F", "age_y": 121}, "Give 0 to 120 years"),
        ({"sex": "M", "age_y": 40, "height_cm": 300}, r"A height of 300 cm is not plausible. \[height_cm\]"),
        ({"sex": "M", "age_y": 40, "weight_kg": 12}, "Give 30 to 250 kg"),
        ({"sex": "M", "age_y": 40, "height_cm": 200, "weight_kg": 40}, "body mass index of 10.0"),
        ({"sex": "M", "age_y": "old"}, "An age of 'old' is not a number"),
        ({"sex": "M", "age_y": 30, "pregnancy_week": 20}, "A male person is not pregnant"),
        ({"sex": "F", "age_y": 9, "pregnancy_week": 20}, "A pregnancy at 9 years is not plausible"),
        ({"sex": "F", "age_y": 70, "pregnancy_week": 20}, "made from 12 to 55 years"),
        ({"sex": "F", "age_y": 30, "pregnancy_week": 50}, "Give 4 to 42 weeks"),
        ({"sex": "F", "age_y": 30, "breast_glandularity": 40}, r"\[breast_glandularity\] Give 0 to 1"),
        ({"sex": "F", "age_y": 30, "breast_mass_g": -5}, "A breast mass of -5 g is not plausible"),
    ],
)
def test_impossible_people_are_refused(fields: dict[str, object], sentence: str) -> None:
    """A value outside what is plausible is refused with its field and range."""
    with pytest.raises(InvalidInput, match=sentence):
        Person(**fields)  # type: ignore[arg-type]


def test_a_child_may_be_small() -> None:
    """The limits of adults do not bind children."""
    assert Person("F", 1, 76, 10).bmi == pytest.approx(17.3, abs=0.1)


def test_round_trip() -> None:
    """A person survives JSON, and an unknown field is named."""
    person = Person("M", 51.5, None, 80, "A")
    assert Person.from_json(person.to_json()) == person
    mother = Person("F", 31, 168, 75, pregnancy_week=28, breast_glandularity=0.5, breast_mass_g=700)
    assert Person.from_json(mother.to_json()) == mother
    with pytest.raises(MissingInput, match="blood_type"):
        Person.from_json({"sex": "M", "age_y": 3, "blood_type": "A"})
