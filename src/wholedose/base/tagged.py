"""An input value that says how it is known. Defines `Tagged` and `Tag`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar

T = TypeVar("T")
Tag = Literal["extracted", "derived", "assumed"]


@dataclass(frozen=True)
class Tagged(Generic[T]):
    """A value with its unit and the way it became known.

    Attributes
    ----------
    value : T
    unit : str
        UCUM spelling, ``"1"`` for none.
    tag : {"extracted", "derived", "assumed"}
        Read in the input (or typed by the user), computed from what was read, or chosen by a stated rule.
    code : str
        The vendor's or DICOM's code of the quantity, such as ``"113830, DCM"``, or the attribute's keyword.
    where : str
        File and place, or the rule of an assumption.
    """

    value: T
    unit: str
    tag: Tag
    code: str = ""
    where: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return value, unit, code and tag, as ``wholedose read --json`` prints them."""
        return {"value": self.value, "unit": self.unit, "code": self.code, "tag": self.tag}

    def __str__(self) -> str:
        unit = "" if self.unit == "1" else f" {self.unit}"
        return f"{self.value}{unit} ({self.tag})"
