"""Promises of a target in two parts: organs in the beam, and all others."""

from __future__ import annotations

import pytest

from wholedose.base import InvalidInput
from wholedose.body import Body, Person, reference
from wholedose.xray import CtScan, estimate
from wholedose.xray.ct_estimate import goals_of
from wholedose.xray.ct_rules import resolve


@pytest.fixture(scope="module")
def man() -> Body:
    return reference(Person("M", 40, 176, 73), "supine, arms up", 8.0)


@pytest.fixture(scope="module")
def chest(man: Body) -> CtScan:
    x, y, _ = man.grid.centre_mm
    return CtScan.typed(
        kv=120, ctdivol_mgy=10.0, phantom_cm=32, mode="helical", collimation_mm=40, pitch=1.0,
        start_z_mm=man.landmarks["lung_bottom"] - 30, end_z_mm=man.landmarks["lung_top"] + 20,
        isocentre_mm=(x, y),
    )  # fmt: skip


def test_organs_get_the_target_of_their_place(man: Body, chest: CtScan) -> None:
    """Lungs are asked for one uncertainty, testes and brain for the other; far bones, fat, skin for none."""
    x, y, _ = man.grid.centre_mm
    goals = goals_of(resolve(chest.ranges[0], chest, (x, y)), man, {"organs": 0.02, "outside": 0.1})
    assert goals["lungs"] == 0.02
    assert goals["testes"] == goals["brain"] == goals["eye_lenses"] == 0.1
    elsewhere = {name for name, u in goals.items() if u == 0.1}
    assert not {name for name in elsewhere if name.startswith("bone_")} | elsewhere & {
        "muscle",
        "adipose",
        "skin",
    }


def test_far_organs_reach_their_target_and_a_replay_is_equal(man: Body, chest: CtScan) -> None:
    """Bladder and brain reach what is asked outside the beam; as many batches again give equal doses."""
    target = {"organs": 0.05, "outside": 0.4}
    dose = estimate(chest, man, target=target, seed=3, seconds=15.0)
    for organ in ("brain", "liver", "urinary_bladder", "lungs"):
        parts = {cause.name: u for cause, u in dose.organs[organ].dose.parts.items()}
        statistical = next(u for name, u in parts.items() if "statist" in name)
        assert abs(statistical) <= 0.45 * dose.organs[organ].dose.value
    again = estimate(chest, man, target=target, seed=3, batches=dose.provenance.options["batches"])
    assert {o.organ: o.dose.value for o in again.organs.values()} == {
        o.organ: o.dose.value for o in dose.organs.values()
    }


def test_a_target_that_mixes_parts_and_organs_is_refused(man: Body, chest: CtScan) -> None:
    """A target names the two parts, or organs; not both."""
    with pytest.raises(InvalidInput, match="lungs"):
        estimate(chest, man, target={"organs": 0.05, "lungs": 0.1})
