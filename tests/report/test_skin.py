"""What documents say of the skin."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from tests.report import fixtures
from tests.report.pages import Page

from wholedose.base import AbsorbedDose, Cause
from wholedose.report import build
from wholedose.report.case import gather
from wholedose.report.skin import skin_findings, skin_views, stored_skin


def with_skin(peak: float, u: float = 1.0) -> Any:
    made = fixtures.result()
    skin = SimpleNamespace(
        mean=AbsorbedDose(1.25, {Cause("scan range", "x"): 0.2}),
        peak=SimpleNamespace(
            dose=AbsorbedDose(peak, {Cause("statistical", "x"): u}),
            area_cm2=1.0,
            place_mm=(10.2, -125.4, 42.0),
        ),
    )
    object.__setattr__(made, "skin", skin)
    return made


def test_the_report_shows_the_skin() -> None:
    """Mean and highest skin dose stand in the report with place, area and how far a reaction is."""
    page = Page(build(with_skin(11.1)).html)
    for words in ("highest over 1 cm²", "x, y, z = 10, −125, 42 mm", "0.56 % of the dose", "2,000 mGy"):
        assert words in page.text
    assert {11.1, 1.25} <= set(page.values)
    assert ("a", {"href": "#skin"}) in page.tags


def test_without_a_skin_dose_nothing_is_said() -> None:
    """A result without a skin dose makes no section of it."""
    assert 'id="skin"' not in build(fixtures.result()).html


@pytest.mark.parametrize(("peak", "warns"), [(11.1, False), (1900.0, False), (1999.0, True), (4000.0, True)])
def test_a_skin_that_may_react_is_a_warning(peak: float, warns: bool) -> None:
    """Within two standard uncertainties of the dose of a reaction the first finding says so."""
    found = [text for severity, text in gather(with_skin(peak)).findings if "skin may react" in text]
    assert bool(found) == warns == bool(skin_findings([with_skin(peak)]))


def test_far_above_the_threshold() -> None:
    """A multiple is told as one."""
    assert skin_views([with_skin(4400.0)])[0].share == "2.2 times"


def test_the_recorded_skin_dose_is_read_back() -> None:
    """What result.json holds gives the same view; older results hold none."""
    row = {"dose_mgy": 3.0, "u_mgy": 0.5, "uncertainty": {"statistical": 0.3, "spectrum": 0.4}}
    found = stored_skin({"mean": row, "peak": row | {"area_cm2": 1.0, "place_mm": [1, 2, 3]}})
    assert found.peak.dose.u == pytest.approx(0.5)
    assert found.mean.by_name() == pytest.approx(row["uncertainty"])
    assert stored_skin(None) is None
