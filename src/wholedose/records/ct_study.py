"""A CT examination from its images and dose report. Defines `read_ct_study`.

What the images say and what the report says are joined here, once: irradiation events give technique and
output, the series gives the picture, the slice positions and the tube current along the patient.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from wholedose.base import InvalidInput, Tagged, WholedoseError, digest_of
from wholedose.records.ct_series import CtSeries, read_ct_series
from wholedose.records.dicom_file import looks_like_dicom, read_header, text
from wholedose.records.dicom_pass import sop_class_of
from wholedose.records.dose_report import DoseReport, Exposure
from wholedose.records.merged_report import merge_reports
from wholedose.records.nifti import read_nifti
from wholedose.records.report_reader import read_dose_report
from wholedose.xray import CtRange, CtScan, TubeCurrent

DOSE_REPORTS = (
    "1.2.840.10008.5.1.4.1.1.88.67",  # X-Ray Radiation Dose SR
    "1.2.840.10008.5.1.4.1.1.88.22",  # Enhanced SR
    "1.2.840.10008.5.1.4.1.1.88.33",  # Comprehensive SR
)
MODES = {"spiral": "helical", "sequenced": "axial", "stationary": "stationary", "free": "axial"}


def read_ct_study(path: str | PathLike[str], *, series: str | None = None) -> CtScan:
    """Read a study folder (or a NIfTI volume) as a CT scan with its image and all that is known of the dose.

    Parameters
    ----------
    path : path
        A folder with one CT series and, where there is one, its radiation dose report; a single multi-frame
        CT; or a NIfTI volume in HU, whose technique must then be typed (`CtScan.with_typed`).
    series : str, optional
        Which series, where there are several: UID, number or description.

    Returns
    -------
    CtScan

    Raises
    ------
    InvalidInput
        Several patients or series, a broken series (see `read_ct_series`), or a report of another patient.
    """
    source = Path(path)
    if source.name.endswith((".nii", ".nii.gz")):
        image = read_nifti(source)
        found = tuple(image.meta["findings"])
        return CtScan((CtRange(),), image=image, inputs={source.name: digest_of(source)}, findings=found)
    images = read_ct_series(source, series=series)
    scan = scan_of_series(images)
    reports = dose_reports_in(source, images) if source.is_dir() else []
    if not reports:
        return scan
    return merge_report(scan, merge_reports(reports) if len(reports) > 1 else reports[0])


def dose_reports_in(folder: Path, images: CtSeries) -> list[DoseReport]:
    """Return the CT dose reports of the images' study that lie in a folder.

    Raises
    ------
    InvalidInput
        A report in the folder names another patient.
    """
    found = []
    for path in sorted(p for p in folder.rglob("*") if p.is_file() and not p.name.startswith(".")):
        if not looks_like_dicom(path):
            continue
        try:
            if sop_class_of(path) not in DOSE_REPORTS:
                continue
            header = read_header(path)
            report = read_dose_report(path)
        except WholedoseError:
            continue  # `wholedose read` says what is wrong with it; a scan does not fail on a stray file
        if report.kind != "ct":
            continue
        theirs, ours = text(header, "PatientID"), images.facts.get("patient_id")
        if ours is not None and theirs and theirs != ours.value:
            raise InvalidInput(
                f"The dose report is of patient {theirs!r}, the images of {ours.value!r}.",
                where=path.name,
                way_out="Give a folder with one patient.",
            )
        if report.study.uid and images.uids["study"] and report.study.uid != images.uids["study"]:
            continue
        found.append(report)
    return found


def scan_of_series(images: CtSeries) -> CtScan:
    """Return what the image headers alone tell of the scan."""
    facts = images.facts
    z = images.image.grid.axes_mm()[0]
    half = images.image.grid.spacing_mm[0] / 2
    item = CtRange(
        kv=facts.get("kv"),
        ctdivol_mgy=_mean_of(facts.get("ctdivol_mgy"), "mGy"),
        phantom_cm=facts.get("phantom_cm"),
        mode=_mode_of(facts),
        scan_z_mm=Tagged(
            (float(z[0] - half), float(z[-1] + half)),
            "mm",
            "extracted",
            "ImagePositionPatient",
            "image stack",
        ),
        collimation_mm=_positive(facts.get("collimation_mm")),
        pitch=_positive(facts.get("pitch")),
        feed_mm=_positive(facts.get("table_feed_mm")),
        current=_current_of(images),
        rotation_s=_positive(facts.get("rotation_time_s")),
        isocentre_mm=_isocentre(facts.get("data_collection_centre_mm")),
        source_isocentre_mm=_positive(facts.get("focus_to_isocentre_mm")),
        name=_text(facts, "protocol") or _text(facts, "series_description"),
        region=_text(facts, "body_part"),
        identifier=_text(facts, "irradiation_event_uid") or images.uids["series"],
    )
    person = {
        name: facts[key]
        for name, key in (
            ("sex", "patient_sex"),
            ("age_y", "age_y"),
            ("height_cm", "height_cm"),
            ("weight_kg", "weight_kg"),
        )
        if key in facts
    }
    return CtScan(
        (item,),
        image=images.image,
        person=person,
        manufacturer=_text(facts, "manufacturer"),
        model=_text(facts, "model"),
        device=_text(facts, "serial") or _text(facts, "station"),
        date=_iso(_text(facts, "study_date") or _text(facts, "acquisition_date")),
        description=_text(facts, "study_description") or _text(facts, "protocol"),
        inputs={"images": digest_of(*[digest_of(path) for path in images.paths])},
        # that a localizer or the dose report is no slice of the volume is for `wholedose read` to say
        findings=tuple(text for text in images.findings if not text.startswith("Set aside:")),
    )


def merge_report(scan: CtScan, report: DoseReport) -> CtScan:
    """Return the scan with the report's events: output, technique and ranges come from the report.

    The event that made the images (same irradiation event, or the only one, or the one whose length and tube
    voltage fit best) takes the slice positions and tube current of the series; other events keep their own
    positions where the report tells them, otherwise they are placed on the image with a finding.
    """
    events = [event for event in report.events if event.kind != "localiser"]
    findings = [*scan.findings, *(finding.what for finding in report.findings)]
    if not events:
        findings.append(
            "The dose report holds no acquisition besides localisers; the image headers are used."
        )
        return replace(scan, findings=tuple(findings))
    own = scan.ranges[0]
    mine = _event_of_images(events, own)
    ranges = []
    for event in events:
        found = _range_of(event)
        second = event.flat().get("kv_2")
        if second is not None and found.kv is not None and second.value != found.kv.value:
            findings.append(
                f"Two tube voltages, {found.kv.value:g} and {second.value:g} kV, in "
                f"{found.name or 'one event'}: the whole output is calculated with the first."
            )
        if event is mine:
            ranges.append(_joined(found, own))
        elif found.start_z_mm is None and found.scan_z_mm is None:
            ranges.append(replace(found, scan_z_mm=own.scan_z_mm))
            findings.append(
                f"The range of the event {found.name or found.identifier!r} is not in the report; "
                "it is placed on the image."
            )
        else:
            ranges.append(found)
    person = dict(scan.person)
    if "sex" not in person and report.patient.sex in ("F", "M"):
        person["sex"] = Tagged(report.patient.sex, "1", "extracted", "PatientSex", "dose report")
    for name in ("age_y", "height_cm", "weight_kg"):
        value = getattr(report.patient, name)
        if name not in person and value is not None:
            person[name] = value
    digests = {Path(path).name: digest_of(Path(path)) for path in report.paths if Path(path).is_file()}
    return replace(
        scan,
        ranges=tuple(ranges),
        person=person,
        inputs={**scan.inputs, **digests},
        findings=tuple(dict.fromkeys(findings)),
    )


def _event_of_images(events: Sequence[Exposure], own: CtRange) -> Exposure:
    for event in events:
        if event.uid and event.uid == own.identifier:
            return event
    length = abs(own.scan_z_mm.value[1] - own.scan_z_mm.value[0]) if own.scan_z_mm is not None else 0.0

    def misfit(event: Exposure) -> tuple[float, float]:
        kv = event.flat().get("kv")
        wrong_kv = 1.0 if kv is not None and own.kv is not None and abs(kv.value - own.kv.value) > 1 else 0.0
        theirs = event.number("scanning_length") or event.number("exposed_range") or 0.0
        return wrong_kv, abs(theirs - length)

    return min(events, key=misfit)


def _range_of(event: Exposure) -> CtRange:
    flat = event.flat()

    def number(name: str) -> Tagged[Any] | None:
        return _positive(flat.get(name))

    top, bottom = flat.get("scanning_top_z"), flat.get("scanning_bottom_z")
    if top is None or bottom is None:
        top, bottom = flat.get("reconstructable_top_z"), flat.get("reconstructable_bottom_z")
    extent = None
    if top is not None and bottom is not None and top.value != bottom.value:
        extent = Tagged((float(bottom.value), float(top.value)), "mm", "extracted", top.code, top.where)
    protocol, region = flat.get("protocol"), flat.get("target_region")
    mode = MODES.get(event.kind)
    return CtRange(
        kv=number("kv"),
        ctdivol_mgy=number("ctdivol"),
        phantom_cm=flat.get("phantom"),
        dlp_mgy_cm=number("dlp"),
        mode=Tagged(mode, "1", "extracted", "113820, DCM") if mode else None,
        scan_z_mm=extent,
        collimation_mm=number("nominal_total_collimation"),
        pitch=number("pitch"),
        rotation_s=number("rotation_time"),
        name=str(protocol.value) if protocol else "",
        region=str(region.value) if region else "",
        identifier=event.uid,
    )


def _joined(event: CtRange, own: CtRange) -> CtRange:
    """Return an event's range completed by the images; positions are those of the images."""
    filled = {
        name: getattr(event, name) if getattr(event, name) is not None else getattr(own, name)
        for name in (
            "kv",
            "ctdivol_mgy",
            "phantom_cm",
            "mode",
            "collimation_mm",
            "pitch",
            "feed_mm",
            "rotation_s",
        )
    }
    return replace(
        event,
        **filled,
        scan_z_mm=own.scan_z_mm,
        current=own.current,
        isocentre_mm=own.isocentre_mm,
        source_isocentre_mm=own.source_isocentre_mm,
        name=event.name or own.name,
        region=event.region or own.region,
    )


def _current_of(images: CtSeries) -> TubeCurrent | None:
    current = images.facts.get("tube_current_ma")
    z = images.facts.get("z_mm")
    if current is None or z is None or max(current.value) <= 0 or len(current.value) != len(z.value):
        return None
    return TubeCurrent(
        np.asarray(z.value), np.asarray(current.value), current.tag, "XRayTubeCurrent per slice"
    )


def _isocentre(item: Tagged[Any] | None) -> Tagged[tuple[float, float]] | None:
    """Return x and y of the centre of data collection, which is the rotation axis."""
    if item is None or len(item.value) < 2:
        return None
    return Tagged((float(item.value[0]), float(item.value[1])), "mm", item.tag, item.code, item.where)


def _mode_of(facts: Any) -> Tagged[str] | None:
    for key in ("acquisition_type", "scan_options"):
        word = _text(facts, key).upper()
        for sign, mode in (
            ("SPIRAL", "helical"),
            ("HELICAL", "helical"),
            ("HELIX", "helical"),
            ("SEQUENCED", "axial"),
            ("AXIAL", "axial"),
            ("STATIONARY", "stationary"),
        ):
            if sign in word:
                return Tagged(mode, "1", "extracted", facts[key].code)
    return (
        Tagged("helical", "1", "derived", "SpiralPitchFactor", "a pitch factor is given")
        if "pitch" in facts
        else None
    )


def _mean_of(item: Tagged[Any] | None, unit: str) -> Tagged[float] | None:
    if item is None:
        return None
    values = np.asarray(item.value, dtype=np.float64)
    if not np.isfinite(values).all() or values.mean() <= 0:
        return None
    same = bool(np.ptp(values) <= 1e-6 * values.max())
    return Tagged(
        float(values.mean()), unit, item.tag if same else "derived", item.code, "mean over the slices"
    )


def _positive(item: Tagged[Any] | None) -> Tagged[Any] | None:
    return item if item is not None and isinstance(item.value, int | float) and item.value > 0 else None


def _text(facts: Any, name: str) -> str:
    return str(facts[name].value) if name in facts else ""


def _iso(date: str) -> str:
    return f"{date[:4]}-{date[4:6]}-{date[6:8]}" if len(date) == 8 and date.isdigit() else ""
