"""The reference man in coarse voxels and the lattice of the template, made once."""

from __future__ import annotations

import pytest

from wholedose.body import Body, Person, reference
from wholedose.body.figure import template_figure
from wholedose.body.lattice import Lattice


@pytest.fixture(scope="session")
def man() -> Body:
    return reference(Person("M", 40, 176, 73), "supine, arms up", 4.0)


@pytest.fixture(scope="session")
def template_lattice() -> Lattice:
    return Lattice.of(template_figure(), template_figure(), template_figure())
