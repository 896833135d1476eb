"""Promises of metal in images."""

from __future__ import annotations

import numpy as np
import pytest
from tests.body.make_phantom import GRID, ellipse, trunk

from wholedose.base import Grid, Volume
from wholedose.body import Person, from_ct
from wholedose.body import segmentation as seg
from wholedose.body.implants import Metal, find_metal, metal_hu


def with_rod(level: float, *, radius_mm: float = 9.0, blur: bool = True) -> tuple[np.ndarray, np.ndarray]:
    """A rod along z in soft tissue; its rim is half filled when blurred, and streaks run out of it."""
    hu = trunk()
    where = np.broadcast_to(ellipse(60, 0, radius_mm, radius_mm), hu.shape)
    hu[where] = level
    if blur:
        rim = np.broadcast_to(ellipse(60, 0, radius_mm + 3, radius_mm + 3), hu.shape) & ~where
        hu[rim] = 0.5 * level
    _, y, x = GRID.axes_mm()
    streak = (
        (np.abs(y) < 2)[:, None] & (np.abs(x - 60) > radius_mm + 3)[None, :] & (np.abs(x - 60) < 70)[None, :]
    )
    hu[:, streak] += 500.0
    return hu, where


def found_in(hu: np.ndarray, kv: float = 120.0) -> Metal:
    return find_metal(hu, GRID, seg.segment(hu, GRID).mask("metal"), kv=kv, water_cm=28.0)


@pytest.mark.parametrize("kv", [100.0, 120.0, 140.0])
@pytest.mark.parametrize(("kind", "density"), [("titanium alloy", 4.3), ("steel", 8.1)])
def test_an_extended_scale_tells_the_metal(kind: str, density: float, kv: float) -> None:
    """A rod as bright as titanium or steel is that metal, at any voltage, with its full density inside."""
    hu, where = with_rod(metal_hu(kind, kv, 28.0))
    metal = found_in(hu, kv)
    assert [(piece.kind, piece.known) for piece in metal.pieces] == [(kind, True)]
    held = np.zeros(hu.shape)
    held[metal.where] = metal.density_g_cm3
    assert np.median(held[where]) == pytest.approx(density, rel=0.02)
    truth = where.sum() + 0.5 * (np.broadcast_to(ellipse(60, 0, 12, 12), hu.shape) & ~where).sum()
    assert metal.cm3 == pytest.approx(truth * GRID.voxel_cm3, rel=0.1)


def test_fillings_are_amalgam_or_gold() -> None:
    """A small piece at the end of an extended scale is amalgam or gold."""
    assert [p.kind for p in found_in(with_rod(30711.0, radius_mm=5.0, blur=False)[0]).pieces] == [
        "amalgam or gold"
    ]


def test_a_short_scale_assumes_titanium_and_says_so() -> None:
    """At 3071 HU all metals look alike: titanium, marked as not known."""
    metal = found_in(with_rod(3071.0)[0])
    assert [(piece.kind, piece.known) for piece in metal.pieces] == [("titanium alloy", False)]


def test_streaks_and_noise_are_no_metal() -> None:
    """Bright streaks, single bright voxels and dense bone are no metal."""
    hu, _ = with_rod(3071.0)
    near = np.broadcast_to(ellipse(60, 0, 16, 16), hu.shape)
    assert not (seg.segment(hu, GRID).mask("metal") & ~near).any()
    hu = trunk()
    hu[4, 40, 40] = 3071.0
    hu[:, ellipse(-60, 0, 9, 9)] = 2000.0
    assert not seg.segment(hu, GRID).mask("metal").any()


def test_metal_is_nobodys_tissue_and_is_flagged() -> None:
    """An implant attenuates with its own material, has no label, and is said with place and volume."""
    hu, where = with_rod(metal_hu("steel", 120.0, 28.0))
    image = Volume(GRID, hu, "HU", {"modality": "CT"})
    body = from_ct(image, Person("M", 40, 176, 73), voxel_mm=3.0, completion=False, kv=120.0)
    names = np.array([m.name for m in body.materials])[body.material]
    steel = names.astype(str) == "steel"
    assert steel.sum() == pytest.approx(where.sum(), rel=0.05)
    assert (body.labels[steel] == 0).all()
    note = next(a for a in body.assumptions if a.what == "metal")
    assert "steel at x 60, y 0" in note.value.replace("y -0", "y 0")
    assert "streaks are not corrected" in note.why


def test_the_brightest_voxel_counts_as_it_came() -> None:
    """Averaging dilutes a pin; its metal is told by the image before averaging."""
    fine = Grid((28, 200, 260), (1.5, 1.5, 1.5), (-195.75, -150.75, -0.75))
    values = np.repeat(np.repeat(np.repeat(trunk(), 2, 0), 2, 1), 2, 2)
    image = Volume(fine, values, "HU", {})
    z, y, x = 14, 100, 170
    image.values[z - 4 : z + 4, y : y + 3, x : x + 3] = metal_hu("steel")
    hu = image.values.reshape(14, 2, 100, 2, 130, 2).mean(axis=(1, 3, 5)).astype(np.float32)
    where = seg.segment(hu, GRID).mask("metal")
    assert find_metal(hu, GRID, where, image).pieces[0].kind == "steel"
    assert find_metal(hu, GRID, where, image).pieces[0].peak_hu == pytest.approx(metal_hu("steel"))


def test_random_images_are_survived() -> None:
    """Any CT numbers and masks give finite densities and levels within the materials."""
    rng = np.random.default_rng(5)
    grid = Grid((5, 12, 12), (3.0, 3.0, 3.0), (0.0, 0.0, 0.0))
    for _ in range(20):
        hu = rng.uniform(-1024, 40000, grid.shape).astype(np.float32)
        metal = find_metal(
            hu, grid, rng.random(grid.shape) < rng.uniform(0, 0.5), kv=float(rng.uniform(40, 150))
        )
        assert np.isfinite(metal.density_g_cm3).all()
        assert (metal.level < max(len(metal.materials), 1)).all()
        assert metal.cm3 >= 0
