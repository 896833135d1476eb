"""Where a result comes from. Defines `Provenance`, `Assumption` and `digest_of`."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from wholedose._version import __version__


@dataclass(frozen=True)
class Assumption:
    """A value that was not in the input.

    Attributes
    ----------
    what : str
        The quantity, in the field's words.
    value : str
        The value used, with its unit.
    why : str
        The rule or source by which it was chosen.
    relative_u : float or None
        Its standard uncertainty as a fraction of the dose, where it enters the budget.
    """

    what: str
    value: str
    why: str
    relative_u: float | None = None


@dataclass(frozen=True)
class Provenance:
    """Method, tables, seed, version and inputs of a result: all that is needed to make it again.

    Attributes
    ----------
    method : str
        The method in one line, such as ``"photon Monte Carlo, track-length estimator"``.
    seed : int or None
    batches : int or None
        Number of batches that were run; with the seed it fixes the result.
    histories : int or None
    tables : mapping of str to str
        Data tables used, with their digests.
    inputs : mapping of str to str
        Input files or arrays, with their SHA-256.
    options : mapping
        Arguments that change the result.
    assumptions : tuple of Assumption
    software : str
        ``"wholedose <version>"``.
    """

    method: str
    seed: int | None = None
    batches: int | None = None
    histories: int | None = None
    tables: Mapping[str, str] = field(default_factory=dict)
    inputs: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    assumptions: tuple[Assumption, ...] = ()
    software: str = f"wholedose {__version__}"

    def with_(self, **changes: Any) -> Provenance:
        """Return a copy with some fields replaced."""
        return replace(self, **changes)

    def to_json(self) -> dict[str, Any]:
        """Return a dictionary for ``result.json``; `from_json` reads it back."""
        return {
            "software": self.software,
            "method": self.method,
            "seed": self.seed,
            "batches": self.batches,
            "histories": self.histories,
            "tables": dict(sorted(self.tables.items())),
            "inputs": dict(sorted(self.inputs.items())),
            "options": dict(sorted(self.options.items())),
            "assumptions": [vars(item) for item in self.assumptions],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Provenance:
        """Return the provenance that `to_json` wrote."""
        assumptions = tuple(Assumption(**item) for item in data["assumptions"])
        return cls(**{**data, "assumptions": assumptions})


def digest_of(*items: Any) -> str:
    """Return the SHA-256 of numbers, strings, JSON-like structures, arrays or files (`Path`).

    Arrays enter with their type, shape and bytes; floats by their exact value, so that two results have one
    digest exactly when they are equal.

    Examples
    --------
    >>> digest_of([1, 2.5]) == digest_of([1, 2.5])
    True
    """
    sha = hashlib.sha256()
    for item in items:
        if isinstance(item, Path):
            with item.open("rb") as stream:
                while chunk := stream.read(1 << 20):
                    sha.update(chunk)
        elif isinstance(item, np.ndarray):
            sha.update(f"{item.dtype.str}{item.shape}".encode())
            sha.update(np.ascontiguousarray(item).tobytes())
        elif isinstance(item, bytes):
            sha.update(item)
        else:
            sha.update(json.dumps(item, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode())
    return sha.hexdigest()
