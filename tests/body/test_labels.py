"""Promises of the names of label maps."""

from __future__ import annotations

import random
import string

import pytest

from wholedose.base import InvalidInput, UnknownName
from wholedose.body import BONE_SITES, ORGANS
from wholedose.body.labels import BY_HU, SCHEMES, label_scheme, mapped, organ_of_label
from wholedose.tables import load

TASKS = sorted({str(row["task"]) for row in load("records/totalsegmentator_tasks").rows()})


@pytest.mark.parametrize(("scheme", "count"), [("totalsegmentator_v1", 104), ("totalsegmentator_v2", 117)])
def test_every_class_of_the_default_tasks_has_a_meaning(scheme: str, count: int) -> None:
    """All 104 and 117 classes, numbered without a gap, are known; only the face is left to its CT number."""
    names = label_scheme(scheme)
    assert list(names) == list(range(1, count + 1))
    meanings = mapped(names)
    assert meanings.unknown == ()
    assert {names[k] for k, target in meanings.target.items() if target == BY_HU} <= {"face"}
    assert {t for t in meanings.target.values() if t} <= {*ORGANS, *BONE_SITES}


@pytest.mark.parametrize("task", TASKS)
def test_every_class_of_the_other_tasks_is_known(task: str) -> None:
    """No class of the further CT tasks is unknown."""
    names = label_scheme(f"totalsegmentator_v2:{task}")
    assert [name for name in names.values() if organ_of_label(name) is None] == []


def test_the_two_numberings_mean_the_same() -> None:
    """A name that both versions have means the same organ, whatever its number."""
    one, two = (label_scheme(scheme) for scheme in SCHEMES)
    assert len(set(one.values()) & set(two.values())) > 90
    assert one[7] == "aorta"
    assert two[7] == "pancreas"


@pytest.mark.parametrize(
    ("name", "organ"),
    [
        ("vertebrae_C1", "bone_cervical_spine"),
        ("vertebrae_T12", "bone_thoracic_spine"),
        ("vertebrae_L1", "bone_lumbar_spine"),
        ("vertebrae_S1", "bone_sacrum"),
        ("rib_left_12", "bone_ribs"),
        ("rib_right_1", "bone_ribs"),
        ("hip_left", "bone_pelvis"),
        ("skull", "bone_cranium"),
        ("tibia", "bone_lower_legs"),
        ("ulna", "bone_forearms"),
        ("gluteus_minimus_right", "muscle"),
        ("autochthon_left", "muscle"),
        ("iliac_artery_left", "aorta"),
        ("kidney_cyst_left", "kidneys"),
        ("duodenum", "small_intestine"),
        ("Lung Upper-Lobe (left)", "lungs"),
        ("breast", "breasts"),
        ("parotid_gland_right", "salivary_glands"),
        ("eye_lens_left", "eye_lenses"),
        ("cerebellum", "brain"),
        ("body_trunc", BY_HU),
        ("hip_implant", BY_HU),
        ("lung tumour", None),
        ("red_bone_marrow", None),
    ],
)
def test_names_mean_organs(name: str, organ: str | None) -> None:
    """Sides are joined, vertebrae go to their part of the spine; what is no organ in voxels is unknown."""
    assert organ_of_label(name) == organ


def test_heart_chambers_and_veins_become_regions_where_the_list_has_them() -> None:
    """Chambers, veins and discs mean their own region where the organ list has it, else the organ around."""
    for name, part, organ in (
        ("heart_myocardium", "heart_wall", "heart"),
        ("heart_atrium_left", "heart_left_chambers", "heart"),
        ("heart_ventricle_right", "heart_right_chambers", "heart"),
        ("inferior_vena_cava", "large_veins", "residual_soft_tissue"),
        ("intervertebral_discs", "cartilage", "residual_soft_tissue"),
    ):
        assert organ_of_label(name) == (part if part in ORGANS else organ), name


def test_unknown_numberings_are_refused_with_the_known() -> None:
    """A numbering or a task that does not exist is refused with a list."""
    with pytest.raises(UnknownName, match="did you mean 'totalsegmentator_v2'"):
        label_scheme("totalsegmentator_v3")
    with pytest.raises(UnknownName, match="did you mean 'breasts'"):
        label_scheme("totalsegmentator_v2:breast")
    with pytest.raises(UnknownName, match="No task of TotalSegmentator v2 'breasts'"):
        label_scheme("totalsegmentator_v1:breasts")


def test_any_name_is_answered() -> None:
    """Names of any characters are answered or unknown, never a crash; a map of unknown names is refused."""
    rng = random.Random(4)
    letters = string.printable + "äß…\u0000日本\u202e"
    for _ in range(500):
        name = "".join(rng.choice(letters) for _ in range(rng.randint(0, 40)))
        assert organ_of_label(name) in {None, BY_HU, *ORGANS, *BONE_SITES}
    with pytest.raises(InvalidInput, match="None of the 2 label names is known"):
        mapped({1: "", 2: "xyzzy"})
