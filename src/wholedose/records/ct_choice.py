"""Which files of a folder form the CT series that is meant. Defines `SeriesFiles` and `choose`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from wholedose.base import InvalidInput, UnknownName
from wholedose.records.ct_frames import CT_IMAGE, MULTI_FRAME, CtFrame, frames_of, sop_class
from wholedose.records.dicom_file import check_size, looks_like_dicom, read_header, text

MAX_FILES = 20_000
"""More files than this in a folder are refused: point at the study, not at the archive."""


@dataclass(eq=False)
class SeriesFiles:
    """The slices of one series.

    Attributes
    ----------
    uid, number, description : str
    frames : list of CtFrame
    findings : list of str
    """

    uid: str
    number: str
    description: str
    frames: list[CtFrame] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)

    @property
    def label(self) -> str:
        """Number, description, count of slices and UID in one line."""
        name = " ".join(part for part in (self.number, self.description) if part) or "(unnamed)"
        return f"series {name}, {len(self.frames)} slices" + (f", {self.uid}" if self.uid else "")

    @property
    def original(self) -> bool:
        """Whether the scanner's own reconstruction, not derived from other images."""
        return not self.frames[0].text("ImageType").upper().startswith("DERIVED")

    @property
    def axial(self) -> bool:
        """Whether the slice normal is nearer to the patient's long axis than to the others."""
        row, column = self.frames[0].orientation
        return int(np.abs(np.cross(row, column)).argmax()) == 2


def choose(source: str | PathLike[str] | Iterable[str | PathLike[str]], series: str | None) -> SeriesFiles:
    """Return the one CT volume among files, or the one that ``series`` names.

    Parameters
    ----------
    source : path or iterable of paths
        A folder, searched with its subfolders, or files.
    series : str or None
        UID, number or description.

    Raises
    ------
    InvalidInput
        No CT volume, several patients, or several series and no choice; the message lists them.
    UnknownName
        ``series`` is none of those present.
    """
    paths, where, explicit = _paths(source)
    groups: dict[tuple[str, ...], SeriesFiles] = {}
    aside: Counter[str] = Counter()
    headers: list[tuple[Path, Any]] = []
    broken: list[InvalidInput] = []
    for path in paths:
        if not explicit and not looks_like_dicom(path):
            if path.suffix.lower() in (".dcm", ".ima"):
                check_size(path)
                broken.append(InvalidInput("The file is not DICOM.", where=str(path)))
            aside["not DICOM"] += 1
            continue
        try:
            headers.append((path, read_header(path)))
        except InvalidInput as error:
            if explicit:
                raise
            broken.append(error)
    _one_patient(headers, where)
    for path, header in headers:
        kind = _set_aside(header)
        if kind:
            aside[kind] += 1
            continue
        files = groups.setdefault(
            _series_key(path, header),
            SeriesFiles(
                text(header, "SeriesInstanceUID"),
                text(header, "SeriesNumber"),
                text(header, "SeriesDescription"),
            ),
        )
        files.frames += frames_of(path, header)
    if broken:
        raise InvalidInput(
            f"{len(broken)} files in the folder are broken; the first: {broken[0].what}",
            where=broken[0].where,
            way_out="Export the study again, or take these files away if they do not belong to it.",
        )
    found = _pick(list(groups.values()), series, where, aside)
    if aside:
        listed = ", ".join(f"{count} {kind}" for kind, count in sorted(aside.items()))
        found.findings.append(f"Set aside: {listed}.")
    return found


def _paths(source: str | PathLike[str] | Iterable[str | PathLike[str]]) -> tuple[list[Path], str, bool]:
    if not isinstance(source, str | PathLike):
        files = [Path(item) for item in source]
        if not files:
            raise InvalidInput("No files were given.", way_out="Give the files of one CT series.")
        return files, f"{len(files)} files in {files[0].parent}", True
    root = Path(source)
    if root.is_file():
        return [root], str(root), True
    if not root.is_dir():
        raise InvalidInput("There is no such file or folder.", where=str(root), way_out="Check the path.")
    files = []
    for path in sorted(root.rglob("*")):
        if path.is_file() and path.name.upper() != "DICOMDIR" and not path.name.startswith("."):
            files.append(path)
            if len(files) > MAX_FILES:
                raise InvalidInput(
                    f"The folder holds more than {MAX_FILES} files.",
                    where=str(root),
                    way_out="Give the folder of one study.",
                )
    if not files:
        raise InvalidInput("The folder is empty.", where=str(root), way_out="Give the folder of a CT series.")
    return files, str(root), False


def _one_patient(headers: list[tuple[Path, Any]], where: str) -> None:
    """Raise when the files belong to more than one patient; an empty attribute contradicts nothing."""
    for keyword, label in (("PatientID", "ID"), ("PatientName", "name"), ("PatientBirthDate", "birth date")):
        shown: dict[str, str] = {}
        for _, header in headers:
            value = text(header, keyword)
            key = "".join(value.upper().replace("^", " ").split()).rstrip("=")
            if key:
                shown.setdefault(
                    key,
                    f"{text(header, 'PatientName') or '(no name)'} ({text(header, 'PatientID') or 'no ID'})",
                )
        if len(shown) > 1:
            raise InvalidInput(
                f"The files belong to {len(shown)} patients by their {label}: "
                f"{' and '.join(shown.values())}.",
                where=where,
                way_out="Give one patient's study at a time.",
            )


def _set_aside(header: Any) -> str:
    """Return why a file is no slice of a CT volume, or empty text."""
    modality = text(header, "Modality").upper()
    kind = sop_class(header)
    if kind and kind != CT_IMAGE and kind not in MULTI_FRAME:
        from pydicom._uid_dict import UID_dictionary

        known = UID_dictionary.get(kind)
        return str(known[0]) if known else f"objects of class {kind[:64]}"
    if modality != "CT":
        return f"files of modality {modality or 'unknown'}"
    image_type = text(header, "ImageType").upper()
    if "LOCALIZER" in image_type:
        return "localizer"
    if not kind and not text(header, "Rows"):
        return "CT objects without an image"
    return ""


def _series_key(path: Path, header: Any) -> tuple[str, ...]:
    uid = text(header, "SeriesInstanceUID")
    if uid:
        return (uid,)
    # de-identified files may have lost their UIDs
    keywords = (
        "StudyInstanceUID",
        "SeriesNumber",
        "SeriesDescription",
        "AcquisitionNumber",
        "ConvolutionKernel",
    )
    return (str(path.parent), *(text(header, keyword) for keyword in keywords))


def _pick(groups: list[SeriesFiles], series: str | None, where: str, aside: Counter[str]) -> SeriesFiles:
    if not groups:
        listed = ", ".join(f"{count} {kind}" for kind, count in sorted(aside.items())) or "nothing"
        raise InvalidInput(
            f"There is no CT image series; found: {listed}.",
            where=where,
            way_out="Give the CT images; a dose report alone is read with `wholedose read`.",
        )
    if series is not None:
        wanted = series.strip()
        hits = [group for group in groups if wanted in (group.uid, group.number, group.description)]
        if not hits:
            raise UnknownName(
                "series",
                wanted,
                [group.uid or group.number or group.description for group in groups],
                where=where,
            )
        if len(hits) > 1:
            raise _several(hits, where)
        return hits[0]
    volumes = [group for group in groups if len(group.frames) > 1] or groups
    volumes = [group for group in volumes if group.original] or volumes
    if len(volumes) > 1:
        volumes = [group for group in volumes if group.axial] or volumes
    if len(volumes) > 1:
        raise _several(volumes, where)
    chosen = volumes[0]
    if len(groups) > 1:
        rest = "; ".join(group.label for group in groups if group is not chosen)
        chosen.findings.append(
            f"Other image series were set aside (single slices, derived or not axial): {rest}."
        )
    if not chosen.original:
        chosen.findings.append("The images are marked as derived; no original series is there.")
    return chosen


def _several(groups: list[SeriesFiles], where: str) -> InvalidInput:
    listed = "; ".join(sorted(group.label for group in groups))
    return InvalidInput(
        f"There are {len(groups)} CT series: {listed}.",
        where=where,
        way_out="Choose one by UID, number or description: --series, in Python series=.",
    )
