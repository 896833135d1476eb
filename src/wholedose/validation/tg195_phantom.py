"""TG-195 Case 5: CT of an anthropomorphic voxel phantom. Defines `case_5`."""

from __future__ import annotations

import tarfile
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from wholedose.base import Grid, InvalidInput, MissingInput
from wholedose.matter import material
from wholedose.transport import Regions, Tally, VoxelGeometry, XrayBeam
from wholedose.validation.tg195_setup import Run, spectrum_named

SHAPE = (260, 320, 500)
# index in the phantom's file: (name as in the results, material, density in g/cm³)
CONTENT = (
    ("Air", "tg195_air", 0.001205),
    ("Cushion foam", "tg195_cushion", 0.075),
    ("Carbon fibre", "tg195_carbon_fibre", 1.2),
    ("Soft tissue", "tg195_soft_tissue", 1.03),
    ("Heart", "tg195_heart", 1.05),
    ("Lung", "tg195_lung", 0.26),
    ("Liver", "tg195_liver", 1.06),
    ("Gallbladder", "tg195_soft_tissue", 1.03),
    ("Spleen", "tg195_spleen", 1.06),
    ("Stomach", "tg195_gut", 1.03),
    ("Large Intestine", "tg195_gut", 1.03),
    ("Pancreas", "tg195_pancreas", 1.04),
    ("Adrenal", "tg195_soft_tissue", 1.03),
    ("Thyroid", "tg195_thyroid", 1.05),
    ("Thymus", "tg195_soft_tissue", 1.03),
    ("Small Intestine", "tg195_gut", 1.03),
    ("Esophagus", "tg195_gut", 1.03),
    ("Skin", "tg195_skin", 1.09),
    ("Breast", "tg195_breast", 0.93),
    ("Cortical Bone", "tg195_cortical_bone", 1.92),
)
FIRST_TISSUE = 3
FOCUS_MM = 600.0


def case_5(spectrum: str, mode: str, reference: Path | None) -> list[Run]:
    """CT of the phantom in air from one angle (degrees, any), or rotating (``"Continuous"``)."""
    if mode == "Continuous":
        angles = np.arange(720) / 2.0
    else:
        try:
            angles = np.array([float(mode)])
        except ValueError:
            raise InvalidInput(
                f"The mode {mode!r} is no angle.", where="--mode", way_out="Give degrees, or Continuous."
            ) from None
    geometry, regions = _phantom(reference)
    names = [name for name, _, _ in CONTENT[FIRST_TISSUE:]]

    def read(tally: Tally) -> list[tuple[str, str, str, str, float, float]]:
        return [
            ("5", name, spectrum, mode, tally.regions[name].energy_kev, tally.regions[name].u_kev)
            for name in names
        ]

    return [Run(geometry, _fan(spectrum, angles), regions, read)]


def _fan(spectrum: str, angles_deg: Any) -> XrayBeam:
    """Return a fan of 50 cm × 1 cm at the axis; the focus turns from −y towards −x."""
    energy, fluence = spectrum_named(spectrum)
    turn = np.radians(angles_deg)
    zero = np.zeros_like(turn)
    axis = np.stack([np.sin(turn), np.cos(turn), zero], axis=1)
    fan = np.stack([np.cos(turn), -np.sin(turn), zero], axis=1)
    opening, half = 250.0 / FOCUS_MM, 5.0 / FOCUS_MM
    return XrayBeam(-FOCUS_MM * axis, axis, fan, energy, fluence, (-opening, opening), (-half, half))


@lru_cache(maxsize=1)
def _phantom(reference: Path | None) -> tuple[VoxelGeometry, Regions]:
    path = None if reference is None else reference / "tg195" / "case5world.tar.gz"
    if path is None or not path.exists():
        raise MissingInput(
            "Case 5 needs the phantom of TG-195, which is not shipped.",
            where=str(path or "reference folder"),
            way_out="Put case5world.tar.gz there, or set WHOLEDOSE_SHARED.",
        )
    with tarfile.open(path) as archive:
        stream = archive.extractfile(archive.getmembers()[0])
        raw = b"" if stream is None else stream.read()
    if len(raw) != int(np.prod(SHAPE)):
        raise InvalidInput(f"The phantom has {len(raw)} voxels, not {np.prod(SHAPE)}.", where=str(path))
    index = np.frombuffer(raw, dtype=np.uint8).reshape(SHAPE)
    grid = Grid(SHAPE, (1.0, 1.0, 1.0), (-249.5, -159.5, -129.5))
    materials = tuple(material(name) for _, name, _ in CONTENT)
    density = np.array([rho for _, _, rho in CONTENT], dtype=np.float32)
    geometry = VoxelGeometry(
        grid, index.copy(), density[index], materials, surroundings=material("tg195_air")
    )
    labels = np.where(index >= FIRST_TISSUE, index.astype(np.int16) - (FIRST_TISSUE - 1), 0).astype(np.int16)
    return geometry, Regions(labels, tuple(name for name, _, _ in CONTENT[FIRST_TISSUE:]))
