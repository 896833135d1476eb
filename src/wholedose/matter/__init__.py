"""Matter: elements, materials, photon interaction data, tube spectra, nuclides and CT numbers."""

from wholedose.matter.elements import ElementData, atomic_number, element_data, symbol
from wholedose.matter.hu import HuCalibration, hu_of, relative_attenuation
from wholedose.matter.materials import Material, material, materials
from wholedose.matter.nuclide_chains import chain, chain_activities, equilibrium_activities
from wholedose.matter.nuclide_spectra import BetaShape
from wholedose.matter.nuclides import Emission, EmissionSpectrum, Nuclide, Radiation, nuclides
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
    "BetaShape",
    "ElementData",
    "Emission",
    "EmissionSpectrum",
    "HuCalibration",
    "Material",
    "Nuclide",
    "PhotonData",
    "Radiation",
    "Spectrum",
    "atomic_number",
    "chain",
    "chain_activities",
    "element_data",
    "equilibrium_activities",
    "hu_of",
    "is_local",
    "material",
    "materials",
    "nuclides",
    "photon_data",
    "relative_attenuation",
    "scattered_fraction",
    "symbol",
]
