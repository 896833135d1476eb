"""What the coded concepts of dose reports are called here, and what kind of quantity each is.

Defines the tables `NUMBERS` (DICOM code to our name and dimension), `TEXTS` (coded and textual facts),
`TOTALS`
(accumulated values) and `ATTRIBUTES` (image headers). Codes are those of DICOM PS3.16, TID 10001 to 10015; a
test compares each with pydicom's dictionary. SNOMED codes stand in their older and their present spelling.
"""

from __future__ import annotations

from wholedose.records.sr import Code

# code value: (name, dimension)
NUMBERS: dict[str, tuple[str, str]] = {
    # CT acquisition parameters and dose
    "113824": ("exposure_time", "time"),
    "113825": ("scanning_length", "length"),
    "113893": ("reconstructable_length", "length"),
    "113895": ("reconstructable_top_z", "position"),
    "113896": ("reconstructable_bottom_z", "position"),
    "113897": ("scanning_top_z", "position"),
    "113898": ("scanning_bottom_z", "position"),
    "113899": ("exposed_range", "length"),
    "113826": ("nominal_single_collimation", "length"),
    "113827": ("nominal_total_collimation", "length"),
    "113828": ("pitch", "ratio"),
    "113823": ("number_of_sources", "count"),
    "113733": ("kv", "voltage"),
    "113734": ("tube_current", "current"),
    "113833": ("tube_current_max", "current"),
    "113834": ("rotation_time", "time"),
    "113821": ("filter_aluminium_equivalent", "length"),
    "113830": ("ctdivol", "dose"),
    "113838": ("dlp", "dose length"),
    "113836": ("ctdi_free_air_factor", "index"),
    "113837": ("ctdi_free_air", "dose"),
    "113839": ("effective_dose", "effective dose"),
    "113930": ("ssde", "dose"),
    "113931": ("lateral_dimension", "length"),
    "113932": ("ap_dimension", "length"),
    "113933": ("effective_diameter", "length"),
    "113980": ("water_equivalent_diameter", "length"),
    "113903": ("dlp_alert_value", "dose length"),
    "113904": ("ctdivol_alert_value", "dose"),
    "113905": ("accumulated_dlp_forward_estimate", "dose length"),
    "113906": ("accumulated_ctdivol_forward_estimate", "dose"),
    "113911": ("dlp_notification_value", "dose length"),
    "113912": ("ctdivol_notification_value", "dose"),
    "113913": ("dlp_forward_estimate", "dose length"),
    "113914": ("ctdivol_forward_estimate", "dose"),
    # projection: dose
    "122130": ("dap", "dose area"),
    "113738": ("air_kerma_rp", "dose"),
    "113845": ("exposure_index", "index"),
    "113846": ("target_exposure_index", "index"),
    "113847": ("deviation_index", "index"),
    # projection: source
    "113735": ("exposure_time", "time"),
    "113736": ("exposure", "charge"),
    "113742": ("irradiation_duration", "time"),
    "113766": ("focal_spot", "length"),
    "113767": ("tube_current_average", "current"),
    "113768": ("pulses", "count"),
    "113791": ("pulse_rate", "rate"),
    "113793": ("pulse_width", "time"),
    "113758": ("filter_thickness_min", "length"),
    "113773": ("filter_thickness_max", "length"),
    # projection: geometry
    "112011": ("primary_angle", "angle"),
    "112012": ("secondary_angle", "angle"),
    "113739": ("primary_end_angle", "angle"),
    "113740": ("secondary_end_angle", "angle"),
    "113770": ("column_angulation", "angle"),
    "113737": ("source_to_reference_point", "length"),
    "113748": ("source_to_isocentre", "length"),
    "113750": ("source_to_detector", "length"),
    "113792": ("source_to_table", "length"),
    "113751": ("table_longitudinal", "position"),
    "113752": ("table_lateral", "position"),
    "113753": ("table_height", "position"),
    "113759": ("table_longitudinal_end", "position"),
    "113760": ("table_lateral_end", "position"),
    "113761": ("table_height_end", "position"),
    "113754": ("table_head_tilt", "angle"),
    "113755": ("table_horizontal_rotation", "angle"),
    "113756": ("table_cradle_tilt", "angle"),
    "113788": ("field_height", "length"),
    "113789": ("field_width", "length"),
    "113790": ("field_area", "area"),
    # mammography
    "111631": ("mean_glandular_dose", "dose"),
    "111633": ("compression_thickness", "length"),
    "111647": ("compression_force", "force"),
    "111634": ("half_value_layer", "length"),
    "111636": ("entrance_air_kerma", "dose"),
    "111638": ("patient_equivalent_thickness", "length"),
}

# private codes, by scheme: Philips Allura, whose beam and table geometry is not in the standard codes
PRIVATE: dict[tuple[str, str], tuple[str, str]] = {
    ("99PHI-IXR-XPER", "003"): ("frames", "count"),
    ("99PHI-IXR-XPER", "006"): ("shutter_bottom", "position"),
    ("99PHI-IXR-XPER", "007"): ("shutter_left", "position"),
    ("99PHI-IXR-XPER", "008"): ("shutter_right", "position"),
    ("99PHI-IXR-XPER", "009"): ("shutter_top", "position"),
    ("99PHI-IXR-XPER", "010"): ("wedge_1_distance", "position"),
    ("99PHI-IXR-XPER", "011"): ("wedge_2_distance", "position"),
    ("99PHI-IXR-XPER", "012"): ("wedge_1_angle", "angle"),
    ("99PHI-IXR-XPER", "013"): ("wedge_2_angle", "angle"),
    ("99PHI-IXR-XPER", "015"): ("beam_longitudinal", "position"),
    ("99PHI-IXR-XPER", "017"): ("beam_angle", "angle"),
    ("99PHI-IXR-XPER", "018"): ("source_to_detector_end", "length"),
    ("99PHI-IXR-XPER", "019"): ("table_cradle_tilt_end", "angle"),
    ("99PHI-IXR-XPER", "020"): ("table_height_end_private", "position"),
    ("99PHI-IXR-XPER", "021"): ("table_height_private", "position"),
    ("99PHI-IXR-XPER", "022"): ("table_head_tilt_end", "angle"),
    ("99PHI-IXR-XPER", "024"): ("detector_field_x", "length"),
    ("99PHI-IXR-XPER", "025"): ("detector_field_y", "length"),
    ("99PHI-IXR-XPER", "026"): ("object_thickness", "position"),
}
STANDARD_SCHEMES = frozenset(("DCM", "SRT", "SCT", "SNM3", "99SDM"))

# code value: name; the value is a code or a text
TEXTS: dict[str, str] = {
    "113820": "acquisition_type",
    "113721": "event_type",
    "123014": "target_region",
    "125203": "protocol",
    "113769": "irradiation_event_uid",
    "113835": "phantom",
    "113842": "modulation_type",
    "G-C32C": "procedure_context",
    "408730004": "procedure_context",
    "113832": "source_name",
    "121106": "comment",
    "111526": "started",
    "113764": "plane",
    "113780": "reference_point",
    "113732": "fluoro_mode",
    "113743": "patient_orientation",
    "113744": "patient_orientation_modifier",
    "113745": "patient_table_relationship",
    "113772": "filter_type",
    "113757": "filter_material",
    "111632": "anode_material",
    "111635": "grid",
    "111031": "view",
    "T-D0005": "anatomical_structure",
    "91723000": "anatomical_structure",
    "G-C171": "laterality",
    "272741003": "laterality",
    "113956": "mechanical_configuration",
    "113901": "dlp_alert_configured",
    "113902": "ctdivol_alert_configured",
    "113909": "dlp_notification_configured",
    "113910": "ctdivol_notification_configured",
}

# accumulated values; those of the planes of one report are added
TOTALS: dict[str, tuple[str, str]] = {
    "113813": ("dlp", "dose length"),
    "113722": ("dap", "dose area"),
    "113726": ("dap_fluoro", "dose area"),
    "113727": ("dap_acquisition", "dose area"),
    "113725": ("air_kerma_rp", "dose"),
    "113728": ("air_kerma_rp_fluoro", "dose"),
    "113729": ("air_kerma_rp_acquisition", "dose"),
    "113730": ("fluoro_time", "time"),
    "113855": ("acquisition_time", "time"),
    "113731": ("frames", "count"),
    "113812": ("reported_events", "count"),
    "111637": ("mean_glandular_dose", "dose"),
}

LEFT = frozenset(("T-04030", "80248007", "G-A101", "7771000", "L"))
RIGHT = frozenset(("T-04020", "73056007", "G-A100", "24028007", "R"))
BOTH = frozenset(("T-04080", "63762007", "G-A102", "51440002"))

SPIRAL = frozenset(("P5-08001", "116152004"))
LOCALISER, SEQUENCED, STATIONARY, FREE, CONE_BEAM = "113805", "113804", "113806", "113807", "702569007"
FLUOROSCOPY = frozenset(("P5-06000", "44491008"))
MAMMOGRAPHY = frozenset(("P5-40010", "71651007"))
PHANTOM_CM = {"113690": 16, "113691": 32}

# Reference points: code or text as seen in reports (spaces left out, lower case) -> where K(RP) is stated
REFERENCE_POINTS = {
    "113860": "15 cm from the isocentre towards the source",
    "113861": "30 cm in front of the image receptor",
    "113862": "1 cm above the tabletop",
    "113863": "30 cm above the tabletop",
    "113864": "15 cm from the table centre line",
    "113865": "entrance of a 4.2 cm breast",
    "113941": "in the detector plane",
    "15cmbelowbeamisocenter": "15 cm from the isocentre towards the source",
    "15cmfromisocentertowardsource": "15 cm from the isocentre towards the source",
    "30cminfrontofimageinputsurface": "30 cm in front of the image receptor",
    "15cminfrontofimageinputsurface": "15 cm in front of the image receptor",
}

# image headers: keyword -> (name, dimension, unit that DICOM fixes for it); earlier entries win
ATTRIBUTES: tuple[tuple[str, str, str, str], ...] = (
    ("KVP", "kv", "voltage", "kV"),
    ("XRayTubeCurrentInmA", "tube_current", "current", "mA"),
    ("XRayTubeCurrentInuA", "tube_current", "current", "uA"),
    ("XRayTubeCurrent", "tube_current", "current", "mA"),
    ("ExposureTimeInms", "exposure_time", "time", "ms"),
    ("ExposureTimeInuS", "exposure_time", "time", "us"),
    ("ExposureTime", "exposure_time", "time", "ms"),
    ("ExposureInmAs", "exposure", "charge", "mAs"),
    ("ExposureInuAs", "exposure", "charge", "uAs"),
    ("Exposure", "exposure", "charge", "mAs"),
    ("ImageAndFluoroscopyAreaDoseProduct", "dap", "dose area", "dGy.cm2"),
    ("OrganDose", "mean_glandular_dose", "dose", "dGy"),
    ("EntranceDoseInmGy", "entrance_air_kerma", "dose", "mGy"),
    ("EntranceDose", "entrance_air_kerma", "dose", "dGy"),
    ("HalfValueLayer", "half_value_layer", "length", "mm"),
    ("BodyPartThickness", "compression_thickness", "length", "mm"),
    ("CompressionForce", "compression_force", "force", "N"),
    ("CTDIvol", "ctdivol", "dose", "mGy"),
    ("SpiralPitchFactor", "pitch", "ratio", "1"),
    ("SingleCollimationWidth", "nominal_single_collimation", "length", "mm"),
    ("TotalCollimationWidth", "nominal_total_collimation", "length", "mm"),
    ("ScanLength", "scanning_length", "length", "mm"),
    ("RevolutionTime", "rotation_time", "time", "s"),
    ("WaterEquivalentDiameter", "water_equivalent_diameter", "length", "mm"),
    ("DistanceSourceToDetector", "source_to_detector", "length", "mm"),
    ("DistanceSourceToPatient", "source_to_patient", "length", "mm"),
    ("DistanceSourceToEntrance", "source_to_entrance", "length", "mm"),
    ("PositionerPrimaryAngle", "primary_angle", "angle", "deg"),
    ("PositionerSecondaryAngle", "secondary_angle", "angle", "deg"),
    ("ExposureIndex", "exposure_index", "index", "1"),
    ("TargetExposureIndex", "target_exposure_index", "index", "1"),
    ("DeviationIndex", "deviation_index", "index", "1"),
    ("RelativeXRayExposure", "relative_exposure", "index", "1"),
)
ATTRIBUTE_TEXTS: dict[str, str] = {
    "IrradiationEventUID": "irradiation_event_uid",
    "AcquisitionType": "acquisition_type",
    "ProtocolName": "protocol",
    "BodyPartExamined": "target_region",
    "ViewPosition": "view",
    "ImageLaterality": "laterality",
    "Laterality": "laterality",
    "AnodeTargetMaterial": "anode_material",
    "FilterType": "filter_type",
    "Grid": "grid",
    "ExposureModulationType": "modulation_type",
    "ConvolutionKernel": "kernel",
}


def number(name: Code | None) -> tuple[str, str] | None:
    """Return our name and the dimension of a coded quantity, None when it isn't one of ours."""
    if name is None:
        return None
    if name.scheme in STANDARD_SCHEMES:
        return NUMBERS.get(name.value)
    return PRIVATE.get((name.scheme, name.value))


# what a quantity may be beyond the range of its dimension
LIMITS: dict[str, tuple[float, float]] = {
    "source_to_detector": (100, 5000),
    "source_to_isocentre": (100, 2500),
    "source_to_patient": (100, 5000),
    "pitch": (0, 20),
    "ctdivol": (0, 5000),
    "kv": (10, 500),
    "rotation_time": (0, 120),
    "phantom": (16, 32),
}
