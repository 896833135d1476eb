"""Formulas of the documentation as MathML, which browsers show without a script from another host."""

from __future__ import annotations

import html
import re
from typing import Any

from latex2mathml.converter import convert

FORMULA = re.compile(r'<(span|div) class="arithmatex">(?:\\\(|\\\[)(.*?)(?:\\\)|\\\])</\1>', re.S)


def on_page_content(content: str, **_: Any) -> str:
    """Replace each formula of a page (called by the site builder)."""

    def formula(match: re.Match[str]) -> str:
        display = "inline" if match.group(1) == "span" else "block"
        return str(convert(html.unescape(match.group(2)), display=display))

    return FORMULA.sub(formula, content)
