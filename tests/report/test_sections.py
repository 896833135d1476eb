"""Sections in the colours of organs."""

from __future__ import annotations

import numpy as np
import pytest
from tests.report.ball_body import ball_body

from wholedose.base import OutsideDomain
from wholedose.report.organ_colours import look_of
from wholedose.report.sections import Cut, section


def test_an_organ_lies_at_its_place_in_its_colour() -> None:
    """In an axial section the liver's ellipse has its area, left of the middle as the viewer sees it."""
    made = section(ball_body(3.0), Cut("axial", -20.0, "liver"), 1.0)
    colour = np.round(255 * np.asarray(look_of("liver").colour))
    is_liver = (np.abs(made.pixels.astype(float) - colour) < 2).all(axis=2)
    assert is_liver.sum() == pytest.approx(np.pi * 60 * 55, rel=0.07)
    assert np.nonzero(is_liver)[1].mean() < made.pixels.shape[1] / 2 - 40


def test_spots_lie_in_their_organs() -> None:
    """Each connected region has one mark, at its deepest point."""
    made = section(ball_body(3.0), Cut("coronal", 50.0, "kidneys"), 1.0)
    kidneys = sorted(spot for spot in made.spots if spot[0] == "kidneys")
    assert len(kidneys) == 2
    for _, _, _, room in kidneys:
        assert room == pytest.approx(20.0, abs=2.0)
    assert kidneys[1][1] - kidneys[0][1] == pytest.approx(110.0, abs=4.0)


def test_long_sections_share_their_rows() -> None:
    """Coronal and sagittal sections reach from head to toe, so that they line up."""
    body = ball_body(6.0)
    tall = {section(body, Cut("coronal", y, "")).pixels.shape[0] for y in (-40.0, 0.0, 50.0)}
    assert tall | {section(body, Cut("sagittal", 60.0, "")).pixels.shape[0]} == tall
    assert len(tall) == 1


def test_other_organs_are_pale() -> None:
    """With a choice of organs the others go towards white."""
    body = ball_body(6.0)
    cut = Cut("axial", 100.0, "heart")
    full, chosen = (section(body, cut, organs=organs).pixels.astype(int) for organs in (None, ["heart"]))
    heart = np.round(255 * np.asarray(look_of("heart").colour)).astype(int)
    kept = (np.abs(full - heart) < 2).all(axis=2)
    assert kept.any()
    assert (chosen[kept] == full[kept]).all()
    assert chosen.mean() > full.mean() + 10


def test_one_voxel_of_skin_stays() -> None:
    """A sheet of one voxel does not break up."""
    body = ball_body(6.0, only=("muscle", "liver"))
    labels = np.where(body.labels > 0, 1, 0).astype(np.int16)
    shell = np.zeros(labels.shape, dtype=bool)
    shell[:, labels.shape[1] // 2, :] = True
    labels[shell & (labels > 0)] = 2
    made = section(body.with_(labels=labels), Cut("axial", 0.0, ""), 1.5)
    middle = made.pixels[:, made.pixels.shape[1] // 2].astype(float)
    colour = 255 * np.asarray(look_of("liver").colour)
    thick = (np.abs(middle - colour) < 2).all(axis=1).sum() * 1.5
    assert 3.0 <= thick <= 9.0


def test_a_plane_beside_the_body_is_refused() -> None:
    """A plane that meets no part of the body is refused with its place."""
    with pytest.raises(OutsideDomain, match="The axial plane at 5000 mm meets no part of the body"):
        section(ball_body(6.0), Cut("axial", 5000.0, ""))
