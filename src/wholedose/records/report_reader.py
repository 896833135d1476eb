"""From the content tree of a dose report to our types. Defines `read_dose_report`."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from wholedose.base import InvalidInput, Tagged
from wholedose.records import concepts
from wholedose.records.dose_report import Device, DoseReport, Exposure, ReportKind
from wholedose.records.findings import Findings
from wholedose.records.header import read_device, read_patient, read_study
from wholedose.records.laterality import laterality
from wholedose.records.report_checks import check_report, without_copies
from wholedose.records.sr import Code, ContentItem, StructuredReport, read_structured_report
from wholedose.records.units import DIMENSIONS, UnknownUnit, convert

_ROOT = "113701"
_CT_TOTALS, _CT_EVENT, _TOTALS, _EVENT = "113811", "113819", "113702", "113706"
_CT_SOURCE, _FILTER, _DOSE_CHECK = "113831", "113771", ("113900", "113908")
# several values of one event: a series over pulses, whose mean stands for it
_SERIES = frozenset(
    ("kv", "tube_current", "pulse_width", "exposure", "exposure_time", "tube_current_average")
)

Quantities = dict[str, Tagged[Any]]


def is_dose_report(report: StructuredReport) -> bool:
    """Tell whether a structured report is an X-ray radiation dose report, by its title."""
    return report.root.name is not None and report.root.name.value == _ROOT


def read_dose_report(path: str | Path) -> DoseReport:
    """Read an X-ray radiation dose report: RDSR or enhanced SR with the content of TID 10001 or 10011.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    DoseReport

    Raises
    ------
    InvalidInput
        When the file is no structured report, or not one of X-ray dose.
    """
    tree = read_structured_report(path)
    if not is_dose_report(tree):
        raise InvalidInput(
            f"The report is titled {str(tree.root.name or 'nothing')!r}, not 'X-Ray Radiation Dose Report'.",
            where=str(path),
            way_out="Give the dose report of the study.",
        )
    return dose_report_from_tree(tree, str(path))


def dose_report_from_tree(tree: StructuredReport, path: str = "") -> DoseReport:
    """Interpret the content tree of a dose report; `path` is kept for messages.

    Quantities whose unit or value can't be trusted are left out, each with a finding.
    """
    findings = Findings()
    for problem in tree.problems:
        findings.add(problem, severity="error")

    def header(tag: int) -> str:
        return tree.header.get(tag, "")

    root = tree.root
    events: list[Exposure] = []
    planes: dict[str, Quantities] = {}
    for item in _containers(root):
        if item.code == _CT_EVENT:
            events.append(_event(item, findings, f"event {len(events) + 1}", ct=True))
        elif item.code == _EVENT:
            events.append(_event(item, findings, f"event {len(events) + 1}", ct=False))
        else:
            name, values = _accumulated(item, findings)
            base, count = name, 2
            while name in planes:
                name, count = f"{base} {count}", count + 1
            planes[name] = values
    procedure = root.find("121058")
    procedure_code = (
        procedure.value.value if procedure is not None and isinstance(procedure.value, Code) else ""
    )
    kind = _kind(root, procedure_code, events)
    report = DoseReport(
        kind=kind,
        modality=_modality(kind, root),
        device=_device(root, read_device(header)),
        patient=read_patient(header, findings),
        study=_study(root, header),
        events=without_copies(events, findings),
        totals={},
        planes=planes,
        started=_text(root.find("113809")),
        ended=_text(root.find("113810")),
        paths=(path,),
        accumulated_over=_text(root.find("113705")),
    )
    return check_report(report, findings)


def _containers(item: ContentItem) -> Iterator[ContentItem]:
    """Yield the containers of events and totals in order, through containers that wrap them."""
    for child in item.children:
        if child.code in (_CT_EVENT, _EVENT, _CT_TOTALS, _TOTALS):
            if child.value_type == "CONTAINER":
                yield child
        elif child.value_type == "CONTAINER":
            yield from _containers(child)


def _text(item: ContentItem | None) -> str:
    return str(item.value).strip() if item is not None and item.value is not None else ""


def _kind(root: ContentItem, procedure: str, events: list[Exposure]) -> ReportKind:
    codes = {child.code for child in _containers(root)}
    if codes & {_CT_EVENT, _CT_TOTALS}:
        return "ct"
    if procedure in concepts.MAMMOGRAPHY or any("mean_glandular_dose" in one.quantities for one in events):
        return "mammography"
    return "projection"


def _modality(kind: ReportKind, root: ContentItem) -> str:
    if kind != "projection":
        return {"ct": "CT", "mammography": "MG"}[kind]
    device = root.find("122142")
    if device is not None and isinstance(device.value, Code):
        if device.value.value in ("113958", "113959"):
            return "DX"
        if device.value.value == "113957":
            return "RF"
    fluoroscopy = False
    for event in _containers(root):
        if event.code != _EVENT:
            continue
        kind_item = event.find("113721")
        value = kind_item.value if kind_item is not None else None
        fluoroscopy |= isinstance(value, Code) and value.value in concepts.FLUOROSCOPY
    if not fluoroscopy:
        accumulated = root.find(_TOTALS)
        time = accumulated.find("113730") if accumulated is not None else None
        fluoroscopy = time is not None and any(number.strip("0. ") for number in time.numbers)
    return "RF" if fluoroscopy else "DX"


def _device(root: ContentItem, device: Device) -> Device:
    """Complete the header's device with what the report says about its observer and the irradiating
    device."""
    said: dict[str, str] = {}
    names = {
        "121014": "manufacturer", "121015": "model", "121016": "serial", "121012": "uid",
        "113878": "manufacturer", "113879": "model", "113880": "serial",
    }  # fmt: skip
    first_event = root.find(_EVENT, _CT_EVENT)
    for parent in (root, root.find("113876"), first_event and first_event.find("113876")):
        for child in parent.children if parent is not None else ():
            field = names.get(child.code)
            if field and _text(child):
                said.setdefault(field, _text(child))
    return dataclasses.replace(
        device, **{field: text for field, text in said.items() if not getattr(device, field)}
    )


def _study(root: ContentItem, header: Any) -> Any:
    study = read_study(header)
    if not study.uid:
        scope = root.find("113705")
        study = dataclasses.replace(study, uid=_text(scope.find("110180")) if scope is not None else "")
    return study


def _number(
    item: ContentItem, name: str, dimension: str, findings: Findings, place: str
) -> Tagged[Any] | None:
    """Return the item's number in our unit, None when it has none that can be trusted (with a finding)."""
    if not item.numbers:
        return None  # an empty number says "not known"; common and legitimate
    unit = item.unit.value if item.unit is not None else None
    try:
        values = [convert(number, unit, dimension) for number in item.numbers]
    except UnknownUnit as error:
        findings.add(f"{name} has {error}, which isn't known: left out.", severity="error", place=place)
        return None
    except ValueError as error:
        findings.add(f"{name}: {error}; left out.", severity="error", place=place)
        return None
    low, high = concepts.LIMITS.get(name, (-1e300, 1e300))
    if not all(low <= value <= high for value in values):
        findings.add(
            f"{name}: {values[0]:.6g} {DIMENSIONS[dimension].unit} is impossible; left out.",
            severity="error",
            place=place,
        )
        return None
    if item.unit is not None and item.unit.scheme != "UCUM":
        findings.add(
            f"Units are of the scheme {item.unit.scheme!r} instead of UCUM; read as UCUM.", severity="info"
        )
    code = item.name.key if item.name else ""
    where = f"{item.numbers[0]} {unit or ''}".strip()
    ours = DIMENSIONS[dimension].unit
    if len(values) == 1:
        return Tagged(values[0], ours, "extracted", code, where)
    if name in _SERIES:
        return Tagged(sum(values) / len(values), ours, "derived", code, f"mean of {len(values)} values")
    findings.add(f"{name} has {len(values)} values: left out.", severity="error", place=place)
    return None


def _add(into: Quantities, repeats: dict[str, list[float]], name: str, value: Tagged[Any]) -> None:
    if name in into:
        repeats.setdefault(name, [into[name].value]).append(value.value)
    else:
        into[name] = value


def _event(item: ContentItem, findings: Findings, place: str, *, ct: bool) -> Exposure:
    quantities: Quantities = {}
    sources: list[Quantities] = []
    filters: list[Quantities] = []
    _collect(item, quantities, sources, filters, findings, place, ct)
    if ct and len(sources) == 1:
        # one source: its values are the event's
        quantities.update({name: one for name, one in sources[0].items() if name not in quantities})
    point = quantities.get("reference_point")
    if point is not None:
        meaning = reference_point(point.value)
        if meaning:
            quantities["reference_point_location"] = Tagged(meaning, "1", "derived", point.code)
            if not isinstance(point.value, Code):
                findings.add("The reference point is given as text, not as a code.", severity="info")
        else:
            findings.add(
                f"The reference point {str(point.value)[:60]!r} isn't known.",
                severity="warning",
                place=place,
            )
    return Exposure(_event_kind(quantities, ct), quantities, tuple(sources), tuple(filters))


def reference_point(value: Code | str) -> str | None:
    """Return where a reference point lies, from its code or from one of the known texts; None when
    unknown."""
    if isinstance(value, Code) and value.value in concepts.REFERENCE_POINTS:
        return concepts.REFERENCE_POINTS[value.value]
    return concepts.REFERENCE_POINTS.get(str(value).lower().replace(" ", ""))


def _collect(
    item: ContentItem,
    quantities: Quantities,
    sources: list[Quantities],
    filters: list[Quantities],
    findings: Findings,
    place: str,
    ct: bool,
) -> None:
    """Gather the quantities of an event through its containers and modifiers."""
    repeats: dict[str, list[float]] = {}
    for child in item.children:
        target = quantities
        if child.code == _CT_SOURCE:
            sources.append({})
            _collect(child, sources[-1], sources, filters, findings, place, ct)
            continue
        if child.code == _FILTER:
            filters.append({})
            _collect(child, filters[-1], sources, filters, findings, place, ct)
            continue
        if child.value_type == "NUM":
            known = concepts.number(child.name)
            if known is None:
                findings.add(
                    f"{child.name or 'A number'} ({child.name.key if child.name else 'no code'}) isn't used.",
                    severity="info",
                )
                continue
            value = _number(child, known[0], known[1], findings, place)
            if value is not None:
                _add(target, repeats, known[0], value)
        elif child.code in concepts.TEXTS and child.value not in (None, ""):
            name = concepts.TEXTS[child.code]
            if name == "phantom":
                _phantom(child, target, findings, place)
            elif name not in target:
                code = child.name.key if child.name else ""
                target[name] = Tagged(child.value, "1", "extracted", code)
        if child.value_type in ("CONTAINER", "CODE", "NUM") and child.code not in ("113876", "113870"):
            _collect(child, quantities, sources, filters, findings, place, ct)
    for name, values in repeats.items():
        first = quantities[name]
        if len(set(values)) == 1:
            continue
        if name in _SERIES:
            quantities[name] = Tagged(
                sum(values) / len(values), first.unit, "derived", first.code, f"mean of {len(values)} values"
            )
        else:
            del quantities[name]
            findings.add(
                f"{name} is given {len(values)} times with different values: left out.",
                severity="error",
                place=place,
            )


def _phantom(item: ContentItem, into: Quantities, findings: Findings, place: str) -> None:
    code = item.value.value if isinstance(item.value, Code) else ""
    diameter = concepts.PHANTOM_CM.get(code)
    key = item.name.key if item.name else ""
    if diameter is None:
        findings.add(
            f"The CTDI phantom {str(item.value)[:60]!r} isn't known: left out.", severity="error", place=place
        )
        return
    into["phantom"] = Tagged(diameter, "cm", "extracted", key, str(item.value))


def _event_kind(quantities: Quantities, ct: bool) -> str:
    found = quantities.get("acquisition_type" if ct else "event_type")
    code = found.value.value if found is not None and isinstance(found.value, Code) else ""
    if code in concepts.FLUOROSCOPY:
        return "fluoroscopy"
    if not ct:
        return "acquisition" if code else "unknown"
    if code in concepts.SPIRAL:
        return "spiral"
    return {
        concepts.LOCALISER: "localiser",
        concepts.SEQUENCED: "sequenced",
        concepts.STATIONARY: "stationary",
        concepts.FREE: "free",
        concepts.CONE_BEAM: "cone beam",
    }.get(code, "unknown")


def _accumulated(item: ContentItem, findings: Findings) -> tuple[str, Quantities]:
    """Return the plane's name and the accumulated values of one container."""
    values: Quantities = {}
    plane = item.find("113764")
    name = str(plane.value) if plane is not None and plane.value else "all"
    for child in item.children:
        known = concepts.TOTALS.get(child.code)
        if known is None or child.value_type != "NUM":
            continue
        value = _number(child, f"total {known[0]}", known[1], findings, name)
        if value is None:
            continue
        quantity = known[0]
        if quantity == "mean_glandular_dose":
            side = child.find("G-C171", "272741003")
            quantity = f"mean_glandular_dose_{laterality(side.value if side is not None else None)}"
        phantom = child.find("113835")
        if phantom is not None and isinstance(phantom.value, Code):
            suffix = {"113690": "_head_phantom", "113691": "_body_phantom"}.get(phantom.value.value)
            if suffix:
                values[quantity + suffix] = value
        if quantity in values:
            before = values[quantity]
            if child.find("113835") is None:
                findings.add(
                    f"total {quantity} is given more than once; the values are added.", severity="warning"
                )
            value = Tagged(before.value + value.value, before.unit, "derived", before.code)
        values[quantity] = value
    return name, values
