"""From volumes to voxels: every region of a person claims its own. Defines `paint` and `Painted`."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wholedose.body.addition import Addition
from wholedose.body.drawn import Step, drawn, steps
from wholedose.body.fields import REACH_MM, Shapes
from wholedose.body.organs import BONE_SITES
from wholedose.body.paint import Canvas, Claim, lowest
from wholedose.body.room import with_room
from wholedose.tables import load

Score = NDArray[np.float32]
Depth = Callable[[NDArray[np.float32]], Score]

# fat inside the belly ranks as this deep under the lean skin, deeper where it is further inside (ASSUMPTION)
VISCERAL_RANK_MM, VISCERAL_SLOPE = 3.0, 0.12
SPREAD_MM = 150.0
# the vault: above the orbits, and its thickness in the template (ASSUMPTION: 6 to 7 mm in adults)
VAULT_FROM_MM, VAULT_MM = 1652.0, 6.5
SHALLOW = ("eyes", "eye_lenses", "breasts", "extrathoracic_region", "cartilage", "teeth")
"""What may lie at the surface of the body; all other organs keep a voxel off it."""

OUTSIDE_COST = 3.0
"""A region grows this many times further inside its space before it leaves it (ASSUMPTION)."""


LEAST_SPONGIOSA, MOST_SPONGIOSA = 0.5, 0.7
"""A bone has this part of its spongiosa at least, if that is not more than this part of it (ASSUMPTION)."""


@dataclass(frozen=True, eq=False)
class Painted:
    """Who got which voxels."""

    label: NDArray[np.int16]
    names: tuple[str, ...]
    claims: tuple[Claim, ...]


def paint(
    canvas: Canvas,
    volumes_cm3: Mapping[str, float],
    sex: str,
    core_depth: Depth,
    pregnant: bool = False,
    additions: Sequence[Addition] = (),
) -> Painted:
    """Let all regions of a person claim their voxels.

    Parameters
    ----------
    canvas : Canvas
    volumes_cm3 : mapping of region to float
    sex : {"M", "F"}
    core_depth : callable
        Depth in mm under the lean (template) skin at template points; negative in the fat outside it.
    pregnant : bool
    additions : sequence of Addition
        Claim their voxels just before their hosts do.
    """
    shapes = drawn(sex)
    canvas.move(
        with_room(canvas.template_mm, canvas.depth_mm, canvas.voxel_cm3, volumes_cm3, shapes, core_depth)
    )
    for step in steps():
        if not step.applies(sex, pregnant):
            continue
        rule = _RULES.get(step.drawn)
        for addition in additions:
            if addition.within in (*step.regions, *(BONE_SITES if step.drawn == "skeleton" else ())):
                canvas.claim(addition.shapes, [(addition.region, volumes_cm3[addition.region])])
        if rule is not None:
            rule(canvas, volumes_cm3, sex, core_depth)
            continue
        wanted = [(name, volumes_cm3.get(name, 0.0)) for name in step.regions]
        if step.drawn in shapes and sum(cm3 for _, cm3 in wanted) > 0.0:
            chosen, score = canvas.near(shapes[step.drawn], step.reach_mm)
            near = score <= step.reach_mm
            if step.drawn not in SHALLOW:
                near &= _covered(canvas, chosen)
            chosen, score = chosen[near], score[near]
            canvas.take(chosen, score + _outside(canvas, chosen, step, shapes), wanted)
    return Painted(canvas.label, tuple(canvas.names), tuple(canvas.claims))


def _covered(canvas: Canvas, chosen: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which voxels lie so deep that none of their neighbours is outside the skin."""
    return np.asarray(canvas.depth_mm[chosen] > 10.2 * np.cbrt(canvas.voxel_cm3))


def _outside(canvas: Canvas, chosen: NDArray[np.int64], step: Step, shapes: Mapping[str, Shapes]) -> Score:
    """Cost of leaving the space that holds a region, or of entering one that does not."""
    cost = np.zeros(len(chosen), dtype=np.float32)
    for space, sign in ((step.within, 1.0), (step.without, -1.0)):
        if space:
            # only the side that costs matters, and far away only that it is far
            reach, floor = (REACH_MM, 0.0) if sign > 0.0 else (0.0, -math.inf)
            field = shapes[space].field(canvas.template_mm, chosen, reach, floor)
            cost += np.float32(OUTSIDE_COST) * np.maximum(np.float32(sign) * field, 0.0)
    return cost


def _skin(canvas: Canvas, volumes: Mapping[str, float], sex: str, core: Depth) -> None:
    canvas.claim_lowest(canvas.depth_mm, [("skin", volumes["skin"])])


def _skeleton(canvas: Canvas, volumes: Mapping[str, float], sex: str, core: Depth) -> None:
    """Bones grow or shrink by one distance to the skeleton's volume, then split into their tissues."""
    shapes = drawn(sex)
    if not any(site in shapes for site in BONE_SITES):
        return
    # where two sites meet the nearer one has the voxel
    nearest = np.full(len(canvas.label), np.float32(REACH_MM / 2), dtype=np.float32)
    whose = np.zeros(len(canvas.label), dtype=np.int8)
    for i, name in enumerate(BONE_SITES):
        if name in shapes:
            chosen, score = canvas.near(shapes[name], REACH_MM / 2)
            nearer = score < nearest[chosen]
            chosen = chosen[nearer]
            nearest[chosen], whose[chosen] = score[nearer], i
    _vault(canvas, shapes, nearest, whose)
    chosen = np.flatnonzero(nearest < REACH_MM / 2)
    chosen = chosen[_covered(canvas, chosen)]
    score, site = nearest[chosen], whose[chosen]
    spongiosa = sum(volumes.get(name, 0.0) for name in BONE_SITES)
    total = spongiosa + volumes["cortical_bone"] + volumes.get("medullary_cavities", 0.0)
    count = min(round(total / canvas.voxel_cm3), len(chosen))
    keep = lowest(score, count)
    chosen, score, site = chosen[keep], score[keep], site[keep]
    surface = float(score.max())
    canvas.claims.append(Claim("skeleton", total, count * canvas.voxel_cm3, surface))
    cortex = np.array([_cortex().get(name, 1.0) for name in BONE_SITES], dtype=np.float32)
    shell = (surface - score) / cortex[site]
    shell[_marrow(score, site, [volumes.get(name, 0.0) / canvas.voxel_cm3 for name in BONE_SITES])] = np.inf
    _split(canvas, chosen, shell, "cortical_bone", volumes["cortical_bone"])
    rest = canvas.label[chosen] == 0
    chosen, score, site = chosen[rest], score[rest], site[rest]
    hollow = volumes.get("medullary_cavities", 0.0)
    if hollow > 0.0 and "medullary_cavities" in shapes:
        depth = shapes["medullary_cavities"].field(canvas.template_mm, chosen, SPREAD_MM)
        _split(canvas, chosen, depth, "medullary_cavities", hollow)
        rest = canvas.label[chosen] == 0
        chosen, site = chosen[rest], site[rest]
    for i, name in enumerate(BONE_SITES):
        canvas.assign(chosen[site == i], name)


def _marrow(score: Score, site: NDArray[np.int8], wanted: Sequence[float]) -> NDArray[np.bool_]:
    """Return the middles of bones that are no cortex, however thin: a newborn's ribs hold marrow too."""
    kept = np.zeros(len(score), dtype=np.bool_)
    for i, voxels in enumerate(wanted):
        here = np.flatnonzero(site == i)
        count = min(round(LEAST_SPONGIOSA * voxels), round(MOST_SPONGIOSA * len(here)))
        kept[here[lowest(score[here], count)]] = True
    return kept


def _vault(canvas: Canvas, shapes: Mapping[str, Shapes], nearest: Score, whose: NDArray[np.int8]) -> None:
    """Let the vault of the skull follow the brain, which in a child outgrows the skull drawn for a man."""
    brain = next((claim for claim in canvas.claims if claim.region == "brain"), None)
    if brain is None or "brain" not in shapes:
        return
    chosen, score = canvas.near(shapes["brain"])
    high = canvas.template_mm[chosen, 2] > VAULT_FROM_MM
    chosen, score = chosen[high], score[high] - np.float32(brain.threshold_mm + VAULT_MM)
    nearer = score < nearest[chosen]
    chosen = chosen[nearer]
    nearest[chosen], whose[chosen] = score[nearer], BONE_SITES.index("bone_cranium")


def _split(canvas: Canvas, chosen: NDArray[np.int64], score: Score, region: str, cm3: float) -> None:
    count = min(round(cm3 / canvas.voxel_cm3), len(chosen))
    if count > 0:
        keep = lowest(score, count)
        canvas.assign(chosen[keep], region)
        canvas.claims.append(Claim(region, cm3, count * canvas.voxel_cm3, float(score[keep].max())))


def _cortex() -> Mapping[str, float]:
    table = load("body/cortex")
    return {str(s): float(t) for s, t in zip(table["site"], table["thickness_mm"], strict=True)}


def _cavity(canvas: Canvas, sex: str) -> Score:
    """Field of the body cavities, where fat and loose tissue lie between organs and muscle does not.

    For all voxels; 0 outside and where the voxel is not free.
    """
    shapes = drawn(sex)
    out = np.zeros(len(canvas.label), dtype=np.float32)
    for name in ("abdominal_cavity", "thoracic_cavity"):
        if name in shapes:
            chosen, field = canvas.near(shapes[name], 0.0)
            out[chosen] = np.minimum(out[chosen], field)
    return out


def _adipose(canvas: Canvas, volumes: Mapping[str, float], sex: str, core: Depth) -> None:
    chosen = canvas.free()
    rank = core(canvas.template_mm[chosen])
    cavity = _cavity(canvas, sex)[chosen]
    inside = cavity < 0.0
    rank[inside] = VISCERAL_RANK_MM - VISCERAL_SLOPE * cavity[inside]
    canvas.take(chosen, rank, [("adipose", volumes["adipose"])])


def _muscle(canvas: Canvas, volumes: Mapping[str, float], sex: str, core: Depth) -> None:
    chosen = canvas.free()
    rank = -core(canvas.template_mm[chosen])
    # in a cavity only what finds no room elsewhere
    rank[_cavity(canvas, sex)[chosen] < 0.0] += 1000.0
    canvas.take(chosen, rank, [("muscle", volumes["muscle"])])


def _residual(canvas: Canvas, volumes: Mapping[str, float], sex: str, core: Depth) -> None:
    chosen = canvas.free()
    canvas.assign(chosen, "residual_soft_tissue")
    got = len(chosen) * canvas.voxel_cm3
    canvas.claims.append(Claim("residual_soft_tissue", volumes["residual_soft_tissue"], got, float("nan")))


_RULES: Mapping[str, Callable[[Canvas, Mapping[str, float], str, Depth], None]] = {
    "skin": _skin,
    "skeleton": _skeleton,
    "adipose": _adipose,
    "muscle": _muscle,
    "residual_soft_tissue": _residual,
}
