"""Two people near each other: distance, facing, floor, refusal, mirror image."""

import re

import numpy as np
import pytest
from numpy.typing import NDArray

from wholedose.base.errors import InvalidInput, UnknownName
from wholedose.body.figure import template_figure
from wholedose.body.pairs import TOUCH_MM, Pair, place
from wholedose.body.pose import Pose
from wholedose.body.posed import Posed

Array = NDArray[np.float64]


@pytest.fixture(scope="module")
def standing() -> Posed:
    return Posed.of(template_figure(), Pose.of("standing"))


@pytest.fixture(scope="module")
def lying() -> Posed:
    return Posed.of(template_figure(), Pose.of("supine, arms down"))


def front(body: Posed) -> Array:
    """Return where the chest looks."""
    return body.contact("chest").outward


def test_face_to_face(standing: Posed) -> None:
    """Chest to chest, opposite: the distance is what was asked and the chests look at each other."""
    pair = place(standing, standing, at="chest", to="chest", distance_mm=700, facing="opposite")
    between = pair.second.contact("chest").point_mm - pair.first.contact("chest").point_mm
    np.testing.assert_allclose(between, 700.0 * pair.toward, atol=1e-6)
    assert front(pair.first) @ front(pair.second) == pytest.approx(-1.0)
    assert between @ front(pair.first) > 0
    assert pair.penetration_mm == 0.0
    assert 0 < pair.gap_mm <= 700


@pytest.mark.parametrize(
    ("facing", "seen"),
    [
        ("same", (0, -1, 0)),
        ("left", (1, 0, 0)),
        ("right", (-1, 0, 0)),
        ("opposite", (0, 1, 0)),
        (90.0, (1, 0, 0)),
    ],
)
def test_facing(standing: Posed, facing: str | float, seen: tuple[int, int, int]) -> None:
    """The second person's front points where it is asked, seen from the first one, who looks to -y."""
    pair = place(standing, standing, at="pelvis", to="pelvis", distance_mm=1500, facing=facing, toward="left")
    turned = pair.second.matrices[0, :3, :3] @ np.array([0.0, -1.0, 0.0])
    np.testing.assert_allclose(turned, seen, atol=1e-9)


def test_beside_a_bed(lying: Posed, standing: Posed) -> None:
    """Somebody who stands beside a lying person stands upright in the room, on a floor below the bed."""
    pair = place(
        lying,
        standing,
        at="hip_left",
        to="chest",
        distance_mm=600,
        facing="left",
        toward="left",
        floor_mm=-700,
    )
    up = np.array([0.0, -1.0, 0.0])  # a lying body keeps its own axes: up is to the front
    np.testing.assert_allclose(pair.second.matrices[0, :3, :3] @ np.array([0, 0, 1.0]), up, atol=1e-9)
    lowest = [(body.vertices_mm @ up).min() for body in (pair.first, pair.second)]
    assert lowest[1] - lowest[0] == pytest.approx(-700.0, abs=1e-6)
    # stands at the patient's left and looks at the patient
    middle = pair.second.vertices_mm.mean(axis=0) - pair.first.vertices_mm.mean(axis=0)
    assert middle[0] > 500
    assert front(pair.second)[0] < -0.9


def test_moving_the_second_changes_no_shape(standing: Posed) -> None:
    """The second person is turned and moved as a whole."""
    pair = place(standing, standing, at="back", to="chest", distance_mm=400, facing=20.0)
    far = slice(0, None, 700)
    before, after = standing.vertices_mm[far], pair.second.vertices_mm[far]
    np.testing.assert_allclose(
        np.linalg.norm(before - before[0], axis=1), np.linalg.norm(after - after[0], axis=1), atol=1e-6
    )


def test_cut_is_refused_with_depth_and_free_distance(standing: Posed) -> None:
    """Bodies in one place are refused; the distance that the message names is free, one less is not."""
    asked = {"at": "chest", "to": "chest", "facing": "opposite"}
    with pytest.raises(InvalidInput, match="mm into each other at a distance of -40 mm") as refused:
        place(standing, standing, distance_mm=-40, **asked)  # type: ignore[arg-type]
    named = re.search(r"free from (-?\d+) mm on", str(refused.value))
    assert named is not None
    free = float(named[1])
    assert place(standing, standing, distance_mm=free, **asked).penetration_mm <= TOUCH_MM  # type: ignore[arg-type]
    with pytest.raises(InvalidInput):
        place(standing, standing, distance_mm=free - 3.0, **asked)  # type: ignore[arg-type]
    pushed = place(standing, standing, distance_mm=-40, push_apart=True, **asked)  # type: ignore[arg-type]
    assert pushed.distance_mm == pytest.approx(free, abs=1.0)


def test_unknown_words_are_refused(standing: Posed) -> None:
    """Misspelt contact points, ways and facings are refused with the closest name."""
    with pytest.raises(UnknownName, match="did you mean 'chest'"):
        place(standing, standing, at="chets", to="chest", distance_mm=100)
    with pytest.raises(UnknownName, match="did you mean 'opposite'"):
        place(standing, standing, at="chest", to="chest", distance_mm=100, facing="oposite")
    with pytest.raises(UnknownName, match="did you mean 'front'"):
        place(standing, standing, at="chest", to="chest", distance_mm=100, toward="frnt")
    with pytest.raises(InvalidInput, match="gives no way to go"):
        place(standing, standing, at="pelvis", to="pelvis", distance_mm=100)
    with pytest.raises(InvalidInput, match="A distance of nan mm is not possible"):
        place(standing, standing, at="chest", to="chest", distance_mm=float("nan"))


def mirrored(pair: Pair) -> Array:
    return pair.second.vertices_mm[template_figure().mirror] * (-1, 1, 1)


def test_mirrored_pair_is_the_mirror_image() -> None:
    """Mirrored poses at the mirrored contact point, turned the other way, give the mirror image."""
    figure = template_figure()
    one, two = Pose.of("bottle feeding"), Pose.of("pushing a wheelchair")
    pair = place(
        Posed.of(figure, one),
        Posed.of(figure, two),
        at="hip_left",
        to="hip_right",
        distance_mm=900,
        facing=40.0,
    )
    other = place(
        Posed.of(figure, one.mirrored()),
        Posed.of(figure, two.mirrored()),
        at="hip_right",
        to="hip_left",
        distance_mm=900,
        facing=-40.0,
    )
    np.testing.assert_allclose(mirrored(other), pair.second.vertices_mm, atol=0.02)
