"""Patient, device and study in the header of any DICOM file. Defines the functions that read them."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

from wholedose.base import Tagged
from wholedose.records.dose_report import Device, Patient, Study
from wholedose.records.findings import Findings

Get = Callable[[int], str]  # text of an element by its tag, empty when absent

OLDEST_Y = 130
_AGE = re.compile(r"^\s*(\d{1,3})\s*([DWMY])\s*$", re.IGNORECASE)
_YEARS = {"D": 1 / 365.25, "W": 7 / 365.25, "M": 1 / 12, "Y": 1.0}


def read_patient(get: Get, findings: Findings) -> Patient:
    """Read sex, age, height and weight; impossible ones are left out with a finding."""
    sex = get(0x00100040).strip().upper()
    return Patient(
        sex=sex if sex in ("F", "M", "O") else None,
        age_y=_age(get, findings),
        height_cm=_measure(get, 0x00101020, "PatientSize", 100.0, "cm", 20, 260, findings),
        weight_kg=_measure(get, 0x00101030, "PatientWeight", 1.0, "kg", 0.2, 500, findings),
    )


def _age(get: Get, findings: Findings) -> Tagged[float] | None:
    text = get(0x00101010).strip()
    match = _AGE.match(text)
    years = int(match[1]) * _YEARS[match[2].upper()] if match else math.nan
    if 0 <= years <= OLDEST_Y:
        return Tagged(years, "a", "extracted", "PatientAge")
    if text:
        findings.add(
            f"The patient's age {text[:20]!r} is impossible or can't be read; left out.", severity="info"
        )
    born, examined = parse_date(get(0x00100030)), parse_date(get(0x00080020))
    if born and examined and 0 <= (examined - born).days <= OLDEST_Y * 366:
        years = (examined - born).days / 365.25
        return Tagged(round(years, 2), "a", "derived", "PatientBirthDate, StudyDate")
    return None


def _measure(
    get: Get, tag: int, keyword: str, factor: float, unit: str, low: float, high: float, findings: Findings
) -> Tagged[float] | None:
    text = get(tag).strip()
    if not text:
        return None
    try:
        value = float(text) * factor
    except ValueError:
        value = math.nan
    if not low <= value <= high:
        if value != 0:
            findings.add(f"{keyword} {text[:20]!r} is impossible and left out.", severity="warning")
        return None
    return Tagged(value, unit, "extracted", keyword)


def read_device(get: Get) -> Device:
    """Read manufacturer, model, serial number and software."""
    return Device(
        get(0x00080070).strip(),
        get(0x00081090).strip(),
        get(0x00181000).strip(),
        "",
        get(0x00181020).strip()[:80],
    )


def read_study(get: Get) -> Study:
    """Read the identifiers, the date and the description of the study."""
    return Study(
        get(0x0020000D).strip(),
        get(0x0020000E).strip(),
        get(0x00080018).strip(),
        (get(0x00080020) or get(0x00080022) or get(0x00080023)).strip(),
        get(0x00081030).strip(),
    )


def parse_date(text: str) -> date | None:
    """Return a DICOM date (``YYYYMMDD``), None when it isn't one."""
    try:
        return datetime.strptime(text.strip()[:8], "%Y%m%d").date()
    except ValueError:
        return None


def parse_datetime(text: Any) -> datetime | None:
    """Return a DICOM date and time, None when it isn't one. The offset from UTC is left out."""
    digits = re.match(r"^(\d{14})(\.\d{1,6})?", str(text).strip())
    if not digits:
        return None
    try:
        moment = datetime.strptime(digits[1], "%Y%m%d%H%M%S")
    except ValueError:
        return None
    return moment.replace(microsecond=int(float(digits[2] or 0) * 1e6))
