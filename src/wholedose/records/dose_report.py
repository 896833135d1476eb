"""A dose report as our types. Defines `DoseReport`, `Exposure`, `Patient`, `Device` and `Study`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from wholedose.base import Finding, Tagged
from wholedose.records.sr import Code

ReportKind = Literal["ct", "projection", "mammography"]


def tagged_to_json(value: Tagged[Any]) -> dict[str, Any]:
    """Return value, unit, code and tag; a coded value by its meaning, with its own code beside it."""
    form = value.to_json()
    if isinstance(value.value, Code):
        form["value"] = str(value.value)
        form["value_code"] = value.value.key
    return form


@dataclass(frozen=True)
class Patient:
    """What a header says about the patient; None where it says nothing. No name or identifier is kept."""

    sex: str | None = None
    age_y: Tagged[float] | None = None
    height_cm: Tagged[float] | None = None
    weight_kg: Tagged[float] | None = None


@dataclass(frozen=True)
class Device:
    """The irradiating device; empty text where the report doesn't say."""

    manufacturer: str = ""
    model: str = ""
    serial: str = ""
    uid: str = ""
    software: str = ""


@dataclass(frozen=True)
class Study:
    """The study that a file belongs to; empty text where the header doesn't say."""

    uid: str = ""
    series_uid: str = ""
    instance_uid: str = ""
    date: str = ""
    description: str = ""


@dataclass(frozen=True)
class Exposure:
    """One irradiation event.

    Attributes
    ----------
    kind : str
        ``"localiser"``, ``"spiral"``, ``"sequenced"``, ``"stationary"``, ``"free"``, ``"cone beam"``,
        ``"fluoroscopy"``, ``"acquisition"`` or ``"unknown"``.
    quantities : mapping of str to Tagged
        Named as in `concepts`, in our units: mGy, mGy.cm, Gy.cm2, kV, mA, mAs, s, mm, cm2, deg.
    sources : tuple of mappings
        CT: kV, currents and rotation time of each X-ray source (two in dual source).
    filters : tuple of mappings
        Projection: type, material and thickness of each added filter.
    """

    kind: str
    quantities: Mapping[str, Tagged[Any]]
    sources: tuple[Mapping[str, Tagged[Any]], ...] = ()
    filters: tuple[Mapping[str, Tagged[Any]], ...] = ()

    @property
    def uid(self) -> str:
        """Irradiation Event UID, empty when the report has none."""
        found = self.quantities.get("irradiation_event_uid")
        return str(found.value) if found else ""

    def number(self, name: str) -> float | None:
        """Return a quantity as a number, None when it is absent or not a number."""
        found = self.quantities.get(name)
        value = found.value if found else None
        return float(value) if isinstance(value, (int, float)) else None

    def flat(self) -> dict[str, Tagged[Any]]:
        """Return every quantity by one name: those of the second source get ``_2`` (``kv_2``), and so on.

        The first X-ray source carries the plain names (``kv``), filters are counted from 1
        (``filter_material_1``).
        """
        flat = dict(self.quantities)
        for index, source in enumerate(self.sources, 1):
            flat.update({name if index == 1 else f"{name}_{index}": value for name, value in source.items()})
        for index, one in enumerate(self.filters, 1):
            flat.update({f"{name}_{index}": value for name, value in one.items()})
        return flat

    def to_json(self) -> dict[str, Any]:
        """Return each quantity as value, unit, code and tag."""
        return {name: tagged_to_json(value) for name, value in self.flat().items()}


@dataclass(frozen=True)
class DoseReport:
    """A radiation dose report of CT, projection radiography, fluoroscopy or mammography.

    Attributes
    ----------
    kind : {"ct", "projection", "mammography"}
    modality : str
        ``"CT"``, ``"RF"``, ``"XA"``, ``"DX"`` or ``"MG"``.
    events : tuple of Exposure
        In the order of the report; copies of one event are held once.
    totals : mapping of str to Tagged
        Reported totals (planes added), and ``..._sum_of_events`` beside them.
    planes : mapping of str to mapping
        The accumulated values of each plane or container as reported.
    findings : tuple of Finding
    paths : tuple of str
        The file, or the files of a merged report.
    """

    kind: ReportKind
    modality: str
    device: Device
    patient: Patient
    study: Study
    events: tuple[Exposure, ...]
    totals: Mapping[str, Tagged[Any]]
    planes: Mapping[str, Mapping[str, Tagged[Any]]] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    started: str = ""
    ended: str = ""
    paths: tuple[str, ...] = ()
    accumulated_over: str = ""

    def total(self, name: str) -> float | None:
        """Return a total as a number, None when it is absent."""
        found = self.totals.get(name)
        return None if found is None else float(found.value)
