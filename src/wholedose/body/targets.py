"""What the stylised body is fitted to. Defines `Targets` and `targets_of`."""

from __future__ import annotations

import math
from dataclasses import dataclass

from wholedose.body.organs import ORGANS
from wholedose.body.person import Person, reference_size

LEAN_POWER = 0.75
ADIPOSE_SHARE_OF_WEIGHT_CHANGE = 0.75
LEAST_ADIPOSE_SHARE = 0.05


@dataclass(frozen=True)
class Targets:
    """Masses in g that the body is fitted to."""

    organ: dict[str, float]
    adipose: float
    skin: float
    total: float


def targets_of(person: Person, height_cm: float, weight_kg: float) -> Targets:
    """Return the masses that a person's stylised body is fitted to.

    Lean organs follow (height / reference height)^0.75; adipose tissue follows height squared and takes
    three quarters of the weight that differs from that of the reference build; skin follows the body surface
    (Mosteller). The rule is an assumption, listed in the body.
    """
    height, weight = reference_size(person.sex)
    lean = (height_cm / height) ** LEAN_POWER
    build = (height_cm / height) ** 2
    organ = {
        name: target.target_mass_g[person.sex] * lean
        for name, target in ORGANS.items()
        if person.sex in target.target_mass_g and name not in ("adipose", "skin", "breasts")
    }
    organ["breasts"] = ORGANS["breasts"].target_mass_g[person.sex]
    extra = 1000.0 * (weight_kg - weight * build)
    adipose = ORGANS["adipose"].target_mass_g[person.sex] * build + ADIPOSE_SHARE_OF_WEIGHT_CHANGE * extra
    surface = math.sqrt(height_cm * weight_kg / (height * weight))
    return Targets(
        organ,
        max(adipose, LEAST_ADIPOSE_SHARE * 1000.0 * weight_kg),
        ORGANS["skin"].target_mass_g[person.sex] * surface,
        1000.0 * weight_kg,
    )
