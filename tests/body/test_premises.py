"""Promises of the stated assumptions behind a person's masses."""

from __future__ import annotations

from wholedose.body import Person
from wholedose.body.premises import premises_of


def _whats(person: Person) -> dict[str, str]:
    return {item.what: item.value for item in premises_of(person)}


def test_a_reference_man_rests_on_little() -> None:
    """A reference man needs no assumption about size or age; the unlisted masses are named."""
    found = _whats(Person("M", 40, 176, 73))
    assert "body size" not in found
    assert "regional blood" not in found
    for region in ("hippocampi", "residual_soft_tissue", "urinary_bladder_contents"):
        assert region in found["masses that are not published"]
    assert "liver" not in found["masses that are not published"]
    assert "aorta" not in found["masses that are not published"]


def test_a_child_of_another_size_rests_on_more() -> None:
    """A child between the reference ages, taller than the reference, names blood, age and size."""
    found = _whats(Person("F", 7, 130, 28))
    assert {"regional blood", "age between reference ages", "body size"} <= set(found)
    assert "130 cm" in found["body size"]


def test_pregnancy_states_its_uncertainty() -> None:
    """The fetus's mass comes with the spread of the growth curves; a known glandularity is not assumed."""
    items = {i.what: i for i in premises_of(Person("F", 30, pregnancy_week=16, breast_glandularity=0.3))}
    assert items["mass of the fetus"].relative_u == 0.295
    assert "breast glandularity" not in items
    assert "breast glandularity" in _whats(Person("F", 30))
