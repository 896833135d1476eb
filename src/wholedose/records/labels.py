"""Label maps of organs from NIfTI, DICOM SEG and RTSTRUCT. Defines `read_labels`."""

from __future__ import annotations

import json
import re
from os import PathLike
from pathlib import Path

import numpy as np

from wholedose.base import Grid, InvalidInput, MissingInput, Volume
from wholedose.body.labels import is_scheme, label_scheme
from wholedose.records.dicom_file import looks_like_dicom, read_header, text
from wholedose.records.nifti import read_nifti

ASSUMED_SCHEME = "totalsegmentator_v2"
"""The numbering that is used where a NIfTI label map names nothing, as a stated assumption."""


def read_labels(
    path: str | PathLike[str],
    names_json: str | PathLike[str] | None = None,
    reference: Volume | None = None,
) -> tuple[Volume, dict[int, str]]:
    """Read a label map with the names of its structures.

    Parameters
    ----------
    path : path
        NIfTI label map, DICOM segmentation (SEG, label map SEG) or radiotherapy structure set (RTSTRUCT).
    names_json : path or str, optional
        For NIfTI: a JSON ``{"1": "liver"}`` or ``{"liver": 1}``, or the name of a numbering
        (``"totalsegmentator_v1"``, ``"totalsegmentator_v2"``, see `wholedose.body.labels.label_scheme`).
        Without it the names come from the label table in the file; where there is none and all labels are in
        TotalSegmentator's list (v2), that list is assumed, which ``meta["assumed"]`` says.
    reference : Volume, optional
        The CT. RTSTRUCT needs it; the others are checked against its grid.

    Returns
    -------
    labels : Volume
        int32 ``[z, y, x]`` in LPS, unit ``"label"``; ``meta`` has ``source``, ``findings``, ``assumed``.
    names : dict of int to str
        Name (snake_case) of each label that is present.

    Raises
    ------
    InvalidInput
        Broken files, names that don't fit, or a grid that is not the CT's.
    MissingInput
        No names for the labels, or no CT for an RTSTRUCT.

    Examples
    --------
    >>> from wholedose.records.labels import snake_case
    >>> snake_case("Lung, upper lobe (left)")
    'lung_upper_lobe_left'
    """
    place = Path(path)
    if not place.is_file():
        raise InvalidInput("There is no such file.", where=str(place), way_out="Check the path.")
    if looks_like_dicom(place):
        header = read_header(place)
        modality = text(header, "Modality").upper()
        if modality == "SEG":
            from wholedose.records.dicom_seg import read_seg

            volume, names = read_seg(place, reference)
        elif modality == "RTSTRUCT":
            from wholedose.records.rtstruct import read_rtstruct

            if reference is None:
                raise MissingInput(
                    "Contours need the CT they were drawn on.",
                    where=str(place),
                    way_out="Give the CT series too.",
                )
            volume, names = read_rtstruct(place, reference)
        else:
            raise InvalidInput(
                f"A DICOM object of modality {modality or 'unknown'} is no label map.",
                where=str(place),
                way_out="Give a SEG, an RTSTRUCT or a NIfTI label map.",
            )
    else:
        volume, names = _from_nifti(place, names_json)
    if reference is not None:
        require_same_grid(volume.grid, reference.grid, str(place))
    return volume, names


def require_same_grid(labels: Grid, image: Grid, where: str) -> None:
    """Raise `InvalidInput` when a label map does not lie voxel by voxel on the image."""
    if labels.matches(image, tolerance_mm=0.05):
        return
    raise InvalidInput(
        f"The label map has another grid than the CT: {_say(labels)} instead of {_say(image)}.",
        where=where,
        way_out="Resample the label map to the CT (nearest neighbour), or segment this very series.",
    )


def _say(grid: Grid) -> str:
    nz, ny, nx = grid.shape
    dz, dy, dx = grid.spacing_mm
    x, y, z = grid.origin_mm
    return f"{nx} × {ny} × {nz} of {dx:.3f} × {dy:.3f} × {dz:.3f} mm from ({x:.1f}, {y:.1f}, {z:.1f})"


def snake_case(name: str) -> str:
    """Return a name in lower case with underscores between its words."""
    return "_".join(re.findall(r"[a-z0-9]+", name.lower()))


def _from_nifti(path: Path, names_json: str | PathLike[str] | None) -> tuple[Volume, dict[int, str]]:
    volume = read_nifti(path, unit="label")
    present = [int(label) for label in np.unique(volume.values) if label != 0]
    if not present:
        raise InvalidInput("The label map is empty.", where=str(path), way_out="Segment the series again.")
    assumed = False
    source = str(names_json) if names_json is not None else f"the label table of {path}"
    known = _names_given(names_json) if names_json is not None else _names_in_file(path)
    if not known:
        known = label_scheme(ASSUMED_SCHEME)
        source, assumed = "TotalSegmentator v2, task total", True
    unnamed = [label for label in present if label not in known]
    if unnamed and assumed:
        raise MissingInput(
            f"The labels {_few(unnamed)} have no names.",
            where=str(path),
            way_out='Give a JSON of names, such as {"1": "liver", "2": "spleen"}.',
        )
    findings = list(volume.meta["findings"])
    if unnamed:
        findings.append(f"Labels without a name in {source} are ignored: {_few(unnamed)}.")
        if len(unnamed) == len(present):
            raise InvalidInput(
                f"None of the labels {_few(present)} is named.",
                where=source,
                way_out="Give the matching names.",
            )
        volume.values[np.isin(volume.values, unnamed)] = 0
    if assumed:
        findings.append(f"The labels carry no names; those of {source} are assumed.")
    meta = volume.meta | {"findings": tuple(findings), "assumed": assumed, "names_from": source}
    names = {label: snake_case(known[label]) for label in present if label in known}
    return Volume(volume.grid, volume.values, "label", meta), names


def _few(labels: list[int]) -> str:
    return ", ".join(map(str, labels[:10])) + (" …" if len(labels) > 10 else "")


def _names_given(names: str | PathLike[str]) -> dict[int, str]:
    """Return the names of a numbering that is named, else those of the JSON."""
    if isinstance(names, str) and is_scheme(names) and not Path(names).is_file():
        return label_scheme(names)
    return read_names(Path(names))


def read_names(path: Path) -> dict[int, str]:
    """Read a JSON of names: ``{"1": "liver"}`` or ``{"liver": 1}``.

    Raises
    ------
    InvalidInput
        Not JSON, not an object of that form, or a label that is named twice.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InvalidInput(
            f"The label names cannot be read ({error}).",
            where=str(path),
            way_out='Give a JSON such as {"1": "liver"}.',
        ) from None
    names: dict[int, str] = {}
    pairs = list(data.items()) if isinstance(data, dict) else [(None, None)]
    for key, value in pairs:
        if isinstance(value, str) and isinstance(key, str) and key.strip().isdigit():
            label, name = int(key), value
        elif isinstance(value, int) and not isinstance(value, bool) and value >= 0 and isinstance(key, str):
            label, name = value, key
        else:
            raise InvalidInput(
                "The label names are not of the form number to name or name to number.",
                where=str(path),
                way_out='Give a JSON such as {"1": "liver"}.',
            )
        if label in names:
            raise InvalidInput(
                f"Label {label} is named twice: {names[label]} and {name}.",
                where=str(path),
                way_out="Keep one.",
            )
        if label:
            names[label] = name
    return names


def _names_in_file(path: Path) -> dict[int, str]:
    """Return the label table of a NIfTI extension (Connectome Workbench's XML), empty when there is none."""
    import nibabel

    names: dict[int, str] = {}
    try:
        for extension in nibabel.load(path).header.extensions:
            content = extension.get_content()
            words = content.decode("utf-8", "replace") if isinstance(content, bytes) else str(content)
            # a pattern, not an XML parser: the text comes from strangers, and entities must not be expanded
            for key, name in re.findall(r'<Label Key="(\d{1,6})"[^>]*><!\[CDATA\[([^\]]{1,100})\]\]>', words):
                names[int(key)] = name
    except Exception:  # an unreadable extension names nothing
        return {}
    return names
