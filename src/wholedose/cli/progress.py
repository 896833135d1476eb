"""One line of progress on standard error; Ctrl-C cancels cleanly. Defines `progress_line`."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator

from wholedose.base.errors import Cancelled


@contextlib.contextmanager
def progress_line(quiet: bool = False) -> Iterator[Callable[[float, str], bool]]:
    """Yield a function of (fraction, text) that shows both; on a pipe, a line a step instead."""
    live = sys.stderr.isatty()
    started, last = time.monotonic(), ""

    def show(fraction: float, text: str) -> bool:
        nonlocal last
        if quiet:
            return True
        if live:
            bar = "#" * int(30 * fraction)
            elapsed = time.monotonic() - started
            sys.stderr.write(f"\r[{bar:<30}] {elapsed:5.1f} s  {text:<44.44}")
            sys.stderr.flush()
        elif text != last and not text[:1].isdigit():
            sys.stderr.write(f"{text}\n")
        last = text
        return True

    try:
        yield show
    except KeyboardInterrupt:
        raise Cancelled("Stopped; no result was written.") from None
    finally:
        if live and not quiet:
            sys.stderr.write("\r" + " " * 90 + "\r")
