"""Heights of the drawn anatomy."""

from __future__ import annotations

import numpy as np
import pytest

from wholedose.body import Person, reference
from wholedose.body.levels import drawn_height


@pytest.mark.parametrize(("person", "crest", "notch"), [
    (Person("M", 40, 175.6, 75), 1061 / 1756, 1437 / 1756),
    (Person("F", 40, 162.6, 62), 993 / 1626, 1326 / 1626),
])  # fmt: skip
def test_levels_of_measured_people(person: Person, crest: float, notch: float) -> None:
    """Iliac crest and top of the sternum lie within 1.2 % of stature where the survey of 2012 has them."""
    body = reference(person, "standing", 4.0)
    z = body.grid.axes_mm()[0]
    stature = 10 * float(person.height_cm or 0)
    sole = z[(body.labels > 0).any(axis=(1, 2))][0] - 2.0

    def top(*names: str) -> float:
        found = np.isin(body.labels, [body.label(name) for name in names]).any(axis=(1, 2))
        return float(z[found][-1] - sole) / stature

    assert top("bone_pelvis") == pytest.approx(crest, abs=0.012)
    assert top("bone_sternum") == pytest.approx(notch, abs=0.012)


def test_limbs_head_and_hips_keep_their_heights() -> None:
    """What is drawn in arms, legs, head and at the hip joints lies where it is drawn."""
    places = np.array([
        [300.0, 0, 1150], [90, 0, 500], [0, 0, 1700], [96, 0, 945], [0, 0, 1517], [0, 0, -9], [0, 0, 1770],
    ])  # fmt: skip
    assert drawn_height(places) == pytest.approx(places[:, 2])


def test_heights_keep_their_order() -> None:
    """Higher in the template is higher in the drawing, in the trunk and between trunk and arm."""
    z = np.linspace(0, 1760, 500)
    for x in (0.0, 205.0, 400.0):
        places = np.column_stack([np.full(500, x), np.zeros(500), z])
        assert (np.diff(drawn_height(places)) > 0).all()


def test_testes_hang_below_the_pelvis() -> None:
    """The testes lie some centimetres below the ischium, as in a scrotum, and near the front."""
    body = reference(Person("M", 40), "supine, arms up", 4.0)
    z, y, _ = body.grid.axes_mm()

    def middle(name: str) -> tuple[float, float]:
        k, j, _ = np.nonzero(body.labels == body.label(name))
        return float(z[k].mean()), float(y[j].mean())

    low = z[(body.labels == body.label("bone_pelvis")).any(axis=(1, 2))][0]
    assert 10 < low - middle("testes")[0] < 60
    assert middle("testes")[1] < middle("prostate")[1]
