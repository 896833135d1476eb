"""TG-195 Cases 1 to 4 as geometry, source and scores. Defines `case_1` to `case_42`."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from wholedose.base import InvalidInput, UnknownName
from wholedose.matter import Material, material
from wholedose.tables import load
from wholedose.transport import Box, Cylinder, Disc, ShapeRegions, Solid, SolidGeometry, Tally, XrayBeam
from wholedose.validation.tg195_setup import Run, spectrum_named

AL_MM = {
    "30 keV": (2.273, 4.546),
    "100 keV": (15.11, 30.22),
    "30 kVp": (0.3431, 0.7663),
    "100 kVp": (3.95, 9.84),
}
MODES_2 = ("radiography", "tomosynthesis")
TOMO_ANGLE = math.radians(15.0)


def _check_mode(mode: str) -> None:
    if mode not in MODES_2:
        raise UnknownName("mode", mode, MODES_2, where="--mode")


def case_1(spectrum: str, mode: str, reference: Path | None) -> list[Run]:
    """Half and quarter value layer: air kerma through a disc of 0.5 cm radius at 100 cm, with Al at 10 cm."""
    if spectrum not in AL_MM:
        raise UnknownName("spectrum of Case 1", spectrum, AL_MM, where="--spectrum")
    energy, fluence = spectrum_named(spectrum)
    table = load("validation/tg195_air_kerma")
    kerma = (table["energy_kev"][table["mu_en"] > 0], table["mu_en"][table["mu_en"] > 0])
    disc = Disc((0, 0, 1000), 5, "z")
    half = 5.0 / 1000.0
    beam = XrayBeam((0, 0, 0), (0, 0, 1), (1, 0, 0), energy, fluence, (-half, half), (-half, half))
    runs = []
    for name, thickness in zip(
        ("NoneFilter", "HVLFilter", "QVLFilter"), (0.0, *AL_MM[spectrum]), strict=True
    ):
        solids = []
        if thickness:
            shape = Cylinder((0, 0, 100 + thickness / 2), 20, thickness, "z")
            solids.append(Solid(shape, material("aluminium")))
        geometry = SolidGeometry(solids, material("tg195_air"), (-100, -100, -1), (100, 100, 1010))
        regions = ShapeRegions({"disc": disc}, {"disc": kerma})

        def read(tally: Tally, volume: str = name) -> list[tuple[str, str, str, str, float, float]]:
            score = tally.regions["disc@response"]
            kind = "monoenergetic" if "keV" in spectrum else "polyenergetic"
            return [("1", volume, spectrum, kind, score.energy_kev, score.u_kev)]

        runs.append(Run(geometry, beam, regions, read))
    return runs


def ratios(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the ratio rows of Case 1: kerma behind the half and quarter value layer over that without."""
    done = [row for row in rows if "value" in row]
    free = next(row for row in rows if row["volume"] == "NoneFilter")
    for volume, case in (("HVLFilter", "HVL"), ("QVLFilter", "QVL")):
        behind = next(row for row in rows if row["volume"] == volume)
        value = behind["value_ev"] / free["value_ev"]
        u = value * math.hypot(behind["u_ev"] / behind["value_ev"], free["u_ev"] / free["value_ev"])
        done.append(
            {
                "case": "1 HVL",
                "volume": case,
                "spectrum": free["spectrum"],
                "mode": free["mode"],
                "value": value,
                "u": u,
            }
        )
    return done


def case_2(spectrum: str, mode: str, reference: Path | None) -> list[Run]:
    """Radiography and tomosynthesis of the body: a box of soft tissue 39 × 39 × 20 cm³ in air."""
    _check_mode(mode)
    energy, fluence = spectrum_named(spectrum)
    box = Box.between((-195, -195, 1550), (195, 195, 1750))
    shift = 1800.0 * math.tan(TOMO_ANGLE) if mode == "tomosynthesis" else 0.0
    beam = XrayBeam(
        (0, -shift, 0),
        (0, 0, 1),
        (1, 0, 0),
        energy,
        fluence,
        (-195 / 1800, 195 / 1800),
        ((shift - 195) / 1800, (shift + 195) / 1800),
    )
    centres = {
        1: (0, -150, 0),
        2: (-150, 0, 0),
        3: (0, 0, 0),
        4: (150, 0, 0),
        5: (0, 150, 0),
        6: (0, 0, -60),
        7: (0, 0, -30),
        8: (0, 0, 30),
        9: (0, 0, 60),
    }
    shapes: dict[str, Any] = {"Total body": box}
    for number, (x, y, z) in centres.items():
        shapes[f"VOI {number}"] = Box((x, y, 1650 + z), (30, 30, 30))
    geometry = SolidGeometry(
        [Solid(box, material("tg195_soft_tissue"))],
        material("tg195_air"),
        (-500, -500 - shift, -10),
        (500, 500, 2000),
    )
    return [Run(geometry, beam, ShapeRegions(shapes), _all_regions("2", spectrum, mode, shapes))]


def case_3(spectrum: str, mode: str, reference: Path | None) -> list[Run]:
    """Mammography and tomosynthesis: half a cylinder of 80 % adipose, 20 % glandular tissue, with skin."""
    _check_mode(mode)
    energy, fluence = spectrum_named(spectrum)
    skin = Cylinder((0, 0, 0), 100, 50, "z", half=(1, 0, 0))
    tissue = Cylinder((0, 0, 0), 98, 46, "z", half=(1, 0, 0))
    solids = [
        Solid(Box.between((-170, -150, -150), (0, 150, 150)), material("tg195_water")),
        Solid(Box.between((0, -130, 25), (140, 130, 27)), material("tg195_pmma")),
        Solid(Box.between((0, -130, -27), (140, 130, -25)), material("tg195_pmma")),
        Solid(skin, material("tg195_skin_case3")),
        Solid(tissue, breast()),
    ]
    angle = TOMO_ANGLE if mode == "tomosynthesis" else 0.0
    focus = (0.0, -620.0 * math.sin(angle), 620.0 * math.cos(angle))
    height = focus[2] + 40.0
    beam = XrayBeam(  # axis × fan = (0, 0, −1) × (1, 0, 0) = (0, −1, 0)
        focus,
        (0, 0, -1),
        (1, 0, 0),
        energy,
        fluence,
        (0.0, 140.0 / height),
        ((focus[1] - 130.0) / height, (focus[1] + 130.0) / height),
    )
    centres = {
        1: (50, 50, 0),
        2: (20, 0, 0),
        3: (50, 0, 0),
        4: (80, 0, 0),
        5: (50, -50, 0),
        6: (50, 0, -15),
        7: (50, 0, 15),
    }
    shapes: dict[str, Any] = {"Total body": tissue}
    for number, centre in centres.items():
        shapes[f"VOI {number}"] = Box(centre, (20, 20, 10))
    geometry = SolidGeometry(solids, material("tg195_air"), (-200, -250, -160), (250, 250, 630))
    return [Run(geometry, beam, ShapeRegions(shapes), _all_regions("3", spectrum, mode, shapes))]


def breast() -> Material:
    """Return the breast tissue of Case 3: 20 % glandular, 80 % adipose by mass, the densities mixed alike."""
    adipose, gland = material("tg195_adipose"), material("tg195_gland")
    fractions: dict[int, float] = {}
    for share, part in ((0.8, adipose), (0.2, gland)):
        for z, fraction in part.composition:
            fractions[z] = fractions.get(z, 0.0) + share * fraction
    density = 0.8 * adipose.density_g_cm3 + 0.2 * gland.density_g_cm3
    return Material("tg195_breast_20_80", density, tuple(sorted(fractions.items())))


def case_41(spectrum: str, mode: str, reference: Path | None) -> list[Run]:
    """CT of a PMMA cylinder (32 cm, 3 m long), one position: slabs of 1 cm at 0, 1, 2 and 3 cm."""
    width = _collimation(mode)
    shapes = {f"VOI {k + 1}": Cylinder((0, 0, 10.0 * k), 160, 10, "z") for k in range(4)}
    read = _all_regions("4.1", spectrum, mode, shapes)
    return [Run(_cylinder(), _fan(spectrum, width, [0.0]), ShapeRegions(shapes), read)]


def case_42(spectrum: str, mode: str, reference: Path | None) -> list[Run]:
    """CT of the same cylinder: rods of 1 cm in the middle and near the surface, 36 positions and rotating.

    The cylinder is round, so one position with a rod at each of 36 angles gives all positions; the two rods
    at ± one angle are averaged.
    """
    width = _collimation(mode)
    places = ["Center", "Pherifery"]
    if not re.match(r"\d", mode):
        word = mode.split(" ")[0]
        if word not in (*places, "Centre", "Periphery"):
            raise UnknownName("place", word, places, where="--mode")
        places = ["Center" if word.startswith("Cent") else "Pherifery"]
    shapes = {"Center": Cylinder((0, 0, 0), 5, 100, "z")}
    for angle in range(0, 360, 10):
        # the source at `angle` and the rod at −x equal the source at 0 and the rod turned back by `angle`
        turn = math.radians(180.0 - angle)
        shapes[str(angle)] = Cylinder((150 * math.cos(turn), 150 * math.sin(turn), 0), 5, 100, "z")
    label = f"{width:g}mm collimation"

    def mean_of(tally: Tally, names: Sequence[str]) -> tuple[float, float]:
        batches = np.mean([tally.regions[name].per_batch_kev for name in names], axis=0)
        return float(batches.mean()), float(batches.std(ddof=1) / math.sqrt(len(batches)))

    def positions(tally: Tally) -> list[tuple[str, str, str, str, float, float]]:
        found = []
        for place in places:
            for angle in range(0, 360, 10):
                # the beam is symmetric, so the rods on its two sides receive the same
                sides = ["Center"] if place == "Center" else [str(angle), str((360 - angle) % 360)]
                found.append(("4.2", str(angle), spectrum, f"{place} {label}", *mean_of(tally, sides)))
        return found

    def rotating(tally: Tally) -> list[tuple[str, str, str, str, float, float]]:
        found = []
        for place in places:
            names = ["Center"] if place == "Center" else [str(angle) for angle in range(0, 360, 10)]
            found.append(("4.2", "Continuous", spectrum, f"{place} {label}", *mean_of(tally, names)))
        return found

    regions = ShapeRegions(shapes)
    every = np.arange(720) / 2.0
    return [
        Run(_cylinder(), _fan(spectrum, width, [0.0]), regions, positions),
        Run(_cylinder(), _fan(spectrum, width, every), regions, rotating),
    ]


def _collimation(mode: str) -> float:
    match = re.search(r"(\d+(?:\.\d+)?)\s*mm collimation", mode)
    if not match or not 0 < float(match.group(1)) <= 400:
        raise InvalidInput(
            f"The mode {mode!r} names no collimation.",
            where="--mode",
            way_out="Give such as '10mm collimation'.",
        )
    return float(match.group(1))


def _cylinder() -> SolidGeometry:
    return SolidGeometry(
        [Solid(Cylinder((0, 0, 0), 160, 3000, "z"), material("tg195_pmma"))],
        material("tg195_air"),
        (-610, -610, -1600),
        (610, 610, 1600),
    )


def _fan(spectrum: str, width_mm: float, angles_deg: Any) -> XrayBeam:
    energy, fluence = spectrum_named(spectrum)
    turn = np.radians(np.asarray(angles_deg, dtype=np.float64))
    zero = np.zeros_like(turn)
    focus = -600.0 * np.stack([np.cos(turn), np.sin(turn), zero], axis=1)
    fan = np.stack([-np.sin(turn), np.cos(turn), zero], axis=1)
    half = width_mm / 2.0 / 600.0
    return XrayBeam(focus, -focus / 600.0, fan, energy, fluence, (-160 / 600, 160 / 600), (-half, half))


def _all_regions(case: str, spectrum: str, mode: str, shapes: Any) -> Any:
    def read(tally: Tally) -> list[tuple[str, str, str, str, float, float]]:
        return [
            (case, name, spectrum, mode, tally.regions[name].energy_kev, tally.regions[name].u_kev)
            for name in shapes
        ]

    return read
