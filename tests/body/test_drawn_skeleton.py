"""The drawn skeleton: complete, symmetric, under the skin, with room for what it encloses."""

from __future__ import annotations

import importlib.util
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from wholedose.body import Person
from wholedose.body.drawn import drawn
from wholedose.body.fields import Cells
from wholedose.body.figure import template_figure
from wholedose.body.masses import targets_of
from wholedose.body.meshdistance import signed_distance
from wholedose.body.organs import BONE_SITES
from wholedose.tables import load

SPACING_MM = 3.0
PAIRED = (
    "bone_scapulae",
    "bone_clavicles",
    "bone_pelvis",
    "bone_femora_upper",
    "bone_femora_lower",
    "bone_humeri_upper",
    "bone_humeri_lower",
    "bone_forearms",
)
SINGLE = ("bone_cranium", "bone_mandible", "bone_sternum", "bone_sacrum")
SPINE = ("bone_cervical_spine", "bone_thoracic_spine", "bone_lumbar_spine")
# the skeleton of a lean man grows by about 0.8 mm beyond what is drawn
GROWTH_MM = 0.8

Points = NDArray[np.float32]


def _field(region: str, points: Points) -> NDArray[np.float32]:
    return np.asarray(drawn("M")[region].field(points, np.arange(len(points))))


@cache
def _solid(region: str) -> tuple[NDArray[np.bool_], Points]:
    """Points of a region's box, even about the median plane, and which of them are inside."""
    boxes = drawn("M")[region].boxes()
    low, high = boxes[:, 0].min(axis=0) - SPACING_MM, boxes[:, 1].max(axis=0) + SPACING_MM
    steps = [
        np.arange(np.floor(a / SPACING_MM), np.ceil(b / SPACING_MM) + 1)
        for a, b in zip(low, high, strict=True)
    ]
    grid = (np.stack(np.meshgrid(*steps, indexing="ij"), axis=-1) * SPACING_MM).astype(np.float32)
    # only cubes near a part of the region are looked at: a limb fills little of its box
    flat = grid.reshape(-1, 3)
    near = Cells(flat).near(boxes, 0.0)
    inside = np.zeros(len(flat), dtype=np.bool_)
    inside[near] = drawn("M")[region].field(flat, near) < 0.0
    return inside.reshape(grid.shape[:3]), grid


def _within(region: str) -> Points:
    inside, grid = _solid(region)
    return grid[inside]


def _volume_cm3(region: str) -> float:
    return float(_solid(region)[0].sum()) * SPACING_MM**3 / 1000.0


def _pieces(inside: NDArray[np.bool_]) -> int:
    return int(ndimage.label(inside, np.ones((3,) * inside.ndim))[1])


def test_sites_drawn() -> None:
    """Every bone site, the marrow cavities, cartilage, teeth and both body cavities are drawn."""
    wanted = {*BONE_SITES, "medullary_cavities", "cartilage", "teeth", "abdominal_cavity", "thoracic_cavity"}
    assert wanted <= set(drawn("M"))
    assert wanted <= set(drawn("F"))


@pytest.mark.parametrize("region", [*BONE_SITES, "cartilage", "teeth", "medullary_cavities"])
def test_symmetric(region: str) -> None:
    """Left and right are mirror images."""
    boxes = drawn("M")[region].boxes()
    random = np.random.default_rng(4)
    centres = boxes[random.integers(len(boxes), size=400)].mean(axis=1)
    points = (centres + random.normal(0, 8, (400, 3))).astype(np.float32)
    mirrored = points * np.array([-1, 1, 1], dtype=np.float32)
    assert np.allclose(_field(region, points), _field(region, mirrored), atol=1e-3)


@pytest.mark.parametrize(
    ("region", "count"),
    [*((name, 2) for name in PAIRED), *((name, 1) for name in SINGLE + SPINE), ("bone_lower_legs", 4)],
)
def test_pieces(region: str, count: int) -> None:
    """A bone is one piece, a paired one two; kneecaps are apart from the legs; spines hold together."""
    assert _pieces(_solid(region)[0]) == count


def test_twelve_pairs_of_ribs() -> None:
    """Twelve ribs cross a plane beside the spine on either side, apart from each other when grown too."""
    y, z = np.meshgrid(np.arange(-5.0, 80.0, 1.0), np.arange(1150.0, 1520.0, 1.0), indexing="ij")
    for x in (-50.0, 50.0):
        plane = np.stack([np.full_like(y, x), y, z], axis=-1).reshape(-1, 3).astype(np.float32)
        inside = (_field("bone_ribs", plane) < GROWTH_MM).reshape(y.shape)
        assert _pieces(inside) == 12


def test_ribs_slope_down() -> None:
    """Every true rib ends in front lower than it begins behind, by more the lower it stands."""
    drops = []
    for row in load("body/drawn_spine_and_ribs").rows():
        if str(row["note"]).startswith("rib "):
            upper = [float(point.split()[2]) for point in str(row["points"]).split(";")[0].split(",")]
            drops.append(upper[0] - upper[-1])
    assert len(drops) == 12
    assert min(drops) > 40.0
    assert np.all(np.diff(drops[:7]) > 0)


def test_canal_free() -> None:
    """The spinal cord has its canal from the skull to the loins, also when bones grow to their volume."""
    path = drawn("M")["spinal_cord"].cones
    for near, far in zip(path[:, :4], path[:, 4:], strict=True):
        line = near[None, :3] + np.linspace(0, 1, 20)[:, None] * (far - near)[None, :3]
        turn = np.linspace(0, 2 * np.pi, 12, endpoint=False)
        ring = 4.0 * np.stack([np.cos(turn), np.sin(turn), np.zeros_like(turn)], axis=-1)
        points = (line[:, None] + ring[None]).reshape(-1, 3).astype(np.float32)
        for site in (*SPINE, "bone_cranium"):
            assert _field(site, points).min() > GROWTH_MM, site


@cache
def _skin() -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    figure = template_figure()
    found = signed_distance(figure.vertices_mm, figure.faces, SPACING_MM)
    return found.values, np.asarray(found.origin_mm)


@pytest.mark.parametrize("region", [*BONE_SITES, "teeth"])
def test_under_the_skin(region: str) -> None:
    """Bones lie below the skin of the lean template, which is 1.7 mm thick."""
    values, origin = _skin()
    at = ((_within(region) - origin) / SPACING_MM).T[::-1]
    assert ndimage.map_coordinates(values, at, order=1).min() > 1.7


def test_cavities_inside_ribs() -> None:
    """The two body cavities stay within ribs, breast bone, shoulder blades and pelvis."""
    chest = _within("thoracic_cavity")
    # heads and necks of ribs lie beside the spine, where bone is painted first
    chest = chest[np.abs(chest[:, 0]) > 42.0]
    for site in ("bone_ribs", "bone_sternum", "bone_scapulae", "bone_pelvis"):
        assert (_field(site, chest) < 0).mean() < 0.002, site
    belly = _within("abdominal_cavity")
    for site in ("bone_ribs", "bone_pelvis", "bone_femora_upper"):
        assert (_field(site, belly) < 0).mean() < 0.002, site


def test_medullary_cavities_inside_bone() -> None:
    """Marrow cavities of long bones keep a wall of bone around them."""
    hollow = _within("medullary_cavities")
    long_bones = [s for s in BONE_SITES if any(w in s for w in ("femora", "humeri", "legs", "forearms"))]
    wall = np.min([_field(site, hollow) for site in long_bones], axis=0)
    assert (wall < -0.5).mean() > 0.99


def test_room_for_active_marrow() -> None:
    """Every site holds its share of the 1170 g of active marrow in two thirds of its volume."""
    table = load("body/marrow_distribution")
    for site, percent in zip(table["site"], table["active_marrow_pct"], strict=True):
        marrow_cm3 = 1170.0 * float(percent) / 100.0 / 1.03
        assert marrow_cm3 < _volume_cm3(str(site)) * 2 / 3, site


def test_whole_size() -> None:
    """The drawn bones hold 85 to 100 % of the bone and marrow of the lean adult male they are drawn for."""
    target = targets_of(Person("M", 40, 176, 73))
    names = (*BONE_SITES, "cortical_bone", "medullary_cavities")
    asked = sum(target[name].mass_g / target[name].density_g_cm3 for name in names if name in target)
    assert 0.85 < sum(_volume_cm3(site) for site in BONE_SITES) / asked < 1.0


def test_table_reproducible(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The script writes the shipped table of spine and ribs byte by byte."""
    path = Path(__file__).parents[2] / "scripts" / "draw_skeleton.py"
    spec = importlib.util.spec_from_file_location("draw_skeleton", path)
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    shipped = script.TABLE.read_bytes()
    monkeypatch.setattr(script, "TABLE", tmp_path / "table.csv")
    script.main()
    assert (tmp_path / "table.csv").read_bytes() == shipped
