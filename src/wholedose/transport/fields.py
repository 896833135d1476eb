"""Fields that surround a person. Defines `IsotropicField` and `RotatingField`.

Both are uniform: the fluence is the same everywhere inside the box that they surround. Photons start on the
faces of the box, flying inward, with a cosine distribution, so that every history enters it. For a fluence
rate Φ that is isotropic, Φ/4 photons enter each unit of surface; where all directions are perpendicular to z
and uniform in azimuth, Φ/π enter each unit of the four side faces and none the ends. One history therefore
makes the fluence 4/S or π/S, which `fluence_per_cm2` gives.

Source of the current through a surface: any text on transport, for example Lewis and Miller, *Computational
Methods of Neutron Transport* (1984), section 1-5.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from wholedose.base import InvalidInput
from wholedose.transport.sources import (
    FIELD,
    Energy,
    Point,
    SourceArrays,
    _digest,
    _empty,
    alias_table,
    checked_spectrum,
)


@dataclass(frozen=True)
class _Field:
    """A uniform field inside a box.

    Parameters
    ----------
    lower_mm, upper_mm : (x, y, z)
        Low and high corner of the box, LPS mm; usually those of the geometry's grid.
    energy : float, spectrum or (energies, weights)
        A line in keV, or discrete energies with relative photon numbers.
    """

    lower_mm: Point
    upper_mm: Point
    energy: Energy

    _ends: ClassVar[bool] = True
    _per_surface: ClassVar[float] = 4.0
    _name: ClassVar[str] = "field"

    def __post_init__(self) -> None:
        checked_spectrum(self.energy)
        low, high = (np.asarray(corner, dtype=np.float64) for corner in (self.lower_mm, self.upper_mm))
        if (
            low.shape != (3,)
            or high.shape != (3,)
            or not np.isfinite(high - low).all()
            or (high <= low).any()
        ):
            raise InvalidInput(
                f"A field needs a box, got the corners {self.lower_mm} and {self.upper_mm}.",
                where="lower_mm, upper_mm",
                way_out="Give the low and the high corner in mm: each coordinate of the second is larger.",
            )

    def _face_areas(self) -> list[float]:
        """Return the area in cm² of the faces across x, y and z, those that photons enter by."""
        a, b, c = (np.asarray(self.upper_mm, dtype=np.float64) - self.lower_mm) / 10.0
        return [float(b * c), float(a * c), float(a * b) if self._ends else 0.0]

    @property
    def fluence_per_cm2(self) -> float:
        """Fluence inside the box per history, in 1/cm²."""
        return self._per_surface / (2.0 * sum(self._face_areas()))

    def arrays(self, lower_mm: Point) -> SourceArrays:
        """Return the source relative to a geometry's low corner."""
        kev, weight = checked_spectrum(self.energy)
        chance, alias = alias_table(weight)
        face_chance, face_alias = alias_table(self._face_areas())
        low, high = ((np.asarray(corner) - lower_mm) / 10.0 for corner in (self.lower_mm, self.upper_mm))
        return _empty(
            kind=FIELD,
            frame=np.concatenate([low, high - low, np.zeros(6)]),
            size=np.array([float(self._ends), 0.0, 0.0]),
            view_chance=face_chance[None],
            view_alias=face_alias[None],
            energy_kev=kev,
            energy_chance=chance[None],
            energy_alias=alias[None],
        )

    def digest(self) -> str:
        """Return a digest of everything that defines the source."""
        return _digest(self._name, self.arrays((0.0, 0.0, 0.0)))


@dataclass(frozen=True)
class IsotropicField(_Field):
    """Photons from all directions alike, of the same fluence everywhere in a box: ICRP's geometry ISO.

    Parameters
    ----------
    lower_mm, upper_mm : (x, y, z)
        Low and high corner of the box, LPS mm; usually those of the geometry's grid.
    energy : float, spectrum or (energies, weights)
        A line in keV, or discrete energies with relative photon numbers.

    Raises
    ------
    InvalidInput
        Corners that make no box.
    OutsideDomain
        Energies outside 1 keV to 10 MeV.

    Examples
    --------
    >>> round(IsotropicField((0, 0, 0), (100, 100, 100), 60.0).fluence_per_cm2, 6)
    0.006667
    """

    _name: ClassVar[str] = "isotropic field"


@dataclass(frozen=True)
class RotatingField(_Field):
    """A parallel beam perpendicular to z that turns about z evenly: ICRP's geometry ROT.

    Parameters
    ----------
    lower_mm, upper_mm : (x, y, z)
        Low and high corner of the box, LPS mm; usually those of the geometry's grid.
    energy : float, spectrum or (energies, weights)
        A line in keV, or discrete energies with relative photon numbers.

    Raises
    ------
    InvalidInput
        Corners that make no box.
    OutsideDomain
        Energies outside 1 keV to 10 MeV.

    Examples
    --------
    >>> round(RotatingField((0, 0, 0), (100, 100, 100), 60.0).fluence_per_cm2, 6)
    0.007854
    """

    _ends: ClassVar[bool] = False
    _per_surface: ClassVar[float] = math.pi
    _name: ClassVar[str] = "rotating field"
