"""The irradiated person as geometry: `Person`, the organ list, `Body`, the stylised adult, bodies from CT."""

from wholedose.body.body import Body, BodyGeometry
from wholedose.body.organs import BONE_SITES, ORGANS, Organ, organ
from wholedose.body.person import Person, reference_size
from wholedose.body.skeleton import SkeletonSite
from wholedose.body.stylised import stylised

__all__ = [
    "BONE_SITES",
    "ORGANS",
    "Body",
    "BodyGeometry",
    "Organ",
    "Person",
    "SkeletonSite",
    "organ",
    "reference_size",
    "stylised",
]
