"""All doses of a person, added up. Defines `Contribution` and `Ledger`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Protocol, runtime_checkable

from wholedose.base import (
    AbsorbedDose,
    EffectiveDose,
    InvalidInput,
    Provenance,
    UnknownName,
    estimate_from_json,
    reading_record,
)
from wholedose.body import Person
from wholedose.dose.organ_doses import OrganDoses

FORMAT = 1


@dataclass(frozen=True)
class Contribution:
    """One irradiation of a person.

    Attributes
    ----------
    what : str
        The procedure in words, such as ``"CT chest"``.
    contributor : str
        The kind of source, by which the ledger groups: ``"CT"``, ``"nuclear medicine"``, ``"CBCT"`` …
    organs : OrganDoses
    effective : EffectiveDose or None
        None where the organ doses do not allow it.
    date : datetime.date or None
    age_y : float or None
        The person's age at this exposure; None means the ledger person's age.
    acute : bool
        Whether the dose was given within hours (an X-ray examination) or protracted.
    provenance : Provenance
    """

    what: str
    contributor: str
    organs: OrganDoses
    effective: EffectiveDose | None
    provenance: Provenance
    date: dt.date | None = None
    age_y: float | None = None
    acute: bool = True

    def to_json(self) -> dict[str, Any]:
        """Return a dictionary that `from_json` turns back into an equal contribution."""
        return {
            "what": self.what,
            "contributor": self.contributor,
            "date": self.date.isoformat() if self.date else None,
            "age_y": self.age_y,
            "acute": self.acute,
            "organs": self.organs.to_json(),
            "effective": self.effective.to_json() if self.effective is not None else None,
            "provenance": self.provenance.to_json(),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Contribution:
        """Return the contribution that `to_json` wrote."""
        effective = estimate_from_json(data["effective"]) if data["effective"] is not None else None
        if effective is not None and not isinstance(effective, EffectiveDose):
            raise InvalidInput(f"The effective dose of {data['what']!r} is a {effective.kind}.")
        return cls(
            what=str(data["what"]),
            contributor=str(data["contributor"]),
            organs=OrganDoses.from_json(data["organs"]),
            effective=effective,
            provenance=Provenance.from_json(data["provenance"]),
            date=dt.date.fromisoformat(data["date"]) if data["date"] else None,
            age_y=data["age_y"],
            acute=bool(data["acute"]),
        )


@runtime_checkable
class Contributes(Protocol):
    """Anything that enters a ledger: a result that can say its contribution."""

    def contribution(self) -> Contribution:
        """Return what this result adds to the person's ledger."""
        ...


@dataclass(frozen=True)
class Exposure:
    """A contribution as the risk models need it: the age at which each organ received what."""

    age_y: float
    organs: OrganDoses
    effective: EffectiveDose | None
    acute: bool
    date: dt.date | None
    what: str


class Ledger:
    """The doses of one person, immutable: `add` returns a longer ledger.

    Sums carry their uncertainty by cause: what two contributions share adds linearly, the rest in quadrature,
    whatever the order in which they were added.

    Parameters
    ----------
    person : Person
    contributions : iterable of Contribution
    """

    def __init__(self, person: Person, contributions: Iterable[Contribution] = ()) -> None:
        self.person = person
        self.contributions = tuple(contributions)

    def add(self, item: Contribution | Contributes) -> Ledger:
        """Return a ledger with one more contribution.

        Raises
        ------
        TypeError
            The item is neither a `Contribution` nor a result that has one.
        """
        if isinstance(item, Contributes):
            item = item.contribution()
        if not isinstance(item, Contribution):
            raise TypeError(f"a ledger takes contributions, not {type(item).__name__}")
        return Ledger(self.person, (*self.contributions, item))

    def organs(self) -> list[str]:
        """Return the organs that received a dose in any contribution, in order of first appearance."""
        return list(dict.fromkeys(organ for item in self.contributions for organ in item.organs))

    def organ_total(self, organ: str) -> AbsorbedDose:
        """Return the sum over all contributions of the dose to one organ, in mGy."""
        if organ not in self.organs():
            raise UnknownName("organ dose for", organ, self.organs(), where="ledger")
        return AbsorbedDose.total(
            item.organs[organ].dose for item in self.contributions if organ in item.organs
        )

    def totals(self) -> dict[str, AbsorbedDose]:
        """Return the total per organ."""
        return {organ: self.organ_total(organ) for organ in self.organs()}

    def effective_total(self) -> EffectiveDose:
        """Return the sum of the effective doses; contributions without one are not counted."""
        return EffectiveDose.total(
            item.effective for item in self.contributions if item.effective is not None
        )

    def by_contributor(self, organ: str) -> dict[str, AbsorbedDose]:
        """Return the dose to an organ per kind of contributor."""
        return self._grouped(organ, lambda item: item.contributor)

    def by_date(self, organ: str) -> dict[str, AbsorbedDose]:
        """Return the dose to an organ per date, in time; undated contributions come last as ``"undated"``."""
        groups = self._grouped(organ, lambda item: item.date.isoformat() if item.date else "undated")
        return dict(sorted(groups.items(), key=lambda pair: (pair[0] == "undated", pair[0])))

    def _grouped(self, organ: str, key: Any) -> dict[str, AbsorbedDose]:
        groups: dict[str, list[AbsorbedDose]] = {}
        for item in self.contributions:
            if organ in item.organs:
                groups.setdefault(key(item), []).append(item.organs[organ].dose)
        return {name: AbsorbedDose.total(doses) for name, doses in groups.items()}

    def exposures(self) -> list[Exposure]:
        """Return the contributions as the risk models need them, with the age at each."""
        return [
            Exposure(
                self.person.age_y if item.age_y is None else item.age_y,
                item.organs,
                item.effective,
                item.acute,
                item.date,
                item.what,
            )
            for item in self.contributions
        ]

    def __len__(self) -> int:
        return len(self.contributions)

    def __iter__(self) -> Iterator[Contribution]:
        return iter(self.contributions)

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Ledger)
            and self.person == other.person
            and self.contributions == other.contributions
        )

    def __hash__(self) -> int:
        return hash((self.person, len(self.contributions)))

    def __repr__(self) -> str:
        return f"Ledger({self.person!r}, {len(self)} contributions, effective dose {self.effective_total()})"

    def to_json(self) -> dict[str, Any]:
        """Return a dictionary that `from_json` turns back into an equal ledger."""
        return {
            "format": FORMAT,
            "person": asdict(self.person),
            "contributions": [item.to_json() for item in self.contributions],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Ledger:
        """Return the ledger that `to_json` wrote.

        Raises
        ------
        InvalidInput
            Another format number, or a part is missing.
        """
        with reading_record("The ledger is incomplete", way_out="Write it again from its results."):
            if data.get("format") != FORMAT:
                raise InvalidInput(
                    f"A ledger of format {data.get('format')!r} is not readable here.",
                    way_out=f"This version reads format {FORMAT}.",
                )
            items = [Contribution.from_json(item) for item in data["contributions"]]
            return cls(Person(**data["person"]), items)
