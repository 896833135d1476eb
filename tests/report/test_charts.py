"""Tests of the charts."""

from __future__ import annotations

import re
from functools import cache

import numpy as np
from tests.report import fixtures

from wholedose.dose import DVH
from wholedose.report import bodymap, charts
from wholedose.report.canvas import Picture
from wholedose.report.case import gather
from wholedose.report.numbers import with_uncertainty


@cache
def all_charts() -> list[Picture]:
    """One of each kind, drawn once."""
    return draw()


def draw() -> list[Picture]:
    """One of each kind."""
    case = gather(fixtures.result())
    made = fixtures.body()
    assert case.effective is not None
    lungs = fixtures.dose_map().dvh(made.labels == made.organs.index("lungs") + 1)
    z = np.linspace(-100.0, 100.0, 50)
    doses = {row.organ: row.dose.value for row in case.organs}
    figure = bodymap.body_map(made, doses)
    assert figure is not None
    return [
        charts.organ_chart(case.organs),
        charts.budget_chart(case.effective, "effective dose"),
        charts.dvh_chart({"lungs": lungs}),
        charts.profile_chart(z, np.exp(-((z / 50) ** 2)), (-40.0, 40.0), (z, 100 + z)),
        charts.risk_chart([("one", 1e-4, -1e-5, 3e-4), ("two", 2e-4, 1e-4, 3e-4)]),
        figure,
    ]


def test_charts_are_the_same_bytes_each_time() -> None:
    """Drawing twice gives identical SVG."""
    assert [p.markup for p in all_charts()] == [p.markup for p in draw()]


def test_charts_belong_to_the_page() -> None:
    """No chart refers outside, holds a script, a date, a stand-in colour, or an id without its own prefix."""
    for picture in all_charts():
        assert not re.search(r"http|<script|<metadata|<\?xml|#0a0b", picture.markup)
        assert all(
            name.startswith(f"{picture.name}-") for name in re.findall(r' id="([^"]+)"', picture.markup)
        )
        used = set(re.findall(r"url\(#([^)]+)\)", picture.markup))
        assert used <= set(re.findall(r' id="([^"]+)"', picture.markup))


def test_charts_say_what_they_show() -> None:
    """Each has a text alternative inside the drawing and a caption of at least a sentence."""
    for picture in all_charts():
        assert 'role="img"' in picture.markup
        assert len(picture.alt) > 40
        assert picture.caption.endswith(".")


def test_labels_carry_the_doses() -> None:
    """The numbers beside the bars are the organ doses as in the table, small ones not rounded away."""
    case = gather(fixtures.result())
    markup = charts.organ_chart(case.organs).markup
    for row in case.organs:
        assert f">{with_uncertainty(row.dose)[0]}<" in markup


def test_the_histogram_names_means() -> None:
    """The alternative text of the histogram holds the mean dose."""
    assert "lungs 2.00" in charts.dvh_chart({"lungs": DVH.of([1.0, 2.0, 3.0])}).alt


def test_the_body_map_has_left_on_the_right() -> None:
    """The spleen, on the patient's left, is labelled to the right of the liver."""
    made = fixtures.body()
    figure = bodymap.body_map(made, {"liver": 3.0, "spleen": 2.0})
    assert figure is not None
    places = {}
    for name in ("liver", "spleen"):
        found = re.search(rf'<text[^>]*?(?:x="|translate\()([\d.]+)[^>]*>{name}', figure.markup)
        assert found is not None
        places[name] = float(found[1])
    assert places["spleen"] > places["liver"]


def test_a_body_without_known_organs_has_no_map() -> None:
    """Nothing to colour gives no figure instead of an empty one."""
    assert bodymap.body_map(fixtures.body(), {"muscle": 1.0}) is None
