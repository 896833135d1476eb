"""Bodies from CT images. Defines `from_ct`.

Scanned voxels keep what the image says: material and density by CT number, organs from a label map where
there is one, otherwise lungs, bone, airways, fat and soft tissue by our own segmentation. Organs that neither
knows come from the reference body registered to the image, and so does the part of the person outside it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import cast

import numpy as np

from wholedose.base import Assumption, Volume
from wholedose.base.errors import InvalidInput, MissingInput
from wholedose.body import segmentation as seg
from wholedose.body.body import Body
from wholedose.body.ensemble import MEMBERS, ensemble_of
from wholedose.body.foreign import take_foreign_matter
from wholedose.body.growth import reference_build
from wholedose.body.labels import LabelNames, mapped
from wholedose.body.locate import ADULT_HEIGHT_CM, Fit, area_of, locate, neighbours, profile, profile_of
from wholedose.body.masses import with_size
from wholedose.body.matching import match
from wholedose.body.percentiles import Quantity, allowed
from wholedose.body.person import Person, assumed_person
from wholedose.body.placement import Placement
from wholedose.body.reference_body import check_voxel_mm, reference
from wholedose.body.resample import box_mean, isotropic, nearest
from wholedose.body.scanned import Scanned
from wholedose.body.view import Arms, arms_of
from wholedose.matter import HuCalibration

# padding outside the field of view has lower numbers than any air
AIR_HU = -1024.0
# labels that tell nothing about the height
WIDESPREAD = ("muscle", "adipose", "skin", "residual_soft_tissue", "spinal_cord", "aorta", "lymphatic_nodes")
COARSE_MM = 6.0
CLOSE_ENOUGH = 0.02


def from_ct(
    image: Volume,
    person: Person | None = None,
    labels: Volume | None = None,
    label_names: Mapping[int, str] | None = None,
    voxel_mm: float = 3.0,
    completion: bool = True,
    *,
    region: str | None = None,
    arms: Arms | None = None,
    calibration: HuCalibration | None = None,
    resample_labels: bool = False,
    kv: float | None = None,
    members: int = MEMBERS,
) -> Body:
    """Make a body from a CT image.

    Parameters
    ----------
    image : Volume
        CT numbers in HU.
    person : Person, optional
        Whose image it is, of any age. What is unknown is assumed and listed: sex F, age 45 y, the reference
        height of the age, the weight that fits the section seen.
    labels : Volume, optional
        A label map on the image's grid; its names decide over our segmentation.
    label_names : mapping of int to str
        Names of the labels: TotalSegmentator's (v1, v2) or ours.
    voxel_mm : float
        Cubic voxels, 1 to 10 mm; images are averaged, never sampled.
    completion : bool
        Add the person outside the image, and organs that nobody drew.
    region : str, optional
        Name in ``body/regions`` of what the image shows, when that is hard to see.
    arms : {"up", "down"}, optional
        Pose of the completed arms; by default what the image shows (`wholedose.body.view.arms_of`), or
        where it shows no trunk the one whose slice areas match the image better.
    calibration : HuCalibration, optional
        CT number to matter; by default Schneider 2000.
    resample_labels : bool
        Accept a label map on another grid that lies in the same frame and covers the image.
    members : int
        How many bodies its ``ensemble`` holds, for the uncertainty by what the image does not show.
    kv : float, optional
        Tube voltage, which tells iodine and metal from their CT numbers; 120 kV when unknown.

    Raises
    ------
    InvalidInput
        No CT, no body, or a label map that does not fit.
    MissingInput
        A label map without names.

    Notes
    -----
    Findings (truncation, contrast, metal, unknown labels, empty labels) are in ``assumptions`` of the body.
    """
    check_voxel_mm(voxel_mm)
    seg.refuse_unusable(image)
    notes: list[Assumption] = []
    person = _person(person, notes)
    names = _names(image, labels, label_names, resample_labels, notes)
    grid = image.grid
    if max(abs(d - voxel_mm) for d in grid.spacing_mm) > 0.01 * voxel_mm:
        grid = isotropic(grid, voxel_mm)
        hu = box_mean(image, grid, AIR_HU)
    else:
        hu = np.maximum(image.values.astype(np.float32), np.float32(AIR_HU))
    found = seg.segment(hu, grid)
    _note_findings(found, notes)
    calibration = calibration or HuCalibration.schneider2000()
    drawn = Scanned(grid, hu, found, calibration)
    if labels is not None and names is not None:
        drawn.take_labels(nearest(labels, grid), names)
    take_foreign_matter(drawn, image, kv, notes)
    if not completion:
        return drawn.alone(person, notes)
    fits, coarse, pose = _fit(drawn, person, region, arms, notes)
    known = tuple(n for n, source in drawn.origin.items() if source == "label map" and n not in WIDESPREAD)
    placement = match(drawn, coarse, fits, known)
    fit = placement.fit
    _note_place(drawn, fit, placement, coarse, notes)
    model = reference(coarse.person, pose, voxel_mm)
    body, seen = drawn.completed(person, model, coarse, placement, fit.rival_mm, notes)
    return body.with_(
        ensemble=ensemble_of(
            body,
            seen,
            members=members,
            height_known=person.height_cm is not None,
            weight_known=person.weight_kg is not None,
        )
    )


def _person(person: Person | None, notes: list[Assumption]) -> Person:
    if person is None:
        person, assumed = assumed_person()
        notes.extend(assumed)
    return person


def _names(
    image: Volume,
    labels: Volume | None,
    label_names: Mapping[int, str] | None,
    resample: bool,
    notes: list[Assumption],
) -> LabelNames | None:
    if labels is None:
        return None
    if not label_names:
        raise MissingInput(
            "The label map comes without names.",
            where="label_names",
            way_out="Give number → name, for example from the JSON beside it.",
        )
    if not labels.grid.matches(image.grid, tolerance_mm=0.1):
        low, high = np.array(labels.grid.lower_mm), np.array(labels.grid.upper_mm)
        covers = bool((low <= np.array(image.grid.lower_mm) + 5).all()) and bool(
            (high >= np.array(image.grid.upper_mm) - 5).all()
        )
        if not (resample and covers):
            hint = "pass resample_labels=True" if covers else "it does not cover the image"
            raise InvalidInput(
                f"The label map has another grid ({labels.grid.shape}, {labels.grid.spacing_mm} mm) than the "
                f"image ({image.grid.shape}, {image.grid.spacing_mm} mm).",
                where="labels",
                way_out=f"Give the label map of this very image; to read it at the image's places: {hint}.",
            )
    names = mapped(label_names)
    used = set(np.unique(labels.values).astype(int).tolist()) - {0}
    if not used:
        raise InvalidInput(
            "The label map is empty.", where="labels", way_out="Leave it out, or give a filled one."
        )
    nameless = sorted(used - set(names.target))
    if nameless:
        notes.append(
            Assumption("labels without a name", ", ".join(map(str, nameless)), "treated by CT number")
        )
    if names.unknown:
        notes.append(Assumption("unknown label names", ", ".join(names.unknown), "treated by CT number"))
    return names


def _note_findings(found: seg.Segmentation, notes: list[Assumption]) -> None:
    if found.truncated > seg.threshold("truncated_flag"):
        notes.append(
            Assumption(
                "truncated field of view",
                f"the side of the image cuts the body on {100 * found.truncated:.0f} % of the slices",
                "the reference body fills what lies outside; scatter and attenuation there are its own",
                0.05,
            )
        )


def _fit(
    drawn: Scanned,
    person: Person,
    region: str | None,
    arms: Arms | None,
    notes: list[Assumption],
) -> tuple[list[Fit], Body, str]:
    """Places of the image on the reference body, the likeliest by slice areas first.

    Height and weight are assumed where they are unknown.
    """
    z, y, x = drawn.grid.axes_mm()
    if person.height_cm is None:
        height = reference_build(person.sex, person.age_y)[0]
        person = person.with_(height_cm=height)
        notes.append(Assumption("height", f"{height:.0f} cm", "reference of the age, ICRP 89", 0.02))
    assumed_weight = person.weight_kg is None
    person = _within(with_size(person), notes)
    size = float(person.height_cm or 0.0) / ADULT_HEIGHT_CM
    shown = profile(z, y, x, drawn.found.body, drawn.found.mask("lung"), drawn.found.mask("bone"), size)
    known = [n for n, source in drawn.origin.items() if source == "label map" and n not in WIDESPREAD]
    shown = replace(
        shown,
        organs={n: area_of(drawn.labels == drawn.number[n], y, x) for n in known},
        cut=drawn.found.cut_left | drawn.found.cut_right,
    )
    poses = _poses(drawn, arms)
    tried = [(pose, reference(person, pose, COARSE_MM)) for pose in poses]
    fits = [locate(shown, one[1], region) for one in tried]
    best = min(range(len(tried)), key=lambda i: fits[i].score)
    (pose, coarse), fit = tried[best], fits[best]
    for _ in range(2 if assumed_weight else 0):
        model = profile_of(coarse)
        expected = np.interp(fit.to_body_z(shown.z_mm), model.z_mm, model.body)
        ratio = float(shown.body.sum() / max(expected.sum(), 1.0))
        if abs(ratio - 1.0) < CLOSE_ENOUGH:
            break
        low, high = allowed(person, "weight")
        weight = min(max(round((person.weight_kg or low) * ratio, 1), low), high)
        person = person.with_(weight_kg=weight)
        coarse = reference(person, pose, COARSE_MM)
        fit = locate(shown, coarse, region)
    if assumed_weight:
        why = "fits the cross-section that the image shows"
        notes.append(Assumption("weight", f"{person.weight_kg:.0f} kg", why, 0.03))
    return neighbours(shown, coarse, fit), coarse, pose


def _poses(drawn: Scanned, arms: Arms | None) -> tuple[str, ...]:
    """Return the poses that the image allows: of a head or legs alone, both."""
    state = arms or arms_of(drawn.found, drawn.grid).state
    if state == "unknown":
        return ("supine, arms up", "supine, arms down")
    return ("supine, arms up",) if state == "up" else ("supine, arms down",)


def _within(person: Person, notes: list[Assumption]) -> Person:
    """Bring height and weight to what reference bodies are made for, and say so."""
    for field, unit in (("height", "cm"), ("weight", "kg")):
        name = f"{field}_{unit}"
        value = float(getattr(person, name) or 0.0)
        low, high = allowed(person, cast(Quantity, field))
        made = min(max(value, low), high)
        if abs(made - value) > 1e-9:
            notes.append(
                Assumption(
                    f"{field} of the completed parts",
                    f"{made:.4g} {unit}",
                    f"{value:.4g} {unit} is beyond the {'0.1st' if value < low else '99.9th'} percentile, "
                    "where no reference bodies are made",
                    0.05,
                )
            )
            person = person.with_(**{name: made})
    return person


def _note_place(drawn: Scanned, fit: Fit, placement: Placement, model: Body, notes: list[Assumption]) -> None:
    z, hip = drawn.grid.axes_mm()[0], model.landmarks["hip"]
    low_z, high_z = (float(v) - hip for v in placement.to_body_z(np.array([z[0], z[-1]])))
    notes.append(
        Assumption(
            "place of the image on the body",
            f"{low_z / 10:.0f} to {high_z / 10:.0f} cm above the crotch",
            ("heights fixed by " + " and ".join(fit.ends) if fit.ends else "best match of the slice areas")
            + ", then registered by skin, lungs and bones",
        )
    )
    if fit.rival_mm:
        where = f"{abs(fit.rival_mm) / 10:.0f} cm {'higher' if fit.rival_mm > 0 else 'lower'}"
        notes.append(
            Assumption(
                "ambiguous place of the image",
                f"{where} matches nearly as well",
                "organs that the image does not show are as uncertain as those outside it; name the region, "
                "or give a label map, to settle it",
            )
        )
