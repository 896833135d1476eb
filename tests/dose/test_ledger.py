"""The ledger: sums by organ, contributor and date, with correlated uncertainty."""

from __future__ import annotations

import datetime as dt
import itertools
import json
import math

import pytest

from wholedose.base import (
    AbsorbedDose,
    Cause,
    EffectiveDose,
    InvalidInput,
    Provenance,
    UnknownName,
    WholedoseError,
)
from wholedose.body import Person
from wholedose.dose import Contribution, Ledger, OrganDose, OrganDoses

PERSON = Person(sex="F", age_y=34, height_cm=168, weight_kg=61)


def exam(
    lungs: float, device: str = "A", date: str | None = "2026-03-01", contributor: str = "CT", seed: int = 1
) -> Contribution:
    parts = {
        Cause("output calibration", f"scanner {device}"): 0.05 * lungs,
        Cause("statistical", f"seed {seed}"): 0.01 * lungs,
    }
    return Contribution(
        what=f"{contributor} chest",
        contributor=contributor,
        organs=OrganDoses([OrganDose("lungs", AbsorbedDose(lungs, parts), 950.0, 1.0)]),
        effective=EffectiveDose(0.5 * lungs, {cause: 0.5 * u for cause, u in parts.items()}),
        provenance=Provenance("test", seed=seed),
        date=dt.date.fromisoformat(date) if date else None,
    )


def test_calibration_of_one_machine_is_not_averaged_away() -> None:
    """Thirty scans of one machine share its calibration; each has its own statistics."""
    ledger = Ledger(PERSON, [exam(2.0, seed=i) for i in range(30)])
    total = ledger.organ_total("lungs")
    assert total.value == pytest.approx(60.0)
    assert total.by_name()["output calibration"] == pytest.approx(30 * 0.1)
    assert total.by_name()["statistical"] == pytest.approx(math.sqrt(30) * 0.02)


def test_two_machines_do_not_share() -> None:
    """The calibrations of two machines add in quadrature."""
    total = Ledger(PERSON, [exam(2.0, "A"), exam(2.0, "B", seed=2)]).organ_total("lungs")
    assert total.by_name()["output calibration"] == pytest.approx(math.sqrt(2) * 0.1)


def test_order_changes_nothing() -> None:
    """Totals are equal to the last bit in any order."""
    items = [exam(0.1, seed=1), exam(0.7, "B", seed=2), exam(1e-3, seed=3), exam(3.3, seed=4)]
    totals = {Ledger(PERSON, order).organ_total("lungs") for order in itertools.permutations(items)}
    assert len(totals) == 1


def test_add_returns_a_longer_ledger() -> None:
    """A ledger is not changed by adding to it."""
    empty = Ledger(PERSON)
    one = empty.add(exam(1.0))
    assert (len(empty), len(one)) == (0, 1)
    assert one.effective_total().value == pytest.approx(0.5)


def test_results_that_contribute_are_taken() -> None:
    """A result of any room enters through its contribution."""

    class Result:
        def contribution(self) -> Contribution:
            return exam(1.0)

    assert Ledger(PERSON).add(Result()) == Ledger(PERSON).add(exam(1.0))
    with pytest.raises(TypeError, match="takes contributions, not float"):
        Ledger(PERSON).add(1.0)  # type: ignore[arg-type]


def test_groups_sum_to_the_total() -> None:
    """By contributor and by date, the groups sum to the total; dates come in time, undated last."""
    ledger = Ledger(
        PERSON,
        [
            exam(1.0, date=None),
            exam(2.0, date="2026-05-01", seed=2),
            exam(4.0, date="2025-01-01", contributor="CBCT", seed=3),
        ],
    )
    by_contributor = ledger.by_contributor("lungs")
    assert {name: dose.value for name, dose in by_contributor.items()} == {"CT": 3.0, "CBCT": 4.0}
    assert list(ledger.by_date("lungs")) == ["2025-01-01", "2026-05-01", "undated"]
    assert AbsorbedDose.total(by_contributor.values()) == ledger.organ_total("lungs")


def test_json_round_trip() -> None:
    """JSON gives back an equal ledger."""
    ledger = Ledger(PERSON, [exam(1.0), exam(2.0, "B", None)])
    assert Ledger.from_json(json.loads(json.dumps(ledger.to_json()))) == ledger


def test_exposures_carry_the_age() -> None:
    """A risk model sees each exposure at the age it happened."""
    late = Contribution(**{**vars(exam(1.0)), "age_y": 70.0})
    assert [e.age_y for e in Ledger(PERSON, [exam(1.0), late]).exposures()] == [34, 70.0]


def test_bad_ledgers() -> None:
    """Another format, a missing part and an unknown organ are refused."""
    data = Ledger(PERSON, [exam(1.0)]).to_json()
    with pytest.raises(InvalidInput, match="format 7"):
        Ledger.from_json({**data, "format": 7})
    with pytest.raises(InvalidInput, match="incomplete"):
        Ledger.from_json({"format": 1, "person": data["person"]})
    with pytest.raises(UnknownName, match="did you mean 'lungs'"):
        Ledger(PERSON, [exam(1.0)]).organ_total("lung")


@pytest.mark.parametrize("value", [None, "x", -1, [], {}, math.inf])
def test_a_damaged_ledger_is_told(value: object) -> None:
    """Whatever stands in the place of a part of a stored ledger: it reads, or an error of ours says why."""

    def refused(data: object) -> bool:
        try:
            Ledger.from_json(data)  # type: ignore[arg-type]
        except WholedoseError:
            return True
        return False

    assert refused(value)
    whole = Ledger(PERSON, [exam(2.0)]).to_json()
    places: list[tuple[str | int, ...]] = [("contributions",), ("person",), ("person", "age_y")]
    places += [("contributions", 0, part) for part in ("organs", "effective", "date", "provenance")]
    refusals = 0
    for place in places:
        data = json.loads(json.dumps(whole))
        part = data
        for key in place[:-1]:
            part = part[key]
        part[place[-1]] = value
        refusals += refused(data)
    assert refusals >= 2
