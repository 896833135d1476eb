"""How red bone marrow and endosteum lie in the skeleton. Defines `SkeletonSite` and `skeleton_of`.

Neither tissue can be drawn in voxels of millimetres. Their dose is the mass-weighted mean over bone sites of
the dose to that tissue in the photon fluence of the site (a response tally)::

    D(red_bone_marrow) = Σ_s marrow_share_s · D(site s @ red_marrow)
    D(endosteum)       = Σ_s endosteum_share_s · D(site s @ red_marrow)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from wholedose.body.organs import BONE_SITES
from wholedose.tables import load

RESPONSE_MATERIAL = "red_marrow"
"""Material whose response scores red marrow and endosteum. Electron equilibrium in marrow cavities is
assumed: the enhancement by photoelectrons from trabeculae between 30 and 150 keV is left out."""


@dataclass(frozen=True)
class SkeletonSite:
    """One site of the skeleton.

    Attributes
    ----------
    name : str
        A name of `BONE_SITES`, which is also the name of the label in `Body`.
    marrow_share : float
        Share of all active marrow, 0 to 1; the shares of a body add up to 1 unless the body lacks sites.
    endosteum_share : float
        Share of all endosteum, 0 to 1.
    marrow_mass_g : float
        Mass of active marrow in the site.
    """

    name: str
    marrow_share: float
    endosteum_share: float
    marrow_mass_g: float


def skeleton_of(bone_mass_g: Mapping[str, float], marrow_mass_g: float) -> tuple[SkeletonSite, ...]:
    """Distribute marrow and endosteum over the bone sites that a body has.

    Parameters
    ----------
    bone_mass_g : mapping of str to float
        Mass of the bone voxels of each site that is present.
    marrow_mass_g : float
        Active marrow of the whole person.

    Returns
    -------
    tuple of SkeletonSite
        For the sites present. Marrow shares are those of the whole skeleton (absent sites lack from the sum);
        endosteum shares follow bone mass.

    Examples
    --------
    >>> [site.name for site in skeleton_of({"bone_ribs": 700.0}, 1170.0)]
    ['bone_ribs']
    """
    table = load("body/marrow_distribution")
    percent = {str(site): float(p) for site, p in zip(table["site"], table["active_marrow_pct"], strict=True)}
    total = sum(percent.values())
    bone = sum(bone_mass_g.values()) or 1.0
    return tuple(
        SkeletonSite(
            name,
            percent[name] / total,
            bone_mass_g[name] / bone,
            marrow_mass_g * percent[name] / total,
        )
        for name in BONE_SITES
        if bone_mass_g.get(name, 0.0) > 0.0
    )
