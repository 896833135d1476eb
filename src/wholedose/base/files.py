"""Writing that never leaves half a file.

Defines `write_atomically`, `write_folder_atomically` and `check_writable`.
"""

from __future__ import annotations

import contextlib
import os
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
    temporary = None
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.", suffix=".part")
        with os.fdopen(handle, "wb") as stream:
            stream.write(raw)
            stream.flush()
            os.fsync(stream.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, target)
    except OSError as error:
        if temporary is not None:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
        raise _failed(target, error) from error
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
    target = Path(path)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        room = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}.", suffix=".part"))
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


def _swap(room: Path, target: Path) -> None:
    os.chmod(room, 0o755)
    if not target.exists():
        os.replace(room, target)
        return
    old = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}.", suffix=".old")) / "old"
    os.replace(target, old)
    try:
        os.replace(room, target)
    except OSError:
        os.replace(old, target)
        raise
    finally:
        shutil.rmtree(old.parent, ignore_errors=True)


def _failed(target: Path, error: OSError) -> OutputFailed:
    if isinstance(error, OutputFailed):
        return error
    reason = error.strerror or str(error)
    return OutputFailed(
        f"The result could not be written: {reason}.",
        where=str(target),
        way_out="Free space or give another --out; nothing half-written was left.",
    )
