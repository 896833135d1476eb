"""Decay chains. Defines `chain`, `chain_activities` and `equilibrium_activities`.

Branching fractions are those of the table ``matter/nuclide_chains``. Bateman's solution (Proc. Camb.
Phil. Soc. 15 (1910) 423) is summed along every path in decimal arithmetic of 150 digits: half-lives in
one chain differ by up to 20 powers of ten, and in double precision the terms cancel to nothing.
"""

from __future__ import annotations

import decimal
from decimal import Decimal
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

from wholedose.base.errors import InvalidInput
from wholedose.matter.nuclides import Nuclide

Array = NDArray[np.float64]

DIGITS = 150
"""Digits of the decimal arithmetic; 12 members and half-lives from 0.3 µs to 10⁴ a lose about 100."""

Path = tuple[Nuclide, ...]


def _paths(nuclide: Nuclide) -> list[Path]:
    """Return every path from the nuclide to each member of its chain, itself first."""
    found: list[Path] = [(nuclide,)]
    for path in found:
        found.extend((*path, Nuclide.of(daughter)) for daughter in path[-1].progeny)
    return found


def _fraction(path: Path) -> float:
    return float(np.prod([parent.progeny[daughter.name] for parent, daughter in pairwise(path)]))


def _parent(nuclide: Nuclide | str) -> Nuclide:
    return nuclide if isinstance(nuclide, Nuclide) else Nuclide.of(nuclide)


def chain(nuclide: Nuclide | str) -> list[str]:
    """Return the nuclide and all its radioactive descendants, each after its parents' first path.

    Raises
    ------
    UnknownName
        No such nuclide.

    Examples
    --------
    >>> chain("Ra-223")
    ['Ra-223', 'Rn-219', 'Po-215', 'Pb-211', 'Bi-211', 'Tl-207', 'Po-211']
    """
    return list(dict.fromkeys(path[-1].name for path in _paths(_parent(nuclide))))


def chain_activities(nuclide: Nuclide | str, time_s: ArrayLike) -> dict[str, Array]:
    """Return the activity of each member of a chain that began as the pure parent.

    Parameters
    ----------
    nuclide : Nuclide or str
    time_s : array_like
        Times after the parent was pure, s, 0 or more.

    Returns
    -------
    dict of str to array
        Activity per activity of the parent at time 0, in the order of `chain`, the parent included.

    Raises
    ------
    UnknownName
        No such nuclide.
    InvalidInput
        A time that is negative or not finite.

    Examples
    --------
    >>> activity = chain_activities("Mo-99", [0.0, 24 * 3600.0])
    >>> activity["Tc-99m"].round(3)
    array([0.   , 0.691])
    """
    times = np.asarray(time_s, dtype=float)
    if not np.all(np.isfinite(times)) or np.any(times < 0):
        raise InvalidInput(
            "A time of a decay chain is negative or not finite.", way_out="Give 0 or more, in s."
        )
    paths = _paths(_parent(nuclide))
    result = {path[-1].name: np.zeros(times.shape) for path in paths}
    with decimal.localcontext() as context:
        context.prec = DIGITS
        flat = [Decimal(float(time)) for time in times.ravel()]
        decays: dict[Decimal, list[Decimal]] = {}
        for path in paths:
            rates = _distinct([Decimal(2).ln() / Decimal(member.half_life_s) for member in path])
            grown = Decimal(1)
            for rate in rates[1:]:
                grown *= rate
            total = [Decimal(0)] * len(flat)
            for i, rate in enumerate(rates):
                weight = grown
                for other in rates[:i] + rates[i + 1 :]:
                    weight /= other - rate
                if rate not in decays:
                    decays[rate] = [(-rate * time).exp() for time in flat]
                total = [so_far + weight * decay for so_far, decay in zip(total, decays[rate], strict=True)]
            values = np.array([max(float(value), 0.0) for value in total]).reshape(times.shape)
            result[path[-1].name] = result[path[-1].name] + _fraction(path) * values
    return result


def _distinct(rates: list[Decimal]) -> list[Decimal]:
    """Part equal rates by 1e-15, for which Bateman's formula has no value."""
    for i, rate in enumerate(rates):
        while rate in rates[:i]:
            rate *= 1 + Decimal("1e-15")
        rates[i] = rate
    return rates


def equilibrium_activities(nuclide: Nuclide | str) -> dict[str, float]:
    """Return the activities per activity of the parent that a chain tends to.

    Secular and transient equilibrium alike: every step multiplies by its fraction and by
    λ/(λ − λ_parent). Members that live longer than the parent never reach it; they, and what follows
    them, are left out.

    Raises
    ------
    UnknownName
        No such nuclide.

    Examples
    --------
    >>> {name: round(value, 3) for name, value in equilibrium_activities("Mo-99").items()}
    {'Mo-99': 1.0, 'Tc-99m': 0.967}
    """
    parent = _parent(nuclide)
    rate = parent.decay_constant_per_s
    result: dict[str, float] = {}
    for path in _paths(parent):
        later = path[1:]
        if all(member.decay_constant_per_s > rate for member in later):
            growth = [member.decay_constant_per_s / (member.decay_constant_per_s - rate) for member in later]
            name = path[-1].name
            result[name] = result.get(name, 0.0) + _fraction(path) * float(np.prod(growth))
    return result
