"""One call for any input. Defines `read`."""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from wholedose.base import InvalidInput

if TYPE_CHECKING:
    from wholedose.records.dose_report import DoseReport
    from wholedose.xray import CtScan


def read(path: str | PathLike[str], *, series: str | None = None) -> CtScan | DoseReport:
    """Read a study folder, an image volume or a dose report as the type that the other rooms take.

    Parameters
    ----------
    path : path
        A folder with a CT series (and its dose report), a NIfTI volume or multi-frame CT: a `CtScan`. A dose
        report file, or a folder of dose reports without images: a `DoseReport`.
    series : str, optional
        Which CT series, where there are several.

    Raises
    ------
    InvalidInput
        Nothing is recognised, or the folder mixes patients or series; the sentence says what to do.
    """
    from wholedose.records.ct_study import DOSE_REPORTS, read_ct_study
    from wholedose.records.dicom_file import looks_like_dicom
    from wholedose.records.dicom_pass import sop_class_of
    from wholedose.records.merged_report import merge_reports
    from wholedose.records.report_reader import read_dose_report

    source = Path(path)
    if not source.exists():
        raise InvalidInput("There is no such file or folder.", where=str(source), way_out="Check the path.")
    files = sorted(p for p in source.rglob("*") if p.is_file()) if source.is_dir() else [source]
    dicom = [file for file in files if looks_like_dicom(file)]
    if dicom and all(sop_class_of(file) in DOSE_REPORTS for file in dicom):  # ends at the first image
        reports = [read_dose_report(file) for file in dicom]
        return merge_reports(reports) if len(reports) > 1 else reports[0]
    return read_ct_study(source, series=series)
