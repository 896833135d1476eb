"""Promises of `records.labels`, `records.dicom_seg` and `records.rtstruct`."""

from __future__ import annotations

import json
from pathlib import Path

import nibabel
import numpy as np
import pytest
from tests.records.make_ct import phantom, write_series
from tests.records.make_labels import write_rtstruct, write_seg

from wholedose.base import Grid, InvalidInput, MissingInput, OutsideDomain, UnknownName, Volume
from wholedose.records.ct_series import read_ct_series
from wholedose.records.labels import read_labels, read_names
from wholedose.records.rtstruct import fill_polygon

GRID = Grid((6, 24, 20), (3.0, 2.0, 2.5), (-20.0, -30.0, 100.0))


def save(path: Path, labels: np.ndarray, grid: Grid = GRID) -> Path:
    nibabel.save(nibabel.Nifti1Image(labels.astype(np.uint8).transpose(2, 1, 0), grid.affine_ras()), path)
    return path


def some_labels() -> np.ndarray:
    labels = np.zeros(GRID.shape, np.int32)
    labels[1:4, 5:10, 3:8] = 1
    labels[2:5, 12:20, 9:15] = 5
    return labels


@pytest.mark.parametrize("names", [{"1": "Spleen", "5": "Left Lung"}, {"Spleen": 1, "Left Lung": 5}])
def test_nifti_with_names(tmp_path: Path, names: dict[str, object]) -> None:
    """Both forms of the JSON name the labels, in snake case."""
    path = save(tmp_path / "l.nii.gz", some_labels())
    (tmp_path / "n.json").write_text(json.dumps(names))
    volume, found = read_labels(path, tmp_path / "n.json")
    assert np.array_equal(volume.values, some_labels())
    assert found == {1: "spleen", 5: "left_lung"}
    assert volume.meta["assumed"] is False


def test_nifti_without_names_assumes_totalsegmentator_and_says_so(tmp_path: Path) -> None:
    """Labels inside TotalSegmentator's list take its names as an assumption; others are refused."""
    volume, found = read_labels(save(tmp_path / "l.nii.gz", some_labels()))
    assert found == {1: "spleen", 5: "liver"}
    assert volume.meta["assumed"] is True
    assert "those of TotalSegmentator v2, task total are assumed" in volume.meta["findings"][0]
    with pytest.raises(MissingInput, match="The labels 200 have no names"):
        read_labels(save(tmp_path / "m.nii.gz", some_labels() * 40))


def test_nifti_that_declares_its_numbering(tmp_path: Path) -> None:
    """A numbering given by name decides what the numbers mean; one that does not exist is refused."""
    labels = some_labels()
    labels[labels == 5] = 7
    path = save(tmp_path / "l.nii.gz", labels)
    for scheme, organ in (("totalsegmentator_v1", "aorta"), ("totalsegmentator_v2", "pancreas")):
        volume, found = read_labels(path, scheme)
        assert found == {1: "spleen", 7: organ}
        assert volume.meta["assumed"] is False
        assert volume.meta["names_from"] == scheme
    with pytest.raises(UnknownName, match="No numbering of labels 'totalsegmentator_v9'"):
        read_labels(path, "totalsegmentator_v9")


def test_names_that_do_not_fit(tmp_path: Path) -> None:
    """Unnamed labels are dropped with a finding; a JSON of another form or with doubles is refused."""
    path = save(tmp_path / "l.nii.gz", some_labels())
    (tmp_path / "n.json").write_text('{"1": "liver"}')
    volume, found = read_labels(path, tmp_path / "n.json")
    assert found == {1: "liver"}
    assert set(np.unique(volume.values)) == {0, 1}
    assert "are ignored: 5" in volume.meta["findings"][0]
    for words, sentence in (
        ('{"1": 2.5}', "not of the form"),
        ("[]", "not of the form"),
        ('{"1": "a", "b": 1}', "named twice"),
        ("{", "cannot be read"),
    ):
        (tmp_path / "n.json").write_text(words)
        with pytest.raises(InvalidInput, match=sentence):
            read_names(tmp_path / "n.json")


def test_a_label_map_of_another_grid_is_refused(tmp_path: Path) -> None:
    """The error shows both grids and the way out."""
    path = save(tmp_path / "l.nii.gz", some_labels())
    image = Volume(Grid((6, 24, 20), (3.0, 2.0, 2.5), (-20.0, -30.0, 103.0)), phantom(), "HU", {})
    with pytest.raises(
        InvalidInput,
        match=r"another grid than the CT: .*100\.0\) instead of .*103\.0\).*Resample the label map",
    ):
        read_labels(path, reference=image)


def test_dicom_seg(tmp_path: Path) -> None:
    """A SEG lands voxel by voxel on the CT, with the labels of its segments, also without the CT."""
    paths = write_series(tmp_path / "ct")
    masks = {"Spleen": some_labels() == 1, "Left lung": some_labels() == 5}
    seg = write_seg(tmp_path / "seg.dcm", paths, masks)
    image = read_ct_series(tmp_path / "ct").image
    volume, names = read_labels(seg, reference=image)
    assert names == {1: "spleen", 2: "left_lung"}
    assert np.array_equal(volume.values == 1, masks["Spleen"])
    assert np.array_equal(volume.values == 2, masks["Left lung"])
    alone, _ = read_labels(seg)
    assert alone.grid.shape == (4, 24, 20)
    assert alone.grid.origin_mm[2] == 103.0
    assert np.array_equal(alone.values, volume.values[1:5])


def test_a_seg_off_the_slices_is_refused(tmp_path: Path) -> None:
    """Frames between the CT's slices are an error that names the place."""
    masks = {"Spleen": some_labels() == 1}
    seg = write_seg(tmp_path / "seg.dcm", write_series(tmp_path / "a"), masks)
    write_series(tmp_path / "b", dz=2.0)
    image = read_ct_series(tmp_path / "b").image
    with pytest.raises(InvalidInput, match=r"frame at z = 109\.00 mm, where the CT has no slice"):
        read_labels(seg, reference=image)


def square(z: float, low: float, high: float) -> list[tuple[float, float, float]]:
    return [(low, low, z), (high, low, z), (high, high, z), (low, high, z)]


def test_rtstruct(tmp_path: Path) -> None:
    """Contours fill the voxels whose centres they hold; inner contours are holes; smaller structures win."""
    write_series(tmp_path / "ct")
    image = read_ct_series(tmp_path / "ct").image
    z_axis, y_axis, x_axis = image.grid.axes_mm()
    rois = {
        "Body": [square(z, -18.3, 14.3) for z in z_axis] + [square(float(z_axis[2]), -8.3, -2.3)],
        "Small": [square(float(z_axis[1]), 0.3, 6.3)],
        "point": [[(0.0, 0.0, 100.0)]],
    }
    path = write_rtstruct(tmp_path / "rs.dcm", rois)
    volume, names = read_labels(path, reference=image)
    assert names == {1: "body", 2: "small"}

    def inside(low: float, high: float) -> np.ndarray:
        ys, xs = (y_axis > low) & (y_axis < high), (x_axis > low) & (x_axis < high)
        return np.asarray(ys[:, None] & xs[None, :])

    assert np.array_equal(volume.values[0] == 1, inside(-18.3, 14.3))
    assert np.array_equal(volume.values[2] == 1, inside(-18.3, 14.3) & ~inside(-8.3, -2.3))
    assert np.array_equal(volume.values[1] == 2, inside(0.3, 6.3))
    told = " ".join(volume.meta["findings"])
    assert "point: 1 points or open contours" in told
    assert "overlap" in told


def test_contours_between_slices_keep_their_thickness(tmp_path: Path) -> None:
    """Contours every 6 mm, off the 3 mm slices, fill 6 mm each."""
    write_series(tmp_path / "ct")
    image = read_ct_series(tmp_path / "ct").image
    path = write_rtstruct(tmp_path / "rs.dcm", {"a": [square(z, 0, 9) for z in (103.9, 109.9)]})
    volume, _ = read_labels(path, reference=image)
    assert volume.values.any(axis=(1, 2)).tolist() == [False, True, True, True, True, False]


def test_polygon_area_and_keyholes() -> None:
    """The even-odd fill has the polygon's area, and a key-hole contour cuts its hole."""
    axis = np.arange(-50, 50) + 0.5
    angle = np.linspace(0, 2 * np.pi, 400, endpoint=False)
    ring = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    mask = np.zeros((100, 100), bool)
    fill_polygon(mask, 40 * ring, axis, axis)
    assert mask.sum() == pytest.approx(np.pi * 1600, rel=0.005)
    keyhole = np.concatenate([40 * ring, 40 * ring[:1], 20 * ring[:1], 20 * ring[::-1]])
    mask[:] = False
    fill_polygon(mask, keyhole, axis, axis)
    assert mask.sum() == pytest.approx(np.pi * 1200, rel=0.005)
    assert not mask[50, 50]


def test_rtstruct_refusals(tmp_path: Path) -> None:
    """No CT, another frame of reference, sagittal contours and contours elsewhere are refused."""
    write_series(tmp_path / "ct")
    image = read_ct_series(tmp_path / "ct").image
    path = write_rtstruct(tmp_path / "rs.dcm", {"a": [square(103.0, 0, 9)]})
    with pytest.raises(MissingInput, match="need the CT they were drawn on"):
        read_labels(path)
    path = write_rtstruct(tmp_path / "rs.dcm", {"a": [square(103.0, 0, 9)]}, frame_of_reference="2.25.9")
    with pytest.raises(InvalidInput, match="another frame of reference"):
        read_labels(path, reference=image)
    path = write_rtstruct(tmp_path / "rs.dcm", {"a": [[(0, 0, 100), (0, 5, 105), (0, 9, 100)]]})
    with pytest.raises(OutsideDomain, match="not axial"):
        read_labels(path, reference=image)
    path = write_rtstruct(tmp_path / "rs.dcm", {"a": [square(900.0, 0, 9)]})
    with pytest.raises(InvalidInput, match="No structure has a contour in the CT"):
        read_labels(path, reference=image)
    with pytest.raises(InvalidInput, match="modality CT is no label map"):
        read_labels(next((tmp_path / "ct").iterdir()), reference=image)


@pytest.mark.shared
def test_shared_label_maps(shared: Path) -> None:
    """TotalSegmentator's own files name their labels and lie on their images."""
    image = read_ct_series(shared / "ct" / "example_ct_dicom").image
    volume, names = read_labels(shared / "ct" / "example_seg_dicom.nii.gz", reference=image)
    assert volume.meta["assumed"] is False
    assert "liver" in names.values()
    liver = next(label for label, name in names.items() if name == "liver")
    assert 40 < float(image.values[volume.values == liver].mean()) < 160
