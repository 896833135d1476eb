"""Where an image lies on a model body. Defines `Fit`, `profile`, `locate` and `region_range`.

Body, lung and bone areas per slice of the image slide along those of the model body to the best match;
visible ends of the lungs then fix the heights. Across the slice, middle and spread of the body's section give
shift and scale.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wholedose.base.errors import UnknownName
from wholedose.body.body import Body
from wholedose.body.growth import reference_build
from wholedose.body.organs import BONE_SITES, PARTS
from wholedose.body.view import without_arms
from wholedose.tables import load

Array = NDArray[np.floating[Any]]
Mask = NDArray[np.bool_]

ADULT_HEIGHT_CM = 176.0
MOST_CUT = 0.3
"""Where more of the slices are cut by the field of view, the section's size does not tell the place."""

SMOOTH_MM = 30.0
FADE_MM = 150.0
BREATH_MM = 60.0
HIP_ZONE_MM, HIP_SPREAD_MM2 = (45.0, 115.0), 1000.0
# another place this far off that matches nearly as well makes the placing ambiguous (assumption)
RIVAL_MM, RIVAL_FACTOR, RIVAL_MARGIN = 80.0, 1.3, 0.2
# places in three dimensions worth a look: always the near ones, others while slice areas do not speak clearly
# against them (assumption)
LOOK_STEP_MM, LOOK_NEAR_MM, LOOK_FAR_MM, LOOK_MARGIN = 25.0, 75.0, 200.0, 2.0
# how much slice areas differ between a person and the model body of that size (assumption)
BODY_SPREAD, LUNG_SPREAD_MM2, BONE_SPREAD_MM2, WIDTH_SPREAD = 0.2, 6000.0, 2500.0, 0.15


@dataclass(frozen=True, eq=False)
class Profile:
    """What each slice of a body holds.

    Attributes
    ----------
    z_mm, body, lung, bone : arrays
        Height and areas in mm².
    x_mm, y_mm, sx_mm, sy_mm : arrays
        Middle and standard deviation of the body's section; NaN where there is none.
    organs : mapping of organ or bone site to array
        Areas in mm² of organs that a label map shows.
    cut : bool array or None
        Slices that the field of view cuts, whose section is not the body's.
    """

    z_mm: Array
    body: Array
    lung: Array
    bone: Array
    hips: Array
    x_mm: Array
    y_mm: Array
    sx_mm: Array
    sy_mm: Array
    organs: Mapping[str, Array] = field(default_factory=dict)
    cut: Mask | None = None


def profile(z: Array, y: Array, x: Array, body: Mask, lung: Mask, bone: Mask, size: float = 1.0) -> Profile:
    """Return the profile of masks on axes in mm; ``size`` is the person's height over an adult's."""
    area = float((y[1] - y[0]) * (x[1] - x[0]))
    body = without_arms(body)
    bone = bone & body
    across = body.sum(axis=1).astype(float)
    down = body.sum(axis=2).astype(float)
    count = across.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        mx, my = across @ x / count, down @ y / count
        vx, vy = across @ x**2 / count - mx**2, down @ y**2 / count - my**2
    off_middle = np.abs(x - (np.nanmean(mx) if np.isfinite(mx).any() else 0.0))
    beside = bone[:, :, (off_middle > size * HIP_ZONE_MM[0]) & (off_middle < size * HIP_ZONE_MM[1])]
    return Profile(
        z,
        count * area,
        lung.sum(axis=(1, 2)) * area,
        bone.sum(axis=(1, 2)) * area,
        beside.sum(axis=(1, 2)) * area,
        mx,
        my,
        np.sqrt(np.maximum(vx, 1.0)),
        np.sqrt(np.maximum(vy, 1.0)),
    )


def profile_of(body: Body, organs: Iterable[str] = ()) -> Profile:
    """Return the profile of a labelled body, with the areas of some of its organs."""
    z, y, x = body.grid.axes_mm()
    found = profile(z, y, x, body.labels > 0, body.mask("lungs"), bright_bone(body), size_of(body))
    whole = {n: whole_organ(body, n) for n in organs}
    return replace(found, organs={n: area_of(mask, y, x) for n, mask in whole.items() if mask.any()})


def size_of(body: Body) -> float:
    """Return the body height over an adult's."""
    height = body.person.height_cm or reference_build(body.person.sex, body.person.age_y)[0]
    return height / ADULT_HEIGHT_CM


def bright_bone(body: Body) -> Mask:
    """Return what of a body a CT shows as bone, with the marrow that it encloses; cartilage is not."""
    names = (*BONE_SITES, "bone", "cortical_bone", "medullary_cavities", "teeth")
    return np.isin(body.labels, [body.label(name) for name in names if name in body.organs])


def whole_organ(body: Body, name: str) -> Mask:
    """Return where an organ is with all of its parts, contents included, as foreign label maps draw it."""
    names = [n for n in body.organs if n == name or (n in PARTS and PARTS[n].part_of == name)]
    return np.isin(body.labels, [body.label(n) for n in names])


def area_of(mask: Mask, y: Array, x: Array) -> Array:
    """Return the area per slice in mm² of a mask on axes in mm."""
    return np.asarray(mask.sum(axis=(1, 2)) * float((y[1] - y[0]) * (x[1] - x[0])))


@dataclass(frozen=True, eq=False)
class Fit:
    """The map from patient space to the model body.

    Attributes
    ----------
    z_image_mm, z_body_mm : arrays
        Matching heights, increasing; beyond them both grow alike.
    z_mm, x_image, x_scale, x_body, y_image, y_scale, y_body : arrays
        Per height of the image: ``x_model = (x - x_image) · x_scale + x_body``.
    score : float
        Mean square relative difference of the area profiles at the best place.
    ends : tuple of str
        Which landmarks fixed the heights.
    rival_mm : float
        How much higher on the body another place matches nearly as well; 0 when none does.
    look_mm : tuple of float
        How much higher on the body other places lie that are worth a look in three dimensions.
    """

    z_image_mm: Array
    z_body_mm: Array
    z_mm: Array
    x_image: Array
    x_scale: Array
    x_body: Array
    y_image: Array
    y_scale: Array
    y_body: Array
    score: float
    ends: tuple[str, ...]
    rival_mm: float = 0.0
    look_mm: tuple[float, ...] = ()

    def to_body_z(self, z_mm: Array) -> Array:
        """Return heights on the model body of heights in the image."""
        return _continued(z_mm, self.z_image_mm, self.z_body_mm)

    def to_image_z(self, z_mm: Array) -> Array:
        """Return heights in the image of heights on the model body."""
        return _continued(z_mm, self.z_body_mm, self.z_image_mm)

    def section(self, z_mm: Array) -> tuple[tuple[Array, Array, Array], tuple[Array, Array, Array]]:
        """Return (image middle, scale, body middle) along x and along y at heights of the image."""
        along = [
            np.interp(z_mm, self.z_mm, values)
            for values in (self.x_image, self.x_scale, self.x_body, self.y_image, self.y_scale, self.y_body)
        ]
        return (along[0], along[1], along[2]), (along[3], along[4], along[5])


def _continued(at: Array, source: Array, target: Array) -> Array:
    inner = np.interp(at, source, target)
    below, above = np.minimum(at - source[0], 0.0), np.maximum(at - source[-1], 0.0)
    return np.asarray(inner + below + above)


# the scale of heights of ``body/regions``, in cm, by landmarks of every body
SCALE_CM = {"sole": -80.0, "hip": 0.0, "iliac_crest": 22.0, "shoulder": 68.0, "chin": 78.5, "vertex": 98.5}


def region_range(body: Body, region: str) -> tuple[float, float]:
    """Return the z range in mm of a named region on a whole body, by its landmarks.

    Raises
    ------
    UnknownName

    Examples
    --------
    ``region_range(reference(Person("M", 40)), "chest")`` → about (1165, 1455).
    """
    table = load("body/regions")
    names = [str(name) for name in table["region"]]
    if region not in names:
        raise UnknownName("region", region, names)
    i = names.index(region)
    scale, there = list(SCALE_CM.values()), [body.landmarks[name] for name in SCALE_CM]
    low, high = float(table["z_from"][i]), float(table["z_to"][i])
    return float(np.interp(low, scale, there)), float(np.interp(high, scale, there))


def locate(image: Profile, body: Body, region: str | None = None) -> Fit:
    """Find an image on a model body.

    Parameters
    ----------
    image : Profile
    body : Body
        A whole one; a coarse one is enough.
    region : str, optional
        A name of ``body/regions`` in which the image's middle lies.
    """
    model = profile_of(body, image.organs)
    step = float(model.z_mm[1] - model.z_mm[0])
    grid = np.arange(image.z_mm[0], image.z_mm[-1] + step / 2, step)
    shared = [name for name in image.organs if name in model.organs]
    shown = [
        np.interp(grid, image.z_mm, values)
        for values in (*_features(image), *(image.organs[n] for n in shared))
    ]
    # lungs reach down behind the diaphragm and move with breath: where the model body has a step,
    # people have a slope
    known = (
        *_features(replace(model, lung=_smooth(model.z_mm, model.lung, BREATH_MM))),
        *(_smooth(model.z_mm, model.organs[n], BREATH_MM) for n in shared),
    )
    offsets = np.arange(model.z_mm[0] - grid[0], model.z_mm[-1] - grid[-1] + step / 2, step)
    if offsets.size == 0:
        offsets = np.array([model.z_mm.mean() - grid.mean()])
    if region is not None:
        low, high = region_range(body, region)
        middle = grid.mean() + offsets
        inside = (middle >= low) & (middle <= high)
        offsets = offsets[inside] if inside.any() else np.array([(low + high) / 2 - grid.mean()])
    size = size_of(body)
    used = np.ones(len(shown), dtype=np.bool_)
    if image.cut is not None and image.cut.mean() > MOST_CUT:
        used[[0, 4, 5]] = False
    scores = np.array([_score(grid + offset, shown, model.z_mm, known, size, used) for offset in offsets])
    best = int(scores.argmin())
    offset = float(offsets[best])
    pairs, ends = _lung_ends(image, model, offset, size)
    if not pairs:
        middle = float(grid.mean())
        pairs = [(middle, middle + offset)]
    z_image, z_body = np.array([p[0] for p in pairs]), np.array([p[1] for p in pairs])
    far = np.abs(offsets - offset) > size * RIVAL_MM
    close = far & (scores < RIVAL_FACTOR * scores[best] + RIVAL_MARGIN)
    rival = 0.0
    if close.any() and not ends:
        rival = float(offsets[close][scores[close].argmin()] - offset)
    fit = _with_sections(image, model, z_image, z_body, float(scores[best]), ends)
    away, margins = offsets - offset, scores - scores[best]
    return replace(fit, rival_mm=rival, look_mm=worth_a_look(away, margins, size, fixed=bool(ends)))


def worth_a_look(away: Array, margins: Array, size: float, fixed: bool) -> tuple[float, ...]:
    """Distances along the body at which an image may lie as well; few when landmarks fix the heights."""
    steps = np.arange(-LOOK_FAR_MM, LOOK_FAR_MM + 1.0, LOOK_STEP_MM)
    near = np.abs(steps) <= LOOK_NEAR_MM
    far = np.zeros_like(near) if fixed else np.interp(size * steps, away, margins, 9e9, 9e9) < LOOK_MARGIN
    return tuple(size * float(step) for step in steps[(near | far) & (steps != 0.0)])


def neighbours(image: Profile, body: Body, fit: Fit) -> list[Fit]:
    """Return a fit, and the same moved along a body to the other places that are worth a look."""
    model = profile_of(body)
    moved = [
        _with_sections(image, model, fit.z_image_mm, fit.z_body_mm + shift, fit.score, fit.ends)
        for shift in (0.0, *fit.look_mm)
    ]
    return [replace(one, rival_mm=fit.rival_mm) for one in moved]


def _features(p: Profile) -> tuple[Array, ...]:
    return p.body, p.lung, p.bone, p.hips, np.nan_to_num(p.sx_mm), np.nan_to_num(p.sy_mm)


def _score(
    z: Array, shown: Sequence[Array], z_model: Array, known: Sequence[Array], size: float, used: Mask
) -> float:
    """Mean square difference of the areas in units of what people of one size differ by."""
    body = max(float(shown[0].mean()), 10_000.0 * size**2)
    wide = WIDTH_SPREAD * max(float(shown[4].mean()), 20.0 * size)
    areas = [spread * size**2 for spread in (LUNG_SPREAD_MM2, BONE_SPREAD_MM2, HIP_SPREAD_MM2)]
    scales = [BODY_SPREAD * body, *areas, wide, wide]
    scales += [max(0.3 * float(model.max()), 200.0 * size**2) for model in known[len(scales) :]]
    return sum(
        float((((values - np.interp(z, z_model, model)) / scale) ** 2).mean())
        for values, model, scale, use in zip(shown, known, scales, used, strict=True)
        if use
    )


def _lung_ends(
    image: Profile, model: Profile, offset: float, size: float
) -> tuple[list[tuple[float, float]], tuple[str, ...]]:
    """Pairs of heights of the lungs' top and of the level where they reach half their largest area."""
    if image.lung.max() < 3000 * size**2 or image.z_mm.size < 5:
        return [], ()

    def ends(p: Profile) -> tuple[float, float, bool, bool]:
        used = np.flatnonzero(p.lung > 0.03 * p.lung.max())
        half = np.flatnonzero(p.lung > 0.5 * p.lung.max())
        return (
            float(p.z_mm[half[0]]),
            float(p.z_mm[used[-1]]),
            bool(used[0] > 1 and half[0] > 2),
            bool(used[-1] < p.z_mm.size - 2),
        )

    low, high, low_seen, high_seen = ends(image)
    model_low, model_high, _, _ = ends(model)
    # a lung of which only a slice is seen has no half level of its own
    enough = image.lung.max() > 0.5 * model.lung.max()
    pairs, names = [], []
    if low_seen and enough:
        pairs.append((low, model_low))
        names.append("lung base")
    if high_seen and abs(high + offset - model_high) < 100 * size:
        pairs.append((high, model_high))
        names.append("lung apex")
    if len(pairs) == 2 and not 0.6 < (high - low) / (model_high - model_low) < 1.6:
        return pairs[1:], tuple(names[1:])
    return pairs, tuple(names)


def _with_sections(
    image: Profile, model: Profile, z_image: Array, z_body: Array, score: float, ends: tuple[str, ...]
) -> Fit:
    seen = image.body > 0.05 * np.nanmax(image.body)
    z = image.z_mm[seen]
    at = _continued(z, z_image, z_body)
    filled = np.isfinite(model.x_mm)

    def expected(values: Array) -> Array:
        return np.asarray(np.interp(at, model.z_mm[filled], values[filled]))

    x_scale = np.clip(expected(model.sx_mm) / image.sx_mm[seen], 0.5, 2.0)
    y_scale = np.clip(expected(model.sy_mm) / image.sy_mm[seen], 0.5, 2.0)
    if image.cut is not None:
        x_scale[image.cut[seen]] = y_scale[image.cut[seen]] = 1.0
    columns = [
        _smooth(z, image.x_mm[seen]),
        _smooth(z, x_scale),
        _smooth(z, expected(model.x_mm)),
        _smooth(z, image.y_mm[seen]),
        _smooth(z, y_scale),
        _smooth(z, expected(model.y_mm)),
    ]
    # beyond the image the cut edge's middle and scale fade to the whole image's middle and the person's size
    z_all = np.concatenate([[z[0] - FADE_MM], z, [z[-1] + FADE_MM]])
    whole = [float(np.median(c)) for c in columns]
    x_shift, y_shift = whole[0] - whole[2], whole[3] - whole[5]
    beyond = [x_shift, 1.0, 0.0, y_shift, 1.0, 0.0]
    p = [np.concatenate([[b], c, [b]]) for b, c in zip(beyond, columns, strict=True)]
    return Fit(z_image, z_body, z_all, p[0], p[1], p[2], p[3], p[4], p[5], score, ends)


def _smooth(z: Array, values: Array, width_mm: float = SMOOTH_MM) -> Array:
    if z.size < 3:
        return values
    step = float(np.median(np.diff(z)))
    n = max(1, round(width_mm / step) // 2 * 2 + 1)
    padded = np.pad(values, n // 2, mode="edge")
    return np.asarray(np.convolve(padded, np.ones(n) / n, mode="valid"))
