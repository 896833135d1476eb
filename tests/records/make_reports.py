"""Small dose reports composed in code: CT, projection and mammography, with the habits of several vendors.

Nothing here comes from a real patient or a vendor's file; the structure is that of TID 10001 to 10015.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeAlias

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

SYNTAXES = {
    "implicit": ImplicitVRLittleEndian,
    "explicit": ExplicitVRLittleEndian,
    "deflated": DeflatedExplicitVRLittleEndian,
    "big": ExplicitVRBigEndian,
}
ROOT = "1.2.826.0.1.3680043.10.1511"
RDSR, ENHANCED_SR = "1.2.840.10008.5.1.4.1.1.88.67", "1.2.840.10008.5.1.4.1.1.88.22"
Item: TypeAlias = Any  # a content item; pydicom has no types


def code(value: str, scheme: str = "DCM", meaning: str = "meaning") -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
    return item


def _content(kind: str, name: Dataset, relationship: str, children: tuple[Item, ...]) -> Item:
    item = Dataset()
    item.RelationshipType, item.ValueType = relationship, kind
    item.ConceptNameCodeSequence = Sequence([name])
    if children:
        item.ContentSequence = Sequence(list(children))
    return item


def container(name: str, *children: Item, meaning: str = "container") -> Item:
    item = _content("CONTAINER", code(name, meaning=meaning), "CONTAINS", children)
    item.ContinuityOfContent = "SEPARATE"
    return item


def num(
    name: str, value: str | None, unit: str | None, *children: Item, scheme: str = "DCM", units: str = "UCUM"
) -> Item:
    item = _content("NUM", code(name, scheme, f"number {name}"), "CONTAINS", children)
    measured = []
    if value is not None:
        one = Dataset()
        if unit is not None:
            one.MeasurementUnitsCodeSequence = Sequence([code(unit, units, unit)])
        one.add_new(0x0040A30A, "DS", value.split("\\") if "\\" in value else value)
        measured.append(one)
    item.MeasuredValueSequence = Sequence(measured)
    return item


def coded(
    name: str,
    value: Dataset | None,
    *children: Item,
    scheme: str = "DCM",
    relationship: str = "CONTAINS",
) -> Item:
    item = _content("CODE", code(name, scheme, f"code {name}"), relationship, children)
    item.ConceptCodeSequence = Sequence([value] if value is not None else [])
    return item


def text(name: str, value: str, *children: Item) -> Item:
    item = _content("TEXT", code(name, meaning=f"text {name}"), "CONTAINS", children)
    item.TextValue = value
    return item


def uid(name: str, value: str) -> Item:
    item = _content("UIDREF", code(name), "CONTAINS", ())
    item.UID = value
    return item


def moment(name: str, value: str) -> Item:
    item = _content("DATETIME", code(name), "HAS OBS CONTEXT", ())
    item.DateTime = value
    return item


def report(*content: Item, title: str = "113701", procedure: Dataset | None = None, **header: Any) -> Dataset:
    """Return a structured report; `header` sets attributes by keyword."""
    data = Dataset()
    data.SpecificCharacterSet = "ISO_IR 100"
    data.SOPClassUID = RDSR
    data.SOPInstanceUID = f"{ROOT}.9.1"
    data.StudyDate, data.StudyTime, data.Modality = "20240229", "101500", "SR"
    data.Manufacturer, data.ManufacturerModelName = "ACME", "Ray 1"
    data.PatientName, data.PatientID = "Test^Report", "0815"
    data.PatientSex, data.PatientAge = "F", "034Y"
    data.PatientSize, data.PatientWeight = "1.68", "61"
    data.DeviceSerialNumber = "42"
    data.StudyInstanceUID, data.SeriesInstanceUID = f"{ROOT}.1", f"{ROOT}.2"
    data.ValueType, data.ContinuityOfContent = "CONTAINER", "SEPARATE"
    data.ConceptNameCodeSequence = Sequence([code(title, meaning="X-Ray Radiation Dose Report")])
    template = Dataset()
    template.MappingResource = "DCMR"
    template.TemplateIdentifier = "10011" if any(_is(item, "113819") for item in content) else "10001"
    data.ContentTemplateSequence = Sequence([template])
    procedure = procedure or code("113704", meaning="Projection X-Ray")
    first = coded("121058", procedure, relationship="HAS CONCEPT MOD")
    data.ContentSequence = Sequence([first, *content])
    for keyword, value in header.items():
        if value is None:
            del data[keyword]
        else:
            setattr(data, keyword, value)
    return data


def _is(item: Item, name: str) -> bool:
    return bool(item.ConceptNameCodeSequence[0].CodeValue == name)


def save(data: Dataset, path: Path, syntax: str = "explicit", *, undefined: bool = False) -> Path:
    """Write a report; with `undefined`, sequences and items have delimiters instead of lengths."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = data.SOPClassUID
    meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID
    meta.TransferSyntaxUID = SYNTAXES[syntax]
    data.file_meta = meta
    if undefined:
        _set_undefined(data)
    data.save_as(
        path, implicit_vr=syntax == "implicit", little_endian=syntax != "big", enforce_file_format=True
    )
    return path


def _set_undefined(data: Dataset) -> None:
    for element in data:
        if element.VR == "SQ":
            element.is_undefined_length = True
            for item in element.value:
                item.is_undefined_length_sequence_item = True
                _set_undefined(item)


# -- CT


def ct_event(
    number: int,
    kind: str = "P5-08001",
    *,
    ctdivol: str | None = "8.13",
    dlp: str | None = "69.81",
    dlp_unit: str = "mGy.cm",
    phantom: str | None = "113691",
    length: str = "92",
    time: tuple[str, str] = ("3.33", "s"),
    pitch: str | None = "0.9",
    sources: tuple[tuple[str, str, str], ...] = (("A", "120", "72"),),
    uid_of: str | None = None,
    extra: tuple[Item, ...] = (),
) -> Item:
    """Return a CT acquisition; `sources` are name, kV and mA."""
    parameters = [
        num("113824", *time),
        num("113825", length, "mm"),
        num("113826", "0.6", "mm"),
        num("113827", "38.4", "mm"),
        num("113823", str(len(sources)), "{X-Ray sources}"),
    ]
    if pitch is not None:
        parameters.append(num("113828", pitch, "{ratio}"))
    parameters += [
        container(
            "113831",
            text("113832", name),
            num("113733", kv, "kV"),
            num("113833", str(2 * float(ma)), "mA"),
            num("113734", ma, "mA"),
            num("113834", "0.5", "s"),
        )
        for name, kv, ma in sources
    ]
    children = [
        text("125203", "Thorax"),
        coded("123014", code("T-D3000", "SRT", "Chest")),
        coded("113820", code(kind, "DCM" if kind.startswith("1138") else "SRT", "Type")),
        uid("113769", uid_of or f"{ROOT}.5.{number}"),
        container("113822", *parameters),
    ]
    if ctdivol is not None or dlp is not None:
        dose = []
        if ctdivol is not None:
            dose.append(num("113830", ctdivol, "mGy"))
        if phantom is not None:
            dose.append(coded("113835", code(phantom, meaning="IEC Phantom")))
        if dlp is not None:
            dose.append(num("113838", dlp, dlp_unit))
        children.append(container("113829", *dose))
    return container("113819", *children, *extra)


def ct_report(
    *events: Item, total: str | None, count: int | None = None, unit: str = "mGy.cm", **header: Any
) -> Dataset:
    accumulated = [num("113812", str(len(events) if count is None else count), "{events}")]
    if total is not None:
        accumulated.append(num("113813", total, unit))
    return report(
        moment("113809", "20240229101500.000"),
        moment("113810", "20240229101700.000"),
        container("113811", *accumulated),
        *events,
        procedure=code("P5-08000", "SRT", "Computed Tomography X-Ray"),
        **header,
    )


def chest_ct(**header: Any) -> Dataset:
    """Return a report with a localiser and two spirals, totals in agreement."""
    return ct_report(
        ct_event(1, "113805", ctdivol="0.15", dlp="7.46", length="514", pitch=None),
        ct_event(2),
        ct_event(3, ctdivol="7.02", dlp="158.82", length="238"),
        total="236.09",
        **header,
    )


# -- projection


def projection_event(
    number: int,
    kind: tuple[str, str] = ("P5-06000", "SRT"),
    *,
    dap: str | None = "0.00002",
    dap_unit: str = "Gy.m2",
    kerma: str | None = "0.0010",
    kv: str | None = "73.2",
    plane: str = "113620",
    point: Item | None = None,
    units: str = "UCUM",
    extra: tuple[Item, ...] = (),
    started: str = "",
) -> Item:
    """Return an irradiation event whose DAP / kerma is the collimated area at the reference point."""
    children = [
        coded("113764", code(plane, meaning=f"Plane {plane}"), relationship="HAS CONCEPT MOD"),
        uid("113769", f"{ROOT}.6.{number}"),
        moment("111526", started or f"202402291015{number % 60:02d}.5"),
        coded("113721", code(*kind, "Event")),
        point if point is not None else coded("113780", code("113860", meaning="15cm from Isocenter")),
        num("112011", "-30.5", "deg"),
        num("112012", "12", "deg"),
        num("113748", "785", "mm"),
        num("113750", "1100", "mm"),
        # (635/1100)² · 0.06002 m² = 0.02 m² = DAP / kerma
        num("113790", "0.0600161", "m2"),
        num("113734", "12.5", "mA"),
        num("113736", "4500", "uA.s", units=units),
        num("113793", "6", "ms"),
        num("113768", "75", "1"),
        num("113791", "7.5", "{pulse}/s"),
        container(
            "113771",
            coded("113772", code("113650", meaning="Strip filter")),
            coded("113757", code("C-127F9", "SRT", "Copper or Copper compound")),
            num("113758", "0.3", "mm"),
            num("113773", "0.3", "mm"),
        ),
    ]
    if dap is not None:
        children.append(num("122130", dap, dap_unit))
    if kerma is not None:
        children.append(num("113738", kerma, "Gy"))
    if kv is not None:
        children.append(num("113733", kv, "kV"))
    return container("113706", *children, *extra)


def plane_totals(plane: str, dap: str, kerma: str, unit: str = "Gy.m2") -> Item:
    return container(
        "113702",
        coded("113764", code(plane, meaning=f"Plane {plane}"), relationship="HAS CONCEPT MOD"),
        num("113722", dap, unit),
        num("113725", kerma, "Gy"),
        num("113730", "11.2", "s"),
    )


def biplane(**header: Any) -> Dataset:
    """Return a fluoroscopy of three events in two planes, totals in agreement."""
    return report(
        plane_totals("113620", "0.00004", "0.0020"),
        plane_totals("113621", "0.00002", "0.0010"),
        projection_event(1),
        projection_event(2),
        projection_event(3, ("113611", "DCM"), plane="113621"),
        **header,
    )


def mammography(**header: Any) -> Dataset:
    """Return a two-view mammography, left and right."""

    def event(number: int, side: tuple[str, str], dose: str) -> Item:
        return container(
            "113706",
            uid("113769", f"{ROOT}.7.{number}"),
            coded("113721", code("113611", meaning="Stationary Acquisition")),
            coded(
                "T-D0005",
                code("T-04000", "SRT", "Breast"),
                coded("G-C171", code(side[0], "SRT", side[1]), scheme="SRT", relationship="HAS CONCEPT MOD"),
                scheme="SRT",
            ),
            num("111631", dose, "mGy"),
            num("111636", "3.65", "mGy"),
            coded("113780", code("113865", meaning="Entrance exposure to a 4.2 cm breast thickness")),
            num("111633", "43.00", "mm"),
            num("111634", "0.535", "mm"),
            num("113733", "28.00", "kV"),
            num("113736", "90200.00", "uAs"),
            coded("111632", code("C-164F9", "SRT", "Tungsten or Tungsten compound")),
        )

    def total(side: tuple[str, str], dose: str) -> Item:
        modifier = coded(
            "G-C171", code(side[0], "SRT", side[1]), scheme="SRT", relationship="HAS CONCEPT MOD"
        )
        return num("111637", dose, "mGy", modifier)

    return report(
        container(
            "113702", total(("T-04030", "Left breast"), "1.30"), total(("T-04020", "Right breast"), "1.28")
        ),
        event(1, ("G-A101", "Left"), "1.30"),
        event(2, ("G-A100", "Right"), "1.28"),
        procedure=code("P5-40010", "SRT", "Mammography"),
        **header,
    )
