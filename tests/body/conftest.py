"""The two reference adults in coarse voxels and the lattice of the template, made once."""

from __future__ import annotations

import pytest

from wholedose.body import Body, Person, stylised
from wholedose.body.figure import template_figure
from wholedose.body.lattice import Lattice


@pytest.fixture(scope="session")
def man() -> Body:
    return stylised(Person("M", 40, 176, 73), 4.0, "up")


@pytest.fixture(scope="session")
def woman() -> Body:
    return stylised(Person("F", 40, 163, 60), 4.0, "up")


@pytest.fixture(scope="session")
def template_lattice() -> Lattice:
    return Lattice.of(template_figure(), template_figure(), template_figure())
