"""What the headers of CT slices say of technique, device and patient. Defines `facts_of`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from wholedose.base import Tagged
from wholedose.records.ct_frames import CtFrame

# fact: (attribute, unit); numbers that hold for the whole series
_NUMBERS = {
    "kv": ("KVP", "kV"),
    "rotation_time_s": ("RevolutionTime", "s"),
    "pitch": ("SpiralPitchFactor", "1"),
    "collimation_mm": ("TotalCollimationWidth", "mm"),
    "single_collimation_mm": ("SingleCollimationWidth", "mm"),
    "table_feed_mm": ("TableFeedPerRotation", "mm"),
    "table_speed_mm_s": ("TableSpeed", "mm/s"),
    "slice_thickness_mm": ("SliceThickness", "mm"),
    "data_collection_diameter_mm": ("DataCollectionDiameter", "mm"),
    "reconstruction_diameter_mm": ("ReconstructionDiameter", "mm"),
    "focus_to_detector_mm": ("DistanceSourceToDetector", "mm"),
    "focus_to_isocentre_mm": ("DistanceSourceToPatient", "mm"),
    "gantry_tilt_deg": ("GantryDetectorTilt", "deg"),
    "table_height_mm": ("TableHeight", "mm"),
    "generator_power_kw": ("GeneratorPower", "kW"),
    "estimated_dose_saving": ("EstimatedDoseSaving", "%"),
    "weight_kg": ("PatientWeight", "kg"),
}

# fact: (attribute, unit); one number for each slice
_PER_SLICE = {
    "tube_current_ma": ("XRayTubeCurrent", "mA"),
    "exposure_mas": ("Exposure", "mA.s"),
    "exposure_time_ms": ("ExposureTime", "ms"),
    "ctdivol_mgy": ("CTDIvol", "mGy"),
    "slice_location_mm": ("SliceLocation", "mm"),
}

# fact: attribute; a position in LPS mm, of the slice in the middle
_POSITIONS = {
    "data_collection_centre_mm": "DataCollectionCenterPatient",
    "reconstruction_centre_mm": "ReconstructionTargetCenterPatient",
}

_TEXTS = {
    "manufacturer": "Manufacturer",
    "model": "ManufacturerModelName",
    "station": "StationName",
    "serial": "DeviceSerialNumber",
    "software": "SoftwareVersions",
    "institution": "InstitutionName",
    "study_date": "StudyDate",
    "series_date": "SeriesDate",
    "acquisition_date": "AcquisitionDate",
    "acquisition_time": "AcquisitionTime",
    "protocol": "ProtocolName",
    "study_description": "StudyDescription",
    "series_description": "SeriesDescription",
    "series_number": "SeriesNumber",
    "body_part": "BodyPartExamined",
    "contrast_agent": "ContrastBolusAgent",
    "filter": "FilterType",
    "kernel": "ConvolutionKernel",
    "exposure_modulation": "ExposureModulationType",
    "rotation_direction": "RotationDirection",
    "acquisition_type": "AcquisitionType",
    "scan_options": "ScanOptions",
    "image_type": "ImageType",
    "patient_position": "PatientPosition",
    "patient_sex": "PatientSex",
    "patient_id": "PatientID",
    "irradiation_event_uid": "IrradiationEventUID",
}

_AGE_YEARS = {"Y": 1.0, "M": 1 / 12, "W": 7 / 365.25, "D": 1 / 365.25}
_PHANTOMS = {"113690": 16, "113691": 32}


def facts_of(frames: Sequence[CtFrame]) -> tuple[dict[str, Tagged[Any]], list[str]]:
    """Return what the slices' headers say.

    Parameters
    ----------
    frames : sequence of CtFrame
        In the order of the volume's z.

    Returns
    -------
    facts : dict of str to Tagged
        Only what is there; numbers in the unit that their key names. Per-slice facts are tuples.
    findings : list of str
        Values that vary where one is expected, or contradict each other.
    """
    facts: dict[str, Tagged[Any]] = {}
    findings: list[str] = []
    for name, (keyword, unit) in _NUMBERS.items():
        values = [frame.number(keyword) for frame in frames]
        present = [value for value in values if value is not None]
        if not present:
            continue
        value, count = Counter(present).most_common(1)[0]
        if max(present) - min(present) > 0.01 * abs(value):
            findings.append(
                f"{keyword} varies from {min(present):g} to {max(present):g} {unit}; "
                f"{value:g} of {count} slices is used."
            )
        facts[name] = Tagged(value, unit, "extracted", keyword)
    for name, (keyword, unit) in _PER_SLICE.items():
        values = [frame.number(keyword) for frame in frames]
        present = [value for value in values if value is not None]
        if len(present) == len(frames):
            facts[name] = Tagged(tuple(present), unit, "extracted", keyword, "per slice")
        elif present:
            findings.append(f"{keyword} is missing in {len(frames) - len(present)} of {len(frames)} slices.")
    for name, keyword in _POSITIONS.items():
        position = frames[len(frames) // 2].numbers(keyword)
        if position is not None and len(position) == 3:
            facts[name] = Tagged(position, "mm", "extracted", keyword, "the slice in the middle")
    for name, keyword in _TEXTS.items():
        words = Counter(word for frame in frames if (word := frame.text(keyword)))
        if words:
            facts[name] = Tagged(words.most_common(1)[0][0], "1", "extracted", keyword)
    _patient(frames[0], facts)
    _phantom(frames[0], facts)
    findings += _rotation(facts)
    return facts, findings


def _patient(frame: CtFrame, facts: dict[str, Tagged[Any]]) -> None:
    size = frame.number("PatientSize")
    if size is not None and size > 0:
        facts["height_cm"] = Tagged(round(100 * size, 3), "cm", "extracted", "PatientSize")
    if "weight_kg" in facts and facts["weight_kg"].value <= 0:
        del facts["weight_kg"]
    if "patient_sex" in facts and facts["patient_sex"].value not in ("F", "M"):
        del facts["patient_sex"]
    age = frame.text("PatientAge")
    if len(age) == 4 and age[:3].isdigit() and age[3] in _AGE_YEARS:
        facts["age_y"] = Tagged(int(age[:3]) * _AGE_YEARS[age[3]], "a", "extracted", "PatientAge")
        return
    birth, study = frame.text("PatientBirthDate"), frame.text("StudyDate") or frame.text("SeriesDate")
    if len(birth) == len(study) == 8 and birth.isdigit() and study.isdigit() and birth <= study:
        whole = int(study[:4]) - int(birth[:4]) - (study[4:] < birth[4:])
        facts["age_y"] = Tagged(float(whole), "a", "derived", "PatientBirthDate", "study date − birth date")


def _phantom(frame: CtFrame, facts: dict[str, Tagged[Any]]) -> None:
    codes = frame.get("CTDIPhantomTypeCodeSequence")
    try:
        code = str(codes[0].CodeValue).strip() if codes else ""
    except Exception:  # a broken code sequence counts as absent
        code = ""
    if code in _PHANTOMS:
        facts["phantom_cm"] = Tagged(
            _PHANTOMS[code], "cm", "extracted", f"{code}, DCM", "CTDIPhantomTypeCodeSequence"
        )


def _rotation(facts: dict[str, Tagged[Any]]) -> list[str]:
    """Add rotation time and effective mAs where Exposure, current, time and pitch agree on their meaning.

    Some vendors write in Exposure the effective mAs, mA·t/pitch, others mA·t; and in Exposure Time that of
    one rotation or of the scan. Exposure is an integer, and rounded down by some, hence the slack of 1 mAs.
    """
    if not {"tube_current_ma", "exposure_mas", "exposure_time_ms"} <= facts.keys():
        return []
    current = np.array(facts["tube_current_ma"].value)
    exposure = np.array(facts["exposure_mas"].value)
    seconds = np.array(facts["exposure_time_ms"].value) / 1000.0
    pitch = float(facts["pitch"].value) if "pitch" in facts and facts["pitch"].value > 0 else None
    rules = [("Exposure = mA·t/pitch", pitch)] if pitch is not None else []
    rules.append(("Exposure = mA·t", 1.0))
    for rule, divisor in rules:
        expected = current * seconds / (divisor or 1.0)
        if bool((np.abs(exposure - expected) <= 1.0 + 0.005 * expected).all()):
            facts.setdefault(
                "rotation_time_s",
                Tagged(float(np.median(seconds)), "s", "derived", "ExposureTime", f"one rotation, as {rule}"),
            )
            effective = current * seconds / (pitch or 1.0)
            facts["effective_mas"] = Tagged(
                tuple(float(round(value, 3)) for value in effective),
                "mA.s",
                "derived",
                "XRayTubeCurrent",
                "mA·t/pitch per slice",
            )
            return []
    return [
        "Exposure is neither mA·t nor mA·t/pitch in all slices, so the rotation time is not known "
        "(Exposure Time may be that of the whole scan)."
    ]
