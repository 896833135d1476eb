"""What all objects of a simulated study share: patient, study, device, UIDs. Defines `StudyHeader`."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from wholedose._version import __version__
from wholedose.body import Person

PATIENT_NAME = "SIMULATED^CHEST"
MANUFACTURER = "wholedose simulation"
MODEL = "Generic helical CT"
SERIAL = "SIM-0001"
STATION = "SIMCT"
MONTHS_BELOW_Y = 3.0


@dataclass(frozen=True)
class StudyHeader:
    """The common part of a simulated study.

    Attributes
    ----------
    person : Person
    region, key : str
        The key is a digest of all that makes the study; UIDs follow from it.
    seed : int
    day : date
    """

    person: Person
    region: str
    key: str
    seed: int
    day: date

    def uid(self, what: str) -> str:
        """Return a UID (2.25 and a UUID) that is the same for the same study and object."""
        return f"2.25.{uuid.uuid5(uuid.NAMESPACE_OID, f'wholedose/{self.key}/{what}').int}"

    def at(self, seconds: float) -> datetime:
        """Return the time ``seconds`` after the start of the study, 09:00."""
        return datetime(self.day.year, self.day.month, self.day.day, 9) + timedelta(seconds=seconds)

    def fill(self, dataset: Any, modality: str, sop_class: str, instance: str, seconds: float) -> None:
        """Set patient, study, equipment and common attributes of a data set."""
        person = self.person
        dataset.SpecificCharacterSet = "ISO_IR 192"
        dataset.SOPClassUID, dataset.SOPInstanceUID = sop_class, instance
        dataset.StudyDate = dataset.SeriesDate = dataset.ContentDate = self.day.strftime("%Y%m%d")
        dataset.StudyTime = self.at(0).strftime("%H%M%S")
        dataset.SeriesTime = dataset.ContentTime = self.at(seconds).strftime("%H%M%S")
        dataset.AccessionNumber = ""
        dataset.Modality = modality
        dataset.Manufacturer, dataset.ManufacturerModelName = MANUFACTURER, MODEL
        dataset.DeviceSerialNumber, dataset.SoftwareVersions = SERIAL, __version__
        dataset.StationName = STATION
        dataset.InstitutionName = "Simulated hospital"
        dataset.ReferringPhysicianName = ""
        dataset.StudyDescription = f"Simulated {self.region.replace('_', ' ')} CT"
        dataset.PatientName = PATIENT_NAME if self.region == "chest" else f"SIMULATED^{self.region.upper()}"
        dataset.PatientID = f"SIM-{self.seed:06d}"
        dataset.PatientSex = person.sex
        if person.age_y < MONTHS_BELOW_Y:
            born = self.day - timedelta(days=round(person.age_y * 365.25))
            dataset.PatientBirthDate = born.strftime("%Y%m%d")
            dataset.PatientAge = f"{int(person.age_y * 12 + 1e-9):03d}M"
        else:
            dataset.PatientBirthDate = f"{self.day.year - int(person.age_y):04d}0101"
            dataset.PatientAge = f"{int(person.age_y):03d}Y"
        if person.height_cm is not None:
            dataset.PatientSize = f"{person.height_cm / 100:.4g}"
        if person.weight_kg is not None:
            dataset.PatientWeight = f"{person.weight_kg:g}"
        dataset.PatientComments = "Simulated; no person."
        dataset.StudyInstanceUID = self.uid("study")
        dataset.StudyID = "1"


def code(value: str, scheme: str, meaning: str) -> Any:
    """Return a code sequence item."""
    from pydicom.dataset import Dataset

    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
    return item


def new_dataset(sop_class: str, instance: str) -> Any:
    """Return an empty data set with the file meta header of explicit VR little endian."""
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian

    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta.MediaStorageSOPClassUID = sop_class
    dataset.file_meta.MediaStorageSOPInstanceUID = instance
    dataset.file_meta.ImplementationClassUID = "2.25.302862103284527389461826347613479217346"
    dataset.file_meta.ImplementationVersionName = "WHOLEDOSE"
    return dataset


PHANTOM = {
    16: ("113690", "DCM", "IEC Head Dosimetry Phantom"),
    32: ("113691", "DCM", "IEC Body Dosimetry Phantom"),
}
"""Codes of the CTDI phantoms by their diameter in cm."""
