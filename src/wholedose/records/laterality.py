"""Sides of the body in codes and in text. Defines `laterality`."""

from __future__ import annotations

from wholedose.records import concepts
from wholedose.records.sr import Code


def laterality(value: Code | str | None) -> str:
    """Return ``"left"``, ``"right"``, ``"both"`` or ``"unknown"`` for a coded or written side.

    Examples
    --------
    >>> laterality("R"), laterality(Code("T-04030", "SRT", "Left breast")), laterality(None)
    ('right', 'left', 'unknown')
    """
    text = value.value if isinstance(value, Code) else str(value or "").strip().upper()
    if text in concepts.LEFT:
        return "left"
    if text in concepts.RIGHT:
        return "right"
    return "both" if text in concepts.BOTH else "unknown"
