"""Promises of the classical segmentation that no other file makes."""

from __future__ import annotations

import numpy as np
import pytest
from tests.body.make_phantom import GRID, trunk

from wholedose.base import Grid, InvalidInput, Volume
from wholedose.base.errors import WholedoseError
from wholedose.body import Person, from_ct
from wholedose.body import segmentation as seg


def test_spongy_bone_is_no_contrast() -> None:
    """A vertebra with even, bright marrow space (220 HU) in its cortex is bone and no contrast."""
    found = seg.segment(trunk(), GRID)
    spine = trunk(noise_hu=0.0) > 150
    assert found.mask("bone")[spine].mean() > 0.95
    assert not found.contrast.any()


def test_every_voxel_has_one_class() -> None:
    """Body, couch and air are all there is; metal and contrast never overlap."""
    hu = trunk()
    hu[:, 40:46, 30:36] = 3071.0
    hu[:, 40:56, 80:96] = 400.0
    found = seg.segment(hu, GRID)
    assert set(np.unique(found.tissue)) <= set(range(len(seg.CLASSES)))
    assert not (found.contrast & found.mask("metal")).any()
    assert found.mask("metal").sum() == pytest.approx(6 * 6 * 14, rel=0.05)
    assert not (found.mask("metal") & ~found.body).any()


def random_image(rng: np.random.Generator) -> Volume:
    """Any image that is a CT by its unit: noise, blocks, padding, constant planes."""
    shape = tuple(int(n) for n in rng.integers(1, 24, 3))
    grid = Grid((shape[0], shape[1], shape[2]), tuple(rng.uniform(1.0, 9.0, 3)), (0.0, 0.0, 0.0))
    values = rng.uniform(-1024, rng.choice([100, 3071, 30710]), shape)
    if rng.random() < 0.7:
        values[...] = -1000
        z, y, x = (sorted(rng.integers(0, n + 1, 2)) for n in shape)
        values[z[0] : z[1], y[0] : y[1], x[0] : x[1]] = rng.choice([40.0, 300.0, 3071.0])
    return Volume(
        grid, values.astype(np.int16 if rng.random() < 0.5 else np.float32), "HU", {"modality": "CT"}
    )


def test_random_images_and_labels_are_survived() -> None:
    """Random images with random labels and strange names give a body or one of our errors, nothing else."""
    rng = np.random.default_rng(8)
    names = ["liver", "aorta", "hip_left", "", "…", "lung", "body", "heart_atrium_left", "Kidney (L)", "bone"]
    made = 0
    for _ in range(40):
        image = random_image(rng)
        labels = Volume(image.grid, rng.integers(-2, 14, image.grid.shape).astype(np.int32), "label", {})
        chosen = {int(k): str(rng.choice(names)) for k in rng.integers(-1, 14, 6)}
        try:
            body = from_ct(
                image,
                Person("F", float(rng.uniform(1, 90)), 165, 60),
                labels,
                chosen,
                voxel_mm=float(rng.uniform(2, 9)),
                completion=False,
                kv=float(rng.choice([0.0, 80.0, 1000.0])),
            )
        except WholedoseError:
            continue
        made += 1
        assert np.isfinite(body.density_g_cm3).all()
        assert int(body.material.max()) < len(body.materials)
    assert made >= 3


def test_air_is_no_body() -> None:
    """An image of air is refused."""
    with pytest.raises(InvalidInput, match="holds no body"):
        seg.segment(np.full(GRID.shape, -1000.0, dtype=np.float32), GRID)
