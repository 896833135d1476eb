"""The one error family: each error says what is wrong, where, and the way out.

Every error that a user can meet derives from `WholedoseError`; its message reads
"<what> [<where>] <way out>", so that a command line can print it as it is.
"""

from __future__ import annotations

import contextlib
import difflib
from collections.abc import Iterable, Iterator


class WholedoseError(Exception):
    """Base of all errors that wholedose raises on purpose.

    Parameters
    ----------
    what : str
        What is wrong, as a sentence.
    where : str
        The file, field or argument concerned; empty when the call itself says it.
    way_out : str
        What the user can do now.

    Examples
    --------
    >>> print(InvalidInput("The tube voltage is 20 kV.", where="--kv", way_out="Give 40 to 150 kV."))
    The tube voltage is 20 kV. [--kv] Give 40 to 150 kV.
    """

    def __init__(self, what: str, *, where: str = "", way_out: str = "") -> None:
        self.what = what
        self.where = where
        self.way_out = way_out
        sentence = " ".join(part for part in (what, f"[{where}]" if where else "", way_out) if part)
        # words of a file may hold anything: they must neither break the line nor steer a terminal
        super().__init__(
            "".join(mark if mark.isprintable() else " " if mark.isspace() else "?" for mark in sentence)
        )


class InvalidInput(WholedoseError, ValueError):
    """A value, file or field is not usable: malformed, impossible or inconsistent."""


class OutsideDomain(WholedoseError, ValueError):
    """The input is valid, but outside what the method is proven for."""


class MissingInput(WholedoseError, ValueError):
    """A value that the method cannot assume is absent."""


class OutputFailed(WholedoseError, OSError):
    """A result could not be written; nothing half-written was left."""


class Cancelled(WholedoseError):
    """The user stopped the work."""


class UnknownName(WholedoseError, KeyError):
    """A name is not in a closed list; the message offers the closest and lists the known.

    Examples
    --------
    >>> raise UnknownName("material", "watr", ["air", "water"])
    Traceback (most recent call last):
    wholedose.base.errors.UnknownName: No material 'watr'; did you mean 'water'? Known: air, water.
    """

    def __init__(self, kind: str, name: str, known: Iterable[str], *, where: str = "") -> None:
        names = sorted(known)
        close = difflib.get_close_matches(name, names, n=1)
        hint = f"; did you mean {close[0]!r}?" if close else "."
        super().__init__(f"No {kind} {name!r}{hint}", where=where, way_out=f"Known: {', '.join(names)}.")

    def __str__(self) -> str:  # KeyError would print the repr
        return str(self.args[0])


@contextlib.contextmanager
def reading_record(what: str, *, where: str = "", way_out: str = "") -> Iterator[None]:
    """Turn what a damaged record of ours raises (a missing part, a wrong type) into `InvalidInput`.

    Parameters
    ----------
    what : str
        The sentence without its end; the cause follows after a colon.
    where, way_out : str

    Raises
    ------
    InvalidInput
        The block met a missing part or a wrong type; our own errors pass.

    Examples
    --------
    >>> with reading_record("The ledger is incomplete", way_out="Write it again."):
    ...     {}["person"]
    Traceback (most recent call last):
    wholedose.base.errors.InvalidInput: The ledger is incomplete: 'person'. Write it again.
    """
    try:
        yield
    except WholedoseError:
        raise
    except (ArithmeticError, AttributeError, LookupError, StopIteration, TypeError, ValueError) as error:
        raise InvalidInput(f"{what}: {error}.", where=where, way_out=way_out) from error
