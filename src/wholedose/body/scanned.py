"""The scanned part of a person. Defines `Scanned` and `Seen`.

It holds the segmented image while organs are assigned to it, and joins it with the reference body.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from wholedose.base import Assumption, Grid
from wholedose.body import segmentation as seg
from wholedose.body.anatomy import anatomy_u_of
from wholedose.body.body import Body, Origin
from wholedose.body.labels import LabelNames
from wholedose.body.masses import targets_of, with_size
from wholedose.body.organs import BONE_SITES, PARTS, REGIONS
from wholedose.body.person import Person
from wholedose.body.placement import Placement, taken
from wholedose.matter import HuCalibration, Material, material

Mask = NDArray[np.bool_]

# tissues that the segmentation decides: the reference body never adds to them inside the image
SEGMENTED = (
    "lungs", "adipose", "muscle", "skin", "trachea", "residual_soft_tissue",
    "bone", "cortical_bone", "medullary_cavities", "teeth",
)  # fmt: skip
IN_FAT = ("breasts", "lymphatic_nodes")
LEAST_TAKEN = 0.4
"""A region of which less of its voxels are soft tissue takes fat, too."""

# compact organs: when a label map shows one without touching the image's ends, none of it lies outside
COMPACT = (
    "brain", "thyroid", "thymus", "heart", "liver", "gall_bladder", "spleen", "stomach", "pancreas",
    "kidneys", "adrenals", "urinary_bladder", "prostate", "uterus", "ovaries", "testes", "eyes",
)  # fmt: skip

# where a long bone comes as one label: its lower half, and its length in mm in an adult
LOWER_HALF = {
    "bone_femora_upper": ("bone_femora_lower", 450.0),
    "bone_humeri_upper": ("bone_humeri_lower", 330.0),
}
MATTER_FROM = 0.02
"""Density in g/cm³ from which a voxel outside the person counts as couch and not as noisy air."""

AIR_VOXELS = 2
"""Voxels of air that are left around person and couch."""

OUTSIDE_AIR_BELOW_HU = -700.0
# what is seen in the image and makes all of its doses less certain
WIDENING = ("truncated field of view", "contrast medium")


class Scanned:
    """The image with its labels."""

    def __init__(
        self, grid: Grid, hu: NDArray[np.float32], found: seg.Segmentation, calibration: HuCalibration
    ) -> None:
        self.grid, self.hu, self.found, self.calibration = grid, hu, found, calibration
        self.names = REGIONS
        self.number = {name: i for i, name in enumerate(self.names, start=1)}
        self.labels = np.zeros(hu.shape, dtype=np.int16)
        self.origin: dict[str, Origin] = {}
        self.trusted: frozenset[str] = frozenset()
        self.bone_without_site = found.mask("bone")
        self.foreign: list[tuple[Mask, NDArray[np.uint8], tuple[Material, ...], NDArray[np.float32]]] = []
        for tissue, organ in (("soft", "muscle"), ("fat", "adipose"), ("lung", "lungs")):
            self._set(found.mask(tissue), organ, "image")
        self._trachea()

    def _set(self, where: Mask, organ: str, origin: Origin) -> None:
        if where.any():
            self.labels[where] = self.number[organ]
            self.origin[organ] = origin

    def _trachea(self) -> None:
        airway = self.found.mask("airway")
        if airway.any():
            wall = ndimage.binary_dilation(airway) & self.found.mask("soft")
            self._set(wall, "trachea", "image")

    def take_labels(self, labels: NDArray[np.int32], names: LabelNames) -> None:
        """Let a label map decide over the segmentation, inside the body and not in air."""
        self.trusted = names.organs
        body = self.found.body
        bone = np.zeros(labels.shape, dtype=np.bool_)
        for number, organ in names.target.items():
            where = (labels == number) & body
            if organ == "bone":
                bone |= where
            elif organ and where.any():
                if organ == "trachea":
                    where &= self.hu > seg.threshold("lung_to")
                self._set(where, organ, "label map")
                if organ in BONE_SITES:
                    self.bone_without_site &= ~where
                    self._split_long_bone(organ, where)
                else:
                    self.bone_without_site &= ~where
        self.bone_without_site |= bone

    def _split_long_bone(self, organ: str, where: Mask) -> None:
        """Give the lower half of a long bone, which holds no active marrow, its own site."""
        if organ not in LOWER_HALF:
            return
        lower, length_mm = LOWER_HALF[organ]
        slices = np.flatnonzero(where.any(axis=(1, 2)))
        top = int(slices[-1] - length_mm / 2 / self.grid.spacing_mm[0])
        if slices[0] < top:
            part = where.copy()
            part[top:] = False
            self._set(part, lower, "label map")

    def take_reference(self, labels: NDArray[np.int16], sites: NDArray[np.int16], model: Body) -> None:
        """Give free soft voxels the organs that the fitted reference body has there, and bone its sites.

        Parameters
        ----------
        labels, sites : int16 arrays
            Labels of the model on the grid of the image: of the place, and of the bone site next to it.
        model : Body
        """
        soft = self.found.mask("soft") & (self.labels == self.number["muscle"])
        fat = self.found.mask("fat") & (self.labels == self.number["adipose"])
        if self.origin.get("muscle") == "label map":
            soft &= ~self._labelled("muscle")
        for i, name in enumerate(model.organs, start=1):
            if not self.takes(name):
                continue
            here = labels == i
            where = here & (fat if name == "breast_adipose" else soft)
            if name in IN_FAT or where.sum() < LEAST_TAKEN * here.sum():
                # thin or small organs in fat are no brighter than it in millimetre voxels
                where = here & (soft | fat)
            if where.any():
                self._set(where, name, "reference")
        residual = (labels == model.label("residual_soft_tissue")) & soft
        residual &= self.labels == self.number["muscle"]
        if "residual_soft_tissue" not in self.trusted:
            self._set(residual, "residual_soft_tissue", "image")
        for i, name in enumerate(model.organs, start=1):
            if name in BONE_SITES:
                where = self.bone_without_site & (sites == i)
                if where.any():
                    self.labels[where] = self.number[name]
                    self.origin.setdefault(name, "image")

    def takes(self, name: str) -> bool:
        """Return whether a region of the reference body may fill free voxels of the image."""
        if name in BONE_SITES or name in SEGMENTED or name in self.trusted:
            return False
        return not (name in PARTS and PARTS[name].part_of in self.trusted)

    def split_cortex(self, spongy: Mapping[str, float]) -> None:
        """Give the densest voxels of each bone site to the cortex, so that the site is its spongiosa.

        Parameters
        ----------
        spongy : mapping of bone site to float
            Share of the site's bone that is spongiosa, in the reference body.
        """
        for name, share in spongy.items():
            where = np.flatnonzero(self.labels.ravel() == self.number[name])
            dense = round((1.0 - share) * where.size)
            if dense:
                order = np.argsort(-self.hu.ravel()[where], kind="stable")[:dense]
                self.labels.ravel()[where[order]] = self.number["cortical_bone"]
                self.origin.setdefault("cortical_bone", "image")

    def _labelled(self, name: str) -> Mask:
        """Where the label map itself put an organ."""
        if self.origin.get(name) != "label map":
            return np.zeros(self.labels.shape, dtype=np.bool_)
        return np.asarray(self.labels == self.number[name])

    def _finish(self, skin_mm: float) -> None:
        """Gas, airways and metal are nobody's tissue; the outermost layer is skin."""
        self.labels[self.found.mask("gas") | self.found.mask("airway") | self.found.mask("metal")] = 0
        self._draw_skin(skin_mm)

    def _draw_skin(self, skin_mm: float) -> None:
        body = self.found.body
        step = self.grid.spacing_mm[0]
        # sides that the image cuts are no skin, and neither are its ends
        padded = np.pad(body, 1, mode="edge")
        inner = ndimage.binary_erosion(padded)[1:-1, 1:-1, 1:-1]
        layer = body & ~inner & (self.labels > 0)
        # skin is thinner than voxels: an even share of the outermost ones, so that no side is favoured
        share = min(surface_mm2(body, step) * skin_mm / (step**3 * max(int(layer.sum()), 1)), 1.0)
        count = np.floor(np.arange(int(layer.sum()) + 1) * share)
        where = layer.copy()
        where[layer] = np.diff(count) > 0
        if where.any():
            self._set(where, "skin", "image")

    def _matter(self) -> tuple[NDArray[np.uint8], NDArray[np.float32], tuple[Material, ...]]:
        """Material (after air, the first) and density of every voxel; noise around the person is air."""
        index, density = self.calibration.map(self.hu)
        index = (index + 1).astype(np.uint8)
        outside = ~self.found.body & (self.hu < OUTSIDE_AIR_BELOW_HU)
        air = material("air")
        index[outside] = 0
        density[outside] = air.density_g_cm3
        materials = (air, *self.calibration.materials)
        for where, level, matter, own_density in self.foreign:
            index[where] = level + len(materials)
            density[where] = own_density
            materials = (*materials, *matter)
        return index, density, materials

    def alone(self, person: Person, notes: list[Assumption]) -> Body:
        """Return the body of the image only, without any part of the reference body."""
        self.labels[self.bone_without_site] = self.number["bone"]
        self.origin.setdefault("bone", "image")
        self._finish(skin_mm_of(person))
        index, density, materials = self._matter()
        low, high = self.grid.lower_mm[2], self.grid.upper_mm[2]
        return _body(
            person,
            self.grid,
            self.labels,
            self.names,
            index,
            density,
            materials,
            self.origin,
            notes,
            (low, high),
        )

    def completed(
        self, person: Person, model: Body, coarse: Body, placement: Placement, rival_mm: float,
        notes: list[Assumption],
    ) -> tuple[Body, Seen]:  # fmt: skip
        """Return the whole person, the image and the fitted reference body around it, and what was seen."""
        near = nearest_sites(coarse)
        sites = taken(near, placement.look_up(self.grid, coarse.grid))
        free_soft, free_fat = (
            self.found.mask("soft") & (self.labels == self.number["muscle"]) & ~self._labelled("muscle"),
            self.found.mask("fat") & (self.labels == self.number["adipose"]) & ~self._labelled("adipose"),
        )
        self.take_reference(taken(model.labels, placement.look_up(self.grid, model.grid)), sites, model)
        self.split_cortex(spongy_shares(coarse, near))
        self._finish(skin_mm_of(model.person))
        kind = np.full(self.grid.shape, FIXED, dtype=np.uint8)
        open_ = (self.labels > 0) & (self.labels != self.number["skin"])
        kind[free_soft & open_] = FREE_SOFT
        kind[free_fat & open_] = FREE_FAT
        grid, at = _whole_grid(self.grid, model, placement)
        index_of = placement.look_up(grid, model.grid)
        model_labels = taken(model.labels, index_of)
        held = self._held_whole()
        rest = {name: self.elsewhere(name, held) for name in model.organs}
        renumber = np.array([0, *(self.number[name] for name in rest.values())], dtype=np.int16)
        labels = renumber[model_labels]
        index, density, materials = self._matter()
        air = materials[0].density_g_cm3
        count = len(materials)
        whole_index = (taken(model.material, index_of) + np.uint8(count)).astype(np.uint8)
        whole_density = taken(model.density_g_cm3, index_of, air)
        empty = model_labels == 0
        whole_index[empty] = 0
        whole_density[empty] = air
        whole_kind = np.zeros(grid.shape, dtype=np.uint8)
        slab = np.zeros(grid.shape[0], dtype=np.bool_)
        slab[at[0]] = True
        if self.found.truncated <= seg.threshold("truncated_flag"):
            # the image shows the whole section: nothing of the person lies beside it
            labels[slab] = 0
            whole_index[slab] = 0
            whole_density[slab] = air
            whole_kind[slab] = FIXED
        labels[at], whole_index[at], whole_density[at] = self.labels, index, density
        whole_kind[at] = kind
        origin: dict[str, Origin] = dict(self.origin)
        present = np.unique(labels)
        for name in self.names:
            if self.number[name] in present:
                origin.setdefault(name, "reference")
        marks = placement.to_image_z(np.array(list(model.landmarks.values())))
        body = _body(
            model.person.with_(name=person.name), grid, labels, self.names, whole_index, whole_density,
            (*materials, *model.materials), origin, notes,
            (self.grid.lower_mm[2], self.grid.upper_mm[2]),
            dict(zip(model.landmarks, (float(v) for v in marks), strict=True)), True, rival_mm,
        )  # fmt: skip
        accepts = {name: self.takes(name) for name in model.organs}
        return body, Seen(grid, whole_kind, placement, coarse, rest, accepts)

    def elsewhere(self, name: str, held: frozenset[str]) -> str:
        """Return as what a region of the reference body counts outside the image.

        Where a label map draws an organ in one piece, the rest of it is no parts either; where it holds all
        of the organ (``held``), there is no rest.
        """
        whole = PARTS[name].part_of if name in PARTS else ""
        own = whole if whole and whole != "bone" and whole in self.trusted else name
        return "residual_soft_tissue" if own in held else own

    def _held_whole(self) -> frozenset[str]:
        """Compact organs of the label map that reach neither end of the image."""
        held = set()
        for name in COMPACT:
            if self.origin.get(name) == "label map":
                there = (self.labels == self.number[name]).any(axis=(1, 2))
                if there.any() and not there[[0, 1, -2, -1]].any():
                    held.add(name)
        return frozenset(held)


OUTSIDE, FIXED, FREE_SOFT, FREE_FAT = range(4)


@dataclass(frozen=True, eq=False)
class Seen:
    """What an image says, and leaves open, about every place of a completed person.

    Attributes
    ----------
    grid : Grid
        In the image's space, with the whole person.
    kind : uint8 array
        0 outside the image, 1 seen, 2 soft tissue and 3 fat that may be any organ.
    placement : Placement
    model : Body
        The coarse reference body.
    names : mapping of str to str
        Region of the model to label of the completed body.
    takes : mapping of str to bool
        Whether a region of the model may fill what is open.
    """

    grid: Grid
    kind: NDArray[np.uint8]
    placement: Placement
    model: Body
    names: Mapping[str, str]
    takes: Mapping[str, bool]


def skin_mm_of(person: Person) -> float:
    """Return the skin's thickness in mm: its mass over density and body surface (Mosteller 1987)."""
    sized = with_size(person)
    surface_cm2 = 1e4 * math.sqrt(float(sized.height_cm or 0) * float(sized.weight_kg or 0) / 3600.0)
    return 10 * targets_of(person)["skin"].mass_g / (material("skin").density_g_cm3 * surface_cm2)


def surface_mm2(body: Mask, step_mm: float) -> float:
    """Return the area in mm² of a mask's surface without its cut ends, as integral of the blurred slope.

    Examples
    --------
    A ball of 20 voxels radius: 4π · 20² voxel faces within 1 %.
    """
    blurred = ndimage.gaussian_filter(body.astype(np.float32), 1.0, mode="nearest")
    square = np.zeros_like(blurred)
    for axis in range(3):
        if blurred.shape[axis] > 1:
            square += np.gradient(blurred, axis=axis) ** 2
    return float(np.sqrt(square).sum(dtype=np.float64)) * step_mm**2


def nearest_sites(body: Body) -> NDArray[np.int16]:
    """Return for every voxel the label of the bone site next to it."""
    sites = np.isin(body.labels, [body.label(name) for name in BONE_SITES if name in body.organs])
    at = ndimage.distance_transform_edt(~sites, return_distances=False, return_indices=True)
    return np.asarray(body.labels[tuple(at)], dtype=np.int16)


def spongy_shares(body: Body, near: NDArray[np.int16]) -> dict[str, float]:
    """Return which share of each site's bone is spongiosa, its cortex being what lies next to it."""
    count = len(body.organs) + 1
    spongy = np.bincount(body.labels.ravel(), minlength=count)
    cortex = np.bincount(near[body.labels == body.label("cortical_bone")], minlength=count)
    found = {name: (spongy[body.label(name)], cortex[body.label(name)]) for name in body.members("endosteum")}
    return {name: float(a / (a + b)) for name, (a, b) in found.items() if a + b}


def _whole_grid(image: Grid, model: Body, placement: Placement) -> tuple[Grid, tuple[slice, slice, slice]]:
    """Return the grid of image and model body together, in step with the image, and the image's place."""
    step = image.spacing_mm[0]
    low, high = np.array(model.grid.lower_mm), np.array(model.grid.upper_mm)
    z = placement.to_image_z(np.array([low[2], high[2]]))
    all_z = np.linspace(z[0], z[1], 60)
    (xi, xs, xb), (yi, ys, yb) = placement.fit.section(all_z)
    ends_x = np.concatenate([(low[0] - xb) / xs + xi, (high[0] - xb) / xs + xi])
    ends_y = np.concatenate([(low[1] - yb) / ys + yi, (high[1] - yb) / ys + yi])
    room = placement.warp.greatest_mm()
    lows = np.minimum([ends_x.min() - room, ends_y.min() - room, z[0] - room], image.lower_mm)
    highs = np.maximum([ends_x.max() + room, ends_y.max() + room, z[1] + room], image.upper_mm)
    before = np.ceil((np.array(image.lower_mm) - lows) / step - 1e-6).astype(int)
    after = np.ceil((highs - np.array(image.upper_mm)) / step - 1e-6).astype(int)
    nz, ny, nx = image.shape
    shape = (nz + int(before[2] + after[2]), ny + int(before[1] + after[1]), nx + int(before[0] + after[0]))
    origin = np.array(image.origin_mm) - before * step
    at = (
        slice(int(before[2]), int(before[2]) + nz),
        slice(int(before[1]), int(before[1]) + ny),
        slice(int(before[0]), int(before[0]) + nx),
    )
    return Grid(shape, image.spacing_mm, (float(origin[0]), float(origin[1]), float(origin[2]))), at


def _cropped(
    grid: Grid, labels: NDArray[np.int16], index: NDArray[np.uint8], density: NDArray[np.float32]
) -> tuple[Grid, tuple[NDArray[np.int16], NDArray[np.uint8], NDArray[np.float32]]]:
    """Cut the air around person and couch away: transport scores and stores every voxel that is left."""
    solid = (labels > 0) | (density > MATTER_FROM)
    box = []
    for axis, others in enumerate(((1, 2), (0, 2), (0, 1))):
        where = np.flatnonzero(solid.any(axis=others))
        if not where.size:
            return grid, (labels, index, density)
        low, high = max(int(where[0]) - AIR_VOXELS, 0), int(where[-1]) + AIR_VOXELS + 1
        box.append(slice(low, min(high, grid.shape[axis])))
    z, y, x = box
    (dz, dy, dx), (ox, oy, oz) = grid.spacing_mm, grid.origin_mm
    part = labels[z, y, x]
    nz, ny, nx = part.shape
    origin = (ox + x.start * dx, oy + y.start * dy, oz + z.start * dz)
    cut = (
        np.ascontiguousarray(part),
        np.ascontiguousarray(index[z, y, x]),
        np.ascontiguousarray(density[z, y, x]),
    )
    return Grid((nz, ny, nx), grid.spacing_mm, origin), cut


def _body(
    person: Person,
    grid: Grid,
    labels: NDArray[np.int16],
    names: tuple[str, ...],
    index: NDArray[np.uint8],
    density: NDArray[np.float32],
    materials: tuple[Material, ...],
    origin: dict[str, Origin],
    notes: list[Assumption],
    image_z_mm: tuple[float, float],
    landmarks: dict[str, float] | None = None,
    whole: bool = False,
    rival_mm: float = 0.0,
) -> Body:
    """Keep the labels that are there, in the order of the published list, and add the uncertainties."""
    grid, (labels, index, density) = _cropped(grid, labels, index, density)
    present = set(np.unique(labels).tolist())
    kept = tuple(n for i, n in enumerate(names, start=1) if i in present)
    renumber = np.zeros(len(names) + 1, dtype=np.int16)
    for new, name in enumerate(kept, start=1):
        renumber[names.index(name) + 1] = new
    body = Body(
        person, grid, renumber[labels], kept, index, density, materials, {n: origin[n] for n in kept},
        tuple(notes), {}, landmarks or {}, image_z_mm, whole, rival_mm,
    )  # fmt: skip
    inside = {name: body.inside(name, image_z_mm) for name in kept}
    if rival_mm:
        inside.update({name: 0.0 for name in kept if body.origin[name] == "reference"})
    shares = {site.name: site.marrow_share for site in body.skeleton}
    widened = math.sqrt(sum((note.relative_u or 0.0) ** 2 for note in notes if note.what in WIDENING))
    found = anatomy_u_of(body.origin, inside, shares)
    return body.with_(anatomy_u={name: math.hypot(u, widened) for name, u in found.items()})
