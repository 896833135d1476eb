"""The simulated study as a series."""

from __future__ import annotations

from pathlib import Path

import pytest

from wholedose.body import Person
from wholedose.records import CtSeries, read_ct_series
from wholedose.synthetic import StudyTruth

WOMAN = Person("F", 34, 168, 61)


@pytest.fixture(scope="session")
def series(study: tuple[Path, StudyTruth]) -> CtSeries:
    return read_ct_series(study[0])
