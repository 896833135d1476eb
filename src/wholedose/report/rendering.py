"""Bodies in three dimensions: organs through a faint skin. Defines `Scene`, `render` and `Rendering`.

A parallel projection onto a plane that holds z. Each label's voxels become a smooth field whose level set
keeps their volume; the field is turned, and the first crossing along each ray gives depth and normal. Layers
are put together in depth order per pixel for what is opaque, and by mean depth for what is not.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wholedose.base import InvalidInput
from wholedose.body import Body
from wholedose.report.organ_colours import Colour, look_of

Floats = NDArray[np.float32]

STEP_MM, FINEST_MM, ROWS = 3.0, 0.75, 600  # between rays; as many rows as a grown person needs
FINER = 2  # pixels per ray and direction
PAD = 2
LARGE = 2_000_000  # voxels from which a field is thinned to the step
SMOOTH_VOXELS = 0.85
SKELETON_OPACITY = 0.62
SKIN: tuple[Colour, ...] = ((0.47, 0.56, 0.66), (0.70, 0.52, 0.42), (0.45, 0.60, 0.45))
PAPER = (1.0, 1.0, 1.0)
LIGHT = np.array([-0.42, 0.52, -0.74])  # towards the light: right, up, into the picture
MARGIN_MM = 12.0


@dataclass(frozen=True)
class Surface:
    """What rays meet of one label: arrays [v, u] over a part of the picture."""

    row: int
    column: int
    cover: Floats
    depth: Floats
    normal: Floats  # [3, v, u]: right, up, into the picture
    colour: Colour
    opacity: float
    rim: bool = False


@dataclass(frozen=True, eq=False)
class Rendering:
    """A picture and its scale.

    Attributes
    ----------
    pixels : uint8 array [v, u, 3]
        The first row is the highest z.
    mm_per_pixel : float
    """

    pixels: NDArray[np.uint8]
    mm_per_pixel: float


@dataclass(frozen=True)
class _Field:
    values: Floats  # [y, x, v], above 0 within the label; v from the highest row down
    first_row: int
    origin: tuple[float, float]  # y, x in mm of the first column
    spacing: tuple[float, float]
    colour: Colour
    opacity: float
    rim: bool = False


@dataclass(frozen=True, eq=False)
class Scene:
    """One or more bodies in one space, prepared once and rendered from any side.

    Parameters
    ----------
    bodies : sequence of Body
        Their grids share LPS mm.
    organs : collection of str, optional
        Draw only these labels (and skeleton and skin).

    Raises
    ------
    InvalidInput
        There is nothing to draw.
    """

    bodies: Sequence[Body]
    organs: Collection[str] | None = None
    step_mm: float = field(init=False)
    high_mm: float = field(init=False)  # z of the first row
    rows: int = field(init=False)
    fields: list[_Field] = field(init=False)

    def __post_init__(self) -> None:
        ends = []
        for body in self.bodies:
            z = body.grid.axes_mm()[0][np.flatnonzero((body.labels > 0).any(axis=(1, 2)))]
            if z.size == 0:
                raise InvalidInput("The body has no voxels.", way_out="Give a body with labelled voxels.")
            ends.append((float(z[0]), float(z[-1])))
        if not ends:
            raise InvalidInput("There is no body to draw.", way_out="Give at least one.")
        low, high = min(e[0] for e in ends) - MARGIN_MM, max(e[1] for e in ends) + MARGIN_MM
        step = min(STEP_MM, max(FINEST_MM, (high - low) / ROWS))
        object.__setattr__(self, "step_mm", step)
        object.__setattr__(self, "high_mm", high)
        object.__setattr__(self, "rows", math.ceil((high - low) / step) + 1)
        made: list[_Field] = []
        for number, body in enumerate(self.bodies):
            made += _fields(self, body, SKIN[number % len(SKIN)])
        object.__setattr__(self, "fields", made)

    def reach_mm(self, azimuth_deg: float) -> tuple[float, float]:
        """Return the lowest and highest position in mm along the picture's right that a view needs."""
        right = _basis(azimuth_deg)[0]
        us: list[float] = []
        for item in self.fields:
            if item.rim:
                inside = np.argwhere((item.values > 0).any(axis=2))
                y, x = (item.origin[a] + item.spacing[a] * inside[:, a] for a in (0, 1))
                across = right[0] * x + right[1] * y
                us += [float(across.min()), float(across.max())]
        return min(us) - MARGIN_MM, max(us) + MARGIN_MM


def render(scene: Scene, azimuth_deg: float = 0.0) -> Rendering:
    """Return the scene as seen from a side, on white.

    Parameters
    ----------
    scene : Scene
    azimuth_deg : float
        0 looks from the front (+x, the patient's left, to the right); positive turns the eye to the
        patient's left, 90 looks from there.

    Examples
    --------
    ``render(Scene([body]), 35.0).pixels`` → uint8 array [v, u, 3]
    """
    low, high = scene.reach_mm(azimuth_deg)
    columns = math.ceil((high - low) / scene.step_mm) + 1
    met = [
        one
        for item in scene.fields
        if (one := _surface(item, azimuth_deg, low, columns, scene.step_mm)) is not None
    ]
    canvas = np.empty((scene.rows * FINER, columns * FINER, 3), dtype=np.float32)
    canvas[:] = PAPER
    _blend(canvas, met)
    return Rendering((np.clip(canvas, 0, 1) * 255 + 0.5).astype(np.uint8), scene.step_mm / FINER)


def _basis(azimuth_deg: float) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return (x, y) of the picture's right and of the direction into it."""
    turn = math.radians(azimuth_deg)
    return (math.cos(turn), math.sin(turn)), (-math.sin(turn), math.cos(turn))


def _fields(scene: Scene, body: Body, skin: Colour) -> list[_Field]:
    from scipy.ndimage import find_objects

    labels = body.labels
    made: list[_Field] = []
    boxes = find_objects(labels, len(body.organs))
    skeleton = np.zeros(len(body.organs) + 1, dtype=bool)
    for number, (name, box) in enumerate(zip(body.organs, boxes, strict=True), start=1):
        look = look_of(name)
        skeleton[number] = look.layer == "skeleton"
        if box is None or look.layer != "organ" or (scene.organs is not None and name not in scene.organs):
            continue
        made.append(_field(scene, body, labels[box] == number, box, look.colour, look.opacity))
    bone = look_of("bone").colour
    for mask, colour, opacity, rim in (
        (skeleton[labels], bone, SKELETON_OPACITY, False),
        (labels > 0, skin, 1.0, True),
    ):
        whole = find_objects(mask.view(np.int8), 1)[0] if mask.any() else None
        if whole is not None:
            made.append(_field(scene, body, mask[whole], whole, colour, opacity, rim))
    return made


def _field(
    scene: Scene,
    body: Body,
    mask: NDArray[np.bool_],
    box: Any,
    colour: Colour,
    opacity: float,
    rim: bool = False,
) -> _Field:
    """Return a label as a smooth field on the scene's rows."""
    from scipy.ndimage import gaussian_filter

    sizes = body.grid.spacing_mm
    skip = [1 if mask.size < LARGE else max(1, round(scene.step_mm / size)) for size in sizes]
    spacing = [size * s for size, s in zip(sizes, skip, strict=True)]
    values = np.pad(mask[:: skip[0], :: skip[1], :: skip[2]].astype(np.float32), PAD)
    share = float(values.mean())
    values = gaussian_filter(values, SMOOTH_VOXELS, truncate=2.5)
    # thin organs would vanish at one half: the level that keeps their volume
    sample = values.ravel()[:: max(1, values.size // 200_000)]
    level = min(0.5, max(0.12, float(np.quantile(sample, 1.0 - share))))
    x0, y0, z0 = body.grid.origin_mm
    start = [first + sizes[a] * box[a].start - PAD * spacing[a] for a, first in enumerate((z0, y0, x0))]
    step = scene.step_mm
    top = start[0] + spacing[0] * (values.shape[0] - 1)
    first_row = max(0, math.ceil((scene.high_mm - top) / step))
    last_row = min(scene.rows - 1, int((scene.high_mm - start[0]) // step))
    place = (scene.high_mm - step * np.arange(first_row, last_row + 1) - start[0]) / spacing[0]
    below = np.clip(place.astype(int), 0, values.shape[0] - 2)
    part = (place - below).astype(np.float32)[:, None, None]
    rows = values[below]
    rows += part * (values[below + 1] - rows)
    rows -= level
    turned = np.ascontiguousarray(rows.transpose(1, 2, 0))
    return _Field(turned, first_row, (start[1], start[2]), (spacing[1], spacing[2]), colour, opacity, rim)


def _surface(item: _Field, azimuth_deg: float, low: float, columns: int, step: float) -> Surface | None:
    """Return the first crossing of each ray with a field, on the finer pixels."""
    from scipy.sparse import csr_array

    right, into = _basis(azimuth_deg)
    ny, nx, nv = item.values.shape
    y = item.origin[0] + item.spacing[0] * np.array([0, 0, ny - 1, ny - 1])
    x = item.origin[1] + item.spacing[1] * np.array([0, nx - 1, 0, nx - 1])
    across, deep = right[0] * x + right[1] * y, into[0] * x + into[1] * y
    first = max(0, int((across.min() - low) // step))
    last = min(columns - 1, math.ceil((across.max() - low) / step))
    if last < first or nv == 0:
        return None
    depths = np.arange(deep.min(), deep.max() + 1.5 * step, step)
    u, d = np.meshgrid(low + step * np.arange(first, last + 1), depths)
    fy = ((right[1] * u + into[1] * d - item.origin[0]) / item.spacing[0]).ravel()
    fx = ((right[0] * u + into[0] * d - item.origin[1]) / item.spacing[1]).ravel()
    iy, ix = np.floor(fy).astype(int), np.floor(fx).astype(int)
    near = np.flatnonzero((iy >= 0) & (iy < ny - 1) & (ix >= 0) & (ix < nx - 1))
    iy, ix, fy, fx = iy[near], ix[near], fy[near] - iy[near], fx[near] - ix[near]
    # bilinear weights as a sparse matrix: one row per ray and depth
    weights = np.stack([(1 - fy) * (1 - fx), (1 - fy) * fx, fy * (1 - fx), fy * fx], axis=1)
    corners = np.stack([iy * nx + ix, iy * nx + ix + 1, (iy + 1) * nx + ix, (iy + 1) * nx + ix + 1], axis=1)
    matrix = csr_array(
        (weights.astype(np.float32).ravel(), corners.ravel(), 4 * np.arange(near.size + 1)),
        shape=(near.size, ny * nx),
    )
    turned = np.full((u.size, nv), float(item.values[0, 0, 0]), dtype=np.float32)
    turned[near] = matrix @ item.values.reshape(ny * nx, nv)
    return _first_crossing(turned.reshape(*u.shape, nv), item, first, float(depths[0]), step)


def _first_crossing(turned: Floats, item: _Field, column: int, nearest: float, step: float) -> Surface:
    """Return the surface of a field [depth, u, v]."""
    inside = turned > 0
    cover = turned.max(axis=0)
    first = np.where(cover > 0, inside.argmax(axis=0), turned.argmax(axis=0))
    us, vs = np.indices(first.shape, sparse=True)
    last = np.subtract(turned.shape, 1)

    def at(dd: int, du: int, dv: int) -> Floats:
        found: Floats = turned[
            np.clip(first + dd, 0, last[0]), np.clip(us + du, 0, last[1]), np.clip(vs + dv, 0, last[2])
        ]
        return found

    here, before = at(0, 0, 0), at(-1, 0, 0)
    crosses = (here > 0) & (before < 0)
    depth = nearest + step * (first - np.where(crosses, here / np.where(crosses, here - before, 1.0), 0.0))
    # the outward normal runs against the gradient; v runs down
    normal = (at(0, -1, 0) - at(0, 1, 0), at(0, 0, 1) - at(0, 0, -1), at(-1, 0, 0) - at(1, 0, 0))
    return Surface(
        item.first_row * FINER,
        column * FINER,
        _finer(cover.T),
        _finer(depth.T.astype(np.float32)),
        np.stack([_finer(part.T) for part in normal]),
        item.colour,
        item.opacity,
        item.rim,
    )


def _finer(image: Floats) -> Floats:
    """Return an image with twice the pixels, linearly between the old ones."""
    for axis in (0, 1):
        image = np.moveaxis(image, axis, 0)
        padded = np.concatenate([image[:1], image, image[-1:]])
        made = np.empty((2 * image.shape[0], *image.shape[1:]), dtype=np.float32)
        made[0::2] = 0.75 * image + 0.25 * padded[:-2]
        made[1::2] = 0.75 * image + 0.25 * padded[2:]
        image = np.moveaxis(made, 0, axis)
    return np.ascontiguousarray(image)


def _blend(canvas: Floats, met: list[Surface]) -> None:
    """Paint surfaces onto the canvas: the opaque by depth, the others from back to front."""
    depth = np.full(canvas.shape[:2], np.inf, dtype=np.float32)
    solid = [one for one in met if one.opacity >= 1.0 and not one.rim]
    for one in sorted(solid, key=_mean_depth, reverse=True):
        place, alpha = _place(canvas, one)
        nearer = (one.depth < depth[place]) & (alpha > 0)
        strength = np.where(nearer, alpha, 0.0)[..., None]
        canvas[place] += strength * (_shaded(one) - canvas[place])
        depth[place] = np.where(nearer & (alpha > 0.5), one.depth, depth[place])
    clear = [one for one in met if one.opacity < 1.0 and not one.rim]
    for one in sorted(clear, key=_mean_depth, reverse=True):
        place, alpha = _place(canvas, one)
        # what lies behind an opaque surface is hidden; a soft edge avoids stairs where surfaces cross
        front = np.clip((depth[place] - one.depth) / 4.0 + 0.5, 0.0, 1.0)
        strength = (alpha * front * one.opacity)[..., None]
        canvas[place] += strength * (_shaded(one) - canvas[place])
    for one in (one for one in met if one.rim):
        place, alpha = _place(canvas, one)
        facing = np.clip(-_unit(one.normal)[2], 0.0, 1.0)
        strength = alpha * (0.07 + 0.62 * (1.0 - facing) ** 2.2)
        canvas[place] += strength[..., None] * (np.asarray(one.colour, dtype=np.float32) - canvas[place])


def _place(canvas: Floats, one: Surface) -> tuple[tuple[slice, slice], Floats]:
    height, width = one.cover.shape
    place = (slice(one.row, one.row + height), slice(one.column, one.column + width))
    return place, np.clip(one.cover * 5.0 + 0.5, 0.0, 1.0)


def _mean_depth(one: Surface) -> float:
    return float(one.depth[one.cover > 0].mean()) if (one.cover > 0).any() else math.inf


def _unit(normal: Floats) -> Floats:
    length = np.sqrt((normal * normal).sum(axis=0))
    unit: Floats = normal / np.maximum(length, 1e-6)
    return unit


def _shaded(one: Surface) -> Floats:
    """Return the colour of each pixel under a lamp from above the viewer's left shoulder."""
    normal = _unit(one.normal)
    lamp = LIGHT / np.linalg.norm(LIGHT)
    diffuse = np.clip(np.tensordot(lamp, normal, 1), 0.0, 1.0)
    facing = np.clip(-normal[2], 0.0, 1.0)
    half = lamp + np.array([0.0, 0.0, -1.0])
    gloss = np.clip(np.tensordot(half / np.linalg.norm(half), normal, 1), 0.0, 1.0) ** 24
    light = (0.34 + 0.62 * diffuse + 0.16 * facing) * (0.55 + 0.45 * facing**0.7)
    made = np.asarray(one.colour) * light[..., None] + 0.16 * gloss[..., None]
    return np.asarray(made, dtype=np.float32)
