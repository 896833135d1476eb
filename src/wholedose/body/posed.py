"""A figure in a pose, and named places on it. Defines `Posed`, `Contact` and `CONTACTS`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from wholedose.base.errors import UnknownName
from wholedose.body.figure import Figure
from wholedose.body.kinematics import posed_joints, posed_vertices, rest_palm, transforms, unit
from wholedose.body.pose import Pose

Array = NDArray[np.float64]

# ASSUMPTION: skin belongs to a contact point within this share of the body height
REACH = 0.03

_ARM = ("clavicle", "shoulder", "upperarm", "lowerarm", "wrist", "finger", "metacarpal")
# joints whose middle the point starts from, the way to the skin at rest, the joint that carries it
_CONTACTS: Mapping[str, tuple[tuple[str, ...], tuple[float, float, float], str]] = {
    "chest": (("spine01",), (0, -1, 0), "spine01"),
    "back": (("spine01",), (0, 1, 0), "spine01"),
    "abdomen": (("spine03",), (0, -1, 0), "spine03"),
    "face": (("head", "eye.L", "eye.R"), (0, -1, 0), "head"),
    "side_left": (("spine02",), (1, 0, 0), "spine02"),
    "side_right": (("spine02",), (-1, 0, 0), "spine02"),
    "pelvis": (("upperleg01.L", "upperleg01.R"), (0, 0, 0), "root"),
    "hip_left": (("upperleg01.L",), (1, 0, 0), "root"),
    "hip_right": (("upperleg01.R",), (-1, 0, 0), "root"),
    "shoulder_left": (("upperarm01.L",), (1, 0, 0), "upperarm01.L"),
    "shoulder_right": (("upperarm01.R",), (-1, 0, 0), "upperarm01.R"),
    "thigh_left": (("upperleg01.L", "lowerleg01.L"), (0, -1, 0), "upperleg02.L"),
    "thigh_right": (("upperleg01.R", "lowerleg01.R"), (0, -1, 0), "upperleg02.R"),
}
_MIDDLES = {"lap": ("thigh_left", "thigh_right"), "hands": ("hand_left", "hand_right")}

CONTACTS: tuple[str, ...] = (*_CONTACTS, "hand_left", "hand_right", *_MIDDLES)
"""The names of the contact points; "pelvis" is the middle of the hip joints, inside the body."""


@dataclass(frozen=True, eq=False)
class Contact:
    """A place on a posed body, mm, and the unit vector that leads away from the body there."""

    point_mm: Array
    outward: Array


@dataclass(frozen=True, eq=False)
class Posed:
    """A figure in a pose.

    Parameters
    ----------
    figure : Figure
    pose : Pose
    matrices : f8[j, 4, 4]
        Skinning matrices; `Posed.of` makes them.

    Examples
    --------
    >>> from wholedose.body.figure import template_figure
    >>> sitting = Posed.of(template_figure(), Pose.of("sitting"))
    >>> bool(sitting.contact("lap").outward[2] > 0.9)
    True
    """

    figure: Figure
    pose: Pose
    matrices: Array

    @classmethod
    def of(cls, figure: Figure, pose: Pose) -> Posed:
        """Pose a figure."""
        return cls(figure, pose, transforms(figure, pose))

    @cached_property
    def vertices_mm(self) -> Array:
        """The skin, f8[v, 3]."""
        return posed_vertices(self.figure, self.matrices)

    @cached_property
    def joint_mm(self) -> Array:
        """The joints' heads, f8[j, 3]."""
        return posed_joints(self.figure, self.matrices)

    def moved(self, rigid: Array) -> Posed:
        """Return the body moved as a whole by a matrix f8[4, 4]."""
        return replace(self, matrices=rigid @ self.matrices)

    def contact(self, name: str) -> Contact:
        """Return a contact point by name; `CONTACTS` lists them.

        Raises
        ------
        UnknownName
            No such contact point; the closest names are offered.
        """
        if name in _MIDDLES:
            ends = [self.contact(end) for end in _MIDDLES[name]]
            outward = ends[0].outward + ends[1].outward
            # two palms that face each other have no common outside
            outward = unit(outward) if np.linalg.norm(outward) > 0.1 else np.zeros(3)
            return Contact((ends[0].point_mm + ends[1].point_mm) / 2.0, outward)
        if name not in CONTACTS:
            raise UnknownName("contact point", name, CONTACTS)
        point, way, carrier = self._at_rest(name)
        matrix = self.matrices[self.figure.joints.index(carrier)]
        return Contact(matrix[:3, :3] @ point + matrix[:3, 3], matrix[:3, :3] @ way)

    def _at_rest(self, name: str) -> tuple[Array, Array, str]:
        joint = dict(zip(self.figure.joints, self.figure.joint_mm, strict=True))
        if name.startswith("hand_"):
            tag = name[5].upper()
            middle = (joint[f"wrist.{tag}"] + joint[f"finger3-1.{tag}"]) / 2.0
            return middle, rest_palm(self.figure, tag), f"wrist.{tag}"
        starts, direction, carrier = _CONTACTS[name]
        way = np.array(direction, dtype=np.float64)
        start = np.mean([joint[s] for s in starts], axis=0)
        if not way.any():
            return start, way, carrier
        from_start = self.figure.vertices_mm - start
        out = from_start @ way
        aside = np.linalg.norm(from_start - out[:, None] * way, axis=1)
        near = (aside < REACH * self.figure.height_mm) & (out > 0)
        if not name.startswith("shoulder"):
            near &= ~self._arms
        return start + out[near].max() * way, way, carrier

    @cached_property
    def _arms(self) -> NDArray[np.bool_]:
        names = np.array([name.startswith(_ARM) for name in self.figure.joints])
        first = self.figure.weight.argmax(axis=1)
        arms: NDArray[np.bool_] = names[self.figure.weight_index[np.arange(len(first)), first]]
        return arms
