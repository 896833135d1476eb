"""The reference adults beside ICRP Publication 116. Defines `rows`, `compare`, `published` and `Store`."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Literal

import numpy as np

from wholedose.base import Executor, UnknownName, digest_of
from wholedose.body import Body, Person, reference, reference_size
from wholedose.tables import digest as table_digest
from wholedose.tables import load
from wholedose.validation.icrp116 import (
    ENERGIES_KEV,
    GEOMETRIES,
    TARGET_U,
    Coefficients,
    dose_coefficients,
    effective,
)
from wholedose.validation.suites import REPORTED_ONLY, Progress, Row

SUITE = "icrp116"
SOURCE = "ICRP Publication 116 (2010)"
VOXEL_MM = 3.0
MIXTURE_KEV = 150.0
"""Up to here the bone mixture absorbs more than the marrow in it, and the published values hold marrow doses
of the mixture: see ``docs/icrp116.md``."""

SEXES: tuple[Literal["M"], Literal["F"]] = ("M", "F")


def published(geometry: str, energy_kev: float) -> float:
    """Return ICRP 116's effective dose per fluence in pSv cm², log-log interpolated between its energies.

    Raises
    ------
    UnknownName
        Not one of the geometries.

    Examples
    --------
    >>> published("AP", 60.0)
    0.389
    """
    if geometry not in GEOMETRIES:
        raise UnknownName("geometry", geometry, GEOMETRIES)
    table = load("validation/icrp116_photons")
    exact = np.flatnonzero(table["energy_kev"] == energy_kev)
    column = table[geometry.lower()]
    if len(exact):
        return float(column[exact[0]])
    grid, values = np.log(table["energy_kev"]), np.log(column)
    return float(np.exp(np.interp(math.log(energy_kev), grid, values)))


def limit(energy_kev: float) -> float:
    """Return the relative difference that is tolerated: 10 % from 60 keV on, 20 % below."""
    return 0.10 if energy_kev >= 60.0 else 0.20


def row_of(man: Coefficients, woman: Coefficients) -> Row:
    """Return the comparison of one point with the published value, by the marrow dose that it holds: up to
    `MIXTURE_KEV` that of the bone mixture, above that of our response (there they agree within 1 %)."""
    mixture = man.energy_kev <= MIXTURE_KEV
    found, reference = effective(man, woman, mixture=mixture), published(man.geometry, man.energy_kev)
    tolerated = limit(man.energy_kev)
    return Row(
        suite=SUITE,
        case=f"{man.geometry}, {man.energy_kev:g} keV",
        quantity="effective dose per fluence, " + ("bone as a mixture, pSv cm²" if mixture else "pSv cm²"),
        value=found.value,
        u=found.u,
        reference=reference,
        u_reference=0.0,
        tolerance=f"{tolerated:.0%}",
        passed=abs(found.value / reference - 1.0) <= tolerated,
        evidence="published",
        source=SOURCE,
    )


def response_row(man: Coefficients, woman: Coefficients) -> Row:
    """Return the same comparison with the marrow dose that wholedose reports, not judged."""
    found = effective(man, woman)
    return replace(
        row_of(man, woman),
        quantity="the same with the marrow dose of wholedose, pSv cm²",
        value=found.value,
        u=found.u,
        tolerance=REPORTED_ONLY,
        passed=True,
    )


def adults(voxel_mm: float = VOXEL_MM) -> tuple[Body, Body]:
    """Return the reference man and woman, standing."""
    people = [Person(sex, 40.0, *reference_size(sex)) for sex in SEXES]
    man, woman = (reference(person, pose="standing", voxel_mm=voxel_mm) for person in people)
    return man, woman


class Store:
    """Finished points as lines of a file, so that an interrupted suite goes on where it stopped.

    A point is found again only for the same body, field, target, tables and program.
    """

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self._points: dict[str, Coefficients] = {}
        if path is not None and path.exists():
            for line in path.read_text(encoding="utf-8").splitlines():
                try:
                    stored = json.loads(line)
                    self._points[str(stored["key"])] = Coefficients.from_json(stored["point"])
                except (ValueError, KeyError, TypeError):
                    continue  # the line that was being written when the run was stopped

    def get(self, key: str) -> Coefficients | None:
        """Return a stored point."""
        return self._points.get(key)

    def put(self, key: str, point: Coefficients) -> None:
        """Store a point."""
        self._points[key] = point
        if self.path is not None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("a", encoding="utf-8") as stream:
                stream.write(json.dumps({"key": key, "point": point.to_json()}) + "\n")

    def clear(self) -> None:
        """Forget all points."""
        self._points.clear()
        if self.path is not None:
            self.path.unlink(missing_ok=True)


def program_digest() -> str:
    """Return a digest of the code and tables that a point depends on."""
    rooms = ("base", "body", "matter", "transport", "validation", "xray")
    sources = [
        entry.read_bytes()
        for room in rooms
        for entry in sorted(files(f"wholedose.{room}").iterdir(), key=lambda item: item.name)
        if entry.name.endswith(".py")
    ]
    tables = (
        "body/skeletal_response",
        "matter/elements",
        "transport/incoherent_impulse",
        "dose/tissue_weights",
    )
    return digest_of(*sources, [table_digest(name) for name in tables])


def compare(
    male: Body,
    female: Body,
    geometries: Sequence[str] = GEOMETRIES,
    energies_kev: Sequence[float] = ENERGIES_KEV,
    *,
    seed: int = 1,
    target_u: float = TARGET_U,
    store: Store | None = None,
    executor: Executor | None = None,
    progress: Progress = lambda text: None,
) -> list[tuple[Coefficients, Coefficients]]:
    """Return the coefficients of a man and a woman in every field, in the order given."""
    kept = Store(None) if store is None else store
    program = program_digest()
    bodies = [
        (body, digest_of(program, body.person.sex, body.digest(), seed, target_u)) for body in (male, female)
    ]
    pairs: list[tuple[Coefficients, Coefficients]] = []
    total = len(geometries) * len(energies_kev)
    for geometry in geometries:
        for energy in energies_kev:
            progress(f"{geometry}, {energy:g} keV ({len(pairs) + 1} of {total})")
            pair = []
            for body, own in bodies:
                key = digest_of(own, geometry, float(energy))
                point = kept.get(key)
                if point is None:
                    point = dose_coefficients(
                        body, geometry, [energy], seed=seed, target_u=target_u, executor=executor
                    )[0]
                    kept.put(key, point)
                pair.append(point)
            pairs.append((pair[0], pair[1]))
    return pairs


def rows(reference: Path | None = None, progress: Progress = lambda text: None) -> list[Row]:
    """Run the suite for the reference adults; it needs no reference folder.

    Finished points are kept in ``out/icrp116.jsonl`` of the working folder until the suite is complete.
    """
    male, female = adults()
    store = Store(Path("out") / "icrp116.jsonl")
    pairs = compare(male, female, store=store, progress=progress)
    store.clear()
    found = [row_of(man, woman) for man, woman in pairs]
    return found + [response_row(*pair) for pair in pairs if pair[0].energy_kev <= MIXTURE_KEV]
