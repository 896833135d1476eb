"""Promises of the organ list and the label names."""

from __future__ import annotations

import pytest

from wholedose.base import InvalidInput, UnknownName
from wholedose.body import BONE_SITES, ORGANS, organ
from wholedose.body.labels import mapped, organ_of_label
from wholedose.body.organs import PARTS, REGIONS, parts_of
from wholedose.body.skeleton import skeleton_of
from wholedose.matter import material
from wholedose.tables import load


def test_every_icrp_103_tissue_is_in_the_list() -> None:
    """Each tissue with a weighting factor and each remainder tissue is an organ with that role."""
    tissues = set(load("dose/tissue_weights")["tissue"]) - {"remainder", "gonads"}
    assert {n for n, o in ORGANS.items() if o.role == "tissue"} == tissues | {"testes", "ovaries"}
    remainder = load("dose/remainder_tissues")
    assert {n for n, o in ORGANS.items() if o.role == "remainder"} == set(remainder["tissue"])
    for name, sex in zip(remainder["tissue"], remainder["sex"], strict=True):
        assert ORGANS[str(name)].sex == sex


def test_every_organ_has_a_material() -> None:
    """Each organ names a material that exists."""
    for entry in (*ORGANS.values(), *PARTS.values()):
        assert material(entry.material).density_g_cm3 > 0.2


@pytest.mark.parametrize(("name", "male", "female"), [("liver", 1800, 1400), ("brain", 1450, 1300)])
def test_printed_masses(name: str, male: float, female: float) -> None:
    """Masses are those of ICRP 89 Table 2.8."""
    assert dict(ORGANS[name].reference_mass_g) == {"M": male, "F": female}


def test_parts_belong_to_organs() -> None:
    """Every part names an organ; walls count for it and contents do not; no name is used twice."""
    for part in PARTS.values():
        assert part.part_of in ORGANS
        assert part.name not in ORGANS
    assert parts_of("colon") == ("right_colon_wall", "left_colon_wall", "rectosigmoid_wall")
    assert parts_of("heart") == ("heart_wall",)
    assert not PARTS["stomach_contents"].counts
    assert len(set(REGIONS)) == len(REGIONS)
    assert list(ORGANS)[:3] == ["red_bone_marrow", "colon", "lungs"]


def test_unknown_organ_offers_the_closest() -> None:
    """A misspelt organ is answered with the nearest name."""
    with pytest.raises(UnknownName, match="did you mean 'kidneys'"):
        organ("kidnes")


def test_every_totalsegmentator_class_is_known() -> None:
    """All 117 class names of version 2 and the renamed ones of version 1 mean something."""
    for name in load("records/totalsegmentator_v2")["name"]:
        assert organ_of_label(str(name)) is not None, name
    for name in (
        "heart_myocardium",
        "heart_atrium_left",
        "pulmonary_artery",
        "portal_vein_and_splenic_vein",
        "face",
    ):
        assert organ_of_label(name) is not None


@pytest.mark.parametrize(
    ("name", "target"),
    [
        ("lung_upper_lobe_left", "lungs"),
        ("rib_right_12", "bone_ribs"),
        ("vertebrae_T12", "bone_thoracic_spine"),
        ("vertebrae_L1", "bone_lumbar_spine"),
        ("hip_left", "bone_pelvis"),
        ("iliopsoas_left", "muscle"),
        ("duodenum", "small_intestine"),
        ("esophagus", "oesophagus"),
        ("Urinary Bladder", "urinary_bladder"),
        ("face", ""),
        ("liver_tumour", "liver"),
        ("lung_tumour", None),
    ],
)
def test_label_names(name: str, target: str | None) -> None:
    """Names map to organs, to nothing in particular, or are unknown."""
    assert organ_of_label(name) == target


def test_unknown_names_are_listed_and_foreign_maps_refused() -> None:
    """Unknown names are kept for the report; a map without any known name is refused."""
    names = mapped({0: "background", 1: "liver", 2: "lesion"})
    assert names.unknown == ("lesion",)
    assert names.organs == {"liver"}
    with pytest.raises(InvalidInput, match=r"None of the 2 label names is known \(car, tree\)"):
        mapped({1: "tree", 2: "car"})


def test_marrow_shares_add_up() -> None:
    """Over all sites the shares of marrow and endosteum are 1, and the limbs' lower parts hold no marrow."""
    sites = skeleton_of(dict.fromkeys(BONE_SITES, 100.0), 1170.0)
    assert sum(s.marrow_share for s in sites) == pytest.approx(1.0)
    assert sum(s.endosteum_share for s in sites) == pytest.approx(1.0)
    assert sum(s.marrow_mass_g for s in sites) == pytest.approx(1170.0)
    assert {s.name for s in sites if s.marrow_share == 0} == {
        "bone_femora_lower",
        "bone_lower_legs",
        "bone_humeri_lower",
        "bone_forearms",
    }
