"""The labels of a reference body as label maps draw them. Defines `merged_labels`."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from wholedose.body import BONE_SITES, Body
from wholedose.body.organs import PARTS

OF_THE_SITES = ("cortical_bone", "medullary_cavities")


def merged_labels(body: Body) -> tuple[NDArray[np.uint8], tuple[str, ...]]:
    """Return labels with parts merged into their organs and the cortex into its bones, and their names.

    Walls, contents and chambers become their organ; cortical bone and medullary cavities go to the nearest
    bone site; teeth and cartilage become ``bone``. Label i is ``names[i - 1]``.

    Examples
    --------
    ``merged_labels(reference(Person("F", 5)))`` → ``stomach`` instead of its wall and its contents.
    """
    goes_to = [PARTS[name].part_of if name in PARTS else name for name in body.organs]
    names = tuple(
        dict.fromkeys(n for n, own in zip(goes_to, body.organs, strict=True) if own not in OF_THE_SITES)
    )
    number = np.zeros(len(body.organs) + 1, dtype=np.uint8)
    for i, name in enumerate(goes_to, start=1):
        number[i] = names.index(name) + 1 if name in names else 0
    found: NDArray[np.uint8] = number[body.labels]
    _share_out(body, found, names)
    return found, names


def _share_out(body: Body, found: NDArray[np.uint8], names: tuple[str, ...]) -> None:
    """Give what cortex and cavities hold to the nearest bone site."""
    from scipy.spatial import cKDTree

    labels = body.labels.reshape(-1)
    shared = [body.label(name) for name in OF_THE_SITES if name in body.organs]
    sites = [body.label(name) for name in BONE_SITES if name in body.organs]
    loose, held = np.flatnonzero(np.isin(labels, shared)), np.flatnonzero(np.isin(labels, sites))
    if not loose.size or not held.size:
        return

    def at(index: NDArray[np.intp]) -> NDArray[Any]:
        place = np.column_stack(np.unravel_index(index, body.labels.shape))
        return np.asarray(place * np.asarray(body.grid.spacing_mm))

    _, nearest = cKDTree(at(held)).query(at(loose))
    found.reshape(-1)[loose] = found.reshape(-1)[held[nearest]]
