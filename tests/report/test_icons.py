"""Tests of the small drawings."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wholedose.base import AbsorbedDose, Cause, InvalidInput
from wholedose.report import icons, words


@given(st.floats(-0.001, 0.02), st.floats(0.05, 0.6))
def test_the_array_counts_what_the_words_say(extra: float, baseline: float) -> None:
    """The dots of both kinds are as many as the rounded frequencies in the text."""
    drawn = icons.icon_array(extra, baseline)
    assert drawn.count('class="added"') == words.count(max(0.0, extra))
    blocks = re.findall(r'width="(\d+)" height="(\d+)" fill="url\(#dot-anyway\)"', drawn)
    dots = sum(int(w) * int(h) for w, h in blocks) / icons.PITCH**2
    assert dots == words.count(baseline)


def test_more_people_than_there_are_is_refused() -> None:
    """Extra and baseline cannot exceed all people."""
    with pytest.raises(InvalidInput, match="more than 10000"):
        icons.icon_array(0.5, 0.9)


def test_the_scale_marks_one_word() -> None:
    """Exactly the chosen band is marked; an unknown one is refused with the list."""
    assert icons.band_scale("low").count("aria-current") == 1
    with pytest.raises(InvalidInput, match="negligible, minimal, very low, low, moderate"):
        icons.band_scale("huge")


def test_cause_shares_are_shares_of_variance() -> None:
    """3 and 4 mGy give 36 and 64 %, and the bar's parts have these widths."""
    dose = AbsorbedDose(100.0, {Cause("anatomy"): 3.0, Cause("statistical"): 4.0})
    assert icons.variance_shares(dose) == pytest.approx({"anatomy": 0.36, "statistical": 0.64})
    widths = re.findall(r'width="([\d.]+)" height', icons.cause_bar(dose, ["statistical", "anatomy"]))
    assert widths == ["64.0", "36.0"]
    assert icons.cause_bar(AbsorbedDose(1.0), []) == ""
