"""One thing noticed on the way to a result. Defines `Finding` and `Severity`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

Severity = Literal["info", "warning", "error"]


@dataclass(frozen=True)
class Finding:
    """A contradiction, a gap or a refusal that a reader or a check noticed.

    Attributes
    ----------
    what : str
        A sentence.
    size : float or None
        How large the contradiction is; a relative difference unless the sentence says otherwise.
    severity : {"info", "warning", "error"}
        Worth knowing; to be looked at; a value was left out or is missing.

    Examples
    --------
    >>> Finding("Energy in and out differ (relative).", 1e-6).to_json()["severity"]
    'warning'
    """

    what: str
    size: float | None = None
    severity: Severity = "warning"

    def to_json(self) -> dict[str, Any]:
        """Return what, size and severity, as ``result.json`` and ``wholedose read --json`` hold them."""
        return {"what": self.what, "size": self.size, "severity": self.severity}
