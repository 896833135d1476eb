"""Inside or outside, how deep and how far: against shapes whose answers are known."""

import numpy as np
import pytest
from numpy.typing import NDArray

from wholedose.body import touching
from wholedose.body.figure import skin_volume_cm3, template_figure

Array = NDArray[np.float64]


def ball(
    radius: float, centre: tuple[float, float, float] = (0, 0, 0), rings: int = 40
) -> tuple[Array, NDArray[np.int64]]:
    """Return a closed ball of many small triangles, turned outward."""
    polar, around = np.linspace(0, np.pi, rings + 1)[1:-1], np.linspace(0, 2 * np.pi, 2 * rings + 1)[:-1]
    t, p = np.meshgrid(polar, around, indexing="ij")
    skin = np.stack([np.sin(t) * np.cos(p), np.sin(t) * np.sin(p), np.cos(t)], axis=-1).reshape(-1, 3)
    points = np.vstack([skin, [[0, 0, 1], [0, 0, -1]]]) * radius + np.array(centre)
    n, faces = 2 * rings, []
    top, bottom = len(points) - 2, len(points) - 1
    for j in range(n):
        k = (j + 1) % n
        faces.append((top, j, k))
        faces.append((bottom, (rings - 2) * n + k, (rings - 2) * n + j))
        for i in range(rings - 2):
            faces.append((i * n + j, (i + 1) * n + j, (i + 1) * n + k))
            faces.append((i * n + j, (i + 1) * n + k, i * n + k))
    return points, np.array(faces, dtype=np.int64)


def test_inside_a_ball() -> None:
    """Points up to a hair from a ball's surface are told apart, anywhere, middle lines included."""
    points, faces = ball(50.0)
    rng = np.random.default_rng(1)
    asked = rng.uniform(-60, 60, (4000, 3))
    asked[:200, 0] = 0.0
    asked[200:400, :2] = 0.0
    radius = np.linalg.norm(asked, axis=1)
    found = touching.winding(asked, points, faces)
    # the flat faces lie up to 0.2 mm inside the sphere
    clear = np.abs(radius - 50.0) > 0.3
    np.testing.assert_array_equal(found[clear], (radius < 50.0)[clear])
    assert touching.winding(np.zeros((0, 3)), points, faces).shape == (0,)


def test_a_surface_that_overlaps_itself_winds_twice() -> None:
    """Where two parts of one skin overlap, the winding is two."""
    one, faces = ball(50.0)
    two, _ = ball(50.0, (60, 0, 0))
    both = np.vstack([one, two])
    asked = np.array([[0.0, 0, 0], [30, 0, 0], [60, 0, 0], [120, 0, 0]])
    found = touching.winding(asked, both, np.vstack([faces, faces + len(one)]))
    np.testing.assert_array_equal(found, [1, 2, 1, 0])


def test_distance_from_a_ball() -> None:
    """Distances from inside and outside agree with the radius within the flatness of the faces."""
    points, faces = ball(50.0)
    rng = np.random.default_rng(2)
    way = rng.normal(size=(500, 3))
    way /= np.linalg.norm(way, axis=1, keepdims=True)
    radius = rng.uniform(30, 90, 500)
    found = touching.distance(way * radius[:, None], points, faces)
    np.testing.assert_allclose(found, np.abs(radius - 50.0), atol=0.3)


@pytest.mark.parametrize(
    ("apart", "deep", "free"), [(120.0, 0.0, 20.0), (90.0, 10.0, 0.0), (70.0, 30.0, 0.0)]
)
def test_two_balls(apart: float, deep: float, free: float) -> None:
    """Depth and gap of two balls are what their radii say."""
    a, faces = ball(50.0)
    b, _ = ball(50.0, (apart, 0, 0))
    assert touching.penetration(a, faces, b, faces) == pytest.approx(deep, abs=0.3)
    assert touching.overlap(a, faces, b, faces) == (deep > 0)
    if free:
        assert touching.gap(a, faces, b, faces) == pytest.approx(free, abs=0.3)


def test_the_volume_inside_a_figure() -> None:
    """Counting random points inside the template's skin gives its volume (statistical error 1 %)."""
    figure = template_figure()
    low, high = figure.vertices_mm.min(axis=0), figure.vertices_mm.max(axis=0)
    asked: Array = np.random.default_rng(3).uniform(low, high, (60000, 3))
    inside = touching.winding(asked, figure.vertices_mm, figure.faces) > 0
    share = inside.mean()
    volume = share * float(np.prod(high - low)) / 1000.0
    error = np.sqrt((1 - share) / (share * len(asked)))
    true = skin_volume_cm3(figure.vertices_mm, figure.faces)
    # parts of the skin that overlap at rest are counted once here and twice in the integral
    assert abs(volume / true - 1.0) < 3 * error + 0.005
