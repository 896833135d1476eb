"""Distances to a closed triangle mesh."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from wholedose.base.errors import InvalidInput
from wholedose.body.figure import skin_volume_cm3, template_figure
from wholedose.body.meshdistance import signed_distance, surface_of

# faces of a box whose corner c lies at x = bit 0, y = bit 1, z = bit 2
QUADS = [(0, 2, 3, 1), (4, 5, 7, 6), (0, 1, 5, 4), (2, 6, 7, 3), (0, 4, 6, 2), (1, 3, 7, 5)]
FACES = np.array([t for a, b, c, d in QUADS for t in ((a, b, c), (a, c, d))])


def box(low: tuple[float, float, float], high: tuple[float, float, float]) -> NDArray[np.float64]:
    corners = [[(low, high)[c >> k & 1][k] for k in range(3)] for c in range(8)]
    return np.array(corners, dtype=np.float64)


def boxes(*corners: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    return np.concatenate(corners), np.concatenate([FACES + 8 * k for k in range(len(corners))])


def box_distance(points: NDArray[np.float64], low: object, high: object) -> NDArray[np.float64]:
    """Depth inside a box, minus the distance outside; by its definition."""
    out = np.maximum(np.asarray(low) - points, points - np.asarray(high))
    deep = (out < 0).all(axis=1)
    return np.asarray(np.where(deep, -out.max(axis=1), -np.linalg.norm(np.maximum(out, 0), axis=1)))


def test_distances_to_a_box_are_exact_near_its_faces_edges_and_corners() -> None:
    """Within four grid spacings, inside and out, the distance is exact; deeper it is within two spacings."""
    low, high = (-10.3, -7.1, 2.2), (11.4, 15.9, 31.7)
    found = signed_distance(*boxes(box(low, high)), 1.0, margin_mm=6.0)
    z, y, x = (n.ravel() for n in np.indices(found.values.shape))
    points = np.stack([x, y, z], axis=1) * 1.0 + np.array(found.origin_mm)
    truth = box_distance(points, low, high)
    near = np.abs(truth) < 3.99
    assert near.sum() > 10_000
    np.testing.assert_allclose(found.values.ravel()[near], truth[near], atol=1e-4)
    assert (found.values.ravel()[truth < -4] <= -3.999).all()
    deep = truth > 4
    error = np.abs(found.values.ravel()[deep] - truth[deep])
    assert error.max() < 2.0
    assert error.mean() < 0.5


def test_a_surface_inside_another_part_is_no_surface() -> None:
    """Two boxes that overlap are one body, and depth in a box inside another counts from the outer one."""
    v, f = boxes(box((-10.5, -10.5, 0.5), (10.5, 10.5, 20.5)), box((-5.5, -5.5, 10.5), (5.5, 5.5, 40.5)))
    found = signed_distance(v, f, 1.0, margin_mm=2.0)
    assert int((found.values > 0).sum()) == 21 * 21 * 20 + 11 * 11 * 20
    buried, _ = boxes(box((-10, -10, 0), (10, 10, 20)), box((-3, -3, 1), (3, 3, 9)))
    kept = surface_of(buried, f)
    assert kept.tolist() == [True] * 12 + [False] * 12
    found = signed_distance(buried, f, 1.0)
    assert found.at(np.array([[0.0, 0.0, 2.0]]))[0] == pytest.approx(2.0, abs=1e-5)


def test_an_open_mesh_is_refused() -> None:
    """A mesh with a hole has no inside, and says so."""
    v, f = boxes(box((0, 0, 0), (10, 10, 10)))
    with pytest.raises(InvalidInput, match="not closed"):
        signed_distance(v, f[1:], 1.0)


def test_the_grid_of_a_figure_holds_its_volume_and_mirrors() -> None:
    """The points inside the template's skin fill its volume within 0.5 %, and left mirrors right."""
    figure = template_figure()
    found = signed_distance(figure.vertices_mm, figure.faces, 6.0)
    volume = float((found.values > 0).sum()) * 6.0**3 / 1000.0
    assert volume == pytest.approx(skin_volume_cm3(figure.vertices_mm, figure.faces), rel=0.005)
    np.testing.assert_allclose(found.values, found.values[:, :, ::-1], atol=0.01)


def test_distance_beyond_the_grid_is_far_outside() -> None:
    """Points that the grid does not reach are as far outside as distances go."""
    found = signed_distance(*boxes(box((-5, -5, 0), (5, 5, 10))), 1.0)
    assert found.at(np.array([[900.0, 0.0, 0.0]]))[0] == -4.0
