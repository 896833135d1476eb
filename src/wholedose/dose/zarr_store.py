"""Dose maps as Zarr v3, for large studies and the store. Defines `save` and `load`."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from wholedose.base import Cause, Grid, InvalidInput, Provenance, write_folder_atomically
from wholedose.dose.dose_map import DoseMap

FORMAT = 1


def save(dose: DoseMap, path: Path) -> Path:
    """Write a Zarr group with ``dose_mgy`` and, where known, ``relative_u``; replaced as a whole."""
    import zarr

    with write_folder_atomically(path) as room:
        group = zarr.create_group(store=str(room), zarr_format=3)
        group.attrs.update(
            {
                "format": FORMAT,
                "unit": "mGy",
                "grid": dose.grid.to_json(),
                "provenance": dose.provenance.to_json(),
                "relative_parts": [[*cause, part] for cause, part in sorted(dose.relative_parts.items())],
            }
        )
        for name, values in (("dose_mgy", dose.dose_mgy), ("relative_u", dose.relative_u)):
            if values is not None:
                chunks = tuple(min(n, 64) for n in values.shape)
                group.create_array(name, data=values, chunks=chunks)
    return path


def load(path: Path) -> DoseMap:
    """Read a map that `save` wrote."""
    import zarr

    try:
        group = zarr.open_group(store=str(path), mode="r")
        attributes = dict(group.attrs)
        if attributes["format"] != FORMAT:
            raise InvalidInput(f"Dose map format {attributes['format']} is not {FORMAT}.", where=str(path))
        relative_u = np.asarray(group["relative_u"][:]) if "relative_u" in group else None
        return DoseMap(
            Grid.from_json(attributes["grid"]),
            np.asarray(group["dose_mgy"][:]),
            Provenance.from_json(attributes["provenance"]),
            relative_u,
            {Cause(name, origin): part for name, origin, part in attributes["relative_parts"]},
        )
    except InvalidInput:
        raise
    except Exception as error:  # zarr's stores raise many families
        raise InvalidInput(f"The folder is not a dose map: {error}.", where=str(path)) from error
