"""Contact sheets of bodies. Defines `sheet`, `poses_sheet` and `pair_view`.

A sheet shows one body: two renderings in three dimensions, three coronal, three sagittal and up to six axial
sections, and the masses of all labels, numbered as in the sections.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from wholedose.base.errors import InvalidInput, UnknownName
from wholedose.body import BONE_SITES, Body, Person
from wholedose.body.organs import PARTS
from wholedose.report.body_masses import OrganMass, masses_of
from wholedose.report.cuts import axial_cuts, extents_of, long_cuts
from wholedose.report.numbers import digits
from wholedose.report.organ_colours import look_of
from wholedose.report.page import INK, MUTED, PAPER, WARN, Page, font, readable_on
from wholedose.report.planes import LETTERS
from wholedose.report.rendering import Scene, render
from wholedose.report.sections import Section, section

if TYPE_CHECKING:
    from PIL.Image import Image

WIDTH, MARGIN, GAP, HEAD = 2560, 56, 26, 34  # pixels; HEAD is the room for a panel's title
LONG_HEIGHT, AXIAL_HEIGHT = 1420.0, 330.0
OBLIQUE_DEG = 40.0
TITLE, WIDEST_GAP, LEAST_SCALE = 20, 120.0, 0.02
TWO_ROWS_FROM = 1.25  # gain in scale that makes a second row of long panels worth it
LEAST_ROOM, LEAST_ROOM_BONE = 9.0, 13.0  # pixels around a number in a section
MASS_TOLERANCE = 0.03
TABLE_COLUMNS, TABLE_ROW = 5, 25


@dataclass(frozen=True, eq=False)
class _Panel:
    title: str
    pixels: NDArray[np.uint8]
    mm_per_pixel: float
    letters: tuple[str, str]
    section: Section | None = None

    @property
    def width_mm(self) -> float:
        return int(self.pixels.shape[1]) * self.mm_per_pixel

    @property
    def height_mm(self) -> float:
        return int(self.pixels.shape[0]) * self.mm_per_pixel


def sheet(body: Body, *, pose: str = "", organs: Collection[str] | None = None) -> Image:
    """Return the contact sheet of a body.

    Parameters
    ----------
    body : Body
        With any labels.
    pose : str
        Its pose in words, for the title.
    organs : collection of str, optional
        Only these and their parts are rendered and in full colour.

    Returns
    -------
    PIL.Image.Image
        2560 pixels wide.

    Raises
    ------
    UnknownName
        The body has no such label.
    InvalidInput
        The body has no voxels.

    Examples
    --------
    ``sheet(body, pose="standing").save("sheet.png")``
    """
    chosen = labels_named(body, organs)
    scene = Scene([body], chosen)
    extents = extents_of(body)
    masses = masses_of(body, extents)
    numbers = {row.organ: place for place, row in enumerate(masses, start=1)}
    fine = scene.step_mm / 3.0
    views = [("From the front", 0.0), ("From the left front", OBLIQUE_DEG)]
    long = [_rendered(scene, words, azimuth) for words, azimuth in views]
    long += [_cut(section(body, cut, fine, chosen)) for cut in long_cuts(body, extents)]
    axial = [
        _cut(section(body, cut, fine, chosen), f"{letter}  ")
        for letter, cut in zip("abcdef", axial_cuts(body, extents), strict=False)
    ]

    rows, scale = _rows(long)
    flat = _scale(axial, AXIAL_HEIGHT) if axial else 1.0
    table_rows = math.ceil((len(masses) + 1) / TABLE_COLUMNS)
    long_high = scale * max(panel.height_mm for panel in long) + HEAD + GAP
    axial_high = flat * max(panel.height_mm for panel in axial) + HEAD + 2 * GAP if axial else 0.0
    top = 200.0
    height = top + len(rows) * long_high + 2 * GAP + axial_high + HEAD * 3 + table_rows * TABLE_ROW + 90
    page = Page(WIDTH, math.ceil(height))
    _title(page, body, pose, masses)
    for row in rows:
        _set_row(page, row, scale, top, numbers)
        if row is rows[0]:
            _levels(page, row, scale, top, axial, scene.high_mm)
        top += long_high
    page.scale_bar((MARGIN, top), scale)
    top += 2 * GAP
    if axial:
        _set_row(page, axial, flat, top, numbers)
        top += axial_high
        page.scale_bar((MARGIN, top - GAP), flat)
    _table(page, masses, top + GAP)
    return page.image


def poses_sheet(bodies: Mapping[str, Body], *, organs: Collection[str] | None = None) -> Image:
    """Return the renderings of several bodies in a row, to one scale.

    Parameters
    ----------
    bodies : mapping of title to Body
        Such as each pose's name and the body in it.
    organs : collection of str, optional

    Raises
    ------
    InvalidInput
        There is no body.
    """
    if not bodies:
        raise InvalidInput("There is no body to draw.", way_out="Give at least one.")
    front, side = [], []
    for title, body in bodies.items():
        scene = Scene([body], labels_named(body, organs))
        front.append(_rendered(scene, title, 0.0))
        side.append(_rendered(scene, "from the left front", OBLIQUE_DEG))
    return _gallery("Poses", "All to one scale; the patient's left is on the viewer's right.", [front, side])


def pair_view(first: Body, second: Body, *, organs: Collection[str] | None = None) -> Image:
    """Return two bodies in one space, from the front, the left front, the left and behind.

    Parameters
    ----------
    first, second : Body
        Placed: their grids share LPS mm. The skin of the second is drawn in another colour.
    organs : collection of str, optional
    """
    chosen = None
    if organs is not None:
        chosen = frozenset().union(*(labels_named(body, organs) or () for body in (first, second)))
    scene = Scene([first, second], chosen)
    views = [
        ("From the front", 0.0), ("From the left front", OBLIQUE_DEG),
        ("From the left", 90.0), ("From behind", 180.0),
    ]  # fmt: skip
    panels = [_rendered(scene, words, azimuth) for words, azimuth in views]
    words = f"{person_words(first.person)}; and {person_words(second.person)}"
    return _gallery("Two bodies", words, [panels])


def labels_named(body: Body, organs: Collection[str] | None) -> frozenset[str] | None:
    """Return the labels of a body that are, or are part of, some organs; None for None.

    Raises
    ------
    UnknownName
        An organ has no label in this body.

    Examples
    --------
    ``labels_named(body, ["stomach"])`` → ``{"stomach_wall", "stomach_contents"}``
    """
    if organs is None:
        return None
    found: set[str] = set()
    for organ in organs:
        labels = {name for name in body.organs if name == organ or _part_of(name) == organ}
        if not labels:
            raise UnknownName("organ in this body", organ, body.organs, where="organs")
        found |= labels
    return frozenset(found)


def _part_of(name: str) -> str:
    return PARTS[name].part_of if name in PARTS else "bone" if name in BONE_SITES else ""


def person_words(person: Person) -> str:
    """Return a person in words.

    Examples
    --------
    >>> person_words(Person("F", 0.0, 51, 3.5)), person_words(Person("M", 34))
    ('Female, newborn, 51 cm, 3.5 kg', 'Male, 34 years')
    """
    age = "newborn" if person.age_y == 0 else f"{person.age_y:g} year{'' if person.age_y == 1 else 's'}"
    words = ["Female" if person.sex == "F" else "Male", age]
    if person.height_cm is not None:
        words.append(f"{person.height_cm:.4g} cm")
    if person.weight_kg is not None:
        words.append(f"{person.weight_kg:.3g} kg")
    return ", ".join(words)


def _rendered(scene: Scene, title: str, azimuth_deg: float) -> _Panel:
    made = render(scene, azimuth_deg)
    turn = math.radians(azimuth_deg)
    right = _letters(math.cos(turn), math.sin(turn))
    return _Panel(title, made.pixels, made.mm_per_pixel, (_letters(-math.cos(turn), -math.sin(turn)), right))


def _letters(x: float, y: float) -> str:
    """Return the letters of a direction in the axial plane, the larger part first."""
    parts = [(abs(x), "L" if x > 0 else "R"), (abs(y), "P" if y > 0 else "A")]
    return "".join(letter for size, letter in sorted(parts, reverse=True) if size > 0.3)


def _cut(made: Section, mark: str = "") -> _Panel:
    left, right, _, _ = LETTERS[made.cut.orientation]
    return _Panel(mark + made.cut.title, made.pixels, made.mm_per_pixel, (left, right), made)


def _rows(panels: Sequence[_Panel]) -> tuple[list[list[_Panel]], float]:
    """Return the long panels in one or two rows, and pixels per mm."""

    def scale(rows: list[list[_Panel]]) -> float:
        return min(_scale(row, LONG_HEIGHT / len(rows) ** 0.75) for row in rows)

    def merit(rows: list[list[_Panel]]) -> tuple[float, float]:
        return round(scale(rows), 3), -max(sum(panel.width_mm for panel in row) for row in rows)

    one = [list(panels)]
    best = max(([list(panels[:n]), list(panels[n:])] for n in (3, 4, 5)), key=merit)
    chosen = best if scale(best) > TWO_ROWS_FROM * scale(one) else one
    return chosen, scale(chosen)


def _scale(panels: Sequence[_Panel], high: float) -> float:
    """Return pixels per mm with which panels fit side by side into the page and below a height."""
    scale = high / max(panel.height_mm for panel in panels)
    while sum(_slots(panels, scale)) + GAP * (len(panels) - 1) > WIDTH - 2 * MARGIN and scale > LEAST_SCALE:
        scale *= 0.985
    return scale


def _slots(panels: Sequence[_Panel], scale: float) -> list[float]:
    """Return the width in pixels that each panel or its title needs."""
    face = font(TITLE, bold=True)
    return [max(panel.width_mm * scale, face.getlength(panel.title)) for panel in panels]


def _set_row(
    page: Page,
    panels: Sequence[_Panel],
    scale: float,
    top: float,
    numbers: Mapping[str, int] | None = None,
    high_mm: float | None = None,
) -> None:
    """Set panels side by side with titles, letters and numbers; with a height they stand on one floor."""
    for panel, left in zip(panels, _lefts(panels, scale), strict=True):
        page.text((left, top), panel.title, TITLE, bold=True)
        down = 0.0 if high_mm is None else scale * (high_mm - panel.height_mm)
        box = page.picture((left, top + HEAD + down), panel.pixels, scale * panel.mm_per_pixel)
        middle = top + 22
        page.text((box[0], middle), panel.letters[0], 16, ink=MUTED, anchor="lm")
        page.text((box[2], middle), panel.letters[1], 16, ink=MUTED, anchor="rm")
        if panel.section is None or numbers is None:
            continue
        shrink = scale * panel.mm_per_pixel
        for organ, column, row, room in panel.section.spots:
            look = look_of(organ)
            least = LEAST_ROOM_BONE if look.layer == "skeleton" else LEAST_ROOM
            if room * shrink >= least:
                ink, halo = readable_on(look.colour)
                at = (box[0] + column * shrink, box[1] + row * shrink)
                page.text(at, str(numbers[organ]), 13, ink=ink, anchor="mm", halo=halo)


def _lefts(panels: Sequence[_Panel], scale: float) -> list[float]:
    slots = _slots(panels, scale)
    spare = WIDTH - 2 * MARGIN - sum(slots)
    gap = max(0.0, min(spare / max(1, len(panels) - 1), WIDEST_GAP))
    lefts = [float(MARGIN)]
    for width in slots[:-1]:
        lefts.append(lefts[-1] + width + gap)
    return lefts


def _levels(
    page: Page, row: Sequence[_Panel], scale: float, top: float, axial: Sequence[_Panel], high_mm: float
) -> None:
    """Mark the levels of the axial sections beside the coronal ones."""
    for panel, left in zip(row, _lefts(row, scale), strict=True):
        if panel.section is None or panel.title != "Coronal, mid-plane":
            continue
        for level in axial:
            if level.section is None:
                continue
            y = top + HEAD + scale * (high_mm - level.section.cut.at_mm)
            page.line((left + 14, y), (left + 28, y), MUTED, 2)
            page.text((left + 4, y), level.title[0], 16, ink=MUTED, anchor="mm", halo=PAPER)


def _title(page: Page, body: Body, pose: str, masses: Sequence[OrganMass]) -> None:
    page.text((MARGIN, 82), person_words(body.person), 44, bold=True)
    sizes = sorted({round(size, 3) for size in body.grid.spacing_mm})
    voxel = " × ".join(f"{size:g}" for size in sizes) + " mm"
    words = [pose] if pose else []
    words += [f"{body.total_mass_kg:.4g} kg in voxels of {voxel}", f"{len(masses)} labels"]
    page.text((MARGIN, 122), " · ".join(words), 24)
    page.text(
        (MARGIN, 154),
        "Radiological convention: the patient's left is on the viewer's right; sagittal sections face left. "
        "R right, L left, A front, P back. Numbers are those of the table.",
        18,
        ink=MUTED,
    )


def _table(page: Page, masses: Sequence[OrganMass], top: float) -> None:
    wide = (WIDTH - 2 * MARGIN - GAP * (TABLE_COLUMNS - 1)) / TABLE_COLUMNS
    high = math.ceil(len(masses) / TABLE_COLUMNS)
    page.text((MARGIN, top), "Masses", 24, bold=True)
    top += HEAD
    ends = (wide - 160, wide - 80, wide)
    for column in range(TABLE_COLUMNS):
        left = MARGIN + column * (wide + GAP)
        for words, end in zip(("voxels (g)", "target", "ICRP 89"), ends, strict=True):
            page.text((left + end, top), words, 13, ink=MUTED, anchor="rs")
        page.line((left, top + 7), (left + wide, top + 7))
    for place, row in enumerate(masses):
        left = MARGIN + (place // high) * (wide + GAP)
        y = top + TABLE_ROW * (place % high + 1) + 4
        page.text((left + 22, y), str(place + 1), 13, ink=MUTED, anchor="rs")
        page.swatch((left + 30, y - 13), 14, look_of(row.organ).colour)
        page.fitted((left + 54, y), row.organ.replace("_", " "), 16, wide - 54 - 232)
        off = math.isfinite(row.target_mass_g) and not (
            abs(row.voxel_mass_g - row.target_mass_g) <= MASS_TOLERANCE * row.target_mass_g
        )
        for value, end in zip((row.voxel_mass_g, row.target_mass_g, row.reference_mass_g), ends, strict=True):
            ink = WARN if off and end == ends[0] else MUTED if end == ends[2] else INK
            page.text((left + end, y), digits(value), 15, ink=ink, anchor="rs")
    page.text(
        (MARGIN, top + TABLE_ROW * (high + 1) + 22),
        "Voxels and targets with blood; ICRP 89: tissue without blood, for this age, where it is listed. "
        "Red: more than 3 % from the target.",
        16,
        ink=MUTED,
    )


def _gallery(title: str, words: str, rows: Sequence[Sequence[_Panel]]) -> Image:
    high = [max(panel.height_mm for panel in row) for row in rows]
    scale = min(_scale(row, 1100.0) for row in rows)
    heights = [scale * one + HEAD + 2 * GAP for one in high]
    wide = max(_lefts(row, scale)[-1] + _slots(row, scale)[-1] for row in rows) + MARGIN
    wide = max(wide, MARGIN * 2 + font(22).getlength(words))
    page = Page(math.ceil(wide), math.ceil(190 + sum(heights) + 40))
    page.text((MARGIN, 82), title, 44, bold=True)
    page.text((MARGIN, 122), words, 22, ink=MUTED)
    top = 180.0
    for row, height, most in zip(rows, heights, high, strict=True):
        _set_row(page, row, scale, top, high_mm=most)
        top += height
    page.scale_bar((MARGIN, top), scale)
    return page.image
