"""Files and rows in, our types out: dose reports, CT series, label maps."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from wholedose.base import Finding

if TYPE_CHECKING:
    from wholedose.records.ct_series import CtSeries, read_ct_series
    from wholedose.records.ct_study import read_ct_study
    from wholedose.records.description import describe, describe_text
    from wholedose.records.dose_report import Device, DoseReport, Exposure, Patient, Study
    from wholedose.records.labels import read_labels
    from wholedose.records.merged_report import merge_reports
    from wholedose.records.reader import read
    from wholedose.records.report_reader import read_dose_report
    from wholedose.records.sr import Code, ContentItem, StructuredReport, read_structured_report

_HOME = {
    "Code": "sr",
    "ContentItem": "sr",
    "CtSeries": "ct_series",
    "Device": "dose_report",
    "DoseReport": "dose_report",
    "Exposure": "dose_report",
    "Patient": "dose_report",
    "StructuredReport": "sr",
    "Study": "dose_report",
    "describe": "description",
    "describe_text": "description",
    "merge_reports": "merged_report",
    "read": "reader",
    "read_ct_series": "ct_series",
    "read_ct_study": "ct_study",
    "read_dose_report": "report_reader",
    "read_labels": "labels",
    "read_structured_report": "sr",
}

__all__ = [
    "Code",
    "ContentItem",
    "CtSeries",
    "Device",
    "DoseReport",
    "Exposure",
    "Finding",
    "Patient",
    "StructuredReport",
    "Study",
    "describe",
    "describe_text",
    "merge_reports",
    "read",
    "read_ct_series",
    "read_ct_study",
    "read_dose_report",
    "read_labels",
    "read_structured_report",
]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
