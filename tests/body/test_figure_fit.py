"""Promises of the figure of a person."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pytest
from scipy.spatial import ConvexHull

from wholedose.base import InvalidInput
from wholedose.body.figure import Figure, fit_figures
from wholedose.body.figure_fit import BREAST_DENSITY, _body_of, crotch_mm, proportions
from wholedose.body.masses import GLANDULARITY
from wholedose.matter import material

PEOPLE = [
    ("M", 0.0, 51.0, 3300, None),
    ("F", 1.0, 76.0, 9500, None),
    ("M", 5.0, 109.0, 18_100, None),
    ("F", 8.0, 128.0, 50_000, None),  # very fat child
    ("M", 10.0, 138.0, 22_500, None),  # very thin child
    ("F", 15.0, 161.0, 51_000, None),
    ("M", 35.0, 176.0, 69_700, None),
    ("F", 35.0, 163.0, 57_300, None),
    ("M", 40.0, 180.0, 40_200, None),  # body mass index 13
    ("M", 45.0, 178.0, 185_000, None),  # body mass index 60
    ("F", 85.0, 150.0, 130_000, None),
    ("F", 30.0, 163.0, 70_000, 38.0),
    ("F", 19.0, 181.0, 62_000, 14.0),
]


def fitted(person: tuple[Literal["F", "M"], float, float, float, float | None]) -> tuple[Figure, Figure]:
    sex, age, height, volume, week = person
    return fit_figures(sex, age, height, volume, pregnancy_week=week)


def outward(figure: Figure) -> np.ndarray:
    corners = figure.vertices_mm[figure.faces]
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    sums = np.zeros_like(figure.vertices_mm)
    for corner in range(3):
        np.add.at(sums, figure.faces[:, corner], normal)
    return np.asarray(sums / np.linalg.norm(sums, axis=1, keepdims=True))


@pytest.mark.parametrize("person", PEOPLE)
def test_height_and_volume_are_those_asked_for(person: tuple[Any, ...]) -> None:
    """Height within 0.1 % and volume within 0.3 %, from the newborn to a body mass index of 60."""
    actual, core = fitted(person)
    assert actual.height_mm == pytest.approx(10 * person[2], rel=1e-3)
    assert core.height_mm == pytest.approx(10 * person[2], rel=1e-3)
    assert actual.volume_cm3 == pytest.approx(person[3], rel=3e-3)
    assert actual.vertices_mm[:, 2].min() == pytest.approx(0.0, abs=1e-6)
    assert np.abs(actual.vertices_mm[actual.mirror] * [-1, 1, 1] - actual.vertices_mm).max() < 1e-6


@pytest.mark.parametrize("person", PEOPLE)
def test_core_is_the_same_person_without_the_fat(person: tuple[Any, ...]) -> None:
    """The core shares the joints, is never heavier, and 99 % of its skin lies no more than 4 mm outside."""
    actual, core = fitted(person)
    assert np.array_equal(actual.joint_mm, core.joint_mm)
    assert np.array_equal(actual.tail_mm, core.tail_mm)
    assert core.volume_cm3 <= actual.volume_cm3
    out = ((actual.vertices_mm - core.vertices_mm) * outward(core)).sum(axis=1)
    assert np.percentile(out, 1) > -4.0


@pytest.mark.parametrize(
    ("sex", "age", "height", "volume"),
    [("M", 0, 51, 3340), ("F", 1, 76, 9500), ("M", 4, 106, 17e3), ("F", 10, 138, 31e3), ("F", 35, 163, 57e3)],
)
def test_proportions_are_those_of_the_age(
    sex: Literal["F", "M"], age: float, height: float, volume: float
) -> None:
    """Leg length by height is the published one within 0.02, and a tape about the head reads within 4 %."""
    _, core = fit_figures(sex, age, height, volume)
    usual, sitting, girth = proportions(sex, age)
    assert crotch_mm(core) / core.height_mm == pytest.approx(1 - sitting, abs=0.02)
    head = core.joints.index("head")
    share = np.where(core.weight_index == head, core.weight, 0).sum(axis=1)
    points = core.vertices_mm[share > 0.95]
    eyes, top = core.joint_mm[core.joints.index("eye.L"), 2], core.height_mm
    tapes = [
        ConvexHull(points[np.abs(points[:, 2] - z) < 0.05 * (top - eyes)][:, :2]).area
        for z in np.linspace(eyes + 0.1 * (top - eyes), eyes + 0.6 * (top - eyes), 8)
    ]
    assert max(tapes) == pytest.approx(girth * (10 * height / usual) ** 0.3, rel=0.04)


def test_bump_holds_the_conceptus() -> None:
    """At the same fatness the figure of week 38 is larger by the conceptus, 4.5 L; at week 12 by 0.2 L."""
    usual = _body_of("F", 30, 1630, None, None).at(0.2).volume_cm3
    late = _body_of("F", 30, 1630, 38, None).at(0.2).volume_cm3
    early = _body_of("F", 30, 1630, 12, None).at(0.2).volume_cm3
    assert late - usual == pytest.approx(3069 + 637 / 1.02 + 824 / 1.01, rel=0.05)
    assert early - usual == pytest.approx(17.5 + 92.9 / 1.02 + 82.9 / 1.01, rel=0.08)


@pytest.mark.parametrize("grams", [350.0, 900.0, 2000.0, 3000.0])
def test_breasts_have_their_mass(grams: float) -> None:
    """At the same fatness breasts of another mass change the volume by that mass over their density."""
    usual = _body_of("F", 40, 1630, None, 500.0).at(0.0)
    other = _body_of("F", 40, 1630, None, grams).at(0.0)
    assert other.volume_cm3 - usual.volume_cm3 == pytest.approx((grams - 500) / 0.98, rel=0.03)
    moved = np.linalg.norm(other.vertices_mm - usual.vertices_mm, axis=1) > 3.0
    z = usual.vertices_mm[moved, 2] / usual.height_mm
    assert 0.6 < z.min() < z.max() < 0.85


def test_volume_grows_with_fatness() -> None:
    """Along the whole path from thin to fat volume grows, so that each volume has one figure."""
    body = _body_of("F", 50, 1600, None, None)
    volumes = [body.at(fatness).volume_cm3 for fatness in np.linspace(-1.4, 2.0, 35)]
    assert (np.diff(volumes) > 0).all()


def test_skin_of_the_very_fat_is_not_turned_inside_out() -> None:
    """At a body mass index of 60 less than 1 % of the skin faces against the skin of the core."""
    actual, core = fit_figures("F", 45, 163, 152_000)
    against = (outward(actual) * outward(core)).sum(axis=1) < -0.2
    assert against.mean() < 0.01


def test_impossible_volume_is_refused() -> None:
    """A volume that no figure of this age and height has is refused with the range."""
    with pytest.raises(InvalidInput, match=r"No figure of 40 years and 178 cm .* 900 L. .* Give 27\.\d to"):
        fit_figures("M", 40, 178, 900_000)


def test_thighs_grow_faster_than_children() -> None:
    """The younger a child the smaller its thigh's share of the height; thigh and pelvis share the hip."""
    shares = []
    for age, height, volume in ((0.0, 51.0, 3350), (1.0, 76.0, 9500), (5.0, 109.0, 18_100)):
        figure, _ = fit_figures("F", age, height, volume)
        at = {name: k for k, name in enumerate(figure.joints)}
        for side in "LR":
            hip = figure.joint_mm[at[f"upperleg01.{side}"]]
            np.testing.assert_allclose(figure.tail_mm[at[f"pelvis.{side}"]], hip, atol=1e-6)
        shares.append((hip[2] - figure.joint_mm[at["lowerleg01.R"], 2]) / figure.height_mm)
    assert shares[0] < shares[1] < shares[2] < 0.25
    assert shares[0] < 0.19


def test_breasts_have_the_density_of_their_tissues() -> None:
    """The density that turns breast mass into volume is that of gland and fat in the reference share."""
    gland, fat = (material(name).density_g_cm3 for name in ("breast_gland", "adipose"))
    mixed = 1.0 / (GLANDULARITY / gland + (1.0 - GLANDULARITY) / fat)
    assert mixed == pytest.approx(BREAST_DENSITY, abs=0.005)
