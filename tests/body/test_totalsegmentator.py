"""Promises of running the user's own TotalSegmentator, on a stand-in with its interface."""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import nibabel
import numpy as np
import pytest

from wholedose.base import Grid, InvalidInput, MissingInput, Volume
from wholedose.body import run_totalsegmentator

GRID = Grid((5, 6, 7), (3.0, 2.0, 1.5), (-10.0, 20.0, 300.0))


def image(unit: str = "HU") -> Volume:
    values = np.full(GRID.shape, -1000, dtype=np.int16)
    values[1:4, 2:5, 1] = 60
    values[1:4, 2:5, 5] = 200
    return Volume(GRID, values, unit, {"modality": "CT"})


def stand_in(monkeypatch: pytest.MonkeyPatch, call: Callable[..., Any]) -> None:
    """Put a module in place whose function has the published parameters."""

    def totalsegmentator(
        input: Any, output: Any = None, ml: bool = False, nr_thr_resamp: int = 1, nr_thr_saving: int = 6,
        fast: bool = False, nora_tag: str = "None", preview: bool = False, task: str = "total",
        roi_subset: Any = None, statistics: bool = False, radiomics: bool = False, crop_path: Any = None,
        body_seg: bool = False, force_split: bool = False, output_type: str = "nifti", quiet: bool = False,
        verbose: bool = False, test: int = 0, skip_saving: bool = False, device: str = "gpu",
        license_number: Any = None,
    ) -> Any:  # fmt: skip
        assert isinstance(input, nibabel.Nifti1Image)
        assert output is None
        assert ml
        return call(input, task, fast)

    package, api = ModuleType("totalsegmentator"), ModuleType("totalsegmentator.python_api")
    package.__path__ = []
    api.totalsegmentator = totalsegmentator  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "totalsegmentator", package)
    monkeypatch.setitem(sys.modules, "totalsegmentator.python_api", api)


def labelled(given: Any, task: str = "total", fast: bool = True) -> Any:
    """Liver where soft tissue, aorta where enhanced, by the numbers of version 2."""
    hu = np.asanyarray(given.dataobj)
    return nibabel.Nifti1Image((5 * (hu == 60) + 52 * (hu == 200)).astype(np.uint8), given.affine)


@pytest.mark.parametrize("axes", ["LPS", "RAS", "SPL", "AIR", "PSR"])
def test_labels_lie_on_the_image_in_any_orientation(monkeypatch: pytest.MonkeyPatch, axes: str) -> None:
    """Whatever axes the answer has, each label comes back at its own voxel, with its name."""

    def turned(given: Any, task: str, fast: bool) -> Any:
        answer = labelled(given)
        start = nibabel.io_orientation(answer.affine)
        wanted = nibabel.orientations.axcodes2ornt(axes)
        return answer.as_reoriented(nibabel.orientations.ornt_transform(start, wanted))

    stand_in(monkeypatch, turned)
    labels, names = run_totalsegmentator(image())
    assert names == {5: "liver", 52: "aorta"}
    assert labels.grid == GRID
    assert np.array_equal(labels.values == 5, image().values == 60)
    assert np.array_equal(labels.values == 52, image().values == 200)


def test_task_and_speed_are_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Task and the fast model reach the program, and the task's own list names the labels."""
    seen = []

    def call(given: Any, task: str, fast: bool) -> Any:
        seen.append((task, fast))
        return nibabel.Nifti1Image((np.asanyarray(given.dataobj) == 60).astype(np.uint8), given.affine)

    stand_in(monkeypatch, call)
    assert run_totalsegmentator(image(), task="breasts", fast=False)[1] == {1: "breast"}
    assert seen == [("breasts", False)]


def test_the_list_of_the_installed_version_names_the_labels(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the installed version brings its own list of classes, that list counts."""
    stand_in(monkeypatch, labelled)
    lists = ModuleType("totalsegmentator.map_to_binary")
    lists.class_map = {"total": {5: "liver", 52: "spleen"}}  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "totalsegmentator.map_to_binary", lists)
    assert run_totalsegmentator(image())[1] == {5: "liver", 52: "spleen"}


def test_not_installed_is_said_with_the_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without TotalSegmentator the error says how to get it, or how to go on without."""
    monkeypatch.setitem(sys.modules, "totalsegmentator", None)
    with pytest.raises(MissingInput, match=r"pip install TotalSegmentator.*give its label map as labels"):
        run_totalsegmentator(image())


@pytest.mark.parametrize("error", [OSError("no route to host"), MemoryError(), SystemExit(1)])
def test_missing_weights_or_licence_end_in_our_error(
    monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    """A download that fails, no memory, and a program that ends itself become one error with the way out."""

    def fails(given: Any, task: str, fast: bool) -> Any:
        raise error

    stand_in(monkeypatch, fails)
    with pytest.raises(MissingInput, match=rf"stopped \({type(error).__name__}.*totalseg_download_weights"):
        run_totalsegmentator(image())


def test_useless_answers_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty map, unnamed labels, another grid and something that is no image are refused, as is no CT."""
    for answer, message in (
        (lambda g: nibabel.Nifti1Image(np.zeros(g.shape, np.uint8), g.affine), "no label at all"),
        (lambda g: nibabel.Nifti1Image(np.full(g.shape, 200, np.uint8), g.affine), "labels without a name"),
        (lambda g: nibabel.Nifti1Image(np.ones((2, 2, 2), np.uint8), g.affine), "do not lie on the image"),
        (lambda g: "segmentations/", "gave str, not a NIfTI image"),
    ):
        stand_in(monkeypatch, lambda g, task, fast, answer=answer: answer(g))
        with pytest.raises(InvalidInput, match=message):
            run_totalsegmentator(image())
    with pytest.raises(InvalidInput, match="not HU"):
        run_totalsegmentator(image(unit="label"))


def test_the_extra_stays_out_of_the_locks() -> None:
    """The extra `segmentation` installs the program; what `make` installs holds nothing of it."""
    root = Path(__file__).parents[2]
    extras = tomllib.loads((root / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert extras["segmentation"] == ["TotalSegmentator>=2"]
    for lock in ("requirements.lock", "requirements-dev.lock"):
        assert not {"totalsegmentator", "torch", "nnunetv2"} & {
            line.split("==")[0] for line in (root / lock).read_text().lower().splitlines()
        }
