"""What a file or folder holds. Defines `describe`, the form behind ``wholedose read``, and `describe_text`.

The form is stable: ``{"format": 1, "items": [...]}``, one item for each file that is recognised, one more for
each image series, and one more for reports that are parts of one examination.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

from wholedose.base import Finding, InvalidInput, Tagged, WholedoseError
from wholedose.records.dicom_pass import peek
from wholedose.records.dose_report import Device, DoseReport, Exposure, Patient, Study, tagged_to_json
from wholedose.records.image_header import ImageFacts, read_image_header
from wholedose.records.image_series import series_items
from wholedose.records.merged_report import groups_of_parts, merge_reports
from wholedose.records.nifti_header import describe_nifti, is_nifti
from wholedose.records.report_reader import dose_report_from_tree, is_dose_report
from wholedose.records.sr import read_structured_report

FORMAT = 1
MAX_FILES = 50_000
_STRUCTURED_REPORTS = "1.2.840.10008.5.1.4.1.1.88."
_DIRECTORY = "1.2.840.10008.1.3.10"


def describe(path: str | PathLike[str]) -> dict[str, Any]:
    """Say what a file or a folder holds.

    Parameters
    ----------
    path : str or path
        A file, or a folder whose files (and those of its subfolders) are described.

    Returns
    -------
    dict
        ``{"format": 1, "items": [...], "skipped": [...]}``. An item holds ``path``, ``modality``, ``kind``
        (``dose_report``, ``image``, ``series``, ``plan`` or ``other``), ``events``, ``totals``,
        ``exposures``,
        ``findings``, and ``patient``, ``device`` and ``study`` where the header has them. ``skipped``
        names the files of a folder that are not recognised, each with its reason.

    Raises
    ------
    InvalidInput
        When the path doesn't exist, or nothing in it is recognised.
    """
    path = Path(path)
    if path.is_dir():
        return _describe_folder(path)
    if not path.exists():
        raise InvalidInput("There is no such file or folder.", where=str(path), way_out="Check the path.")
    item = _describe_file(path)[0]
    return {"format": FORMAT, "items": [item], "skipped": []}


def _describe_folder(folder: Path) -> dict[str, Any]:
    items: list[dict[str, Any]] = []
    skipped: list[dict[str, str]] = []
    reports: list[DoseReport] = []
    images: list[tuple[str, ImageFacts]] = []
    for path in _files(folder):
        try:
            item, found = _describe_file(path)
        except WholedoseError as error:
            skipped.append({"path": str(path), "reason": str(error)})
            continue
        items.append(item)
        if isinstance(found, DoseReport):
            reports.append(found)
        elif isinstance(found, ImageFacts) and found.kind == "image":
            images.append((str(path), found))
    if not items:
        raise InvalidInput(
            f"Nothing in the folder is recognised ({len(skipped)} files looked at).",
            where=str(folder),
            way_out="Give a folder with DICOM or NIfTI files.",
        )
    _name_copies(reports, items)
    items += [_report_item(merge_reports(group)) for group in groups_of_parts(reports)]
    items += series_items(images)
    return {"format": FORMAT, "items": items, "skipped": skipped}


def _files(folder: Path) -> list[Path]:
    found: list[Path] = []
    for root, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        found += [Path(root) / name for name in sorted(names) if not name.startswith(".")]
        if len(found) > MAX_FILES:
            raise InvalidInput(
                f"The folder holds more than {MAX_FILES} files.", where=str(folder), way_out="Give one study."
            )
    return found


def _name_copies(reports: Sequence[DoseReport], items: Sequence[dict[str, Any]]) -> None:
    """Note reports of a folder that hold events of another study's report: they must not be counted twice."""
    first: dict[str, DoseReport] = {}
    by_path = {item["path"]: item for item in items}
    for report in reports:
        others = set()
        for event in report.events:
            before = first.setdefault(event.uid, report) if event.uid else report
            same_group = before.study.uid == report.study.uid
            same_file = before.study.instance_uid == report.study.instance_uid
            if before is not report and (same_file or not same_group):
                others.add(before.paths[0])
        for other in sorted(others):
            finding = Finding(f"It holds events that {other} holds too; count them once.", None, "warning")
            by_path[report.paths[0]]["findings"].append(finding.to_json())


def _describe_file(path: Path) -> tuple[dict[str, Any], DoseReport | ImageFacts | None]:
    if not path.is_file():
        raise InvalidInput("Not a regular file.", where=str(path), way_out="Give a file or a folder.")
    if is_nifti(path):
        return describe_nifti(path), None
    first = peek(path)
    if first is None:
        raise InvalidInput(
            "The file is neither DICOM nor NIfTI.", where=str(path), way_out="Give a DICOM or NIfTI file."
        )
    sop_class = _uid(first.data.get(0x00080016)) or _uid(first.meta.get(0x00020002))
    modality = _uid(first.data.get(0x00080060))
    if sop_class == _DIRECTORY:
        return _plain_item(
            path, "OT", "other", "A DICOM directory: it lists files and holds no data.", "info"
        ), None
    if sop_class.startswith(_STRUCTURED_REPORTS) or modality == "SR":
        return _describe_report(path)
    try:
        facts = read_image_header(path)
    except WholedoseError as error:
        if not first.data and not sop_class:
            raise
        return _plain_item(path, modality or "OT", "other", error.what, "error"), None
    return _image_item(path, facts), facts


def _uid(value: Any) -> str:
    return value.decode("ascii", "replace").strip("\0 ") if isinstance(value, bytes) else ""


def _plain_item(path: Path, modality: str, kind: str, what: str, severity: str) -> dict[str, Any]:
    finding = {"what": what, "size": None, "severity": severity}
    return _item(str(path), modality, kind, (), {}, [finding])


def _item(
    path: str,
    modality: str,
    kind: str,
    exposures: Sequence[Exposure],
    totals: Mapping[str, Tagged[Any]],
    findings: list[dict[str, Any]],
) -> dict[str, Any]:
    return {
        "path": path,
        "modality": modality,
        "kind": kind,
        "events": len(exposures),
        "totals": {name: tagged_to_json(value) for name, value in totals.items()},
        "exposures": [one.to_json() for one in exposures],
        "findings": findings,
    }


def _describe_report(path: Path) -> tuple[dict[str, Any], DoseReport | None]:
    try:
        tree = read_structured_report(path)
    except WholedoseError as error:
        return _plain_item(path, "SR", "other", error.what, "error"), None
    if not is_dose_report(tree):
        title = str(tree.root.name) if tree.root.name is not None else "without title"
        item = _plain_item(
            path, "SR", "other", f"A structured report, but not of X-ray dose: {title}.", "info"
        )
        item["findings"] += [Finding(what, None, "error").to_json() for what in tree.problems]
        return item, None
    report = dose_report_from_tree(tree, str(path))
    return _report_item(report), report


def _report_item(report: DoseReport) -> dict[str, Any]:
    item = _item(
        " + ".join(report.paths),
        report.modality,
        "dose_report",
        report.events,
        report.totals,
        [finding.to_json() for finding in report.findings],
    )
    if len(report.paths) > 1:
        item["parts"] = list(report.paths)
    _add_header(item, report.patient, report.device, report.study)
    return item


def _image_item(path: Path, facts: ImageFacts) -> dict[str, Any]:
    item = _item(
        str(path),
        facts.modality,
        facts.kind,
        facts.exposures,
        facts.totals,
        [finding.to_json() for finding in facts.findings],
    )
    _add_header(item, facts.patient, facts.device, facts.study)
    return item


def _add_header(item: dict[str, Any], patient: Patient, device: Device, study: Study) -> None:
    who: dict[str, Any] = {"sex": patient.sex} if patient.sex else {}
    for name in ("age_y", "height_cm", "weight_kg"):
        value = getattr(patient, name)
        if value is not None:
            who[name] = tagged_to_json(value)
    item["patient"] = who
    item["device"] = {name: text for name, text in vars(device).items() if text}
    item["study"] = {name: text for name, text in vars(study).items() if text}


def describe_text(found: Mapping[str, Any]) -> str:
    """Lay out what `describe` found for reading: one block an item, quantities aligned, with their tags."""
    blocks = ["\n".join(_block(item)) for item in found["items"]]
    if found.get("skipped"):
        lines = [f"Not recognised: {len(found['skipped'])}"]
        lines += [f"  {one['path']}: {one['reason']}" for one in found["skipped"]]
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks)


def _block(item: Mapping[str, Any]) -> Iterable[str]:
    yield _printable(item["path"])
    device = item.get("device", {})
    named = _printable(" ".join(device[key] for key in ("manufacturer", "model") if key in device))
    head = f"  {item['kind'].replace('_', ' ')}, {item['modality']}, {_count(item['events'])}"
    yield f"{head}, {named}" if named else head
    rows = [("total", name, value) for name, value in item["totals"].items()]
    shown = item["exposures"][:20]
    for index, exposure in enumerate(shown, 1):
        rows += [(f"event {index}", name, value) for name, value in exposure.items()]
    cells = [
        (where, name.replace("_", " "), _written(value), value["tag"], value.get("code", ""))
        for where, name, value in rows
    ]
    widths = [max((len(row[column]) for row in cells), default=0) for column in range(4)]
    last = ""
    for row in cells:
        label = row[0] if row[0] != last else ""
        last = row[0]
        line = (
            f"  {label:<{widths[0]}}  {row[1]:<{widths[1]}}  {row[2]:>{widths[2]}}  {row[3]:<{widths[3]}}"
            f"  {row[4]}"
        )
        yield line.rstrip()
    if len(item["exposures"]) > len(shown):
        yield f"  … and {len(item['exposures']) - len(shown)} more events; --json lists them all"
    for finding in item["findings"]:
        size = "" if finding["size"] is None else f" [{finding['size']:+.4g}]"
        yield f"  {finding['severity']}: {_printable(finding['what'])}{size}"


def _printable(text: str) -> str:
    """Return text on one line without control characters: a file must not steer the terminal."""
    return "".join(mark if mark.isprintable() else "?" for mark in " ".join(text.split()))


def _count(events: int) -> str:
    return "1 event" if events == 1 else f"{events} events"


def _written(value: Mapping[str, Any]) -> str:
    number = value["value"]
    text = f"{number:.6g}" if isinstance(number, float) else str(number)
    text = _printable(text)
    if len(text) > 44:
        text = text[:43] + "…"
    return text if value["unit"] == "1" else f"{text} {value['unit']}"
