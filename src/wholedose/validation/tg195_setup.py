"""What the builders of TG-195 share: spectra, materials, and a run that becomes rows. Defines `Run`."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from wholedose.base import ThreadExecutor, UnknownName
from wholedose.tables import load
from wholedose.transport import Tally, simulate

Spectrum = tuple[Any, Any]
HISTORIES = 20_000


@dataclass(frozen=True)
class Run:
    """One simulation of a case and the rows that it gives.

    Attributes
    ----------
    geometry, source, regions : as `transport.simulate` takes them
    read : function of a tally
        Returns ``(case, volume, spectrum, mode, value, u)`` tuples; energies in keV per history.
    """

    geometry: Any
    source: Any
    regions: Any
    read: Callable[[Tally], Sequence[tuple[str, str, str, str, float, float]]]

    def rows(self, seconds: float, seed: int) -> list[dict[str, Any]]:
        """Run for a time and return the rows, in eV per history."""
        tally = simulate(
            self.geometry,
            self.source,
            seed=seed,
            regions=self.regions,
            histories_per_batch=HISTORIES,
            seconds=seconds,
            executor=ThreadExecutor(),
            voxel_scores=False,
        )
        return [
            {
                "case": case,
                "volume": volume,
                "spectrum": spectrum,
                "mode": mode,
                "value_ev": 1000.0 * value,
                "u_ev": 1000.0 * u,
            }
            for case, volume, spectrum, mode, value, u in self.read(tally)
        ]


def spectrum_named(name: str) -> Spectrum:
    """Return (energies in keV, relative photon numbers) of a prescribed spectrum, or of any single energy.

    Raises
    ------
    UnknownName
        Neither a prescribed spectrum nor ``"<energy> keV"``.
    """
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*keV\s*", name)
    if match:
        return np.array([float(match.group(1))]), np.array([1.0])
    table = load("validation/tg195_spectra")
    chosen = table["spectrum"] == name.strip()
    if not chosen.any():
        known = [*sorted(set(table["spectrum"].tolist())), "<energy> keV"]
        raise UnknownName("TG-195 spectrum", name, known, where="--spectrum")
    energy, fluence = table["energy_kev"][chosen], table["fluence"][chosen]
    return energy[fluence > 0], fluence[fluence > 0]
