"""Matter: elements, materials, photon interaction data, tube spectra and the calibration of CT numbers."""

from wholedose.matter.elements import ElementData, atomic_number, element_data, symbol
from wholedose.matter.materials import Material, material, materials
from wholedose.matter.photons import (
    ELECTRON_MASS_KEV,
    LOCAL_FLUORESCENCE_KEV,
    PhotonData,
    is_local,
    photon_data,
    scattered_fraction,
)

__all__ = [
    "ELECTRON_MASS_KEV",
    "LOCAL_FLUORESCENCE_KEV",
    "ElementData",
    "Material",
    "PhotonData",
    "atomic_number",
    "element_data",
    "is_local",
    "material",
    "materials",
    "photon_data",
    "scattered_fraction",
    "symbol",
]
