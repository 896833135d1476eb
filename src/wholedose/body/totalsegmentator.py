"""Labels by the user's own TotalSegmentator. Defines `run_totalsegmentator`.

wholedose neither ships nor installs TotalSegmentator or its weights; this calls what the user has, in this
process, with the image in memory, and brings its label map into our frame.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

import numpy as np

from wholedose.base import Grid, Volume
from wholedose.base.errors import InvalidInput, MissingInput
from wholedose.base.grid import from_ras
from wholedose.body.labels import label_scheme

BY_HAND = "or run it elsewhere and give its label map as labels"


def run_totalsegmentator(
    image: Volume, *, task: str = "total", fast: bool = True, device: str = "gpu"
) -> tuple[Volume, dict[int, str]]:
    """Segment a CT with the TotalSegmentator that is installed beside wholedose.

    Parameters
    ----------
    image : Volume
        A CT in HU.
    task : str
        One of its CT tasks; ``"total"`` has 117 classes. Some tasks need a licence of its authors.
    fast : bool
        Its 3 mm model, which a processor without a graphics card can run.
    device : str
        ``"gpu"`` (falls back to ``"cpu"`` by itself), ``"cpu"`` or ``"mps"``.

    Returns
    -------
    labels : Volume
        int32 ``[z, y, x]`` on the image's grid, unit ``"label"``.
    names : dict of int to str
        Names of the labels that are present; both go into `from_ct`.

    Raises
    ------
    MissingInput
        It is not installed, or it stopped: no weights, no licence, not enough memory.
    InvalidInput
        The image is no CT in HU, or the result does not lie on it.

    Notes
    -----
    TotalSegmentator fetches its weights on first use and, unless its own configuration forbids it, sends
    anonymous usage statistics to its authors. wholedose itself connects to nothing.

    Examples
    --------
    ``labels, names = run_totalsegmentator(scan.image)``, then ``from_ct(scan.image, person, labels, names)``.
    """
    if image.unit != "HU":
        raise InvalidInput(f"The image is in {image.unit!r}, not HU.", where="image", way_out="Give a CT.")
    segmentator, class_map = _installed()
    import nibabel

    values = np.asarray(image.values)
    given = nibabel.Nifti1Image(
        np.ascontiguousarray(values.astype(np.int16 if values.dtype.kind in "iu" else np.float32).T),
        image.grid.affine_ras(),
    )
    try:
        answer = segmentator(given, None, ml=True, task=task, fast=fast, device=device, quiet=True)
    # it ends the process where a licence is missing, and lets errors of downloads and memory through
    except (Exception, SystemExit) as error:
        raise MissingInput(
            f"TotalSegmentator stopped ({type(error).__name__}: {error or 'no reason given'}).",
            where=f"task {task}",
            way_out="Check that its weights are there (totalseg_download_weights) and that the task needs no "
            f"licence, {BY_HAND}.",
        ) from error
    labels = _on_grid(answer[0] if isinstance(answer, tuple) else answer, image.grid, task)
    known = dict(class_map.get(task) or _own_list(task))
    present = [int(number) for number in np.unique(labels.values) if number]
    nameless = [number for number in present if number not in known]
    if nameless or not present:
        what = f"labels without a name: {nameless[:10]}" if nameless else "no label at all"
        raise InvalidInput(
            f"TotalSegmentator gave {what}.", where=f"task {task}", way_out=f"Check the image, {BY_HAND}."
        )
    return labels, {number: str(known[number]) for number in present}


def _installed() -> tuple[Callable[..., Any], Mapping[str, Mapping[int, str]]]:
    try:
        call = import_module("totalsegmentator.python_api").totalsegmentator
    except (ImportError, AttributeError) as error:
        raise MissingInput(
            f"TotalSegmentator cannot be used here ({error}).",
            where="totalsegmentator.python_api",
            way_out=f"Install it in this environment (pip install TotalSegmentator), {BY_HAND}.",
        ) from None
    try:
        found = import_module("totalsegmentator.map_to_binary").class_map
    except (ImportError, AttributeError):
        found = {}
    return call, found


def _own_list(task: str) -> dict[int, str]:
    return label_scheme(f"totalsegmentator_v2:{task}")


def _on_grid(answer: Any, grid: Grid, task: str) -> Volume:
    """Return the answer as labels on the image's grid, whatever order and direction its axes have."""
    try:
        array, affine = np.asanyarray(answer.dataobj), np.asarray(answer.affine, dtype=float)
    except (AttributeError, ValueError, TypeError):
        raise InvalidInput(
            f"TotalSegmentator gave {type(answer).__name__}, not a NIfTI image.",
            where=f"task {task}",
            way_out=f"Use version 2, {BY_HAND}.",
        ) from None
    placed, values = from_ras(affine, array, where=f"task {task}")
    if not placed.matches(grid, tolerance_mm=0.1):
        raise InvalidInput(
            f"TotalSegmentator's labels {placed.shape} do not lie on the image {grid.shape}.",
            where=f"task {task}",
            way_out=f"Give the image with axial slices, {BY_HAND}.",
        )
    whole = np.rint(values).astype(np.int32)
    return Volume(grid, whole, "label", {"source": f"TotalSegmentator, task {task}"})
