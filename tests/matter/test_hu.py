"""CT numbers to tissue and density, and back."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wholedose.base.errors import InvalidInput
from wholedose.matter import HuCalibration, Material, Spectrum, element_data, hu_of, material
from wholedose.matter.hu import AIR_DENSITY
from wholedose.tables import load

SCHNEIDER = HuCalibration.schneider2000()
POINTS = [(-1000.0, 0.0012), (-700.0, 0.29), (-90.0, 0.95), (0.0, 1.0), (50.0, 1.06), (1300.0, 1.92)]


@pytest.mark.parametrize(
    ("hu", "name", "density"),
    [
        (-3024, "schneider_air", AIR_DENSITY),
        (-1000, "schneider_air", AIR_DENSITY),
        (-951, "schneider_air", 0.0517),
        (-950, "schneider_lung", 0.0527),
        (-121, "schneider_lung", 0.9063),
        (-120, "schneider_adipose_1", 0.9073),
        (-98, "schneider_adipose_1", 0.9305),
        (-83, "schneider_adipose_1", 0.9439),
        (0, "schneider_adipose_4", 1.018),
        (8, "schneider_adipose_5", 1.0251),
        (19, "schneider_soft", 1.03),
        (40, "schneider_soft", 1.0498),
        (80, "schneider_connective", 1.0965),
        (120, "schneider_bone_1", 1.0880),
        (1500, "schneider_bone_15", 1.905),
        (1600, "schneider_bone_15", 1.9642),
        (3071, "schneider_titanium", 4.54),
    ],
)
def test_schneider(hu: int, name: str, density: float) -> None:
    """CT numbers get Schneider's tissue and density; padding is air and saturation metal."""
    index, found = SCHNEIDER.map([hu])
    assert SCHNEIDER.materials[index[0]].name == name
    assert found[0] == pytest.approx(density, abs=1e-4)


def test_density_rises_but_for_the_published_step() -> None:
    """Density never falls with the CT number, except at the published steps at 23 and 100 HU."""
    density = SCHNEIDER.density(np.arange(-1100, 3500))
    steps = np.diff(density)
    falls = np.flatnonzero(steps < 0)
    assert list(np.arange(-1100, 3500)[falls + 1]) == [23, 100]
    assert steps[falls] == pytest.approx([1.029887 - 1.03, 1.0762 - 1.118731], abs=1e-5)
    assert density.dtype == np.float32
    assert density.min() == pytest.approx(0.00121)


def test_materials_of_the_scale() -> None:
    """The scale has 24 tissues and one metal, calcium rises through bone, and the printed sums are near 1."""
    assert len(SCHNEIDER.materials) == 25
    calcium = [dict(m.composition).get(20, 0.0) for m in SCHNEIDER.materials[9:24]]
    assert np.all(np.diff(calcium) > 0)
    table = load("matter/schneider_tissues")
    sums = sum(table[c] for c in table.columns if c not in ("name", "hu_from"))
    assert np.abs(sums - 100).max() < 0.2
    assert (table["O"][0], table["Ca"][23], table["Ti"][24]) == (23.2, 22.5, 100)
    lines = load("matter/schneider_density")
    assert (lines["intercept"][0], lines["slope"][0]) == (1.03091, 0.0010297)
    assert lines["intercept"][-1] == 4.54


def test_integers_and_floats_agree() -> None:
    """The lookup by integer numbers gives what the direct way gives, in any shape."""
    rng = np.random.default_rng(3)
    image = rng.integers(-2048, 3072, (20, 30, 40)).astype(np.int16)
    for calibration in (SCHNEIDER, HuCalibration.from_points(POINTS)):
        fast, slow = calibration.map(image), calibration.map(image.astype(np.float32))
        assert fast[0].shape == image.shape
        assert fast[0].dtype == np.uint8
        assert np.array_equal(fast[0], slow[0])
        assert np.array_equal(fast[1], slow[1])


def test_not_a_number() -> None:
    """An image with NaN is refused with the way out."""
    with pytest.raises(InvalidInput, match=r"not numbers. \[CT numbers\] Replace them by -1000"):
        SCHNEIDER.map([0.0, np.nan])


@given(st.floats(-1000, 1300))
def test_points_of_a_scanner(hu: float) -> None:
    """A scanner's own points are met and joined by straight lines."""
    calibration = HuCalibration.from_points(POINTS)
    expected = np.interp(hu, [p[0] for p in POINTS], [p[1] for p in POINTS])
    assert calibration.density([hu])[0] == pytest.approx(max(expected, AIR_DENSITY), rel=1e-5)


def test_bone_by_density() -> None:
    """With a scanner's own points bone tissue follows density: a lower voltage does not make more mineral."""
    low = HuCalibration.from_points([(-1000, 0.0012), (0, 1.0), (100, 1.07), (1900, 1.92)])
    index, density = low.map([1900])
    name = low.materials[index[0]].name
    assert density[0] == pytest.approx(1.92)
    assert name == "schneider_bone_15"
    assert SCHNEIDER.map([1522])[0][0] == index[0]
    index, density = low.map([1000])
    assert density[0] == pytest.approx(1.495)
    assert low.materials[index[0]].name == "schneider_bone_8"  # 807 HU on Schneider's line
    index, _ = low.map([3100])
    assert low.materials[index[0]].name == "schneider_titanium"


def test_points_from_a_file(tmp_path: Path) -> None:
    """A CSV with header and comments is read; what is wrong in a file is named with its line."""
    file = tmp_path / "scanner.csv"
    file.write_text("# our scanner\nHU,density\n-1000,0.0012\n0,1.0\n1300,1.92\n", encoding="utf-8")
    assert HuCalibration.from_points(file).density([650])[0] == pytest.approx(1.46)
    assert HuCalibration.from_points(file).name == str(file)
    file.write_text("HU,density\n-1000,0.0012\n0,one\n", encoding="utf-8")
    with pytest.raises(InvalidInput, match="Line 3 does not hold a CT number and a density: '0,one'"):
        HuCalibration.from_points(file)
    with pytest.raises(InvalidInput, match="The calibration file cannot be read"):
        HuCalibration.from_points(tmp_path / "absent.csv")
    with pytest.raises(InvalidInput, match="2 calibration points that do not rise together"):
        HuCalibration.from_points([(0, 1.0), (100, 1.1)])
    with pytest.raises(InvalidInput, match="do not rise together"):
        HuCalibration.from_points([(0, 1.0), (100, 0.9), (200, 1.1)])


def test_numbers_of_materials() -> None:
    """Water is 0 HU, air −999, fat negative, muscle about 50, and bone higher at a lower voltage."""
    beams = [Spectrum.tube(kv, filters={"aluminium": 6.0}).filtered("water", 15) for kv in (80, 120)]
    for beam in beams:
        assert hu_of(material("water"), beam) == 0
        assert hu_of(material("air"), beam) == pytest.approx(-999, abs=0.5)
        assert -110 < hu_of(material("adipose"), beam) < -60
        assert 30 < hu_of(material("muscle"), beam) < 60
        assert hu_of(material("lung"), beam) == pytest.approx(-740, abs=10)
    bone = [hu_of(material("cortical_bone"), beam) for beam in beams]
    assert bone[0] > bone[1] + 200
    assert hu_of(material("water"), beams[0], 0.5) == -500


def test_predicted_calibration_returns_the_densities() -> None:
    """A calibration predicted for a beam gives back the densities of the tissues that made it."""
    for kv in (80, 100, 120, 140):
        beam = Spectrum.tube(kv, filters={"aluminium": 6.0}).filtered("water", 15)
        calibration = HuCalibration.predicted(beam)
        for name in ("lung", "adipose", "muscle", "cortical_bone"):
            found = calibration.density([hu_of(material(name), beam)])[0]
            assert found == pytest.approx(material(name).density_g_cm3, rel=1e-5)
        water = calibration.density([0.0])[0]
        assert water == pytest.approx(1.0, abs=0.02)


def test_round_trip_of_schneider() -> None:
    """Schneider's tissues at their densities have the CT numbers of their bins.

    With the paper's own attenuation formula (its eq. 8 and constants, 120 kV) within 8 HU, and with our
    cross sections and a tube spectrum behind 10 mm of aluminium and 30 cm of water within 10 HU + 2 %.
    The lung, at densities between air's and 1, is meant to differ by 14 HU.
    """

    def attenuation(matter: Material, density: float) -> float:
        total = 0.0
        for z, w in matter.composition:
            binding = 1.24e-3 * math.pow(z, 1.86) + 3.06e-5 * math.pow(z, 3.62)
            total += w * z / element_data(z).atomic_weight * (1 + binding)
        return density * total

    water = attenuation(material("water"), 1.0)
    beam = Spectrum.tube(120, filters={"aluminium": 10.0}).filtered("water", 30)
    for hu in (-900, -500, -100, -60, -35, 0, 12, 50, 150, 250, 450, 950, 1450):
        index, found = SCHNEIDER.map([hu])
        tissue, density = SCHNEIDER.materials[index[0]], float(found[0])
        theirs = 1000 * (attenuation(tissue, density) / water - 1)
        assert theirs == pytest.approx(hu, abs=14 if hu == -500 else 8)
        assert hu_of(tissue, beam, density) == pytest.approx(hu, abs=10 + 0.02 * abs(hu))
