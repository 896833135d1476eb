"""Fields of drawn shapes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from wholedose.base.errors import InvalidInput
from wholedose.body import slabs
from wholedose.body.fields import Cells, Shapes, shapes_of

Lumps = tuple[Shapes, NDArray[np.float32], NDArray[np.int64]]


def row(kind: str, points: str, side: str = "mid", cuts: str = "") -> dict[str, object]:
    return {"kind": kind, "side": side, "points": points, "cuts": cuts}


def field_at(rows: list[dict[str, object]], *points: tuple[float, float, float]) -> NDArray[np.float32]:
    at = np.array(points, dtype=np.float32)
    return np.asarray(shapes_of(rows).field(at, np.arange(len(at))))


def test_sphere_gives_the_distance_to_its_surface() -> None:
    """The field of a sphere is the distance from its surface, negative inside."""
    found = field_at([row("ellipsoid", "10 0 0; 5 5 5")], (10, 0, 8), (13, 0, 0), (10, 7, 0))
    np.testing.assert_allclose(found, [3, -2, 2], atol=1e-5)


def test_ellipsoid_is_zero_on_its_turned_axes() -> None:
    """Turns act as documented: about x, then y, then z; the ends of the turned axes lie on the surface."""
    # 90 degrees about z brings the long x axis to y
    found = field_at([row("ellipsoid", "0 0 0; 30 10 5; 0 0 90")], (0, 30, 0), (10, 0, 0), (0, 0, 5))
    np.testing.assert_allclose(found, 0, atol=1e-4)
    # about x first: z to -y, which the turn about z brings to +x
    found = field_at([row("ellipsoid", "0 0 0; 30 10 5; 90 0 90")], (0, 30, 0), (5, 0, 0), (0, 0, 10))
    np.testing.assert_allclose(found, 0, atol=1e-4)


def test_tube_follows_its_points_and_radii() -> None:
    """Along a tube the surface lies at the interpolated radius, beyond its ends at the end radius."""
    found = field_at([row("tube", "0 0 0 2; 0 0 10 4")], (3, 0, 5), (0, 0, 15), (0, 2, 0))
    np.testing.assert_allclose(found, [0, 1, 0], atol=1e-5)


def test_sheet_is_as_thick_as_it_says() -> None:
    """A flat sheet has its surface at the half thickness on both sides and round its rim."""
    flat = row("sheet", "0 0 0 2, 10 0 0 2; 0 10 0 2, 10 10 0 2")
    found = field_at([flat], (5, 5, 2), (3, 6, -2), (-2, 5, 0), (5, 5, 0))
    np.testing.assert_allclose(found, [0, 0, 0, -2], atol=1e-5)


def test_both_sides_are_mirror_images() -> None:
    """A shape drawn on both sides has the same field at mirrored points, whatever its kind."""
    rng = np.random.default_rng(3)
    rows = [
        row("ellipsoid", "20 3 4; 9 5 3; 20 30 40; 3", "both"),
        row("tube", "10 0 0 2; 25 8 10 3", "both"),
        row("sheet", "5 0 0 1, 15 2 0 1; 5 10 3 1, 18 10 0 2", "both"),
    ]
    at = rng.uniform(-30, 30, (400, 3)).astype(np.float32)
    shapes = shapes_of(rows)
    chosen = np.arange(len(at))
    here = shapes.field(at, chosen)
    there = shapes.field(at * np.array([-1, 1, 1], dtype=np.float32), chosen)
    np.testing.assert_allclose(here, there, atol=1e-4)


def test_cut_bounds_a_region() -> None:
    """Beyond a cut the field is the distance to the cutting plane."""
    found = field_at([row("ellipsoid", "0 0 0; 10 10 10", cuts="0 0 2 4")], (0, 0, 5), (0, 0, 1))
    assert found[0] == pytest.approx(3.0)
    assert found[1] < 0


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        (row("ellipsoid", "0 0 0"), "needs centre"),
        (row("ellipsoid", "0 0 0; 1 0 1"), "no size"),
        (row("ellipsoid", "0 0 x; 1 1 1"), "does not hold numbers"),
        (row("tube", "0 0 0 1"), "two points"),
        (row("sheet", "0 0 0 1, 1 0 0 1; 0 1 0 1"), "equally many points"),
        (row("ball", "0 0 0 1"), "unknown"),
        (row("tube", "0 0 0 1; 1 1 1 1", "up"), "side"),
        (row("tube", "0 0 0 1; 1 1 1 1", cuts="0 0 0 1"), "no direction"),
    ],
)
def test_bad_rows_are_refused(bad: dict[str, object], says: str) -> None:
    """A shape that cannot be read is refused with the row and the reason."""
    with pytest.raises(InvalidInput, match=says) as caught:
        shapes_of([bad], "liver")
    assert "liver" in str(caught.value)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000))
def test_cells_find_every_point_of_a_box(seed: int) -> None:
    """No point inside a box widened by the reach is missed."""
    rng = np.random.default_rng(seed)
    points = rng.normal(0, 60, (300, 3)).astype(np.float32)
    low = rng.normal(0, 50, 3)
    box = np.stack([low, low + rng.uniform(0, 60, 3)])
    found = set(Cells(points).near(box[None], 7.0).tolist())
    inside = ((points >= box[0] - 7.0) & (points <= box[1] + 7.0)).all(axis=1)
    assert set(np.flatnonzero(inside).tolist()) <= found


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from(["ellipsoid", "tube", "sheet"]))
def test_many_solids_are_the_least_of_each(seed: int, kind: str) -> None:
    """Blocks of points that skip far solids give what each solid alone gives, wherever that is in reach."""
    rng = np.random.default_rng(seed)
    rows = []
    for _ in range(12):
        at, end = rng.uniform(-60, 60, 3), rng.uniform(-60, 60, 3)
        a, b, c = rng.uniform(1, 12, 3)
        text = {
            "ellipsoid": "{0} {1} {2}; {6} {7} {8}; 10 20 30; 2.5",
            "tube": "{0} {1} {2} {6}; {3} {4} {5} {7}",
            "sheet": "{0} {1} {2} {6}, {3} {4} {5} {7}; {1} {2} {0} {8}, {4} {5} {3} {6}",
        }[kind]
        rows.append(row(kind, text.format(*at, *end, a, b, c)))
    points = np.sort(rng.uniform(-80, 80, (3000, 3)), axis=0).astype(np.float32)
    chosen = Cells(points).near(np.array([[[-90.0] * 3, [90.0] * 3]]), 0.0)
    whole = shapes_of(rows).field(points, chosen)
    each = np.min([shapes_of([one]).field(points, chosen) for one in rows], axis=0)
    near = each <= 30.0
    np.testing.assert_allclose(whole[near], each[near], atol=1e-4)
    assert (whole[~near] > 30.0).all()


@pytest.fixture
def lumps() -> Lumps:
    """Superellipsoids of all exponents and turns, and points around them, sorted by place."""
    rng = np.random.default_rng(5)
    rows = [
        row(
            "ellipsoid",
            "{} {} {}; {} {} {}; {} {} {}; {}".format(
                *rng.uniform(-60, 60, 3),
                *rng.uniform(2, 40, 3),
                *rng.uniform(0, 90, 3),
                rng.choice([1, 1.5, 2, 3, 8]),
            ),
        )
        for _ in range(15)
    ]
    points = rng.uniform(-100, 100, (40_000, 3)).astype(np.float32)
    return shapes_of(rows), points, Cells(points).near(np.array([[[-100.0] * 3, [100.0] * 3]]), 0.0)


def test_ellipsoids_are_what_their_formula_says(lumps: Lumps) -> None:
    """What is skipped as too far changes nothing: the field is the least of the formula over all of them."""
    shapes, points, chosen = lumps
    found = shapes.field(points, chosen, 200.0)
    at = points[chosen].astype(np.float64)
    least = np.full(len(at), np.inf)
    for solid in shapes.ellipsoids:
        off = at - solid[:3]
        scaled = np.abs(off @ solid[6:15].reshape(3, 3).T) / solid[3:6]
        rho = (scaled ** solid[15]).sum(axis=1) ** (1.0 / solid[15])
        least = np.minimum(least, np.linalg.norm(off, axis=1) * (1.0 - 1.0 / rho))
    np.testing.assert_allclose(found, least, atol=2e-5)


def test_below_the_floor_only_the_sign_is_known(lumps: Lumps) -> None:
    """With a floor the field is exact above it and stays below it where it is below."""
    shapes, points, chosen = lumps
    exact, floored = shapes.field(points, chosen), shapes.field(points, chosen, floor_mm=0.0)
    np.testing.assert_array_equal(np.maximum(exact, 0.0), np.maximum(floored, 0.0))
    np.testing.assert_array_equal(exact < 0.0, floored < 0.0)
    assert (exact != floored).any()


def test_cores_do_not_show(lumps: Lumps, monkeypatch: pytest.MonkeyPatch) -> None:
    """The field is the same to the bit on any number of cores, also where it is only known to be large."""
    shapes, points, chosen = lumps
    found = []
    for cores in (1, 3, 8):
        monkeypatch.setattr(slabs, "available_cores", lambda cores=cores: cores)
        found.append(shapes.field(points, chosen, 10.0))
    np.testing.assert_array_equal(found[0], found[1])
    np.testing.assert_array_equal(found[0], found[2])
