"""Damaged files of every kind, through the two doors of the readers: `wholedose read` and `wd.read`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom import dcmread
from tests.records.make_ct import enhanced_dataset, phantom, write, write_series
from tests.records.test_ct_fuzz import mutated

import wholedose as wd
from wholedose.base import WholedoseError
from wholedose.records import describe
from wholedose.synthetic import StudyTruth

ROUNDS = 60


@pytest.fixture(scope="module")
def sound(study: tuple[Path, StudyTruth], tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """One sound file of each kind."""
    import nibabel

    folder = tmp_path_factory.mktemp("sound")
    slices = write_series(folder / "series", phantom((3, 8, 8)))
    image = nibabel.Nifti1Image(phantom((3, 8, 8)).transpose(2, 1, 0), np.diag([-2.0, -2.0, 3.0, 1.0]))
    nibabel.save(image, folder / "ct.nii.gz")
    localizer = dcmread(study[0] / "localizer.dcm")
    return [
        study[0] / "dose_report.dcm",
        slices[0],
        write(folder / "enhanced.dcm", enhanced_dataset(phantom((3, 8, 8)))),
        write(folder / "localizer.dcm", localizer),
        folder / "ct.nii.gz",
    ]


def outcome(read: Callable[[Path], Any], path: Path) -> str:
    """Return what came: ``read``, or the sentence of the refusal; any other error fails the test."""
    try:
        read(path)
    except WholedoseError as error:
        return str(error)
    return "read"


@pytest.mark.parametrize("kind", range(5))
def test_nothing_but_a_sentence(sound: list[Path], tmp_path: Path, kind: int) -> None:
    """A damaged file is read, or refused in one printable line; never another error, never NaN in JSON."""
    whole = sound[kind].read_bytes()
    path = tmp_path / f"damaged{'.nii.gz' if kind == 4 else '.dcm'}"
    said = []
    for seed in range(ROUNDS):
        path.write_bytes(mutated(whole, np.random.default_rng([kind, seed])))
        said.append(outcome(lambda file: json.dumps(describe(file), allow_nan=False), path))
        said.append(outcome(wd.read, path))
    assert all(text == "read" or (text.isprintable() and len(text) > 20) for text in said)
    # the mutations do bite
    assert any(text != "read" for text in said)
