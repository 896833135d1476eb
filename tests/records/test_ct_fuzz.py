"""Mutated files never raise anything but the project's own errors."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np
import pytest
from tests.records.make_ct import enhanced_dataset, phantom, write, write_series
from tests.records.make_labels import write_rtstruct, write_seg

from wholedose.base import WholedoseError
from wholedose.records.ct_series import read_ct_series
from wholedose.records.labels import read_labels

T = TypeVar("T")


def tried(read: Callable[[], T]) -> T | None:
    """Return what a reader gives, or None when it refuses with a sentence; anything else fails the test."""
    refused: WholedoseError | None = None
    try:
        return read()
    except WholedoseError as error:
        refused = error
    assert len(str(refused)) > 20
    return None


def mutated(whole: bytes, rng: np.random.Generator) -> bytes:
    data = bytearray(whole)
    kind = rng.integers(3)
    if kind == 0:
        for place in rng.integers(128, len(data), rng.integers(1, 12)):
            data[place] ^= 1 << int(rng.integers(8))
    elif kind == 1:
        del data[int(rng.integers(1, len(data))) :]
    else:
        start = int(rng.integers(128, len(data)))
        data[start : start + 16] = rng.bytes(16)
    return bytes(data)


@pytest.mark.parametrize("seed", range(120))
def test_mutated_slices(tmp_path: Path, seed: int) -> None:
    """A series with a damaged slice is read, or refused with a sentence."""
    rng = np.random.default_rng(seed)
    path = write_series(tmp_path, phantom((3, 8, 8)))[int(rng.integers(3))]
    # bits of the header are the interesting ones: the pixels are small here
    path.write_bytes(mutated(path.read_bytes(), rng))
    series = tried(lambda: read_ct_series(tmp_path))
    if series is not None:
        assert series.image.values.shape == series.image.grid.shape


@pytest.mark.parametrize("seed", range(60))
def test_mutated_multi_frames_and_labels(tmp_path: Path, seed: int) -> None:
    """Damaged enhanced images, structure sets and NIfTI files likewise."""
    rng = np.random.default_rng(1000 + seed)
    path = write(tmp_path / "e.dcm", enhanced_dataset(phantom((3, 8, 8))))
    image = read_ct_series(path).image
    path.write_bytes(mutated(path.read_bytes(), rng))
    tried(lambda: read_ct_series(path))
    square = [(-18.0, -29.0, 103.0), (-10.0, -29.0, 103.0), (-10.0, -21.0, 103.0)]
    contours = write_rtstruct(tmp_path / "rs.dcm", {"a": [square], "b": [square[::-1]]})
    contours.write_bytes(mutated(contours.read_bytes(), rng))
    tried(lambda: read_labels(contours, reference=image))


@pytest.mark.parametrize("seed", range(25))
def test_mutated_segmentations(tmp_path_factory: pytest.TempPathFactory, seed: int) -> None:
    """Damaged SEG objects likewise."""
    folder = tmp_path_factory.getbasetemp() / "seg_source"
    if not folder.exists():
        slices = write_series(folder, phantom((3, 8, 8)))
        write_seg(folder / "whole.seg", slices, {"A": phantom((3, 8, 8)) > 0, "B": phantom((3, 8, 8)) < -900})
    rng = np.random.default_rng(2000 + seed)
    path = folder / f"{seed}.seg"
    path.write_bytes(mutated((folder / "whole.seg").read_bytes(), rng))
    found = tried(lambda: read_labels(path))
    if found is not None:
        assert set(np.unique(found[0].values)) - {0} == set(found[1])
