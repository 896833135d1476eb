"""A body of ellipsoids whose places are known, for tests of pictures. Defines `ball_body`."""

from __future__ import annotations

from functools import cache

import numpy as np

from wholedose.base import Grid
from wholedose.body import Body, Person
from wholedose.matter import material

BALLS = {  # label: centres and half axes (x, y, z) in mm, later ones over earlier ones
    "muscle": [((0, 0, 0), (150, 90, 260)), ((0, 0, 330), (70, 85, 100)), ((-60, 0, -380), (55, 60, 260)),
               ((60, 0, -380), (55, 60, 260))],
    "brain": [((0, 0, 350), (50, 60, 50))],
    "thyroid": [((0, -40, 250), (20, 12, 20))],
    "lungs": [((-65, 0, 120), (50, 60, 90)), ((65, 0, 120), (50, 60, 90))],
    "heart": [((15, -30, 100), (35, 35, 40))],
    "liver": [((-60, -10, -20), (60, 55, 50))],
    "spleen": [((85, 30, -10), (25, 25, 30))],
    "kidneys": [((-55, 50, -60), (20, 20, 40)), ((55, 50, -60), (20, 20, 40))],
    "bone_pelvis": [((0, 10, -170), (90, 30, 30))],
    "bone_femora_upper": [((-60, 0, -350), (18, 18, 120)), ((60, 0, -350), (18, 18, 120))],
}  # fmt: skip
DENSITY = 1.05


@cache
def ball_body(voxel_mm: float = 6.0, left_mm: float = 0.0, only: tuple[str, ...] = ()) -> Body:
    """Return the body, moved to its left; with ``only`` without the other labels."""
    shape = tuple(int(np.ceil(2 * reach / voxel_mm)) for reach in (660, 110, 170))
    origin = tuple(-(n - 1) * voxel_mm / 2 for n in shape[::-1])
    grid = Grid(
        (shape[0], shape[1], shape[2]),
        (voxel_mm, voxel_mm, voxel_mm),
        (origin[0] + left_mm, origin[1], origin[2]),
    )
    z, y, x = np.meshgrid(*grid.axes_mm(), indexing="ij")
    x = x - left_mm
    names = only or tuple(BALLS)
    labels = np.zeros(grid.shape, dtype=np.int16)
    for number, name in enumerate(names, start=1):
        for (cx, cy, cz), (ax, ay, az) in BALLS[name]:
            labels[((x - cx) / ax) ** 2 + ((y - cy) / ay) ** 2 + ((z - cz) / az) ** 2 <= 1] = number
    return Body(
        person=Person(sex="F", age_y=34, height_cm=168, weight_kg=61),
        grid=grid,
        labels=labels,
        organs=names,
        material=(labels > 0).astype(np.uint8),
        density_g_cm3=np.where(labels > 0, DENSITY, 0.0012).astype(np.float32),
        materials=(material("air"), material("soft_tissue")),
        origin=dict.fromkeys(names, "reference"),
    )
