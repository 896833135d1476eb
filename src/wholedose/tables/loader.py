"""The loader of published numbers. Defines `Table`, `load`, `names` and `digest`."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wholedose.base.errors import InvalidInput, UnknownName

REQUIRED = ("title", "source", "unit", "licence")


@dataclass(frozen=True, eq=False)
class Table:
    """A published table with its source.

    Attributes
    ----------
    name : str
        ``"<room>/<name>"``.
    header : mapping of str to str
        ``title``, ``source``, ``doi`` (may be absent), ``unit``, ``licence``, and any other note.
    columns : mapping of str to array
        For a CSV: float64 where every cell is a number or empty (empty → NaN), otherwise str.
        For an npz: the arrays as stored.
    digest : str
        SHA-256 of the file, first 16 hexadecimal digits; goes into provenance.
    """

    name: str
    header: Mapping[str, str]
    columns: Mapping[str, NDArray[Any]]
    digest: str

    def __getitem__(self, column: str) -> NDArray[Any]:
        try:
            return self.columns[column]
        except KeyError:
            raise UnknownName("column", column, self.columns, where=f"table {self.name}") from None

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))

    def rows(self) -> list[dict[str, Any]]:
        """Return the rows of a CSV table as dictionaries."""
        keys = list(self.columns)
        return [dict(zip(keys, values, strict=True)) for values in zip(*self.columns.values(), strict=True)]

    def __repr__(self) -> str:
        return f"Table({self.name!r}, source={self.header['source']!r}, digest={self.digest!r})"


def _data() -> Traversable:
    return files("wholedose.tables") / "data"


def names() -> list[str]:
    """Return the names of all tables that ship, sorted."""
    found = [
        f"{room.name}/{entry.name.rsplit('.', 1)[0]}"
        for room in _data().iterdir()
        if room.is_dir()
        for entry in room.iterdir()
        if entry.name.endswith((".csv", ".npz"))
    ]
    return sorted(found)


@cache
def load(name: str) -> Table:
    """Load a table by name.

    Raises
    ------
    UnknownName
        No such table.
    InvalidInput
        The table lacks its source header or has ragged rows.

    Examples
    --------
    >>> load("dose/tissue_weights").header["source"]
    'ICRP Publication 103 (2007), Table 3'
    """
    for suffix in ("csv", "npz"):
        entry = _data().joinpath(*f"{name}.{suffix}".split("/"))
        if entry.is_file():
            raw = entry.read_bytes()
            parse = _parse_csv if suffix == "csv" else _parse_npz
            header, columns = parse(name, raw)
            missing = [key for key in REQUIRED if not header.get(key)]
            if missing:
                raise InvalidInput(
                    f"Table {name} does not say its {', '.join(missing)}.",
                    where=f"{name}.{suffix}",
                    way_out="Add the header lines that wholedose.tables describes.",
                )
            return Table(name, header, columns, hashlib.sha256(raw).hexdigest()[:16])
    raise UnknownName("table", name, names())


def digest(name: str) -> str:
    """Return the digest of a table, for provenance."""
    return load(name).digest


def _parse_csv(name: str, raw: bytes) -> tuple[dict[str, str], dict[str, NDArray[Any]]]:
    header: dict[str, str] = {}
    body: list[str] = []
    for line in raw.decode("utf-8").splitlines():
        if line.startswith("#"):
            key, _, value = line[1:].partition(":")
            header[key.strip()] = (
                f"{header[key.strip()]} {value.strip()}" if key.strip() in header else value.strip()
            )
        elif line.strip():
            body.append(line)
    rows = list(csv.reader(io.StringIO("\n".join(body))))
    keys, cells = rows[0], rows[1:]
    for number, row in enumerate(cells, start=1):
        if len(row) != len(keys):
            raise InvalidInput(f"Row {number} has {len(row)} cells, not {len(keys)}.", where=f"table {name}")
    return header, {key: _column([row[i] for row in cells]) for i, key in enumerate(keys)}


def _column(cells: list[str]) -> NDArray[Any]:
    try:
        return np.array([float(cell) if cell.strip() else np.nan for cell in cells])
    except ValueError:
        return np.array(cells)


def _parse_npz(name: str, raw: bytes) -> tuple[dict[str, str], dict[str, NDArray[Any]]]:
    with np.load(io.BytesIO(raw), allow_pickle=False) as stored:
        if "header" not in stored:
            return {}, {}
        header = {str(key): str(value) for key, value in json.loads(str(stored["header"])).items()}
        return header, {key: stored[key] for key in stored.files if key != "header"}
