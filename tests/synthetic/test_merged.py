"""Promises of the label maps of simulated studies."""

from __future__ import annotations

import numpy as np
import pytest

from wholedose.body import BONE_SITES, Body, Person, reference
from wholedose.body.organs import PARTS
from wholedose.synthetic.merged import merged_labels


@pytest.fixture(scope="module")
def body() -> Body:
    return reference(Person("F", 10), "supine, arms up", 6.0)


def test_parts_become_their_organs(body: Body) -> None:
    """Walls with contents, and chambers with the wall, have the voxels of all of them; no part stays."""
    labels, names = merged_labels(body)
    assert not set(names) & set(PARTS)
    for organ in ("stomach", "heart", "colon", "breasts", "brain"):
        parts = [n for n in body.organs if n == organ or (n in PARTS and PARTS[n].part_of == organ)]
        whole = np.isin(body.labels, [body.label(n) for n in parts])
        assert np.array_equal(labels == names.index(organ) + 1, whole)


def test_the_person_stays_whole(body: Body) -> None:
    """Every voxel of the person has a label, and no other has."""
    labels, _ = merged_labels(body)
    assert np.array_equal(labels > 0, body.labels > 0)


def test_bones_have_their_cortex(body: Body) -> None:
    """A femur's label holds its spongiosa and the cortex round it, on its own side of the knee."""
    labels, names = merged_labels(body)
    cortex = body.labels == body.label("cortical_bone")
    sites = {names[i - 1] for i in np.unique(labels[cortex])}
    assert sites <= set(BONE_SITES)
    z = body.grid.axes_mm()[0]
    femur = (labels == names.index("bone_femora_upper") + 1) & cortex
    assert femur.sum() > 50
    lower = labels == names.index("bone_lower_legs") + 1
    assert z[femur.any(axis=(1, 2))].min() > z[lower.any(axis=(1, 2))].max()
