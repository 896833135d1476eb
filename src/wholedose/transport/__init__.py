"""Monte Carlo of photons, 1 keV to 10 MeV, in voxels and simple solids, in the kerma approximation.

See ``docs/transport.md`` for the physics, the estimators and what was measured.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from wholedose.transport.activity import ActivitySource, DecayDose, simulate_decays
    from wholedose.transport.directed import Sphere
    from wholedose.transport.fields import IsotropicField, RotatingField
    from wholedose.transport.geometry import Regions, VoxelGeometry
    from wholedose.transport.importance import plan_spheres, plan_window
    from wholedose.transport.shapes import Box, Cylinder, Disc, Shape
    from wholedose.transport.simulation import simulate
    from wholedose.transport.solids import ShapeRegions, Solid, SolidGeometry
    from wholedose.transport.sources import IsotropicSource, ParallelBeam, Source
    from wholedose.transport.tally import EnergyBalance, RegionTally, Tally
    from wholedose.transport.window import WeightWindow
    from wholedose.transport.xray_beam import XrayBeam

_HOMES = {
    "ActivitySource": "activity",
    "Box": "shapes",
    "Cylinder": "shapes",
    "DecayDose": "activity",
    "Disc": "shapes",
    "Shape": "shapes",
    "ShapeRegions": "solids",
    "Solid": "solids",
    "SolidGeometry": "solids",
    "EnergyBalance": "tally",
    "IsotropicField": "fields",
    "IsotropicSource": "sources",
    "ParallelBeam": "sources",
    "RegionTally": "tally",
    "Regions": "geometry",
    "RotatingField": "fields",
    "Source": "sources",
    "Sphere": "directed",
    "Tally": "tally",
    "VoxelGeometry": "geometry",
    "WeightWindow": "window",
    "XrayBeam": "xray_beam",
    "plan_spheres": "importance",
    "plan_window": "importance",
    "simulate": "simulation",
    "simulate_decays": "activity",
}

__all__ = [
    "ActivitySource",
    "Box",
    "Cylinder",
    "DecayDose",
    "Disc",
    "EnergyBalance",
    "IsotropicField",
    "IsotropicSource",
    "ParallelBeam",
    "RegionTally",
    "Regions",
    "RotatingField",
    "Shape",
    "ShapeRegions",
    "Solid",
    "SolidGeometry",
    "Source",
    "Sphere",
    "Tally",
    "VoxelGeometry",
    "WeightWindow",
    "XrayBeam",
    "plan_spheres",
    "plan_window",
    "simulate",
    "simulate_decays",
]


def __getattr__(name: str) -> Any:
    # numba costs half a second: it is imported only when transport is used
    if name in _HOMES:
        from importlib import import_module

        return getattr(import_module(f"wholedose.transport.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
