"""A document from a result folder. Defines `build_again` and `StoredResult`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from wholedose.base import Tagged, Volume, reading_record
from wholedose.body import Person
from wholedose.dose import Contribution, DoseMap, Ledger, load_dose, read_own_nifti
from wholedose.report.build import Report, build
from wholedose.report.bundle import load_result
from wholedose.report.skin import stored_skin


@dataclass(frozen=True, eq=False)
class StoredResult:
    """A CT result as its folder holds it, with what documents need of scan and body."""

    map: DoseMap
    scan: Any
    body: Any
    ranges: tuple[Any, ...]
    ssde: tuple[Any, ...]
    checks: tuple[Any, ...]
    skin: Any
    entry: Contribution

    def contribution(self) -> Contribution:
        """Return the recorded contribution."""
        return self.entry


@dataclass(frozen=True)
class StoredRange:
    """The inputs of one range as they were recorded."""

    values: Mapping[str, Tagged[Any]]

    @property
    def mode(self) -> Tagged[Any] | None:
        """The scan mode, where it was known."""
        return self.values.get("mode")

    def inputs(self) -> Mapping[str, Tagged[Any]]:
        """Return the recorded values by name."""
        return self.values


def build_again(
    path: str | Path,
    audience: Any = "physicist",
    language: str = "en",
    *,
    sender: str = "",
    contact: str = "",
    benefit: str = "",
) -> Report:
    """Write a document from a recorded result; doses and risk are those of the record.

    Parameters
    ----------
    path : path
        A result folder, or its ``result.json``; without the arrays beside it the document has no images.
    audience : {"physicist", "patient"}
    language : str
    sender, contact, benefit : str
        As `build` takes them.

    Raises
    ------
    InvalidInput
        The folder holds no readable result.
    """
    from wholedose.risk import Appraisal

    source = Path(path)
    folder = source if source.is_dir() else source.parent
    data = load_result(source)
    with reading_record("The result is incomplete", where=str(source), way_out="Compute it again."):
        ledger = Ledger.from_json(data["ledger"])
        appraisal = Appraisal.from_json(data["risk"]) if data["risk"] is not None else None
        result = stored_result(folder, data, ledger)
        reason = data["no_risk_because"]
    notes = [("warning", f"No risk is given: {reason}")] if reason else []
    return build(
        ledger if result is None else result,
        appraisal,
        audience=audience,
        language=language,
        findings=notes,
        sender=sender,
        contact=contact,
        benefit=benefit,
    )


def stored_result(folder: Path, data: Mapping[str, Any], ledger: Ledger) -> StoredResult | None:
    """Return the result with its images, or None where the arrays do not lie beside it."""
    if not all(
        (folder / name).exists() for name in ("dose.nii.gz", "ct.nii.gz", "organs.nii.gz", "organs.json")
    ):
        return None
    dose = load_dose(folder / "dose.nii.gz")
    image = Volume(*read_own_nifti(folder / "ct.nii.gz"), "HU", {})
    labels = Volume(*read_own_nifti(folder / "organs.nii.gz"), "label", {})
    names = json.loads((folder / "organs.json").read_text(encoding="utf-8"))
    ranges = tuple(
        StoredRange(
            {
                name: Tagged(item["value"], item["unit"], item["tag"], item["code"])
                for name, item in one.items()
            }
        )
        for one in data["inputs"]
    )
    return StoredResult(
        map=dose,
        scan=SimpleNamespace(image=image, ranges=ranges),
        body=_body(
            ledger.person, image, labels, tuple(names[str(i)] for i in range(1, len(names) + 1)), data
        ),
        ranges=tuple(_used(item) for item in data["ranges"]),
        ssde=tuple(None if one is None else SimpleNamespace(**one) for one in data["ssde"]),
        checks=tuple(SimpleNamespace(**item) for item in data["checks"]),
        skin=stored_skin(data.get("skin")),
        entry=ledger.contributions[-1],
    )


def _used(item: Mapping[str, Any]) -> Any:
    curve = item.get("current")
    current = None
    if curve is not None:
        current = SimpleNamespace(z_mm=np.asarray(curve["z_mm"]), ma=np.asarray(curve["ma"]))
    half = item["collimation_mm"] / 2.0
    ends = (item["z_mm"][0] - half, item["z_mm"][1] + half)
    return SimpleNamespace(**{**item, "current": current, "irradiated_z_mm": ends})


def _body(
    person: Person, image: Volume, labels: Volume, organs: tuple[str, ...], data: Mapping[str, Any]
) -> Any:
    from wholedose.matter import HuCalibration

    calibration = HuCalibration.schneider2000()
    material, density = calibration.map(image.values)
    return SimpleNamespace(
        person=person,
        grid=labels.grid,
        labels=labels.values,
        organs=organs,
        material=material,
        materials=calibration.materials,
        density_g_cm3=density,
        origin=data["body"]["origin"],
    )
