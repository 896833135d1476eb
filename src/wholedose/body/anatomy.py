"""How uncertain an organ's dose is by its shape and place. Defines `anatomy_u_of`."""

from __future__ import annotations

import math
from collections.abc import Mapping

from wholedose.body.organs import BONE_SITES, ORGANS, PARTS, parts_of
from wholedose.tables import load

MARROW_DISTRIBUTION_U = 0.05
"""Relative, for the shares of marrow by site (assumption; see table ``body/marrow_distribution``)."""


def small_organs() -> frozenset[str]:
    """Return the organs whose place matters more than their extent (note of the table)."""
    note = load("body/anatomy_uncertainty").header["note"]
    return frozenset(name.strip() for name in note.split(":", 1)[1].split(","))


def anatomy_u_of(
    origin: Mapping[str, str], inside: Mapping[str, float], marrow_share: Mapping[str, float] | None = None
) -> dict[str, float]:
    """Return the relative standard uncertainty per organ by the rule of ``body/anatomy_uncertainty``.

    Parameters
    ----------
    origin : mapping of organ or bone site to {"image", "label map", "reference"}
    inside : mapping of organ or bone site to float
        Share of its mass inside the image, 0 to 1; 1 for a body without an image.
    marrow_share : mapping of bone site to float, optional
        Adds ``bone``, ``red_bone_marrow`` and ``endosteum``, weighted by these shares.

    Examples
    --------
    >>> anatomy_u_of({"liver": "label map"}, {"liver": 1.0})
    {'liver': 0.02}
    """
    table = load("body/anatomy_uncertainty")
    value = {
        (str(r["origin"]), str(r["place"]), str(r["size"])): float(r["relative_u"]) for r in table.rows()
    }
    small = small_organs()
    found = {}
    for name, source in origin.items():
        whole = PARTS[name].part_of if name in PARTS else name
        size = "small" if name in small or whole in small else "large"
        share = inside.get(name, 1.0)
        outside = value["reference", "outside", size]
        found[name] = share * value[source, "inside", size] + (1 - share) * outside
    for organ in ORGANS:
        parts = [found[name] for name in parts_of(organ) if name in found]
        if parts and organ not in found and organ != "bone":
            found[organ] = max(parts)
    if marrow_share:
        total = sum(marrow_share.get(n, 0.0) for n in found if n in BONE_SITES)
        if total:
            mean = sum(marrow_share.get(n, 0.0) * u for n, u in found.items() if n in BONE_SITES) / total
            found["bone"] = mean
            found["red_bone_marrow"] = found["endosteum"] = math.hypot(mean, MARROW_DISTRIBUTION_U)
    return found
