"""Promises of the segmentation by the fitted reference body."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.body.make_ct import as_ct, dice, read_nifti

from wholedose.body import Person, reference
from wholedose.body.fitted import segment
from wholedose.body.labels import label_scheme, organ_of_label
from wholedose.body.locate import region_range, whole_organ

# on the labelled CT of the shared folder: what is reached, less 0.05
FLOORS = {
    "lungs": 0.91,
    "aorta": 0.76,
    "liver": 0.65,
    "spleen": 0.58,
    "bone_lumbar_spine": 0.45,
    "kidneys": 0.23,
}


def test_organs_come_on_the_images_grid() -> None:
    """A chest CT of a reference woman: labels on its grid, her lungs to 0.9 and heart to 0.8 (Dice)."""
    who = Person("F", 40, 163, 60)
    whole = reference(who, "supine, arms up", 6.0)
    image = as_ct(whole, region_range(whole, "chest"))
    labels, names = segment(image, who, voxel_mm=6.0)
    assert labels.grid == image.grid
    assert set(np.unique(labels.values)) - {0} == set(names)
    assert not {"heart_wall", "stomach_wall"} & set(names.values())
    z, at = whole.grid.axes_mm()[0], image.grid.axes_mm()[0]
    keep = (z > at[0] - 1) & (z < at[-1] + 1)
    for name, least in (("lungs", 0.9), ("heart", 0.8)):
        found = labels.values == next(i for i, n in names.items() if n == name)
        truth = np.pad(whole_organ(whole, name)[keep], ((0, 0), (8, 8), (0, 0)))
        assert dice(found, truth) > least, name


@pytest.mark.shared
def test_dice_on_a_labelled_ct(shared: Path) -> None:
    """On a real upper abdomen the large organs reach the floors; the table of all is printed."""
    image = read_nifti(shared / "ct/example_ct_sm.nii.gz", "HU")
    drawn = read_nifti(shared / "ct/example_seg.nii.gz", "label").values
    labels, names = segment(image, Person("M", 60, 175, 80))
    target = {number: organ_of_label(name) for number, name in label_scheme("totalsegmentator_v2").items()}
    reached = {}
    for organ in sorted({name for name in target.values() if name}):
        truth = np.isin(drawn, [number for number, name in target.items() if name == organ])
        if truth.sum() > 100:
            reached[organ] = dice(np.isin(labels.values, [i for i, n in names.items() if n == organ]), truth)
            print(f"{organ:<24}{reached[organ]:.2f}")
    for organ, floor in FLOORS.items():
        assert reached[organ] >= floor, organ
