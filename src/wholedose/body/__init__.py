"""The irradiated person as geometry: `Person`, the organ list, `Body`, the stylised adult, bodies from CT."""

from typing import TYPE_CHECKING, Any

from wholedose.body.body import Body, BodyGeometry
from wholedose.body.organs import BONE_SITES, ORGANS, Organ, organ
from wholedose.body.person import Person, assumed_person, reference_size
from wholedose.body.skeleton import RESPONSE_MATERIAL, SkeletonSite

if TYPE_CHECKING:
    from wholedose.body.image_body import from_ct
    from wholedose.body.locate import region_range
    from wholedose.body.stylised_adult import stylised
    from wholedose.body.totalsegmentator import run_totalsegmentator

__all__ = [
    "BONE_SITES",
    "ORGANS",
    "RESPONSE_MATERIAL",
    "Body",
    "BodyGeometry",
    "Organ",
    "Person",
    "SkeletonSite",
    "assumed_person",
    "from_ct",
    "organ",
    "reference_size",
    "region_range",
    "run_totalsegmentator",
    "stylised",
]

_LATER = {
    "from_ct": "image_body",
    "region_range": "locate",
    "run_totalsegmentator": "totalsegmentator",
    "stylised": "stylised_adult",
}


def __getattr__(name: str) -> Any:
    # scipy and the interaction data load with the first body, not with the room
    if name in _LATER:
        from importlib import import_module

        value = getattr(import_module(f"wholedose.body.{_LATER[name]}"), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
