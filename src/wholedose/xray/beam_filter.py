"""The filter that shapes a CT beam across its fan. Defines `Bowtie`, `bowtie` and `bowtie_names`.

Shapes: ``xcist_small``, ``xcist_medium`` and ``xcist_large`` are the *example* shapes of the CT simulator
XCIST
(gecatsim 1.6.9, BSD-3), no measurement of a scanner. ``generic_body`` and ``generic_head`` follow from one
equation: aluminium that makes up for a fraction f of the water that a ray misses in a centred cylinder,

    t(γ) = f · μ_water/μ_Al · (ℓ(0) - ℓ(γ)),   ℓ(γ) = 2 √(R² - d² sin²γ), 0 beyond the cylinder,

with the source at distance d and the coefficients at 60 keV; f, R and d stand in the table
``xray/bowtie_generic`` with the CTDI ratio that they were fitted to. ``flat`` has no shape.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from wholedose.base import UnknownName
from wholedose.matter import material, photon_data
from wholedose.tables import load

FloatArray = NDArray[np.float64]

EXAMPLES = ("xcist_small", "xcist_medium", "xcist_large")
GENERIC_KEV = 60.0
HALF_FAN_RAD = 0.47  # the example shapes end at 0.477 rad; 27° also covers a 50 cm field from 541 mm


@dataclass(frozen=True, eq=False)
class Bowtie:
    """A beam-shaping filter.

    Attributes
    ----------
    name : str
    fan_angle_rad : array of shape (n,)
        Increasing.
    thickness_cm : mapping of material name to array of shape (n,)
        Path along the ray in the mid-plane; the obliquity in the cone (below 0.5 %) is ignored.
    source : str
    """

    name: str
    fan_angle_rad: FloatArray
    thickness_cm: Mapping[str, FloatArray]
    source: str

    @property
    def half_fan_rad(self) -> float:
        """The fan angle up to which the shape is known on both sides."""
        return float(min(-self.fan_angle_rad[0], self.fan_angle_rad[-1]))

    def transmission(self, fan_angle_rad: ArrayLike, energy_kev: ArrayLike) -> FloatArray:
        """Return the fraction of photons that pass, of shape (angles, energies)."""
        angle = np.atleast_1d(np.asarray(fan_angle_rad, dtype=np.float64))
        energy = np.atleast_1d(np.asarray(energy_kev, dtype=np.float64))
        depth = np.zeros((angle.size, energy.size))
        for name, thickness in self.thickness_cm.items():
            path = np.interp(angle, self.fan_angle_rad, thickness)
            depth += path[:, None] * linear_attenuation(name, energy)[None, :]
        return np.exp(-depth)


def linear_attenuation(name: str, energy_kev: FloatArray) -> FloatArray:
    """Return the linear attenuation coefficient of a material in 1/cm."""
    found = material(name)
    return np.asarray(photon_data(found).on("total", energy_kev) * found.density_g_cm3, dtype=np.float64)


def bowtie_names() -> tuple[str, ...]:
    """Return the names of all shapes."""
    return (*(str(name) for name in load("xray/bowtie_generic")["name"]), *EXAMPLES, "flat")


@lru_cache(maxsize=32)
def bowtie(name: str) -> Bowtie:
    """Return a shape by name.

    Raises
    ------
    UnknownName
        No such shape.

    Examples
    --------
    >>> round(float(bowtie("xcist_small").thickness_cm["aluminium"].min()), 3)
    0.11
    """
    if name in EXAMPLES:
        table = load(f"xray/bowtie_{name}")
        layers = {key: table[f"{key}_cm"] for key in ("aluminium", "graphite", "copper", "titanium")}
        used = {key: values for key, values in layers.items() if values.any()}
        return Bowtie(name, table["fan_angle_rad"], used, table.header["source"])
    if name == "flat":
        edge = np.array([-HALF_FAN_RAD, HALF_FAN_RAD])
        return Bowtie(name, edge, {}, "no shaping")
    for row in load("xray/bowtie_generic").rows():
        if row["name"] == name:
            return generic(name, row["diameter_cm"], row["fraction"], row["source_isocentre_mm"])
    raise UnknownName("beam-shaping filter", name, bowtie_names())


def generic(name: str, diameter_cm: float, fraction: float, source_isocentre_mm: float = 570.0) -> Bowtie:
    """Return the aluminium shape that makes up for a fraction of the water missing beside a cylinder's axis.

    Parameters
    ----------
    name : str
    diameter_cm : float
        Diameter of the water cylinder.
    fraction : float
        0 is flat, 1 gives all rays through the cylinder the attenuation of the central one at 60 keV.
    source_isocentre_mm : float
    """
    angle = np.linspace(-HALF_FAN_RAD, HALF_FAN_RAD, 471)
    offset_cm = source_isocentre_mm / 10.0 * np.sin(angle)
    path = 2.0 * np.sqrt(np.clip((diameter_cm / 2.0) ** 2 - offset_cm**2, 0.0, None))
    energy = np.array([GENERIC_KEV])
    ratio = float((linear_attenuation("water", energy) / linear_attenuation("aluminium", energy))[0])
    thickness = fraction * ratio * (diameter_cm - path)
    source = f"derived: {fraction:g} of the water missing in a {diameter_cm:g} cm cylinder, as aluminium"
    return Bowtie(name, angle, {"aluminium": thickness}, source)
