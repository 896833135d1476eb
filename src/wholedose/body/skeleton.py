"""How red bone marrow and endosteum lie in the skeleton.

Defines `SkeletonSite`, `skeleton_of`, `Spongiosa`, `spongiosa_of` and `spongiosa_material`.

Neither tissue can be drawn in voxels of millimetres. Their dose is the mass-weighted mean over bone sites of
the dose to that tissue in the photon fluence of the site (`wholedose.body.skeletal_response`)::

    D(red_bone_marrow) = Σ_s marrow_share_s · D(site s @ red_bone_marrow)
    D(endosteum)       = Σ_s endosteum_share_s · D(site s @ endosteum)

The spongiosa of a site is a mixture of trabecular bone, active and inactive marrow and their blood. How the
marrow of children lies is interpolated between the newborn and the adult by the active part of all marrow:
as that part falls, marrow leaves the limbs and the skull. That rule is an assumption.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from wholedose.body.organs import BONE_SITES
from wholedose.tables import load

if TYPE_CHECKING:
    from wholedose.body.person import Person
    from wholedose.matter import Material

RESPONSE_MATERIAL = "red_marrow"
"""Material on which the responses of red marrow and endosteum build."""

MEDULLARY_SHARE = 0.4
"""Part of the inactive marrow outside spongiosa with active marrow that lies in shafts (assumption)."""


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


@dataclass(frozen=True)
class Spongiosa:
    """What the spongiosa of a site is made of, masses in g without blood; blood apart.

    Attributes
    ----------
    site : str
    trabecular_g, active_g, inactive_g, blood_g : float
    """

    site: str
    trabecular_g: float
    active_g: float
    inactive_g: float
    blood_g: float

    @property
    def mass_g(self) -> float:
        """Mass with blood."""
        return self.trabecular_g + self.active_g + self.inactive_g + self.blood_g

    @property
    def parts(self) -> tuple[tuple[str, float], ...]:
        """The materials of the mixture with their masses in g."""
        return (
            ("cortical_bone", self.trabecular_g),
            ("red_marrow", self.active_g),
            ("yellow_marrow", self.inactive_g),
            ("blood", self.blood_g),
        )


@cache
def _columns() -> dict[str, tuple[float, float, float, float]]:
    table = load("body/marrow_distribution")
    adult = float(table["active_marrow_pct"].sum())
    newborn = float(table["newborn_pct"].sum())
    return {
        str(row["site"]): (
            float(row["active_marrow_pct"]) / adult,
            float(row["newborn_pct"]) / newborn,
            float(row["cellularity"]),
            float(row["limb_share"]),
        )
        for row in table.rows()
    }


def marrow_shares(youth: float = 0.0) -> dict[str, float]:
    """Return the share of all active marrow by site, 0 to 1.

    Parameters
    ----------
    youth : float
        0 for the adult to 1 for the newborn: (f - f_adult)/(1 - f_adult) of the active part f of all marrow.
    """
    return {site: (1 - youth) * a + youth * n for site, (a, n, _, _) in _columns().items()}


def spongiosa_of(
    active_g: float,
    inactive_g: float,
    trabecular_g: float,
    blood_g: tuple[float, float],
    adult_active_fraction: float,
) -> tuple[dict[str, Spongiosa], float]:
    """Distribute marrow and trabecular bone over the sites.

    Parameters
    ----------
    active_g, inactive_g, trabecular_g : float
        Of the whole skeleton, without blood.
    blood_g : (float, float)
        Blood of active marrow and of trabecular bone.
    adult_active_fraction : float
        Active part of all marrow in the adult of the same sex.

    Returns
    -------
    tuple of (dict of site to Spongiosa, float)
        The sites, and the inactive marrow in medullary cavities in g.
    """
    fraction = active_g / (active_g + inactive_g)
    youth = max(0.0, (fraction - adult_active_fraction) / (1 - adult_active_fraction))
    age = (1 - fraction) / (1 - adult_active_fraction)
    active = {site: active_g * share for site, share in marrow_shares(youth).items()}
    beside = {}
    for site, (_, _, cellularity, _) in _columns().items():
        cells = 1 - (1 - cellularity) * min(age, 1.0)
        beside[site] = active[site] * (1 / cells - 1)
    within = sum(beside.values())
    if within > inactive_g:
        beside = {site: mass * inactive_g / within for site, mass in beside.items()}
        within = inactive_g
    medullary = MEDULLARY_SHARE * (inactive_g - within)
    rest = inactive_g - within - medullary
    inactive = {site: beside[site] + rest * limb for site, (_, _, _, limb) in _columns().items()}
    marrow = active_g + inactive_g - medullary
    found = {}
    for site in BONE_SITES:
        share = (active[site] + inactive[site]) / marrow
        blood = blood_g[0] * active[site] / active_g + blood_g[1] * share
        found[site] = Spongiosa(site, trabecular_g * share, active[site], inactive[site], blood)
    return found, medullary


def spongiosa_density(parts: tuple[tuple[str, float], ...]) -> float:
    """Return the density in g/cm³ of materials that keep their volumes when mixed."""
    from wholedose.matter import material

    mass = sum(part for _, part in parts)
    return mass / sum(part / material(name).density_g_cm3 for name, part in parts)


def spongiosa_material(person: Person, site: str) -> Material:
    """Return the spongiosa of a site for a person: trabecular bone, marrow and blood, mixed by mass.

    The material is named ``"spongiosa <site>"``.

    Examples
    --------
    ``spongiosa_material(Person("M", 40), "bone_ribs").density_g_cm3`` → about 1.2.
    """
    from wholedose.body.masses import anatomy_of
    from wholedose.matter import Material, material

    parts = [(name, mass) for name, mass in anatomy_of(person).spongiosa[site].parts if mass > 0]
    total = sum(mass for _, mass in parts)
    mixed = [(material(name), mass / total) for name, mass in parts]
    return Material.mixture(f"spongiosa {site}", spongiosa_density(tuple(parts)), mixed)


def skeleton_of(
    bone_mass_g: Mapping[str, float], marrow_mass_g: float, person: Person | None = None
) -> tuple[SkeletonSite, ...]:
    """Distribute marrow and endosteum over the bone sites that a body has.

    Parameters
    ----------
    bone_mass_g : mapping of str to float
        Mass of the bone voxels of each site that is present.
    marrow_mass_g : float
        Active marrow of the whole person; with ``person`` it is ignored.
    person : Person or None
        Whose age, sex and size say how much marrow there is, how it lies, and how trabecular bone does;
        None: the adult's shares.

    Returns
    -------
    tuple of SkeletonSite
        For the sites present. Marrow shares are those of the whole skeleton (absent sites lack from the sum);
        endosteum shares follow trabecular bone, without a person the mass of bone voxels.

    Examples
    --------
    >>> [site.name for site in skeleton_of({"bone_ribs": 700.0}, 1170.0)]
    ['bone_ribs']
    """
    present = [name for name in BONE_SITES if bone_mass_g.get(name, 0.0) > 0.0]
    if person is None:
        share = marrow_shares()
        bone = sum(bone_mass_g.values()) or 1.0
        return tuple(
            SkeletonSite(name, share[name], bone_mass_g[name] / bone, marrow_mass_g * share[name])
            for name in present
        )
    from wholedose.body.masses import anatomy_of

    anatomy = anatomy_of(person)
    return tuple(
        SkeletonSite(
            name,
            anatomy.spongiosa[name].active_g / anatomy.active_marrow_g,
            anatomy.spongiosa[name].trabecular_g / anatomy.trabecular_g,
            anatomy.spongiosa[name].active_g,
        )
        for name in present
    )
