"""Matter: elements, materials, photon interaction data, tube spectra and the calibration of CT numbers."""

from wholedose.matter.elements import ElementData, atomic_number, element_data, symbol
from wholedose.matter.hu import HuCalibration, hu_of, relative_attenuation
from wholedose.matter.materials import Material, material, materials
from wholedose.matter.photons import (
    ELECTRON_MASS_KEV,
    LOCAL_FLUORESCENCE_KEV,
    PhotonData,
    is_local,
    photon_data,
    scattered_fraction,
)
from wholedose.matter.spectra import Spectrum

__all__ = [
    "ELECTRON_MASS_KEV",
    "LOCAL_FLUORESCENCE_KEV",
    "ElementData",
    "HuCalibration",
    "Material",
    "PhotonData",
    "Spectrum",
    "atomic_number",
    "element_data",
    "hu_of",
    "is_local",
    "material",
    "materials",
    "photon_data",
    "relative_attenuation",
    "scattered_fraction",
    "symbol",
]
