"""The irradiated person as voxels. Defines `Body`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from wholedose.base import Assumption, Grid, UnknownName, digest_of
from wholedose.base.errors import InvalidInput
from wholedose.body.organs import BONE_SITES, ORGANS, REGIONS, parts_of
from wholedose.body.person import Person
from wholedose.body.skeleton import SkeletonSite, skeleton_of

if TYPE_CHECKING:
    from wholedose.body.ensemble import Member
    from wholedose.body.skin_surface import SkinSurface
    from wholedose.matter import Material

Origin = Literal["image", "label map", "reference"]


class BodyGeometry(NamedTuple):
    """What transport needs: a voxel geometry as plain arrays."""

    grid: Grid
    material: NDArray[np.uint8]
    density_g_cm3: NDArray[np.float32]
    materials: tuple[Material, ...]


@dataclass(frozen=True, eq=False)
class Body:
    """A person as labelled voxels with material and density.

    Parameters
    ----------
    person : Person
    grid : Grid
        LPS mm; z points to the head.
    labels : int16 array [z, y, x]
        0 is not the person (air and couch); label i is ``organs[i - 1]``.
    organs : tuple of str
        Names of the labels: names of `ORGANS` that voxels can hold, and bone sites (`BONE_SITES`).
    material : uint8 array [z, y, x]
        Index into ``materials``.
    density_g_cm3 : float32 array [z, y, x]
    materials : tuple of Material
        The first is air.
    origin : mapping of organ to {"image", "label map", "reference"}
        Where each organ's shape comes from; ``"image"`` is our own segmentation of it, ``"reference"`` the
        reference body.
    assumptions : tuple of Assumption
        What was not known and how it was chosen.
    anatomy_u : mapping of organ to float
        Relative standard uncertainty of the organ's dose by its unknown shape and place.
    landmarks : mapping of str to float
        z in mm of ``vertex``, ``chin``, ``shoulder``, ``lung_top``, ``lung_bottom``, ``liver_bottom``,
        ``iliac_crest``, ``hip`` (crotch level), ``sole``.
    image_z_mm : (float, float) or None
        Extent along z of the image that the body was made from; None for a body without an image.
    whole : bool
        Whether the person is complete; False for an image that was not completed.
    rival_mm : float
        How much higher on the body another place of the image matches nearly as well; 0 when none does.
    added : tuple of str
        Labels that a user added (`Addition`), which no published list names.
    ensemble : tuple of Member
        Other bodies that agree as well with the image that this one was completed from.
    surface : SkinSurface or None
        Where the basal layer of the skin lies, in the grid's coordinates; None: at the voxels' boundary.
    """

    person: Person
    grid: Grid
    labels: NDArray[np.int16]
    organs: tuple[str, ...]
    material: NDArray[np.uint8]
    density_g_cm3: NDArray[np.float32]
    materials: tuple[Material, ...]
    origin: Mapping[str, Origin]
    assumptions: tuple[Assumption, ...] = ()
    anatomy_u: Mapping[str, float] = field(default_factory=dict)
    landmarks: Mapping[str, float] = field(default_factory=dict)
    image_z_mm: tuple[float, float] | None = None
    whole: bool = True
    rival_mm: float = 0.0
    added: tuple[str, ...] = ()
    ensemble: tuple[Member, ...] = ()
    surface: SkinSurface | None = None

    def __post_init__(self) -> None:
        for name, array in (
            ("labels", self.labels),
            ("material", self.material),
            ("density_g_cm3", self.density_g_cm3),
        ):
            if array.shape != self.grid.shape:
                raise InvalidInput(f"{name} {array.shape} does not fit the grid {self.grid.shape}.")
        for organ in self.organs:
            if organ not in REGIONS and organ not in ORGANS and organ not in self.added:
                raise UnknownName("organ", organ, REGIONS)
        if int(self.labels.max(initial=0)) > len(self.organs) or int(self.labels.min(initial=0)) < 0:
            raise InvalidInput(
                f"The labels reach {self.labels.max()}, but {len(self.organs)} organs are named."
            )

    def label(self, name: str) -> int:
        """Return the label of an organ or bone site.

        Raises
        ------
        UnknownName
            This body has no such label.
        """
        try:
            return self.organs.index(name) + 1
        except ValueError:
            raise UnknownName("organ in this body", name, self.organs) from None

    def members(self, organ: str) -> tuple[str, ...]:
        """Return the labels that make an organ: itself, its parts that count, the bone sites for bone.

        Where a wall is labelled apart from its contents, the organ is the wall; of a heart with labelled
        chambers it is the wall; of a breast with labelled gland it is the gland.

        Examples
        --------
        ``body.members("bone")`` → ``("bone_cranium", …)``; ``body.members("liver")`` → ``("liver",)``;
        ``body.members("stomach")`` → ``("stomach_wall",)``.
        """
        if organ in ("bone", "red_bone_marrow", "endosteum"):
            sites = tuple(name for name in BONE_SITES if name in self.organs)
            if organ != "bone":
                return sites
            return (*sites, *(name for name in ("bone", *parts_of("bone")) if name in self.organs))
        return tuple(name for name in (organ, *parts_of(organ)) if name in self.organs)

    def mask(self, organ: str) -> NDArray[np.bool_]:
        """Return where an organ is; for bone, red_bone_marrow and endosteum all bone sites."""
        members = [self.label(name) for name in self.members(organ)]
        if not members:
            self.label(organ)
        return np.isin(self.labels, members)

    @cached_property
    def _mass(self) -> NDArray[np.float64]:
        return np.asarray(self._profile.sum(axis=1))

    def mass_g(self, organ: str) -> float:
        """Return the mass of an organ in g; of red bone marrow and endosteum what the skeleton tells.

        Parts that the organ counts belong to it: the hippocampi to the brain. Endosteum has no mass of its
        own here and answers 0.
        """
        if organ == "red_bone_marrow":
            return sum(site.marrow_mass_g for site in self.skeleton)
        if organ == "endosteum":
            return 0.0
        return float(sum(self._mass[self.label(name)] for name in self.members(organ)))

    def label_mass_g(self, name: str) -> float:
        """Return the mass of the voxels of one label in g, without the parts that have labels of their own.

        Raises
        ------
        UnknownName
            This body has no such label.
        """
        return float(self._mass[self.label(name)])

    @property
    def total_mass_kg(self) -> float:
        """The mass of all voxels that are the person."""
        return float(self._mass[1:].sum()) / 1000.0

    @cached_property
    def skeleton(self) -> tuple[SkeletonSite, ...]:
        """How red bone marrow and endosteum are distributed over the bone sites of this body."""
        bone = {name: float(self._mass[self.label(name)]) for name in self.members("red_bone_marrow")}
        # where the shaft's cortex has a label of its own, the sites are spongiosa of this very person
        person = self.person if "cortical_bone" in self.organs or not self.person.is_adult else None
        return skeleton_of(bone, ORGANS["red_bone_marrow"].reference_mass_g[self.person.sex], person)

    def geometry(self) -> BodyGeometry:
        """Return grid, material, density and materials for a voxel geometry."""
        return BodyGeometry(self.grid, self.material, self.density_g_cm3, self.materials)

    def inside(self, organ: str, z_mm: tuple[float, float]) -> float:
        """Return the share of an organ's mass between two z in mm, 0 to 1.

        Red bone marrow and endosteum are weighted by their shares in the bone sites.
        """
        z = self.grid.axes_mm()[0]
        within = (z >= min(z_mm)) & (z <= max(z_mm))
        if organ in ("red_bone_marrow", "endosteum"):
            weights = {
                site.name: site.marrow_share if organ == "red_bone_marrow" else site.endosteum_share
                for site in self.skeleton
            }
        else:
            weights = {name: float(self._mass[self.label(name)]) for name in self.members(organ)}
        total = sum(weights.values())
        if not total:
            return 0.0
        share = 0.0
        for name, weight in weights.items():
            profile = self._profile[self.label(name)]
            if weight and profile.sum():
                share += weight * float(profile[within].sum() / profile.sum())
        return share / total

    @cached_property
    def _profile(self) -> NDArray[np.float64]:
        """Mass per label and slice, [label, z]."""
        count = len(self.organs) + 1
        nz = self.grid.shape[0]
        profile = np.zeros((count, nz))
        for k in range(nz):
            # most voxels are air round the person
            held = self.labels[k] > 0
            profile[:, k] = np.bincount(
                self.labels[k][held], weights=self.density_g_cm3[k][held], minlength=count
            )
        return profile * self.grid.voxel_cm3

    def with_(self, **changes: Any) -> Body:
        """Return a copy with some fields replaced; with other voxels it has no known surface."""
        if {"grid", "labels"} & set(changes):
            changes = {"surface": None} | changes
        return replace(self, **changes)

    def digest(self) -> str:
        """Return the SHA-256 of labels, materials and densities, for provenance."""
        names = [material.name for material in self.materials]
        return digest_of(
            self.grid.to_json(), list(self.organs), names, self.labels, self.material, self.density_g_cm3
        )

    def to_json(self) -> dict[str, Any]:
        """Return what a report needs to say about the body: person, origins, assumptions, masses."""
        return {
            "person": self.person.to_json(),
            "grid": self.grid.to_json(),
            "total_mass_kg": self.total_mass_kg,
            "origin": dict(self.origin),
            "anatomy_u": dict(self.anatomy_u),
            "assumptions": [vars(item) for item in self.assumptions],
            "landmarks": dict(self.landmarks),
            "mass_g": {name: self.mass_g(name) for name in self.organs},
        }
