"""Contact sheets of bodies."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tests.report.ball_body import ball_body

from wholedose.base import InvalidInput, UnknownName
from wholedose.body import Person
from wholedose.report.bodysheet import labels_named, pair_view, person_words, poses_sheet, sheet
from wholedose.report.organ_colours import look_of


def count(picture: Any, organ: str) -> int:
    """Pixels in the flat colour of an organ, as in sections and legend."""
    colour = np.round(255 * np.asarray(look_of(organ).colour))
    return int((np.abs(np.asarray(picture).astype(float) - colour) < 3).all(axis=2).sum())


def test_a_sheet_shows_every_organ() -> None:
    """Each label of a body appears in its colour; the same body gives the same picture."""
    body = ball_body(6.0)
    first = sheet(body, pose="standing")
    for organ in body.organs:
        assert count(first, organ) > 100, organ
    assert first.tobytes() == sheet(body, pose="standing").tobytes()


def test_chosen_organs_stand_out() -> None:
    """With a choice, the others lose their colour in the sections; the table keeps them."""
    body = ball_body(6.0)
    full, chosen = sheet(body), sheet(body, organs=["kidneys"])
    assert count(chosen, "kidneys") == pytest.approx(count(full, "kidneys"), rel=0.1)
    assert 0 < count(chosen, "liver") < 0.1 * count(full, "liver")


def test_any_body_has_a_sheet() -> None:
    """A body of one label, a child's size, or lying across makes a sheet as well."""
    assert sheet(ball_body(6.0, only=("muscle",))).width == 2560
    small = ball_body(10.0)
    grid = type(small.grid)(small.grid.shape, (1.5, 1.5, 1.5), (0.0, 0.0, 0.0))
    assert count(sheet(small.with_(grid=grid)), "liver") > 100
    labels = np.ascontiguousarray(small.labels.transpose(1, 0, 2))
    changes: dict[str, Any] = {
        name: np.ascontiguousarray(getattr(small, name).transpose(1, 0, 2))
        for name in ("material", "density_g_cm3")
    }
    nz, ny, nx = labels.shape
    lying = small.with_(
        labels=labels, grid=type(small.grid)((nz, ny, nx), (10.0,) * 3, (0.0,) * 3), **changes
    )
    made = sheet(lying)
    assert count(made, "liver") > 100
    assert made.height < 3500


def test_parts_are_named_by_their_organ() -> None:
    """An organ stands for its labels; a name that the body lacks is refused with the nearest."""
    body = ball_body(6.0)
    assert labels_named(body, ["bone"]) == frozenset({"bone_pelvis", "bone_femora_upper"})
    assert labels_named(body, None) is None
    with pytest.raises(UnknownName, match="did you mean 'liver'"):
        labels_named(body, ["lifer"])


def test_poses_and_pairs() -> None:
    """Several bodies stand in rows to one scale; two bodies are seen together from four sides."""
    body = ball_body(6.0)
    row = poses_sheet({"one": body, "two": body, "three": body})
    third = row.width // 3
    for start in (0, third, 2 * third):
        assert (np.asarray(row)[200:, start : start + third] < 120).any()
    pair = pair_view(body, ball_body(6.0, 400.0))
    assert pair.width <= 2560
    with pytest.raises(InvalidInput, match="There is no body to draw"):
        poses_sheet({})


def test_people_in_words() -> None:
    """The title says who it is, without what is unknown."""
    assert person_words(Person("F", 34, 168, 61)) == "Female, 34 years, 168 cm, 61 kg"
    assert person_words(Person("M", 1)) == "Male, 1 year"
