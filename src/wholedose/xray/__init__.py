"""X-ray imaging: from an exposure record to patient dose. Today CT; see ``docs/xray.md``."""

from typing import TYPE_CHECKING, Any

from wholedose.base import Finding
from wholedose.xray.ct_scan import CtRange, CtScan, TubeCurrent

if TYPE_CHECKING:
    from wholedose.xray.beam_filter import Bowtie, bowtie, bowtie_names
    from wholedose.xray.calibration import Calibration, calibrate
    from wholedose.xray.ct_dose import CtDose
    from wholedose.xray.ct_estimate import estimate
    from wholedose.xray.ct_rules import ResolvedRange, resolve
    from wholedose.xray.ct_source import CtBeam, Views, views
    from wholedose.xray.size_specific import (
        Ssde,
        WaterEquivalent,
        effective_diameter_cm,
        ssde,
        ssde_factor,
        water_equivalent_diameter,
    )

_HOMES = {
    "Bowtie": "beam_filter",
    "Calibration": "calibration",
    "CtBeam": "ct_source",
    "CtDose": "ct_dose",
    "ResolvedRange": "ct_rules",
    "Ssde": "size_specific",
    "Views": "ct_source",
    "WaterEquivalent": "size_specific",
    "bowtie": "beam_filter",
    "bowtie_names": "beam_filter",
    "calibrate": "calibration",
    "effective_diameter_cm": "size_specific",
    "estimate": "ct_estimate",
    "resolve": "ct_rules",
    "ssde": "size_specific",
    "ssde_factor": "size_specific",
    "views": "ct_source",
    "water_equivalent_diameter": "size_specific",
}

__all__ = [
    "Bowtie",
    "Calibration",
    "CtBeam",
    "CtDose",
    "CtRange",
    "CtScan",
    "Finding",
    "ResolvedRange",
    "Ssde",
    "TubeCurrent",
    "Views",
    "WaterEquivalent",
    "bowtie",
    "bowtie_names",
    "calibrate",
    "effective_diameter_cm",
    "estimate",
    "resolve",
    "ssde",
    "ssde_factor",
    "views",
    "water_equivalent_diameter",
]


def __getattr__(name: str) -> Any:
    # numba and the interaction data cost seconds: they are imported only when something is calculated
    if name in _HOMES:
        from importlib import import_module

        found = getattr(import_module(f"wholedose.xray.{_HOMES[name]}"), name)
        globals()[name] = found
        return found
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
