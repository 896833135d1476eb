"""How the simulated scanner scans: range, tube current, output. Defines `ScanPlan` and `plan_scan`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wholedose.base import Grid, OutsideDomain, UnknownName
from wholedose.body import Body, Pose
from wholedose.tables import load

FloatArray = NDArray[np.float64]

COLLIMATION_MM = 38.4
ROW_MM = 0.6
PITCH = 0.9
ROTATION_S = 0.5
FOCUS_TO_ISOCENTRE_MM = 570.0
FOCUS_TO_DETECTOR_MM = 1040.0
MAX_MA = 700
MIN_MA = 30

# assumptions of the modulation: a patient of this water-equivalent diameter gets the reference mAs, and the
# current follows the attenuation with half its exponent, a common middle strength
REFERENCE_DIAMETER_CM = 26.0
REFERENCE_EFFECTIVE_MAS = 100.0
WATER_PER_CM = 0.19
STRENGTH = 0.5
ADULT_HEIGHT_MM = 1700.0
# upper arms beside the head, so that most people's fit into the image
ARMS_UP = Pose.of("supine, arms up").with_(
    {("shoulder_both", "abduction"): 170.0, ("elbow_both", "flexion"): 30.0},
    name="supine, arms beside the head",
)
ARMS_DOWN = Pose.of("supine, arms down")


@dataclass(frozen=True)
class Protocol:
    """How a region is scanned.

    Attributes
    ----------
    low, high : (str, float)
        Landmark of the lower and of the upper end of the images, and the margin in mm beyond it of an adult;
        smaller people have it in proportion to their height.
    pose : Pose
    reference_diameter_cm, effective_mas : float
        A patient of this water-equivalent diameter gets this at 120 kV.
    phantom_cm : int
        CTDI phantom.
    output_factor : float
        CTDIw of that phantom over that of the 32 cm phantom.
    """

    low: tuple[str, float]
    high: tuple[str, float]
    pose: Pose = ARMS_UP
    reference_diameter_cm: float = REFERENCE_DIAMETER_CM
    effective_mas: float = REFERENCE_EFFECTIVE_MAS
    phantom_cm: int = 32
    output_factor: float = 1.0


REGIONS: dict[str, Protocol] = {
    "chest": Protocol(("lung_bottom", -20.0), ("lung_top", 20.0)),
    "abdomen_pelvis": Protocol(("hip", -20.0), ("lung_bottom", 60.0)),
    # assumptions: a head of 17 cm, 300 effective mAs, and twice the dose in the smaller phantom
    "head": Protocol(("chin", 0.0), ("vertex", 15.0), ARMS_DOWN, 17.0, 300.0, 16, 2.0),
}


@dataclass(frozen=True, eq=False)
class ScanPlan:
    """A helical scan.

    Attributes
    ----------
    region : str
    kv : float
    slices_mm : array
        z of the slice centres, ascending.
    spacing_mm, thickness_mm : float
    irradiated_mm : (float, float)
        Ends of the table travel with the beam on: the images and half a table feed more at each end
        (over-ranging).
    z_mm, ma : arrays
        Tube current (whole mA) along the irradiated range, at every slice position and beyond.
    diameter_cm : array
        Water-equivalent diameter at ``z_mm``.
    output : float
        CTDIw in mGy per 100 mAs.
    phantom_cm : int
        Diameter of the CTDI phantom, 16 or 32.
    """

    region: str
    kv: float
    slices_mm: FloatArray
    spacing_mm: float
    thickness_mm: float
    irradiated_mm: tuple[float, float]
    z_mm: FloatArray
    ma: FloatArray
    diameter_cm: FloatArray
    output: float
    phantom_cm: int

    @property
    def length_mm(self) -> float:
        """Irradiated length."""
        return self.irradiated_mm[1] - self.irradiated_mm[0]

    @property
    def exposure_s(self) -> float:
        """Beam-on time."""
        return ROTATION_S * self.length_mm / (COLLIMATION_MM * PITCH)

    @property
    def mean_ma(self) -> float:
        """Mean tube current over the irradiated range."""
        z = np.linspace(*self.irradiated_mm, 2001)
        return float(np.interp(z, self.z_mm, self.ma).mean())

    def ctdivol_mgy(self, ma: float | FloatArray) -> float | FloatArray:
        """Return CTDIvol of a tube current: output × mA·t/pitch."""
        return self.output * ma * ROTATION_S / PITCH / 100.0

    @property
    def mean_ctdivol_mgy(self) -> float:
        """CTDIvol of the mean tube current."""
        return float(self.ctdivol_mgy(self.mean_ma))

    @property
    def dlp_mgy_cm(self) -> float:
        """CTDIvol times irradiated length."""
        return self.mean_ctdivol_mgy * self.length_mm / 10.0

    @property
    def slice_ma(self) -> FloatArray:
        """Tube current at the slices."""
        return np.interp(self.slices_mm, self.z_mm, self.ma)


def nominal_output(kv: float) -> float:
    """Return CTDIw in the body phantom, mGy per 100 mAs, log-log between the table's voltages.

    Raises
    ------
    OutsideDomain
        A voltage outside the table.
    """
    table = load("synthetic/nominal_output")
    volts = table["kv"]
    if not volts[0] <= kv <= volts[-1]:
        raise OutsideDomain(
            f"The simulated scanner has no {kv:g} kV.",
            where="kv",
            way_out=f"Give {volts[0]:g} to {volts[-1]:g} kV.",
        )
    return float(np.exp(np.interp(np.log(kv), np.log(volts), np.log(table["ctdiw_mgy_per_100mas"]))))


def water_diameter_cm(relative_mu: NDArray[np.float32], inside: NDArray[np.bool_], grid: Grid) -> FloatArray:
    """Return the water-equivalent diameter of each slice, 2√(A/π) with A = Σ μ/μ_water × pixel area."""
    _, dy, dx = grid.spacing_mm
    area = (relative_mu * inside).sum(axis=(1, 2), dtype=np.float64) * dy * dx / 100.0
    return np.asarray(2.0 * np.sqrt(area / np.pi), dtype=np.float64)


def protocol_of(region: str) -> Protocol:
    """Return how a region is scanned.

    Raises
    ------
    UnknownName
    """
    if region not in REGIONS:
        raise UnknownName("region", region, REGIONS, where="region")
    return REGIONS[region]


def plan_scan(
    body: Body, diameter_cm: FloatArray, *, region: str, kv: float, spacing_mm: float, thickness_mm: float
) -> ScanPlan:
    """Plan a scan of a region as the simulated scanner does.

    Parameters
    ----------
    body : Body
    diameter_cm : array
        Water-equivalent diameter at each z of the body's grid.
    region : {"chest", "abdomen_pelvis", "head"}
    kv, spacing_mm, thickness_mm : float
    """
    how = protocol_of(region)
    size = min(1.0, (body.landmarks["vertex"] - body.landmarks["sole"]) / ADULT_HEIGHT_MM)
    low, high = (body.landmarks[mark] + size * margin for mark, margin in (how.low, how.high))
    count = int(np.ceil((high - low) / spacing_mm))
    slices = np.asarray(low + spacing_mm * (np.arange(count) + 0.5), dtype=np.float64)
    overrange = COLLIMATION_MM * PITCH / 2
    irradiated = (
        float(slices[0]) - spacing_mm / 2 - overrange,
        float(slices[-1]) + spacing_mm / 2 + overrange,
    )
    beyond = int(np.ceil((overrange + spacing_mm / 2) / spacing_mm))
    z = slices[0] + spacing_mm * np.arange(-beyond, count + beyond)
    fine = np.arange(irradiated[0] - COLLIMATION_MM, irradiated[1] + COLLIMATION_MM, 1.0)
    seen = np.interp(fine, body.grid.axes_mm()[0], diameter_cm)
    output = nominal_output(kv)
    reference_ma = how.effective_mas * PITCH / ROTATION_S * nominal_output(120.0) / output
    wanted = reference_ma * np.exp(STRENGTH * WATER_PER_CM * (seen - how.reference_diameter_cm))
    # the scanner sees the patient through its whole beam width
    width = round(COLLIMATION_MM)
    smooth = np.convolve(np.pad(wanted, width, mode="edge"), np.full(width, 1 / width), "same")[width:-width]
    ma = np.clip(np.rint(np.interp(z, fine, smooth)), MIN_MA, MAX_MA)
    return ScanPlan(
        region,
        kv,
        slices,
        spacing_mm,
        thickness_mm,
        irradiated,
        np.asarray(z, dtype=np.float64),
        ma,
        np.interp(z, fine, seen),
        how.output_factor * output,
        how.phantom_cm,
    )
