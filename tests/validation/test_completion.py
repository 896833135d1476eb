"""The suite of completion."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.shared_icrp110 import icrp110

from wholedose.body import ORGANS, Body, Person, reference
from wholedose.validation import completion
from wholedose.validation.completion import OrganCase, Truth
from wholedose.validation.other_person import other_person
from wholedose.validation.suites import REPORTED_ONLY, suite
from wholedose.xray.ct_estimate import estimate

BOY = Person("M", 8, 135, 27)
UP = "supine, arms up"


@pytest.fixture(scope="module")
def boy() -> Body:
    return other_person(BOY, UP, 3, voxel_mm=8.0)


def case(**changes: object) -> OrganCase:
    start = OrganCase("a boy", "chest", "liver", 1.0, 1.0, 0.1, 0.01, 0.0)
    return replace(start, **changes)  # type: ignore[arg-type]


def centre(body: Body, name: str) -> np.ndarray:
    k, j, i = np.nonzero(body.labels == body.label(name))
    z, y, x = body.grid.axes_mm()
    return np.array([x[i].mean(), y[j].mean(), z[k].mean()])


def test_another_person_has_other_organs_in_the_same_skin(boy: Body) -> None:
    """Silhouette and head stay; liver and bladder move by 3 to 60 mm; the spleen has another size."""
    own = reference(BOY, UP, 8.0)
    assert np.array_equal(boy.labels > 0, own.labels > 0)
    head = own.grid.axes_mm()[0] > own.landmarks["chin"]
    assert np.array_equal(boy.labels[head], own.labels[head])
    for name in ("liver", "urinary_bladder_contents"):
        assert 3.0 < np.linalg.norm(centre(boy, name) - centre(own, name)) < 60.0
    assert abs(boy.label_mass_g("spleen") / own.label_mass_g("spleen") - 1.0) > 0.03


def test_another_person_is_known_by_height_and_own_weight(boy: Body) -> None:
    """The weight that a user would be told is that of the body made."""
    assert boy.person.height_cm == 135
    assert boy.person.weight_kg == pytest.approx(boy.total_mass_kg, abs=0.06)


def test_seeds_are_persons(boy: Body) -> None:
    """The same seed gives the same voxels, another one another person."""
    assert np.array_equal(other_person(BOY, UP, 3, voxel_mm=8.0).labels, boy.labels)
    assert not np.array_equal(other_person(BOY, UP, 4, voxel_mm=8.0).labels, boy.labels)


def test_images_are_cut_and_hold_ct_numbers(boy: Body) -> None:
    """The image ends where it was cut; its muscle has 30 to 80 HU, its fat -130 to -60, its air -1000."""
    ends = Truth("boy", boy, boy.person).range_mm("chest")
    image = completion.ct_of(boy, ends)
    assert image.grid.lower_mm[2] == pytest.approx(ends[0], abs=8.0)
    assert image.grid.upper_mm[2] == pytest.approx(ends[1], abs=8.0)
    z = boy.grid.axes_mm()[0]
    part = boy.labels[(z >= ends[0]) & (z <= ends[1])]
    pad = (image.grid.shape[1] - part.shape[1]) // 2
    inner = image.values[:, pad:-pad, pad:-pad]
    assert inner.shape == part.shape
    assert 30 < inner[part == boy.label("muscle")].mean() < 80
    assert -130 < inner[part == boy.label("adipose")].mean() < -60
    assert inner[part == 0].mean() == pytest.approx(-1000, abs=5)


def test_intervals_are_log_normal_and_hold_both_uncertainties() -> None:
    """With 10 % of anatomy and 1 % of statistics, 1.21 times the dose is covered and 1.22 times is not."""
    assert case(dose_mgy=1.21).covered
    assert case(dose_mgy=1 / 1.21).covered
    assert not case(dose_mgy=1.22).covered
    assert case(dose_mgy=1.22, statistical_u=0.03).covered


def test_places_by_the_share_in_the_image() -> None:
    """Nine tenths are inside, one tenth is outside, what lies between is partly in the image."""
    assert [case(in_image=share).place for share in (1.0, 0.9, 0.5, 0.1, 0.0)] == [
        "inside", "inside", "partly", "outside", "outside",
    ]  # fmt: skip


def test_summary_judges_coverage_and_error_of_what_was_not_seen() -> None:
    """Nine of ten covered and 20 % of error pass; one miss more, or a larger median, fails its row alone."""
    good = [case(dose_mgy=1.15) for _ in range(9)] + [case(dose_mgy=2.0)]
    judged = {row.tolerance: row.passed for row in completion.summary_rows(good, "set")}
    judged.pop(REPORTED_ONLY)
    assert list(judged.values()) == [True, True]
    missing = [*good[1:], case(dose_mgy=2.0)]
    assert [r.passed for r in completion.summary_rows(missing, "set")[:2]] == [False, True]
    wide = [replace(one, dose_mgy=1.3, anatomy_u=0.3) for one in good]
    assert [r.passed for r in completion.summary_rows(wide, "set")[:2]] == [True, False]


def test_noise_counts_neither_for_nor_against() -> None:
    """A pair with 16 % of statistical uncertainty is left out, and its share is reported."""
    rows = completion.summary_rows([case(), case(dose_mgy=9.0, statistical_u=0.16)], "set")
    assert rows[0].value == 1.0
    assert rows[-1].value == 0.5
    assert completion.case_rows([case(statistical_u=0.16)]) == []


def test_a_body_compared_with_itself_has_no_error(boy: Body) -> None:
    """The same body on both sides of the comparison gives ratio 1 in every organ, and its place."""
    image = completion.ct_of(boy, Truth("boy", boy, boy.person).range_mm("pelvis"))
    scan = completion.scan_of(image, "pelvis")
    dose = estimate(scan, boy.with_(image_z_mm=(image.grid.lower_mm[2], image.grid.upper_mm[2])), batches=2)
    cases = {c.organ: c for c in completion.compared(Truth("boy", boy, boy.person), "pelvis", dose, dose)}
    assert {c.error for c in cases.values()} == {0.0}
    assert (cases["urinary_bladder"].place, cases["brain"].place) == ("inside", "outside")
    assert cases["urinary_bladder"].true_mgy > 20 * cases["lungs"].true_mgy


def test_the_suite_is_listed() -> None:
    """It is known by name, and needs no reference data."""
    assert not suite("completion").needs_reference


def phantom(folder: Path, sex: str) -> Truth:
    """A voxel phantom with the landmarks that regions go by."""
    body = icrp110(folder, sex)
    z = body.grid.axes_mm()[0]

    def ends(*names: str) -> tuple[float, float]:
        wanted = [body.label(name) for name in names or body.organs]
        used = np.flatnonzero(np.isin(body.labels, wanted).any(axis=(1, 2)))
        return float(z[used[0]]), float(z[used[-1]])

    pelvis = ends("bone_pelvis")
    marks = {
        "sole": ends()[0],
        "hip": pelvis[0],
        "iliac_crest": pelvis[1],
        "shoulder": ends("bone_humeri_upper")[1],
        "chin": ends("bone_mandible")[0],
        "vertex": ends()[1],
    }
    # the phantoms' blood vessels are arteries and veins in one: no organ of ours
    organs = tuple(name for name in ORGANS if name != "large_veins")
    return Truth(f"ICRP 110 {sex}", body.with_(landmarks=marks), body.person, organs=organs)


@pytest.fixture(scope="module")
def phantom_cases(shared: Path) -> list[OrganCase]:
    """Cases of the adults of ICRP 110, whom nothing of ours was drawn or calibrated after."""
    cases: list[OrganCase] = []
    for sex in ("M", "F"):
        truth = phantom(shared / "phantoms", sex)
        for region in completion.REGIONS:
            cases += completion.organ_cases(truth, region)
    return completion.told(cases)


@pytest.mark.slow
@pytest.mark.shared
def test_organs_in_images_of_voxel_phantoms_are_right(phantom_cases: list[OrganCase]) -> None:
    """Organs in the image have the true dose to 10 % (median) and in their interval."""
    inside = [one for one in phantom_cases if one.place == "inside"]
    assert len(inside) >= 30
    assert completion.median_error(inside) <= 0.10
    assert completion.coverage(inside) >= completion.COVERAGE_GOAL


@pytest.mark.slow
@pytest.mark.shared
def test_intervals_hold_the_truth_of_voxel_phantoms(phantom_cases: list[OrganCase]) -> None:
    """Nine of ten organs of both adults and all regions have their true dose in the interval."""
    assert len(phantom_cases) > 150
    assert completion.coverage(phantom_cases) >= completion.COVERAGE_GOAL


@pytest.mark.slow
@pytest.mark.shared
@pytest.mark.xfail(strict=True, raises=AssertionError, reason="organs out of sight lie about a vertebra off")
def test_median_error_out_of_the_image_of_voxel_phantoms(phantom_cases: list[OrganCase]) -> None:
    """The median error of organs out of the image is at most 20 %."""
    outside = [one for one in phantom_cases if one.place == "outside"]
    assert completion.median_error(outside) <= completion.OUTSIDE_GOAL
