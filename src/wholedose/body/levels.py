"""Heights at which the drawn anatomy lies. Defines `drawn_height`.

The shapes of the trunk are drawn on a scale of heights of their own (tables ``body/drawn_*``). The table
``body/levels_of_drawing`` says where in the template some of these heights lie, after measured people.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from wholedose.tables import load

TRUNK_MM = (180.0, 230.0)
"""Half width of the template's trunk, and where its arms, which keep their heights, begin."""


def drawn_height(template_mm: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Return the heights of the drawing at places of the template.

    Parameters
    ----------
    template_mm : array ``[n, 3]``

    Returns
    -------
    array ``[n]``
        In mm; the same height for arms and legs.

    Examples
    --------
    >>> drawn_height(np.array([[0.0, 0.0, 1063.0], [400.0, 0.0, 1063.0]])).round().tolist()
    [1095.0, 1063.0]
    """
    table = load("body/levels_of_drawing")
    x, z = np.abs(template_mm[:, 0]), np.asarray(template_mm[:, 2], dtype=np.float64)
    low, high = TRUNK_MM
    share = np.clip((high - x) / (high - low), 0.0, 1.0)
    higher = table["drawn_mm"] - table["template_mm"]
    return np.asarray(z + share * np.interp(z, table["template_mm"], higher))
