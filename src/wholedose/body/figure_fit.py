"""The figure of a person: sex, age, height and volume in, skin and rig out. Defines `fit`.

Age picks the shape (anny's own calibration of its age parameter), and the published proportions of that
age (sitting height by height, head circumference) pick its height parameter and the size of its head; one
factor then makes the height exact. Volume moves along one path from thin to fat through anny's weight and
muscle parameters; beyond its ends flesh is added or taken around the axes of the bones.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from wholedose.base.errors import InvalidInput
from wholedose.body.figure import HIPS, Figure, Shape, figure_at, points_of, template_figure
from wholedose.tables import load

Array = NDArray[np.float64]

# anny's calibration of its age parameter to years, made with the heights of the WHO
AGE_Y = (0.0, 1.0, 4.0, 11.0, 16.0, 18.0, 64.0, 110.0)
AGE_PARAMETER = (0.0, 0.05, 0.215, 0.415, 0.67, 0.77, 0.83, 1.0)
LEAN_WEIGHT, LEAN_MUSCLE = 0.35, 0.5
# assumption: among people of one age the head grows with this power of the height
HEAD_POWER = 0.3
# reference adult: 500 g of breasts (ICRP 89). ASSUMPTION: the figure has them at this cup size. The density
# (g/cm³) is that of the materials breast_gland and adipose with 40 % of gland by mass (masses.GLANDULARITY)
REFERENCE_BREAST_G, REFERENCE_CUP, BREAST_DENSITY = 500.0, 0.5, 0.98
LARGEST_CUP = 1.8  # ASSUMPTION: beyond it the skin folds
BUMP_SMOOTHING = 100
# anny's rig has the hips of infants high over their skin: the thigh is 112 mm long at birth, and the sacrum a
# third of the spine. Assumption: at these ages the hips lie so far toward where the skin round them puts them
HIP_AGE_Y, HIP_SHARE = (0.0, 2.0), (0.5, 0.0)
HIP_REACH_MM = 80.0  # in the template
SLIM = ("head", "eye", "wrist", "foot")  # where fat does not move the joints found from the skin
THINNEST, FATTEST = -1.4, 2.0
# how much of the flesh on a bone follows when a body grows fatter than anny's fattest (assumption)
FLESH = {
    "spine": 1.0,
    "pelvis": 1.0,
    "root": 1.0,
    "clavicle": 0.7,
    "shoulder": 0.8,
    "upperarm": 0.9,
    "lowerarm": 0.6,
    "upperleg": 0.9,
    "lowerleg": 0.6,
    "neck": 0.5,
    "head": 0.12,
    "foot": 0.15,
    "wrist": 0.15,
}


def fit(
    sex: Literal["F", "M"],
    age_y: float,
    height_cm: float,
    volume_cm3: float,
    *,
    pregnancy_week: float | None = None,
    breast_g: float | None = None,
) -> tuple[Figure, Figure]:
    """Return the figure of a person, and the figure of the same person when lean.

    Parameters
    ----------
    sex : {"F", "M"}
    age_y : float
        Age, years.
    height_cm : float
        From the soles to the vertex (for infants: the length), cm.
    volume_cm3 : float
        Inside the skin, conceptus included, cm³.
    pregnancy_week : float or None
        Weeks since the last menstruation.
    breast_g : float or None
        Both breasts, g; None for the reference adult's. Without effect on men and before 10 years; below
        about 250 g and above some 4 kg the figure has the flattest and the largest it knows.

    Returns
    -------
    actual, core : Figure
        Both of this height (within 0.1 %); the actual one of this volume (within 0.3 %). The core has the
        same bones (the same joints), muscle and bump, but flat breasts and the fat of a lean person, and
        is the actual one where that is lean already.

    Raises
    ------
    InvalidInput
        No figure of this age and height has this volume; the message names the range.

    Examples
    --------
    >>> actual, core = fit("M", 35, 176, 80_000)
    >>> round(actual.height_mm), round(actual.volume_cm3 / 100) / 10, core.volume_cm3 < actual.volume_cm3
    (1760, 80.0, True)
    """
    body = _body_of(sex, age_y, 10.0 * height_cm, pregnancy_week, breast_g)
    low, high = body.at(THINNEST), body.at(FATTEST)
    if not low.volume_cm3 <= volume_cm3 <= high.volume_cm3:
        raise InvalidInput(
            f"No figure of {age_y:g} years and {height_cm:g} cm has a volume of {volume_cm3 / 1000:.3g} L.",
            where="volume_cm3",
            way_out=f"Give {low.volume_cm3 / 1000:.3g} to {high.volume_cm3 / 1000:.3g} L.",
        )
    fatness = _root(lambda at: body.at(at).volume_cm3 - volume_cm3, THINNEST, FATTEST, 2e-4 * volume_cm3)
    actual, core = body.at(fatness), body.core(fatness)
    if fatness <= 0 and body.shape.cupsize == 0.0:
        return actual, actual
    return on_skeleton(actual, core), core


@dataclass(frozen=True)
class _Body:
    """Everything about a person but how fat."""

    shape: Shape
    head: float
    height_mm: float
    cup_beyond: float
    bump: float
    hip_share: float

    def at(self, fatness: float) -> Figure:
        """Return the figure: -1 anny's thinnest, 0 lean, 1 its fattest, linear girth beyond."""
        inside = float(np.clip(fatness, -1.0, 1.0))
        if fatness == inside:
            return self._finished(self._points(_muscle(inside), _weight(inside)))
        points, gained = _end(self, inside)
        return self._finished(points + (fatness - inside) * gained)

    def core(self, fatness: float) -> Figure:
        """Return the lean figure of the one that `at` returns, its breasts flat: they lie outside ribs."""
        flat = replace(self, shape=replace(self.shape, cupsize=0.0), cup_beyond=0.0)
        if fatness <= 0.0:
            return flat.at(fatness)
        return flat._finished(flat._points(_muscle(min(fatness, 1.0)), LEAN_WEIGHT))

    def _points(self, muscle: float, weight: float) -> Array:
        shape = replace(self.shape, muscle=muscle, weight=weight)
        if self.cup_beyond:
            points, usual = points_of([shape, replace(shape, cupsize=0.5)])
            points = points + self.cup_beyond * (points - usual)
        else:
            (points,) = points_of([shape])
        return points + self.bump * bump() if self.bump else points

    def _finished(self, points: Array) -> Figure:
        figure = figure_at(with_head(points, self.head))
        if self.hip_share:
            figure = with_hips(figure, self.hip_share)
        return figure.scaled(self.height_mm / figure.height_mm)


@lru_cache(maxsize=4)
def _end(body: _Body, fatness: float) -> tuple[Array, Array]:
    """Return the points of anny's thinnest (-1) or fattest (1), and how they move beyond."""
    points = body._points(_muscle(fatness), _weight(fatness))
    return points, flesh(points)


def _weight(fatness: float) -> float:
    return LEAN_WEIGHT * (1 + fatness) if fatness < 0 else LEAN_WEIGHT + (1 - LEAN_WEIGHT) * fatness


def _muscle(fatness: float) -> float:
    # anny's heaviest people are those of most weight and least muscle, its thinnest have least of both
    return LEAN_MUSCLE * (1 - abs(fatness))


def _root(function: Callable[[float], float], low: float, high: float, tolerance: float) -> float:
    """Return where an increasing function is zero (regula falsi, Illinois)."""
    f_low, f_high = function(low), function(high)
    side = 0
    at = low
    for _ in range(60):
        at = (low * f_high - high * f_low) / (f_high - f_low)
        value = function(at)
        if abs(value) <= tolerance:
            break
        if value < 0:
            low, f_low, f_high, side = at, value, f_high / (2 if side < 0 else 1), -1
        else:
            high, f_high, f_low, side = at, value, f_low / (2 if side > 0 else 1), 1
    return at


def proportions(sex: Literal["F", "M"], age_y: float) -> tuple[float, float, float]:
    """Return median height (mm), sitting height by height, and head circumference (mm) at an age."""
    table = load("body/figure_proportions")
    mine = table["sex"] == sex
    found = []
    for name, factor in (("height_cm", 10.0), ("sitting_share", 1.0), ("head_cm", 10.0)):
        age, value = table["age_y"][mine], table[name][mine]
        known = np.isfinite(value)
        found.append(factor * float(np.interp(age_y, age[known], value[known])))
    return found[0], found[1], found[2]


def _body_of(
    sex: Literal["F", "M"],
    age_y: float,
    height_mm: float,
    pregnancy_week: float | None,
    breast_g: float | None,
) -> _Body:
    shape = Shape(
        gender=1.0 if sex == "F" else 0.0,
        age=float(np.interp(age_y, AGE_Y, AGE_PARAMETER)),
        muscle=LEAN_MUSCLE,
        weight=LEAN_WEIGHT,
    )
    usual_mm, sitting, girth_mm = proportions(sex, age_y)
    girth_mm *= (height_mm / usual_mm) ** HEAD_POWER
    short, tall = points_of([replace(shape, height=0.0), replace(shape, height=1.0)])

    def crotch_excess(height: float, head: float) -> float:
        figure = figure_at(with_head((1 - height) * short + height * tall, head))
        return crotch_mm(figure) / figure.height_mm - (1 - sitting)

    head, height = 1.0, 0.5
    for _ in range(4):
        bounds = crotch_excess(0.0, head), crotch_excess(1.0, head)
        if bounds[0] >= 0 or bounds[1] <= 0:
            height = 0.0 if bounds[0] >= 0 else 1.0
        else:
            height = _root(lambda at, k=head: crotch_excess(at, k), 0.0, 1.0, 1e-5)  # type: ignore[misc]
        figure = figure_at(with_head((1 - height) * short + height * tall, head))
        head *= girth_mm / (head_girth_mm(figure) * height_mm / figure.height_mm)
    shape = replace(shape, height=height)
    factor = (height_mm / figure.height_mm) ** 3
    cup = _cup(shape, factor, breast_g) if sex == "F" and age_y >= 10 else REFERENCE_CUP
    return _Body(
        replace(shape, cupsize=min(cup, 1.0)),
        head,
        height_mm,
        # beyond anny's range along its last step
        cup_beyond=max(cup - 1.0, 0.0) / 0.5,
        bump=0.0 if pregnancy_week is None else _bump(shape, factor, pregnancy_week),
        hip_share=float(np.interp(age_y, HIP_AGE_Y, HIP_SHARE)),
    )


def _cup(shape: Shape, factor: float, breast_g: float | None) -> float:
    """Return the cup size at which the breasts have a mass; 0 where even the flattest have more."""
    if breast_g is None:
        return REFERENCE_CUP
    flat, usual, most = points_of([replace(shape, cupsize=size) for size in (0.0, 0.5, 1.0)])

    def volume(cup: float) -> float:
        between = (
            2 * cup * usual + (1 - 2 * cup) * flat if cup < 0.5 else usual + (2 * cup - 1) * (most - usual)
        )
        return factor * figure_at(between).volume_cm3

    goal = volume(REFERENCE_CUP) + (breast_g - REFERENCE_BREAST_G) / BREAST_DENSITY
    if volume(0.0) >= goal:
        return 0.0
    return (
        _root(lambda cup: volume(cup) - goal, 0.0, LARGEST_CUP, 1.0)
        if volume(LARGEST_CUP) > goal
        else LARGEST_CUP
    )


def _bump(shape: Shape, factor: float, week: float) -> float:
    """Return how much of the bump makes room for the conceptus."""
    table = load("body/figure_bump")
    room = float(np.interp(week, [2.0, *table["week"]], [0.0, *table["conceptus_cm3"]])) / factor
    (points,) = points_of([shape])
    flat = figure_at(points).volume_cm3
    amount = 1.0
    for _ in range(5):  # the volume is all but proportional
        amount *= room / (figure_at(points + amount * bump()).volume_cm3 - flat)
    return amount


# --- measuring and reshaping points --------------------------------------------------------------


@cache
def _bone_shares() -> Array:
    """Return the dense skinning weights, one row for each point: vertices, joint heads, joint tails."""
    figure = template_figure()
    count, bones = len(figure.vertices_mm), len(figure.joints)
    dense = np.zeros((count, bones))
    for column in range(figure.weight.shape[1]):
        np.add.at(dense, (np.arange(count), figure.weight_index[:, column]), figure.weight[:, column])
    # a joint moves with its parent, the end of a bone with the bone
    carrier = np.eye(bones)
    return np.concatenate([dense, carrier[np.maximum(figure.parent, 0)], carrier])


@cache
def _head_share() -> Array:
    names = template_figure().joints
    return np.asarray(_bone_shares()[:, [names.index(n) for n in ("head", "eye.L", "eye.R")]].sum(axis=1))


def with_head(points: Array, factor: float) -> Array:
    """Return points with the head enlarged by a factor about the joint that carries it."""
    names = template_figure().joints
    centre = points[len(points) - 2 * len(names) + names.index("head")]
    return np.asarray(points + (factor - 1.0) * _head_share()[:, None] * (points - centre))


@cache
def _hip_weights() -> Array:
    """Return the shares of the vertices in the height of the hips: that of the nearest affine map."""
    figure = template_figure()
    hip = figure.joint_mm[figure.joints.index(HIPS[0])]
    off = figure.vertices_mm - hip
    weight = np.exp(-0.5 * (off**2).sum(axis=1) / HIP_REACH_MM**2) * (figure.vertices_mm[:, 0] >= 0.0)
    place = np.column_stack([off, np.ones(len(off))])
    moment = place.T @ (weight[:, None] * place)
    return np.asarray(np.linalg.solve(moment, np.array([0.0, 0.0, 0.0, 1.0])) @ (weight[:, None] * place).T)


def with_hips(figure: Figure, share: float) -> Figure:
    """Return the figure with its hips moved up or down toward where the skin round them puts them."""
    height = float(_hip_weights() @ figure.vertices_mm[:, 2])
    head, tail = figure.joint_mm.copy(), figure.tail_mm.copy()
    for name in HIPS:
        hip = figure.joints.index(name)
        moved = share * (height - head[hip, 2])
        head[hip, 2] += moved
        tail[figure.parent[hip], 2] += moved
    return replace(figure, joint_mm=head, tail_mm=tail)


@cache
def _head_band() -> NDArray[np.intp]:
    figure = template_figure()
    eye = figure.joint_mm[figure.joints.index("eye.L"), 2]
    level = (figure.vertices_mm[:, 2] - eye) / (figure.height_mm - eye)
    share = _head_share()[: len(figure.vertices_mm)]
    return np.flatnonzero((share > 0.95) & (level > 0.1) & (level < 0.6))


def head_girth_mm(figure: Figure) -> float:
    """Return the circumference of the head: of the ellipse of its breadth and length above the ears, mm.

    The true girth of the meshes is 1 to 4 % larger than this ellipse (they are no ellipses); the mean is
    put in.
    """
    points = figure.vertices_mm[_head_band()]
    a, b = float(np.abs(points[:, 0]).max()), float(np.ptp(points[:, 1]) / 2)
    h = ((a - b) / (a + b)) ** 2
    return float(1.027 * np.pi * (a + b) * (1 + 3 * h / (10 + np.sqrt(4 - 3 * h))))


@cache
def _middle_below() -> NDArray[np.intp]:
    figure = template_figure()
    own = figure.mirror == np.arange(len(figure.mirror))
    return np.flatnonzero(own & (figure.vertices_mm[:, 2] < 0.6 * figure.height_mm))


def crotch_mm(figure: Figure) -> float:
    """Return the height of the crotch above the soles, mm."""
    return float(figure.vertices_mm[_middle_below(), 2].min())


def flesh(points: Array) -> Array:
    """Return how points move when a body gains girth: away from the axes of the bones, smoothly, mm."""
    figure = template_figure()
    count, bones = len(figure.vertices_mm), len(figure.joints)
    skin = points[:count]
    head, tail = points[count : count + bones], points[count + bones :]
    shares = _bone_shares()[:count]
    moved = np.zeros_like(skin)
    for bone, name in enumerate(figure.joints):
        amount = next((value for key, value in FLESH.items() if name.startswith(key)), 0.0)
        who = np.flatnonzero(shares[:, bone] > 0)
        if not amount or not len(who):
            continue
        along = tail[bone] - head[bone]
        where = (skin[who] - head[bone]) @ along / max(float(along @ along), 1e-9)
        foot = head[bone] + np.clip(where, 0.0, 1.0)[:, None] * along
        moved[who] += amount * shares[who, bone, None] * (skin[who] - foot)
    moved = smooth(moved, 12)
    return np.concatenate([moved, np.zeros((2 * bones, 3))])


@cache
def bump() -> Array:
    """Return how points move in pregnancy, mm: anny's bump, which is narrow and low, spread smoothly."""
    none, full = points_of([Shape(gender=1.0, pregnancy=size) for size in (0.0, 1.0)])
    field = full - none
    count = len(template_figure().vertices_mm)
    return np.concatenate([smooth(field[:count], BUMP_SMOOTHING), field[count:]])


def on_skeleton(actual: Figure, core: Figure) -> Figure:
    """Return the figure moved onto the skeleton of its core, whose joints it takes.

    anny finds joints from the skin, so that fat carries them along; a person's bones stay.
    """
    ends = [i for i, name in enumerate(core.joints) if name.startswith(SLIM)]
    shift = (core.joint_mm[ends] - actual.joint_mm[ends]).mean(axis=0)
    return replace(
        actual,
        vertices_mm=actual.vertices_mm + np.array([0.0, shift[1], 0.0]),
        joint_mm=core.joint_mm,
        tail_mm=core.tail_mm,
    )


@cache
def _neighbours() -> csr_array:
    """Return the array that takes the mean of the neighbours of each vertex."""
    faces = template_figure().faces
    # each edge belongs to two triangles, once in each direction
    start, end = faces.ravel(), np.roll(faces, -1, axis=1).ravel()
    count = int(faces.max()) + 1
    return csr_array((1.0 / np.bincount(start)[start], (start, end)), shape=(count, count))


def smooth(field: Array, times: int) -> Array:
    """Return a field on the vertices, averaged with the neighbours' mean a number of times."""
    for _ in range(times):
        field = 0.5 * (field + _neighbours() @ field)
    return field
