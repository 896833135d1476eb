"""Risk as a document shows it. Defines `RiskRow`, `RiskSummary` and `summarise`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from wholedose.report.numbers import digits

PER = 1e4


def per_ten_thousand(probability: float) -> str:
    """Return a probability in cases per 10,000, two digits; what is below 0.001 says so.

    Examples
    --------
    >>> per_ten_thousand(4.87e-4), per_ten_thousand(-2e-5), per_ten_thousand(3e-9)
    ('4.9', '−0.20', '<0.001')
    """
    cases = PER * probability
    if cases and abs(cases) < 1e-3:
        return "<0.001" if cases > 0 else ">−0.001"
    return digits(cases, 2).replace("-", "−")


@dataclass(frozen=True)
class RiskRow:
    """One lifetime risk with its interval; all numbers are probabilities.

    Attributes
    ----------
    model, outcome : str
    central, low, high : float
        The low end may be negative.
    level : str
        What the interval is, such as ``"90 %"``.
    baseline : float or None
        The same outcome without the exposure.
    reading : str
        Whose risk it is.
    personal : bool
        Whether it was computed from this person's organ doses.
    dose_mgy : float or None
        Dose to the site's organ.
    """

    model: str
    outcome: str
    central: float
    low: float
    high: float
    level: str
    baseline: float | None
    reading: str
    personal: bool
    dose_mgy: float | None = None

    @property
    def cases(self) -> float:
        """The central value in cases per 10,000."""
        return PER * self.central

    @property
    def central_text(self) -> str:
        """Cases per 10,000, two digits."""
        return per_ten_thousand(self.central)

    @property
    def interval_text(self) -> str:
        """The interval per 10,000, two digits."""
        return f"{per_ten_thousand(self.low)} to {per_ten_thousand(self.high)}"

    @property
    def baseline_text(self) -> str:
        """The baseline per 10,000, or nothing."""
        return "" if self.baseline is None else digits(PER * self.baseline, 3)

    @property
    def dose_text(self) -> str:
        """The organ dose in mGy, or a dash."""
        return "–" if self.dose_mgy is None else digits(self.dose_mgy)


@dataclass(frozen=True)
class RiskSummary:
    """The risks of a document: one row a model, the sites of the first personal model, and notes."""

    rows: tuple[RiskRow, ...]
    sites: tuple[RiskRow, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def person(self) -> RiskRow | None:
        """The first risk that was computed from this person's organ doses and knows its baseline."""
        return next((row for row in self.rows if row.personal), None)


SITE_ORGANS_SHOWN = 12
READINGS = {
    "person": "from this person's organ doses, sex and age",
    "population": "nominal risk of a reference population from effective dose; not of this person",
}


def summarise(appraisal: Any) -> RiskSummary:
    """Return what a document shows of an appraisal; nothing without one.

    Parameters
    ----------
    appraisal : risk.Appraisal or None
    """
    if appraisal is None:
        return RiskSummary(())
    rows: list[RiskRow] = []
    sites: tuple[RiskRow, ...] = ()
    notes: list[str] = []
    for name, reading in appraisal.readings.items():
        personal = reading.kind == "person"
        total = reading.total
        rows.append(
            RiskRow(
                model=name,
                outcome="cancer incidence" if personal else "detriment: cancer and heritable effects",
                central=total.value,
                low=total.low,
                high=total.high,
                level="90 %",
                baseline=getattr(reading, "baseline", None),
                reading=READINGS[reading.kind],
                personal=personal,
            )
        )
        if personal and not sites:
            sites = _sites(name, reading)
            notes += [note.replace("_", " ") for note in reading.notes]
            notes += [
                f"No row for {site}: {why}.".replace("_", " ") for site, why in reading.left_out.items()
            ]
        notes += [text for text in (getattr(reading, "interval_note", ""),) if text]
    notes.insert(
        0, f"Baseline rates: {appraisal.population}; risk counted from the age of {appraisal.age_y:g} years."
    )
    return RiskSummary(tuple(rows), sites, tuple(dict.fromkeys(_sentence(note) for note in notes)))


def _sentence(text: str) -> str:
    return text if text.endswith(".") else f"{text}."


def _sites(model: str, reading: Any) -> tuple[RiskRow, ...]:
    return tuple(
        RiskRow(
            model=model,
            outcome=row.site.replace("_", " "),
            central=row.risk.value,
            low=row.risk.low,
            high=row.risk.high,
            level="90 %",
            baseline=row.baseline,
            reading=row.note,
            personal=True,
            dose_mgy=row.dose.value,
        )
        for row in reading.sites[:SITE_ORGANS_SHOWN]
    )
