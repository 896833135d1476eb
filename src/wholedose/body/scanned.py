"""The scanned part of a person. Defines `Scanned`.

It holds the segmented image while organs are assigned to it, and joins it with the stylised adult.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from wholedose.base import Assumption, Grid
from wholedose.body import segmentation as seg
from wholedose.body.anatomy import anatomy_u_of
from wholedose.body.body import Body, Origin
from wholedose.body.labels import LabelNames
from wholedose.body.locate import Fit
from wholedose.body.organs import BONE_SITES, ORGANS
from wholedose.body.person import Person
from wholedose.matter import HuCalibration, Material, material

Mask = NDArray[np.bool_]
S = TypeVar("S", bound=np.generic)

# tissues that the segmentation decides: the stylised adult never adds to them inside the image
SEGMENTED = ("lungs", "adipose", "muscle", "skin", "trachea", "residual_soft_tissue")
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
        self.names = (
            *(n for n in ORGANS if n not in ("red_bone_marrow", "endosteum")),
            *BONE_SITES,
        )
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

    def take_stylised(
        self, stylised_labels: NDArray[np.int16], sites: NDArray[np.int16], model: Body
    ) -> None:
        """Give free soft voxels the organs that the fitted stylised adult has there, and bone its sites."""
        soft = self.found.mask("soft") & (self.labels == self.number["muscle"])
        fat = self.found.mask("fat") & (self.labels == self.number["adipose"])
        from_label_map = {name for name, origin in self.origin.items() if origin == "label map"}
        if "muscle" in from_label_map:
            soft &= ~self._labelled("muscle")
        for i, name in enumerate(model.organs, start=1):
            if name in BONE_SITES or name in SEGMENTED or name in self.trusted:
                continue
            here = stylised_labels == i
            accept = soft | fat if name in ("breasts", "lymphatic_nodes") else soft
            where = here & accept
            if where.any():
                self._set(where, name, "stylised")
        residual = (stylised_labels == model.label("residual_soft_tissue")) & soft
        residual &= self.labels == self.number["muscle"]
        if "residual_soft_tissue" not in self.trusted:
            self._set(residual, "residual_soft_tissue", "image")
        for i, name in enumerate(model.organs, start=1):
            if name in BONE_SITES:
                where = self.bone_without_site & (sites == i)
                if where.any():
                    self.labels[where] = self.number[name]
                    self.origin.setdefault(name, "image")

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
        filling = ndimage.uniform_filter(body.astype(np.float32), 3)
        wanted = round(layer.sum() * min(skin_mm / step, 1.0))
        if wanted:
            order = np.argsort(filling[layer], kind="stable")[:wanted]
            chosen = np.zeros(int(layer.sum()), dtype=np.bool_)
            chosen[order] = True
            where = layer.copy()
            where[layer] = chosen
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
        """Return the body of the image only, without any stylised part."""
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

    def completed(self, person: Person, model: Body, coarse: Body, fit: Fit, notes: list[Assumption]) -> Body:
        """Return the whole person: the image, and the fitted stylised adult around it."""
        sites = nearest_sites(coarse)
        here = _Sampler(coarse, fit, self.grid).read(sites)
        inside = _Sampler(model, fit, self.grid)
        self.take_stylised(inside.read(model.labels), here, model)
        self._finish(skin_mm_of(model.person))
        grid, at = _whole_grid(self.grid, model, fit)
        outside = _Sampler(model, fit, grid)
        model_labels = outside.read(model.labels)
        renumber = np.array([0, *(self.number[n] for n in model.organs)], dtype=np.int16)
        labels = renumber[model_labels]
        index, density, materials = self._matter()
        count = len(materials)
        whole_index = (outside.read(model.material) + count).astype(np.uint8)
        whole_density = outside.read(model.density_g_cm3)
        empty = model_labels == 0
        whole_index[empty & (whole_density < 0.01)] = 0
        whole_density[empty] = np.maximum(whole_density[empty], materials[0].density_g_cm3)
        slab = np.zeros(grid.shape[0], dtype=np.bool_)
        slab[at[0]] = True
        if self.found.truncated <= seg.threshold("truncated_flag"):
            # the image shows the whole section: nothing of the person lies beside it
            labels[slab] = 0
            whole_index[slab] = 0
            whole_density[slab] = materials[0].density_g_cm3
        labels[at], whole_index[at], whole_density[at] = self.labels, index, density
        origin: dict[str, Origin] = dict(self.origin)
        present = np.unique(labels)
        for name in model.organs:
            if self.number[name] in present:
                origin.setdefault(name, "stylised")
        marks = fit.to_image_z(np.array(list(model.landmarks.values())))
        return _body(
            model.person.with_(name=person.name), grid, labels, self.names, whole_index, whole_density,
            (*materials, *model.materials), origin, notes,
            (self.grid.lower_mm[2], self.grid.upper_mm[2]),
            dict(zip(model.landmarks, (float(v) for v in marks), strict=True)), True, fit.rival_mm,
        )  # fmt: skip


def skin_mm_of(person: Person) -> float:
    """Return the skin's thickness in mm: ICRP 89 mass over density and body surface (1.90 and 1.66 m²)."""
    surface_cm2 = {"M": 19000.0, "F": 16600.0}[person.sex]
    return 10 * ORGANS["skin"].target_mass_g[person.sex] / (material("skin").density_g_cm3 * surface_cm2)


def nearest_sites(body: Body) -> NDArray[np.int16]:
    """Return for every voxel the label of the bone site next to it."""
    bone = body.mask("bone")
    at = ndimage.distance_transform_edt(~bone, return_distances=False, return_indices=True)
    return np.asarray(body.labels[tuple(at)], dtype=np.int16)


@dataclass(frozen=True, eq=False)
class _Sampler:
    """Reads arrays of the fitted stylised body at the voxels of a grid in image space; 0 outside."""

    body: Body
    fit: Fit
    grid: Grid

    def read(self, values: NDArray[S]) -> NDArray[S]:
        source, (z, y, x) = self.body.grid, self.grid.axes_mm()
        found = np.zeros(self.grid.shape, dtype=values.dtype)
        heights = self.fit.to_body_z(z)
        (xi, xs, xb), (yi, ys, yb) = self.fit.section(z)
        dz, dy, dx = source.spacing_mm
        low = source.lower_mm
        for k in range(z.size):
            kz = math.floor((heights[k] - low[2]) / dz)
            if not 0 <= kz < source.shape[0]:
                continue
            ky = np.floor(((y - yi[k]) * ys[k] + yb[k] - low[1]) / dy).astype(int)
            kx = np.floor(((x - xi[k]) * xs[k] + xb[k] - low[0]) / dx).astype(int)
            fy = np.flatnonzero((ky >= 0) & (ky < source.shape[1]))
            fx = np.flatnonzero((kx >= 0) & (kx < source.shape[2]))
            if fy.size and fx.size:
                found[k, fy[0] : fy[-1] + 1, fx[0] : fx[-1] + 1] = values[kz][np.ix_(ky[fy], kx[fx])]
        return found


def _whole_grid(image: Grid, model: Body, fit: Fit) -> tuple[Grid, tuple[slice, slice, slice]]:
    """Return the grid of image and stylised body together, in step with the image, and the image's place."""
    step = image.spacing_mm[0]
    low, high = np.array(model.grid.lower_mm), np.array(model.grid.upper_mm)
    z = fit.to_image_z(np.array([low[2], high[2]]))
    all_z = np.linspace(z[0], z[1], 60)
    (xi, xs, xb), (yi, ys, yb) = fit.section(all_z)
    ends_x = np.concatenate([(low[0] - xb) / xs + xi, (high[0] - xb) / xs + xi])
    ends_y = np.concatenate([(low[1] - yb) / ys + yi, (high[1] - yb) / ys + yi])
    lows = np.minimum([ends_x.min(), ends_y.min(), z[0]], image.lower_mm)
    highs = np.maximum([ends_x.max(), ends_y.max(), z[1]], image.upper_mm)
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
        inside.update({name: 0.0 for name in kept if body.origin[name] == "stylised"})
    shares = {site.name: site.marrow_share for site in body.skeleton}
    widened = math.sqrt(sum((note.relative_u or 0.0) ** 2 for note in notes if note.what in WIDENING))
    found = anatomy_u_of(body.origin, inside, shares)
    return body.with_(anatomy_u={name: math.hypot(u, widened) for name, u in found.items()})
