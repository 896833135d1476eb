"""Who is irradiated. Defines `Person` and `assumed_person`."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, Literal, Self

from wholedose.base import Assumption
from wholedose.base.errors import InvalidInput, MissingInput

Sex = Literal["F", "M"]

ADULT_AGE_Y = 18.0
ASSUMED_AGE_Y = 45.0
LIMITS = {"age_y": (0.0, 120.0), "height_cm": (30.0, 230.0), "weight_kg": (0.4, 350.0)}
ADULT_LIMITS = {"height_cm": (130.0, 215.0), "weight_kg": (30.0, 250.0)}
ADULT_BMI = (12.0, 70.0)
PREGNANCY_WEEKS = (4.0, 42.0)
PREGNANCY_AGES_Y = (12.0, 55.0)
BREAST_LIMITS_G = (1.0, 6000.0)


@dataclass(frozen=True)
class Person:
    """A person, as far as dosimetry needs to know.

    Parameters
    ----------
    sex : {"F", "M"}
        The sex of the reference anatomy and of the risk coefficients.
    age_y : float
        Age in years at the exposure, 0 to 120.
    height_cm, weight_kg : float or None
        Body height and weight; None where unknown.
    name : str
        A label for reports; leave it empty, or use a pseudonym.
    pregnancy_week : float or None
        Gestational week, counted from the last menstruation, 4 to 42; the weight is the present one.
    breast_glandularity : float or None
        Part of the breasts' mass that is glandular, 0 to 1; None: 0.4.
    breast_mass_g : float or None
        Mass of both breasts; None: that of the reference person of the age.

    Raises
    ------
    InvalidInput
        A value is impossible (300 cm; 12 kg for an adult; a pregnant man); the message names the range.

    Examples
    --------
    >>> round(Person(sex="F", age_y=34, height_cm=168, weight_kg=61).bmi, 2)
    21.61
    >>> Person(sex="F", age_y=34, height_cm=300)
    Traceback (most recent call last):
    wholedose.base.errors.InvalidInput: A height of 300 cm is not plausible. [height_cm] Give 130 to 215 cm.
    """

    sex: Sex
    age_y: float
    height_cm: float | None = None
    weight_kg: float | None = None
    name: str = ""
    pregnancy_week: float | None = None
    breast_glandularity: float | None = None
    breast_mass_g: float | None = None

    def __post_init__(self) -> None:
        if self.sex not in ("F", "M"):
            raise InvalidInput(
                f"The sex is {self.sex!r}.",
                where="sex",
                way_out='Give "F" or "M": the one whose anatomy and risk coefficients apply.',
            )
        self._within("age_y", "An age", "years", LIMITS["age_y"])
        adult = self.age_y >= ADULT_AGE_Y
        limits = ADULT_LIMITS if adult else LIMITS
        self._within("height_cm", "A height", "cm", limits["height_cm"])
        self._within("weight_kg", "A weight", "kg", limits["weight_kg"])
        self._within("breast_glandularity", "A glandularity", "(as a part)", (0.0, 1.0))
        self._within("breast_mass_g", "A breast mass", "g", BREAST_LIMITS_G)
        self._check_pregnancy()
        if adult and self.bmi is not None and not ADULT_BMI[0] <= self.bmi <= ADULT_BMI[1]:
            raise InvalidInput(
                f"{self.height_cm:g} cm and {self.weight_kg:g} kg give a body mass index of {self.bmi:.1f}.",
                where="height_cm, weight_kg",
                way_out=f"Check both: {ADULT_BMI[0]:g} to {ADULT_BMI[1]:g} kg/m² is plausible for an adult.",
            )

    def _check_pregnancy(self) -> None:
        if self.pregnancy_week is None:
            return
        self._within("pregnancy_week", "A pregnancy", "weeks", PREGNANCY_WEEKS)
        if self.sex == "M":
            raise InvalidInput(
                "A male person is not pregnant.",
                where="pregnancy_week",
                way_out='Leave the week out, or give the sex whose anatomy applies: "F".',
            )
        youngest, oldest = PREGNANCY_AGES_Y
        if not youngest <= self.age_y <= oldest:
            raise InvalidInput(
                f"A pregnancy at {self.age_y:g} years is not plausible.",
                where="pregnancy_week, age_y",
                way_out=f"Bodies with a conceptus are made from {youngest:g} to {oldest:g} years.",
            )

    def _within(self, field: str, what: str, unit: str, limits: tuple[float, float]) -> None:
        value = getattr(self, field)
        if value is None and field != "age_y":
            return
        try:
            number = float(value)
        except (TypeError, ValueError):
            raise InvalidInput(f"{what} of {value!r} is not a number.", where=field) from None
        if not math.isfinite(number) or not limits[0] <= number <= limits[1]:
            raise InvalidInput(
                f"{what} of {number:g} {unit} is not plausible.",
                where=field,
                way_out=f"Give {limits[0]:g} to {limits[1]:g} {unit}.",
            )
        object.__setattr__(self, field, number)

    @property
    def is_adult(self) -> bool:
        """Whether the adult reference anatomy applies (18 years and older)."""
        return self.age_y >= ADULT_AGE_Y

    @property
    def bmi(self) -> float | None:
        """Body mass index in kg/m², or None when height or weight is unknown."""
        if self.height_cm is None or self.weight_kg is None:
            return None
        return self.weight_kg / (self.height_cm / 100.0) ** 2

    def with_(self, **changes: Any) -> Self:
        """Return a copy with some fields replaced, validated again."""
        return replace(self, **changes)

    def to_json(self) -> dict[str, Any]:
        """Return a dictionary that `from_json` reads back."""
        seldom = ("pregnancy_week", "breast_glandularity", "breast_mass_g")
        return {
            "sex": self.sex,
            "age_y": self.age_y,
            "height_cm": self.height_cm,
            "weight_kg": self.weight_kg,
            "name": self.name,
            **{field: getattr(self, field) for field in seldom if getattr(self, field) is not None},
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """Return the person that `to_json` wrote."""
        try:
            return cls(**data)
        except TypeError as error:
            raise MissingInput(
                f"A person needs sex and age_y, and knows no other fields: {error}.", where=str(data)[:80]
            ) from error


def assumed_person(
    sex: Sex | None = None,
    age_y: float | None = None,
    height_cm: float | None = None,
    weight_kg: float | None = None,
    name: str = "",
) -> tuple[Person, tuple[Assumption, ...]]:
    """Return a person of what is known, with sex and age assumed where they are not, and what was assumed.

    Examples
    --------
    >>> person, assumed = assumed_person(weight_kg=79.0)
    >>> person.sex, person.age_y, person.weight_kg, [item.what for item in assumed]
    ('F', 45.0, 79.0, ['sex', 'age'])
    """
    notes = []
    if sex is None:
        sex = "F"
        notes.append(Assumption("sex", "F", "not known; the sex with the higher risk per dose"))
    if age_y is None:
        age_y = ASSUMED_AGE_Y
        notes.append(Assumption("age", f"{age_y:g} years", "not known; an adult"))
    return Person(sex, age_y, height_cm, weight_kg, name), tuple(notes)
