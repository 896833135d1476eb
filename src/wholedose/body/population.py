"""How much organs differ between people. Defines `population`, for ensembles of bodies."""

from __future__ import annotations

from collections.abc import Mapping

from wholedose.body.masses import targets_of
from wholedose.body.person import Person
from wholedose.body.pregnancy import conceptus_of
from wholedose.tables import load

OTHER = "other"
CONCEPTUS_OF_FETUS = ("fetus", "fetus_brain", "fetus_skeleton")


def population(person: Person) -> Mapping[str, float]:
    """Return the relative standard deviation of each region's mass among people like this person.

    Taken as the standard deviation of the logarithm: a mass drawn is ``mass * exp(sd * z)``. Of the fetus it
    holds the spread between growth curves too.

    Parameters
    ----------
    person : Person

    Returns
    -------
    mapping of str to float
        For the regions of `wholedose.body.masses.targets_of`, from the table ``body/organ_variation``.

    Examples
    --------
    >>> spread = population(Person("F", 40))
    >>> spread["spleen"], spread["ureters"]
    (0.4, 0.2)
    """
    table = load("body/organ_variation")
    known = {str(name): float(sd) for name, sd in zip(table["region"], table["relative_sd"], strict=True)}
    found = {region: known.get(region, known[OTHER]) for region in targets_of(person)}
    if person.pregnancy_week is not None:
        fetus = conceptus_of(person.pregnancy_week).fetus_u
        for region in CONCEPTUS_OF_FETUS:
            if region in found:
                found[region] = fetus
    return found
