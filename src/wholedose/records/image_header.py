"""What the header of one image says about its exposure. Defines `ImageFacts` and `read_image_header`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wholedose.base import Finding, Tagged
from wholedose.records import concepts
from wholedose.records.dicom_file import element_value, numbers, quiet, read_header, text
from wholedose.records.dose_report import Device, Exposure, Patient, Study
from wholedose.records.findings import Findings
from wholedose.records.header import read_device, read_patient, read_study
from wholedose.records.laterality import laterality
from wholedose.records.units import DIMENSIONS, UnknownUnit, convert

SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
PLANS = frozenset(f"1.2.840.10008.5.1.4.1.1.481.{number}" for number in ("5", "8"))  # RT Plan, RT Ion Plan
_X_RAY = frozenset(("CT", "CR", "DX", "MG", "RF", "XA", "PX", "IO", "DR", "RG", "PT", "RTIMAGE"))


@dataclass(frozen=True)
class ImageFacts:
    """Header facts of one DICOM object that is not a report.

    Attributes
    ----------
    modality, sop_class : str
    kind : {"image", "plan", "other"}
    exposures : tuple of Exposure
        One where the header holds the technique of one exposure, none otherwise.
    totals : dict of str to Tagged
        DAP and mean glandular dose of this image.
    z_mm : float or None
        Position of the slice along the patient.
    """

    modality: str
    sop_class: str
    kind: str
    exposures: tuple[Exposure, ...]
    totals: dict[str, Tagged[Any]]
    patient: Patient
    device: Device
    study: Study
    findings: tuple[Finding, ...]
    z_mm: float | None = None
    shape: tuple[int, int] | None = None


@quiet()
def read_image_header(path: Path) -> ImageFacts:
    """Read the header of an image, plan or other DICOM object; the pixels stay on disk.

    Raises
    ------
    InvalidInput
        When the file is empty, too large or broken.
    """
    header = _Header(read_header(path))
    findings = Findings()

    def get(tag: int) -> str:
        from pydicom.datadict import keyword_for_tag

        return header.text(keyword_for_tag(tag))

    modality = header.text("Modality").upper() or "OT"
    sop_class = header.text("SOPClassUID")
    rows, columns = header.numbers("Rows"), header.numbers("Columns")
    kind = "plan" if sop_class in PLANS or modality == "RTPLAN" else "other"
    exposures: tuple[Exposure, ...] = ()
    totals: dict[str, Tagged[Any]] = {}
    if rows and columns and kind == "other" and modality not in ("SEG", "RTDOSE"):
        kind = "image"
        if sop_class.startswith(SECONDARY_CAPTURE) and not header.text("ImageType").startswith("ORIGINAL"):
            _secondary_capture(header, findings)
        elif modality in _X_RAY:
            exposure = _exposure(header, modality, findings)
            if exposure is not None:
                exposures = (exposure,)
                totals = _totals(exposure)
                if header.frames > 1 and len(header.parts) > 1:
                    findings.add(
                        f"An enhanced image of {header.frames} frames; values are those of the first.",
                        severity="info",
                    )
            elif modality not in ("PT", "RTIMAGE"):
                findings.add("The header holds no exposure.", severity="info")
        else:
            findings.add(f"Modality {modality} is named and left for later.", severity="info")
    position = header.numbers("ImagePositionPatient")
    return ImageFacts(
        modality,
        sop_class,
        kind,
        exposures,
        totals,
        read_patient(get, findings),
        read_device(get),
        read_study(get),
        findings.result(),
        position[2] if position and len(position) == 3 else None,
        (int(rows[0]), int(columns[0])) if rows and columns else None,
    )


class _Header:
    """A header whose attributes may also stand in the functional groups of an enhanced image.

    Shared groups come first, then those of the first frame.
    """

    def __init__(self, header: Any) -> None:
        self.parts: list[Any] = [header]
        for keyword in ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"):
            groups = element_value(header, keyword)
            if groups is None:
                continue
            for tag in list(groups[0].keys()):
                try:
                    element = groups[0][tag]
                    if element.VR == "SQ" and len(element.value):
                        self.parts.append(element.value[0])
                except Exception:  # an element that cannot be decoded counts as absent
                    continue
        frames = numbers(header, "NumberOfFrames")
        self.frames = int(frames[0]) if frames else 1

    def value(self, keyword: str) -> Any:
        """Return an attribute's value, None when it is absent, empty or not decodable."""
        for part in self.parts:
            found = element_value(part, keyword)
            if found is not None:
                return found
        return None

    def numbers(self, keyword: str) -> tuple[float, ...] | None:
        """Return an attribute as finite floats, or None."""
        return next((found for part in self.parts if (found := numbers(part, keyword))), None)

    def text(self, keyword: str) -> str:
        """Return an attribute as text; one that pydicom refuses as it is written in the file."""
        for part in self.parts:
            found = text(part, keyword)
            if found:
                return found
            try:
                raw = getattr(part.get_item(keyword), "value", None) if keyword in part else None
            except Exception:  # a value representation that is none
                raw = None
            if isinstance(raw, bytes):
                return raw.decode("latin-1").strip("\0 ")[:200]
        return ""


def _secondary_capture(header: _Header, findings: Findings) -> None:
    findings.add(
        "A secondary capture: a picture of a screen or page. Doses drawn in it are not read.",
        severity="warning",
    )
    listed = header.value("ExposureDoseSequence")
    if listed is not None:
        findings.add(
            f"Its header lists {len(listed)} exposures (retired Exposure Dose Sequence), which are not read.",
            severity="info",
        )


def _quantity(
    header: _Header, keyword: str, name: str, dimension: str, unit: str, findings: Findings
) -> Tagged[Any] | None:
    written = header.text(keyword)
    if not written:
        return None
    try:
        value = convert(written, unit, dimension)
    except (UnknownUnit, ValueError) as error:
        findings.add(f"{keyword}: {error}; left out.", severity="error")
        return None
    low, high = concepts.LIMITS.get(name, (-1e300, 1e300))
    if not low <= value <= high:
        findings.add(
            f"{keyword}: {value:.6g} {DIMENSIONS[dimension].unit} is impossible; left out.", severity="error"
        )
        return None
    return Tagged(value, DIMENSIONS[dimension].unit, "extracted", keyword, f"{written} {unit}")


def _exposure(header: _Header, modality: str, findings: Findings) -> Exposure | None:
    quantities: dict[str, Tagged[Any]] = {}
    for keyword, name, dimension, unit in concepts.ATTRIBUTES:
        if name in quantities or (name == "mean_glandular_dose" and modality != "MG"):
            continue
        value = _quantity(header, keyword, name, dimension, unit, findings)
        # integer attributes hold 0 where the true value is below their resolution or unknown
        if value is not None and not (
            value.value == 0 and keyword in ("EntranceDose", "Exposure", "OrganDose")
        ):
            quantities[name] = value
    if modality != "MG":
        for name in ("compression_thickness", "compression_force"):
            quantities.pop(name, None)
    if "kv" not in quantities and not {"tube_current", "exposure", "ctdivol", "dap"} & set(quantities):
        return None
    for keyword, name in concepts.ATTRIBUTE_TEXTS.items():
        written = header.text(keyword)
        if written and name not in quantities:
            quantities[name] = Tagged(written[:200], "1", "extracted", keyword)
    phantom = header.value("CTDIPhantomTypeCodeSequence")
    code = str(phantom[0].get("CodeValue", "")) if phantom else ""
    if code in concepts.PHANTOM_CM:
        quantities["phantom"] = Tagged(
            concepts.PHANTOM_CM[code], "cm", "extracted", "CTDIPhantomTypeCodeSequence"
        )
    return Exposure(_kind(quantities, modality), quantities, (), _filters(header, findings))


def _kind(quantities: dict[str, Tagged[Any]], modality: str) -> str:
    if modality != "CT":
        return "acquisition"
    found = quantities.get("acquisition_type")
    known = {
        "SPIRAL": "spiral", "SEQUENCED": "sequenced", "CONSTANT_ANGLE": "localiser",
        "STATIONARY": "stationary", "FREE": "free",
    }  # fmt: skip
    return known.get(str(found.value).upper(), "unknown") if found else "unknown"


def _filters(header: _Header, findings: Findings) -> tuple[dict[str, Tagged[Any]], ...]:
    """Return the added filters; some vendors separate several by commas instead of backslashes."""
    materials = [part.strip() for part in header.text("FilterMaterial").replace(",", "\\").split("\\")]
    columns: dict[str, list[str]] = {}
    for name, keyword in (("min", "FilterThicknessMinimum"), ("max", "FilterThicknessMaximum")):
        written = header.text(keyword)
        columns[name] = [part.strip() for part in written.replace(",", "\\").split("\\")] if written else []
    filters: list[dict[str, Tagged[Any]]] = []
    for index, material in enumerate(materials):
        if not material or material == "NONE":
            continue
        one: dict[str, Tagged[Any]] = {
            "filter_material": Tagged(material, "1", "extracted", "FilterMaterial")
        }
        for name, written_values in columns.items():
            if index >= len(written_values):
                continue
            keyword = f"FilterThickness{name.capitalize()}imum"
            try:
                value = convert(written_values[index], "mm", "length")
            except ValueError as error:
                findings.add(f"{keyword}: {error}; left out.", severity="error")
                continue
            one[f"filter_thickness_{name}"] = Tagged(value, "mm", "extracted", keyword)
        filters.append(one)
    return tuple(filters)


def _totals(exposure: Exposure) -> dict[str, Tagged[Any]]:
    totals: dict[str, Tagged[Any]] = {}
    if "dap" in exposure.quantities:
        totals["dap"] = exposure.quantities["dap"]
    if "mean_glandular_dose" in exposure.quantities:
        side = exposure.quantities.get("laterality")
        name = laterality(str(side.value) if side else None)
        totals[f"mean_glandular_dose_{name}"] = exposure.quantities["mean_glandular_dose"]
    return totals
