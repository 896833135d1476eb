"""Dose to each voxel. Defines `DoseMap` and `load_dose`; the file forms are in their own modules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wholedose.base import AbsorbedDose, Cause, Grid, InvalidInput, Provenance
from wholedose.dose.dvh import DVH


@dataclass(frozen=True, eq=False)
class DoseMap:
    """The absorbed dose of each voxel of a grid.

    Parameters
    ----------
    grid : Grid
    dose_mgy : float32 array of shape ``grid.shape``
        Absorbed dose to the voxel's own material, in mGy.
    provenance : Provenance
    relative_u : float32 array of shape ``grid.shape``, optional
        Statistical standard uncertainty per voxel as a fraction of its dose.
    relative_parts : mapping of Cause to float
        Uncertainties that scale the whole map, as signed fractions.
    """

    grid: Grid
    dose_mgy: NDArray[np.float32]
    provenance: Provenance
    relative_u: NDArray[np.float32] | None = None
    relative_parts: Mapping[Cause, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, array in (("dose_mgy", self.dose_mgy), ("relative_u", self.relative_u)):
            if array is None:
                continue
            if array.shape != self.grid.shape:
                raise InvalidInput(f"{name} has the shape {array.shape}, its grid {self.grid.shape}.")
            object.__setattr__(self, name, np.ascontiguousarray(array, dtype=np.float32))
        if not np.isfinite(self.dose_mgy).all() or (self.dose_mgy < 0).any():
            raise InvalidInput("A dose map holds finite doses that are not negative.")

    def at(self, point_mm: tuple[float, float, float]) -> AbsorbedDose:
        """Return the dose of the voxel at an LPS point, with its uncertainty."""
        index = self.grid.index_of(point_mm)
        if any(i < 0 or i >= n for i, n in zip(index, self.grid.shape, strict=True)):
            raise InvalidInput(
                f"The point {point_mm} mm lies outside the map.", way_out="See grid.lower_mm and upper_mm."
            )
        value = float(self.dose_mgy[index])
        parts = {cause: value * part for cause, part in self.relative_parts.items()}
        if self.relative_u is not None:
            parts[Cause("statistical", f"voxel {index}")] = value * float(self.relative_u[index])
        return AbsorbedDose(value, parts)

    def dvh(self, mask: NDArray[np.bool_], density_g_cm3: NDArray[Any] | None = None) -> DVH:
        """Return the histogram over the voxels of a mask, by volume or, with a density, by mass."""
        if mask.shape != self.grid.shape:
            raise InvalidInput(f"The mask has the shape {mask.shape}, the map {self.grid.shape}.")
        return DVH.of(self.dose_mgy[mask], None if density_g_cm3 is None else density_g_cm3[mask])

    def scaled(self, factor: float) -> DoseMap:
        """Return the map for another output, such as another tube charge: dose is linear in it."""
        dose = (self.dose_mgy * np.float64(factor)).astype(np.float32)
        return DoseMap(self.grid, dose, self.provenance, self.relative_u, self.relative_parts)

    def save(self, path: str | Path, *, dicom: Mapping[str, str] | None = None) -> Path:
        """Write the map; the ending chooses the form.

        Parameters
        ----------
        path : path
            ``.nii.gz`` or ``.nii`` (NIfTI, RAS; the uncertainty beside it as ``*.u.nii.gz``),
            ``.dcm`` (DICOM RT Dose, 32 bit), ``.zarr`` (Zarr v3 folder).
        dicom : mapping, optional
            For ``.dcm``: attributes to carry over from the image, by keyword (``PatientID``, ``PatientName``,
            ``StudyInstanceUID``, ``FrameOfReferenceUID`` …).

        Raises
        ------
        InvalidInput
            An unknown ending.
        OutputFailed
            The place cannot be written; nothing half-written is left.
        """
        target = Path(path)
        if target.name.endswith((".nii.gz", ".nii")):
            from wholedose.dose import nifti

            return nifti.save(self, target)
        if target.suffix == ".dcm":
            from wholedose.dose import rtdose

            return rtdose.save(self, target, dicom or {})
        if target.suffix == ".zarr":
            from wholedose.dose import zarr_store

            return zarr_store.save(self, target)
        raise InvalidInput(
            f"No form of dose map ends in {target.suffix!r}.", way_out="Use .nii.gz, .dcm or .zarr."
        )


def load_dose(path: str | Path) -> DoseMap:
    """Read a dose map that `DoseMap.save` or another system wrote.

    Parameters
    ----------
    path : path
        ``.nii.gz``, ``.nii``, ``.zarr``, or a DICOM RT Dose of any name.

    Raises
    ------
    InvalidInput
        The file is not a dose map, or its axes are oblique.
    """
    source = Path(path)
    if not source.exists():
        raise InvalidInput("There is no such file.", where=str(source), way_out="Check the path.")
    if source.name.endswith((".nii.gz", ".nii")):
        from wholedose.dose import nifti

        return nifti.load(source)
    if source.suffix == ".zarr":
        from wholedose.dose import zarr_store

        return zarr_store.load(source)
    from wholedose.dose import rtdose

    return rtdose.load(source)
