"""How bones move flesh."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from wholedose.body.figure import template_figure
from wholedose.body.lattice import Lattice
from wholedose.body.skinning import bent, linear_share, vertex_area


def move(angle_deg: float, shift: tuple[float, float, float] = (0.0, 0.0, 0.0)) -> np.ndarray:
    """A turn about x, then a shift."""
    matrix = np.eye(4)
    matrix[:3, :3] = Rotation.from_euler("x", angle_deg, degrees=True).as_matrix()
    matrix[:3, 3] = shift
    return matrix


@pytest.mark.parametrize("linear", [0.0, 0.4, 1.0])
def test_bones_that_move_together_move_flesh_rigidly(linear: float) -> None:
    """Where all bones make the same move, flesh makes it too, however its shares are blended."""
    points = np.random.default_rng(4).normal(size=(50, 3)) * 100.0
    index = np.tile(np.array([[0, 1]], dtype=np.int16), (50, 1))
    weight = np.random.default_rng(5).dirichlet([1.0, 1.0], 50).astype(np.float32)
    matrices = np.stack([move(130.0, (5.0, -7.0, 11.0))] * 2)
    moved = bent(points, index, weight, np.full(50, linear, dtype=np.float32), matrices)
    np.testing.assert_allclose(moved, points @ matrices[0, :3, :3].T + matrices[0, :3, 3], atol=1e-4)


def test_flesh_between_two_bones_keeps_its_distance_from_the_hinge() -> None:
    """Half way between a bone at rest and one bent by 90 degrees a point turns by 45 degrees, unshortened."""
    point = np.array([[0.0, 0.0, 10.0]])
    half = (np.array([[0, 1]], dtype=np.int16), np.array([[0.5, 0.5]], dtype=np.float32))
    matrices = np.stack([move(0.0), move(90.0)])
    round_hinge = bent(point, *half, np.zeros(1, dtype=np.float32), matrices)
    np.testing.assert_allclose(round_hinge[0], [0.0, -10.0 * np.sqrt(0.5), 10.0 * np.sqrt(0.5)], atol=1e-6)
    straight = bent(point, *half, np.ones(1, dtype=np.float32), matrices)
    np.testing.assert_allclose(straight[0], [0.0, -5.0, 5.0], atol=1e-6)


def test_areas_of_vertices_add_up_to_the_skin() -> None:
    """Every triangle is shared out among its corners."""
    figure = template_figure()
    assert vertex_area(figure).sum() / 100.0 == pytest.approx(figure.area_cm2, rel=1e-9)


def test_flesh_belongs_to_the_bones_inside_it(template_lattice: Lattice) -> None:
    """Half way along a limb the bone there has most of the flesh; the shoulder blends linearly."""
    figure = template_figure()
    names = list(figure.joints)
    for bone, shoulder in (("upperleg02.L", False), ("lowerleg01.R", False), ("upperarm02.L", True)):
        middle = (figure.joint_mm + figure.tail_mm)[names.index(bone)] / 2.0
        node = int(np.argmin(np.linalg.norm(template_lattice.node_mm - middle, axis=1)))
        index, weight = template_lattice.weight_index[[node]], template_lattice.weight[[node]]
        assert names[index[0, weight[0].argmax()]] == bone
        assert weight.max() > 0.6
        assert (linear_share(figure, index, weight)[0] > 0.99) == shoulder
