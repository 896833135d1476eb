"""From matplotlib to a picture inside a page. Defines `Picture`, `svg_of`, `png_of` and the theme's colours.

Charts become inline SVG whose colours are variables of the page's style sheet, so that one chart serves
light, dark and print. Nothing here touches matplotlib's global figure state; one figure gives the same bytes.
"""

from __future__ import annotations

import base64
import io
import re
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# stand-ins that no chart uses otherwise; `svg_of` puts the style sheet's variables in their place
INK, MUTED, RULE, ACCENT, SOFT, SKIN, WARN = (f"#0a0b0{digit}" for digit in "1234567")
SERIES = tuple(f"#0a0b1{digit}" for digit in "12345678")
_VARIABLES = {
    INK: "ink",
    MUTED: "muted",
    RULE: "rule",
    ACCENT: "accent",
    SOFT: "accent-soft",
    SKIN: "silhouette",
    WARN: "warn",
    **{colour: f"c{number}" for number, colour in enumerate(SERIES, start=1)},
}
_LOCK = threading.Lock()  # rc settings are global to matplotlib


@dataclass(frozen=True)
class Picture:
    """A picture ready for the page.

    Attributes
    ----------
    name : str
        Unique in the document; prefix of the ids inside.
    markup : str
        ``<svg>…</svg>`` or ``<img …>``, trusted (made here).
    caption : str
    alt : str
        What a reader who cannot see it should know.
    width, height : int
        Natural size in CSS pixels.
    """

    name: str
    markup: str
    caption: str
    alt: str
    width: int
    height: int

    @property
    def aspect(self) -> float:
        """Width divided by height."""
        return self.width / self.height


def figure(width_px: float, height_px: float, *, dark: bool = False) -> Figure:
    """Return an empty figure of a size in CSS pixels; transparent, or black for images."""
    from matplotlib.figure import Figure

    made = Figure(figsize=(width_px / 72, height_px / 72), dpi=72)
    made.set_facecolor("black" if dark else "none")
    return made


def svg_of(fig: Figure, name: str, caption: str, alt: str) -> Picture:
    """Return a figure as inline SVG: themed, without ids that clash, dates or outside references."""
    import matplotlib

    stream = io.StringIO()
    with _LOCK, matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": name, "svg.id": None}):
        fig.savefig(stream, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    width, height = (round(72 * size) for size in fig.get_size_inches())
    return Picture(name, _tidy(stream.getvalue(), name, alt), caption, alt, width, height)


def png_of(fig: Figure, name: str, caption: str, alt: str, scale: float = 2.0) -> Picture:
    """Return a figure as an image in a data URI."""
    stream = io.BytesIO()
    with _LOCK:
        fig.savefig(
            stream, format="png", dpi=72 * scale, facecolor=fig.get_facecolor(), metadata={"Software": None}
        )
    width, height = (round(72 * size) for size in fig.get_size_inches())
    data = base64.b64encode(stream.getvalue()).decode()
    markup = f'<img src="data:image/png;base64,{data}" width="{width}" height="{height}" alt="{escape(alt)}">'
    return Picture(name, markup, caption, alt, width, height)


def escape(text: str) -> str:
    """Return text safe inside an element or a quoted attribute."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")


def _tidy(svg: str, name: str, alt: str) -> str:
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    head = re.search(r'viewBox="([^"]+)"', svg)
    box = head.group(1) if head else "0 0 100 100"
    body = svg[svg.index(">") + 1 :]
    used = set(re.findall(r'(?:url\(#|href="#)([^)"]+)', body))
    body = re.sub(
        r' id="([^"]+)"', lambda found: f' id="{name}-{found[1]}"' if found[1] in used else "", body
    )
    body = re.sub(r"url\(#", f"url(#{name}-", body)
    body = re.sub(r'xlink:href="#', f'href="#{name}-', body)
    body = re.sub(
        r"<style[^>]*>\*\{[^}]*\}</style>|<style type=\"text/css\">.*?</style>", "", body, flags=re.DOTALL
    )
    body = re.sub(r"font: (?:(\d+) )?([\d.]+)px [^;\"]+", _font, body)
    # short coordinates inside tags; the text between them is left alone
    body = re.sub(r"<[^>]+>", lambda found: re.sub(r"(\d+\.\d{2})\d+", r"\1", found[0]), body)
    for colour, variable in _VARIABLES.items():
        body = body.replace(colour, f"var(--{variable})")
    body = re.sub(r"\n\s*", "\n", body)
    head_tag = f'<svg class="chart chart-{name}" viewBox="{box}" role="img" aria-label="{escape(alt)}">'
    return head_tag + body.strip()


def _font(found: re.Match[str]) -> str:
    return f"font-size: {found[2]}px" + (f"; font-weight: {found[1]}" if found[1] else "")
