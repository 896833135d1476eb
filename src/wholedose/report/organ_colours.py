"""One colour per organ in all pictures of bodies. Defines `Look`, `look_of` and `legend_order`."""

from __future__ import annotations

import colorsys
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache
from typing import Literal

from wholedose.tables import load

Layer = Literal["organ", "skeleton", "inside"]
Colour = tuple[float, float, float]
LIGHTER = 0.55  # how far contents without a row of their own go from the organ's colour to white


@dataclass(frozen=True)
class Look:
    """How a label is drawn.

    Attributes
    ----------
    colour : tuple of float
        Red, green, blue, 0 to 1.
    layer : {"organ", "skeleton", "inside"}
        ``inside`` is drawn in sections only.
    opacity : float
        Of the organ's surface in the rendering in three dimensions, 0 to 1.
    order : int
        Place in legends.
    """

    colour: Colour
    layer: Layer
    opacity: float
    order: int


@cache
def _table() -> dict[str, Look]:
    return {
        str(row["name"]): Look(_rgb(str(row["colour"])), row["layer"], float(row["opacity"]), order)
        for order, row in enumerate(load("report/organ_colours").rows())
    }


@cache
def look_of(name: str) -> Look:
    """Return how a label is drawn; any name has a look, the same each time.

    Examples
    --------
    >>> print(look_of("bone_ribs").layer, look_of("lungs").opacity)
    skeleton 0.62
    >>> look_of("tail") == look_of("tail")
    True
    """
    table = _table()
    if name in table:
        return table[name]
    parts = name.split("_")
    for count in range(len(parts) - 1, 0, -1):
        known = table.get("_".join(parts[:count]))
        if known is None:
            continue
        if parts[-1] != "contents":
            return known
        paler = tuple(part + LIGHTER * (1.0 - part) for part in known.colour)
        return replace(known, colour=(paler[0], paler[1], paler[2]), layer="inside")
    digest = hashlib.sha256(name.encode()).digest()
    hue, light = digest[0] / 256.0, 0.42 + 0.25 * digest[1] / 256.0
    return Look(colorsys.hls_to_rgb(hue, light, 0.55), "organ", 1.0, len(table))


def legend_order(names: Iterable[str]) -> list[str]:
    """Return names in the order of legends: by system, bones and tissues last.

    Examples
    --------
    >>> legend_order(["skin", "liver", "bone_ribs", "brain"])
    ['brain', 'liver', 'bone_ribs', 'skin']
    """
    return sorted(names, key=lambda name: (look_of(name).order, name))


def _rgb(text: str) -> Colour:
    red, green, blue = (int(text[place : place + 2], 16) / 255.0 for place in (1, 3, 5))
    return red, green, blue
