"""What the patient's letter says. Defines `context`.

The letter puts the benefit first, one kind of number (natural frequencies per 10,000) beside the risk that is
there anyway, and no number at all where the dose is small. The number comes from organ doses, never from
effective dose.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from wholedose.report import icons, words
from wholedose.report.case import Case
from wholedose.report.numbers import bounds
from wholedose.report.risks import RiskRow, RiskSummary
from wholedose.risk.bands import personal_number
from wholedose.tables import load

ADULT_Y = 18
OBSERVED_FROM_MGY = (
    100.0  # below about 100 mGy an excess is extrapolated, not observed (notes of the risk room)
)
BENEFIT = (
    "Your doctor asked for {this} to look inside your body without surgery. The pictures help your care team "
    "to find out what is wrong and to choose the right care for you."
)
CONTACT = "Please ask your doctor, or ask the X-ray team for their medical physicist."


@dataclass(frozen=True)
class RiskWords:
    """The part of the letter about risk; ``kind`` is ``"number"``, ``"band"`` or ``"none"``."""

    kind: str
    reason: str = ""
    group: str = ""
    sentence: str = ""
    added_text: str = ""
    anyway_text: str = ""
    range_text: str = ""
    band: str = ""
    icons: str = ""
    scale: str = ""
    model: str = ""


def context(
    case: Case, risks: RiskSummary, *, sender: str = "", contact: str = "", benefit: str = ""
) -> dict[str, Any]:
    """Return the variables of the patient's template."""
    single = len(case.contributions) == 1
    noun = _noun(case, single)
    dates = sorted({item.date.isoformat() for item in case.contributions if item.date})
    msv = None if case.effective is None else case.effective.value
    source = load("report/natural_background").header["source"].split(",")[0]
    return {
        "title": f"About your {noun}",
        "noun": noun,
        "single": single,
        "sender": sender,
        "when": " to ".join(dict.fromkeys((dates[0], dates[-1]))) if dates else "",
        "procedures": list(dict.fromkeys(item.what for item in case.contributions)),
        "benefit": benefit or BENEFIT.format(this="this test" if single else "these tests"),
        "contact": contact or CONTACT,
        "background": "" if msv is None else words.background_time(msv),
        "timeline": "" if msv is None else _timeline(msv, noun),
        "dose_text": "" if msv is None else words.dose(msv),
        "dose_range": "" if case.effective is None else words.dose_range(*bounds(case.effective)),
        "per_year": words.plain(words.background_msv_per_year()),
        "background_source": source,
        "risk": _risk(case, risks, noun),
        "observable": any(row.dose.value >= OBSERVED_FROM_MGY for row in case.organs),
    }


def _noun(case: Case, single: bool) -> str:
    ct = all(item.contributor == "CT" for item in case.contributions)
    return ("CT scan" if ct else "test") + ("" if single else "s")


def _risk(case: Case, risks: RiskSummary, noun: str) -> RiskWords:
    row = risks.person
    if row is None:
        return RiskWords(
            "none", reason="The risk was not worked out for this letter. Please ask your care team."
        )
    if case.effective is None or not personal_number(case.effective) or row.baseline is None:
        name = words.band(max(0.0, row.central))
        small = case.effective is not None and not personal_number(case.effective)
        reason = (
            "The dose is so small that a number for you would mislead. A word fits better."
            if small
            else "We cannot give a good number here. A word fits better."
        )
        return RiskWords("band", reason=reason, band=name, scale=icons.band_scale(name), model=row.model)
    return _number(case, risks, row, noun)


def _number(case: Case, risks: RiskSummary, row: RiskRow, noun: str) -> RiskWords:
    assert row.baseline is not None
    group = _group(case.person)
    many = f"{words.DENOMINATOR:,}"
    this = f"this {noun}" if not noun.endswith("s") else f"these {noun}"
    added = words.count(max(0.0, row.central))
    few = f"about {words.plain(added)}" if added >= 1 else "fewer than 1"
    anyway = words.plain(words.count(row.baseline))
    personal = [item for item in risks.rows if item.personal]
    low, high = min(item.low for item in personal), max(item.high for item in personal)
    name = words.band(max(0.0, row.central))
    return RiskWords(
        "number",
        group=f"{group} of your age",
        sentence=f"If {many} {group} of your age had {this}, {few} of them may get cancer from it "
        "during their life.",
        added_text=f"{few[0].upper()}{few[1:]} of {many} may get cancer from the {noun}.",
        anyway_text=f"About {anyway} of {many} get cancer at some time in any case, "
        f"with or without the {noun}.",
        range_text=f"The number is not sharp. {_spread(low, high)}",
        band=name,
        icons=icons.icon_array(row.central, row.baseline),
        scale=icons.band_scale(name),
        model=row.model,
    )


def _spread(low: float, high: float) -> str:
    text = words.frequency_range(low, high)
    if text.startswith("it could be zero"):
        return f"{text[0].upper()}{text[1:]}."
    return f"It may be {text}."


def _group(person: Any) -> str:
    adult = person.age_y >= ADULT_Y
    return {("F", True): "women", ("F", False): "girls", ("M", True): "men", ("M", False): "boys"}[
        person.sex, adult
    ]


def _timeline(msv: float, noun: str) -> str:
    """Return two bars: one year of natural background and the dose of this person."""
    year = words.background_msv_per_year()
    longest = max(msv, year)
    rows = (
        ("nature", year, f"one year of nature: {words.plain(year)} mSv"),
        ("you", msv, f"your {noun}: {words.dose(msv)}"),
    )
    return "".join(
        f'<p class="bar">{text}</p>'
        '<svg class="bar" viewBox="0 0 560 14" preserveAspectRatio="none" aria-hidden="true">'
        f'<rect class="{kind}" width="{max(2.0, 560 * value / longest):.1f}" height="14"/></svg>'
        for kind, value, text in rows
    )
