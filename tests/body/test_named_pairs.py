"""Named pairs: nobody cuts into anybody, and each does what its name says."""

import numpy as np
import pytest

from wholedose.base.errors import InvalidInput, UnknownName
from wholedose.body.figure import Figure, Shape, figure_of
from wholedose.body.named_pairs import PAIRS, Recipe, Room, pair_of
from wholedose.body.pairs import TOUCH_MM, Pair
from wholedose.body.pose import JOINTS, Pose


@pytest.fixture(scope="module")
def woman() -> Figure:
    return figure_of(Shape(gender=1.0)).scaled(0.97)


@pytest.fixture(scope="module")
def newborn() -> Figure:
    figure = figure_of(Shape(age=-1 / 3))
    return figure.scaled(510.0 / figure.height_mm)


@pytest.fixture(scope="module")
def pairs(woman: Figure, newborn: Figure) -> dict[str, Pair]:
    return {
        name: pair_of(name, woman, newborn if recipe.second == "infant" else woman)
        for name, recipe in PAIRS.items()
    }


def gap_between(pair: Pair, at: str, to: str) -> float:
    return float(np.linalg.norm(pair.first.contact(at).point_mm - pair.second.contact(to).point_mm))


@pytest.mark.parametrize("name", PAIRS)
def test_named_pairs_do_not_cut(pairs: dict[str, Pair], name: str) -> None:
    """In every named pair the skins touch at most."""
    assert pairs[name].penetration_mm <= TOUCH_MM


def test_an_infant_is_held_close(pairs: dict[str, Pair]) -> None:
    """A held newborn lies at the chest, the head above the heart and the carer's hands behind it."""
    pair = pairs["adult holding an infant"]
    assert pair.gap_mm < 10
    assert gap_between(pair, "chest", "abdomen") < 60
    hands = pair.first.contact("hands").point_mm[1]
    assert hands < pair.second.contact("back").point_mm[1]


def test_an_infant_is_fed_at_the_breast(pairs: dict[str, Pair]) -> None:
    """A fed newborn lies across, face up, its head to the left arm, a hand within 25 cm of its face."""
    pair = pairs["mother bottle feeding an infant"]
    assert pair.second.contact("face").outward[2] > 0.5
    assert pair.second.contact("face").point_mm[0] > pair.second.contact("pelvis").point_mm[0] + 80
    assert gap_between(pair, "hand_right", "face") < 250
    assert gap_between(pair, "chest", "side_right") < 150


def test_a_nurse_leans_over_the_patient(pairs: dict[str, Pair]) -> None:
    """The nurse's face is above the patient, the thighs beside the bed."""
    pair = pairs["nurse leaning over a patient"]
    face = pair.second.contact("face").point_mm
    assert abs(face[0]) < 200
    assert face[1] < pair.first.vertices_mm[:, 1].min() - 100
    assert pair.second.contact("lap").point_mm[0] > pair.first.contact("hip_left").point_mm[0] + 150


def test_seats_and_wheelchair(pairs: dict[str, Pair]) -> None:
    """Two seats are half a metre apart, and whoever pushes stands behind with hands near the back."""
    assert gap_between(pairs["side by side in a car or bus"], "pelvis", "pelvis") == pytest.approx(
        500, abs=60
    )
    pushing = pairs["pushing a patient in a wheelchair"]
    assert pushing.second.contact("pelvis").point_mm[1] > pushing.first.contact("back").point_mm[1]
    assert 50 < pushing.second.contact("hands").point_mm[1] - pushing.first.contact("back").point_mm[1] < 300


def test_another_distance(woman: Figure) -> None:
    """A distance that is asked is kept where the bodies are free, and refused where they may not yield."""
    name = "two people in one bed, one on the side"
    assert pair_of(name, woman, woman, distance_mm=800).distance_mm == 800
    with pytest.raises(InvalidInput, match="They are free from"):
        pair_of(name, woman, woman, distance_mm=200, push_apart=False)


def test_an_unknown_pair_offers_the_closest(woman: Figure) -> None:
    """A misspelt pair is refused and the right name offered."""
    with pytest.raises(UnknownName, match="did you mean 'adult holding an infant'"):
        pair_of("adult holding infant", woman, woman)


def test_recipes_are_complete() -> None:
    """Each named pair says who is first and second and why its distance is what it is."""
    for recipe in PAIRS.values():
        assert isinstance(recipe, Recipe)
        assert recipe.first
        assert recipe.second
        assert recipe.why


def test_arms_open_as_far_as_the_joints_go() -> None:
    """Arms that make room stop at the end of the joint's range."""
    room = Room.read("first: elbow_both flexion -5; forearm_left pronation 4")
    assert room is not None
    opened = room.opened(Pose.of("holding an infant"), 100)
    assert opened["elbow_left", "flexion"] == JOINTS["elbow_left"]["flexion"].low
    assert Room.read("") is None
