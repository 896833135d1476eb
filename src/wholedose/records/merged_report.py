"""Parts of one examination as one report. Defines `merge_reports` and `groups_of_parts`."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from wholedose.base import InvalidInput, Tagged
from wholedose.records.dose_report import DoseReport, Exposure
from wholedose.records.findings import Findings
from wholedose.records.report_checks import glandular_doses, same_event, sum_up


def groups_of_parts(reports: Sequence[DoseReport]) -> list[list[DoseReport]]:
    """Return the groups of two or more reports of one study, kind and device: continued and repeated reports.

    Continued reports have one study, and each its own events; a scanner that is asked again during the study
    writes the earlier events once more. Files of one SOP instance are copies, not parts.
    """
    groups: dict[tuple[str, ...], list[DoseReport]] = {}
    for report in reports:
        if not report.study.uid:
            continue
        device = report.device.serial or report.device.uid or report.device.model
        group = groups.setdefault((report.study.uid, report.kind, device), [])
        instance = report.study.instance_uid
        if instance and any(one.study.instance_uid == instance for one in group):
            continue
        group.append(report)
    return [group for group in groups.values() if len(group) > 1]


def merge_reports(parts: Sequence[DoseReport]) -> DoseReport:
    """Merge the parts of one examination; an event that several parts list is counted once.

    The totals are those of the one part that holds all events, else the sum of the totals of parts
    without common events, else the sum over the events.

    Parameters
    ----------
    parts : sequence of DoseReport
        Of one study and kind.

    Returns
    -------
    DoseReport

    Raises
    ------
    InvalidInput
        When the parts are of several studies or kinds, or there are none.
    """
    if not parts or len({(part.study.uid, part.kind) for part in parts}) != 1:
        raise InvalidInput(
            "The reports are not parts of one study and kind.", way_out="Merge the reports of one study."
        )
    findings = Findings()
    parts = sorted(parts, key=lambda part: (part.started, part.study.instance_uid))
    events: list[Exposure] = []
    seen: dict[str, Exposure] = {}
    shared = 0
    for part in parts:
        for event in part.events:
            before = seen.get(event.uid) if event.uid else None
            if before is None:
                events.append(event)
                if event.uid:
                    seen[event.uid] = event
                else:
                    findings.add("Events without identifier can't be told from copies.", severity="warning")
                continue
            shared += 1
            if not same_event(before, event):
                findings.add(
                    "An event differs between the parts; that of the earlier part is used.",
                    severity="warning",
                )
    if shared:
        findings.add(
            f"{shared} events are listed by more than one part and counted once.",
            size=float(shared),
            severity="info",
        )
    complete = [part for part in parts if len(part.events) == len(events)]
    totals: dict[str, Tagged[Any]]
    if complete:
        totals = dict(complete[-1].totals)
    elif not shared:
        totals = _sum_of_totals(parts)
    else:
        totals = dict(sum_up(events))
        for side, value in glandular_doses(events).items():
            totals[f"mean_glandular_dose_{side}"] = value
    for part in parts:
        for finding in part.findings:
            findings.add(finding.what, size=finding.size, severity=finding.severity)
    return dataclasses.replace(
        parts[0],
        events=tuple(events),
        totals=totals,
        planes={},
        findings=findings.result(),
        started=min((part.started for part in parts if part.started), default=""),
        ended=max((part.ended for part in parts if part.ended), default=""),
        paths=tuple(path for part in parts for path in part.paths),
    )


def _sum_of_totals(parts: Sequence[DoseReport]) -> dict[str, Tagged[Any]]:
    totals: dict[str, Tagged[Any]] = {}
    for part in parts:
        for name, value in part.totals.items():
            before = totals.get(name)
            if before is None:
                totals[name] = dataclasses.replace(value, tag="derived", where="sum of parts")
            else:
                exact = round(before.value + value.value, 12)
                totals[name] = dataclasses.replace(before, value=exact)
    return totals
