"""TG-195: the builders, for published and other modes."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from wholedose.base import InvalidInput, MissingInput, UnknownName
from wholedose.tables import load
from wholedose.validation import tg195
from wholedose.validation.tg195_cases import breast, case_2, case_3, case_41
from wholedose.validation.tg195_setup import spectrum_named

RESULTS = load("validation/tg195_results").rows()


def test_tables_as_printed() -> None:
    """First and last rows of the tables are as published."""
    assert RESULTS[0]["egsnrc"] == 0.057330001
    assert RESULTS[-1]["case"] == "5"
    spectrum = load("validation/tg195_spectra")
    assert spectrum["energy_kev"][spectrum["spectrum"] == "120 kVp"][0] == 16.75


def test_interval_of_the_codes() -> None:
    """The accepted interval spans all codes with two of their uncertainties."""
    row = next(
        r for r in RESULTS if r["case"] == "2" and r["volume"] == "Total body" and r["spectrum"] == "56.4 keV"
    )
    low, high = tg195.interval(row)
    values = [row[code] for code in tg195.CODES]
    assert low < min(values) < max(values) < high
    assert high / low < 1.005


def test_rotation_lies_in_its_interval() -> None:
    """The mean over the 36 positions lies in the interval of the rotation: its printed u is relative."""
    for spectrum in ("56.4 keV", "120 kVp"):
        for mode in ("Pherifery 10mm collimation", "Pherifery 80mm collimation"):
            mine = [r for r in RESULTS if (r["case"], r["spectrum"], r["mode"]) == ("4.2", spectrum, mode)]
            positions = [np.nanmean([r[c] for c in tg195.CODES]) for r in mine if r["volume"] != "Continuous"]
            low, high = tg195.interval(next(r for r in mine if r["volume"] == "Continuous"))
            assert low < np.mean(positions) < high


def test_any_energy_is_a_spectrum() -> None:
    """A single energy is taken as typed; an unknown tube spectrum lists the known ones."""
    energy, weight = spectrum_named("80.5 keV")
    assert (energy.tolist(), weight.tolist()) == ([80.5], [1.0])
    with pytest.raises(UnknownName, match="Known: 100 kVp, 120 kVp, 30 kVp"):
        spectrum_named("140 kVp")


def test_breast_of_case_3() -> None:
    """The breast is one fifth glandular: composition sums to 1, density is 0.952."""
    assert breast().density_g_cm3 == pytest.approx(0.952)
    assert sum(fraction for _, fraction in breast().composition) == pytest.approx(1.0)


@pytest.mark.montecarlo
@pytest.mark.parametrize(
    ("case", "mode", "spectrum", "volume"),
    [
        ("2", "radiography", "56.4 keV", "Total body"),
        ("2", "tomosynthesis", "120 kVp", "Total body"),
        ("3", "radiography", "16.8 keV", "Total body"),
        ("4.1", "10mm collimation", "120 kVp", "VOI 1"),
    ],
)
def test_totals_agree(case: str, mode: str, spectrum: str, volume: str) -> None:
    """The largest quantity of each case lies in the codes' interval within 3 of our standard errors."""
    rows = tg195.compute(case, mode=mode, spectrum=spectrum, seconds=4, seed=2)
    ours = next(row for row in rows if row["volume"] == volume)
    printed = next(
        r
        for r in RESULTS
        if (r["case"], r["volume"], r["spectrum"], r["mode"]) == (case, volume, spectrum, mode)
    )
    low, high = tg195.interval(printed)
    assert ours["u_ev"] < 0.01 * ours["value_ev"]
    assert low - 3 * ours["u_ev"] <= ours["value_ev"] <= high + 3 * ours["u_ev"]


@pytest.mark.montecarlo
def test_half_value_layers() -> None:
    """Case 1: the published filters halve and quarter the air kerma."""
    rows = {row["volume"]: row for row in tg195.compute("1", spectrum="30 keV", seconds=6) if "value" in row}
    for volume, expected in (("HVL", 0.5), ("QVL", 0.25)):
        assert abs(rows[volume]["value"] - expected) < 0.001 + 3 * rows[volume]["u"]


@pytest.mark.montecarlo
def test_other_modes_are_computed() -> None:
    """Modes that are not published work: another collimation lies between its neighbours."""
    slab = {}
    for mode in ("10mm collimation", "40mm collimation", "80mm collimation"):
        rows = tg195.compute("4.1", mode=mode, spectrum="120 kVp", seconds=2)
        slab[mode] = rows[0]["value_ev"]
        assert set(rows[0]) == {"case", "volume", "spectrum", "mode", "value_ev", "u_ev"}
        assert rows[0]["mode"] == mode
    assert slab["10mm collimation"] > slab["40mm collimation"] > slab["80mm collimation"]


@pytest.mark.shared
@pytest.mark.montecarlo
def test_case_5_at_any_angle(shared: Path) -> None:
    """Case 5 at 0° agrees in the largest organ, and 45° lies between 0° and 90° there."""
    value = {}
    for mode in ("0", "45", "90"):
        rows = tg195.compute("5", mode=mode, spectrum="56.4 keV", seconds=10, reference=shared)
        assert len(rows) == 17
        value[mode] = next(row for row in rows if row["volume"] == "Soft tissue")
    printed = next(
        r
        for r in RESULTS
        if (r["case"], r["volume"], r["spectrum"], r["mode"]) == ("5", "Soft tissue", "56.4 keV", "0")
    )
    low, high = tg195.interval(printed)
    ours = value["0"]
    assert low - 3 * ours["u_ev"] <= ours["value_ev"] <= high + 3 * ours["u_ev"]
    assert value["90"]["value_ev"] < value["45"]["value_ev"] < value["0"]["value_ev"] * 1.05


def test_wrong_modes_are_refused() -> None:
    """A mode, a spectrum or a case that is none is refused with what is known."""
    with pytest.raises(UnknownName, match="did you mean 'radiography'"):
        case_2("56.4 keV", "radiographie", None)
    with pytest.raises(InvalidInput, match="names no collimation"):
        case_41("56.4 keV", "wide", None)
    with pytest.raises(UnknownName, match="TG-195 case"):
        tg195.compute("6")
    with pytest.raises(InvalidInput, match="is no angle"):
        tg195.compute("5", mode="north")
    with pytest.raises(MissingInput, match="not shipped"):
        tg195.compute("5", mode="0", spectrum="56.4 keV")


def test_tomosynthesis_covers_the_same_field() -> None:
    """The shifted source of Case 3 opens on the detector's 14 × 26 cm² at z = −4 cm."""
    beam = case_3("16.8 keV", "tomosynthesis", None)[0].source
    focus = np.asarray(beam.focus_mm, dtype=float).reshape(3)
    assert focus[1] == pytest.approx(-620 * math.sin(math.radians(15)))
    height = focus[2] + 40
    low, high = (float(t) for t in np.asarray(beam.tan_cone).reshape(2))
    # the third axis points to −y
    assert sorted([focus[1] - low * height, focus[1] - high * height]) == pytest.approx([-130, 130])
