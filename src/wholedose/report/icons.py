"""Small drawings written by hand. Defines `icon_array`, `band_scale`, `cause_bar` and `variance_shares`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from wholedose.base import Estimate, InvalidInput
from wholedose.report.words import DENOMINATOR, count, plain
from wholedose.risk.bands import bands

SIDE = 100  # 100 × 100 dots are the 10,000 people
PITCH = 6


def icon_array(extra: float, baseline: float) -> str:
    """Return 10,000 dots: those who get the illness anyway, and those the examination may add.

    Parameters
    ----------
    extra, baseline : float
        Probabilities; drawn with the rounding of the words, so that picture and sentence agree.
    """
    anyway = int(count(baseline))
    added = int(count(max(0.0, extra)))
    if anyway + added > DENOMINATOR:
        raise InvalidInput(f"{anyway} and {added} people are more than {DENOMINATOR}.")
    size = SIDE * PITCH
    rows, rest = divmod(anyway, SIDE)
    shapes = [f'<rect width="{size}" height="{size}" fill="url(#dot-none)"/>']
    if rows:
        shapes.append(_block(0, 0, SIDE, rows))
    if rest:
        shapes.append(_block(0, rows, rest, 1))
    for index in range(anyway, anyway + added):
        row, column = divmod(index, SIDE)
        x, y = PITCH * column + PITCH / 2, PITCH * row + PITCH / 2
        shapes.append(f'<circle class="cell" cx="{x:g}" cy="{y:g}" r="3.4"/>')
        shapes.append(f'<circle class="added" cx="{x:g}" cy="{y:g}" r="2.9"/>')
    label = f"{DENOMINATOR:,} dots. {plain(anyway)} are people who get cancer at some time without the scan"
    label += f"; {plain(added)} more may get it because of it." if added else "; none is added because of it."
    pattern = "".join(
        f'<pattern id="dot-{name}" width="{PITCH}" height="{PITCH}" patternUnits="userSpaceOnUse">'
        f'<rect class="cell" width="{PITCH}" height="{PITCH}"/>'
        f'<circle class="{name}" cx="{PITCH / 2:g}" cy="{PITCH / 2:g}" r="2"/></pattern>'
        for name in ("none", "anyway")
    )
    return (
        f'<svg class="icons" viewBox="0 0 {size} {size}" role="img" aria-label="{label}">'
        f"<defs>{pattern}</defs>{''.join(shapes)}</svg>"
    )


def _block(column: int, row: int, columns: int, rows: int) -> str:
    x, y, width, height = (PITCH * value for value in (column, row, columns, rows))
    return f'<rect x="{x}" y="{y}" width="{width}" height="{height}" fill="url(#dot-anyway)"/>'


def band_scale(chosen: str) -> str:
    """Return the row of risk words as an HTML list with one marked."""
    names = [item.name for item in bands()]
    if chosen not in names:
        raise InvalidInput(f"{chosen!r} is not one of the bands {', '.join(names)}.")
    cells = [
        f'<li class="on" aria-current="true">{name}</li>' if name == chosen else f"<li>{name}</li>"
        for name in names
    ]
    label = "Words for risks, from the smallest to the largest"
    return f'<ol class="bands" aria-label="{label}">{"".join(cells)}</ol>'


def cause_bar(estimate: Estimate, order: Sequence[str]) -> str:
    """Return the shares of the variance by cause as one small stacked bar; empty without uncertainty."""
    shares = variance_shares(estimate)
    if not shares:
        return ""
    x, cells = 0.0, []
    for number, name in enumerate(order, start=1):
        share = 100 * shares.get(name, 0.0)
        if share > 0.05:
            cells.append(
                f'<rect class="s{(number - 1) % 10 + 1}" x="{x:.1f}" width="{share:.1f}" height="10"/>'
            )
        x += share
    spoken = ", ".join(
        f"{name} {100 * value:.0f} %" for name, value in sorted(shares.items(), key=lambda p: -p[1])
    )
    head = '<svg class="causes" viewBox="0 0 100 10" preserveAspectRatio="none" role="img" '
    return f'{head}aria-label="{spoken}">{"".join(cells)}</svg>'


def variance_shares(estimate: Estimate) -> Mapping[str, float]:
    """Return each cause's fraction of the variance; they sum to 1."""
    squares = {name: u * u for name, u in estimate.by_name().items()}
    total = sum(squares.values())
    return {name: square / total for name, square in squares.items()} if total else {}
