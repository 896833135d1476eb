"""CT numbers to matter and back. Defines `HuCalibration`, `hu_of` and `relative_attenuation`.

The default is the stoichiometric calibration of Schneider, Bortfeld and Schlegel (2000): 24 tissues by
CT number and a piecewise linear density. A scanner's own calibration replaces the densities.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from wholedose.base.errors import InvalidInput
from wholedose.matter.elements import SYMBOLS
from wholedose.matter.materials import Material, material
from wholedose.matter.photons import photon_data
from wholedose.matter.spectra import Spectrum
from wholedose.tables import load

Array = NDArray[np.float64]

AIR_DENSITY = 0.001205
"""Dry air, g/cm³ (NIST); the lowest density that a calibration gives."""

CT_KEV = 65.0
"""Near the effective energy of CT numbers at 120 kV."""

BONE_FROM_HU = 120.0
"""From here on, Schneider's bins are mixtures of marrow and bone mineral, ordered by density."""

_PREDICTED = (
    "lung",
    "adipose",
    "muscle",
    "cartilage",
    "spongiosa",
    "vertebra_c4",
    "cranium",
    "cortical_bone",
)


@dataclass(frozen=True)
class HuCalibration:
    """The relation between CT number, tissue and density for one scanner and tube voltage.

    Attributes
    ----------
    name : str
        What it is and where it comes from; goes into provenance.
    hu_from : tuple of float
        Lower CT-number bound of each tissue, the first for everything below too.
    materials : tuple of Material
        One per bound; their own densities are nominal, `map` gives the density of each voxel.
    pieces : tuple of (hu_from, intercept, slope)
        Density = intercept + slope × HU from each bound to the next, g/cm³.
    bone_by_density : bool
        Choose the bone tissues by density rather than by CT number (a scanner's own calibration: the CT
        number of bone depends on the tube voltage, its density not).

    Examples
    --------
    >>> calibration = HuCalibration.schneider2000()
    >>> index, density = calibration.map([-1000, 0, 1000])
    >>> [calibration.materials[i].name for i in index]
    ['schneider_air', 'schneider_adipose_4', 'schneider_bone_10']
    >>> [round(float(value), 3) for value in density]
    [0.001, 1.018, 1.609]
    """

    name: str
    hu_from: tuple[float, ...]
    materials: tuple[Material, ...]
    pieces: tuple[tuple[float, float, float], ...]
    bone_by_density: bool = False

    @classmethod
    def schneider2000(cls) -> HuCalibration:
        """Return the published calibration (120 kV class scanners).

        Notes
        -----
        Numbers below −1000 HU, padding included, are air. Up to 3000 HU the last bone tissue goes on along
        the density line; above, where 12-bit images saturate, the voxel is titanium. Both are assumptions,
        as the paper ends at 1600 HU. At 100 HU the published density falls by 0.044 g/cm³, from collagen-rich
        connective tissue to marrow-filled bone. Water is no tissue of this scale: at 0 HU the density is
        1.018.
        """
        return _schneider()

    @classmethod
    def from_points(cls, points: str | Path | Sequence[tuple[float, float]], name: str = "") -> HuCalibration:
        """Return a calibration through measured (HU, density) points of a scanner.

        Between the points the density is linear; beyond them the first and last pieces go on, down to the
        density of air and up to 3000 HU. Tissues below 120 HU are Schneider's by CT number, above by density.

        Parameters
        ----------
        points : path or sequence of (float, float)
            A CSV with two columns, HU and density in g/cm³ (a header and lines with # are skipped), or
            the points themselves. At least three, both columns increasing.
        name : str

        Raises
        ------
        InvalidInput
            Too few points, a line that is no number, or points that do not increase.

        Examples
        --------
        >>> mine = HuCalibration.from_points([(-1000, 0.0012), (0, 1.0), (1500, 1.9)], "our scanner, 100 kV")
        >>> round(float(mine.density([750])[0]), 3)
        1.45
        """
        label = name or (str(points) if isinstance(points, str | Path) else "measured points")
        table = _read_points(points) if isinstance(points, str | Path) else [*points]
        hu = np.array([float(pair[0]) for pair in table])
        density = np.array([float(pair[1]) for pair in table])
        if (
            len(hu) < 3
            or not np.all(np.diff(hu) > 0)
            or not np.all(np.diff(density) > 0)
            or not np.all(np.isfinite(density))
        ):
            raise InvalidInput(
                f"{len(hu)} calibration points that do not rise together.",
                where=label,
                way_out="Give at least three (HU, density) points in which both columns increase.",
            )
        slope = np.diff(density) / np.diff(hu)
        intercept = density[:-1] - slope * hu[:-1]
        pieces = [(float(at), float(a), float(b)) for at, a, b in zip(hu[:-1], intercept, slope, strict=True)]
        base = _schneider()
        return cls(label, base.hu_from, base.materials, (*pieces, base.pieces[-1]), bone_by_density=True)

    @classmethod
    def predicted(cls, spectrum: Spectrum, name: str = "") -> HuCalibration:
        """Return a calibration through the CT numbers that tissues should have for a spectrum.

        Schneider's stoichiometric method with a computed instead of a fitted attenuation: air, lung,
        adipose tissue, muscle, cartilage, spongiosa, vertebra, cranium and cortical bone (ICRU 44 and 46)
        give the points.

        Parameters
        ----------
        spectrum : Spectrum
            What reaches the patient's centre; see `hu_of`.
        """
        air = material("air")
        points = [(hu_of(air, spectrum), air.density_g_cm3)]
        points += [(hu_of(material(n), spectrum), material(n).density_g_cm3) for n in _PREDICTED]
        return cls.from_points(points, name or f"predicted for a mean energy of {spectrum.mean_kev:.1f} keV")

    def density(self, hu: ArrayLike) -> NDArray[np.float32]:
        """Return the density of CT numbers, g/cm³, never below that of air."""
        values = self._clipped(hu)
        bounds = np.array([piece[0] for piece in self.pieces])
        k = np.maximum(np.searchsorted(bounds, values, side="right") - 1, 0)
        intercept = np.array([piece[1] for piece in self.pieces])[k]
        slope = np.array([piece[2] for piece in self.pieces])[k]
        return np.maximum(intercept + slope * values, AIR_DENSITY).astype(np.float32)

    def map(self, hu: ArrayLike) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        """Return material index and density of CT numbers.

        Parameters
        ----------
        hu : array of any shape
            CT numbers in HU. Padding (below −1000) becomes air, saturation metal.

        Returns
        -------
        index : array of uint8
            Into `materials`.
        density : array of float32
            g/cm³.

        Raises
        ------
        InvalidInput
            A value that is not a number.
        """
        values = np.asarray(hu)
        if values.dtype.kind in "iu" and values.size > 5000:
            # each CT number once instead of each voxel
            low, high = int(values.min()), int(values.max())
            if high - low < 100_000:
                numbers = np.arange(low, high + 1)
                index, density = self._map(numbers)
                at = values.astype(np.int64) - low
                return index[at], density[at]
        return self._map(values)

    def _map(self, hu: ArrayLike) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        values = self._clipped(hu)
        density = self.density(values)
        if self.bone_by_density:
            _, intercept, slope = _schneider().pieces[-2]
            by_density = (density.astype(float) - intercept) / slope
            ceiling = self.hu_from[-1] - 1
            bone = (values >= BONE_FROM_HU) & (values < self.hu_from[-1])
            values = np.where(bone, np.clip(by_density, BONE_FROM_HU, ceiling), values)
        index = np.maximum(np.searchsorted(np.array(self.hu_from), values, side="right") - 1, 0)
        return index.astype(np.uint8), density

    def _clipped(self, hu: ArrayLike) -> Array:
        values = np.asarray(hu, dtype=float)
        if np.any(np.isnan(values)):
            raise InvalidInput(
                "The image holds values that are not numbers.",
                where="CT numbers",
                way_out="Replace them by -1000 (air) if they lie outside the field of view.",
            )
        clipped: Array = np.clip(values, -1000.0, 1e5)
        return clipped


def hu_of(matter: Material, spectrum: Spectrum, density_g_cm3: float | None = None) -> float:
    """Return the CT number that a material has for a spectrum: 1000 (μ/μ_water − 1).

    μ is weighted with photon number times energy, as an energy-integrating detector does. The spectrum
    is the one at the place of the material: harden it with `Spectrum.filtered` ("water", 15 cm, say), as
    a scanner's water correction refers all numbers to a water body. Scatter and noise are not in it.

    Parameters
    ----------
    matter : Material
    spectrum : Spectrum
    density_g_cm3 : float, optional
        Instead of the material's own.

    Examples
    --------
    >>> beam = Spectrum.tube(120, filters={"aluminium": 6.0})
    >>> hu_of(material("water"), beam)
    0.0
    """
    signal = spectrum.weight * spectrum.energy_kev
    density = matter.density_g_cm3 if density_g_cm3 is None else density_g_cm3
    water = material("water")
    mu = photon_data(matter).on("total", spectrum.energy_kev) @ signal * density
    mu_water = photon_data(water).on("total", spectrum.energy_kev) @ signal * water.density_g_cm3
    return float(1000 * (mu / mu_water - 1))


def relative_attenuation(materials: Sequence[Material], energy_kev: float = CT_KEV) -> Array:
    """Return μ/ρ of materials over that of water: times a density in g/cm³ it is μ/μ_water.

    Parameters
    ----------
    materials : sequence of Material
    energy_kev : float
        One energy that stands for a spectrum.

    Examples
    --------
    >>> relative_attenuation([material("water")]).tolist()
    [1.0]
    """
    energy = np.array([energy_kev])
    water = float(photon_data(material("water")).on("total", energy)[0])
    return np.array([float(photon_data(item).on("total", energy)[0]) / water for item in materials])


@cache
def _schneider() -> HuCalibration:
    tissues = load("matter/schneider_tissues")
    lines = load("matter/schneider_density")
    pieces = tuple((float(r["hu_from"]), float(r["intercept"]), float(r["slope"])) for r in lines.rows())
    bounds = [float(value) for value in tissues["hu_from"]]
    found = []
    for i, row in enumerate(tissues.rows()):
        fractions = {key: float(row[key]) / 100 for key in tissues.columns if key in SYMBOLS}
        upper = bounds[i + 1] if i + 1 < len(bounds) else bounds[i]
        middle = (bounds[i] + min(upper, bounds[i] + 100)) / 2
        nominal = next(a + b * middle for start, a, b in reversed(pieces) if middle >= start)
        if i == 0:
            nominal = AIR_DENSITY
        found.append(Material.from_elements(str(row["name"]), nominal, fractions))
    return HuCalibration("Schneider, Bortfeld and Schlegel 2000", tuple(bounds), tuple(found), pieces)


def _read_points(path: str | Path) -> list[tuple[float, float]]:
    points: list[tuple[float, float]] = []
    try:
        text = Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise InvalidInput(
            f"The calibration file cannot be read: {error.strerror}.",
            where=str(path),
            way_out="Give the path of a CSV with two columns, HU and density in g/cm³.",
        ) from None
    rows = [row for row in csv.reader(text.splitlines()) if row and not row[0].lstrip().startswith("#")]
    for number, row in enumerate(rows):
        try:
            points.append((float(row[0]), float(row[1])))
        except (ValueError, IndexError):
            if number:
                raise InvalidInput(
                    f"Line {number + 1} does not hold a CT number and a density: {','.join(row)!r}.",
                    where=str(path),
                    way_out="Give two columns, HU and density in g/cm³, with points as decimal marks.",
                ) from None
    return points
