"""Promises of what a CT request reads before the simulation."""

from __future__ import annotations

from pathlib import Path

import pytest

from wholedose.base import Tagged, UnknownName
from wholedose.cli.ct import _place
from wholedose.jobs.ct import CtRequest, _image_kv, run_ct
from wholedose.synthetic import StudyTruth
from wholedose.xray import CtRange, CtScan


def test_a_numbering_may_be_declared(study: tuple[Path, StudyTruth]) -> None:
    """A numbering that does not exist is refused before the simulation, with the known ones."""
    labels = next(study[0].rglob("labels.nii.gz"))
    request = CtRequest(input=str(study[0]), labels=str(labels), label_names="totalsegmentator_v7")
    with pytest.raises(UnknownName, match="totalsegmentator_v1, totalsegmentator_v2"):
        run_ct(request)


def test_the_command_line_keeps_a_numbering_as_it_is(tmp_path: Path) -> None:
    """A declared numbering stays a name; a file becomes its full path."""
    assert _place("totalsegmentator_v1") == "totalsegmentator_v1"
    (tmp_path / "names.json").write_text("{}")
    assert _place(str(tmp_path / "names.json")) == str((tmp_path / "names.json").resolve())


@pytest.mark.parametrize(
    ("kv", "expected"), [((100.0,), 100.0), ((100.0, 100.0), 100.0), ((80.0, 120.0), None)]
)
def test_the_voltage_of_the_image(kv: tuple[float, ...], expected: float | None) -> None:
    """Ranges that agree on a tube voltage give it to the body; ranges that differ leave it unknown."""
    ranges = tuple(CtRange(kv=Tagged(value, "kV", "extracted")) for value in kv)
    assert _image_kv(CtScan(ranges=ranges)) == expected
