"""A made-up but self-consistent chest CT: an elliptic body with lungs, heart, liver and spine.

Nothing here is a real dose; the types are the real ones, so that a document sees what it will see in use.
The dose falls with depth and away from the scanned range; each organ dose is the mean of the map over it.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import cache
from types import SimpleNamespace
from typing import Any

import numpy as np

from wholedose.base import AbsorbedDose, Assumption, Cause, EffectiveDose, Grid, Provenance, Tagged, Volume
from wholedose.body import Person
from wholedose.dose import Contribution, DoseMap, OrganDose, OrganDoses
from wholedose.matter import material
from wholedose.xray.ct_scan import CtRange, CtScan, TubeCurrent
from wholedose.xray.size_specific import Ssde

SCAN_Z = (-110.0, 150.0)
CENTRES: dict[str, tuple[tuple[float, float, float], tuple[float, float, float]]] = {
    # organ: LPS centre, half axes (x, y, z) in mm; the patient's left is +x
    "lungs": ((78.0, -8.0, 30.0), (56.0, 74.0, 125.0)),
    "heart": ((22.0, -38.0, -10.0), (48.0, 40.0, 55.0)),
    "liver": ((-60.0, -20.0, -135.0), (78.0, 68.0, 65.0)),
    "stomach": ((70.0, -30.0, -140.0), (42.0, 40.0, 45.0)),
    "spleen": ((95.0, 40.0, -145.0), (22.0, 35.0, 45.0)),
    "kidneys": ((62.0, 52.0, -205.0), (28.0, 24.0, 52.0)),
    "pancreas": ((5.0, 5.0, -165.0), (55.0, 16.0, 16.0)),
    "adrenals": ((42.0, 45.0, -145.0), (10.0, 8.0, 12.0)),
    "gall_bladder": ((-35.0, -50.0, -175.0), (16.0, 16.0, 24.0)),
    "small_intestine": ((0.0, -35.0, -270.0), (85.0, 55.0, 70.0)),
    "colon": ((0.0, -30.0, -340.0), (110.0, 45.0, 45.0)),
    "oesophagus": ((8.0, 22.0, 60.0), (9.0, 9.0, 130.0)),
    "thymus": ((0.0, -68.0, 75.0), (20.0, 9.0, 32.0)),
    "thyroid": ((0.0, -45.0, 215.0), (26.0, 10.0, 20.0)),
    "brain": ((0.0, -10.0, 400.0), (66.0, 84.0, 62.0)),
    "salivary_glands": ((45.0, -20.0, 300.0), (10.0, 18.0, 22.0)),
    "urinary_bladder": ((0.0, -30.0, -430.0), (36.0, 32.0, 30.0)),
    "ovaries": ((48.0, 0.0, -400.0), (12.0, 10.0, 18.0)),
    "uterus": ((0.0, 5.0, -405.0), (28.0, 22.0, 38.0)),
    "breasts": ((72.0, -112.0, 10.0), (52.0, 32.0, 55.0)),
}
PAIRED = frozenset({"lungs", "kidneys", "adrenals", "ovaries", "breasts", "salivary_glands"})
HU = {"lungs": -780, "bone_spine": 420, "skin": 20, "breasts": -40}


@cache
def body(voxel_mm: float = 6.0) -> Any:
    """The body as labels, densities and HU."""
    lower, upper = (-210.0, -150.0, -480.0), (210.0, 150.0, 480.0)
    shape = tuple(round((high - low) / voxel_mm) for low, high in zip(lower, upper, strict=True))[::-1]
    grid = Grid(shape, (voxel_mm,) * 3, tuple(low + voxel_mm / 2 for low in lower))  # type: ignore[arg-type]
    z, y, x = np.meshgrid(*grid.axes_mm(), indexing="ij")
    trunk = (x / 170.0) ** 2 + (y / 112.0) ** 2 <= 1
    trunk &= (z < 235.0) & (z > -480.0)
    head = (x / 80.0) ** 2 + ((y + 5.0) / 100.0) ** 2 + ((z - 385.0) / 95.0) ** 2 <= 1
    neck = (x / 60.0) ** 2 + (y / 62.0) ** 2 <= 1
    breast = np.zeros(grid.shape, dtype=bool)
    labels = np.zeros(grid.shape, dtype=np.int16)
    organs = ["muscle", "bone_spine", *CENTRES]
    masks = {}
    for organ, ((cx, cy, cz), (ax, ay, az)) in CENTRES.items():
        sides = (1.0, -1.0) if organ in PAIRED else (1.0,)
        masks[organ] = np.any(
            [((x - s * cx) / ax) ** 2 + ((y - cy) / ay) ** 2 + ((z - cz) / az) ** 2 <= 1 for s in sides],
            axis=0,
        )
    breast = masks["breasts"]
    labels[trunk | head | (neck & (z > 200.0) & (z < 330.0)) | breast] = 1
    for organ in CENTRES:
        labels[masks[organ] & (labels > 0)] = organs.index(organ) + 1
    spine = (x / 20.0) ** 2 + ((y - 62.0) / 18.0) ** 2 <= 1
    labels[spine & (z < 300.0) & (labels > 0)] = 2
    hu = np.full(grid.shape, -1000.0)
    for number, organ in enumerate(organs, start=1):
        hu[labels == number] = HU.get(organ, 45)
    density = np.clip(1.0 + hu / 1000.0, 0.0012, None).astype(np.float32)
    origin = {organ: "image" if abs(CENTRES[organ][0][2]) < 160 else "reference" for organ in CENTRES}
    return SimpleNamespace(
        person=Person(sex="F", age_y=34, height_cm=168, weight_kg=61),
        grid=grid,
        labels=labels,
        organs=tuple(organs),
        density_g_cm3=density,
        hu=hu,
        material=np.zeros(grid.shape, dtype=np.uint8),
        materials=(material("water"),),
        origin={**origin, "red_bone_marrow": "reference"},
        assumptions=(),
    )


@cache
def dose_map(scale: float = 1.0) -> DoseMap:
    """A dose that falls with depth and beyond the ends of the scan."""
    made = body()
    z, y, x = np.meshgrid(*made.grid.axes_mm(), indexing="ij")
    depth = np.sqrt((x / 185.0) ** 2 + (y / 125.0) ** 2)
    outside = np.maximum(0.0, np.maximum(SCAN_Z[0] - z, z - SCAN_Z[1]))
    values = 9.0 * (0.72 + 0.32 * depth**2) * np.exp(-outside / 38.0) * (made.labels > 0)
    return DoseMap(made.grid, (scale * values).astype(np.float32), PROVENANCE)


PROVENANCE = Provenance(
    method="photon Monte Carlo, track-length estimator, output scaled to the reported CTDIvol",
    seed=1,
    batches=64,
    histories=12_800_000,
    tables={"dose/tissue_weights": "0123456789abcdef", "xray/ct_assumptions": "fedcba9876543210"},
    inputs={"CT series (86 slices)": "9f" * 32, "dose report": "3a" * 32},
    options={"target": 0.01},
    assumptions=(
        Assumption("anode angle", "12°", "typical of CT tubes; not in the input", 0.004),
        Assumption("beam-shaping filter", "generic body", "the scanner's filter is not published", 0.04),
    ),
)


@dataclass(frozen=True)
class FakeResult:
    """A CT result with the fields of the real one that documents read."""

    organs: OrganDoses
    effective: EffectiveDose | None
    map: DoseMap
    body: Any
    scan: Any
    ssde: Any
    provenance: Provenance
    checks: tuple[Any, ...] = ()
    ranges: tuple[Any, ...] = ()
    what: str = "CT chest"

    def contribution(self) -> Contribution:
        return Contribution(
            self.what, "CT", self.organs, self.effective, self.provenance, date=dt.date(2026, 3, 4)
        )


def organ_doses(scale: float = 1.0) -> OrganDoses:
    """Means of the map over each organ, with causes; bone tissues and skin from the whole body."""
    made, dose = body(), dose_map()
    z = made.grid.axes_mm()[0]
    inside = (z >= SCAN_Z[0]) & (z <= SCAN_Z[1])
    rows = []
    whole = {"red_bone_marrow": "bone_spine", "endosteum": "bone_spine", "skin": "muscle", "muscle": "muscle"}
    for organ, source in [*((name, name) for name in CENTRES), *whole.items()]:
        mask = made.labels == made.organs.index(source) + 1
        value = scale * float(dose.dose_mgy[mask].mean())
        share = float(mask[inside].sum() / mask.sum())
        causes = {
            Cause("output calibration", "scanner 4711, 2026-01"): 0.05 * value,
            Cause("beam shaping filter", "generic body"): 0.04 * value,
            Cause("anatomy", f"{organ} of person"): (0.02 + 0.22 * (1 - share)) * value,
            Cause("scan range", "over-ranging"): 0.25 * (share not in (0.0, 1.0)) * 0.1 * value,
            Cause("statistical", f"seed 1, {organ}"): 0.008 * value,
            Cause("cross sections", "XCOM"): 0.01 * value,
        }
        mass = float(made.density_g_cm3[mask].sum() * made.grid.voxel_cm3)
        rows.append(OrganDose(organ, AbsorbedDose(value, causes), mass, share))
    return OrganDoses(rows)


def result(scale: float = 1.0, **changes: Any) -> FakeResult:
    """The made-up result; `scale` multiplies every dose."""
    made = body()
    organs = organ_doses(scale)
    known: dict[str, Any] = {
        "kv": Tagged(120.0, "kV", "extracted", "KVP", "CT series"),
        "ctdivol_mgy": Tagged(8.2 * scale, "mGy", "extracted", "113830, DCM", "dose report"),
        "phantom_cm": Tagged(32, "cm", "extracted", "113691, DCM", "dose report"),
        "dlp_mgy_cm": Tagged(213.2 * scale, "mGy.cm", "extracted", "113838, DCM", "dose report"),
        "mode": Tagged("helical", "1", "extracted", "", "dose report"),
        "pitch": Tagged(0.984, "1", "derived", "", "table feed over collimation"),
        "collimation_mm": Tagged(38.4, "mm", "extracted", "", "CT series"),
        "filter_shape": Tagged("generic body", "1", "assumed", "", "the scanner's filter is not published"),
        "isocentre_mm": Tagged((0.0, 4.5), "mm", "derived", "", "centre of the reconstruction"),
    }
    z = np.linspace(SCAN_Z[0], SCAN_Z[1], 60)
    current = TubeCurrent(z, 180 - 55 * np.sin((z + 110) / 260 * np.pi))
    known["start_z_mm"], known["end_z_mm"] = (
        Tagged(z, "mm", "derived", "", "DLP over CTDIvol") for z in SCAN_Z
    )
    scan = CtScan(
        (CtRange(current=current, **known),), image(), {"sex": Tagged("F", "1", "extracted", "", "typed")}
    )
    fields: dict[str, Any] = {
        "organs": organs,
        "effective": effective_of(organs),
        "map": dose_map(scale),
        "body": made,
        "scan": scan,
        "ssde": (
            Ssde(
                AbsorbedDose(11.4 * scale, {Cause("model", "AAPM 220"): 1.1 * scale}),
                26.3,
                1.39,
                "water-equivalent diameter",
            ),
        ),
        "provenance": PROVENANCE,
        "checks": (
            SimpleNamespace(
                what="The irradiated range reaches beyond the image.", size=14.0, severity="info"
            ),
            SimpleNamespace(
                what="The body is cut off at the edge of the image.", size=0.1, severity="warning"
            ),
        ),
        "ranges": (
            SimpleNamespace(irradiated_z_mm=SCAN_Z, current=current, source_isocentre_mm=541.0, kv=120.0),
        ),
    }
    return FakeResult(**{**fields, **changes})


@cache
def image() -> Volume:
    """The CT image: less of the body than was calculated."""
    made = body()
    z, y, x = made.grid.axes_mm()
    part = slice(int(np.searchsorted(z, -100.0)), int(np.searchsorted(z, 140.0)))
    origin = (float(x[0]), float(y[0]), float(z[part.start]))
    grid = Grid((part.stop - part.start, y.size, x.size), made.grid.spacing_mm, origin)
    return Volume(grid, made.hu[part].astype(np.int16), "HU", {})


def effective_of(organs: OrganDoses) -> EffectiveDose:
    """An effective dose for fixtures that lack tissues: the mean of the listed organs weighted 0.12 each."""
    listed = ("lungs", "stomach", "breasts", "colon", "red_bone_marrow", "liver", "oesophagus", "thyroid")
    total = AbsorbedDose.total(organs[name].dose for name in listed) * 0.12
    return total.to(EffectiveDose)
