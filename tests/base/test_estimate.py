"""Estimates: arithmetic, correlation by cause, typed kinds."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wholedose.base import (
    AbsorbedDose,
    Activity,
    Cause,
    EffectiveDose,
    EquivalentDose,
    Estimate,
    InvalidInput,
    Kerma,
    UnknownName,
    estimate_from_json,
)

CALIBRATION = Cause("output calibration", "scanner A, 2026-03-01")
STATISTICAL = Cause("statistical", "seed 1")
finite = st.floats(-1e6, 1e6, allow_subnormal=False)
causes = st.sampled_from([Cause("a", "1"), Cause("a", "2"), Cause("b", "1"), Cause("c", "")])
doses = st.builds(AbsorbedDose, finite, st.dictionaries(causes, finite, max_size=4))


def sampled(terms: list[Estimate], function: Callable[..., Any], n: int = 400_000) -> tuple[float, float]:
    """Mean and spread of a function of estimates when each cause is one standard normal variate."""
    rng = np.random.default_rng(1)
    shared = {cause: rng.standard_normal(n) for term in terms for cause in term.parts}
    values = [t.value + sum(sigma * shared[cause] for cause, sigma in t.parts.items()) for t in terms]
    result = np.asarray(function(*values))
    return float(result.mean()), float(result.std())


def test_equal_causes_add_linearly() -> None:
    """Thirty scans of one machine keep its calibration error whole."""
    scans = [AbsorbedDose(2.0, {CALIBRATION: 0.1}) for _ in range(30)]
    assert AbsorbedDose.total(scans).u == pytest.approx(30 * 0.1)


def test_other_origins_add_in_quadrature() -> None:
    """Two machines do not share their calibration error."""
    first = AbsorbedDose(2.0, {Cause("output calibration", "A"): 0.3})
    second = AbsorbedDose(2.0, {Cause("output calibration", "B"): 0.4})
    assert (first + second).u == pytest.approx(0.5)


def test_opposite_signs_cancel() -> None:
    """A cause that moves two organs in opposite directions leaves their sum untouched."""
    shift = Cause("scan range", "exam 1")
    assert (AbsorbedDose(5.0, {shift: 0.4}) + AbsorbedDose(6.0, {shift: -0.4})).u == 0.0


def test_sum_and_product_agree_with_sampling() -> None:
    """First-order propagation equals Monte Carlo sampling of the causes, for small uncertainties."""
    dose = AbsorbedDose(10.0, {CALIBRATION: 0.3, STATISTICAL: 0.1})
    other = AbsorbedDose(4.0, {CALIBRATION: -0.1, Cause("anatomy", "p"): 0.2})
    factor = Estimate(1.5, {CALIBRATION: 0.02, Cause("cross sections"): 0.01})
    cases: list[tuple[Estimate, Callable[..., Any], list[Estimate]]] = [
        (dose + other, lambda a, b: a + b, [dose, other]),
        (dose - other, lambda a, b: a - b, [dose, other]),
        (dose * factor, lambda a, f: a * f, [dose, factor]),
        (dose / factor, lambda a, f: a / f, [dose, factor]),
        (dose.ratio(other), lambda a, b: a / b, [dose, other]),
    ]
    for ours, function, terms in cases:
        mean, spread = sampled(terms, function)
        assert ours.value == pytest.approx(mean, rel=5e-3)
        assert ours.u == pytest.approx(spread, rel=2e-2)


def test_product_closed_form() -> None:
    """A product's relative variances add for independent causes and add linearly for a shared one."""
    dose = AbsorbedDose(10.0, {STATISTICAL: 0.3})
    assert (dose * Estimate(2.0, {CALIBRATION: 0.08})).relative_u == pytest.approx(math.hypot(0.03, 0.04))
    assert (dose * Estimate(2.0, {STATISTICAL: 0.08})).relative_u == pytest.approx(0.07)


def test_ratio_cancels_what_is_shared() -> None:
    """Two doses of one scanner have a ratio that does not depend on its calibration."""
    a, b = AbsorbedDose(10.0, {CALIBRATION: 0.5}), AbsorbedDose(4.0, {CALIBRATION: 0.2})
    assert a.ratio(b).value == 2.5
    assert a.ratio(b).u == pytest.approx(0.0, abs=1e-15)


@given(st.lists(doses, min_size=1, max_size=5))
def test_total_does_not_depend_on_order(items: list[AbsorbedDose]) -> None:
    """A total is the same, to the last bit, in any order."""
    totals = {AbsorbedDose.total(order) for order in itertools.islice(itertools.permutations(items), 24)}
    assert len(totals) == 1


@given(doses, doses)
def test_variance_of_sum(a: AbsorbedDose, b: AbsorbedDose) -> None:
    """var(a + b) = var a + var b + 2 cov(a, b)."""
    expected = a.u**2 + b.u**2 + 2 * a.covariance(b)
    assert (a + b).u ** 2 == pytest.approx(expected, rel=1e-6, abs=1e-6 * (a.u**2 + b.u**2))


@given(doses)
def test_json_round_trip(dose: AbsorbedDose) -> None:
    """JSON gives back an equal estimate of the same kind."""
    assert estimate_from_json(json.loads(json.dumps(dose.to_json()))) == dose


KINDS = [AbsorbedDose, EquivalentDose, EffectiveDose, Kerma, Activity, Estimate]


@pytest.mark.parametrize(("a", "b"), list(itertools.permutations(KINDS, 2)))
def test_kinds_do_not_mix(a: type[Estimate], b: type[Estimate]) -> None:
    """Adding, subtracting or totalling two kinds is a TypeError."""
    with pytest.raises(TypeError, match="different kinds"):
        a(1.0) + b(1.0)
    with pytest.raises(TypeError, match="different kinds"):
        a(1.0) - b(1.0)
    with pytest.raises(TypeError, match="different kinds"):
        a.total([b(1.0)])


def test_dose_times_dose_is_refused() -> None:
    """A product of two doses has no meaning here."""
    with pytest.raises(TypeError, match="cannot multiply AbsorbedDose by AbsorbedDose"):
        AbsorbedDose(1.0) * AbsorbedDose(1.0)


def test_kinds_of_one_value_differ() -> None:
    """1 mSv effective is not equal to 1 mSv equivalent."""
    assert EquivalentDose(1.0) != EffectiveDose(1.0)


def test_frozen() -> None:
    """An estimate cannot be changed after it was made, nor can its parts."""
    dose = AbsorbedDose(1.0, {STATISTICAL: 0.1})
    with pytest.raises(AttributeError):
        dose.value = 2.0  # type: ignore[misc]
    with pytest.raises(TypeError):
        dose.parts[STATISTICAL] = 0.2  # type: ignore[index]


def test_not_a_number_is_refused() -> None:
    """NaN and infinity never enter a result."""
    with pytest.raises(InvalidInput, match="finite"):
        AbsorbedDose(float("nan"))


def test_unknown_kind_in_json() -> None:
    """A kind from elsewhere lists what is known."""
    with pytest.raises(UnknownName, match="did you mean 'absorbed dose'"):
        estimate_from_json({"kind": "absorbd dose", "value": 1, "unit": "mGy", "parts": []})
    with pytest.raises(InvalidInput, match="is in mGy, not Gy"):
        estimate_from_json({"kind": "absorbed dose", "value": 1, "unit": "Gy", "parts": []})


def test_by_name_groups_origins() -> None:
    """A report sees one line per cause name, origins in quadrature."""
    dose = AbsorbedDose(1.0, {Cause("a", "1"): 3.0, Cause("a", "2"): -4.0, Cause("b"): 1.0})
    assert dose.by_name() == {"a": 5.0, "b": 1.0}
