"""A front view of the body with organs coloured by dose. Defines `body_map`.

Silhouette, skeleton and organs are parallel projections from the front of the very body in which the dose was
calculated; organs further forward are painted later. Radiological convention: the patient's left is on the
viewer's right.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from wholedose.report.canvas import INK, MUTED, RULE, SKIN, Picture, figure, svg_of
from wholedose.report.numbers import digits
from wholedose.report.planes import COLOURS

BACKDROP = frozenset(
    {"muscle", "skin", "adipose", "residual_soft_tissue", "bone", "red_bone_marrow", "endosteum", "aorta",
     "lymphatic_nodes", "oral_mucosa", "extrathoracic_region", "trachea", "spinal_cord"}
)  # fmt: skip
NAMED = 10
HEIGHT = 640
BELOW_MM, ABOVE_MM = 90.0, 70.0  # how far the view reaches beyond the organs; raised arms are cut


def body_map(body: Any, dose_mgy: Mapping[str, float]) -> Picture | None:
    """Return the body map, or None where the body holds no organ that can be drawn.

    Parameters
    ----------
    body : Body
        With ``grid``, ``labels`` [z, y, x] and ``organs`` (label i is ``organs[i - 1]``).
    dose_mgy : mapping of organ name to dose in mGy
    """
    import matplotlib
    from scipy.ndimage import gaussian_filter

    labels = np.asarray(body.labels)
    z, _, x = body.grid.axes_mm()
    drawn = _projections(body, dose_mgy)
    if not drawn:
        return None
    inside = np.asarray((labels > 0).any(axis=1))
    bones = [number for number, name in enumerate(body.organs, start=1) if name.startswith("bone")]
    skeleton = np.asarray(np.isin(labels, bones).any(axis=1))
    seen = np.asarray(np.any([mask for _, _, mask in drawn], axis=0))
    top_z = float(z[np.flatnonzero(seen.any(axis=1))[-1]]) + ABOVE_MM
    high = min(top_z, float(z[np.flatnonzero(inside.any(axis=1))[-1]]) + 20.0)
    low = max(
        float(z[np.flatnonzero(seen.any(axis=1))[0]]) - BELOW_MM,
        float(z[np.argmax(inside.any(axis=1))]) - 20.0,
    )
    columns = x[np.flatnonzero(inside[(z > low) & (z < high)].any(axis=0))[[0, -1]]]
    middle, wide = float(columns.mean()), float(np.ptp(columns)) + 40.0
    column = 175.0
    width = HEIGHT * wide / (high - low) + 2 * column
    fig = figure(width, HEIGHT)
    axes = fig.add_axes((column / width, 0, 1 - 2 * column / width, 1))
    axes.set_axis_off()
    axes.set_xlim(middle - wide / 2, middle + wide / 2)
    axes.set_ylim(low, high)
    blur = [1.0 / max(1.0, d / 3.0) for d in (body.grid.spacing_mm[0], body.grid.spacing_mm[2])]

    def smooth(mask: Any) -> Any:
        return gaussian_filter(np.pad(mask.astype(np.float32), 1), blur)

    zz = np.concatenate(([2 * z[0] - z[1]], z, [2 * z[-1] - z[-2]]))
    xx = np.concatenate(([2 * x[0] - x[1]], x, [2 * x[-1] - x[-2]]))
    axes.contourf(xx, zz, smooth(inside), levels=[0.5, 2.0], colors=[SKIN], zorder=1)
    if skeleton.any():
        axes.contourf(xx, zz, smooth(skeleton), levels=[0.5, 2.0], colors=[RULE], zorder=2)
    top = max(dose_mgy[organ] for _, organ, _ in drawn) or 1.0
    spots: list[tuple[str, float, float]] = []
    for layer, (_, organ, mask) in enumerate(drawn, start=3):
        colour = matplotlib.colormaps[COLOURS](0.18 + 0.80 * min(1.0, dose_mgy[organ] / top))
        field = smooth(mask)
        level = min(0.5, 0.6 * float(field.max()))
        axes.contourf(xx, zz, field, levels=[level, 2.0], colors=[colour], zorder=layer)
        axes.contour(xx, zz, field, levels=[level], colors=["#1b1b1f"], linewidths=0.5, zorder=layer)
        hidden = (
            np.any([later for _, _, later in drawn[layer - 2 :]], axis=0) if drawn[layer - 2 :] else False
        )
        if (visible := mask & ~np.asarray(hidden)).any():
            spots.append((organ, *_spot(visible, x, z)))
    _names(axes, spots, dose_mgy, wide, middle, (low, high))
    highest = max(drawn, key=lambda item: dose_mgy[item[1]])[1]
    alt = (
        f"Front view of the body with {len(drawn)} organs coloured by dose, "
        "the patient's left on the viewer's right. "
        f"The highest dose is {digits(dose_mgy[highest])} mGy in the {highest.replace('_', ' ')}."
    )
    caption = (
        f"The body of this calculation from the front, organs coloured by mean dose, 0 to {digits(top)} mGy "
        "(the patient's left is on the right). Muscle, skin and marrow are not drawn; bone is shown in grey."
    )
    return svg_of(fig, "bodymap", caption, alt)


def _projections(body: Any, dose_mgy: Mapping[str, float]) -> list[tuple[float, str, Any]]:
    """Return (depth in mm, organ, projected mask [z, x]), the deepest first."""
    from scipy.ndimage import find_objects

    labels = np.asarray(body.labels)
    y = body.grid.axes_mm()[1]
    drawn = []
    for organ, box in zip(body.organs, find_objects(labels, len(body.organs)), strict=True):
        if box is None or organ in BACKDROP or organ not in dose_mgy or organ.startswith("bone"):
            continue
        part = labels[box] == body.organs.index(organ) + 1
        mask = np.zeros((labels.shape[0], labels.shape[2]), dtype=bool)
        mask[box[0], box[2]] = part.any(axis=1)
        depth = float(part.sum(axis=(0, 2)) @ y[box[1]] / part.sum())
        drawn.append((depth, organ, mask))
    return sorted(drawn, key=lambda item: (-item[0], item[1]))


def _spot(mask: Any, x: Any, z: Any) -> tuple[float, float]:
    """Return a point inside an organ's projection, the deepest one."""
    from scipy.ndimage import distance_transform_edt

    row, column = np.unravel_index(
        int(np.argmax(distance_transform_edt(np.pad(mask, 1)))), np.add(mask.shape, 2)
    )
    return float(x[min(max(column - 1, 0), x.size - 1)]), float(z[min(max(row - 1, 0), z.size - 1)])


def _names(
    axes: Any,
    spots: list[tuple[str, float, float]],
    dose_mgy: Mapping[str, float],
    wide: float,
    middle: float,
    reach: tuple[float, float],
) -> None:
    """Write the names and doses of the organs with the highest doses beside the body, with leader lines."""
    chosen = sorted(spots, key=lambda spot: (-dose_mgy[spot[0]], spot[0]))[:NAMED]
    ordered = sorted(chosen, key=lambda spot: spot[1])
    half = len(ordered) // 2
    gap = (reach[1] - reach[0]) / 16
    for side, group in ((-1, ordered[:half]), (1, ordered[half:])):
        group = sorted(group, key=lambda spot: -spot[2])
        heights = _spread([spot[2] for spot in group], gap)
        for (organ, px, pz), height in zip(group, heights, strict=True):
            edge = middle + side * wide / 2
            axes.plot([px, edge], [pz, height], color=MUTED, linewidth=0.7, clip_on=False, zorder=90)
            axes.plot(
                [px],
                [pz],
                marker="o",
                markersize=2.6,
                color="#f4f5f3",
                markeredgecolor="#1b1b1f",
                markeredgewidth=0.5,
                zorder=91,
            )
            words = f"{organ.replace('_', ' ')}  {digits(dose_mgy[organ])} mGy"
            axes.text(
                edge + side * wide * 0.015, height, words,
                ha="left" if side > 0 else "right", va="center", color=INK, fontsize=11.5, clip_on=False,
            )  # fmt: skip


def _spread(heights: list[float], gap: float) -> list[float]:
    """Push falling heights apart to at least a gap, keeping their mean."""
    placed: list[float] = []
    for height in heights:
        placed.append(min(height, placed[-1] - gap) if placed else height)
    shift = (sum(heights) - sum(placed)) / len(heights) if heights else 0.0
    return [height + shift for height in placed]
