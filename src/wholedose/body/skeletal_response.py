"""The dose to red marrow and endosteum per photon fluence in the spongiosa of a bone site.

Defines `skeletal_response`, `marrow_enhancement` and `response_key`.

Photoelectrons that leave trabeculae reach a little into the marrow: its dose is not that of electron
equilibrium in marrow, and far from that of the bone mixture. Below 200 keV the published dose response
functions of each site count; from there on equilibrium in marrow is assumed. See decision 0014.
"""

from __future__ import annotations

from functools import cache
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from wholedose.base import UnknownName
from wholedose.body.organs import BONE_SITES
from wholedose.body.skeleton import RESPONSE_MATERIAL
from wholedose.tables import load

Array = NDArray[np.float64]

SKELETAL_TISSUES = ("red_bone_marrow", "endosteum")
EQUILIBRIUM_KEV = 200.0
_KEV_PER_PGY_G = 1e-15 / 1.602176634e-16

_SAME_AS = MappingProxyType(
    {
        "bone_femora_lower": "bone_femora_upper",
        "bone_lower_legs": "bone_femora_upper",
        "bone_humeri_lower": "bone_humeri_upper",
        "bone_forearms": "bone_humeri_upper",
    }
)
"""Sites that hold active marrow in children only take the response of the nearest that holds it in the adult
(assumption)."""


def response_key(site: str, tissue: str) -> str:
    """Return the key of a response in transport regions, such as ``"bone_ribs@endosteum"``."""
    return f"{site}@{tissue}"


def marrow_enhancement(site: str, tissue: str, energy_kev: Array) -> Array:
    """Return the dose to a skeletal tissue over that to red marrow in electron equilibrium, in one fluence.

    Interpolated in the logarithm of the energy; below the table's 10 keV as there, 1 from 200 keV on.

    Parameters
    ----------
    site : str
        One of `BONE_SITES`.
    tissue : {"red_bone_marrow", "endosteum"}
    energy_kev : array [n]

    Returns
    -------
    array [n]

    Raises
    ------
    UnknownName
        Not a site, or not a skeletal tissue.

    Notes
    -----
    Values below 1 for red marrow (0.94 to 0.97 at 10 to 30 keV) are no lack of electrons: the published
    functions are for marrow without iron, the material ``red_marrow`` holds 0.1 %.

    Examples
    --------
    >>> marrow_enhancement("bone_cranium", "red_bone_marrow", np.array([60.0, 300.0])).round(2).tolist()
    [1.19, 1.0]
    """
    if site not in BONE_SITES:
        raise UnknownName("bone site", site, BONE_SITES)
    if tissue not in SKELETAL_TISSUES:
        raise UnknownName("skeletal tissue", tissue, SKELETAL_TISSUES)
    kev, factors = _factors()
    known = factors.get((tissue, site))
    if known is None:
        known = factors[tissue, _SAME_AS[site]]
    return np.interp(np.log(np.asarray(energy_kev, np.float64)), np.log(kev), known)


def skeletal_response(site: str, tissue: str) -> tuple[Array, Array]:
    """Return the response of a site as transport's `Regions` take it: energies in keV, coefficient in cm²/g.

    Parameters
    ----------
    site, tissue : str
        As in `marrow_enhancement`.

    Returns
    -------
    tuple of array [n], array [n]
        The coefficient stands in for μen/ρ: times energy and fluence it is the dose.

    Raises
    ------
    UnknownName
        Not a site, or not a skeletal tissue.
    """
    from wholedose.matter import material, photon_data

    data = photon_data(material(RESPONSE_MATERIAL))
    below = np.geomspace(data.energy_kev[0], EQUILIBRIUM_KEV, 500)
    kev = np.unique(np.concatenate([data.energy_kev, below]))
    return kev, data.on("energy_absorption", kev) * marrow_enhancement(site, tissue, kev)


@cache
def _factors() -> tuple[Array, dict[tuple[str, str], Array]]:
    from wholedose.matter import material, photon_data

    table = load("body/skeletal_response")
    columns = [name for name in table.columns if name.startswith("kev_")]
    kev = np.array([float(name.removeprefix("kev_")) for name in columns])
    own = kev * photon_data(material(RESPONSE_MATERIAL)).on("energy_absorption", kev)
    found = {}
    for row in table.rows():
        values = np.array([float(row[name]) for name in columns]) * _KEV_PER_PGY_G / own
        values[kev >= EQUILIBRIUM_KEV] = 1.0
        found[str(row["tissue"]), str(row["site"])] = values
    return kev, found
