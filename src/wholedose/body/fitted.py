"""All organs on any CT without a network. Defines `segment`.

The reference body of the person is registered to the image (`wholedose.body.matching`), refined at the
surfaces that every CT shows (skin, lungs, bones), and its organs are kept to the tissue that they are made
of. How well that agrees with labels drawn by others is measured in the tests marked ``shared``.
"""

from __future__ import annotations

import numpy as np

from wholedose.base import Volume
from wholedose.body.image_body import from_ct
from wholedose.body.organs import PARTS
from wholedose.body.person import Person
from wholedose.body.resample import nearest

WORK_MM = 3.0


def segment(
    image: Volume,
    person: Person | None = None,
    *,
    region: str | None = None,
    whole: bool = True,
    voxel_mm: float = WORK_MM,
) -> tuple[Volume, dict[int, str]]:
    """Label all organs of a CT by the reference body fitted to it.

    Parameters
    ----------
    image : Volume
        CT numbers in HU.
    person : Person, optional
        Whose image it is; what is unknown is assumed.
    region : str, optional
        Name in ``body/regions`` of what the image shows, when that is hard to see.
    whole : bool
        Name organs as wholes (``stomach``); False names walls, contents and chambers apart.
    voxel_mm : float
        Size of the voxels on which the work is done; labels come on the grid of the image.

    Returns
    -------
    labels : Volume
        int16 on the grid of ``image``, unit ``label``; 0 is nobody.
    names : dict of int to str
        Of the labels that occur.

    Raises
    ------
    InvalidInput
        No CT, or no body in it.

    Notes
    -----
    Shapes are those of a typical person of that size: good for large organs and for doses, no replacement
    for a drawn contour.

    Examples
    --------
    ``labels, names = segment(image, Person("M", 60, 175, 80))`` → names such as ``{12: "liver", …}``.
    """
    body = from_ct(image, person, voxel_mm=voxel_mm, region=region, members=0)
    names = {i: _whole(name) if whole else name for i, name in enumerate(body.organs, start=1)}
    known = sorted(set(names.values()))
    renumber = np.zeros(len(body.organs) + 1, dtype=np.int16)
    for i, name in names.items():
        renumber[i] = known.index(name) + 1
    values = renumber[nearest(Volume(body.grid, body.labels, "label", {}), image.grid)]
    present = set(np.unique(values).tolist()) - {0}
    found = {i: name for i, name in enumerate(known, start=1) if i in present}
    return Volume(image.grid, values, "label", {"assumptions": body.assumptions}), found


def _whole(name: str) -> str:
    whole = PARTS[name].part_of if name in PARTS else ""
    # bone keeps its sites, and the cortex between them its own name
    return whole if whole and whole != "bone" else name
