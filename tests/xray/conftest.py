"""A small body and a scan of it, for tests that run the whole chain in seconds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from wholedose.base import Grid
from wholedose.body import Body, Person
from wholedose.matter import material
from wholedose.xray import CtScan

LENGTH_MM = 480.0


def build_body(shift_mm: tuple[float, float, float] = (0.0, 0.0, 0.0), *, mirrored: bool = False) -> Body:
    """An elliptic trunk of 48 cm: lungs, ribs, liver on the right, kidney on the left, uterus far below."""
    grid = Grid((24, 24, 36), (20.0, 10.0, 10.0), (-175.0, -115.0, -230.0))
    z, y, x = grid.axes_mm()
    zz, yy, xx = np.meshgrid(z, y, x, indexing="ij")
    if mirrored:
        xx = -xx
    labels = np.zeros(grid.shape, dtype=np.int16)
    trunk = (xx / 160.0) ** 2 + (yy / 105.0) ** 2 <= 1.0
    labels[trunk] = 1
    ribs = trunk & ((xx / 140.0) ** 2 + (yy / 90.0) ** 2 > 1.0) & (zz > 20.0) & (np.mod(zz, 40.0) < 20.0)
    labels[ribs] = 5
    for index, (cx, cy, cz, rx, ry, rz) in enumerate(
        [
            (-70, 0, 110, 40, 60, 90),
            (-60, -10, -30, 70, 60, 40),
            (60, 40, -60, 25, 25, 40),
            (0, 0, -200, 30, 30, 25),
        ]
    ):
        inside = ((xx - cx) / rx) ** 2 + ((yy - cy) / ry) ** 2 + ((zz - cz) / rz) ** 2 <= 1.0
        if index == 0:
            inside |= ((xx + cx) / rx) ** 2 + ((yy - cy) / ry) ** 2 + ((zz - cz) / rz) ** 2 <= 1.0
        labels[inside] = (2, 3, 4, 6)[index]
    organs = ("residual_soft_tissue", "lungs", "liver", "kidneys", "bone_ribs", "uterus")
    materials = (material("air"), material("soft_tissue"), material("lung"), material("spongiosa"))
    which = np.array([0, 1, 2, 1, 1, 3, 1], dtype=np.uint8)
    density = np.array([0.0012, 1.03, 0.26, 1.05, 1.05, 1.18, 1.05], dtype=np.float32)
    x0, y0, z0 = grid.origin_mm
    moved = Grid(grid.shape, grid.spacing_mm, (x0 + shift_mm[0], y0 + shift_mm[1], z0 + shift_mm[2]))
    return Body(
        Person("F", 40.0, 165.0, 62.0),
        moved,
        labels,
        organs,
        which[labels],
        density[labels],
        materials,
        dict.fromkeys(organs, "reference"),
        anatomy_u={"lungs": 0.05},
    )


def build_scan(shift_mm: tuple[float, float, float] = (0.0, 0.0, 0.0), **changes: Any) -> CtScan:
    values: dict[str, Any] = {
        "kv": 120.0,
        "ctdivol_mgy": 10.0,
        "phantom_cm": 32,
        "mode": "helical",
        "start_z_mm": -40.0 + shift_mm[2],
        "end_z_mm": 180.0 + shift_mm[2],
        "isocentre_mm": (shift_mm[0], shift_mm[1]),
        "collimation_mm": 40.0,
        "pitch": 1.0,
        "source_isocentre_mm": 570.0,
    }
    return CtScan.typed(**(values | changes))


@pytest.fixture(scope="session")
def body() -> Body:
    return build_body()


@pytest.fixture(scope="session")
def little_body() -> Callable[..., Body]:
    return build_body


@pytest.fixture(scope="session")
def little_scan() -> Callable[..., CtScan]:
    return build_scan
