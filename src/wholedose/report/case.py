"""What a document tells, gathered from results. Defines `Case`, `Fact`, `OrganRow` and `gather`.

Templates and figures see only these types: a new kind of result needs one reader here and nothing else.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from wholedose.base import AbsorbedDose, Assumption, EffectiveDose, Estimate, InvalidInput, Provenance, Tagged
from wholedose.dose import Contribution, Ledger
from wholedose.report.numbers import digits, with_uncertainty
from wholedose.report.skin import skin_findings

WARNINGS = ("error", "severe", "warning")
LABELS = {
    "ctdivol_mgy": "CTDIvol",
    "dlp_mgy_cm": "Dose-length product",
    "kv": "Tube voltage",
    "phantom_cm": "CTDI phantom diameter",
    "collimation_mm": "Total collimation",
    "pitch": "Pitch",
    "feed_mm": "Table feed per rotation or step",
    "tube_current_ma": "Tube current, mean",
    "rotation_s": "Rotation time",
    "mode": "Mode",
    "start_z_mm": "Start of the irradiated range (z)",
    "end_z_mm": "End of the irradiated range (z)",
    "scan_z_mm": "Scanned range (z)",
    "filter_shape": "Beam-shaping filter",
    "filter_class": "Filter class",
    "isocentre_mm": "Isocentre (x, y)",
    "source_isocentre_mm": "Focus to isocentre",
    "output_factor": "Output factor of this device",
    "age_y": "Age",
    "height_cm": "Height",
    "weight_kg": "Weight",
}


FILLED = {
    "kv": "kV",
    "ctdivol_mgy": "mGy",
    "dlp_mgy_cm": "mGy·cm",
    "phantom_cm": "cm",
    "mode": "",
    "collimation_mm": "mm",
    "pitch": "",
    "filter_shape": "",
    "source_isocentre_mm": "mm",
}


@dataclass(frozen=True)
class Fact:
    """One input value of a study, with the way it became known.

    Attributes
    ----------
    label, value, unit : str
    tag : str
        ``"extracted"``, ``"derived"``, ``"assumed"``, or empty where the source does not say.
    where : str
        File and place, or the rule of an assumption.
    """

    label: str
    value: str
    unit: str = ""
    tag: str = ""
    where: str = ""


@dataclass(frozen=True)
class OrganRow:
    """One line of the organ table; the dose is the sum over all contributions."""

    organ: str
    dose: AbsorbedDose
    mass_g: float
    in_scan: float

    @property
    def label(self) -> str:
        """The name for reading."""
        return self.organ.replace("_", " ")

    @property
    def outside(self) -> bool:
        """Whether no part of the organ lies in a scanned range."""
        return self.in_scan == 0.0


@dataclass(frozen=True)
class Case:
    """All that a document tells of one person's irradiation.

    Attributes
    ----------
    person : Person
    contributions : tuple of Contribution
    organs : tuple of OrganRow
        The highest dose first.
    effective : EffectiveDose or None
        None where a contribution lacks it.
    results : tuple
        The results with images (`xray.CtDose`), in the order of the contributions; may be empty.
    facts : tuple of (title, facts)
    """

    person: Any
    contributions: tuple[Contribution, ...]
    organs: tuple[OrganRow, ...]
    effective: EffectiveDose | None
    results: tuple[Any, ...] = ()
    facts: tuple[tuple[str, tuple[Fact, ...]], ...] = ()
    assumptions: tuple[Assumption, ...] = ()
    findings: tuple[tuple[str, str], ...] = ()
    key_numbers: tuple[Fact, ...] = ()
    provenances: tuple[tuple[str, Provenance], ...] = ()

    @property
    def causes(self) -> list[str]:
        """The names of all uncertainty causes, the largest share of the effective dose first."""
        total = self.effective.by_name() if self.effective is not None else {}
        names = {name for row in self.organs for name in row.dose.by_name()} | set(total)
        return sorted(names, key=lambda name: (-total.get(name, 0.0), name))


def gather(result: Any, results: Iterable[Any] = (), findings: Iterable[tuple[str, str]] = ()) -> Case:
    """Collect what a ledger, a contribution with its person, or a CT result tells.

    Parameters
    ----------
    result : Ledger or a result with ``contribution()`` and ``body.person``
    results : iterable, optional
        Results with a dose map and a body whose images a ledger's report shall show.
    findings : iterable of (severity, sentence), optional

    Raises
    ------
    InvalidInput
        There is no contribution, or the result is of another kind.
    """
    shown = tuple(results)
    if isinstance(result, Ledger):
        person, contributions = result.person, result.contributions
    elif hasattr(result, "contribution") and hasattr(result, "body"):
        person, contributions = result.body.person, (result.contribution(),)
        shown = shown or (result,)
    else:
        raise InvalidInput(
            f"A report is built from a Ledger or a dose result, not from {type(result).__name__}.",
            way_out="Add the result to a Ledger(person) first.",
        )
    if not contributions:
        raise InvalidInput("The ledger holds no dose to report.", way_out="Add a result to it first.")
    ledger = Ledger(person, contributions)
    complete = all(item.effective is not None for item in contributions)
    told = [*findings, *skin_findings(shown), *(pair for item in shown for pair in _findings(item))]
    return Case(
        person=person,
        contributions=contributions,
        organs=_organs(ledger),
        effective=ledger.effective_total() if complete else None,
        results=shown,
        facts=tuple(_facts_of(item, contributions) for item in shown if hasattr(item, "scan")),
        assumptions=_unique(a for item in contributions for a in item.provenance.assumptions),
        findings=_once(told),
        key_numbers=_key_numbers(shown),
        provenances=tuple((item.what, item.provenance) for item in contributions),
    )


def _once(told: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """Return warnings before notes, each sentence once with its highest severity."""
    ranked = sorted(told, key=lambda pair: pair[0] not in WARNINGS)
    first = {text: severity for severity, text in reversed(ranked)}
    return tuple((first[text], text) for text in dict.fromkeys(text for _, text in ranked))


def _organs(ledger: Ledger) -> tuple[OrganRow, ...]:
    rows = []
    for organ, dose in ledger.totals().items():
        parts = [item.organs[organ] for item in ledger if organ in item.organs]
        rows.append(OrganRow(organ, dose, parts[-1].mass_g, max(part.in_scan for part in parts)))
    return tuple(sorted(rows, key=lambda row: (-row.dose.value, row.organ)))


def _unique(items: Iterable[Assumption]) -> tuple[Assumption, ...]:
    return tuple(dict.fromkeys(items))


def text_of(value: Any) -> str:
    """Return a value of a fact as text."""
    if isinstance(value, Estimate):
        text, u = with_uncertainty(value)
        return f"{text} ± {u}" if u else text
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        text = f"{value:.0f}" if value.is_integer() and abs(value) < 1e5 else digits(value)
        return text.replace("-", "−", 1) if value < 0 else text
    if isinstance(value, str | int):
        return str(value)
    if isinstance(value, Sequence) and len(value) <= 4:
        return ", ".join(text_of(item) for item in value)
    return f"{len(value)} values" if hasattr(value, "__len__") else str(value)


def fact_of(label: str, tagged: Tagged[Any]) -> Fact:
    """Return a tagged input value as a fact."""
    unit = "" if tagged.unit in ("1", "") else tagged.unit.replace("mGy.cm", "mGy·cm")
    text = text_of(tagged.value)
    if "range" in label.lower() and isinstance(tagged.value, tuple | list):
        text = text.replace(", ", " to ", 1)
    return Fact(label, text, {"a": "years"}.get(unit, unit), tagged.tag, tagged.where)


def _label(name: str) -> str:
    return LABELS.get(name, name.replace("_mm", "").replace("_", " ").strip().capitalize())


def _facts_of(result: Any, contributions: Sequence[Contribution]) -> tuple[str, tuple[Fact, ...]]:
    title = contributions[0].what if len(contributions) == 1 else result.contribution().what
    return title, (*_walk(result.scan, ""), *_filled(result))


def _filled(result: Any) -> Iterable[Fact]:
    """Yield the values that the calculation used and the scan did not hold."""
    used, given = getattr(result, "ranges", ()), _doses(result.scan)
    for number, (item, known) in enumerate(
        zip(used, (entry.inputs() for entry in given), strict=False), start=1
    ):
        prefix = f"Range {number}: " if len(used) > 1 else ""
        for name, unit in FILLED.items():
            if name not in known and hasattr(item, name):
                yield Fact(
                    prefix + _label(name), text_of(getattr(item, name)), unit, "assumed", "see assumptions"
                )


def _doses(scan: Any) -> list[Any]:
    """Return the ranges of a scan without its topograms."""
    ranges = getattr(scan, "ranges", ())
    return [item for item in ranges if item.mode is None or item.mode.value != "topogram"]


def _walk(item: Any, prefix: str) -> Iterable[Fact]:
    """Yield every tagged value of a record: of its ranges first, then its own."""
    if callable(getattr(item, "inputs", None)):
        yield from (fact_of(prefix + _label(name), value) for name, value in item.inputs().items())
        return
    if not dataclasses.is_dataclass(item):
        return
    for entry in dataclasses.fields(item):
        value = getattr(item, entry.name)
        if isinstance(value, Tagged):
            yield fact_of(prefix + _label(entry.name), value)
        elif isinstance(value, Mapping):
            tagged = {str(key): inner for key, inner in value.items() if isinstance(inner, Tagged)}
            yield from (fact_of(prefix + _label(name), inner) for name, inner in tagged.items())
        elif isinstance(value, tuple | list):
            several = len(value) > 1
            for number, inner in enumerate(value, start=1):
                yield from _walk(inner, f"Range {number}: " if several else prefix)


def _findings(result: Any) -> list[tuple[str, str]]:
    """Return (severity, sentence) of the checks that a result brings."""
    return [(str(item.severity), str(item.what)) for item in getattr(result, "checks", ())]


def _key_numbers(results: Sequence[Any]) -> tuple[Fact, ...]:
    """Return CTDIvol, DLP and SSDE of a single CT result of one acquisition (topograms aside)."""
    if len(results) != 1:
        return ()
    doses = _doses(getattr(results[0], "scan", None))
    numbers: list[Fact] = []
    if len(doses) == 1:
        known = doses[0].inputs()
        phantom = known.get("phantom_cm")
        for name, label in (("ctdivol_mgy", "CTDIvol"), ("dlp_mgy_cm", "DLP")):
            if name in known:
                fact = fact_of(label, known[name])
                size = f"{phantom.value} cm phantom" if phantom is not None and name == "ctdivol_mgy" else ""
                numbers.append(dataclasses.replace(fact, where=size))
    ssde = getattr(results[0], "ssde", None)
    if isinstance(ssde, tuple | list):
        ssde = ssde[0] if len(ssde) == 1 else None
    if ssde is not None:
        dose = getattr(ssde, "dose", ssde)
        kind = getattr(ssde, "size_kind", "")
        note = f"quick check; {kind} {digits(ssde.size_cm)} cm" if kind else "quick check"
        numbers.append(Fact("SSDE", text_of(dose), "mGy", "derived", note))
    return tuple(numbers)
