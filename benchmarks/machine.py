"""What the figures of a benchmark were measured on. Defines `machine`."""

from __future__ import annotations

import platform
from typing import Any

from wholedose.base import available_cores


def machine() -> dict[str, Any]:
    """Return processor, cores that this process may use, and version of Python."""
    model = platform.processor()
    try:
        with open("/proc/cpuinfo", encoding="ascii", errors="replace") as file:
            model = next(
                (line.split(":")[1].strip() for line in file if line.startswith("model name")), model
            )
    except OSError:
        pass
    return {"cpu": model, "cores": available_cores(), "python": platform.python_version()}
