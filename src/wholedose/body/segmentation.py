"""Classical segmentation of a CT. Defines `Segmentation`, `segment` and `refuse_unusable`.

By thresholds and morphology: body, lungs, airways, gas, bone, fat and soft tissue. Thresholds are the common
CT numbers of these tissues (table ``body/ct_thresholds``); what the image may hold besides (contrast, metal,
a body cut by the field of view) is reported as findings.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from wholedose.base import Grid, Volume
from wholedose.base.errors import InvalidInput
from wholedose.body.couch import find_couch
from wholedose.body.view import halves_of_edge, view_edge
from wholedose.tables import load

Mask = NDArray[np.bool_]

FOAM_HEIGHT = 0.4
"""What a couch encloses is flatter than this part of its width; lungs are higher."""

AIR, SOFT, FAT, BONE, LUNG, AIRWAY, GAS, COUCH, METAL = range(9)
CLASSES = ("air", "soft", "fat", "bone", "lung", "airway", "gas", "couch", "metal")


@dataclass(frozen=True, eq=False)
class Segmentation:
    """Tissue classes of a CT.

    Attributes
    ----------
    tissue : uint8 array [z, y, x]
        Index into `CLASSES`; body is everything but air and couch.
    truncated : float
        Share of body slices that the side of the field of view cuts.
    contrast : bool array [z, y, x]
        Strongly enhanced blood or gut; its class is soft.
    cut_left, cut_right : bool array [z]
        Slices that the field of view cuts on the side of low and of high x.
    """

    tissue: NDArray[np.uint8]
    truncated: float
    contrast: Mask
    cut_left: Mask
    cut_right: Mask

    @property
    def body(self) -> Mask:
        """Where the person is, airways and gas included."""
        return np.asarray((self.tissue != AIR) & (self.tissue != COUCH))

    def mask(self, name: str) -> Mask:
        """Return where a class of `CLASSES` is."""
        return np.asarray(self.tissue == CLASSES.index(name))


def threshold(name: str) -> float:
    """Return a value of the table ``body/ct_thresholds``."""
    table = load("body/ct_thresholds")
    return float(table["value"][list(table["name"]).index(name)])


def refuse_unusable(image: Volume) -> None:
    """Raise when an image is no CT in Hounsfield units.

    Raises
    ------
    InvalidInput
        Another modality; stored values without rescale; no CT numbers; no air and no fat at all.
    """
    modality = str(image.meta.get("modality", "CT")).upper()
    if modality != "CT":
        raise InvalidInput(
            f"The image is {modality}, not CT.",
            where="image",
            way_out="Give a CT: only its numbers tell density.",
        )
    if image.unit != "HU":
        raise InvalidInput(
            f"The image is in {image.unit!r}, not HU.", where="image", way_out="Rescale it to HU."
        )
    values = image.values
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        raise InvalidInput(
            "The image holds values that are not numbers.",
            where="image",
            way_out="Replace them by -1000 (air).",
        )
    sample = values.ravel()[:: max(1, values.size // 2_000_000)]
    low, high = (float(v) for v in np.percentile(sample, [0.5, 99.5]))
    if high - low < 50:
        raise InvalidInput(
            f"The image holds no body: its values lie between {low:.0f} and {high:.0f}.", where="image"
        )
    if low > threshold("lowest_expected"):
        dense = sample[sample > 0.4 * high]
        middle = float(np.median(dense)) if dense.size else 0.0
        if 850 <= middle <= 1250:
            raise InvalidInput(
                f"The CT numbers start at {low:.0f} and soft tissue lies near {middle:.0f}: stored values "
                "without rescale.",
                where="image",
                way_out="Apply rescale slope and intercept (often 1 and -1024) first.",
            )
        raise InvalidInput(
            f"These are no CT numbers: nothing lies below {low:.0f} HU, neither air nor fat; it may be MR.",
            where="image",
            way_out="Give a CT in Hounsfield units.",
        )


def segment(hu: NDArray[np.float32], grid: Grid) -> Segmentation:
    """Sort the voxels of a CT into tissues.

    Parameters
    ----------
    hu : array [z, y, x]
        CT numbers on cubic voxels of a few mm.
    grid : Grid

    Raises
    ------
    InvalidInput
        There is no body in the image.
    """
    step = grid.spacing_mm[0]
    body, truncated, cuts = _body(hu, step, grid)
    tissue = np.full(hu.shape, AIR, dtype=np.uint8)
    tissue[~body & (hu > threshold("couch_from"))] = COUCH
    tissue[body] = SOFT
    tissue[body & (hu >= threshold("fat_from")) & (hu < threshold("fat_to"))] = FAT
    dark = body & (hu < threshold("fat_from"))
    lungs, airway = _lungs(hu, dark, body, grid)
    tissue[dark & (hu < threshold("gas_to"))] = GAS
    tissue[dark & (hu >= threshold("gas_to"))] = FAT
    tissue[lungs] = LUNG
    tissue[airway] = AIRWAY
    metal = _metal(hu, body, grid)
    bone, contrast = _bone(hu, body & ~lungs & ~airway & ~metal, step)
    tissue[bone] = BONE
    tissue[metal] = METAL
    return Segmentation(tissue, truncated, contrast & ~metal, cuts[0], cuts[1])


def _disk(radius: float) -> Mask:
    n = int(radius)
    y, x = np.mgrid[-n : n + 1, -n : n + 1]
    return np.asarray(x * x + y * y <= radius * radius + 0.5)[None]


def _largest(mask: Mask) -> Mask:
    labels, count = ndimage.label(mask)
    if count == 0:
        return mask
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    return np.asarray(labels == sizes.argmax())


def _metal(hu: NDArray[np.float32], body: Mask, grid: Grid) -> Mask:
    """Return metal: brighter than any bone, with its rim; single bright voxels are noise or streaks."""
    core = body & (hu > threshold("metal_from"))
    if not core.any():
        return core
    labels, _ = ndimage.label(core, structure=np.ones((3, 3, 3), dtype=np.bool_))
    sizes = np.bincount(labels.ravel()) * grid.voxel_cm3
    sizes[0] = 0.0
    core = (sizes >= threshold("least_metal_cm3"))[labels]
    rim = ndimage.binary_dilation(core) & body & (hu > threshold("metal_rim_from"))
    return np.asarray(core | rim)


def _body(hu: NDArray[np.float32], step: float, grid: Grid) -> tuple[Mask, float, tuple[Mask, Mask]]:
    solid = hu > threshold("body_from")
    plate = find_couch(hu, grid, threshold("couch_from"))
    solid &= ~plate
    radius = max(1.0, threshold("opening_mm") / step)
    # a border of air, so that opening does not eat what the image cuts; the ends along z are repeated
    padded = np.pad(solid | _enclosed_lungs(hu, solid, step), ((0, 0), (3, 3), (3, 3)), mode="edge")
    opened = ndimage.binary_opening(padded, structure=_disk(radius))[:, 3:-3, 3:-3]
    labels, count = ndimage.label(opened)
    sizes = np.bincount(labels.ravel(), minlength=count + 1) * grid.voxel_cm3
    sizes[0] = 0
    if sizes.max(initial=0.0) < threshold("least_body_cm3"):
        raise InvalidInput(
            f"The image holds no body: the largest solid piece has {sizes.max(initial=0.0):.0f} cm³.",
            where="image",
            way_out="Check the image and its CT numbers.",
        )
    # limbs that the image shows apart from the trunk are the person, too
    keep = np.flatnonzero(sizes > max(threshold("least_body_cm3"), 0.02 * sizes.max()))
    core = np.isin(labels, keep)
    reach = int(np.ceil(radius))
    body = ndimage.binary_dilation(core, structure=_disk(1), iterations=reach) & solid
    # only what hangs together with the core: the couch lies within reach, but behind air
    pieces, _ = ndimage.label(body)
    body &= np.isin(pieces, np.unique(pieces[core & body]))
    # a cut side counts as skin, so that lungs which touch it are inside
    side = view_edge(hu)
    cut = (body & side).any(axis=(1, 2)) if min(hu.shape[1:]) > 4 else np.zeros(hu.shape[0], dtype=np.bool_)
    filled = np.empty_like(body)
    for k in range(body.shape[0]):
        filled[k] = ndimage.binary_fill_holes(body[k])
    deep = [k for k in range(body.shape[0]) if body[k].any()]
    touched = (body & side).sum(axis=(1, 2)) * step > threshold("cut_length_mm")
    truncated = float((touched & cut).sum() / max(len(deep), 1))
    at_side = [
        (body & half).sum(axis=(1, 2)) * step > threshold("cut_length_mm") for half in halves_of_edge(side)
    ]
    return filled, truncated, (at_side[0], at_side[1])


def _enclosed_lungs(hu: NDArray[np.float32], solid: Mask, step: float) -> Mask:
    """Return lungs within the chest wall, which in a child is thinner than what opening removes."""
    found = np.zeros_like(solid)
    for k in range(hu.shape[0]):
        holes, _ = ndimage.label(ndimage.binary_fill_holes(solid[k]) & ~solid[k])
        for number, box in enumerate(ndimage.find_objects(holes), start=1):
            piece = holes[box] == number
            if piece.sum() * step**2 < 100.0 * threshold("least_lung_cm2"):
                continue
            high = piece.shape[0] > FOAM_HEIGHT * piece.shape[1]
            if high and float(hu[k][box][piece].mean()) > threshold("lung_mean_from"):
                found[k][box] |= piece
    return found


def _lungs(hu: NDArray[np.float32], dark: Mask, body: Mask, grid: Grid) -> tuple[Mask, Mask]:
    none = np.zeros(hu.shape, dtype=np.bool_)
    candidate = dark & (hu < threshold("lung_to"))
    labels, count = ndimage.label(candidate)
    if not count:
        return none, none
    index = np.arange(1, count + 1)
    size = ndimage.sum_labels(np.ones(hu.shape, dtype=np.float32), labels, index) * grid.voxel_cm3
    # the rim of a gas bubble is as grey as lung: only what lies inside tells
    inner = np.where(ndimage.binary_erosion(candidate), labels, 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.nan_to_num(ndimage.mean(hu, inner, index), nan=-1000.0)
    lung_like = (size > threshold("least_lung_cm3")) & (mean > threshold("lung_mean_from"))
    lungs = np.isin(labels, index[lung_like])
    if not lungs.any():
        return none, none
    airway = _airway(hu, lungs | (dark & (hu < threshold("airway_to"))), lungs, grid)
    lungs &= ~airway
    closed = ndimage.binary_closing(lungs, structure=_disk(2)) & body
    for k in np.flatnonzero(closed.any(axis=(1, 2))):
        closed[k] = ndimage.binary_fill_holes(closed[k])
    vessels = closed & ~airway & (hu < threshold("lung_vessel_to"))
    return vessels | lungs, airway


def _airway(hu: NDArray[np.float32], allowed: Mask, lungs: Mask, grid: Grid) -> Mask:
    """Trachea and main bronchi: the darkest tube in the middle above the lungs' middle."""
    dark = allowed & (hu < threshold("airway_to"))
    labels, count = ndimage.label(dark)
    z = np.flatnonzero(lungs.any(axis=(1, 2)))
    if not count or z.size < 3:
        return np.zeros(hu.shape, dtype=np.bool_)
    columns = np.flatnonzero(lungs.any(axis=(0, 1)))
    middle, half = columns.mean(), 0.25 * (columns[-1] - columns[0] + 1)
    upper = slice(int(z[0] + 0.6 * z.size), None)
    seen = np.zeros(hu.shape, dtype=np.bool_)
    seen[upper, :, int(middle - half) : int(middle + half) + 1] = True
    found = np.zeros(hu.shape, dtype=np.bool_)
    sizes = np.bincount(labels.ravel())
    for number in np.unique(labels[seen & (labels > 0)]):
        volume = sizes[number] * grid.voxel_cm3
        inside = (labels == number) & seen
        if 3.0 < volume < threshold("most_airway_cm3") and inside.sum() > 0.5 * sizes[number]:
            found |= labels == number
    return found


def _small_holes(mask: Mask, largest: float) -> Mask:
    """Return the holes of a plane up to a size: spongy bone, not what ribs or skull enclose."""
    holes, count = ndimage.label(ndimage.binary_fill_holes(mask) & ~mask)
    if not count:
        return np.zeros_like(mask)
    sizes = np.bincount(holes.ravel())
    sizes[0] = mask.size
    return np.asarray(sizes[holes] <= largest)


def _bone(hu: NDArray[np.float32], allowed: Mask, step: float) -> tuple[Mask, Mask]:
    """Bright pieces that hold truly dense bone, with their spongy insides; other bright ones are contrast."""
    bright = allowed & (hu > threshold("bone_from"))
    labels, count = ndimage.label(bright, structure=np.ones((3, 3, 3), dtype=np.bool_))
    if not count:
        return bright, np.zeros_like(bright)
    pools = _pools(hu, bright, allowed, step)
    index = np.arange(1, count + 1)
    size = np.bincount(labels.ravel(), minlength=count + 1)[1:]
    dense = ndimage.sum_labels(hu > threshold("dense_bone_from"), labels, index)
    is_bone = (dense >= 1) & (dense > threshold("least_dense_share") * size)
    bone = np.isin(labels, index[is_bone]) & ~pools
    contrast = pools | bright & ~bone & ndimage.binary_opening(bright & ~bone, structure=_disk(1))
    reach = max(1, round(6.0 / step))
    closed = ndimage.binary_closing(np.pad(bone, reach), structure=_disk(reach))[
        reach:-reach, reach:-reach, reach:-reach
    ]
    largest = threshold("most_marrow_mm2") / step**2
    for k in np.flatnonzero(closed.any(axis=(1, 2))):
        closed[k] |= _small_holes(closed[k], largest)
    spongy = closed & allowed & (hu > threshold("spongy_from")) & ~contrast
    return bone | spongy, contrast


def _pools(hu: NDArray[np.float32], bright: Mask, allowed: Mask, step: float) -> Mask:
    """Return bright, even cores thicker than compact bone, without a cortex: vessels, heart, bladder, gut."""
    core = ndimage.binary_opening(bright, structure=_disk(max(1.5, threshold("thick_core_mm") / step)))
    if not core.any():
        return core
    smooth = ndimage.uniform_filter(hu, 3)
    spread = np.sqrt(np.maximum(ndimage.uniform_filter(hu * hu, 3) - smooth * smooth, 0))
    soft = allowed & (smooth > 0) & (smooth < 100)
    noise = float(np.median(spread[soft])) if soft.any() else threshold("even_spread")
    most = 1.5 * min(noise, threshold("even_spread")) + threshold("even_share") * smooth
    even = ndimage.binary_opening(core & (spread < most), structure=_disk(1))
    labels, _ = ndimage.label(even)
    found = np.zeros_like(core)
    most_cortex = threshold("most_cortex")
    least = threshold("least_pool_cm3") * 1000 / step**3
    reach = max(2, round(4.0 / step))
    for number, box in enumerate(ndimage.find_objects(labels), start=1):
        near = tuple(slice(max(part.start - reach - 2, 0), part.stop + reach + 2) for part in box)
        piece = labels[near] == number
        if piece.sum() < least:
            continue
        grown = ndimage.binary_dilation(piece, iterations=reach)
        level = float(hu[near][piece].mean())
        # spongy bone lies inside a brighter cortex; blood has a brighter rim only where it touches bone
        inner = ndimage.binary_dilation(piece, structure=_disk(1))
        rim = ndimage.binary_dilation(inner, structure=_disk(1), iterations=reach) & ~inner
        bright_rim = hu[near][rim] > threshold("cortex_share") * level + 2 * noise
        if bright_rim.size and float(bright_rim.mean()) > most_cortex:
            continue
        found[near] |= piece | (grown & bright[near] & (hu[near] < 1.1 * level + 3 * noise))
    return found
