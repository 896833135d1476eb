"""Consistency of a dose report: copies, counts, sums, lengths, times and areas.

Defines `without_copies` and `check_report`, which adds the totals and the findings to a report.
"""

from __future__ import annotations

import dataclasses
import itertools
import statistics
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from wholedose.base import Tagged
from wholedose.records.dose_report import DoseReport, Exposure
from wholedose.records.findings import Findings
from wholedose.records.header import parse_datetime
from wholedose.records.laterality import laterality

# 0.82 to 1.17 in the real reports known to us, each side widened by as much as rounding of short scans
# may add
LENGTH_RATIO = (0.80, 1.20)
AREA_RATIO = (0.90, 1.10)
_SUMMED = {"dlp": "mGy.cm", "dap": "Gy.cm2", "air_kerma_rp": "mGy"}


def without_copies(events: Sequence[Exposure], findings: Findings) -> tuple[Exposure, ...]:
    """Return the events without exact copies; unlike events of one identifier are all kept."""
    kept: list[Exposure] = []
    seen: dict[tuple[str, str], Exposure] = {}
    for index, event in enumerate(events, 1):
        plane = event.quantities.get("plane")
        key = (event.uid, str(plane.value) if plane else "")
        before = seen.get(key) if event.uid else None
        if before is None:
            seen[key] = event
        elif same_event(before, event):
            findings.add(
                "An event is a copy of an earlier one and is counted once.",
                severity="warning",
                place=f"event {index}",
            )
            continue
        else:
            findings.add(
                "An event has the identifier of an earlier one, but other values; both are counted.",
                severity="warning",
                place=f"event {index}",
            )
        kept.append(event)
    return tuple(kept)


def same_event(one: Exposure, other: Exposure) -> bool:
    """Tell whether two events have the same quantities with the same values."""
    return {name: value.value for name, value in one.flat().items()} == {
        name: value.value for name, value in other.flat().items()
    }


def check_report(report: DoseReport, findings: Findings) -> DoseReport:
    """Return the report with its totals, and with findings for each contradiction.

    A quantity that other quantities of the report prove impossible is left out of its event.
    """
    report = dataclasses.replace(report, events=_checked_times(report, findings))
    totals = total_up(report.planes)
    if not report.events:
        findings.add("The report holds no irradiation event.", severity="warning")
    sums = sum_up(report.events)
    _compare(report, totals, sums, findings)
    for name, value in sums.items():
        totals[f"{name}_sum_of_events"] = value
        totals.setdefault(name, value)
    for side, value in glandular_doses(report.events).items():
        totals.setdefault(f"mean_glandular_dose_{side}", value)
    report = dataclasses.replace(report, totals=totals)
    if report.kind == "ct":
        _check_ct(report, findings)
    else:
        _check_projection(report, findings)
    _check_order(report, findings)
    for name in ("manufacturer", "model"):
        if not getattr(report.device, name):
            findings.add(f"The {name} of the device is missing.", severity="info")
    return dataclasses.replace(report, findings=findings.result())


def total_up(planes: Mapping[str, Mapping[str, Tagged[Any]]]) -> dict[str, Tagged[Any]]:
    """Add the accumulated values of the planes; a total of several planes is tagged as derived."""
    totals: dict[str, Tagged[Any]] = {}
    for values in planes.values():
        for name, value in values.items():
            before = totals.get(name)
            if before is None:
                totals[name] = value
            else:
                totals[name] = Tagged(
                    before.value + value.value, value.unit, "derived", value.code, "sum of planes"
                )
    return totals


def sum_up(events: Sequence[Exposure]) -> dict[str, Tagged[Any]]:
    """Return the sums of DLP, DAP and air kerma over the events that state them."""
    sums: dict[str, Tagged[Any]] = {}
    for name, unit in _SUMMED.items():
        values = [
            (one.quantities[name].value, one.quantities[name].code)
            for one in events
            if name in one.quantities
        ]
        if values:
            sums[name] = Tagged(
                _exact_sum([value for value, _ in values]), unit, "derived", values[0][1], "sum of events"
            )
    return sums


def rounding(value: Tagged[Any]) -> float:
    """Return half a unit of the last printed digit, in the value's own unit; 0 where it isn't known."""
    text = value.where.split(" ")[0] if value.where else ""
    try:
        written = Decimal(text)
    except ArithmeticError:
        return 0.0
    exponent = written.as_tuple().exponent
    if value.tag != "extracted" or not isinstance(exponent, int) or not written or not value.value:
        return 0.0
    return float(0.5 * 10.0**exponent * abs(value.value / float(written)))


def _exact_sum(values: Sequence[float]) -> float:
    return float(sum((Decimal(repr(value)) for value in values), Decimal(0)))


def glandular_doses(events: Sequence[Exposure]) -> dict[str, Tagged[Any]]:
    """Return the sums of mean glandular dose of the left and the right breast."""
    sums: dict[str, list[float]] = {}
    code = ""
    for event in events:
        dose = event.quantities.get("mean_glandular_dose")
        if dose is None:
            continue
        side = event.quantities.get("laterality")
        sums.setdefault(laterality(side.value if side else None), []).append(dose.value)
        code = dose.code
    return {
        side: Tagged(_exact_sum(values), "mGy", "derived", code, "sum of events")
        for side, values in sums.items()
    }


def _compare(
    report: DoseReport, totals: Mapping[str, Tagged[Any]], sums: Mapping[str, Tagged[Any]], findings: Findings
) -> None:
    counted = totals.get("reported_events")
    if counted is not None and counted.value != len(report.events):
        findings.add(
            f"The report counts {counted.value:g} events and holds {len(report.events)}; "
            "size is the difference in events.",
            size=len(report.events) - counted.value,
        )
    for name, total in sums.items():
        reported = totals.get(name)
        if reported is None:
            findings.add(
                f"The report has no total of {name}; the sum of events stands for it.", severity="info"
            )
            continue
        difference = total.value - reported.value
        if difference == 0:
            continue
        scale = max(abs(reported.value), abs(total.value))
        size = difference / (reported.value or scale)
        slack = rounding(reported) + sum(
            rounding(one.quantities[name]) for one in report.events if name in one.quantities
        )
        if abs(difference) <= 1e-6 * scale:
            continue
        rounded = abs(difference) <= slack and reported.value != 0
        what = (
            f"The total of {name} is {reported.value:.6g} {total.unit}, its events sum to {total.value:.6g}"
        )
        findings.add(
            f"{what} (within the rounding of the printed values)." if rounded else f"{what}.",
            size=round(size, 6),
            severity="info" if rounded or abs(size) <= 0.02 else "warning",
        )


def _span_s(report: DoseReport) -> float | None:
    start, end = parse_datetime(report.started), parse_datetime(report.ended)
    if start is None or end is None:
        return None
    span = (end - start).total_seconds()
    return span if span > 0 else None


def _checked_times(report: DoseReport, findings: Findings) -> tuple[Exposure, ...]:
    """Leave out exposure times longer than the whole irradiation (milliseconds written as seconds do
    occur)."""
    if report.kind != "ct":
        return report.events
    span = _span_s(report)
    checked = []
    for index, event in enumerate(report.events, 1):
        time = event.number("exposure_time")
        limit = None if span is None else 1.1 * span + 1
        expected = scan_time_s(event)
        if limit is None and expected is not None:
            limit = 20 * expected + 10
        if time is not None and limit is not None and time > limit:
            reason = (
                f"the whole irradiation lasted {span:.6g} s"
                if span is not None
                else f"pitch, collimation and rotation time give {expected:.4g} s"
            )
            beside = (
                ""
                if span is None or expected is None
                else f", and the scan's geometry gives {expected:.4g} s"
            )
            findings.add(
                f"An exposure time of {time:.6g} s is impossible: {reason}{beside}. "
                f"Its unit is wrong (as ms it would be {time / 1000:.6g} s); left out. "
                "Size is the ratio to what is possible.",
                size=round(time / (span or expected or time), 3),
                severity="error",
                place=f"event {index}",
            )
            quantities = {name: value for name, value in event.quantities.items() if name != "exposure_time"}
            event = dataclasses.replace(event, quantities=quantities)
        checked.append(event)
    return tuple(checked)


def scan_time_s(event: Exposure) -> float | None:
    """Return how long a helical scan takes by its length, pitch, collimation and rotation time, in
    seconds."""
    length, pitch = event.number("scanning_length"), event.number("pitch")
    width, rotation = event.number("nominal_total_collimation"), event.number("rotation_time")
    if rotation is None and event.sources and "rotation_time" in event.sources[0]:
        rotation = float(event.sources[0]["rotation_time"].value)
    if not (length and pitch and width and rotation):
        return None
    return length / (pitch * width) * rotation


def _check_ct(report: DoseReport, findings: Findings) -> None:
    phantoms = set()
    for index, event in enumerate(report.events, 1):
        place = f"event {index}"
        dose, product = event.number("ctdivol"), event.number("dlp")
        if product is not None and "phantom" in event.quantities:
            phantoms.add(event.quantities["phantom"].value)
        if dose is not None and "phantom" not in event.quantities:
            findings.add("CTDIvol is given without its phantom.", severity="warning", place=place)
        if event.kind != "localiser":
            for name in ("ctdivol", "dlp"):
                if name not in event.quantities:
                    findings.add(f"An acquisition has no {name}.", severity="warning", place=place)
            if not any("kv" in source for source in (event.quantities, *event.sources)):
                findings.add("An acquisition has no tube voltage.", severity="info", place=place)
        length = event.number("scanning_length")
        if not (dose and product and length):
            continue
        ratio = product * 10 / dose / length
        slack = rounding(event.quantities["ctdivol"]) / dose + rounding(event.quantities["dlp"]) / product
        if not LENGTH_RATIO[0] - slack <= ratio <= LENGTH_RATIO[1] + slack:
            findings.add(
                f"DLP / CTDIvol is {product * 10 / dose:.4g} mm, the scanning length {length:.4g} mm.",
                size=round(ratio - 1, 4),
                place=place,
            )
    if len(phantoms) > 1:
        findings.add(
            "The DLP total adds acquisitions that refer to the 16 cm and to the 32 cm phantom.",
            severity="warning",
        )


def _check_projection(report: DoseReport, findings: Findings) -> None:
    ratios: list[float] = []
    off = 0
    for index, event in enumerate(report.events, 1):
        if report.kind == "projection":
            for name in ("dap", "air_kerma_rp"):
                if name not in event.quantities:
                    findings.add(f"An event has no {name}.", severity="info", place=f"event {index}")
            if "kv" not in event.quantities:
                findings.add("An event has no tube voltage.", severity="info", place=f"event {index}")
        ratio = area_ratio(event)
        if ratio is None:
            continue
        ratios.append(ratio)
        # small doses are printed with one or two digits
        slack = sum(
            rounding(event.quantities[name]) / event.quantities[name].value
            for name in ("dap", "air_kerma_rp", "field_area")
        )
        off += not AREA_RATIO[0] - slack <= ratio <= AREA_RATIO[1] + slack
    if off:
        findings.add(
            "DAP / air kerma disagrees with the collimated field area at the reference point in "
            f"{off} of {len(ratios)} events; size is the median of all.",
            size=round(statistics.median(ratios) - 1, 4),
        )
    if report.kind == "projection" and report.events:
        missing = sum("patient_orientation" not in event.quantities for event in report.events)
        if missing:
            findings.add(f"The patient's orientation is missing in {missing} events.", severity="info")


def area_ratio(event: Exposure) -> float | None:
    """Return DAP / air kerma over the collimated area at the reference point; None where a value is missing.

    The collimated area is stated at the receptor; the reference point lies 15 cm from the isocentre or 30
    cm (15 cm) in front of the receptor.
    """
    product, kerma = event.number("dap"), event.number("air_kerma_rp")
    area, detector = event.number("field_area"), event.number("source_to_detector")
    location = event.quantities.get("reference_point_location")
    if not (product and kerma and area and detector and location):
        return None
    text = str(location.value)
    if "isocentre" in text:
        isocentre = event.number("source_to_isocentre")
        distance = None if isocentre is None else isocentre - 150
    elif "receptor" in text:
        distance = detector - (300 if text.startswith("30") else 150)
    else:
        return None
    if not distance or distance <= 0:
        return None
    return (product * 1000 / kerma) / (area * (distance / detector) ** 2)


def _check_order(report: DoseReport, findings: Findings) -> None:
    times = [
        moment
        for event in report.events
        if "started" in event.quantities
        and (moment := parse_datetime(event.quantities["started"].value)) is not None
    ]
    backwards = sum(later < earlier for earlier, later in itertools.pairwise(times))
    if backwards:
        findings.add(f"{backwards} events start before the one listed ahead of them.", severity="info")
