"""What a reader noticed: contradictions, gaps and refusals. Defines `Findings`."""

from __future__ import annotations

from collections.abc import Iterator

from wholedose.base import Finding, Severity


class Findings:
    """Collects findings; equal sentences are counted instead of repeated.

    Examples
    --------
    >>> notes = Findings()
    >>> notes.add("The tube voltage is missing.", place="event 1")
    >>> notes.add("The tube voltage is missing.", place="event 2")
    >>> notes.result()[0].what
    'The tube voltage is missing. (2 times: event 1, event 2)'
    """

    def __init__(self) -> None:
        self._seen: dict[tuple[str, Severity], tuple[list[str], list[float]]] = {}

    def add(
        self, what: str, *, size: float | None = None, severity: Severity = "warning", place: str = ""
    ) -> None:
        """Note something; `place` says where, such as the event."""
        places, sizes = self._seen.setdefault((what, severity), ([], []))
        places.append(place)
        if size is not None:
            sizes.append(size)

    def result(self) -> tuple[Finding, ...]:
        """Return the findings, the gravest first."""
        return tuple(sorted(self._build(), key=lambda one: ("error", "warning", "info").index(one.severity)))

    def _build(self) -> Iterator[Finding]:
        for (what, severity), (places, sizes) in self._seen.items():
            named = [place for place in places if place]
            text = what
            if named:
                shown = ", ".join(named[:5]) + (", …" if len(named) > 5 else "")
                text = f"{what} ({shown})" if len(named) == 1 else f"{what} ({len(named)} times: {shown})"
            size = max(sizes, key=abs) if sizes else None
            yield Finding(text, size, severity)
