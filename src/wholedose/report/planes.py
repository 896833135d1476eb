"""CT with the dose laid over it in three planes. Defines `three_planes`, `plane`, `colour_bar` and `View`.

Radiological convention: one looks from the feet and from the front, so that the patient's left is on the
viewer's right. In LPS coordinates that is x growing to the right in axial and coronal pictures.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from wholedose.base import Grid, Volume
from wholedose.dose import DoseMap
from wholedose.report.canvas import Picture, figure, png_of
from wholedose.report.numbers import digits

Orientation = Literal["axial", "coronal", "sagittal"]
LETTERS: dict[Orientation, tuple[str, str, str, str]] = {  # left, right, top, bottom of the picture
    "axial": ("R", "L", "A", "P"),
    "coronal": ("R", "L", "H", "F"),
    "sagittal": ("A", "P", "H", "F"),
}
WINDOW_HU = (-950.0, 650.0)  # wide enough to show lung and bone at once
SHOWN_FROM = 0.03  # doses below this share of the scale leave the CT uncovered
MARGIN_MM = 60.0
BODY_HU = -400.0
TRIM_MM = 22.0
SCALE_OVER_QUARTILE = 1.5
COLOURS = "inferno"


@dataclass(frozen=True)
class View:
    """What the three planes show.

    Attributes
    ----------
    dose : DoseMap
    image : Volume or None
        CT numbers; None shows densities only.
    body_hu : Volume or None
        The calculated body in CT numbers, shown where the image has nothing.
    point_mm : tuple of float
        LPS point where the planes cross.
    low_mm, high_mm : tuple of float
        LPS corners of what is shown.
    scale_mgy : float
        Dose at the top of the colour scale.
    """

    dose: DoseMap
    image: Volume | None
    body_hu: Volume | None
    point_mm: tuple[float, float, float]
    low_mm: tuple[float, float, float]
    high_mm: tuple[float, float, float]
    scale_mgy: float

    @classmethod
    def of(cls, dose: DoseMap, image: Volume | None, body_hu: Volume | None = None) -> View:
        """Choose the planes: through the dose-weighted middle of the map, as far as image or body reach."""
        z, y, x = dose.grid.axes_mm()
        total = float(dose.dose_mgy.sum(dtype=np.float64)) or 1.0
        weights = [dose.dose_mgy.sum(axis=axes, dtype=np.float64) for axes in ((1, 2), (0, 2), (0, 1))]
        middle = [float(w @ axis) / total for w, axis in zip(weights, (z, y, x), strict=True)]
        frame = image.grid if image is not None else dose.grid
        low, high = list(frame.lower_mm), list(frame.upper_mm)
        reach = dose.grid
        low[2] = max(min(low[2], reach.lower_mm[2]), low[2] - MARGIN_MM)
        high[2] = min(max(high[2], reach.upper_mm[2]), high[2] + MARGIN_MM)
        if image is not None:
            low, high = _trimmed(image.grid, image.values > BODY_HU, low, high, (0, 1))
        else:
            low, high = _trimmed(dose.grid, dose.dose_mgy > 1e-3 * dose.dose_mgy.max(), low, high, (0, 1, 2))
        scale = scale_of(dose)
        return cls(
            dose,
            image,
            body_hu,
            (middle[2], middle[1], middle[0]),
            (low[0], low[1], low[2]),
            (high[0], high[1], high[2]),
            scale,
        )


def scale_of(dose: DoseMap) -> float:
    """Return the dose at the top of the colour scale, in mGy.

    It is 1.5 times the upper quartile of the voxels in the beam (those above a tenth of the 99.8th
    percentile), so that soft tissue spreads over the scale; bone receives more and shows in the top colour.
    """
    positive = dose.dose_mgy[dose.dose_mgy > 0]
    if not positive.size:
        return 1.0
    beam = positive[positive >= 0.1 * np.quantile(positive, 0.998)]
    return SCALE_OVER_QUARTILE * float(np.quantile(beam, 0.75))


def _trimmed(
    grid: Grid, shown: NDArray[np.bool_], low: list[float], high: list[float], axes: tuple[int, ...]
) -> tuple[list[float], list[float]]:
    """Cut what lies beyond a mask along x, y or z (0, 1, 2), but for a margin."""
    for axis in axes:
        where = np.flatnonzero(shown.any(axis=tuple(i for i in range(3) if i != 2 - axis)))
        if where.size:
            along = grid.axes_mm()[2 - axis]
            low[axis] = max(low[axis], float(along[where[0]]) - TRIM_MM)
            high[axis] = min(high[axis], float(along[where[-1]]) + TRIM_MM)
    return low, high


def _sample(
    grid: Grid, values: NDArray[Any], z: Any, y: Any, x: Any, *, outside: float
) -> NDArray[np.float64]:
    from scipy.ndimage import map_coordinates

    (dz, dy, dx), (ox, oy, oz) = grid.spacing_mm, grid.origin_mm
    index = np.stack(np.broadcast_arrays((z - oz) / dz, (y - oy) / dy, (x - ox) / dx))
    shape = np.array(grid.shape).reshape(3, *([1] * (index.ndim - 1)))
    beyond = ((index < -0.5) | (index > shape - 0.5)).any(axis=0)
    # a plane needs one or two layers of the volume: cut before converting
    first = [int(np.clip(np.floor(i.min()), 0, n - 1)) for i, n in zip(index, grid.shape, strict=True)]
    last = [int(np.clip(np.ceil(i.max()), 0, n - 1)) for i, n in zip(index, grid.shape, strict=True)]
    part = values[tuple(slice(a, b + 1) for a, b in zip(first, last, strict=True))].astype(np.float32)
    start = np.array(first).reshape(shape.shape)
    found = map_coordinates(part, index - start, order=1, mode="nearest")
    return np.where(beyond, outside, found).astype(np.float64)


def plane(view: View, orientation: Orientation, step_mm: float = 1.25) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return (CT numbers in HU, dose in mGy) of a plane as displayed: row 0 on top, column 0 on the left."""
    x = np.arange(view.low_mm[0] + step_mm / 2, view.high_mm[0], step_mm)
    y = np.arange(view.low_mm[1] + step_mm / 2, view.high_mm[1], step_mm)
    z = np.arange(view.high_mm[2] - step_mm / 2, view.low_mm[2], -step_mm)
    px, py, pz = view.point_mm
    at: tuple[Any, Any, Any]
    if orientation == "axial":
        at = (np.float64(pz), y[:, None], x[None, :])
    elif orientation == "coronal":
        at = (z[:, None], np.float64(py), x[None, :])
    else:
        at = (z[:, None], y[None, :], np.float64(px))
    dose = _sample(view.dose.grid, view.dose.dose_mgy, *at, outside=0.0)
    hu = np.full(dose.shape, np.nan)
    if view.image is not None:
        hu = _sample(view.image.grid, view.image.values, *at, outside=np.nan)
    if view.body_hu is not None:
        body = _sample(view.body_hu.grid, view.body_hu.values, *at, outside=-1000.0)
        hu = np.where(np.isnan(hu), body, hu)
    return np.nan_to_num(hu, nan=-1000.0), dose


def hu_of(body: Any) -> NDArray[np.int16]:
    """Return the CT numbers that a body's materials and densities would have near 120 kV, int16 [z, y, x].

    Parameters
    ----------
    body : Body
        With ``material``, ``materials`` and ``density_g_cm3``.
    """
    from wholedose.matter import relative_attenuation

    relative = relative_attenuation(body.materials).astype(np.float32)
    attenuation = relative[body.material] * body.density_g_cm3
    return np.asarray(np.clip(np.rint(1000.0 * (attenuation - 1.0)), -1000, 3071), dtype=np.int16)


def three_planes(view: View, scan_range_mm: tuple[float, float] | None = None) -> list[Picture]:
    """Return the axial, coronal and sagittal picture with orientation letters and the scanned range."""
    return [_picture(view, orientation, scan_range_mm) for orientation in LETTERS]


def _picture(view: View, orientation: Orientation, scan_range_mm: tuple[float, float] | None) -> Picture:
    import matplotlib
    from matplotlib.patheffects import withStroke

    step = 1.25
    hu, dose = plane(view, orientation, step)
    rows, columns = hu.shape
    fig = figure(columns, rows, dark=True)
    axes = fig.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    grey = np.clip((hu - WINDOW_HU[0]) / (WINDOW_HU[1] - WINDOW_HU[0]), 0, 1) ** 1.15
    axes.imshow(grey, cmap="gray", vmin=0, vmax=1, interpolation="bilinear", aspect="auto")
    share = np.clip(dose / view.scale_mgy, 0, 1)
    colours = matplotlib.colormaps[COLOURS](0.18 + 0.80 * share)
    body = hu > -900.0
    colours[..., 3] = np.where(share > SHOWN_FROM, 0.26 + 0.30 * share, 0.0) * np.where(body, 1.0, 0.0)
    axes.imshow(colours, interpolation="bilinear", aspect="auto")
    outline = [withStroke(linewidth=2.2, foreground="black")]
    size = 0.045 * rows
    left, right, top, bottom = LETTERS[orientation]
    for letter, (h, v) in (
        (left, (0.025, 0.5)),
        (right, (0.975, 0.5)),
        (top, (0.5, 0.965)),
        (bottom, (0.5, 0.035)),
    ):
        side = {0.025: "left", 0.975: "right"}.get(h, "center")
        axes.text(
            h, v, letter, transform=axes.transAxes, color="white", fontsize=size, fontweight="bold",
            ha=side, va="center", path_effects=outline,
        )  # fmt: skip
    if scan_range_mm is not None and orientation != "axial":
        for z in scan_range_mm:
            row = (view.high_mm[2] - z) / step - 0.5
            if 0 <= row < rows:
                axes.axhline(row, color="white", linewidth=1.4, linestyle=(0, (5, 4)), alpha=0.9)
    axes.set_xlim(-0.5, columns - 0.5)
    axes.set_ylim(rows - 0.5, -0.5)
    place = {"axial": "z", "coronal": "y", "sagittal": "x"}[orientation]
    at = view.point_mm["xyz".index(place)]
    caption = f"{orientation.capitalize()}, {place} = {round(at)} mm".replace("-", "−")
    peak = float(dose.max())
    alt = (
        f"{orientation.capitalize()} CT slice at {place} = {round(at)} mm with the absorbed dose in colour, "
        f"at most {digits(peak)} mGy in this plane. {_sides(orientation)}"
    )
    return png_of(fig, f"plane-{orientation}", caption, alt, scale=1.5)


def _sides(orientation: Orientation) -> str:
    if orientation == "sagittal":
        return "The front of the patient is on the left, the head on top."
    top = "front" if orientation == "axial" else "head"
    return f"The patient's left is on the viewer's right, the {top} on top."


def colour_bar(scale_mgy: float) -> str:
    """Return the dose scale as inline SVG, from 0 to the top of the scale."""
    import matplotlib
    from matplotlib.colors import to_hex

    table = matplotlib.colormaps[COLOURS](0.18 + 0.80 * np.linspace(0, 1, 17))
    stops = "".join(
        f'<stop offset="{100 * i / 16:.2f}%" stop-color="{to_hex(colour)}"/>'
        for i, colour in enumerate(table)
    )
    marks = "".join(
        f'<line x1="{x:.1f}" x2="{x:.1f}" y1="16" y2="21" class="tick"/>'
        f'<text x="{x:.1f}" y="35" text-anchor="middle">{tick:g}</text>'
        for tick, x in ((tick, 20 + 560 * tick / scale_mgy) for tick in _ticks(scale_mgy))
    )
    return (
        '<svg class="colourbar" viewBox="0 0 640 40" role="img" '
        f'aria-label="Colour scale of dose from 0 to {digits(scale_mgy)} mGy">'
        f'<defs><linearGradient id="dose-scale">{stops}</linearGradient></defs>'
        '<rect x="20" y="3" width="560" height="13" rx="2" fill="url(#dose-scale)"/>'
        f'{marks}<text x="590" y="14">mGy</text></svg>'
    )


def _ticks(top: float) -> list[float]:
    raw = top / 6
    power = 10.0 ** np.floor(np.log10(raw))
    step = next(m * power for m in (1, 2, 5, 10) if m * power >= raw)
    return [round(float(k * step), 10) for k in range(int(top / step) + 1)]
