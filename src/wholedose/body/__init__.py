"""The irradiated person as geometry: `Person`, organs, `Body`, reference bodies, bodies from CT."""

from typing import TYPE_CHECKING, Any

from wholedose.body.body import Body, BodyGeometry
from wholedose.body.growth import reference_size
from wholedose.body.organs import BONE_SITES, ORGANS, REGIONS, Organ, organ
from wholedose.body.person import Person, assumed_person
from wholedose.body.skeleton import RESPONSE_MATERIAL, SkeletonSite

if TYPE_CHECKING:
    from wholedose.body.addition import Addition
    from wholedose.body.fitted import segment
    from wholedose.body.image_body import from_ct
    from wholedose.body.locate import region_range
    from wholedose.body.named_pairs import PAIRS
    from wholedose.body.pose import POSES, Pose
    from wholedose.body.reference_body import reference
    from wholedose.body.together import Couple, couple
    from wholedose.body.totalsegmentator import run_totalsegmentator

__all__ = [
    "BONE_SITES",
    "ORGANS",
    "PAIRS",
    "POSES",
    "REGIONS",
    "RESPONSE_MATERIAL",
    "Addition",
    "Body",
    "BodyGeometry",
    "Couple",
    "Organ",
    "Person",
    "Pose",
    "SkeletonSite",
    "assumed_person",
    "couple",
    "from_ct",
    "organ",
    "reference",
    "reference_size",
    "region_range",
    "run_totalsegmentator",
    "segment",
]

_LATER = {
    "Addition": "addition",
    "Couple": "together",
    "PAIRS": "named_pairs",
    "POSES": "pose",
    "Pose": "pose",
    "couple": "together",
    "reference": "reference_body",
    "from_ct": "image_body",
    "region_range": "locate",
    "run_totalsegmentator": "totalsegmentator",
    "segment": "fitted",
}


def __getattr__(name: str) -> Any:
    # scipy and the interaction data load with the first body, not with the room
    if name in _LATER:
        from importlib import import_module

        value = getattr(import_module(f"wholedose.body.{_LATER[name]}"), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
