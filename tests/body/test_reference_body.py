"""Whole bodies: masses, size, where things lie, what is refused, and what is kept."""

from __future__ import annotations

import subprocess
import sys
from typing import Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from wholedose.base.errors import Cancelled, InvalidInput, UnknownName
from wholedose.body import BONE_SITES, Body, Person, Pose, reference
from wholedose.body.masses import targets_of, with_size

# coarse, so that all of this takes seconds; the suite `bodies` of `wholedose validate` takes fine voxels
BODIES = {
    "man": (Person("M", 40), "standing", 6.0),
    "woman": (Person("F", 30, 172, 81), "standing", 6.0),
    "girl": (Person("F", 5), "standing", 5.0),
    "newborn": (Person("M", 0), "standing", 3.0),
}
# what may lie at the surface: in coarse voxels the skin is thinner than one voxel
SHALLOW = {
    *("skin", "adipose", "muscle", "residual_soft_tissue", "breast_gland", "breast_adipose"),
    *("eyes", "eye_lenses", "extrathoracic_region", "cartilage", "cortical_bone"),
    *BONE_SITES,
}


@pytest.fixture(scope="module", params=list(BODIES))
def body(request: pytest.FixtureRequest) -> Body:
    person, pose, voxel_mm = BODIES[request.param]
    return reference(person, pose, voxel_mm)


def touches_air(body: Body) -> NDArray[np.bool_]:
    """Return which voxels of the person have a neighbour outside it."""
    inside = body.labels > 0
    open_side = np.zeros_like(inside)
    for axis in range(3):
        for step in (1, -1):
            open_side |= np.roll(~inside, step, axis=axis)
    return inside & open_side


def test_regions_have_their_mass(body: Body) -> None:
    """Each region holds its mass within 3 % or one voxel, and the spongiosa of all sites together does."""
    targets = targets_of(body.person)
    spongy = [name for name in targets if name in BONE_SITES]
    off = {}
    for name, target in targets.items():
        voxel = body.grid.voxel_cm3 * target.density_g_cm3
        mass = body.label_mass_g(name) if name in body.organs else 0.0
        if name not in spongy and abs(mass - target.mass_g) > max(0.03 * target.mass_g, voxel):
            off[name] = (mass, target.mass_g)
    assert off == {}
    whole = sum(body.label_mass_g(name) for name in spongy)
    assert whole == pytest.approx(sum(targets[name].mass_g for name in spongy), rel=0.03)


def test_weight_and_height_are_those_asked(body: Body) -> None:
    """The weight is met within 1 %, the height of the standing body within 1 % and half a voxel."""
    sized = with_size(body.person)
    assert body.total_mass_kg == pytest.approx(sized.weight_kg, rel=0.01)
    used = np.flatnonzero((body.labels > 0).any(axis=(1, 2)))
    height = (used[-1] - used[0] + 1) * body.grid.spacing_mm[0] / 10
    assert sized.height_cm is not None
    assert height == pytest.approx(sized.height_cm, abs=0.01 * sized.height_cm + body.grid.spacing_mm[0] / 20)


def test_no_inner_organ_lies_at_the_surface(body: Body) -> None:
    """Between an inner organ and the air lies at least one voxel of something else."""
    surface = touches_air(body)
    found = {
        name: int(np.count_nonzero(surface & (body.labels == body.label(name))))
        for name in body.organs
        if name not in SHALLOW
    }
    assert {name: count for name, count in found.items() if count} == {}


def test_materials_and_densities_are_those_of_the_tissue(body: Body) -> None:
    """Every voxel has a finite density within 12 % of its tissue's; lungs are light, bone is heavy."""
    targets = targets_of(body.person)
    assert np.isfinite(body.density_g_cm3).all()
    for name in body.organs:
        here = body.labels == body.label(name)
        assert here.any(), name
        density, target = body.density_g_cm3[here], targets[name]
        assert np.ptp(density) == 0.0, name
        assert density[0] == pytest.approx(target.density_g_cm3, rel=0.121), name
        wanted = target.material if name not in BONE_SITES else "spongiosa"
        assert body.materials[int(body.material[here][0])].name.startswith(wanted), name
    assert body.density_g_cm3[body.mask("lungs")].mean() < 0.6
    assert body.density_g_cm3[body.labels == body.label("cortical_bone")].mean() > 1.7


def test_outside_is_air(body: Body) -> None:
    """What is not the person is air, with room on all sides."""
    outside = body.labels == 0
    assert body.materials[0].name == "air"
    assert (body.material[outside] == 0).all()
    assert (body.density_g_cm3[outside] < 0.01).all()
    for axis in range(3):
        assert outside.take([0, -1], axis=axis).all()


def middle(body: Body, organ: str) -> NDArray[np.float64]:
    """Return the centre of an organ, x y z in mm."""
    where = np.argwhere(body.mask(organ)).mean(axis=0)
    found = np.array(body.grid.origin_mm) + where[::-1] * body.grid.spacing_mm[0]
    return np.asarray(found, dtype=np.float64)


def test_organs_lie_where_anatomy_has_them(body: Body) -> None:
    """Liver right, spleen and heart left, kidneys behind; brain above heart above liver above bladder."""
    at = {
        name: middle(body, name)
        for name in ("liver", "spleen", "heart", "kidneys", "brain", "stomach", "urinary_bladder", "lungs")
    }
    assert at["liver"][0] < 0 < at["spleen"][0]
    assert at["heart"][0] > 0
    assert at["stomach"][0] > 0
    assert at["kidneys"][1] > at["liver"][1]
    assert at["brain"][2] > at["lungs"][2] > at["liver"][2] > at["urinary_bladder"][2]
    assert at["heart"][2] > at["liver"][2]


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Person("F", 34, height_cm=300), "300 cm is not plausible"),
        (lambda: Person("M", 40, weight_kg=12), "12 kg is not plausible"),
        (lambda: Person("M", 30, pregnancy_week=20), "not pregnant"),
        (lambda: reference(Person("M", 3, 60)), "below the 0.1st percentile"),
        (lambda: reference(Person("F", 40, 165, 31)), "body mass index|percentile"),
        (lambda: Pose.of("standing").with_({("knee_left", "flexion"): 170}), "beyond the normal range"),
        (lambda: reference(Person("M", 40), voxel_mm=0.5), "0.5 mm are not offered"),
        (lambda: reference(Person("M", 40), voxel_mm=11), "11 mm are not offered"),
        (lambda: reference(Person("M", 40), voxel_mm=float("nan")), "not offered"),
    ],
)
def test_impossible_bodies_are_refused(make: object, says: str) -> None:
    """Impossible persons, joints and voxels are refused with the reason and the range."""
    with pytest.raises(InvalidInput, match=says):
        make()  # type: ignore[operator]


def test_unknown_pose_offers_the_closest() -> None:
    """A misspelt pose names the one that was meant."""
    with pytest.raises(UnknownName, match="did you mean 'sitting'"):
        reference(Person("M", 40), "siting")


def test_progress_rises_and_can_cancel() -> None:
    """Progress goes from 0 to 1 in words; answering False cancels, and nothing is kept of it."""
    seen: list[tuple[float, str]] = []
    person = Person("M", 40)

    def stop(fraction: float, text: str) -> bool:
        seen.append((fraction, text))
        return fraction < 0.4

    with pytest.raises(Cancelled):
        reference(person, "standing", 9.5, progress=stop)
    cancelled_at = seen[-1][0]
    assert 0.4 <= cancelled_at < 1.0
    seen.clear()
    reference(person, "standing", 9.5, progress=lambda fraction, text: seen.append((fraction, text)))
    fractions = [fraction for fraction, _ in seen]
    assert fractions == sorted(fractions)
    assert (fractions[0], fractions[-1]) == (0.0, 1.0)
    assert all(text for _, text in seen)


def test_the_same_body_is_made_once() -> None:
    """A second call gives the same voxels without work, under the name that was asked; arrays are locked."""
    calls: list[str] = []
    one = reference(Person("M", 40, name="a"), "standing", 9.0)
    other = reference(
        Person("M", 40, name="b"), "standing", 9.0, progress=lambda fraction, text: calls.append(text)
    )
    assert other.labels is one.labels
    assert other.density_g_cm3 is one.density_g_cm3
    assert (one.person.name, other.person.name) == ("a", "b")
    assert calls == []
    with pytest.raises(ValueError, match="read-only"):
        one.labels[0, 0, 0] = 1


def test_same_digest_in_another_process() -> None:
    """Two processes make the same voxels, whatever their hash seed."""
    here = reference(Person("F", 5), "sitting", 8.0).digest()
    script = (
        "from wholedose.body import Person, reference\n"
        "print(reference(Person('F', 5), 'sitting', 8.0).digest())"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == here


def test_what_was_assumed_is_listed() -> None:
    """Unknown height and weight, the pose and the source of the anatomy stand among the assumptions."""
    listed = {item.what: item.value for item in reference(Person("M", 40), "standing", 9.0).assumptions}
    assert "176 cm" in listed["height"]
    assert "73.0 kg" in listed["weight"]
    assert "standing" in listed["anatomy"]


@settings(max_examples=2, deadline=None, derandomize=True)
@given(age=st.floats(0.0, 90.0).map(lambda age: round(age, 1)), sex=st.sampled_from(["M", "F"]))
def test_any_age_gives_a_body(age: float, sex: Literal["M", "F"]) -> None:
    """At any age there is a body with every region, its weight met within 1 %."""
    person = Person(sex, age)
    body = reference(person, "supine, arms down", 8.0 if age > 3 else 4.0)
    assert body.total_mass_kg == pytest.approx(with_size(person).weight_kg, rel=0.01)
    lacking = {name for name, t in targets_of(person).items() if t.volume_cm3 > body.grid.voxel_cm3}
    assert lacking <= set(body.organs)


@pytest.mark.parametrize("week", [14.0, pytest.param(38.0, marks=pytest.mark.slow)])
def test_pregnancy_has_its_conceptus(week: float) -> None:
    """A pregnant woman holds fetus, placenta and fluid of their masses, inside her uterus's reach."""
    person = Person("F", 30, pregnancy_week=week)
    body, targets = reference(person, "standing", 6.0), targets_of(person)
    for name in ("fetus", "fetus_brain", "fetus_skeleton", "placenta", "amniotic_fluid", "uterus"):
        voxel = body.grid.voxel_cm3 * targets[name].density_g_cm3
        wanted = targets[name].mass_g
        assert body.label_mass_g(name) == pytest.approx(wanted, rel=0.03, abs=voxel), name
    assert np.linalg.norm(middle(body, "fetus") - middle(body, "uterus")) < 120.0
    assert body.total_mass_kg == pytest.approx(with_size(person).weight_kg, rel=0.01)
