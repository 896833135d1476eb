"""What a person's masses rest on beside what is published. Defines `premises_of`."""

from __future__ import annotations

import math
from collections.abc import Mapping

from wholedose.base import Assumption
from wholedose.body.growth import REFERENCE_AGES_Y, reference_build
from wholedose.body.masses import GLANDULARITY, Target, lung_gas_l, targets_of, with_size
from wholedose.body.organs import BONE_SITES
from wholedose.body.person import Person
from wholedose.body.pregnancy import conceptus_of


def premises_of(person: Person) -> tuple[Assumption, ...]:
    """Return the assumptions behind `wholedose.body.masses.targets_of` for this person.

    Examples
    --------
    >>> [item.what for item in premises_of(Person("M", 40, 176, 73))]
    ['masses that are not published', 'distribution of marrow', 'air in the lungs']
    """
    full = with_size(person)
    height, weight = float(full.height_cm or 0), float(full.weight_kg or 0)
    reference = reference_build(person.sex, person.age_y)
    targets = targets_of(person)
    found = []
    if person.age_y < REFERENCE_AGES_Y[-1]:
        found.append(
            Assumption(
                "regional blood",
                "shares of the adult",
                "ICRP 89 tabulates the blood of organs for adults only",
            )
        )
        if person.age_y not in REFERENCE_AGES_Y:
            found.append(
                Assumption(
                    "age between reference ages",
                    f"{person.age_y:g} years",
                    "masses of ICRP 89 at 0, 1, 5, 10, 15 and 20 years, monotone in between",
                )
            )
    if abs(height / reference[0] - 1) > 1e-3 or abs(weight / reference[1] - 1) > 1e-3:
        found.append(
            Assumption(
                "body size",
                f"{height:.0f} cm and {weight:.1f} kg",
                f"reference {reference[0]:.0f} cm and {reference[1]:.1f} kg: lean organs by height to the "
                "power 0.75, skeleton, muscle and fat by its square; other weight is fat to three quarters",
            )
        )
    found.append(
        Assumption("masses that are not published", _unlisted(targets), "own values, body/own_masses")
    )
    found.append(
        Assumption(
            "distribution of marrow",
            f"{sum(1 for site in BONE_SITES if site in targets)} sites",
            "adult shares of Cristy (1981), newborn skull and legs as measured, in between by the active "
            "part of all marrow; cellularity as remembered from ICRP 70; trabecular bone follows marrow",
            0.05 if person.is_adult else 0.10,
        )
    )
    found.append(
        Assumption(
            "air in the lungs",
            f"{lung_gas_l(person.sex, height):.2f} L",
            "functional residual capacity by height, lying: the end of a quiet breath",
        )
    )
    if person.sex == "F" and person.breast_glandularity is None and person.age_y >= REFERENCE_AGES_Y[3]:
        found.append(Assumption("breast glandularity", f"{GLANDULARITY:g}", "not known"))
    if person.pregnancy_week is not None:
        more = conceptus_of(person.pregnancy_week)
        found.append(
            Assumption(
                "mass of the fetus",
                f"{more.fetus_g:.3g} g",
                "mean of two published growth curves (Kapraun et al. 2019, Hadlock et al. 1991)",
                round(more.fetus_u, 3),
            )
        )
        found.append(
            Assumption(
                "growth of the mother's tissues",
                f"uterus {more.uterus_g:.0f} g, blood {more.blood_g:.0f} g, breasts {more.breasts_g:.0f} g",
                "Hytten (1991) as remembered, confirmed at term",
            )
        )
    return tuple(found)


def _unlisted(targets: Mapping[str, Target]) -> str:
    """Regions with tissue whose mass no source lists; regions of blood alone are not among them."""
    names = (t.region for t in targets.values() if math.isnan(t.tissue_g) and t.blood_g < t.mass_g)
    return ", ".join(sorted(names))
