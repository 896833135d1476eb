"""The basal layer of the skin as patches."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial import cKDTree

from wholedose.base import Grid, InvalidInput, UnknownName
from wholedose.body import Person, reference
from wholedose.body.figure import template_figure
from wholedose.body.meshdistance import signed_distance
from wholedose.body.skin_surface import DEPTH_MM, PATCH_MM2, SkinSurface


@pytest.fixture(scope="module")
def template() -> SkinSurface:
    return SkinSurface.of_figure(template_figure())


def cube_grid(h: float, half_mm: float, nz: int | None = None) -> Grid:
    n = 2 * int(half_mm / h) + 8
    first = -(n - 1) * h / 2.0
    return Grid((nz or n, n, n), (h, h, h), (first, first, first))


def coordinates(grid: Grid) -> list[np.ndarray]:
    return list(np.meshgrid(*grid.axes_mm(), indexing="ij"))


def test_figure_has_its_area_in_small_patches(template: SkinSurface) -> None:
    """The patches of a figure add up to its area, and none is larger than 40 mm²."""
    assert template.area_cm2 == pytest.approx(template_figure().area_cm2, rel=1e-3)
    assert template.area_mm2.max() <= PATCH_MM2 * 1.001


def test_patches_lie_seventy_micrometres_deep(template: SkinSurface) -> None:
    """Points lie 70 µm inside the skin and their normals lead out of it."""
    figure = template_figure()
    trunk = np.flatnonzero(template.where("trunk"))[::40]
    distance = signed_distance(figure.vertices_mm, figure.faces, 4.0, margin_mm=20.0)
    point, normal = template.points_mm[trunk], template.normals[trunk]
    out = distance.at(point + 3.0 * normal)
    deep = distance.at(point - 3.0 * normal)
    assert (out < 0.0).mean() > 0.98  # a few lie in folds
    assert (deep > 0.0).mean() > 0.98
    np.testing.assert_allclose(np.linalg.norm(template.normals, axis=1), 1.0, atol=1e-5)
    first = figure.vertices_mm[figure.faces[0]]
    plane = template.points_mm[np.linalg.norm(template.points_mm - first.mean(axis=0), axis=1).argmin()]
    cross = np.cross(first[1] - first[0], first[2] - first[0])
    assert (first[0] - plane) @ cross / np.linalg.norm(cross) == pytest.approx(DEPTH_MM, abs=0.01)


def test_surface_is_mirror_consistent(template: SkinSurface) -> None:
    """Each patch of the left has one of the right, of the same area, in the region's twin."""
    mirrored = template.points_mm * [-1.0, 1.0, 1.0]
    distance, twin = cKDTree(template.points_mm).query(mirrored)
    assert np.percentile(distance, 99.9) < 0.05
    names = np.array(template.names)[template.region]
    swapped = np.array([n.replace("left", "L").replace("right", "left").replace("L", "right") for n in names])
    assert (names[twin] == swapped).mean() > 0.999
    for part in ("arm", "hand", "leg", "foot"):
        left, right = (template.area_mm2[template.where(f"{part}_{s}")].sum() for s in ("left", "right"))
        assert left == pytest.approx(right, rel=1e-4)


def test_regions_have_plausible_shares(template: SkinSurface) -> None:
    """Regions lie where their names say: head on top, feet at the soles, hands beyond arms."""
    z = template.points_mm[:, 2]
    assert z[template.where("head")].min() > 1450
    assert z[template.where("foot_left")].max() < 200
    assert template.points_mm[template.where("hand_left"), 0].min() > 300
    with pytest.raises(UnknownName, match="head"):
        template.where("heat")


@pytest.mark.parametrize("h", [2.0, 4.0])
def test_ball_of_voxels(h: float) -> None:
    """A ball of voxels has the ball's area within 2 % and patches at its radius within a tenth of a voxel."""
    grid = cube_grid(h, 80.0)
    z, y, x = coordinates(grid)
    surface = SkinSurface.of_voxels(grid, x**2 + y**2 + z**2 < 80.0**2)
    radius = np.linalg.norm(surface.points_mm, axis=1)
    assert surface.area_cm2 == pytest.approx(4.0 * np.pi * 64.0, rel=0.02)
    assert radius.mean() == pytest.approx(80.0, abs=0.1 * h)
    assert radius.std() < 0.1 * h
    outward = np.einsum("ij,ij->i", surface.points_mm, surface.normals) / radius
    assert outward.min() > 0.98


def test_ball_of_thick_slices() -> None:
    """Slices thicker than the pixels move no patch: the ball keeps its place, radius and area."""
    grid = Grid((50, 90, 80), (4.0, 2.0, 2.5), (-100.0, -60.0, 200.0))
    z, y, x = coordinates(grid)
    away = np.array([0.0, 30.0, 300.0])
    surface = SkinSurface.of_voxels(grid, x**2 + (y - 30.0) ** 2 + (z - 300.0) ** 2 < 80.0**2)
    radius = np.linalg.norm(surface.points_mm - away, axis=1)
    assert radius.mean() == pytest.approx(80.0, abs=0.4)
    assert radius.std() < 0.4
    assert surface.area_cm2 == pytest.approx(4.0 * np.pi * 64.0, rel=0.03)


def test_where_the_grid_cuts_there_is_no_skin() -> None:
    """A cylinder that the grid cuts has its mantle only; air that it encloses is not outside."""
    grid = cube_grid(3.0, 60.0, nz=70)  # two slabs of slices
    _, y, x = coordinates(grid)
    inside = (x**2 + y**2 < 60.0**2) & (x**2 + y**2 > 10.0**2)
    surface = SkinSurface.of_voxels(grid, inside)
    assert np.abs(surface.normals[:, 2]).max() < 0.05
    assert surface.area_cm2 == pytest.approx(2.0 * np.pi * 60.0 * 210.0 / 100.0, rel=0.02)
    assert np.linalg.norm(surface.points_mm[:, :2], axis=1).min() > 55.0


def test_no_skin_is_refused() -> None:
    """Voxels without a boundary, or a mask of another grid, have no surface."""
    grid = cube_grid(5.0, 20.0)
    with pytest.raises(InvalidInput, match="no skin"):
        SkinSurface.of_voxels(grid, np.zeros(grid.shape, dtype=bool))
    with pytest.raises(InvalidInput, match="does not fit"):
        SkinSurface.of_voxels(grid, np.zeros((2, 2, 2), dtype=bool))
    with pytest.raises(InvalidInput, match="do not fit a skin"):
        SkinSurface.of_figure(template_figure(), np.zeros((5, 3)))


def test_reference_body_brings_its_surface() -> None:
    """A reference body's surface lies at its voxels' boundary; a body with other labels has none."""
    body = reference(Person("F", 5), voxel_mm=6.0)
    assert body.surface is not None
    voxels = SkinSurface.of_voxels(body.grid, body.labels > 0)
    distance, _ = cKDTree(voxels.points_mm).query(body.surface.points_mm[body.surface.where("trunk")])
    assert np.median(distance) < 4.0
    assert body.surface.area_cm2 == pytest.approx(voxels.area_cm2, rel=0.1)
    assert body.with_(labels=body.labels).surface is None
    assert body.with_(rival_mm=1.0).surface is body.surface
