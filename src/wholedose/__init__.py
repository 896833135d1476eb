"""Every radiation dose a person receives from medicine: computed, added up, turned into risk and words.

>>> import wholedose as wd
>>> person = wd.Person(sex="F", age_y=34, height_cm=168, weight_kg=61)

``wd.read`` reads a study, ``wd.body`` makes the body, ``wd.xray.estimate`` the dose; ``wd.Ledger`` adds up,
``wd.risk.appraise`` and ``wd.report.build`` follow. For research and quality assurance; not a medical device.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from wholedose._version import __version__

if TYPE_CHECKING:
    from wholedose import (
        base,
        body,
        dose,
        jobs,
        matter,
        records,
        report,
        risk,
        synthetic,
        tables,
        transport,
        xray,
    )
    from wholedose.body import Person
    from wholedose.dose import Ledger, load_dose
    from wholedose.records import read

ROOMS = (
    "base",
    "body",
    "dose",
    "jobs",
    "matter",
    "records",
    "report",
    "risk",
    "synthetic",
    "tables",
    "transport",
    "validation",
    "xray",
)
_HOMES = {
    "Ledger": "wholedose.dose",
    "Person": "wholedose.body",
    "load_dose": "wholedose.dose",
    "read": "wholedose.records",
}

__all__ = [
    "Ledger",
    "Person",
    "__version__",
    "base",
    "body",
    "dose",
    "jobs",
    "load_dose",
    "matter",
    "read",
    "records",
    "report",
    "risk",
    "synthetic",
    "tables",
    "transport",
    "xray",
]


def __getattr__(name: str) -> Any:
    # rooms load when they are used: `import wholedose` stays fast
    if name in ROOMS:
        return importlib.import_module(f"wholedose.{name}")
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'wholedose' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
