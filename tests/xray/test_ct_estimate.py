"""Tests of the dose estimate: its laws, its budget, its provenance."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from wholedose.base import Cancelled, InvalidInput, MissingInput, OutsideDomain, Tagged, ThreadExecutor
from wholedose.body import Body
from wholedose.dose import Ledger
from wholedose.matter import material, photon_data
from wholedose.xray import CtDose, CtRange, CtScan, TubeCurrent, estimate
from wholedose.xray.ct_estimate import organ_terms

BATCHES = 6
Scans = Callable[..., CtScan]
Bodies = Callable[..., Body]


def run(scan: CtScan, body: Body, **options: Any) -> CtDose:
    chosen: dict[str, Any] = {"seed": 1, "batches": BATCHES, "executor": ThreadExecutor()} | options
    return estimate(scan, body, **chosen)


@pytest.fixture(scope="module")
def result(body: Body, little_scan: Scans) -> CtDose:
    return run(little_scan(), body)


def test_doses_in_the_range_are_near_the_size_specific_estimate(result: CtDose) -> None:
    """Organs in the range get about SSDE, bone more of its red marrow than of nothing, the uterus a tenth."""
    size = result.ssde[0]
    assert size is not None
    lungs, uterus = result.organs["lungs"].dose.value, result.organs["uterus"].dose.value
    assert 0.7 < lungs / size.dose.value < 1.4
    assert 0.0 < uterus < 0.15 * lungs
    assert result.organs["uterus"].in_scan == 0.0
    assert result.organs["lungs"].in_scan == 1.0
    assert {"bone", "red_bone_marrow", "endosteum"} <= set(result.organs)
    ratio = [item.size for item in result.checks if "size-specific" in item.what]
    assert len(ratio) == 1


def test_marrow_gets_the_dose_of_marrow_not_of_bone(result: CtDose, body: Body) -> None:
    """Red marrow in the fluence of spongy bone gets less than the bone by the ratio of their absorption."""
    (site,) = body.skeleton
    assert organ_terms(body)["red_bone_marrow"] == [("bone_ribs@red_bone_marrow", site.marrow_share)]
    assert organ_terms(body)["endosteum"] == [("bone_ribs@endosteum", site.endosteum_share)]
    marrow = result.organs["red_bone_marrow"].dose.value / site.marrow_share
    energy = np.array([40.0, 80.0])
    spongy, red = (
        photon_data(material(name)).on("energy_absorption", energy) for name in ("spongiosa", "red_marrow")
    )
    low, high = red / spongy
    assert low < marrow / result.organs["bone"].dose.value < high


def test_dose_is_linear_in_ctdivol_to_machine_precision(
    result: CtDose, body: Body, little_scan: Scans
) -> None:
    """Twice the CTDIvol (and DLP) gives exactly twice every dose, voxel and organ."""
    double = run(little_scan(ctdivol_mgy=20.0), body)
    for organ in result.organs:
        assert double.organs[organ].dose.value == pytest.approx(
            2.0 * result.organs[organ].dose.value, rel=1e-14
        )
    assert double.map.dose_mgy == pytest.approx(2.0 * result.map.dose_mgy, rel=3e-7)


def test_energy_in_range_scales_with_dlp(result: CtDose, body: Body, little_scan: Scans) -> None:
    """The photons of a scan follow its DLP: pitch alone changes nothing at one DLP and length."""
    other = run(little_scan(pitch=0.6), body)
    assert other.digest() == result.digest()


def test_joint_shift_changes_nothing(result: CtDose, little_scan: Scans, little_body: Bodies) -> None:
    """Patient and scan moved together give the same doses, up to rounding of positions."""
    shift = (30.0, -20.0, 100.0)
    moved = run(little_scan(shift), little_body(shift))
    for organ in result.organs:
        first, second = result.organs[organ].dose, moved.organs[organ].dose
        assert second.value == pytest.approx(first.value, rel=5e-3)


def test_mirrored_body_gives_mirrored_dose(result: CtDose, little_scan: Scans, little_body: Bodies) -> None:
    """A body mirrored left to right gets the same organ doses within statistics."""
    mirrored = run(little_scan(), little_body(mirrored=True), seed=2)
    for organ in ("lungs", "liver", "kidneys"):
        first, second = result.organs[organ].dose, mirrored.organs[organ].dose
        u = np.hypot(first.by_name()["statistical"], second.by_name()["statistical"])
        assert abs(first.value - second.value) < 4.0 * u


def test_half_the_range_gives_half_the_energy(result: CtDose, body: Body, little_scan: Scans) -> None:
    """Two halves of a range at one CTDIvol add up to the whole, organ by organ, within statistics."""
    lower = run(little_scan(end_z_mm=70.0), body, seed=3)
    upper = run(little_scan(start_z_mm=70.0), body, seed=4)
    for organ in ("lungs", "liver", "residual_soft_tissue"):
        parts = [item.organs[organ].dose for item in (lower, upper)]
        whole = result.organs[organ].dose
        u = np.sqrt(sum(item.by_name()["statistical"] ** 2 for item in (*parts, whole)))
        assert abs(sum(item.value for item in parts) - whole.value) < 4.0 * u


def test_current_moves_dose_along_the_patient(result: CtDose, body: Body, little_scan: Scans) -> None:
    """More current over the lungs at the same CTDIvol raises the lung dose and lowers the liver's."""
    curve = TubeCurrent(np.array([-40.0, 180.0]), np.array([100.0, 300.0]))
    modulated = run(little_scan(current=curve), body)
    assert modulated.organs["lungs"].dose.value > 1.1 * result.organs["lungs"].dose.value
    assert modulated.organs["liver"].dose.value < 0.9 * result.organs["liver"].dose.value


def test_two_ranges_add_up(result: CtDose, body: Body, little_scan: Scans) -> None:
    """A scan of two equal acquisitions gives the sum, and what they share adds linearly."""
    item = little_scan().single_range()
    both = run(CtScan((item, replace(item, name="second"))), body)
    first, twice = result.organs["lungs"].dose, both.organs["lungs"].dose
    assert twice.value == pytest.approx(2.0 * first.value, rel=0.05)
    output = {cause.name: u for cause, u in twice.parts.items()}["output calibration"]
    assert output == pytest.approx(0.1 * twice.value)
    assert both.organs["lungs"].in_scan == 1.0
    assert both.provenance.options["batches"] == [BATCHES, BATCHES]


def test_rerun_has_the_same_digest_on_any_number_of_workers(
    result: CtDose, body: Body, little_scan: Scans
) -> None:
    """Seed and stored batches give the digest again, with one worker; another seed gives another."""
    batches = result.provenance.options["batches"]
    assert run(little_scan(), body, batches=batches, executor=None).digest() == result.digest()
    assert run(little_scan(), body, seed=9).digest() != result.digest()


def test_budget_names_every_cause_with_its_origin(result: CtDose) -> None:
    """Each part of the budget has a known name; scanner, scan and person are named as its origin."""
    dose = result.organs["lungs"].dose
    names = {
        "statistical",
        "anatomy",
        "output calibration",
        "beam shaping filter",
        "spectrum",
        "cross sections",
        "scan range",
        "tube current modulation",
    }
    assert names == {cause.name for cause in dose.parts}
    origins = {cause.name: cause.origin for cause in dose.parts}
    assert origins["output calibration"] == "unknown scanner, output check unknown"
    assert origins["anatomy"] == "F, 40 y, 165 cm, 62 kg"
    assert f"seed 1, {BATCHES} batches" in {cause.origin for cause in dose.parts}
    assert dose.by_name()["anatomy"] == pytest.approx(0.05 * dose.value)
    assert 0.1 < dose.relative_u < 0.3


def test_assumptions_and_tables_are_in_the_provenance(result: CtDose) -> None:
    """The provenance holds inputs, tables, resolved values and assumptions, and survives JSON."""
    told = result.provenance.to_json()
    assert {"body"} <= set(told["inputs"])
    assert {"xray/ct_assumptions", "xray/ct_sensitivity", "matter/tube_spectra"} <= set(told["tables"])
    assert told["options"]["ranges"][0]["kv"] == 120.0
    assert "beam-shaping filter" in [item["what"] for item in told["assumptions"]]
    assert result.to_json()["digest"] == result.digest()


def test_result_enters_a_ledger(result: CtDose, body: Body) -> None:
    """A CT dose is a contribution; without the tissues of effective dose there is none, and it says so."""
    ledger = Ledger(body.person).add(result)
    assert ledger.organ_total("lungs").value == result.organs["lungs"].dose.value
    assert result.effective is None
    assert any("no" in item.what and "none was calculated" in item.what for item in result.checks) or any(
        "none was calculated" in item.what for item in result.checks
    )


def test_map_agrees_with_organ_doses(result: CtDose, body: Body) -> None:
    """The mass-weighted mean of the map over an organ is the organ's dose."""
    mask = body.mask("liver")
    mass = body.density_g_cm3[mask]
    mean = float((result.map.dose_mgy[mask] * mass).sum() / mass.sum())
    assert mean == pytest.approx(result.organs["liver"].dose.value, rel=1e-5)
    assert result.map.relative_u is not None
    assert np.isfinite(result.map.relative_u).all()


def test_target_stops_the_run(body: Body, little_scan: Scans) -> None:
    """With a target the organs in the range reach it."""
    found = run(little_scan(), body, batches=None, target=0.03)
    for organ in ("lungs", "liver"):
        dose = found.organs[organ].dose
        own = [u for cause, u in dose.parts.items() if cause.origin.startswith("seed")]
        assert own[0] / dose.value <= 0.03


def test_short_scan_aims_at_the_organs_it_holds_most_of(body: Body, little_scan: Scans) -> None:
    """A scan that holds no organ as a whole stops when the organs most inside it reach the target."""
    found = run(
        little_scan(start_z_mm=-40.0, end_z_mm=-20.0, collimation_mm=10.0), body, batches=None, target=0.05
    )
    assert max(item.in_scan for item in found.organs.values()) < 0.9
    assert not any("target was not reached" in item.what for item in found.checks)
    assert found.provenance.batches == 20


def test_ranges_of_one_scan_add_with_their_own_photons(body: Body, little_scan: Scans) -> None:
    """Two ranges of unlike DLP: the map holds the organs' energy; each range has its own random numbers."""
    first = little_scan(ctdivol_mgy=10.0).single_range()
    second = little_scan(ctdivol_mgy=30.0, end_z_mm=100.0).single_range()
    both = run(CtScan((first, second)), body, batches=3)
    mask = body.mask("liver")
    mean = np.average(both.map.dose_mgy[mask].astype(float), weights=body.density_g_cm3[mask])
    assert mean == pytest.approx(both.organs["liver"].dose.value, rel=1e-5)
    parts = both.organs["liver"].dose.parts
    seeds = [cause.origin for cause in parts if cause.name == "statistical"]
    assert sorted(origin.startswith("CTDI") for origin in seeds) == [False, False, True, True]
    assert all(parts[cause] > 0.0 for cause in parts if cause.name == "statistical")


def test_topograms_are_left_out_and_told(body: Body, little_scan: Scans) -> None:
    """A topogram is not calculated; the finding has its share of the DLP."""
    item = little_scan(dlp_mgy_cm=220.0).single_range()
    topogram = CtRange(
        mode=Tagged("topogram", "1", "extracted"), dlp_mgy_cm=Tagged(11.0, "mGy.cm", "extracted")
    )
    found = run(CtScan((topogram, item)), body)
    assert [f.size for f in found.checks if "topograms" in f.what] == [pytest.approx(11.0 / 231.0)]
    with pytest.raises(MissingInput, match="only topograms"):
        run(CtScan((topogram,)), body)


def test_bad_input_is_refused(body: Body, little_scan: Scans) -> None:
    """A range beside the body, a voltage without spectrum, and wrong batches are refused with the way out."""
    with pytest.raises(InvalidInput, match=r"does not meet the body.*coordinate system"):
        run(little_scan(start_z_mm=5000.0, end_z_mm=5200.0), body)
    with pytest.raises(OutsideDomain, match="No tube spectrum for 30 kV"):
        run(little_scan(kv=30.0), body)
    with pytest.raises(InvalidInput, match="3 numbers of batches"):
        run(little_scan(), body, batches=[1, 2, 3])


def test_progress_can_cancel(body: Body, little_scan: Scans) -> None:
    """A progress that returns False stops the work."""
    with pytest.raises(Cancelled):
        run(little_scan(), body, progress=lambda fraction, text: False)
