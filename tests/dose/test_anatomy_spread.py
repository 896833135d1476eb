"""Promises of the spread of doses over an ensemble."""

from __future__ import annotations

import numpy as np
import pytest

from wholedose.base import Grid, Provenance
from wholedose.body import Body, Person
from wholedose.body.ensemble import Member, parameter
from wholedose.dose import DoseMap
from wholedose.dose.anatomy_spread import DoseField, ensemble_spread
from wholedose.matter import material

GRID = Grid((60, 12, 12), (8.0, 8.0, 8.0), (0.0, 0.0, 0.0))
LENGTH = 60.0
SHIFTS = (-2, -1, 0, 1, 2)
ORGANS = ("muscle", "spleen", "brain")


def labels(shift: int = 0) -> np.ndarray:
    found = np.ones(GRID.shape, dtype=np.int16)
    found[10 + shift : 14 + shift, 4:8, 4:8] = 2
    found[45:50, 4:8, 4:8] = 3
    return found


@pytest.fixture
def body() -> Body:
    return Body(
        Person("M", 40, 176, 73), GRID, labels(), ORGANS, np.ones(GRID.shape, dtype=np.uint8),
        np.full(GRID.shape, 1.05, dtype=np.float32), (material("air"), material("soft_tissue")),
        dict.fromkeys(ORGANS, "reference"), image_z_mm=(300.0, 480.0),
        ensemble=tuple(Member.of(GRID, ORGANS, labels(shift)) for shift in SHIFTS),
    )  # fmt: skip


def dose_map(noise: float = 0.0, seed: int = 3) -> DoseMap:
    """Dose that grows towards the head as exp(z / 60 mm)."""
    z = GRID.axes_mm()[0]
    dose = np.exp((z - z[-1]) / LENGTH)[:, None, None] * np.ones(GRID.shape)
    relative = np.full(GRID.shape, noise, dtype=np.float32)
    dose = dose * np.maximum(1.0 + noise * np.random.default_rng(seed).standard_normal(GRID.shape), 0.0)
    return DoseMap(GRID, dose.astype(np.float32), Provenance("test", 1), relative)


def expected() -> float:
    return float(np.sqrt(np.mean((8.0 * np.array(SHIFTS) / LENGTH) ** 2)))


def test_the_spread_is_that_of_the_places(body: Body) -> None:
    """An organ that moves in an exponential field spreads by shift over length; one that stays does not."""
    found = ensemble_spread(body, dose_map())
    outside, inside = parameter("floor_outside"), parameter("floor_inside")
    assert found["spleen"] == pytest.approx(np.hypot(expected(), outside), rel=0.02)
    assert found["brain"] == pytest.approx(inside, rel=0.02)


def test_noise_is_no_spread(body: Body) -> None:
    """A map with 40 % noise per voxel tells the same spread to a fifth, and none for what stays."""
    found = ensemble_spread(body, dose_map(0.4))
    assert found["spleen"] == pytest.approx(np.hypot(expected(), parameter("floor_outside")), rel=0.2)
    assert found["brain"] < 1.3 * parameter("floor_inside")


def test_where_the_map_is_nothing_but_noise_the_table_tells(body: Body) -> None:
    """Slices without any dose give no spread."""
    empty = dose_map()
    dose, noise = empty.dose_mgy.copy(), np.zeros(GRID.shape, dtype=np.float32)
    dose[:20] = 0.0
    found = ensemble_spread(body, DoseMap(GRID, dose, empty.provenance, noise))
    assert "spleen" not in found
    assert "brain" in found


def test_the_field_goes_on_where_the_map_ends(body: Body) -> None:
    """Beyond the slices that tell a dose the field falls off as it did before."""
    known = dose_map()
    dose = known.dose_mgy.copy()
    dose[:20] = 0.0
    field = DoseField.of(body, DoseMap(GRID, dose, known.provenance, known.relative_u), GRID)
    assert np.log(field.dose_mgy[10, 6, 6] / known.dose_mgy[10, 6, 6]) == pytest.approx(0.0, abs=0.2)
    assert not field.told[:19].any()


def test_a_body_without_an_ensemble_has_no_spread(body: Body) -> None:
    """Then nothing is told, and the table of the body stays."""
    assert ensemble_spread(body.with_(ensemble=()), dose_map()) == {}
