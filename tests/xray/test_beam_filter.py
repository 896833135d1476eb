"""Tests of the beam-shaping filters."""

from __future__ import annotations

import numpy as np
import pytest

from wholedose.base import UnknownName
from wholedose.tables import load
from wholedose.xray import bowtie, bowtie_names
from wholedose.xray.beam_filter import generic, linear_attenuation


@pytest.mark.parametrize(
    ("name", "first", "last"),
    [("small", 3.547008, 3.541545), ("medium", 3.537235, 3.531787), ("large", 3.711864, 3.707432)],
)
def test_example_shapes_keep_their_numbers_and_licence(name: str, first: float, last: float) -> None:
    """First and last aluminium thickness are those of the simulator's file, and its licence travels along."""
    table = load(f"xray/bowtie_xcist_{name}")
    assert table["aluminium_cm"][[0, -1]] == pytest.approx([first, last], abs=1e-5)
    assert len(table) == 888
    assert "not a measurement of a scanner" in table.header["source"]
    assert "Redistributions in binary form" in table.header["licence_text"]


def test_all_shapes_load_and_pass_most_in_the_middle() -> None:
    """Every shape passes at most all photons, and none passes more at the fan's edge than in its middle."""
    energy = np.array([40.0, 60.0, 100.0])
    for name in bowtie_names():
        shape = bowtie(name)
        passed = shape.transmission([0.0, 0.2, -0.2, shape.half_fan_rad], energy)
        assert passed.shape == (4, 3)
        assert ((passed > 0.0) & (passed <= 1.0)).all()
        assert (passed[0] >= passed[3]).all()
        assert passed[1] == pytest.approx(passed[2], rel=0.03)
    with pytest.raises(UnknownName, match="No beam-shaping filter 'wedge'"):
        bowtie("wedge")


def test_generic_shape_flattens_a_cylinder() -> None:
    """With fraction 1 every ray through the cylinder has the central ray's attenuation at 60 keV."""
    shape = generic("full", 32.0, 1.0)
    angle = np.array([0.0, 0.1, 0.2, 0.27])
    offset = 57.0 * np.sin(angle)
    path = 2.0 * np.sqrt(16.0**2 - offset**2)
    water = float(linear_attenuation("water", np.array([60.0]))[0])
    through = shape.transmission(angle, 60.0)[:, 0] * np.exp(-water * path)
    assert through == pytest.approx(np.full(4, through[0]), rel=1e-3)
    assert generic("none", 32.0, 0.0).transmission(angle, 60.0) == pytest.approx(np.ones((4, 1)))
