"""NIfTI files described."""

from __future__ import annotations

import gzip
from pathlib import Path

import nibabel
import numpy as np
import pytest

from wholedose.base import InvalidInput
from wholedose.records.nifti_header import describe_nifti, is_nifti


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
@pytest.mark.parametrize("kind", [nibabel.Nifti1Image, nibabel.Nifti2Image])
def test_ct_is_guessed_from_hu(kind: type, suffix: str, tmp_path: Path) -> None:
    """A volume with air near -1000 is taken for CT, in both versions of the format, and the guess is said."""
    values = np.full((7, 6, 5), -1000, np.int16)
    values[2:5, 2:4] = 40
    path = tmp_path / f"ct{suffix}"
    nibabel.save(kind(values, np.diag([1.5, 2.0, 3.0, 1.0])), path)
    item = describe_nifti(path)
    assert (item["modality"], item["kind"], item["shape"]) == ("CT", "image", [7, 6, 5])
    assert item["voxel_mm"] == [1.5, 2.0, 3.0]
    assert "CT is guessed" in item["findings"][0]["what"]


def test_rescaled_values_are_judged(tmp_path: Path) -> None:
    """Unsigned values with an intercept of -1024 are HU too."""
    image = nibabel.Nifti1Image(np.arange(8000, dtype=np.float64).reshape(20, 20, 20) / 4 - 1024, np.eye(4))
    image.header.set_data_dtype(np.uint16)
    nibabel.save(image, tmp_path / "ct.nii")
    assert describe_nifti(tmp_path / "ct.nii")["modality"] == "CT"


def test_label_maps_are_not_ct(tmp_path: Path) -> None:
    """Small non-negative integers are another kind of image."""
    path = tmp_path / "labels.nii.gz"
    nibabel.save(nibabel.Nifti1Image(np.ones((4, 4, 4), np.uint8), np.eye(4)), path)
    assert describe_nifti(path)["modality"] == "OT"


@pytest.mark.parametrize(
    "content", [b"", b"\0" * 400, b"\x5c\x01\0\0" + b"\xff" * 400, b"\x1f\x8b\x08broken"]
)
def test_broken_files_are_refused(content: bytes, tmp_path: Path) -> None:
    """An empty, a foreign, a damaged and a badly compressed file give one error each, no traceback."""
    path = tmp_path / "broken.nii.gz"
    path.write_bytes(content)
    assert is_nifti(path)
    with pytest.raises(InvalidInput):
        describe_nifti(path)


def test_a_compressed_bomb_is_read_no_further_than_its_beginning(tmp_path: Path) -> None:
    """Gigabytes of zeros behind a header cost the sample only."""
    header = nibabel.Nifti1Header()
    header.set_data_shape((512, 512, 512))
    header.set_data_dtype(np.int16)
    header["vox_offset"], header["magic"] = 352, b"n+1"
    path = tmp_path / "bomb.nii.gz"
    with gzip.open(path, "wb", compresslevel=1) as file:
        file.write(header.binaryblock + b"\0" * 4)
        for _ in range(64):
            file.write(b"\0" * 2**20)
    assert describe_nifti(path)["shape"] == [512, 512, 512]
