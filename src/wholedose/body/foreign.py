"""Contrast medium and metal become matter of their own. Defines `take_foreign_matter`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from wholedose.base import Assumption, Volume
from wholedose.body.contrast import KV_ASSUMED, Contrast, find_contrast, iodine_hu_per_mg_ml, water_cm_of
from wholedose.body.implants import Metal, find_metal
from wholedose.body.segmentation import threshold

if TYPE_CHECKING:
    from wholedose.body.scanned import Scanned

TUBE_KV = (40.0, 150.0)
PLACES = 4


def take_foreign_matter(
    drawn: Scanned, image: Volume, kv: float | None, notes: list[Assumption]
) -> tuple[Contrast, Metal]:
    """Give contrast medium and metal of an image their materials, and say so.

    Parameters
    ----------
    drawn : Scanned
        The scanned part, with the organs of a label map already in it.
    image : Volume
        The image as it came.
    kv : float or None
        Tube voltage.
    notes : list of Assumption
        Is added to: ``contrast medium`` and ``metal`` with volumes and places.
    """
    found, grid = drawn.found, drawn.grid
    volts = kv if kv is not None and TUBE_KV[0] <= kv <= TUBE_KV[1] else None
    water_cm = water_cm_of(found.body, grid)
    named = {
        name: drawn.labels == drawn.number[name]
        for name, origin in drawn.origin.items()
        if origin == "label map"
    }
    metal = find_metal(drawn.hu, grid, found.mask("metal"), image, kv=volts, water_cm=water_cm)
    never = found.mask("metal") | ~found.body | found.mask("gas") | found.mask("airway") | found.mask("lung")
    contrast = find_contrast(
        drawn.hu, grid, found.contrast, named, kv=volts, water_cm=water_cm, keep_out=never
    )
    if contrast.total_cm3 > threshold("contrast_flag_cm3"):
        # less than what is said stays as it is: no silent iodine from noise
        drawn.foreign.append((contrast.where, contrast.level, contrast.materials, contrast.density_g_cm3))
        drawn.bone_without_site &= ~contrast.where
    if metal.where.any():
        drawn.foreign.append((metal.where, metal.level, metal.materials, metal.density_g_cm3))
    said = "" if volts else " (tube voltage unknown: 120 kV)"
    if contrast.total_cm3 > threshold("contrast_flag_cm3"):
        slope = iodine_hu_per_mg_ml(volts or KV_ASSUMED, round(water_cm))
        notes.append(
            Assumption(
                "contrast medium",
                f"{contrast.total_cm3:.0f} cm³, {contrast.mean_mg_ml:.1f} mg/mL iodine in the mean: "
                + _list(contrast.cm3),
                f"blood or soft tissue with iodine, {slope:.1f} HU per mg/mL{said}; barium counts as iodine",
                0.02,
            )
        )
    if metal.cm3 > threshold("metal_flag_cm3"):
        notes.append(Assumption("metal", _metal_text(metal), _metal_why(metal, said)))
    return contrast, metal


def _list(cm3: Mapping[str, float]) -> str:
    shown = [f"{name} {value:.0f} cm³" for name, value in list(cm3.items())[:PLACES]]
    rest = sum(list(cm3.values())[PLACES:])
    return ", ".join([*shown, f"others {rest:.0f} cm³"] if rest else shown)


def _metal_text(metal: Metal) -> str:
    shown = [
        f"{piece.cm3:.1f} cm³ {piece.kind} at x {piece.centre_mm[0]:.0f}, y {piece.centre_mm[1]:.0f}, "
        f"z {piece.centre_mm[2]:.0f} mm"
        for piece in metal.pieces[:PLACES]
    ]
    more = f"; {len(metal.pieces) - PLACES} smaller pieces" if len(metal.pieces) > PLACES else ""
    return f"{metal.cm3:.1f} cm³: " + "; ".join(shown) + more


def _metal_why(metal: Metal, said: str) -> str:
    if all(piece.known for piece in metal.pieces):
        return f"by the CT number of each piece{said}; streaks are not corrected; no tissue of the person"
    return (
        "titanium is assumed where the CT numbers end too low to tell metals apart; streaks are not "
        "corrected; no tissue of the person"
    )
