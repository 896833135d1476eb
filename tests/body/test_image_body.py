"""Promises of bodies from CT images."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.body.make_ct import MARGIN, as_ct, dice, read_nifti

from wholedose.base import Grid, InvalidInput, MissingInput, UnknownName, Volume
from wholedose.body import BONE_SITES, REGIONS, Body, Person, from_ct, reference
from wholedose.body.locate import bright_bone, region_range, whole_organ
from wholedose.body.scanned import surface_mm2
from wholedose.tables import load

PERSON = Person("M", 40, 176, 73)


@pytest.fixture(scope="module")
def man() -> Body:
    return reference(PERSON, "supine, arms up", 4.0)


range_of = region_range


@pytest.fixture(scope="module")
def chest(man: Body) -> Body:
    return from_ct(as_ct(man, range_of(man, "chest")), PERSON, voxel_mm=4.0)


def labels_of(body: Body, z_mm: tuple[float, float]) -> Volume:
    image = as_ct(body, z_mm)
    z = body.grid.axes_mm()[0]
    keep = (z >= z_mm[0]) & (z <= z_mm[1])
    labels = np.pad(body.labels[keep], ((0, 0), (MARGIN, MARGIN), (0, 0)))
    return Volume(image.grid, labels, "label", {})


def test_a_chest_becomes_a_whole_person(man: Body, chest: Body) -> None:
    """A chest CT of the reference man is completed to his weight, and placed within 1 cm."""
    assert chest.whole
    assert chest.total_mass_kg == pytest.approx(man.total_mass_kg, rel=0.04)
    for name in ("vertex", "lung_top", "liver_bottom", "hip"):
        assert chest.landmarks[name] == pytest.approx(man.landmarks[name], abs=10.0), name


def test_scanned_voxels_are_the_images(man: Body, chest: Body) -> None:
    """Inside the image, lungs and bone are found where they are, and the density is that of the CT number."""
    low, high = chest.image_z_mm or (0.0, 0.0)
    z, z_man = chest.grid.axes_mm()[0], man.grid.axes_mm()[0]
    here, there = (z > low) & (z < high), (z_man > low) & (z_man < high)
    for organ, least in (("lungs", 0.95), ("bone", 0.85)):
        a, b = chest.mask("lungs")[here], man.mask("lungs")[there]
        if organ == "bone":
            a, b = bright_bone(chest)[here], bright_bone(man)[there]
        ys, xs = (np.flatnonzero(a.any(axis=k)) for k in ((0, 2), (0, 1)))
        ym, xm = (np.flatnonzero(b.any(axis=k)) for k in ((0, 2), (0, 1)))
        assert abs(len(ys) - len(ym)) <= 2
        assert abs(len(xs) - len(xm)) <= 2
        assert a.sum() == pytest.approx(b.sum(), rel=0.15), organ
        crop_a = a[:, ys[0] : ys[0] + len(ym), xs[0] : xs[0] + len(xm)]
        crop_b = b[:, ym[0] : ym[0] + crop_a.shape[1], xm[0] : xm[0] + crop_a.shape[2]]
        assert dice(crop_a, crop_b) > least, organ
    assert chest.origin["lungs"] == chest.origin["bone_ribs"] == "image"


def test_organs_that_the_image_lacks_come_from_the_reference_body(man: Body, chest: Body) -> None:
    """Heart and thymus are placed inside the image, brain and testes outside, all with an uncertainty."""
    assert chest.origin["heart_wall"] == chest.origin["brain"] == "reference"
    z_mm = chest.image_z_mm or (0.0, 0.0)
    assert chest.inside("brain", z_mm) == chest.inside("testes", z_mm) == 0.0
    assert chest.inside("heart", z_mm) > 0.95
    assert chest.mass_g("heart") == pytest.approx(man.mass_g("heart"), rel=0.12)
    assert chest.mass_g("brain") == pytest.approx(man.mass_g("brain"), rel=0.1)
    assert chest.anatomy_u["lungs"] < chest.anatomy_u["heart"] < chest.anatomy_u["brain"]
    assert set(chest.organs) <= set(chest.anatomy_u)
    assert {"red_bone_marrow", "endosteum", "bone"} <= set(chest.anatomy_u)


def test_the_couch_is_kept_but_is_nobody(chest: Body) -> None:
    """The couch attenuates, and has no label."""
    low, high = chest.image_z_mm or (0.0, 0.0)
    z = chest.grid.axes_mm()[0]
    here = (z > low) & (z < high)
    couch = (chest.labels[here] == 0) & (chest.density_g_cm3[here] > 0.5)
    assert couch.sum() > 1000


def test_every_marrow_site_is_there(chest: Body) -> None:
    """The completed person has all bone sites, and marrow shares that add up to 1."""
    assert chest.members("red_bone_marrow") == BONE_SITES
    assert sum(site.marrow_share for site in chest.skeleton) == pytest.approx(1.0)


def test_a_label_map_decides(man: Body) -> None:
    """Organs named by a label map are taken from it, keep their volume, and carry the smaller uncertainty."""
    z_mm = range_of(man, "abdomen")
    names = dict(enumerate(man.organs, start=1))
    body = from_ct(as_ct(man, z_mm), PERSON, labels_of(man, z_mm), names, voxel_mm=4.0)
    assert body.origin["stomach_wall"] == "label map"
    for name in ("liver", "kidneys", "spleen"):
        assert body.origin[name] == "label map"
        low, high = body.image_z_mm or (0.0, 0.0)
        z, z_man = body.grid.axes_mm()[0], man.grid.axes_mm()[0]
        ours = body.mask(name)[(z > low) & (z < high)].sum()
        assert ours == pytest.approx(man.mask(name)[(z_man > low) & (z_man < high)].sum(), rel=0.01)
    assert body.anatomy_u["kidneys"] < 0.05


def test_head_is_found_by_its_shape(man: Body) -> None:
    """A head CT is placed on the head without any hint, arms down."""
    model = reference(PERSON, "supine, arms down", 5.0)
    body = from_ct(as_ct(model, (range_of(man, "head")[0], 1900.0)), PERSON, voxel_mm=5.0)
    assert body.landmarks["vertex"] == pytest.approx(man.landmarks["vertex"], abs=20)
    assert body.inside("brain", body.image_z_mm or (0.0, 0.0)) > 0.9
    z = body.grid.axes_mm()[0]
    assert z[body.mask("bone_forearms").any(axis=(1, 2))].max() < body.landmarks["hip"] + 450


def test_an_ambiguous_place_widens() -> None:
    """A featureless slab could be head or waist: said, and the organs not shown are very uncertain."""
    y, x = np.mgrid[-120:121:6, -180:181:6]
    plane = np.where((x / 115.0) ** 2 + (y / 98.0) ** 2 < 1, 40, -1000).astype(np.int16)
    slab = Volume(
        Grid((5, *plane.shape), (6.0, 6.0, 6.0), (-180.0, -120.0, 0.0)), np.stack([plane] * 5), "HU", {}
    )
    body = from_ct(slab, PERSON, voxel_mm=6.0)
    assert "ambiguous place of the image" in {a.what for a in body.assumptions}
    assert body.anatomy_u["kidneys"] == body.anatomy_u["heart"] == pytest.approx(0.3)
    assert abs(body.rival_mm) > 80.0


def test_a_named_region_is_where_it_looks(man: Body) -> None:
    """A region given by name holds the middle of the image; an unknown one is refused with the known."""
    image = as_ct(man, (500.0, 530.0))
    body = from_ct(image, PERSON, voxel_mm=6.0, region="legs")
    assert body.landmarks["hip"] > (body.image_z_mm or (0.0, 0.0))[1]
    with pytest.raises(UnknownName, match="No region 'foot'"):
        from_ct(image, PERSON, voxel_mm=6.0, region="foot")


def test_unknown_person_is_assumed_and_said(man: Body) -> None:
    """Without a person, sex, age, height and a weight that fits the section are assumed and listed."""
    body = from_ct(as_ct(man, range_of(man, "abdomen")), voxel_mm=6.0)
    said = {a.what: a.value for a in body.assumptions}
    assert said["sex"] == "F"
    assert {"age", "height", "weight", "place of the image on the body"} <= set(said)
    assert 55 < float(said["weight"].split()[0]) < 95


def test_coarser_voxels_keep_the_mass(man: Body) -> None:
    """Twice coarser voxels change the mass of the scanned part by less than 3 %, all of it at the skin."""
    image = as_ct(man, range_of(man, "pelvis"), couch=False, noise_hu=0.0)
    masses = [from_ct(image, PERSON, voxel_mm=voxel, completion=False).total_mass_kg for voxel in (4.0, 8.0)]
    assert masses[1] == pytest.approx(masses[0], rel=0.03)


def test_a_child_is_completed_by_a_child() -> None:
    """The chest of a girl of 6 is completed to a girl of her height and weight, all tissues in it."""
    girl = Person("F", 6, 116, 21)
    whole = reference(girl, "supine, arms up", 4.0)
    body = from_ct(as_ct(whole, range_of(whole, "chest")), girl, voxel_mm=4.0)
    assert body.whole
    assert body.total_mass_kg == pytest.approx(21, rel=0.04)
    assert set(whole.organs) <= set(body.organs)
    assert body.mass_g("brain") == pytest.approx(whole.mass_g("brain"), rel=0.05)
    assert body.landmarks["vertex"] == pytest.approx(whole.landmarks["vertex"], abs=12.0)


def test_truncation_contrast_and_metal_are_reported(man: Body) -> None:
    """A field of view that cuts the body, enhanced blood and metal are findings."""
    image = as_ct(man, range_of(man, "chest"))
    hu = image.values.copy()
    heart = whole_organ(man, "heart")[np.isin(man.grid.axes_mm()[0], image.grid.axes_mm()[0])]
    heart = np.pad(heart, ((0, 0), (MARGIN, MARGIN), (0, 0)))
    hu[heart] = 330
    middle = hu.shape[2] // 2
    hu[5:8, hu.shape[1] // 2, middle - 2 : middle + 2] = 3071
    cut = Volume(
        Grid((*hu.shape[:2], 64), image.grid.spacing_mm, image.grid.origin_mm),
        hu[:, :, middle - 32 : middle + 32].copy(), "HU", {},
    )  # fmt: skip
    body = from_ct(cut, PERSON, voxel_mm=4.0)
    said = {a.what for a in body.assumptions}
    assert {"truncated field of view", "contrast medium", "metal"} <= said
    assert body.total_mass_kg == pytest.approx(73, rel=0.08)


@pytest.fixture(scope="module")
def image() -> Volume:
    return as_ct(reference(PERSON, "supine, arms up", 8.0), (1190.0, 1430.0))


class TestRefusals:
    """Images and label maps that are not usable are refused with a reason."""

    def with_values(self, image: Volume, values: np.ndarray, **meta: str) -> Volume:
        return Volume(image.grid, values, "HU", {**image.meta, **meta})

    def test_stored_values(self, image: Volume) -> None:
        """Stored values without rescale are recognised."""
        with pytest.raises(InvalidInput, match="stored values without rescale"):
            from_ct(self.with_values(image, image.values + 1024), PERSON)

    def test_other_modality(self, image: Volume) -> None:
        """A modality other than CT is refused by its tag."""
        with pytest.raises(InvalidInput, match="The image is MR, not CT"):
            from_ct(self.with_values(image, image.values, modality="MR"), PERSON)

    def test_other_unit(self, image: Volume) -> None:
        """Values that are not in HU are refused."""
        with pytest.raises(InvalidInput, match="not HU"):
            from_ct(Volume(image.grid, image.values, "Gy", {}), PERSON)

    def test_not_a_number(self, image: Volume) -> None:
        """NaN is refused."""
        values = image.values.astype(np.float32)
        values[0, 0, 0] = np.nan
        with pytest.raises(InvalidInput, match="not numbers"):
            from_ct(self.with_values(image, values), PERSON)

    def test_no_body(self, image: Volume) -> None:
        """Air, and a small test object, are no body."""
        with pytest.raises(InvalidInput, match="holds no body"):
            from_ct(self.with_values(image, np.full_like(image.values, -1000)), PERSON)
        values = np.full_like(image.values, -1000)
        values[2:4, 5:8, 5:8] = 0
        with pytest.raises(InvalidInput, match="holds no body"):
            from_ct(self.with_values(image, values), PERSON)

    def test_label_map_of_another_grid(self, image: Volume) -> None:
        """A label map of another grid is refused; in the same frame, reading it there must be asked for."""
        grid = Grid(image.grid.shape, image.grid.spacing_mm, (0.0, 0.0, 0.0))
        ones = np.ones(image.grid.shape, dtype=np.int16)
        with pytest.raises(InvalidInput, match=r"another grid.*does not cover the image"):
            from_ct(image, PERSON, Volume(grid, ones, "label", {}), {1: "liver"}, resample_labels=True)
        (nz, ny, nx), (x, y, z) = image.grid.shape, image.grid.origin_mm
        fine = Grid((2 * nz, 2 * ny, 2 * nx), (4.0, 4.0, 4.0), (x - 2, y - 2, z - 2))
        labels = Volume(fine, np.ones(fine.shape, dtype=np.int16), "label", {})
        with pytest.raises(InvalidInput, match="resample_labels=True"):
            from_ct(image, PERSON, labels, {1: "liver"}, voxel_mm=8.0)
        body = from_ct(image, PERSON, labels, {1: "liver"}, voxel_mm=8.0, resample_labels=True)
        assert body.origin["liver"] == "label map"

    def test_label_map_without_names_or_labels(self, image: Volume) -> None:
        """A map without names, and an empty one, are refused; nameless labels are listed."""
        labels = Volume(image.grid, np.zeros(image.grid.shape, dtype=np.int16), "label", {})
        with pytest.raises(MissingInput, match="comes without names"):
            from_ct(image, PERSON, labels)
        with pytest.raises(InvalidInput, match="The label map is empty"):
            from_ct(image, PERSON, labels, {1: "liver"})
        values = labels.values.copy()
        values[5:9] = 1
        values[9:12] = 9
        filled = Volume(image.grid, values, "label", {})
        body = from_ct(image, PERSON, filled, {1: "liver"}, voxel_mm=8.0)
        assert ("labels without a name", "9") in {(a.what, a.value) for a in body.assumptions}


def test_surface_of_a_mask() -> None:
    """The surface of a ball is 4 pi r^2 to 1 %; of a cut cylinder, only its side counts."""
    z, y, x = np.mgrid[-30:31, -30:31, -30:31]
    ball = x * x + y * y + z * z <= 20.5**2
    assert surface_mm2(ball, 2.0) == pytest.approx(4 * np.pi * 41.0**2, rel=0.01)
    rod = x * x + y * y <= 20.5**2
    assert surface_mm2(rod, 2.0) == pytest.approx(2 * np.pi * 41.0 * 122.0, rel=0.01)


def test_skin_of_a_scanned_part_is_as_thick_as_elsewhere(chest: Body) -> None:
    """In the image skin is as heavy per length of outline as below it, within a quarter."""
    z_mm = chest.image_z_mm or (0.0, 0.0)
    z = chest.grid.axes_mm()[0]
    skin, body = chest.labels == chest.label("skin"), chest.labels > 0
    edge = np.array([surface_mm2(np.repeat(plane[None], 3, axis=0), 1.0) / 3 for plane in body])
    per = np.divide(skin.sum(axis=(1, 2)), edge, out=np.zeros(len(z)), where=edge > 0)
    inside = (z > z_mm[0] + 20) & (z < z_mm[1] - 20)
    below = (z < z_mm[0] - 30) & (z > z_mm[0] - 200)
    assert per[inside].mean() == pytest.approx(per[below].mean(), rel=0.25)


@pytest.mark.shared
class TestRealImages:
    """What the segmentation and the placing do on a real CT."""

    def names(self) -> dict[int, str]:
        table = load("records/totalsegmentator_v2")
        return {int(k): str(n) for k, n in zip(table["label"], table["name"], strict=True)}

    def test_dice_against_labels(self, shared: Path) -> None:
        """On the labelled abdomen, own lungs reach a Dice of 0.9, bone 0.8, and no labelled voxel is lost."""
        from wholedose.body.labels import organ_of_label
        from wholedose.body.segmentation import segment

        image = read_nifti(shared / "ct/example_ct_sm.nii.gz", "HU")
        labels = read_nifti(shared / "ct/example_seg.nii.gz", "label").values
        found = segment(image.values.astype(np.float32), image.grid)
        target = {k: organ_of_label(n) for k, n in self.names().items()}
        lungs = np.isin(labels, [k for k, t in target.items() if t == "lungs"])
        hard = [k for k, n in self.names().items() if target[k] in BONE_SITES and n != "costal_cartilages"]
        assert dice(found.mask("lung"), lungs) > 0.9
        assert dice(found.mask("bone"), np.isin(labels, hard)) > 0.8
        assert found.body[labels > 0].mean() > 0.995

    def test_labelled_abdomen(self, shared: Path) -> None:
        """The labelled slab is placed at the upper abdomen, its organs come from the labels."""
        image = read_nifti(shared / "ct/example_ct_sm.nii.gz", "HU")
        labels = read_nifti(shared / "ct/example_seg.nii.gz", "label")
        body = from_ct(image, Person("M", 60, 175, 85), labels, self.names())
        assert {body.origin[n] for n in ("liver", "kidneys", "spleen", "aorta")} == {"label map"}
        z_mm = body.image_z_mm or (0.0, 0.0)
        assert body.landmarks["iliac_crest"] < z_mm[0] < body.landmarks["lung_bottom"] + 30
        assert body.inside("brain", z_mm) == 0

    def test_whole_abdomen_without_labels(self, shared: Path) -> None:
        """The unlabelled abdomen and pelvis is placed between hip and lung base, and metal is found."""
        body = from_ct(read_nifti(shared / "ct/example_ct.nii.gz", "HU"), Person("M", 60, 175, 80))
        z_mm = body.image_z_mm or (0.0, 0.0)
        assert body.landmarks["hip"] == pytest.approx(z_mm[0], abs=60)
        assert "metal" in {a.what for a in body.assumptions}
        assert set(body.organs) <= set(REGIONS)

    def test_organs_that_labels_show_whole_lie_in_the_image(self, shared: Path) -> None:
        """Pancreas and gall bladder end inside the labels: the reference body adds nothing of them outside.

        Spleen and liver are cut by the upper end, so a part of them is added there.
        """
        image = read_nifti(shared / "ct/example_ct_sm.nii.gz", "HU")
        labels = read_nifti(shared / "ct/example_seg.nii.gz", "label")
        body = from_ct(image, Person("M", 60, 175, 85), labels, self.names())
        z_mm = body.image_z_mm or (0.0, 0.0)
        assert body.inside("pancreas", z_mm) == body.inside("gall_bladder", z_mm) == 1.0
        assert 0.3 < body.inside("spleen", z_mm) < 1.0

    @pytest.mark.xfail(strict=True, reason="an abdomen without labels is placed some centimetres too high")
    def test_bladder_is_in_the_image(self, shared: Path) -> None:
        """The bladder of an image down to the hips lies in it."""
        body = from_ct(read_nifti(shared / "ct/example_ct.nii.gz", "HU"), Person("M", 60, 175, 80))
        assert body.inside("urinary_bladder", body.image_z_mm or (0.0, 0.0)) > 0.9

    def test_mr_is_refused(self, shared: Path) -> None:
        """An MR image without any tag is refused as CT."""
        with pytest.raises(InvalidInput, match="These are no CT numbers"):
            from_ct(read_nifti(shared / "ct/example_mr_sm.nii.gz", "HU"))
