"""Fixtures that every test may use."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

SHARED = Path(os.environ.get("WHOLEDOSE_SHARED", Path(__file__).resolve().parents[2] / "shared"))


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of reference data beside the checkout; only for tests marked `shared`."""
    folder = SHARED / "reference"
    if not folder.is_dir():
        pytest.skip(f"no reference data at {folder}")
    return folder
