"""The page of the room."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

PAGE = Path(__file__).resolve().parents[2] / "docs/body.md"


def test_the_example_runs(capsys: pytest.CaptureFixture[str]) -> None:
    """The page's example runs as printed and prints two lines."""
    found = re.search(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    exec(found.group(1), {})
    assert len(capsys.readouterr().out.splitlines()) == 2
