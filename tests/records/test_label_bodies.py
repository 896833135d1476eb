"""Promises of label maps of all kinds end to end: from the file to the body."""

from __future__ import annotations

from pathlib import Path

import nibabel
import numpy as np
import pytest
from tests.body.make_ct import MARGIN, as_ct
from tests.records.make_labels import write_rtstruct, write_seg

from wholedose.base import Grid, Volume
from wholedose.body import Body, Person, from_ct, reference, region_range
from wholedose.body.labels import label_scheme
from wholedose.records import read_ct_series, read_labels
from wholedose.synthetic.merged import merged_labels

PERSON = Person("M", 40, 176, 73)
BOTH = {
    "liver": "liver", "kidneys": "kidney_left", "spleen": "spleen", "aorta": "aorta", "pancreas": "pancreas",
    "colon": "colon", "stomach": "stomach", "oesophagus": "esophagus", "lungs": "lung_lower_lobe_left",
    "small_intestine": "duodenum", "adrenals": "adrenal_gland_right", "gall_bladder": "gallbladder",
    "bone_ribs": "rib_left_5", "bone_pelvis": "hip_left", "bone_lumbar_spine": "vertebrae_L3",
    "bone_thoracic_spine": "vertebrae_T11", "muscle": "autochthon_left", "heart": "heart",
}  # fmt: skip
IN_V1 = {"heart": "heart_myocardium"}


def save(path: Path, labels: np.ndarray, grid: Grid) -> Path:
    nibabel.save(nibabel.Nifti1Image(labels.astype(np.int16).transpose(2, 1, 0), grid.affine_ras()), path)
    return path


def test_both_versions_give_the_same_body(tmp_path: Path) -> None:
    """One body's label map in the numbers of version 1 and of version 2 gives voxel by voxel one body."""
    body = reference(PERSON, "supine, arms up", 6.0)
    z_mm = region_range(body, "abdomen")
    merged, organs = merged_labels(body)
    image = as_ct(body, z_mm)
    z = body.grid.axes_mm()[0]
    own = np.pad(merged[(z >= z_mm[0]) & (z <= z_mm[1])], ((0, 0), (MARGIN, MARGIN), (0, 0)))
    bodies: list[Body] = []
    for scheme in ("totalsegmentator_v1", "totalsegmentator_v2"):
        number = {name: k for k, name in label_scheme(scheme).items()}
        labels = np.zeros(own.shape, dtype=np.int16)
        for organ, name in BOTH.items():
            if organ in organs:
                here = IN_V1.get(organ, name) if scheme.endswith("v1") else name
                labels[own == organs.index(organ) + 1] = number[here]
        volume, names = read_labels(save(tmp_path / f"{scheme}.nii.gz", labels, image.grid), scheme, image)
        bodies.append(from_ct(image, PERSON, volume, names, voxel_mm=6.0))
    assert bodies[0].digest() == bodies[1].digest()
    assert dict(bodies[0].origin) == dict(bodies[1].origin)
    assert sum(origin == "label map" for origin in bodies[0].origin.values()) > 10


def rectangles(mask: np.ndarray, grid: Grid) -> list[list[tuple[float, float, float]]]:
    """Contours of a mask: one rectangle around each run of voxels in a row."""
    z, y, x = grid.axes_mm()
    dy, dx = grid.spacing_mm[1] / 2, grid.spacing_mm[2] / 2
    found = []
    for k, j in np.argwhere(mask.any(axis=2)):
        edges = np.flatnonzero(np.diff(np.concatenate([[0], mask[k, j].astype(int), [0]])))
        for a, b in zip(edges[::2], edges[1::2], strict=True):
            left, right, up, low = x[a] - dx, x[b - 1] + dx, y[j] - dy, y[j] + dy
            found.append([(left, up, z[k]), (right, up, z[k]), (right, low, z[k]), (left, low, z[k])])
    return found


def completed(paths: list[Path], folder: Path) -> list[Path]:
    """Copies of slices in order of z, with the attributes that de-identification took and a SEG must copy."""
    import pydicom
    from pydicom.uid import CTImageStorage, generate_uid

    slices = sorted((pydicom.dcmread(path) for path in paths), key=lambda d: float(d.ImagePositionPatient[2]))
    study = generate_uid()
    series = generate_uid()
    found = []
    for k, dataset in enumerate(slices):
        dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = CTImageStorage
        dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = generate_uid()
        dataset.StudyInstanceUID, dataset.SeriesInstanceUID = study, series
        for keyword in ("PatientID", "PatientName", "PatientSex", "StudyDate", "StudyDescription"):
            setattr(dataset, keyword, dataset.get(keyword) or "")
        dataset.save_as(folder / f"slice{k:03d}.dcm")
        found.append(folder / f"slice{k:03d}.dcm")
    return found


@pytest.mark.shared
class TestRealFiles:
    """The de-identified DICOM slices with their label map, as NIfTI, SEG and RTSTRUCT."""

    ORGANS = ("liver", "aorta", "spleen")

    def test_three_forms_give_one_body(self, shared: Path, tmp_path: Path) -> None:
        """NIfTI, SEG and RTSTRUCT of the same organs give the same labels and the same body."""
        image = read_ct_series(shared / "ct/example_ct_dicom").image
        volume, names = read_labels(shared / "ct/example_seg_dicom.nii.gz", reference=image)
        assert {"liver", "aorta", "spleen", "rib_left_9"} <= set(names.values())
        number = {name: k for k, name in names.items()}
        masks = {name: volume.values == number[name] for name in self.ORGANS}
        few = np.isin(volume.values, [number[name] for name in self.ORGANS])
        plain = Volume(volume.grid, np.where(few, volume.values, 0), "label", volume.meta)
        slices = completed(sorted((shared / "ct/example_ct_dicom").iterdir()), tmp_path)
        seg, seg_names = read_labels(write_seg(tmp_path / "s.dcm", slices, masks), reference=image)
        contours = {name: rectangles(mask, image.grid) for name, mask in masks.items()}
        written = write_rtstruct(
            tmp_path / "r.dcm", contours, frame_of_reference=image.meta["frame_of_reference"]
        )
        rt, rt_names = read_labels(written, reference=image)
        bodies = []
        for labels, called in ((plain, names), (seg, seg_names), (rt, rt_names)):
            for name, mask in masks.items():
                key = next(k for k, n in called.items() if n == name)
                assert np.array_equal(labels.values == key, mask), name
            bodies.append(from_ct(image, PERSON, labels, called, voxel_mm=4.0, completion=False))
        assert len({body.digest() for body in bodies}) == 1
        assert {bodies[0].origin[name] for name in self.ORGANS} == {"label map"}

    def test_the_whole_map_by_its_own_table_and_by_declaration(self, shared: Path) -> None:
        """The label table in the file and the declared numbering name the labels alike; contrast is found."""
        image = read_ct_series(shared / "ct/example_ct_dicom").image
        path = shared / "ct/example_seg_dicom.nii.gz"
        (volume, own), (_, declared) = (
            read_labels(path, reference=image),
            read_labels(path, "totalsegmentator_v2"),
        )
        assert own == declared
        body = from_ct(image, PERSON, volume, own, voxel_mm=3.0, completion=False)
        assert not [a for a in body.assumptions if a.what == "unknown label names"]
        note = next(a for a in body.assumptions if a.what == "contrast medium")
        assert "aorta" in note.value
        couch = (body.labels == 0) & (body.density_g_cm3 > 0.3)
        assert couch.sum() * body.grid.voxel_cm3 > 100
        low = body.grid.axes_mm()[1][np.flatnonzero((body.labels > 0).any(axis=(0, 2)))[-1]]
        y = np.broadcast_to(body.grid.axes_mm()[1][None, :, None], body.labels.shape)
        assert np.median(y[couch]) > low - 20

    def test_an_unenhanced_scan_has_no_contrast(self, shared: Path) -> None:
        """The labelled slab without contrast medium is not given any."""
        from wholedose.records.nifti import read_nifti

        image = read_nifti(shared / "ct/example_ct_sm.nii.gz")
        labels, names = read_labels(shared / "ct/example_seg.nii.gz", reference=image)
        body = from_ct(image, PERSON, labels, names, completion=False)
        assert "contrast medium" not in {a.what for a in body.assumptions}
        assert not any(dict(m.composition).get(53) for m in body.materials if "with" in m.name)
