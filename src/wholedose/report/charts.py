"""The charts of a report as inline SVG: organ doses, uncertainty budget, histogram, profile, risk.

Defines `organ_chart`, `budget_chart`, `dvh_chart`, `profile_chart`, `risk_chart`; each returns a `Picture`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from wholedose.base import Estimate
from wholedose.dose import DVH
from wholedose.report.canvas import ACCENT, INK, MUTED, RULE, SERIES, SOFT, Picture, figure, svg_of
from wholedose.report.case import OrganRow
from wholedose.report.numbers import bounds, digits, percent, with_uncertainty

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDTH = 720


def organ_chart(rows: Sequence[OrganRow]) -> Picture:
    """Return horizontal bars of dose per organ with 95 % intervals; organs outside the scan are hollow."""
    shown = [row for row in rows if row.dose.value > 0]
    height = 22 * len(shown) + 52
    fig = figure(WIDTH, height)
    axes = fig.add_axes((0.235, 40 / height, 0.70, 1 - 48 / height))
    places = np.arange(len(shown))[::-1]
    top = max((bounds(row.dose)[1] for row in shown), default=1.0)
    for place, row in zip(places, shown, strict=True):
        inside = row.in_scan > 0
        colour = ACCENT if row.in_scan >= 0.5 else SOFT
        axes.barh(
            place,
            row.dose.value,
            height=0.62,
            facecolor=colour if inside else "none",
            edgecolor=colour if inside else MUTED,
            linewidth=0.9,
        )
        low, high = bounds(row.dose)
        axes.plot([low, high], [place, place], color=INK, linewidth=1.3, solid_capstyle="butt")
        for end in (low, high):
            axes.plot([end, end], [place - 0.15, place + 0.15], color=INK, linewidth=1.3)
        axes.text(
            high + 0.012 * top, place, with_uncertainty(row.dose)[0], va="center", color=MUTED, fontsize=10.5
        )
    axes.set_yticks(places, [row.label for row in shown])
    axes.set_ylim(-0.7, len(shown) - 0.3)
    axes.set_xlim(0, 1.09 * top)
    axes.set_xlabel("absorbed dose (mGy)")
    _plain(axes, grid="x")
    axes.tick_params(axis="y", length=0, labelcolor=INK)
    best = shown[0] if shown else None
    alt = f"Bar chart of the dose to {len(shown)} organs."
    if best is not None:
        alt += f" The highest is {best.label} with {digits(best.dose.value)} mGy."
    caption = (
        "Mean absorbed dose per organ. Whiskers: 95 % interval. Filled dark: at least half of the organ in "
        "the scanned range; filled light: partly; hollow: outside, reached by scattered radiation only."
    )
    return svg_of(fig, "organs", caption, alt)


def budget_chart(estimate: Estimate, what: str) -> Picture:
    """Return the uncertainty budget as horizontal bars, one per cause, and their combination."""
    shares = sorted(estimate.by_name().items(), key=lambda pair: (-pair[1], pair[0]))
    scale = 100.0 / estimate.value if estimate.value else 0.0
    names = [name for name, _ in shares] + ["combined"]
    values = [scale * u for _, u in shares] + [scale * estimate.u]
    height = 27 * len(names) + 50
    fig = figure(WIDTH, height)
    axes = fig.add_axes((0.275, 40 / height, 0.66, 1 - 48 / height))
    places = np.arange(len(names))[::-1]
    colours = [ACCENT] * len(shares) + [INK]
    axes.barh(places, values, height=0.55, color=colours)
    top = max(max(values), 1e-9)
    for place, value in zip(places, values, strict=True):
        axes.text(value + 0.012 * top, place, f"{digits(value, 2)} %", va="center", color=INK, fontsize=11)
    axes.axhline(0.5, color=RULE, linewidth=0.8)
    axes.set_yticks(places, names)
    axes.set_ylim(-0.6, len(names) - 0.4)
    axes.set_xlim(0, 1.13 * top)
    axes.set_xlabel(f"standard uncertainty of the {what} (%)")
    _plain(axes, grid="x")
    axes.tick_params(axis="y", length=0, labelcolor=INK)
    leading = (
        f" The largest cause is {shares[0][0]} with {digits(scale * shares[0][1], 2)} %." if shares else ""
    )
    combined = digits(scale * estimate.u, 2)
    alt = f"Bar chart of the uncertainty of the {what} by cause; combined {combined} %.{leading}"
    caption = (
        f"What makes the {what} uncertain (k = 1). Causes with different origins combine in quadrature, "
        "so the bars do not add up to the last one."
    )
    return svg_of(fig, "budget", caption, alt)


def dvh_chart(histograms: Mapping[str, DVH]) -> Picture:
    """Return cumulative dose-volume histograms, one line per organ."""
    fig = figure(WIDTH, 340)
    axes = fig.add_axes((0.085, 0.145, 0.885, 0.83))
    top = 0.0
    for number, (organ, dvh) in enumerate(histograms.items()):
        dose, volume = dvh.curve(240)
        axes.plot(
            dose,
            100 * volume,
            color=SERIES[number % len(SERIES)],
            linewidth=1.9,
            linestyle=("-", "--")[number // len(SERIES) % 2],
            label=organ.replace("_", " "),
        )
        top = max(top, dvh.dose_to_hottest(0.002))
    axes.set_xlim(0, 1.02 * top or 1)
    axes.set_ylim(0, 102)
    axes.set_xlabel("absorbed dose (mGy)")
    axes.set_ylabel("mass with at least this dose (%)")
    _plain(axes, grid="both")
    axes.legend(frameon=False, labelcolor=INK, fontsize=11, loc="upper right")
    rows = "; ".join(f"{organ.replace('_', ' ')} {digits(dvh.mean_mgy)}" for organ, dvh in histograms.items())
    caption = (
        "Cumulative dose histograms, by mass, of the organs with the highest doses in the scanned range."
    )
    return svg_of(fig, "dvh", caption, f"Dose histograms. Mean dose in mGy: {rows}.")


def profile_chart(
    z_mm: NDArray[Any],
    dose_mgy: NDArray[Any],
    scan_range_mm: tuple[float, float] | None = None,
    current: tuple[NDArray[Any], NDArray[Any]] | None = None,
) -> Picture:
    """Return the mean dose of the body per slice along z, with the scanned range and the tube current."""
    fig = figure(WIDTH, 320 if current is not None else 240)
    heights = (0.56, 0.23) if current is not None else (0.73, 0.0)
    upper = fig.add_axes((0.085, 0.97 - heights[0], 0.885, heights[0]))
    upper.fill_between(z_mm, dose_mgy, color=SOFT, linewidth=0)
    upper.plot(z_mm, dose_mgy, color=ACCENT, linewidth=1.8)
    upper.set_ylim(0, 1.08 * float(dose_mgy.max()) or 1)
    upper.set_ylabel("mean dose (mGy)")
    panels = [upper]
    if current is not None:
        lower = fig.add_axes((0.085, 0.155, 0.885, heights[1]))
        lower.plot(current[0], current[1], color=SERIES[1], linewidth=1.8)
        lower.set_ylim(0, 1.15 * float(np.max(current[1])) or 1)
        lower.set_ylabel("mA")
        upper.tick_params(labelbottom=False)
        panels.append(lower)
    for panel in panels:
        panel.set_xlim(float(z_mm[0]), float(z_mm[-1]))
        _plain(panel, grid="y")
        for edge in scan_range_mm or ():
            panel.axvline(edge, color=INK, linewidth=1.0, linestyle=(0, (4, 3)))
    panels[-1].set_xlabel("z (mm), feet ← → head")
    peak = float(z_mm[int(np.argmax(dose_mgy))])
    highest = digits(float(dose_mgy.max()))
    alt = f"Mean dose per slice along the body; the peak is {highest} mGy at z = {peak:.0f} mm."
    caption = "Mean dose of the body per slice along z."
    if scan_range_mm is not None:
        caption += " Dashed: the irradiated range; outside it only scattered radiation arrives."
    if current is not None:
        caption += " Below: tube current."
    return svg_of(fig, "profile", caption, alt)


def risk_chart(rows: Sequence[tuple[str, float, float, float]]) -> Picture:
    """Return (label, central, low, high) risks as points with intervals, per 10,000 people."""
    height = 44 * len(rows) + 56
    fig = figure(WIDTH, height)
    axes = fig.add_axes((0.30, 42 / height, 0.65, 1 - 50 / height))
    places = np.arange(len(rows))[::-1]
    for place, (_, central, low, high) in zip(places, rows, strict=True):
        axes.plot(
            [1e4 * low, 1e4 * high],
            [place, place],
            color=ACCENT,
            linewidth=5,
            solid_capstyle="round",
            alpha=0.35,
        )
        axes.plot([1e4 * central], [place], marker="o", markersize=9, color=ACCENT)
        axes.text(1e4 * central, place + 0.24, digits(1e4 * central, 2), ha="center", color=INK, fontsize=11)
    top = 1e4 * max(row[3] for row in rows)
    low_end = 1e4 * min(row[2] for row in rows)
    axes.set_xlim(min(0.0, 1.1 * low_end), 1.06 * top if top > 0 else 1)
    if low_end < 0:
        axes.axvline(0, color=INK, linewidth=0.8)
    axes.set_ylim(-0.6, len(rows) - 0.35)
    axes.set_yticks(places, [row[0] for row in rows])
    axes.set_xlabel("excess cases in 10,000 people, over life")
    _plain(axes, grid="x")
    axes.tick_params(axis="y", length=0, labelcolor=INK)
    listed = "; ".join(
        f"{row[0]}: {percent(row[1], 3)}, {percent(max(row[2], 0), 3)} to {percent(row[3], 3)}"
        for row in rows
    )
    caption = "Lifetime risk by model. Point: central value; band: the model's own interval."
    return svg_of(fig, "risk", caption, f"Lifetime risk by model with intervals. {listed}.")


def _plain(axes: Axes, *, grid: str) -> None:
    """Take away what carries no information and colour the rest from the page's theme."""
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(RULE)
    axes.set_facecolor("none")
    axes.tick_params(colors=MUTED, labelsize=11, length=3)
    axes.xaxis.label.set_color(MUTED)
    axes.yaxis.label.set_color(MUTED)
    axes.xaxis.label.set_fontsize(11)
    axes.yaxis.label.set_fontsize(11)
    if grid in ("x", "both"):
        axes.xaxis.grid(True, color=RULE, linewidth=0.6)
    if grid in ("y", "both"):
        axes.yaxis.grid(True, color=RULE, linewidth=0.6)
    axes.set_axisbelow(True)
