"""Codes of dose reports."""

from __future__ import annotations

from pydicom.datadict import tag_for_keyword
from pydicom.sr._concepts_dict import concepts as published

from wholedose.records import concepts
from wholedose.records.units import DIMENSIONS

# our name, where the words differ from DICOM's
_WORDS = {
    "kv": "kvp", "dap": "dose area product", "air_kerma_rp": "dose (rp)",
    "tube_current": "x-ray tube current",
    "tube_current_max": "maximum x-ray tube current", "rotation_time": "exposure time per rotation",
    "pitch": "pitch factor", "ssde": "size specific dose estimate", "pulses": "number of pulses",
    "field_area": "collimated field area", "mean_glandular_dose": "average glandular dose",
    "entrance_air_kerma": "entrance exposure at rp", "source_to_isocentre": "distance source to isocenter",
    "source_to_detector": "distance source to detector", "ctdivol": "mean ctdivol",
    "exposed_range": "exposed range", "scanning_length": "scanning length",
    "source_to_reference_point": "distance source to reference point", "focal_spot": "focal spot size",
    "filter_aluminium_equivalent": "x-ray filter aluminum equivalent", "dlp": "dlp",
    "reconstructable_top_z": "top z location of reconstructable volume",
    "reconstructable_bottom_z": "bottom z location of reconstructable volume",
    "scanning_top_z": "top z location of scanning length", "pulse_width": "pulse width",
    "scanning_bottom_z": "bottom z location of scanning length", "pulse_rate": "pulse rate",
    "ap_dimension": "measured ap dimension", "lateral_dimension": "measured lateral dimension",
    "primary_angle": "positioner primary angle", "secondary_angle": "positioner secondary angle",
    "primary_end_angle": "positioner primary end angle",
    "secondary_end_angle": "positioner secondary end angle",
    "table_longitudinal": "table longitudinal position", "table_lateral": "table lateral position",
    "table_height": "table height position",
}  # fmt: skip


def test_each_code_means_what_its_name_says() -> None:
    """Every DICOM code in the tables exists, and its published meaning is the quantity we name."""
    meanings = {
        value: meaning for entry in published["DCM"].values() for value, (meaning, _) in entry.items()
    }
    for value, (name, dimension) in {**concepts.NUMBERS, **concepts.TOTALS}.items():
        assert dimension in DIMENSIONS
        assert value in meanings, value
        if name in _WORDS and value in concepts.NUMBERS:
            assert meanings[value].lower() == _WORDS[name], value


def test_image_attributes_are_in_the_dictionary() -> None:
    """Every attribute that image headers are searched for is a DICOM keyword."""
    for keyword in [row[0] for row in concepts.ATTRIBUTES] + list(concepts.ATTRIBUTE_TEXTS):
        assert tag_for_keyword(keyword) is not None, keyword


def test_dimensions_of_attributes_are_known() -> None:
    """The unit that DICOM fixes for an attribute is one that its dimension lists."""
    for _, _, dimension, unit in concepts.ATTRIBUTES:
        assert unit in DIMENSIONS[dimension].factors
