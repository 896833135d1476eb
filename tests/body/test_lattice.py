"""The lattice that carries a body from rest to template and to a pose."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from scipy.spatial import cKDTree

from wholedose.base.errors import InvalidInput
from wholedose.body.figure import Figure, Shape, figure_of, fit_figures, template_figure
from wholedose.body.kinematics import posed_vertices, transforms
from wholedose.body.lattice import Lattice
from wholedose.body.pose import Pose
from wholedose.body.skinning import vertex_area


@pytest.fixture(scope="module")
def adult(template_lattice: Lattice) -> Lattice:
    return template_lattice


@pytest.fixture(scope="module")
def heavy() -> tuple[Figure, Lattice]:
    """A heavy woman of 1630 mm over her lean self."""
    shape = Shape(gender=1.0, age=0.8, muscle=0.4, weight=1.0)
    actual, core = figure_of(shape), figure_of(dataclasses.replace(shape, weight=0.35))
    actual, core = (f.scaled(1630.0 / f.height_mm) for f in (actual, core))
    return actual, Lattice.of(actual, core, template_figure())


def bend(joint: str, movement: str, angle: float) -> Pose:
    return Pose("bend", {(f"{joint}_{side}", movement): angle for side in ("left", "right")}, "supine")


def test_the_template_maps_to_itself(adult: Lattice) -> None:
    """Where the person is the template every node lies where it is, and shares of bones add up to 1."""
    np.testing.assert_allclose(adult.template_mm, adult.node_mm, atol=1e-9)
    np.testing.assert_allclose(adult.weight.sum(axis=1), 1.0, atol=1e-6)
    np.testing.assert_allclose(adult.skin_mm(adult.posed()), template_figure().vertices_mm, atol=1e-9)
    assert adult.inverted_fraction(adult.posed()) == 0.0


def test_skin_and_joints_of_the_lean_figure_meet_the_template(heavy: tuple[Figure, Lattice]) -> None:
    """Joints of head and limbs meet the template's, hardly a tetrahedron inverts, fat lies outside."""
    figure, lattice = heavy
    template = template_figure()
    assert lattice.inverted_fraction(lattice.template_mm) < 0.001
    place, known = lattice.cells.locate(figure.joint_mm)
    assert known.all()
    error = np.linalg.norm(place @ lattice.template_mm - template.joint_mm, axis=1)
    # the rig's spine is left out of the match on purpose
    spine = np.array([n.startswith(("spine", "root", "pelvis", "neck01")) for n in template.joints])
    assert error[~spine].max() < 3.0
    # the belly: the person's skin lies in front of the template's
    off = np.abs(figure.vertices_mm[:, [0, 2]] - [0.0, 1000.0]).max(axis=1)
    belly = np.argmin(np.where(off < 60.0, figure.vertices_mm[:, 1], np.inf))
    mapped = lattice.skin_mm(lattice.template_mm)[belly]
    assert mapped[1] < template.vertices_mm[belly, 1] - 5.0


@pytest.mark.parametrize("age_y", [0.0, 5.0])
def test_children_have_lattices_as_fine_and_spines_in_order(age_y: float) -> None:
    """A child has as many cubes as an adult, its skin lies on the template's, and nothing folds between."""
    size = {0.0: (51.0, 3350.0), 5.0: (109.0, 18_000.0)}[age_y]
    actual, core = fit_figures("F", age_y, *size)
    template = template_figure()
    lattice = Lattice.of(actual, core, template)
    assert 30_000 < len(lattice.cells.cube) < 45_000
    assert lattice.inverted_fraction(lattice.template_mm) < 0.001
    place, known = lattice.cells.locate(core.vertices_mm)
    off = np.linalg.norm(place @ lattice.template_mm - template.vertices_mm, axis=1)[known]
    assert np.average(off, weights=vertex_area(core)[known]) < 1.0
    # along the middle of the back, from the seat to the head, what lies higher is higher in the template
    z = np.linspace(0.5, 0.85, 30) * actual.height_mm
    place, known = lattice.cells.locate(np.stack([np.zeros(30), np.full(30, 0.01), z], axis=1))
    assert known.all()
    assert (np.diff((place @ lattice.template_mm)[:, 2]) > 5.0).all()


def test_left_mirrors_right(heavy: tuple[Figure, Lattice]) -> None:
    """Nodes, their places in the template and their moves are each other's mirror images."""
    figure, lattice = heavy
    moved = lattice.posed(transforms(figure, Pose.of("sitting")))
    table = np.concatenate([lattice.node_mm, lattice.template_mm, moved], axis=1)
    mirror = table * np.tile([-1.0, 1.0, 1.0], 3)
    distance, _ = cKDTree(table).query(mirror)
    assert np.max(distance) < 1e-2


def test_flesh_follows_its_own_limb(heavy: tuple[Figure, Lattice]) -> None:
    """With the arms brought from the A-pose to the sides the skin goes where its own bones take it."""
    figure, lattice = heavy
    moves = transforms(figure, bend("shoulder", "abduction", 14.0))
    direct = posed_vertices(figure, moves)
    off = np.linalg.norm(lattice.skin_mm(lattice.posed(moves)) - direct, axis=1)
    assert np.abs(direct - figure.vertices_mm).max() > 200.0
    assert np.percentile(off, 99) < 4.0
    assert off.max() < 12.0


@pytest.mark.parametrize(
    ("joint", "movement", "angle", "loss"),
    [("elbow", "flexion", 90, 2.0), ("knee", "flexion", 90, 3.0), ("hip", "flexion", 90, 5.0),
     ("shoulder", "abduction", 160, 5.0)],
)  # fmt: skip
def test_bent_limbs_keep_most_of_their_volume(
    adult: Lattice, joint: str, movement: str, angle: float, loss: float
) -> None:
    """Bending both elbows, knees or hips, or raising both arms, changes the volume by a few percent."""
    moved = adult.posed(transforms(template_figure(), bend(joint, movement, angle)))
    inside = adult.cells.distance.at(adult.node_mm[adult.tets].mean(axis=1)) > 0
    volumes = []
    for nodes in (adult.node_mm, moved):
        a, b, c, d = (nodes[adult.tets[inside, k]] for k in range(4))
        volumes.append(np.einsum("ij,ij->i", np.cross(b - a, c - a), d - a).sum())
    assert abs(volumes[1] / volumes[0] - 1.0) * 100 < loss
    assert abs(volumes[1] / volumes[0] - 1.0) > 1e-4


def test_bounds_hold_the_skin(adult: Lattice) -> None:
    """The box round the resting body is that of its skin."""
    low, high = adult.bounds_mm(adult.posed())
    np.testing.assert_allclose(low, template_figure().vertices_mm.min(axis=0), atol=1e-9)
    np.testing.assert_allclose(high, template_figure().vertices_mm.max(axis=0), atol=1e-9)


def test_matrices_that_do_not_fit_are_refused(adult: Lattice) -> None:
    """One matrix for all bones is refused with a sentence."""
    with pytest.raises(InvalidInput, match="matrices"):
        adult.posed(np.eye(4))
