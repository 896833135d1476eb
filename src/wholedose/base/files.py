"""Writing that never leaves half a file.

Defines `write_atomically`, `write_folder_atomically` and `check_writable`.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from wholedose.base.errors import OutputFailed


def write_atomically(path: str | Path, data: bytes | str) -> Path:
    """Write a file under a temporary name beside it and rename it: it is there whole, or as it was before.

    Parameters
    ----------
    path : path
        Its folder is made when absent.
    data : bytes or str
        Text is written as UTF-8.

    Returns
    -------
    Path

    Raises
    ------
    OutputFailed
        The disk is full or the place cannot be written; the temporary file is gone.
    """
    target = Path(path)
    raw = data.encode() if isinstance(data, str) else data
    temporary = _beside(target, "part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        # made by `open`, not by `tempfile`: the user's umask decides who may read a patient's result
        with temporary.open("xb") as stream:
            stream.write(raw)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(temporary, target)
    except OSError as error:
        raise _failed(target, error) from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
    return target


@contextlib.contextmanager
def write_folder_atomically(path: str | Path) -> Iterator[Path]:
    """Yield a new empty folder that takes the place of ``path`` when the block ends without an error.

    A folder that stood there before is replaced as a whole; on an error it stays as it was.

    Raises
    ------
    OutputFailed
        The disk is full or the place cannot be written.
    """
    target = Path(os.path.abspath(path))  # "." has no name to write beside
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        room = _beside(target, "part")
        room.mkdir()
    except OSError as error:
        raise _failed(target, error) from error
    try:
        yield room
        _swap(room, target)
    except OSError as error:
        raise _failed(target, error) from error
    finally:
        shutil.rmtree(room, ignore_errors=True)


def check_writable(path: str | Path) -> None:
    """Try whether something can be written at a place, and leave nothing there.

    Raises
    ------
    OutputFailed
        The nearest folder above it that exists cannot be written, or is a file.
    """
    target = Path(path)
    above = next(folder for folder in target.absolute().parents if folder.exists())
    try:
        os.rmdir(tempfile.mkdtemp(dir=above, prefix=".wholedose."))
    except OSError as error:
        raise _failed(target, error) from error


def _beside(target: Path, kind: str) -> Path:
    return target.parent / f".{target.name}.{secrets.token_hex(6)}.{kind}"


def _swap(room: Path, target: Path) -> None:
    if not target.exists():
        os.replace(room, target)
        return
    old = _beside(target, "old")
    os.replace(target, old)
    try:
        os.replace(room, target)
    except OSError:
        os.replace(old, target)
        raise
    # only now: had both renames failed, the earlier result would still lie beside its place
    if old.is_dir() and not old.is_symlink():
        shutil.rmtree(old, ignore_errors=True)
    else:
        old.unlink(missing_ok=True)


def _failed(target: Path, error: OSError) -> OutputFailed:
    if isinstance(error, OutputFailed):
        return error
    reason = error.strerror or str(error)
    return OutputFailed(
        f"The result could not be written: {reason}.",
        where=str(target),
        way_out="Free some space or choose another place; nothing was left behind.",
    )
