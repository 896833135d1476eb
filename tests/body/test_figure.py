"""Promises of `Figure`, `figure_of` and the template."""

from __future__ import annotations

import csv
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from wholedose.base import InvalidInput
from wholedose.body.figure import Figure, Shape, figure_of, points_of, skin_volume_cm3, template_figure

FINGERPRINTS = Path(__file__).with_name("figure_fingerprints.csv")


def fingerprints() -> dict[str, list[dict[str, str]]]:
    found = defaultdict(list)
    with FINGERPRINTS.open() as lines:
        for row in csv.DictReader(line for line in lines if not line.startswith("#")):
            found[row["parameters"]].append(row)
    return found


@pytest.fixture(scope="module")
def woman() -> Figure:
    return figure_of(Shape(gender=1.0, age=0.8, weight=0.7, cupsize=0.8))


@pytest.mark.parametrize("parameters", list(fingerprints()))
def test_points_are_those_of_anny(parameters: str) -> None:
    """Vertices and joints of odd people lie within 0.1 mm of where anny itself puts them."""
    shape = Shape(age=0.5)
    for pair in parameters.split():
        key, value = pair.split("=")
        shape = replace(shape, **{key: float(value)})
    (points,) = points_of([shape])
    skin = len(template_figure().vertices_mm)
    for row in fingerprints()[parameters]:
        found = points[int(row["index"]) + (skin if row["kind"] == "joint" else 0)]
        expected = np.array([float(row[axis]) for axis in "xyz"])
        assert np.abs(found - expected).max() <= 0.1, (row["kind"], row["index"])


def test_skin_is_closed_and_outward(woman: Figure) -> None:
    """Every edge has two triangles that run along it in opposite directions; the skin is one sphere."""
    edges = np.concatenate([woman.faces[:, [0, 1]], woman.faces[:, [1, 2]], woman.faces[:, [2, 0]]])
    there = {tuple(edge) for edge in edges.tolist()}
    assert len(there) == len(edges)
    assert all((b, a) in there for a, b in there)
    assert len(woman.vertices_mm) - len(edges) // 2 + len(woman.faces) == 2
    assert np.array_equal(np.unique(woman.faces), np.arange(len(woman.vertices_mm)))
    assert woman.volume_cm3 > 0


def test_volume_is_that_of_a_known_solid() -> None:
    """The volume of a tetrahedron of 60 mm edges on the axes is 60³/6 mm³, wherever it stands."""
    corners = np.array([[0, 0, 0], [60, 0, 0], [0, 60, 0], [0, 0, 60]], float)
    corners += np.array([7.0, -90.0, 1000.0])
    faces = np.array([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]], np.int32)
    assert skin_volume_cm3(corners, faces) == pytest.approx(36.0)


def test_left_mirrors_right(woman: Figure) -> None:
    """The mirror map is an involution; vertices, triangles and weights are each other's mirror images."""
    mirror = woman.mirror
    assert np.array_equal(mirror[mirror], np.arange(len(mirror)))
    assert np.abs(woman.vertices_mm[mirror] * [-1, 1, 1] - woman.vertices_mm).max() < 1e-9
    there = {tuple(sorted(face)) for face in woman.faces.tolist()}
    assert there == {tuple(sorted(face)) for face in mirror[woman.faces].tolist()}
    left = [woman.joints.index(name) for name in woman.joints if name.endswith(".L")]
    right = [woman.joints.index(name[:-1] + "R") for name in woman.joints if name.endswith(".L")]
    assert np.abs(woman.joint_mm[left] * [-1, 1, 1] - woman.joint_mm[right]).max() < 1e-9
    dense = np.zeros((len(mirror), len(woman.joints)))
    np.add.at(dense, (np.arange(len(mirror))[:, None], woman.weight_index), woman.weight)
    assert np.abs(dense[mirror][:, left] - dense[:, right]).max() < 1e-4


def test_sides_are_the_persons(woman: Figure) -> None:
    """Joints ending in .L lie at positive x, the toes before the heels, the head on top."""
    at = dict(zip(woman.joints, woman.joint_mm, strict=True))
    assert at["upperarm01.L"][0] > 100 > -100 > at["upperarm01.R"][0]
    assert at["toe1-1.L"][1] < at["foot.L"][1]
    assert at["foot.L"][2] < at["upperleg01.L"][2] < at["spine01"][2] < at["head"][2]


def test_rig_is_a_tree(woman: Figure) -> None:
    """Parents come before their children and the shares of the joints in a vertex add up to one."""
    assert woman.parent[0] == -1
    assert all(0 <= parent < child for child, parent in enumerate(woman.parent[1:].tolist(), start=1))
    assert np.abs(woman.weight.sum(axis=1) - 1).max() < 1e-5
    assert woman.weight_index.max() < len(woman.joints)


def test_template_stands_at_the_origin() -> None:
    """The template is 1760 mm tall, stands on z = 0, and has its hip joints about x = y = 0."""
    figure = template_figure()
    assert figure.height_mm == pytest.approx(1760.0)
    assert figure.vertices_mm[:, 2].min() == pytest.approx(0.0, abs=1e-9)
    hips = [figure.joint_mm[figure.joints.index(f"upperleg01.{side}")] for side in "LR"]
    assert np.abs((hips[0] + hips[1])[:2]).max() < 1e-9


def test_scaling_cubes_the_volume(woman: Figure) -> None:
    """A figure scaled by 1.1 is 1.1 times as tall, with 1.21 times the skin and 1.331 times the volume."""
    larger = woman.scaled(1.1)
    assert larger.height_mm == pytest.approx(1.1 * woman.height_mm)
    assert larger.area_cm2 == pytest.approx(1.21 * woman.area_cm2)
    assert larger.volume_cm3 == pytest.approx(1.331 * woman.volume_cm3)


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("age", -0.5, r"The shape parameter is -0.5. \[age\] Give -0.333 to 1."),
        ("weight", 1.2, r"\[weight\] Give 0 to 1."),
        ("pregnancy", float("nan"), r"The shape parameter is nan. \[pregnancy\]"),
    ],
)
def test_parameters_outside_the_range_are_refused(field: str, value: float, sentence: str) -> None:
    """A parameter outside anny's range is refused by name, with the range."""
    with pytest.raises(InvalidInput, match=sentence):
        Shape(**{field: value})
