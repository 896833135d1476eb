"""The dose report of a simulated study, after DICOM PS3.16 TID 10011. Defines `dose_report`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from wholedose.synthetic.ct_dicom import HELICAL_START_S, LOCALIZER_MA, LOCALIZER_SPEED_MM_S
from wholedose.synthetic.headers import (
    MANUFACTURER,
    MODEL,
    PHANTOM,
    SERIAL,
    STATION,
    StudyHeader,
    code,
    new_dataset,
)
from wholedose.synthetic.technique import COLLIMATION_MM, MAX_MA, PITCH, ROTATION_S, ROW_MM, ScanPlan

DOSE_SR = "1.2.840.10008.5.1.4.1.1.88.67"

Concept = tuple[str, str, str]
REGION: dict[str, Concept] = {
    "chest": ("51185008", "SCT", "Chest"),
    "abdomen_pelvis": ("416949008", "SCT", "Abdomen and Pelvis"),
    "head": ("69536005", "SCT", "Head"),
}
UNITS = {
    "mGy": "mGy",
    "mGy.cm": "mGy.cm",
    "mm": "mm",
    "s": "s",
    "kV": "kV",
    "mA": "mA",
    "{ratio}": "ratio",
    "{events}": "events",
    "{X-Ray sources}": "X-Ray sources",
}


def dose_report(header: StudyHeader, plan: ScanPlan) -> Any:
    """Return the dose report: a localizer and a helical event, and their totals.

    The localizer has no CT Dose, which the template does not ask for at a constant angle.
    """
    instance = header.uid("dose report")
    dataset = new_dataset(DOSE_SR, instance)
    end_s = HELICAL_START_S + plan.exposure_s
    header.fill(dataset, "SR", DOSE_SR, instance, end_s + 5)
    del dataset.SeriesDate, dataset.SeriesTime
    dataset.SeriesInstanceUID, dataset.SeriesNumber = header.uid("dose series"), 501
    dataset.SeriesDescription = "dose report"
    dataset.InstanceNumber = 1
    dataset.ReferencedPerformedProcedureStepSequence = []
    dataset.PerformedProcedureCodeSequence = []
    dataset.CompletionFlag, dataset.VerificationFlag = "COMPLETE", "UNVERIFIED"
    root = _container("113701", "X-Ray Radiation Dose Report", _root_items(header, plan, end_s), None)
    template = _dataset()
    template.MappingResource, template.TemplateIdentifier = "DCMR", "10011"
    root.ContentTemplateSequence = [template]
    dataset.update(root)
    return dataset


def _root_items(header: StudyHeader, plan: ScanPlan, end_s: float) -> list[Any]:
    procedure = _code(
        "121058",
        "Procedure reported",
        ("77477000", "SCT", "Computed Tomography X-Ray"),
        rel="HAS CONCEPT MOD",
    )
    procedure.ContentSequence = [
        _code(
            ("363703001", "SCT", "Has Intent"),
            "",
            ("261004008", "SCT", "Diagnostic Intent"),
            rel="HAS CONCEPT MOD",
        )
    ]
    observed = "HAS OBS CONTEXT"
    scope = _code("113705", "Scope of Accumulation", ("113014", "DCM", "Study"), rel=observed)
    scope.ContentSequence = [_uid("110180", "Study Instance UID", header.uid("study"), rel="HAS PROPERTIES")]
    seconds = _localizer_s(plan)
    return [
        _code(
            ("121049", "DCM", "Language of Content Item and Descendants"),
            "",
            ("en", "RFC5646", "English"),
            rel="HAS CONCEPT MOD",
        ),
        procedure,
        _code("121005", "Observer Type", ("121007", "DCM", "Device"), rel=observed),
        _uid("121012", "Device Observer UID", header.uid("device"), rel=observed),
        _text("121013", "Device Observer Name", STATION, rel=observed),
        _text("121014", "Device Observer Manufacturer", MANUFACTURER, rel=observed),
        _text("121015", "Device Observer Model Name", MODEL, rel=observed),
        _text("121016", "Device Observer Serial Number", SERIAL, rel=observed),
        _time("113809", "Start of X-Ray Irradiation", header, 0.0),
        _time("113810", "End of X-Ray Irradiation", header, end_s),
        scope,
        _container(
            "113811",
            "CT Accumulated Dose Data",
            [
                _number("113812", "Total Number of Irradiation Events", "2", "{events}"),
                _number("113813", "CT Dose Length Product Total", f"{plan.dlp_mgy_cm:.2f}", "mGy.cm"),
            ],
        ),
        _event(
            header,
            plan,
            name="localizer",
            kind=("113805", "DCM", "Constant Angle Acquisition"),
            parameters=[
                _number("113824", "Exposure Time", f"{seconds:.2f}", "s"),
                _number("113825", "Scanning Length", f"{seconds * LOCALIZER_SPEED_MM_S:.1f}", "mm"),
            ],
            max_ma=LOCALIZER_MA,
            mean_ma=LOCALIZER_MA,
        ),
        _event(
            header,
            plan,
            name="helical",
            kind=("116152004", "SCT", "Spiral Acquisition"),
            parameters=[
                _number("113824", "Exposure Time", f"{plan.exposure_s:.3f}", "s"),
                *_lengths(header, plan),
            ],
            max_ma=MAX_MA,
            mean_ma=plan.mean_ma,
            rotation=True,
        ),
        _code("113854", "Source of Dose Information", ("113856", "DCM", "Automated Data Collection")),
    ]


def _localizer_s(plan: ScanPlan) -> float:
    """Return the beam-on time of the localizer, whose image reaches 30 mm beyond the helical range."""
    return (plan.length_mm + 60.0) / LOCALIZER_SPEED_MM_S


def _lengths(header: StudyHeader, plan: ScanPlan) -> list[Any]:
    half = plan.spacing_mm / 2
    low, high = float(plan.slices_mm[0]) - half, float(plan.slices_mm[-1]) + half
    bottom, top = plan.irradiated_mm
    return [
        _number("113825", "Scanning Length", f"{plan.length_mm:.2f}", "mm"),
        _number("113893", "Length of Reconstructable Volume", f"{high - low:.2f}", "mm"),
        _number("113899", "Exposed Range", f"{plan.length_mm + COLLIMATION_MM:.2f}", "mm"),
        _number("113895", "Top Z Location of Reconstructable Volume", f"{high:.2f}", "mm"),
        _number("113896", "Bottom Z Location of Reconstructable Volume", f"{low:.2f}", "mm"),
        _number("113897", "Top Z Location of Scanning Length", f"{top:.2f}", "mm"),
        _number("113898", "Bottom Z Location of Scanning Length", f"{bottom:.2f}", "mm"),
        _uid("112227", "Frame of Reference UID", header.uid("frame of reference")),
    ]


def _event(
    header: StudyHeader,
    plan: ScanPlan,
    *,
    name: str,
    kind: Concept,
    parameters: list[Any],
    max_ma: float,
    mean_ma: float,
    rotation: bool = False,
) -> Any:
    source = [
        _text("113832", "Identification of the X-Ray Source", "A"),
        _number("113733", "KVP", f"{plan.kv:g}", "kV"),
        _number("113833", "Maximum X-Ray Tube Current", f"{max_ma:g}", "mA"),
        _number("113734", "X-Ray Tube Current", f"{mean_ma:.2f}", "mA"),
    ]
    pitch = []
    if rotation:
        source.append(_number("113834", "Exposure Time per Rotation", f"{ROTATION_S:g}", "s"))
        pitch.append(_number("113828", "Pitch Factor", f"{PITCH:g}", "{ratio}"))
    total = COLLIMATION_MM if rotation else 6 * ROW_MM
    items = [
        _text("125203", "Acquisition Protocol", f"simulated {plan.region} {name}"),
        _code("123014", "Target Region", REGION[plan.region]),
        _code("113820", "CT Acquisition Type", kind),
        _code(("408730004", "SCT", "Procedure Context"), "", ("399331006", "SCT", "CT without contrast")),
        _uid("113769", "Irradiation Event UID", header.uid(f"{name} event")),
        _container(
            "113822",
            "CT Acquisition Parameters",
            [
                *parameters,
                _number("113826", "Nominal Single Collimation Width", f"{ROW_MM:g}", "mm"),
                _number("113827", "Nominal Total Collimation Width", f"{total:g}", "mm"),
                *pitch,
                _number("113823", "Number of X-Ray Sources", "1", "{X-Ray sources}"),
                _container("113831", "CT X-Ray Source Parameters", source),
            ],
        ),
    ]
    if rotation:
        items += [
            _container(
                "113829",
                "CT Dose",
                [
                    _number("113830", "Mean CTDIvol", f"{plan.mean_ctdivol_mgy:.3f}", "mGy"),
                    _code("113835", "CTDIw Phantom Type", PHANTOM[plan.phantom_cm]),
                    _number("113838", "DLP", f"{plan.dlp_mgy_cm:.2f}", "mGy.cm"),
                ],
            ),
            _text("113842", "X-Ray Modulation Type", "longitudinal"),
        ]
    items.append(_text("121106", "Comment", "Simulated; no person was exposed."))
    device = _code("113876", "Device Role in Procedure", ("113859", "DCM", "Irradiating Device"))
    device.ContentSequence = [
        _text("113877", "Device Name", STATION, rel="HAS PROPERTIES"),
        _text("113878", "Device Manufacturer", MANUFACTURER, rel="HAS PROPERTIES"),
        _text("113879", "Device Model Name", MODEL, rel="HAS PROPERTIES"),
        _text("113880", "Device Serial Number", SERIAL, rel="HAS PROPERTIES"),
        _uid("121012", "Device Observer UID", header.uid("device"), rel="HAS PROPERTIES"),
    ]
    operator = _item("PNAME", ("113870", "DCM", "Person Name"), "CONTAINS")
    operator.PersonName = "SIMULATED^OPERATOR"
    operator.ContentSequence = [
        _code(
            "113875",
            "Person Role in Procedure",
            ("113851", "DCM", "Irradiation Administering"),
            rel="HAS PROPERTIES",
        )
    ]
    return _container("113819", "CT Acquisition", [*items, operator, device])


def _dataset() -> Any:
    from pydicom.dataset import Dataset

    return Dataset()


def _item(value_type: str, concept: Concept, rel: str | None) -> Any:
    item = _dataset()
    if rel is not None:
        item.RelationshipType = rel
    item.ValueType = value_type
    item.ConceptNameCodeSequence = [code(*concept)]
    return item


def _container(number: str, meaning: str, children: Sequence[Any], rel: str | None = "CONTAINS") -> Any:
    item = _item("CONTAINER", (number, "DCM", meaning), rel)
    item.ContinuityOfContent = "SEPARATE"
    item.ContentSequence = list(children)
    return item


def _code(number: str | Concept, meaning: str, value: Concept, rel: str = "CONTAINS") -> Any:
    concept = (number, "DCM", meaning) if isinstance(number, str) else number
    item = _item("CODE", concept, rel)
    item.ConceptCodeSequence = [code(*value)]
    return item


def _text(number: str, meaning: str, value: str, rel: str = "CONTAINS") -> Any:
    item = _item("TEXT", (number, "DCM", meaning), rel)
    item.TextValue = value
    return item


def _uid(number: str, meaning: str, value: str, rel: str = "CONTAINS") -> Any:
    item = _item("UIDREF", (number, "DCM", meaning), rel)
    item.UID = value
    return item


def _time(number: str, meaning: str, header: StudyHeader, seconds: float) -> Any:
    item = _item("DATETIME", (number, "DCM", meaning), "HAS OBS CONTEXT")
    item.DateTime = header.at(seconds).strftime("%Y%m%d%H%M%S")
    return item


def _number(number: str, meaning: str, value: str, unit: str) -> Any:
    item = _item("NUM", (number, "DCM", meaning), "CONTAINS")
    measured = _dataset()
    measured.NumericValue = value
    measured.MeasurementUnitsCodeSequence = [code(unit, "UCUM", UNITS[unit])]
    item.MeasuredValueSequence = [measured]
    return item
