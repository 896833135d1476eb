"""What a CT record must tell, and what is assumed when it does not. Defines `ResolvedRange` and `resolve`.

Tube voltage, CTDIvol and phantom are never assumed: without them the dose has no scale. Everything else has a
rule of the table ``xray/ct_assumptions``; each use of a rule becomes an `Assumption` of the result.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from wholedose.base import Assumption, MissingInput, Tagged
from wholedose.tables import load
from wholedose.xray.ct_scan import CtRange, CtScan, TubeCurrent

LENGTH_RATIO = (0.80, 1.20)  # DLP / CTDIvol over the scanned length; real reports span 0.82 to 1.15


@dataclass(frozen=True, eq=False)
class ResolvedRange:
    """A `CtRange` with every value that a calculation needs.

    Attributes
    ----------
    kv, ctdivol_mgy, dlp_mgy_cm : float
        ``ctdivol_mgy`` and ``dlp_mgy_cm`` are the displayed ones times the device's output factor.
    phantom_cm : int
    z_mm : tuple of float
        Irradiated range (low, high) in LPS mm; equal ends when the table stands.
    position_u_mm, end_u_mm : float
        Standard uncertainty of the position of the range, and of each end on its own.
    mode : str
    collimation_mm, pitch, feed_mm, source_isocentre_mm : float
    isocentre_mm : tuple of float
        LPS x and y of the rotation axis.
    filter_shape : str
    filter_known : bool
        Whether the record names the shape itself.
    current : TubeCurrent or None
    modulation_u : float
        Standard uncertainty of the dose by what is not known of the tube current, as a fraction.
    assumptions : tuple of Assumption
    findings : tuple of str
    name : str
    """

    kv: float
    ctdivol_mgy: float
    dlp_mgy_cm: float
    phantom_cm: int
    z_mm: tuple[float, float]
    position_u_mm: float
    end_u_mm: float
    mode: str
    collimation_mm: float
    pitch: float
    feed_mm: float
    source_isocentre_mm: float
    isocentre_mm: tuple[float, float]
    filter_shape: str
    filter_known: bool
    current: TubeCurrent | None
    modulation_u: float
    assumptions: tuple[Assumption, ...]
    findings: tuple[str, ...]
    name: str = ""

    @property
    def length_mm(self) -> float:
        """Length of the path of the focus along z."""
        return self.z_mm[1] - self.z_mm[0]

    @property
    def irradiated_z_mm(self) -> tuple[float, float]:
        """Range at the isocentre that primary photons reach: half a collimation beyond each end."""
        half = self.collimation_mm / 2.0
        return self.z_mm[0] - half, self.z_mm[1] + half

    def to_json(self) -> dict[str, Any]:
        """Return the values for provenance."""
        found: dict[str, Any] = {name: getattr(self, name) for name in _PLAIN}
        found["z_mm"], found["isocentre_mm"] = list(self.z_mm), list(self.isocentre_mm)
        if self.current is not None:
            found["current"] = {"z_mm": self.current.z_mm.tolist(), "ma": self.current.ma.tolist()}
        return found


_PLAIN = (
    "kv",
    "ctdivol_mgy",
    "dlp_mgy_cm",
    "phantom_cm",
    "mode",
    "collimation_mm",
    "pitch",
    "feed_mm",
    "source_isocentre_mm",
    "filter_shape",
)


def rule(name: str) -> dict[str, Any]:
    """Return one row of the table of assumptions."""
    return _rules()[name]


def _rules() -> dict[str, dict[str, Any]]:
    return {str(row["name"]): row for row in load("xray/ct_assumptions").rows()}


class _Assumed:
    """Collects the assumptions made while a range is resolved."""

    def __init__(self) -> None:
        self.items: list[Assumption] = []

    def take(self, name: str, what: str) -> float:
        row = rule(name)
        unit = "" if row["unit"] == "1" else f" {row['unit']}"
        share = None if math.isnan(row["relative_u"]) else float(row["relative_u"])
        self.items.append(Assumption(what, f"{row['value']:g}{unit}", str(row["source"]), share))
        return float(row["value"])

    def note(self, what: str, value: str, why: str, share: float | None = None) -> None:
        self.items.append(Assumption(what, value, why, share))


def resolve(item: CtRange, scan: CtScan, body_centre_mm: tuple[float, float] | None = None) -> ResolvedRange:
    """Fill a range's missing values by the rules, or refuse.

    Parameters
    ----------
    item : CtRange
    scan : CtScan
        Gives the image and the scanner.
    body_centre_mm : tuple of float, optional
        LPS x and y of the middle of the body, where the rotation axis is put when nothing tells it.

    Raises
    ------
    MissingInput
        kV, CTDIvol, phantom or any hint of where the scan was is missing; the message says what to give.
    """
    kv = _need(item.kv, "tube voltage", "--kv 120")
    phantom = _need(item.phantom_cm, "CTDI phantom", "--phantom 32 (body) or --phantom 16 (head)")
    assumed = _Assumed()
    findings: list[str] = []
    ctdivol = _ctdivol(item)
    factor = 1.0 if scan.output_factor is None else scan.output_factor.value
    mode = "helical" if item.mode is None else item.mode.value
    if item.mode is None:
        assumed.note("scan mode", "helical", "assumption: most CT scans are")
    known = item.collimation_mm
    collimation = assumed.take("collimation", "collimation") if known is None else known.value
    pitch = _pitch(item, collimation, mode, assumed)
    z, dlp, position_u, end_u = _place(item, scan, ctdivol, mode, collimation, pitch, assumed, findings)
    if known is None:
        end_u = math.hypot(end_u, assumed_value("collimation_ends"))
    feed = item.feed_mm.value if item.feed_mm is not None else pitch * collimation
    if item.source_isocentre_mm is None:
        distance = assumed.take("source_isocentre", "source to isocentre")
    else:
        distance = item.source_isocentre_mm.value
    shape, shape_known = _shape(item, phantom, assumed)
    return ResolvedRange(
        kv=float(kv),
        ctdivol_mgy=ctdivol * factor,
        dlp_mgy_cm=dlp * factor,
        phantom_cm=int(phantom),
        z_mm=z,
        position_u_mm=position_u,
        end_u_mm=end_u,
        mode=mode,
        collimation_mm=collimation,
        pitch=pitch,
        feed_mm=feed,
        source_isocentre_mm=distance,
        isocentre_mm=_isocentre(item, scan, body_centre_mm, assumed),
        filter_shape=shape,
        filter_known=shape_known,
        current=item.current,
        modulation_u=_modulation(item, mode, assumed),
        assumptions=tuple(assumed.items),
        findings=tuple(findings),
        name=item.name,
    )


def _need(item: Tagged[Any] | None, what: str, example: str) -> Any:
    if item is None:
        raise MissingInput(
            f"The {what} of the scan is not known.",
            where="CT range",
            way_out=f"Give the dose report with the images, or type it, for example {example}.",
        )
    return item.value


def _ctdivol(item: CtRange) -> float:
    if item.ctdivol_mgy is not None:
        return item.ctdivol_mgy.value
    length = None
    if item.start_z_mm is not None and item.end_z_mm is not None:
        length = abs(item.end_z_mm.value - item.start_z_mm.value)
    if item.dlp_mgy_cm is not None and length:
        return item.dlp_mgy_cm.value * 10.0 / length
    raise MissingInput(
        "The CTDIvol of the scan is not known, so the dose has no scale.",
        where="CT range",
        way_out="Give the dose report with the images, or type it, for example --ctdivol 8.2.",
    )


def _pitch(item: CtRange, collimation: float, mode: str, assumed: _Assumed) -> float:
    if item.pitch is not None:
        return item.pitch.value
    if item.feed_mm is not None and mode != "stationary":
        return item.feed_mm.value / collimation
    return assumed.take("pitch", "pitch") if mode == "helical" else 1.0


def _place(
    item: CtRange,
    scan: CtScan,
    ctdivol: float,
    mode: str,
    collimation: float,
    pitch: float,
    assumed: _Assumed,
    findings: list[str],
) -> tuple[tuple[float, float], float, float, float]:
    """Return the range of the focus, the DLP and the standard uncertainties of position and ends."""
    dlp = None if item.dlp_mgy_cm is None else item.dlp_mgy_cm.value
    length = None if dlp is None else dlp * 10.0 / ctdivol
    if item.start_z_mm is not None and item.end_z_mm is not None:
        low, high = sorted((item.start_z_mm.value, item.end_z_mm.value))
        u = assumed_value("range_ends_known")
        position_u, end_u = u / math.sqrt(2.0), u
        between, source = high - low, "start and end of the irradiated range"
    elif item.scan_z_mm is not None:
        low, high = sorted(item.scan_z_mm.value)
        position_u = end_u = assumed_value("range_centred")
        between, source = high - low, "the scanned range"
    elif scan.image is not None:
        low, high = scan.image.grid.lower_mm[2], scan.image.grid.upper_mm[2]
        position_u = end_u = assumed_value("range_from_image")
        between, source = high - low, "the image"
        assumed.note("scan position", "centred on the image", "no range in the record", None)
    else:
        raise MissingInput(
            "Nothing tells where the scan was: no range and no image.",
            where="CT range",
            way_out="Give the images, or start_z_mm and end_z_mm in the body's coordinates.",
        )
    middle = (low + high) / 2.0
    if mode == "stationary":
        return (middle, middle), dlp if dlp is not None else ctdivol * collimation / 10.0, position_u, end_u
    if length is None:
        length = between
        if mode == "helical" and item.start_z_mm is None:
            length += 2.0 * assumed_value("over_ranging") * collimation * pitch
        dlp = ctdivol * length / 10.0
        assumed.note("dose-length product", f"{dlp:.1f} mGy cm", f"CTDIvol times the length of {source}")
    elif between > 0 and not LENGTH_RATIO[0] <= length / between <= LENGTH_RATIO[1]:
        findings.append(
            f"DLP/CTDIvol is {length:.0f} mm, {length / between:.2f} times {source} ({between:.0f} mm); "
            "real reports lie between 0.82 and 1.17."
        )
    assert dlp is not None
    return (middle - length / 2.0, middle + length / 2.0), dlp, position_u, end_u


def assumed_value(name: str) -> float:
    """Return the value of a rule."""
    return float(rule(name)["value"])


def _shape(item: CtRange, phantom: int, assumed: _Assumed) -> tuple[str, bool]:
    if item.filter_shape is not None:
        return item.filter_shape.value, True
    if item.filter_class is not None:
        name = f"generic_{item.filter_class.value}"
        assumed.note("beam-shaping filter", name, f"the record says {item.filter_class.value} filter")
        return name, False
    name = "generic_head" if phantom == 16 else "generic_body"
    assumed.note("beam-shaping filter", name, f"assumption: CTDIvol refers to the {phantom} cm phantom")
    return name, False


def _isocentre(
    item: CtRange, scan: CtScan, body: tuple[float, float] | None, assumed: _Assumed
) -> tuple[float, float]:
    if item.isocentre_mm is not None:
        x, y = item.isocentre_mm.value
        return float(x), float(y)
    if scan.image is not None:
        x, y, _ = scan.image.grid.centre_mm
        assumed.note("rotation axis", f"x {x:.0f} mm, y {y:.0f} mm", "assumption: the middle of the image")
        return x, y
    if body is not None:
        x, y = body
        assumed.note("rotation axis", f"x {x:.0f} mm, y {y:.0f} mm", "assumption: the middle of the body")
        return x, y
    raise MissingInput("Nothing tells where the rotation axis was.", way_out="Give isocentre_mm or images.")


def _modulation(item: CtRange, mode: str, assumed: _Assumed) -> float:
    if item.current is not None and (item.current.is_constant or mode == "stationary"):
        return 0.0
    name = "modulation_known" if item.current is not None else "modulation_unknown"
    row = rule(name)
    value = "along the patient only" if item.current is not None else "uniform along the patient"
    assumed.note("tube current modulation", value, str(row["source"]), float(row["relative_u"]))
    return float(row["relative_u"])
