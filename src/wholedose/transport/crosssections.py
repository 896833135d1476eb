"""All that a photon's fate depends on. Defines `PhysicsTables` and `physics_tables`.

Rows stand at the nodes of `energies.ENERGY_KEV` for every material; between two nodes everything is
linear. The energy-transfer coefficient μtr/ρ is *made from the same tables as the sampling*: photoelectric
energy less tracked fluorescence, the mean Compton recoil of the distribution that is sampled, and
E − 2 m_e c² for pairs. So track-length and analogue scores have one expectation.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from wholedose.base import InvalidInput
from wholedose.matter.elements import AVOGADRO_BARN, element_data
from wholedose.matter.materials import Material
from wholedose.transport.coherent import cumulated_form_factor, guide_table
from wholedose.transport.energies import ENERGY_KEV, MIN_KEV
from wholedose.transport.incoherent import binding_ratio, mean_transfer, scattering_function
from wholedose.transport.pair import PAIR_THRESHOLD_KEV
from wholedose.transport.photoelectric import FLUORESCENCE_REACH, MAX_ELEMENTS, FluorescentLine

FloatArray = NDArray[np.float64]


class PhysicsTables(NamedTuple):
    """The arrays that the kernels read; first axis energy node, second material, where both apply.

    Attributes
    ----------
    attenuation : float32 [n, m, 4]
        μ/ρ and its step to the next node, μtr/ρ and its step, in cm²/g (Thomson scattering included in μ).
    branch : float32 [n, m, 3]
        Cumulative chances of incoherent, photoelectric and coherent events; the rest is pair production.
    form_factor : float64 [m, k]
        ∫F² dx², cumulated to 1.
    guide : int32 [m, g]
    scattering : float64 [m, k]
        The incoherent scattering function.
    fluorescence : float32 [n, m, slots]
        Cumulative chance that an absorbed photon is followed by a tracked K line of the slot's element.
    line_kev, line_cumulated : float64 [m, slots, lines]
    """

    attenuation: NDArray[np.float32]
    branch: NDArray[np.float32]
    form_factor: FloatArray
    guide: NDArray[np.int32]
    scattering: FloatArray
    fluorescence: NDArray[np.float32]
    line_kev: FloatArray
    line_cumulated: FloatArray


class MaterialPhysics(NamedTuple):
    """One material's curves at the nodes of `ENERGY_KEV`, in cm²/g; before they are packed."""

    total: FloatArray
    transfer: FloatArray
    incoherent: FloatArray
    photoelectric: FloatArray
    coherent: FloatArray
    pair: FloatArray
    form_factor: FloatArray
    scattering: FloatArray
    fluorescence: FloatArray  # [slots, n], chance per absorbed photon
    lines: tuple[tuple[FluorescentLine, ...], ...]


@lru_cache(maxsize=256)
def material_physics(material: Material, cell_cm: float) -> MaterialPhysics:
    """Return one material's curves.

    Parameters
    ----------
    material : Material
    cell_cm : float
        The smallest cell edge, which decides what fluorescence is worth tracking.
    """
    zeros = np.zeros_like(ENERGY_KEV)
    curves = {"coherent": zeros, "incoherent": zeros, "photoelectric": zeros, "pair": zeros}
    squared_sum, function_sum = np.zeros(1), np.zeros(1)
    by_element: dict[int, FloatArray] = {}
    for z, mass_fraction in material.composition:
        element = element_data(z)
        atoms = mass_fraction / element.atomic_weight
        barns = element.on(ENERGY_KEV)
        barns["pair"] = barns["pair_nuclear"] + barns["pair_electron"]
        barns["incoherent"] = barns["incoherent"] * binding_ratio(z, ENERGY_KEV)
        curves = {name: curve + atoms * AVOGADRO_BARN * barns[name] for name, curve in curves.items()}
        by_element[z] = atoms * AVOGADRO_BARN * barns["photoelectric"]
        squared_sum = squared_sum + atoms * element.form_factor**2
        function_sum = function_sum + atoms * element.incoherent_function
        x = element.x
    curves["pair"] = np.where(ENERGY_KEV <= PAIR_THRESHOLD_KEV, 0.0, curves["pair"])
    total = sum(curves.values(), zeros)
    scattering = scattering_function(x, function_sum)
    chance, lines = _fluorescence(material, by_element, curves["photoelectric"], total, cell_cm)
    tracked_kev = np.zeros_like(ENERGY_KEV)
    for slot, group in enumerate(lines):
        tracked_kev += chance[slot] * sum(line.share * line.energy_kev for line in group)
    transfer = (
        curves["incoherent"] * mean_transfer(scattering)
        + curves["photoelectric"] * (1.0 - tracked_kev / ENERGY_KEV)
        + curves["pair"] * np.maximum(0.0, 1.0 - PAIR_THRESHOLD_KEV / ENERGY_KEV)
    )
    return MaterialPhysics(
        total,
        transfer,
        curves["incoherent"],
        curves["photoelectric"],
        curves["coherent"],
        curves["pair"],
        cumulated_form_factor(x, squared_sum),
        scattering,
        chance,
        lines,
    )


def _fluorescence(
    material: Material,
    by_element: dict[int, FloatArray],
    photoelectric: FloatArray,
    total: FloatArray,
    cell_cm: float,
) -> tuple[FloatArray, tuple[tuple[FluorescentLine, ...], ...]]:
    """Return the chance per absorbed photon [slots, n] that an element emits, and its lines."""
    found: list[tuple[float, FloatArray, tuple[FluorescentLine, ...]]] = []
    for z, _ in material.composition:
        element = element_data(z)
        lines = [
            FluorescentLine(kev, share)
            for kev, share in zip(element.line_kev, element.line_share, strict=True)
            if share > 0.0 and kev > MIN_KEV
        ]
        if not lines or element.k_edge_kev < MIN_KEV:
            continue
        strongest = max(lines, key=lambda line: line.share)
        reach_cm = 1.0 / (np.interp(strongest.energy_kev, ENERGY_KEV, total) * material.density_g_cm3)
        if reach_cm < FLUORESCENCE_REACH * cell_cm:
            continue
        part = by_element[z] / photoelectric
        chance = np.where(element.k_edge_kev < ENERGY_KEV, part * element.k_share * element.k_yield, 0.0)
        norm = sum(line.share for line in lines)
        scaled = tuple(FluorescentLine(line.energy_kev, line.share / norm) for line in lines)
        found.append((float(chance.max()), chance * norm, scaled))
    found = sorted(found, key=lambda item: -item[0])[:MAX_ELEMENTS]
    if not found:
        return np.zeros((0, len(ENERGY_KEV))), ()
    return np.stack([item[1] for item in found]), tuple(item[2] for item in found)


def physics_tables(materials: Sequence[Material], cell_cm: float) -> PhysicsTables:
    """Return the packed tables of some materials, in their order.

    Parameters
    ----------
    materials : sequence of Material
    cell_cm : float
        The smallest cell edge in cm.

    Raises
    ------
    InvalidInput
        No material, or more than 255.
    """
    if not 1 <= len(materials) <= 255:
        raise InvalidInput(f"A geometry needs 1 to 255 materials, got {len(materials)}.")
    parts = [material_physics(material, cell_cm) for material in materials]
    total = np.stack([part.total for part in parts], axis=1)
    transfer = np.stack([part.transfer for part in parts], axis=1)
    attenuation = np.stack([total, _step(total), transfer, _step(transfer)], axis=2)
    ordered = [
        np.stack([getattr(part, name) for part in parts], axis=1)
        for name in ("incoherent", "photoelectric", "coherent")
    ]
    branch = np.cumsum(np.stack(ordered, axis=2), axis=2) / total[:, :, None]
    no_pair = np.stack([part.pair for part in parts], axis=1) == 0.0
    branch[..., 2][no_pair] = 1.0 + 1e-6
    slots = max((len(part.lines) for part in parts), default=0)
    length = max((len(group) for part in parts for group in part.lines), default=1)
    fluorescence = np.zeros((len(ENERGY_KEV), len(parts), slots))
    line_kev = np.zeros((len(parts), slots, length))
    line_cumulated = np.ones((len(parts), slots, length))
    for m, part in enumerate(parts):
        running = np.zeros(len(ENERGY_KEV))
        for slot in range(slots):
            if slot < len(part.lines):
                running = running + part.fluorescence[slot]
                shares = np.cumsum([line.share for line in part.lines[slot]])
                line_kev[m, slot, : len(shares)] = [line.energy_kev for line in part.lines[slot]]
                line_cumulated[m, slot, : len(shares)] = shares
                line_cumulated[m, slot, len(shares) - 1 :] = 1.0
            fluorescence[:, m, slot] = running
    return PhysicsTables(
        attenuation.astype(np.float32),
        branch.astype(np.float32),
        np.stack([part.form_factor for part in parts]),
        np.stack([guide_table(part.form_factor) for part in parts]),
        np.stack([part.scattering for part in parts]),
        fluorescence.astype(np.float32),
        line_kev,
        line_cumulated,
    )


def _step(values: FloatArray) -> FloatArray:
    return np.diff(values, axis=0, append=values[-1:])
