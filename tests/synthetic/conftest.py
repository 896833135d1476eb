"""One simulated study for all tests of the room."""

from __future__ import annotations

from pathlib import Path

import pytest

from wholedose.body import Person
from wholedose.records import CtSeries, read_ct_series
from wholedose.synthetic import StudyTruth, simulate_study

WOMAN = Person("F", 34, 168, 61)


@pytest.fixture(scope="session")
def study(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, StudyTruth]:
    folder = tmp_path_factory.mktemp("simulated") / "study"
    return folder, simulate_study(folder, WOMAN, labels=True)


@pytest.fixture(scope="session")
def series(study: tuple[Path, StudyTruth]) -> CtSeries:
    return read_ct_series(study[0])
