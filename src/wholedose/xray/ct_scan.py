"""What is known of a CT examination. Defines `CtScan`, `CtRange` and `TubeCurrent`.

Every input value is a `Tagged`: extracted, derived or assumed. A value that is not known is ``None``; the
rules
that fill it are in `wholedose.xray.ct_rules`, so that a scan holds facts only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from wholedose.base import InvalidInput, MissingInput, Tag, Tagged, UnknownName, Volume

Mode = Literal["helical", "axial", "stationary", "topogram"]
MODES: tuple[str, ...] = ("helical", "axial", "stationary", "topogram")
FloatArray = NDArray[np.floating[Any]]


@dataclass(frozen=True, eq=False)
class TubeCurrent:
    """The tube current along the patient.

    Parameters
    ----------
    z_mm : array of shape (n,)
        LPS positions, in any order.
    ma : array of shape (n,)
        Tube current in mA; only its shape is used, the output comes from the reported CTDIvol.
    tag : {"extracted", "derived", "assumed"}
    where : str
        Where the curve was read.

    Examples
    --------
    >>> curve = TubeCurrent([0.0, 100.0], [100.0, 300.0])
    >>> curve.relative(np.array([0.0, 50.0, 100.0]))
    array([0.5, 1. , 1.5])
    """

    z_mm: FloatArray
    ma: FloatArray
    tag: Tag = "extracted"
    where: str = ""

    def __post_init__(self) -> None:
        z, ma = np.asarray(self.z_mm, dtype=np.float64), np.asarray(self.ma, dtype=np.float64)
        if z.ndim != 1 or z.shape != ma.shape or z.size == 0:
            raise InvalidInput(f"A tube current curve needs as many z as mA, got {z.shape} and {ma.shape}.")
        if not (np.isfinite(z).all() and np.isfinite(ma).all()) or ma.min() < 0 or ma.max() <= 0:
            raise InvalidInput("A tube current curve holds finite currents, none negative, not all zero.")
        order = np.argsort(z, kind="stable")
        object.__setattr__(self, "z_mm", z[order])
        object.__setattr__(self, "ma", ma[order])

    @property
    def is_constant(self) -> bool:
        """Whether the current varies by less than 1 %."""
        return bool(self.ma.max() - self.ma.min() < 0.01 * self.ma.max())

    def at(self, z_mm: FloatArray) -> FloatArray:
        """Return the current at positions, linear between the points and constant beyond them, in mA."""
        return np.interp(z_mm, self.z_mm, self.ma)

    def relative(self, z_mm: FloatArray) -> FloatArray:
        """Return the current at evenly spaced positions divided by its mean over them."""
        ma = self.at(z_mm)
        if not ma.mean() > 0.0:
            raise InvalidInput(
                f"The tube current is zero from z {z_mm[0]:.0f} to {z_mm[-1]:.0f} mm.",
                where=self.where,
                way_out="Check that the current's positions are those of the scanned range.",
            )
        return np.asarray(ma / ma.mean(), dtype=np.float64)


@dataclass(frozen=True, eq=False)
class CtRange:
    """One acquisition: the tube runs while the table moves, steps or stands.

    Attributes
    ----------
    kv : Tagged of float, optional
        Tube voltage.
    ctdivol_mgy : Tagged of float, optional
        Mean over the acquisition, as the scanner reports it.
    phantom_cm : Tagged of int, optional
        16 or 32: the phantom to which CTDIvol and DLP refer.
    dlp_mgy_cm : Tagged of float, optional
    mode : Tagged of str, optional
        ``"helical"``, ``"axial"``, ``"stationary"`` (table stands) or ``"topogram"`` (tube stands).
    start_z_mm, end_z_mm : Tagged of float, optional
        Ends of the *irradiated* range in LPS mm, in either order.
    scan_z_mm : Tagged of (float, float), optional
        Ends of the scanned or reconstructed range in LPS mm, when the irradiated one is not known; the
        irradiated length is then centred on it.
    collimation_mm : Tagged of float, optional
        Total nominal beam width N·T at the isocentre.
    pitch : Tagged of float, optional
        Table feed per rotation over N·T.
    feed_mm : Tagged of float, optional
        Table feed per rotation (helical) or step (axial).
    current : TubeCurrent, optional
    rotation_s : Tagged of float, optional
    filter_shape : Tagged of str, optional
        The name of a shape of `wholedose.xray.bowtie_names`.
    filter_class : Tagged of str, optional
        ``"head"`` or ``"body"``: what the scanner's own name of the filter says.
    isocentre_mm : Tagged of (float, float), optional
        LPS x and y of the rotation axis.
    source_isocentre_mm : Tagged of float, optional
    name : str
        Protocol or series description.
    region : str
        Target region as the record names it.
    identifier : str
        Irradiation event or series UID.
    """

    kv: Tagged[float] | None = None
    ctdivol_mgy: Tagged[float] | None = None
    phantom_cm: Tagged[int] | None = None
    dlp_mgy_cm: Tagged[float] | None = None
    mode: Tagged[str] | None = None
    start_z_mm: Tagged[float] | None = None
    end_z_mm: Tagged[float] | None = None
    scan_z_mm: Tagged[tuple[float, float]] | None = None
    collimation_mm: Tagged[float] | None = None
    pitch: Tagged[float] | None = None
    feed_mm: Tagged[float] | None = None
    current: TubeCurrent | None = None
    rotation_s: Tagged[float] | None = None
    filter_shape: Tagged[str] | None = None
    filter_class: Tagged[str] | None = None
    isocentre_mm: Tagged[tuple[float, float]] | None = None
    source_isocentre_mm: Tagged[float] | None = None
    name: str = ""
    region: str = ""
    identifier: str = ""

    def __post_init__(self) -> None:
        for name, low, high, unit in _LIMITS:
            item = getattr(self, name)
            if item is None:
                continue
            if not (isinstance(item.value, (int, float)) and np.isfinite(item.value)):
                raise InvalidInput(f"{name} is {item.value!r}, not a number.", where=item.where)
            if not low < item.value <= high:
                raise InvalidInput(
                    f"{name} is {item.value:g} {unit}, outside what a CT scanner does ({low:g} to {high:g}).",
                    where=item.where,
                    way_out="Check the value and its unit, or type it yourself.",
                )
        if self.phantom_cm is not None and self.phantom_cm.value not in (16, 32):
            raise InvalidInput(
                f"The CTDI phantom has {self.phantom_cm.value} cm; known are 16 (head) and 32 (body).",
                where=self.phantom_cm.where,
                way_out="Type the phantom: 16 or 32.",
            )
        if self.mode is not None and self.mode.value not in MODES:
            raise UnknownName("CT mode", self.mode.value, MODES, where=self.mode.where)
        if self.filter_class is not None and self.filter_class.value not in ("head", "body"):
            raise UnknownName("filter class", self.filter_class.value, ("head", "body"))

    def inputs(self) -> dict[str, Tagged[Any]]:
        """Return the known values by name."""
        found = {name: getattr(self, name) for name in _TAGGED}
        known = {name: item for name, item in found.items() if item is not None}
        if self.current is not None:
            mean = float(self.current.ma.mean())
            known["tube_current_ma"] = Tagged(mean, "mA", self.current.tag, "", self.current.where)
        return known


# plausibility limits, wide on purpose: outside them a unit is wrong (name, above, up to, unit)
_LIMITS: tuple[tuple[str, float, float, str], ...] = (
    ("kv", 20.0, 200.0, "kV"),
    ("ctdivol_mgy", 0.0, 5000.0, "mGy"),
    ("dlp_mgy_cm", 0.0, 100000.0, "mGy.cm"),
    ("collimation_mm", 0.0, 200.0, "mm"),
    ("pitch", 0.0, 5.0, ""),
    ("feed_mm", 0.0, 500.0, "mm"),
    ("rotation_s", 0.0, 100.0, "s"),
    ("source_isocentre_mm", 300.0, 1200.0, "mm"),
)
_TAGGED = (
    "kv",
    "ctdivol_mgy",
    "phantom_cm",
    "dlp_mgy_cm",
    "mode",
    "start_z_mm",
    "end_z_mm",
    "scan_z_mm",
    "collimation_mm",
    "pitch",
    "feed_mm",
    "rotation_s",
    "filter_shape",
    "filter_class",
    "isocentre_mm",
    "source_isocentre_mm",
)
_UNITS = {
    "kv": "kV",
    "ctdivol_mgy": "mGy",
    "phantom_cm": "cm",
    "dlp_mgy_cm": "mGy.cm",
    "collimation_mm": "mm",
    "feed_mm": "mm",
    "rotation_s": "s",
    "start_z_mm": "mm",
    "end_z_mm": "mm",
    "scan_z_mm": "mm",
    "isocentre_mm": "mm",
    "source_isocentre_mm": "mm",
}
_PER_RANGE = ("ctdivol_mgy", "dlp_mgy_cm", "start_z_mm", "end_z_mm", "scan_z_mm")


@dataclass(frozen=True, eq=False)
class CtScan:
    """A CT examination: its acquisitions, its image and what is known of the person and the scanner.

    Attributes
    ----------
    ranges : tuple of CtRange
        At least one.
    image : Volume, optional
        The reconstructed image in HU.
    person : mapping of str to Tagged
        Any of ``sex`` (``"F"``, ``"M"``), ``age_y``, ``height_cm``, ``weight_kg``.
    manufacturer, model, device : str
        Scanner; ``device`` is its serial number or station name.
    calibration : str
        Date of the last output check, where known.
    output_factor : Tagged of float, optional
        Measured over displayed CTDIvol of this device, with ``output_relative_u``.
    output_relative_u : float, optional
        Standard uncertainty of the displayed (or corrected) CTDIvol; a rule gives it when it is not known.
    date : str
        ISO date of the examination.
    description : str
    inputs : mapping of str to str
        Names and digests of the files read, for provenance.
    findings : tuple of str
        What the reader noticed.

    Examples
    --------
    >>> scan = CtScan.typed(kv=120, ctdivol_mgy=8.2, phantom_cm=32, dlp_mgy_cm=287)
    >>> scan.ranges[0].kv
    Tagged(value=120, unit='kV', tag='extracted', code='', where='typed')
    """

    ranges: tuple[CtRange, ...]
    image: Volume | None = None
    person: Mapping[str, Tagged[Any]] = field(default_factory=dict)
    manufacturer: str = ""
    model: str = ""
    device: str = ""
    calibration: str = ""
    output_factor: Tagged[float] | None = None
    output_relative_u: float | None = None
    date: str = ""
    description: str = ""
    inputs: Mapping[str, str] = field(default_factory=dict)
    findings: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "ranges", tuple(self.ranges))
        if not self.ranges:
            raise InvalidInput("A CT scan needs at least one range.", where="CtScan")
        if self.image is not None and self.image.unit != "HU":
            raise InvalidInput(f"A CT image is in HU, not in {self.image.unit!r}.", where="CtScan.image")
        unknown = set(self.person) - {"sex", "age_y", "height_cm", "weight_kg"}
        if unknown:
            raise UnknownName("person hint", min(unknown), ("sex", "age_y", "height_cm", "weight_kg"))

    @property
    def device_origin(self) -> str:
        """The scanner and the date of its output check: scans that share it share their output error."""
        name = " ".join(part for part in (self.manufacturer, self.model, self.device) if part)
        return f"{name or 'unknown scanner'}, {self.calibration or 'output check unknown'}"

    @classmethod
    def typed(cls, *, image: Volume | None = None, **values: Any) -> Self:
        """Return a scan of one range from values that a user typed, as the command line gives them.

        Parameters
        ----------
        image : Volume, optional
        **values
            Fields of `CtRange` (plain values), ``ma`` or ``sex``, ``age_y``, ``height_cm``, ``weight_kg``,
            ``manufacturer``, ``model``, ``device``, ``date``.
        """
        return cls((CtRange(),), image=image).with_typed(**values)

    def with_typed(self, **values: Any) -> Self:
        """Return a copy in which typed values override what was read; ``None`` changes nothing.

        Raises
        ------
        UnknownName
            A name that is no field.
        InvalidInput
            A value that belongs to one range (CTDIvol, DLP, ends) is typed for a scan of several.
        """
        given = {name: value for name, value in values.items() if value is not None}
        people = ("sex", "age_y", "height_cm", "weight_kg")
        plain = ("manufacturer", "model", "device", "calibration", "date", "description", "output_relative_u")
        known = (*_TAGGED, *people, *plain, "output_factor", "name", "region", "current")
        for name in given:
            if name not in known:
                raise UnknownName("CT input", name, known)
        doses = [item for item in self.ranges if item.mode is None or item.mode.value != "topogram"]
        for name in _PER_RANGE:
            if name in given and len(doses) > 1:
                raise InvalidInput(
                    f"{name} belongs to one range, and this scan has {len(doses)}.",
                    where="typed",
                    way_out="Type it on a single series, or build CtRange objects in Python.",
                )
        changes: dict[str, Any] = {
            name: given[name] for name in ("name", "region", "current") if name in given
        }
        for name in _TAGGED:
            if name in given:
                changes[name] = Tagged(given[name], _UNITS.get(name, "1"), "extracted", "", "typed")
        if "ctdivol_mgy" in given and "dlp_mgy_cm" not in given and doses:
            changes |= _rescaled_dlp(doses[0], float(given["ctdivol_mgy"]))
        ranges = tuple(replace(item, **changes) if item in doses else item for item in self.ranges)
        person = dict(self.person)
        units = {"sex": "1", "age_y": "a", "height_cm": "cm", "weight_kg": "kg"}
        for name in people:
            if name in given:
                person[name] = Tagged(given[name], units[name], "extracted", "", "typed")
        rest = {name: given[name] for name in plain if name in given}
        if "output_factor" in given:
            rest["output_factor"] = Tagged(float(given["output_factor"]), "1", "extracted", "", "typed")
        return replace(self, ranges=ranges, person=person, **rest)

    def single_range(self) -> CtRange:
        """Return the only range that is not a topogram.

        Raises
        ------
        MissingInput
            There is none.
        InvalidInput
            There are several.
        """
        found = [item for item in self.ranges if item.mode is None or item.mode.value != "topogram"]
        if not found:
            raise MissingInput("This scan has only topograms.", way_out="Give an acquisition with a CTDIvol.")
        if len(found) > 1:
            raise InvalidInput(f"This scan has {len(found)} ranges.", way_out="Use scan.ranges.")
        return found[0]


def _rescaled_dlp(item: CtRange, ctdivol_mgy: float) -> dict[str, Any]:
    """Return the DLP that keeps the irradiated length when another CTDIvol is typed over the one read."""
    if item.dlp_mgy_cm is None or item.ctdivol_mgy is None:
        return {}
    dlp = item.dlp_mgy_cm.value * ctdivol_mgy / item.ctdivol_mgy.value
    return {"dlp_mgy_cm": Tagged(dlp, "mGy.cm", "derived", "", "DLP read, scaled by the typed CTDIvol")}
