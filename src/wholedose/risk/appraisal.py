"""The risk of a person's exposures under several named models. Defines `Appraisal` and `appraise`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from wholedose.base import (
    AbsorbedDose,
    Assumption,
    EffectiveDose,
    InvalidInput,
    MissingInput,
    OutsideDomain,
    Provenance,
    UnknownName,
    estimate_from_json,
    reading_record,
)
from wholedose.body import Person
from wholedose.risk.bands import Band, band, bands, personal_number
from wholedose.risk.exposure import ExposureLike, HasExposures, exposures_of, site_dose
from wholedose.risk.lifetime import check_age, check_dose
from wholedose.risk.nominal import MODEL as ICRP_103
from wholedose.risk.nominal import PopulationReading, population_reading
from wholedose.risk.parameters import Site, sites
from wholedose.risk.rates import AGES, DEFAULT_POPULATION, Rates, population
from wholedose.risk.readings import PersonReading, SiteReading
from wholedose.risk.sampling import Draws, Interval, Sample
from wholedose.risk.uncertainty import BEIR_VII, GROUPS, RADRAT_CENTRAL, Event, RiskModel, SiteModel
from wholedose.tables import digest

PERSON_MODELS = {model.name: model for model in (BEIR_VII, RADRAT_CENTRAL)}
FORMAT = 1
SHARE_SAMPLES = 2000  # enough for shares of variance to about 0.03
TABLES = (
    "beir_vii_radrat_parameters",
    "leukaemia_parameters",
    "sites",
    "site_organs",
    "constants",
    "rates_canepirisk",
    "icrp103_nominal",
    "icrp103_tissues",
    "epa_uncertainty",
    "bands",
)
NOTES = (
    "The linear no-threshold assumption itself is not in the interval: below about 100 mGy an excess is "
    "extrapolated, not observed.",
    "The interval does not hold the uncertainty of the baseline rates, nor that a person differs from the "
    "average of the population.",
)


def models() -> list[str]:
    """Return the names of the models that `appraise` knows.

    Examples
    --------
    >>> models()
    ['BEIR VII', 'RadRAT central', 'ICRP 103']
    """
    return [*PERSON_MODELS, ICRP_103]


@dataclass(frozen=True, eq=False)
class Appraisal:
    """The readings of several models for one person's exposures, side by side and never averaged.

    Attributes
    ----------
    sex : str
    age_y : float
        Age from which the risk is counted.
    population : str
    readings : mapping of str to PersonReading or PopulationReading
        By model, in the order asked for.
    effective : EffectiveDose or None
        Sum over the exposures, None where one has none.
    personal_number : bool
        False where a letter gives the band only (effective dose below 1 mSv, or unknown).
    band : Band
        Of the largest central person-level total; of the population reading where there is no other.
    provenance : Provenance
    """

    sex: str
    age_y: float
    population: str
    readings: Mapping[str, PersonReading | PopulationReading]
    effective: EffectiveDose | None
    personal_number: bool
    band: Band
    provenance: Provenance

    def __getitem__(self, model: str) -> PersonReading | PopulationReading:
        try:
            return self.readings[model]
        except KeyError:
            raise UnknownName("model in this appraisal", model, self.readings) from None

    def person(self, model: str = BEIR_VII.name) -> PersonReading:
        """Return a person-level reading."""
        reading = self[model]
        if not isinstance(reading, PersonReading):
            raise InvalidInput(f"{model} is a population reading, not a person's risk.", where="model")
        return reading

    def to_json(self) -> dict[str, Any]:
        """Return a dictionary for ``result.json``."""
        return {
            "format": FORMAT,
            "sex": self.sex,
            "age_y": self.age_y,
            "population": self.population,
            "effective_msv": self.effective.to_json() if self.effective is not None else None,
            "personal_number": self.personal_number,
            "band": self.band.name,
            "readings": {name: reading.to_json() for name, reading in self.readings.items()},
            "provenance": self.provenance.to_json(),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Appraisal:
        """Return the appraisal that `to_json` wrote.

        Raises
        ------
        InvalidInput
            Another format number, or a part is missing.
        """
        with reading_record("The recorded appraisal is incomplete", way_out="Appraise the ledger again."):
            if data.get("format") != FORMAT:
                raise InvalidInput(
                    f"An appraisal of format {data.get('format')!r} is not readable here.",
                    way_out=f"This version reads format {FORMAT}; appraise the ledger again.",
                )
            kinds: dict[str, type[PersonReading] | type[PopulationReading]]
            kinds = {"person": PersonReading, "population": PopulationReading}
            effective = data["effective_msv"] and estimate_from_json(data["effective_msv"])
            return cls(
                sex=str(data["sex"]),
                age_y=float(data["age_y"]),
                population=str(data["population"]),
                readings={name: kinds[r["kind"]].from_json(r) for name, r in data["readings"].items()},
                effective=effective if isinstance(effective, EffectiveDose) else None,
                personal_number=bool(data["personal_number"]),
                band=next(item for item in bands() if item.name == data["band"]),
                provenance=Provenance.from_json(data["provenance"]),
            )


def appraise(
    ledger: HasExposures | Iterable[ExposureLike],
    *,
    person: Person | None = None,
    models: Sequence[str] = (BEIR_VII.name, ICRP_103),
    population: str | Rates = DEFAULT_POPULATION,
    seed: int = 1,
    samples: int = 10_000,
    age_now: float | None = None,
    beyond: Literal["raise", "flag"] = "raise",
) -> Appraisal:
    """Return the lifetime risk of a person's exposures under each model, with its interval and causes.

    Parameters
    ----------
    ledger : Ledger or iterable of exposures
        Exposures have ``age_y, organs, effective, acute``.
    person : Person or None
        Gives the sex; None takes the ledger's person.
    models : sequence of str
        See `models`.
    population : str or Rates
        Baseline rates; a part of a name is enough.
    seed, samples : int
    age_now : float or None
        Age from which the risk is counted, given survival to it; None: the person's age, but not before the
        first exposure.
    beyond : {"raise", "flag"}
        What to do with a site whose summed dose is above the models' domain: refuse, or leave it out.

    Raises
    ------
    OutsideDomain
        An age outside 0 to 100, or a dose above the domain.
    MissingInput
        No person; no effective dose for ICRP 103.
    UnknownName
        An unknown model or population; the message lists those available.
    InvalidInput
        A negative dose; no exposure.

    Examples
    --------
    >>> from wholedose.risk import Exposure
    >>> scan = Exposure(34, {"lungs": AbsorbedDose(10.0)}, effective=EffectiveDose(4.0))
    >>> risk = appraise([scan], person=Person(sex="F", age_y=34), samples=1000)
    >>> round(risk.person().total.value * 1e5)
    22
    """
    exposures = exposures_of(ledger)
    who = person or getattr(ledger, "person", None)
    if who is None:
        raise MissingInput(
            "The sex is not known.", where="person", way_out='Give person=Person(sex="F", age_y=34).'
        )
    ages = [check_age(item.age_y) for item in exposures]
    now = check_age(who.age_y if age_now is None else age_now, "age now")
    start = max(now, min(ages))
    people = _population(population)
    draws = Draws(seed, samples)
    effective = _effective(exposures)
    readings: dict[str, PersonReading | PopulationReading] = {}
    for name in models:
        if name in PERSON_MODELS:
            readings[name] = _person_reading(
                PERSON_MODELS[name], exposures, ages, str(who.sex), start, people, draws, beyond
            )
        elif name == ICRP_103:
            if effective is None:
                raise MissingInput(
                    "The ICRP 103 reading needs the effective dose of each exposure, and one has none.",
                    where="models",
                    way_out="Give effective doses, or leave ICRP 103 out of models.",
                )
            readings[name] = population_reading(effective, draws, exposures)
        else:
            raise UnknownName("risk model", name, [*PERSON_MODELS, ICRP_103])
    if not readings:
        raise InvalidInput("No model was asked for.", where="models", way_out='Give models=["BEIR VII"].')
    personal = [reading.total.value for reading in readings.values() if isinstance(reading, PersonReading)]
    largest = max(personal or [reading.total.value for reading in readings.values()])
    return Appraisal(
        sex=str(who.sex),
        age_y=float(start),
        population=people.name,
        readings=readings,
        effective=effective,
        personal_number=effective is not None and personal_number(effective),
        band=band(largest),
        provenance=_provenance(people, population, seed, samples, start),
    )


def _population(name: str | Rates) -> Rates:
    return name if isinstance(name, Rates) else population(name)


def _effective(exposures: Sequence[ExposureLike]) -> EffectiveDose | None:
    known = [item.effective for item in exposures if item.effective is not None]
    return EffectiveDose.total(known) if len(known) == len(exposures) else None


def _person_reading(
    model: RiskModel,
    exposures: Sequence[ExposureLike],
    ages: Sequence[int],
    sex: str,
    start: int,
    people: Rates,
    draws: Draws,
    beyond: str,
) -> PersonReading:
    rows: list[SiteReading] = []
    parts: list[SiteModel] = []
    left_out: dict[str, str] = {}
    by_group = {"solid": np.zeros(draws.samples), "leukaemia": np.zeros(draws.samples)}
    central = {"solid": 0.0, "leukaemia": 0.0}
    for spot in sites().values():
        if not model.has(spot) or sex not in spot.sexes():
            continue
        try:
            doses = _doses(spot, exposures, people, beyond)
        except _LeftOut as reason:
            left_out[spot.name] = str(reason)
            continue
        events = [
            Event(age, dose, item.acute) for age, dose, item in zip(ages, doses, exposures, strict=True)
        ]
        part = SiteModel(model, spot, sex, people, start, events)
        sample = part.sample(draws)
        group = "leukaemia" if spot.name == "leukaemia" else "solid"
        by_group[group] += sample
        central[group] += part.central()
        parts.append(part)
        rows.append(_row(part, spot, AbsorbedDose.total(doses), sample))
    curve = np.sum([part.by_age() for part in parts], axis=0) if parts else np.zeros(AGES.size)
    return PersonReading(
        model=model.name,
        kind="person",
        total=Interval.of(sum(central.values()), by_group["solid"] + by_group["leukaemia"]),
        solid=Interval.of(central["solid"], by_group["solid"]),
        leukaemia=Interval.of(central["leukaemia"], by_group["leukaemia"]),
        sites=tuple(sorted(rows, key=lambda row: -row.risk.value)),
        left_out=left_out,
        shares=_shares(parts, draws.seed),
        baseline=_any_cancer(people, sex, start),
        excess_by_age=curve,
        years_lost_if_fatal=float(np.sum(curve * people.remaining_years(sex))),
        notes=(*NOTES, *people.notes, *_incomplete(left_out)),
    )


class _LeftOut(Exception):
    """Why a site has no row."""


def _doses(spot: Site, exposures: Sequence[ExposureLike], people: Rates, beyond: str) -> list[AbsorbedDose]:
    """The dose of each exposure to a site."""
    doses = [site_dose(item, spot) for item in exposures]
    found = [dose for dose in doses if dose is not None]
    if len(found) < len(doses):
        organ = spot.organs[0] if len(spot.organs) == 1 else "any of its organs"
        raise _LeftOut(f"no dose to {organ} in {len(doses) - len(found)} exposure(s)")
    total = sum(dose.value for dose in found) / 1000.0
    try:
        check_dose(total, where=spot.name)
    except OutsideDomain as error:
        if beyond == "raise":
            raise
        raise _LeftOut(error.what) from error
    if spot.name == "remainder" and people.baseline(spot.name, "F") is None:
        raise _LeftOut(
            f"{people.name} has no rates by which the remainder could be separated from named sites"
        )
    if spot.weight_err == 1.0 and people.baseline(spot.name, "F") is None:
        raise _LeftOut(f"{people.name} has no baseline rates for it, and there is no EAR model")
    return found


def _row(part: SiteModel, spot: Site, dose: AbsorbedDose, sample: Sample) -> SiteReading:
    note = "EAR transfer alone: the population has no baseline rates for it" if part.transfer_missing else ""
    return SiteReading(
        site=spot.name,
        organs=spot.organs,
        dose=dose,
        risk=Interval.of(part.central(), sample),
        baseline=part.rates.lifetime_baseline(spot.name, part.sex, part.start),
        note=note,
    )


def _incomplete(left_out: Mapping[str, str]) -> tuple[str, ...]:
    return (f"The total is without {', '.join(left_out)}.",) if left_out else ()


def _any_cancer(people: Rates, sex: str, start: int) -> float | None:
    """The lifetime probability of a first cancer: the hazard acts on those still alive and without one."""
    rate = people.baseline("all_cancer", sex)
    if rate is None:
        return None
    hazard = np.where(start <= AGES, rate, 0.0)
    free = np.exp(-np.concatenate([[0.0], np.cumsum(hazard)[:-1]]))
    return float(np.sum(people.alive(sex, start) * free * (1.0 - np.exp(-hazard))))


def _shares(parts: Sequence[SiteModel], seed: int) -> dict[str, float]:
    """Variance of the total with one group varying at a time, normalised to sum 1."""
    causes = {
        f"dose: {cause.name}" for part in parts for term in part.terms for cause in term.event.dose.parts
    }
    draws = Draws(seed, SHARE_SAMPLES)
    variances: dict[str, float] = {}
    for group in (*GROUPS, *sorted(causes)):
        total = np.sum([part.sample(draws, frozenset({group})) for part in parts], axis=0) if parts else 0.0
        variances[group] = float(np.var(total))
    whole = sum(variances.values())
    ranked = sorted(variances.items(), key=lambda pair: -pair[1])
    return {name: variance / whole for name, variance in ranked if variance > 1e-9 * whole}


def _provenance(people: Rates, asked: str | Rates, seed: int, samples: int, start: int) -> Provenance:
    assumptions = [
        Assumption("dose of mixed cancer sites", "arithmetic mean of their organs", "table site_organs")
    ]
    if asked == DEFAULT_POPULATION:
        assumptions.append(
            Assumption(
                "population of the baseline rates", people.name, "default; give population= for another"
            )
        )
    return Provenance(
        method="lifetime attributable risk by parameter sampling",
        seed=seed,
        tables={f"risk/{name}": digest(f"risk/{name}") for name in TABLES},
        options={"samples": samples, "population": people.name, "age_from": start},
        assumptions=tuple(assumptions),
    )
