"""What was deposited: dose maps, organ doses, histograms, equivalent and effective dose, the ledger."""

from wholedose.dose.dose_map import DoseMap, load_dose
from wholedose.dose.dvh import DVH
from wholedose.dose.ledger import Contributes, Contribution, Exposure, Ledger
from wholedose.dose.nifti import nifti_bytes, read_own_nifti
from wholedose.dose.organ_doses import OrganDose, OrganDoses

__all__ = [
    "DVH",
    "Contributes",
    "Contribution",
    "DoseMap",
    "Exposure",
    "Ledger",
    "OrganDose",
    "OrganDoses",
    "load_dose",
    "nifti_bytes",
    "read_own_nifti",
]
