"""The two reference adults in coarse voxels, drawn once."""

from __future__ import annotations

import pytest

from wholedose.body import Body, Person, stylised


@pytest.fixture(scope="session")
def man() -> Body:
    return stylised(Person("M", 40, 176, 73), 4.0, "up")


@pytest.fixture(scope="session")
def woman() -> Body:
    return stylised(Person("F", 40, 163, 60), 4.0, "up")
