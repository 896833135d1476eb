"""Fixtures that every test may use."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from wholedose.body import Person

if TYPE_CHECKING:
    from wholedose.synthetic import StudyTruth

SHARED = Path(os.environ.get("WHOLEDOSE_SHARED", Path(__file__).resolve().parents[2] / "shared"))


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of reference data beside the checkout; only for tests marked `shared`."""
    folder = SHARED / "reference"
    if not folder.is_dir():
        pytest.skip(f"no reference data at {folder}")
    return folder


@pytest.fixture(scope="session")
def study(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, StudyTruth]:
    """Return the folder of a simulated chest CT study of a woman, and its truth."""
    from wholedose.synthetic import simulate_study

    folder = tmp_path_factory.mktemp("simulated") / "study"
    return folder, simulate_study(folder, Person("F", 34, 168, 61), labels=True)


@pytest.fixture(autouse=True)
def _no_outbound_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test, and so nothing that it runs in this process, connects to anything but this machine."""
    import socket

    connect = socket.socket.connect

    def guarded(self: socket.socket, address: object) -> None:
        local = isinstance(address, (str, bytes)) or (isinstance(address, tuple) and str(address[0]) in LOCAL)
        if not local:
            raise AssertionError(f"a connection to {address} was tried")
        connect(self, address)  # type: ignore[arg-type]

    monkeypatch.setattr(socket.socket, "connect", guarded)


LOCAL = ("127.0.0.1", "::1", "localhost")
