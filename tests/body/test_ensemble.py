"""Promises of the bodies that agree with an image."""

from __future__ import annotations

import numpy as np
import pytest
from tests.body.make_ct import as_ct

from wholedose.base import Grid
from wholedose.body import Body, Person, from_ct, reference
from wholedose.body.ensemble import Member, parameter
from wholedose.body.locate import region_range

WHO = Person("F", 40, 163, 60)
COUNT = 8


@pytest.fixture(scope="module")
def chest() -> Body:
    """A woman's chest, 6 mm voxels, completed, with eight members."""
    whole = reference(WHO, "supine, arms up", 6.0)
    return from_ct(as_ct(whole, region_range(whole, "chest")), WHO, voxel_mm=6.0, members=COUNT)


def centres(body: Body, name: str) -> np.ndarray:
    found = []
    for member in body.ensemble:
        k, j, i = np.unravel_index(member.voxels(name), member.grid.shape)
        z, y, x = member.grid.axes_mm()
        found.append((x[i].mean(), y[j].mean(), z[k].mean()))
    return np.array(found)


def test_members_are_whole_bodies(chest: Body) -> None:
    """Each member has all the organs of the body, the small ones too, and its volume to 10 %."""
    assert len(chest.ensemble) == COUNT
    volume = (chest.labels > 0).sum() * chest.grid.voxel_cm3
    for member in chest.ensemble:
        missing = [name for name in chest.organs if not member.voxels(name).size]
        assert missing == []
        assert member.index.size * member.grid.voxel_cm3 == pytest.approx(volume, rel=0.10)
        assert np.count_nonzero(member.labels) == member.index.size


def test_what_was_seen_stays(chest: Body) -> None:
    """Lungs inside the image are the same voxels in every member."""
    low, high = chest.image_z_mm or (0.0, 0.0)
    sets = []
    for member in chest.ensemble:
        z = member.grid.axes_mm()[0][member.voxels("lungs") // int(np.prod(member.grid.shape[1:]))]
        sets.append(set(member.voxels("lungs")[(z > low + 10) & (z < high - 10)].tolist()))
    assert all(one == sets[0] for one in sets)
    assert len(sets[0]) > 1000


def test_organs_far_from_the_image_vary_by_a_vertebra(chest: Body) -> None:
    """The bladder lies 12 to 50 mm up or down (SD), the heart inside the image less than half of that."""
    far = centres(chest, "urinary_bladder_contents")[:, 2].std(ddof=1)
    near = centres(chest, "heart_wall")[:, 2].std(ddof=1)
    assert 12.0 < far < 50.0
    assert near < 0.5 * far


def test_sizes_vary_as_among_people(chest: Body) -> None:
    """The spleen's volume spreads by 15 to 60 % (people's: 40 %), the brain's by less than 25 %."""
    for name, low, high in (("spleen", 0.15, 0.6), ("brain", 0.0, 0.25)):
        volumes = np.array([member.voxels(name).size for member in chest.ensemble], dtype=float)
        assert low < volumes.std(ddof=1) / volumes.mean() < high, name


def test_members_are_packed_without_loss() -> None:
    """Labels come back from a member as they went in; a label that is not there has no voxels."""
    labels = np.array([[[0, 2, 1], [3, 0, 2]]], dtype=np.int16)
    member = Member.of(
        Grid((1, 2, 3), (8.0, 8.0, 8.0), (0.0, 0.0, 0.0)), ("liver", "spleen", "brain"), labels
    )
    assert np.array_equal(member.labels, labels)
    assert member.voxels("spleen").tolist() == [1, 5]
    assert member.voxels("thyroid").size == 0


def test_the_same_seed_gives_the_same_bodies(chest: Body) -> None:
    """Made again, the ensemble is the same, voxel by voxel."""
    whole = reference(WHO, "supine, arms up", 6.0)
    again = from_ct(as_ct(whole, region_range(whole, "chest")), WHO, voxel_mm=6.0, members=2)
    for one, two in zip(chest.ensemble, again.ensemble, strict=False):
        assert np.array_equal(one.index, two.index)
        assert np.array_equal(one.start, two.start)


def test_parameters_are_in_the_table() -> None:
    """Organs outside the image vary by about a vertebra, inside it by less than half."""
    assert 20.0 <= parameter("far_z") <= 30.0
    assert parameter("near_z") < 0.5 * parameter("far_z")
