"""Errors, files, executors, provenance."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import numpy as np
import pytest

from wholedose.base import (
    Assumption,
    InvalidInput,
    OutputFailed,
    Provenance,
    SerialExecutor,
    Tagged,
    ThreadExecutor,
    UnknownName,
    WholedoseError,
    digest_of,
    write_atomically,
    write_folder_atomically,
)


def test_error_says_what_where_and_way_out() -> None:
    """Every error prints as one sentence for the user."""
    error = InvalidInput("The folder is empty.", where="study/", way_out="Give a folder with DICOM files.")
    assert str(error) == "The folder is empty. [study/] Give a folder with DICOM files."
    assert isinstance(error, WholedoseError)
    assert isinstance(error, ValueError)


def test_error_stays_on_its_line() -> None:
    """Words of a file neither break the sentence nor steer the terminal."""
    assert str(InvalidInput("No class 1.2\n\x1b[2J\0.", where="a b.dcm")) == "No class 1.2 ?[2J?. [a b.dcm]"


def test_unknown_name_offers_the_closest() -> None:
    """A wrong name lists what is known."""
    assert str(UnknownName("material", "watr", ["water", "air"])) == (
        "No material 'watr'; did you mean 'water'? Known: air, water."
    )


def test_write_atomically_replaces(tmp_path: Path) -> None:
    """A file is replaced whole, its folder made, and nothing else is left."""
    path = tmp_path / "a" / "b.txt"
    write_atomically(path, "first")
    write_atomically(path, b"second")
    assert path.read_text() == "second"
    assert [p.name for p in path.parent.iterdir()] == ["b.txt"]


def test_disk_full_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the disk is full the old file stays as it was and the error says so."""
    path = write_atomically(tmp_path / "result.json", "old")

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutputFailed, match="No space left on device"):
        write_atomically(path, "new")
    assert path.read_text() == "old"
    assert len(list(tmp_path.iterdir())) == 1


def test_folder_is_whole_or_absent(tmp_path: Path) -> None:
    """A folder whose writing fails leaves the earlier one as it was."""
    target = tmp_path / "out"
    with write_folder_atomically(target) as room:
        (room / "a.txt").write_text("one")

    def interrupted(error: Exception) -> None:
        with write_folder_atomically(target) as room:
            (room / "b.txt").write_text("two")
            raise error

    with pytest.raises(RuntimeError, match="half way"):
        interrupted(RuntimeError("half way"))
    with pytest.raises(OutputFailed, match="No space left"):
        interrupted(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))
    assert [p.name for p in target.iterdir()] == ["a.txt"]
    assert [p.name for p in tmp_path.iterdir()] == ["out"]
    with write_folder_atomically(target) as room:
        (room / "c.txt").write_text("three")
    assert [p.name for p in target.iterdir()] == ["c.txt"]


def test_the_umask_decides_who_may_read(tmp_path: Path) -> None:
    """On a shared machine a result is as private as the user's umask asks."""
    before = os.umask(0o077)
    try:
        write_atomically(tmp_path / "letter.html", "private")
        with write_folder_atomically(tmp_path / "out") as room:
            (room / "a.txt").write_text("private")
    finally:
        os.umask(before)
    if os.name == "posix":
        assert (tmp_path / "letter.html").stat().st_mode & 0o077 == 0
        assert (tmp_path / "out").stat().st_mode & 0o077 == 0


def test_an_earlier_folder_survives_two_failed_renames(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When neither the new folder nor the earlier one can be moved into place, the earlier one stays."""
    target = tmp_path / "out"
    with write_folder_atomically(target) as room:
        (room / "a.txt").write_text("one")
    rename = os.replace

    def held(source: Path, place: Path) -> None:
        if Path(place) == target:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        rename(source, place)

    monkeypatch.setattr(os, "replace", held)
    with pytest.raises(OutputFailed, match="Permission denied"), write_folder_atomically(target) as room:
        (room / "b.txt").write_text("two")
    assert [path.name for path in tmp_path.rglob("*.txt")] == ["a.txt"]


@pytest.mark.parametrize("executor", [SerialExecutor(), ThreadExecutor(1), ThreadExecutor(3)])
def test_executors_keep_the_order(executor: ThreadExecutor | SerialExecutor) -> None:
    """Results come in the order of the items, whatever the number of workers."""
    assert list(executor.map(lambda n: n * n, range(20))) == [n * n for n in range(20)]


def test_executor_stops_starting_when_the_consumer_stops() -> None:
    """A consumer that stops early does not have the rest computed."""
    started: list[int] = []
    results = ThreadExecutor(2).map(started.append, range(1000))
    next(results)
    results.close()  # type: ignore[attr-defined]
    assert len(started) < 20


def test_executor_passes_errors_on() -> None:
    """An error in a piece of work reaches the caller."""
    with pytest.raises(ZeroDivisionError):
        list(ThreadExecutor(2).map(lambda n: 1 // n, [1, 0]))


def test_provenance_round_trip() -> None:
    """JSON gives back an equal provenance, with its assumptions."""
    provenance = Provenance(
        "Monte Carlo", seed=3, batches=20, assumptions=(Assumption("kV", "120 kV", "rule", 0.02),)
    )
    assert Provenance.from_json(provenance.to_json()) == provenance
    assert provenance.software.startswith("wholedose ")


def test_digest_sees_every_bit(tmp_path: Path) -> None:
    """Arrays, numbers and files enter a digest with their exact content."""
    a = np.zeros(3)
    assert digest_of(a) == digest_of(np.zeros(3))
    assert digest_of(a) != digest_of(np.zeros(3, dtype=np.float32))
    assert digest_of(a) != digest_of(np.array([0, 0, 1e-300]))
    assert digest_of(0.1) != digest_of(0.1 + 1e-17 * 4)
    file = write_atomically(tmp_path / "f", b"x")
    assert digest_of(file) == digest_of(b"x")


def test_tagged_prints_how_it_is_known() -> None:
    """A tagged value shows its unit and its tag."""
    assert str(Tagged(120.0, "kV", "extracted", "113733, DCM")) == "120.0 kV (extracted)"
    assert Tagged(1, "1", "assumed").to_json() == {"value": 1, "unit": "1", "code": "", "tag": "assumed"}
