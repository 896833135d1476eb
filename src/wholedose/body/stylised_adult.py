"""The stylised adult. Defines `stylised`.

Organs are the solids of the published adult mathematical phantom (table ``body/published_solids``) and of
our own design where that has none (``body/own_*``), brought to a person's height and weight and fitted to
the ICRP 89 organ masses on the voxels themselves. The body lies supine; LPS, z = 0 at the crotch.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from wholedose.base import Assumption, Grid
from wholedose.base.errors import InvalidInput
from wholedose.body.anatomy import anatomy_u_of
from wholedose.body.body import Body
from wholedose.body.drawing import AIRWAY, Drawing
from wholedose.body.organs import BONE_SITES, ORGANS
from wholedose.body.outline import Arms, Outline
from wholedose.body.person import Person, Sex, reference_size, require_adult
from wholedose.body.shapes import Axes, Frame, Shape, shapes_from
from wholedose.body.targets import Targets, targets_of
from wholedose.matter import Material, material
from wholedose.tables import load

PUBLISHED_HEIGHT_CM = 178.5
VOXEL_LIMITS_MM = (1.0, 10.0)

# published cm → cm of the reference adult, across and front to back, without the arms that the published
# trunk contains; female after the published ratio of the adult female's trunk (17.25/20, 9.8/10)
TRUNK_SCALE: dict[str, tuple[float, float]] = {"M": (0.865, 0.96), "F": (0.755, 0.865)}
HEAD_SCALE: dict[str, float] = {"M": 1.0, "F": 0.96}
LIMB_SCALE: dict[str, float] = {"M": 1.0, "F": 0.96}
VISCERAL_SHARE = 0.25
COARSE_MM = 6.0
SMALL_VOXELS = 1500
# a small organ of unlike parts: its parts grow together instead of getting equal volumes
RANKLESS = "extrathoracic_region"
# the organs that give way to their neighbours are drawn last
LAST = ("small_intestine", "lungs")
# subcutaneous fat is thinner on the limbs: their depth counts so many times
LIMB_FAT_DEPTH = {"skin_arm": 2.2, "skin_leg": 1.4}


class _Builder:
    """Holds what is known while a body is drawn."""

    def __init__(self, person: Person, voxel_mm: float, arms: Arms) -> None:
        reference = reference_size(person.sex)
        self.person, self.voxel_mm, self.arms = person, voxel_mm, arms
        self.height_cm = person.height_cm or reference[0]
        bmi = reference[1] / (reference[0] / 100) ** 2
        self.weight_kg = person.weight_kg or bmi * (self.height_cm / 100) ** 2
        self.targets = targets_of(person, self.height_cm, self.weight_kg)
        self.z_scale = self.height_cm / PUBLISHED_HEIGHT_CM
        names = sorted(
            {o.material for o in ORGANS.values()} | {"cortical_bone", "spongiosa"} - {"red_marrow"}
        )
        self.materials: tuple[Material, ...] = (material("air"), *(material(name) for name in names))
        self.index = {m.name: i for i, m in enumerate(self.materials)}
        self.girth = self._solve_girth(0.0)
        if voxel_mm < COARSE_MM:
            # the estimate of the fill's mass leaves a per cent or two; a coarse drawing tells it
            coarse = _Builder.__new__(_Builder)
            coarse.__dict__.update(self.__dict__, voxel_mm=COARSE_MM)
            grid, drawing = _draw(coarse)
            drawn = float(_fill_material(coarse, drawing)[1][drawing.labels > 0].sum() * grid.voxel_cm3)
            self.girth = self._solve_girth(drawn - self.targets.total)

    def frames(self, girth: float) -> dict[str, Frame]:
        frame_girth = girth**0.75 if girth < 1 else girth**0.4
        x, y = (frame_girth * scale for scale in TRUNK_SCALE[self.person.sex])
        head, limb = HEAD_SCALE[self.person.sex], LIMB_SCALE[self.person.sex]
        z = self.z_scale
        return {
            "trunk": Frame(x, y, z),
            "head": Frame(head, head, z),
            "leg": Frame(limb * girth, limb * girth, z, limb * frame_girth, limb * frame_girth),
            "arm": Frame(limb * girth, limb * girth, z, limb * frame_girth, limb * frame_girth),
            "skin": Frame(limb * girth, limb * girth, z),
        }

    def limbs(self, girth: float) -> list[Shape]:
        frames = self.frames(girth)
        rows = []
        for row in load("body/own_limbs").rows():
            if row["pose"] not in ("any", self.arms):
                continue
            skin = str(row["organ"]).startswith("skin")
            rows.append(
                {
                    "organ": row["organ"], "kind": "tube", "side": "both", "fit": "none", "cuts": "",
                    "sex": "M" if row["organ"] == "skin_scrotum" else "both",
                    "frame": "skin" if skin else "arm", "b": "", "wall": "",
                    "turn_x": "", "turn_y": "", "turn_z": "",
                    **{k: row[k] for k in ("x", "y", "z", "a", "c", "x2", "y2", "z2")},
                }
            )  # fmt: skip
        return shapes_from(rows, frames, self.person.sex)

    def outline(self, girth: float) -> Outline:
        skin = [shape for shape in self.limbs(girth) if shape.organ.startswith("skin")]
        return Outline.of(
            self.person.sex,
            self.z_scale,
            girth,
            HEAD_SCALE[self.person.sex],
            (*skin, *self.breasts(girth, skin_mm=1.8)),
        )

    def breasts(self, girth: float, skin_mm: float = 0.0) -> list[Shape]:
        """Two ellipsoids on the chest wall, of the volume that their mass asks for."""
        bare = Outline.of(self.person.sex, self.z_scale, girth, 1.0, ())
        # 46.87 cm is printed for a trunk of 63.1 cm (woman of the same family); this frame has 70 cm
        z = 468.7 * 70.0 / 63.1 * self.z_scale
        a, b, y0 = (float(v[0]) for v in bare.section(np.array([z], dtype=np.float32)))
        x = 0.47 * a
        y = y0 - b * (1 - (x / a) ** 2.3) ** (1 / 2.3)
        volume_mm3 = 500.0 * self.targets.organ["breasts"] / material("breast_gland").density_g_cm3
        unit = (volume_mm3 / (4 / 3 * math.pi * 1.15 * 0.55 * 1.0)) ** (1 / 3)
        radii = (1.15 * unit + skin_mm, 0.55 * unit + skin_mm, unit + skin_mm)
        turn = math.atan2(b * (x / a) ** 1.3, a * (1 - (x / a) ** 2.3) ** (1.3 / 2.3))
        cosine, sine = math.cos(turn), math.sin(turn)
        rotation = np.array([[cosine, sine, 0.0], [-sine, cosine, 0.0], [0.0, 0.0, 1.0]])
        sink = 0.25 * unit
        centre = (x - sink * sine, y + sink * cosine, z)
        frame = Frame(1, 1, 1)
        return [
            Shape(
                "breasts", "ellipsoid", centre, centre, radii, rotation, math.inf, (), frame, mirror, "none"
            )
            for mirror in (False, True)
        ]

    def _solve_girth(self, bias_g: float) -> float:
        """Find the factor on the outline that gives the weight, on coarse voxels."""
        known = sum(m for name, m in self.targets.organ.items() if name not in ("adipose", "residual"))
        density = {"lungs": 0.26, "bone": 1.35}
        volume = sum(m / density.get(name, 1.05) for name, m in self.targets.organ.items())
        volume += self.targets.skin / 1.09 + self.targets.adipose / 0.95
        known += self.targets.skin + self.targets.adipose

        def excess(girth: float) -> float:
            outline = self.outline(girth)
            axes = _axes(outline.grid(9.0))
            inside = float((outline.depth(axes) > 0).sum()) * 0.9**3
            return known + bias_g + 1.05 * (inside - volume) - self.targets.total

        low, high = 1.0, 1.1
        f_low, f_high = excess(low), excess(high)
        for _ in range(8):
            step = low - f_low * (high - low) / (f_high - f_low)
            low, f_low, high = high, f_high, min(max(step, 0.5), 2.5)
            f_high = excess(high)
            if abs(f_high) < 1e-3 * self.targets.total:
                break
        return high


def _axes(grid: Grid) -> Axes:
    z, y, x = grid.axes_mm()
    return z.astype(np.float32), y.astype(np.float32), x.astype(np.float32)


def _draw(builder: _Builder) -> tuple[Grid, Drawing]:
    outline = builder.outline(builder.girth)
    grid = outline.grid(builder.voxel_mm)
    axes = _axes(grid)
    names = (
        tuple(
            name
            for name, o in ORGANS.items()
            if o.in_sex(builder.person.sex) and name not in ("bone", "red_bone_marrow", "endosteum")
        )
        + BONE_SITES
    )
    drawing = Drawing(axes, outline.depth(axes), names, grid.voxel_cm3)
    frames = builder.frames(builder.girth)
    rows = [*load("body/own_solids").rows(), *load("body/published_solids").rows()]
    solids = shapes_from(rows, frames, builder.person.sex) + builder.limbs(builder.girth)
    groups: dict[str, list[Shape]] = {}
    for solid in solids:
        groups.setdefault(solid.organ, []).append(solid)
    _draw_skin(drawing, builder.targets.skin / material("skin").density_g_cm3)
    core, drawing.free_space = drawing.free_space, drawing.depth > 0
    drawing.fill("breasts", builder.breasts(builder.girth))
    drawing.free_space = core
    for name, shapes in sorted(groups.items(), key=lambda group: group[0] in LAST):
        if name.startswith(("cavity", "skin")):
            continue
        drawing.only = drawing.inside(groups["cavity_chest"]) if name == "lungs" else None
        target = {"air": "", "eyes": "residual_soft_tissue", "tongue": "muscle"}.get(name, name)
        if name in BONE_SITES:
            _note_bone_depth(drawing, shapes)
        elif name in builder.targets.organ:
            density = builder.materials[builder.index[ORGANS[name].material]].density_g_cm3
            volume = builder.targets.organ[name] / density
            if name != RANKLESS and volume < SMALL_VOXELS * grid.voxel_cm3:
                drawing.fill_ranked(name, shapes, volume)
                continue
            shapes = drawing.fit(shapes, volume)
        if target:
            drawing.fill(target, shapes)
        else:
            for box, free in drawing.claim(shapes):
                drawing.labels[box][free] = AIRWAY
    drawing.only = None
    _fill_rest(drawing, groups, builder.targets)
    drawing.labels[drawing.labels == AIRWAY] = 0
    return grid, drawing


def _draw_skin(drawing: Drawing, volume_cm3: float) -> None:
    """The outermost voxels, as many as the skin's volume asks for."""
    outer = (drawing.depth > 0) & (drawing.depth < 12)
    wanted = round(volume_cm3 / drawing.voxel_cm3)
    depths = drawing.depth[outer]
    limit = np.partition(depths, wanted)[wanted] if wanted < depths.size else np.float32(12)
    drawing.labels[outer & (drawing.depth < limit)] = drawing.number("skin")


def _note_bone_depth(drawing: Drawing, shapes: list[Shape]) -> None:
    for shape in shapes:
        box, depth = shape.depth(drawing.axes)
        np.maximum(drawing.bone_depth[box], depth, out=drawing.bone_depth[box])


def _fat_depth(drawing: Drawing, groups: dict[str, list[Shape]]) -> NDArray[np.float32]:
    """The depth that orders voxels by how likely they are subcutaneous fat."""
    found = drawing.depth.copy()
    for name, factor in LIMB_FAT_DEPTH.items():
        for shape in groups.get(name, []):
            box, depth = shape.depth(drawing.axes)
            limb = depth >= drawing.depth[box] - 0.1
            found[box][limb] = drawing.depth[box][limb] * np.float32(factor)
    return found


def _fill_rest(drawing: Drawing, groups: dict[str, list[Shape]], targets: Targets) -> None:
    """Residual tissue in the chest, fat in the abdomen and under the skin, muscle elsewhere."""
    drawing.fill("residual_soft_tissue", groups["cavity_chest"])
    adipose = targets.adipose / material("adipose").density_g_cm3 / drawing.voxel_cm3
    number = drawing.number("adipose")
    visceral = VISCERAL_SHARE * adipose
    drawing.free_space = drawing.depth > 0
    for box, free in drawing.claim(groups["cavity_abdomen"]):
        depth = np.where(free, drawing.depth[box], np.float32(-1))
        wanted = round(visceral)
        if wanted < int(free.sum()):
            limit = np.partition(depth.ravel(), -wanted)[-wanted]
            free = free & (depth >= limit)
        drawing.labels[box][free] = number
    drawing.fill("residual_soft_tissue", groups["cavity_abdomen"])
    left = round(adipose) - int((drawing.labels == number).sum())
    free = (drawing.labels == 0) & (drawing.depth > 0)
    fat_depth = _fat_depth(drawing, groups)
    depths = fat_depth[free]
    limit = np.partition(depths, left)[left] if 0 < left < depths.size else np.float32(1e9 if left > 0 else 0)
    drawing.labels[free & (fat_depth < limit)] = number
    drawing.labels[(drawing.labels == 0) & (drawing.depth > 0)] = drawing.number("muscle")


def _fill_material(builder: _Builder, drawing: Drawing) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Each organ's material; bone as cortical outer voxels round spongiosa, to the mass of the skeleton."""
    lookup = np.zeros(len(drawing.names) + 1, dtype=np.uint8)
    for i, name in enumerate(drawing.names, start=1):
        lookup[i] = builder.index["spongiosa" if name in BONE_SITES else ORGANS[name].material]
    found = lookup[drawing.labels]
    bone = drawing.labels >= drawing.number(BONE_SITES[0])
    cortical, spongy = material("cortical_bone").density_g_cm3, material("spongiosa").density_g_cm3
    count = int(bone.sum())
    mean = builder.targets.organ["bone"] / (count * drawing.voxel_cm3)
    share = min(max((mean - spongy) / (cortical - spongy), CORTICAL_LIMITS[0]), CORTICAL_LIMITS[1])
    for i, name in enumerate(drawing.names, start=1):
        if name in BONE_SITES:
            site = np.flatnonzero(drawing.labels == i)
            if site.size:
                shallow = np.argpartition(
                    drawing.bone_depth.ravel()[site], min(int(share * site.size), site.size - 1)
                )
                found.ravel()[site[shallow[: int(share * site.size)]]] = builder.index["cortical_bone"]
    densities = np.array([m.density_g_cm3 for m in builder.materials], dtype=np.float32)
    return found, densities[found]


CORTICAL_LIMITS = (0.1, 0.6)


def stylised(person: Person, voxel_mm: float = 3.0, arms: Arms = "down") -> Body:
    """Return the stylised adult of a person's sex, height and weight.

    Parameters
    ----------
    person : Person
        An adult; unknown height or weight is that of the reference adult, as a listed assumption.
    voxel_mm : float
        Edge of the cubic voxels, 1 to 10 mm.
    arms : {"down", "up"}
        Beside the body, or above the head as for a CT of the trunk.

    Raises
    ------
    OutsideDomain
        The person is a child.
    InvalidInput
        The voxel size or pose is not one of those.

    Examples
    --------
    >>> body = stylised(Person("F", 40, 163, 60), voxel_mm=8.0, arms="up")
    >>> round(body.total_mass_kg)
    60
    """
    require_adult(person)
    if not VOXEL_LIMITS_MM[0] <= voxel_mm <= VOXEL_LIMITS_MM[1]:
        raise InvalidInput(
            f"Voxels of {voxel_mm:g} mm are not offered.",
            where="voxel_mm",
            way_out=f"Give {VOXEL_LIMITS_MM[0]:g} to {VOXEL_LIMITS_MM[1]:g} mm.",
        )
    if arms not in ("up", "down"):
        raise InvalidInput(f"The arms are {arms!r}.", where="arms", way_out='Give "up" or "down".')
    return _stylised(person, float(voxel_mm), arms)


@lru_cache(maxsize=4)
def _stylised(person: Person, voxel_mm: float, arms: Arms) -> Body:
    builder = _Builder(person, voxel_mm, arms)
    grid, drawing = _draw(builder)
    found, density = _fill_material(builder, drawing)
    for array in (drawing.labels, found, density):
        array.setflags(write=False)
    names = drawing.names
    body = Body(
        person=person,
        grid=grid,
        labels=drawing.labels,
        organs=names,
        material=found,
        density_g_cm3=density,
        materials=builder.materials,
        origin=dict.fromkeys(names, "stylised"),
        assumptions=_assumptions(builder),
        anatomy_u={},
        landmarks=_landmarks(builder, grid, drawing),
    )
    shares = {site.name: site.marrow_share for site in body.skeleton}
    return body.with_(anatomy_u=anatomy_u_of(body.origin, {}, shares))


def _landmarks(builder: _Builder, grid: Grid, drawing: Drawing) -> dict[str, float]:
    z = grid.axes_mm()[0]
    half = grid.spacing_mm[0] / 2

    def extent(name: str) -> tuple[float, float]:
        used = z[(drawing.labels == drawing.number(name)).any(axis=(1, 2))]
        return float(used.min() - half), float(used.max() + half)

    scale = 10 * builder.z_scale
    lungs, liver = extent("lungs"), extent("liver")
    return {
        "vertex": 98.5 * scale,
        "chin": 78.5 * scale,
        "shoulder": 68.0 * scale,
        "lung_top": lungs[1],
        "lung_bottom": lungs[0],
        "liver_bottom": liver[0],
        "iliac_crest": 22.0 * scale,
        "hip": 0.0,
        "sole": -80.0 * scale,
    }


def _assumptions(builder: _Builder) -> tuple[Assumption, ...]:
    person = builder.person
    found = [
        Assumption(
            "anatomy",
            f"stylised adult, {builder.height_cm:.0f} cm, {builder.weight_kg:.0f} kg",
            "published mathematical phantom with own additions, fitted to ICRP 89 masses",
        )
    ]
    if person.height_cm is None:
        found.append(Assumption("height", f"{builder.height_cm:.0f} cm", "reference adult, ICRP 89"))
    if person.weight_kg is None:
        found.append(
            Assumption(
                "weight", f"{builder.weight_kg:.0f} kg", "body mass index of the reference adult, ICRP 89"
            )
        )
    return tuple(found)


__all__ = ["Sex", "stylised"]
