"""Contact points lie on the skin of the posed body and look away from it."""

import numpy as np
import pytest

from wholedose.base.errors import UnknownName
from wholedose.body import touching
from wholedose.body.figure import Figure, Shape, figure_of, template_figure
from wholedose.body.pose import Pose
from wholedose.body.posed import CONTACTS, Posed

ON_THE_SKIN = [name for name in CONTACTS if name not in ("pelvis", "lap", "hands", "hand_left", "hand_right")]


@pytest.fixture(scope="module", params=["template", "newborn"])
def figure(request: pytest.FixtureRequest) -> Figure:
    return template_figure() if request.param == "template" else figure_of(Shape(age=-1 / 3))


@pytest.mark.parametrize("name", ON_THE_SKIN)
def test_contact_points_lie_on_the_skin(figure: Figure, name: str) -> None:
    """A contact point lies within 2 % of the body height of the skin, and its direction leads outside."""
    # arms away: a hanging arm lies beside the points at the sides
    body = Posed.of(figure, Pose("arms away", {("shoulder_both", "abduction"): 60}))
    found = body.contact(name)
    assert np.linalg.norm(found.outward) == pytest.approx(1.0)
    away = touching.distance(found.point_mm[None], body.vertices_mm, figure.faces)[0]
    assert away < 0.02 * figure.height_mm
    outside = found.point_mm + 0.03 * figure.height_mm * found.outward
    assert touching.winding(outside[None], body.vertices_mm, figure.faces)[0] == 0


def test_contact_points_move_with_the_pose() -> None:
    """The lap of somebody who sits looks up, the thighs of somebody who stands look forward."""
    figure = template_figure()
    assert Posed.of(figure, Pose.of("sitting")).contact("lap").outward[2] > 0.9
    assert Posed.of(figure, Pose.of("standing")).contact("lap").outward[1] < -0.9


def test_left_and_right_contact_points_mirror() -> None:
    """In a symmetric pose the right contact point is the mirror image of the left one."""
    body = Posed.of(template_figure(), Pose.of("sitting"))
    for stem in ("hand", "hip", "shoulder", "thigh", "side"):
        left, right = body.contact(f"{stem}_left"), body.contact(f"{stem}_right")
        np.testing.assert_allclose(left.point_mm * (-1, 1, 1), right.point_mm, atol=0.01)
        np.testing.assert_allclose(left.outward * (-1, 1, 1), right.outward, atol=1e-6)


def test_an_unknown_contact_point_offers_the_closest() -> None:
    """A misspelt contact point is refused and the right name offered."""
    with pytest.raises(UnknownName, match="did you mean 'chest'"):
        Posed.of(template_figure(), Pose.of("sitting")).contact("chets")
