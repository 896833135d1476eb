"""Image series as one item each. Defines `series_items`."""

from __future__ import annotations

import itertools
import os
import statistics
from collections.abc import Sequence
from typing import Any

from wholedose.base import Tagged
from wholedose.records.dose_report import Exposure, tagged_to_json
from wholedose.records.image_header import ImageFacts

_SECTIONS = frozenset(("CT", "MR", "PT"))
_SPREAD = ("tube_current", "exposure", "ctdivol")
_COMMON = (
    "kv", "exposure_time", "pitch", "nominal_single_collimation", "nominal_total_collimation",
    "rotation_time",
    "phantom", "acquisition_type", "protocol", "target_region", "kernel", "modulation_type", "filter_type",
)  # fmt: skip


def series_items(images: Sequence[tuple[str, ImageFacts]]) -> list[dict[str, Any]]:
    """Return one item of kind ``series`` for each CT, MR or PET series of two or more images.

    Parameters
    ----------
    images : sequence of (path, ImageFacts)

    Returns
    -------
    list of dict
        In the form of `describe`, with ``images`` (their number) and ``parts`` (their paths).
    """
    series: dict[tuple[str, ...], list[tuple[str, ImageFacts]]] = {}
    for path, facts in images:
        if facts.modality in _SECTIONS:
            # without identifiers (stripped by some anonymisers) a folder's images of one size are one series
            uid = facts.study.series_uid or f"{os.path.dirname(path)} {facts.shape}"
            series.setdefault((facts.study.uid, uid, facts.modality), []).append((path, facts))
    return [_item(members) for members in series.values() if len(members) > 1]


def _item(members: Sequence[tuple[str, ImageFacts]]) -> dict[str, Any]:
    first = members[0][1]
    findings: list[dict[str, Any]] = []
    if not first.study.series_uid:
        findings.append(_finding("The images name no series; those of one folder and size are taken as one."))
    quantities = _quantities([facts for _, facts in members], findings)
    exposures = [Exposure("unknown", quantities)] if any(facts.exposures for _, facts in members) else []
    return {
        "path": os.path.commonpath([path for path, _ in members]),
        "modality": first.modality,
        "kind": "series",
        "events": _events([facts for _, facts in members]),
        "totals": {},
        "exposures": [one.to_json() for one in exposures],
        "findings": findings,
        "images": len(members),
        "parts": [path for path, _ in members],
        "geometry": {name: tagged_to_json(value) for name, value in _geometry(members, findings).items()},
        "study": {name: text for name, text in vars(first.study).items() if text and name != "instance_uid"},
        "device": {name: text for name, text in vars(first.device).items() if text},
    }


def _events(members: Sequence[ImageFacts]) -> int:
    """Return how many irradiations the series shows: its event identifiers, at least one where it has
    exposures."""
    uids = {
        str(exposure.quantities["irradiation_event_uid"].value)
        for facts in members
        for exposure in facts.exposures
        if "irradiation_event_uid" in exposure.quantities
    }
    return len(uids) or int(any(facts.exposures for facts in members))


def _quantities(members: Sequence[ImageFacts], findings: list[dict[str, Any]]) -> dict[str, Tagged[Any]]:
    all_quantities = [exposure.quantities for facts in members for exposure in facts.exposures]
    found: dict[str, Tagged[Any]] = {}
    for name in _COMMON:
        values = [one[name] for one in all_quantities if name in one]
        if not values:
            continue
        if len({value.value for value in values}) == 1:
            found[name] = values[0]
        else:
            findings.append(_finding(f"{name} differs between the images of the series."))
    for name in _SPREAD:
        values = [one[name] for one in all_quantities if name in one]
        if not values:
            continue
        numbers = [float(value.value) for value in values]
        first = values[0]
        for suffix, number in (
            ("", statistics.fmean(numbers)), ("_min", min(numbers)), ("_max", max(numbers)),
        ):  # fmt: skip
            found[name + suffix] = Tagged(number, first.unit, "derived", first.code, f"{len(numbers)} images")
    return found


def _geometry(
    members: Sequence[tuple[str, ImageFacts]], findings: list[dict[str, Any]]
) -> dict[str, Tagged[Any]]:
    places = sorted(facts.z_mm for _, facts in members if facts.z_mm is not None)
    if len(places) < 2:
        return {}
    code = "ImagePositionPatient"
    geometry: dict[str, Tagged[Any]] = {
        "z_min": Tagged(places[0], "mm", "extracted", code),
        "z_max": Tagged(places[-1], "mm", "extracted", code),
    }
    steps = [later - earlier for earlier, later in itertools.pairwise(places)]
    middle = statistics.median(steps)
    geometry["slice_spacing"] = Tagged(round(middle, 6), "mm", "derived", code, "median")
    if min(steps) < 1e-4:
        findings.append(_finding("Several images lie at one position."))
    uneven = max(abs(step - middle) for step in steps)
    if uneven > 0.01 * max(middle, 0.1) + 1e-3:
        findings.append(
            _finding("The images are unevenly spaced; size is the largest deviation in mm.", round(uneven, 4))
        )
    return geometry


def _finding(what: str, size: float | None = None) -> dict[str, Any]:
    return {"what": what, "size": size, "severity": "warning"}
