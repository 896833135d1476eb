"""Promises of `synthetic.simulate_study`: what a reader finds is the truth."""

from __future__ import annotations

import errno
import json
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom.dataset import Dataset
from scipy.ndimage import binary_erosion
from tests.synthetic.conftest import WOMAN

from wholedose.base import InvalidInput, OutputFailed, OutsideDomain, UnknownName, digest_of
from wholedose.body import Person, reference
from wholedose.matter import hu_of
from wholedose.records import CtSeries, describe, read_ct_series, read_labels
from wholedose.synthetic import StudyTruth, simulate_study
from wholedose.synthetic.ct_image import MATRIX, beam
from wholedose.synthetic.headers import StudyHeader
from wholedose.synthetic.merged import merged_labels
from wholedose.synthetic.technique import ARMS_UP

Study = tuple[Path, StudyTruth]


def test_truth_round_trip(study: Study) -> None:
    """truth.json gives back the truth that was returned."""
    folder, truth = study
    assert StudyTruth.from_json(json.loads((folder / "truth.json").read_text())) == truth


def test_the_image_series_reads_back_as_the_truth(study: Study, series: CtSeries) -> None:
    """Geometry, technique per slice and identity are those of the truth; scout and report are set aside."""
    _, truth = study
    facts = series.facts
    assert series.image.grid.matches(truth.grid, 1e-3)
    assert 60 <= truth.grid.shape[0] <= 130
    assert facts["tube_current_ma"].value == truth.slice_ma
    assert len(set(truth.slice_ma)) > 10
    assert facts["kv"].value == truth.kv
    assert facts["pitch"].value == truth.pitch
    assert facts["collimation_mm"].value == truth.collimation_mm
    assert facts["rotation_time_s"].value == truth.rotation_s
    assert facts["phantom_cm"].value == 32
    assert facts["data_collection_centre_mm"].value[:2] == pytest.approx(truth.isocentre_mm)
    effective = np.array(truth.slice_ma) * truth.rotation_s / truth.pitch
    assert facts["effective_mas"].value == pytest.approx(effective.tolist(), abs=1e-3)
    expected = truth.output_mgy_per_100mas / 100 * effective
    assert facts["ctdivol_mgy"].value == pytest.approx(expected.tolist())
    assert series.uids == truth.uids
    assert (facts["patient_sex"].value, facts["age_y"].value) == ("F", 34)
    assert (facts["height_cm"].value, facts["weight_kg"].value) == (168, 61)
    assert series.findings == ("Set aside: 1 X-Ray Radiation Dose SR Storage, 1 localizer, 3 not DICOM.",)


def test_dose_quantities_agree_with_each_other(study: Study) -> None:
    """DLP is CTDIvol times irradiated length, which over-ranges the image; CTDIvol follows the current."""
    _, truth = study
    low, high = truth.irradiated_mm
    assert truth.dlp_mgy_cm == pytest.approx(truth.ctdivol_mgy * (high - low) / 10)
    image = truth.grid.upper_mm[2] - truth.grid.lower_mm[2]
    assert high - low == pytest.approx(image + truth.collimation_mm * truth.pitch)
    z = np.linspace(low, high, 4001)
    mean_ma = np.interp(z, truth.z_mm, truth.ma).mean()
    per_100 = truth.output_mgy_per_100mas * mean_ma * truth.rotation_s / truth.pitch / 100
    assert truth.ctdivol_mgy == pytest.approx(per_100, rel=1e-4)


def test_the_dose_report_reads_back_as_the_truth(study: Study) -> None:
    """The report reader finds two events, the total DLP and the helical event's technique."""
    folder, truth = study
    found = describe(folder / "dose_report.dcm")
    (item,) = found["items"]
    assert (item["kind"], item["modality"], item["events"]) == ("dose_report", "CT", 2)
    assert item["totals"]["dlp"]["value"] == pytest.approx(truth.dlp_mgy_cm, abs=0.006)
    helical: dict[str, Any] = item["exposures"][1]
    image = truth.grid.upper_mm[2] - truth.grid.lower_mm[2]
    expected = {
        "kv": (truth.kv, 1e-9),
        "pitch": (truth.pitch, 1e-9),
        "rotation_time": (truth.rotation_s, 1e-9),
        "nominal_total_collimation": (truth.collimation_mm, 1e-9),
        "ctdivol": (truth.ctdivol_mgy, 6e-4),
        "dlp": (truth.dlp_mgy_cm, 6e-3),
        "phantom": (32, 0),
        "scanning_length": (truth.irradiated_mm[1] - truth.irradiated_mm[0], 6e-3),
        "scanning_top_z": (truth.irradiated_mm[1], 6e-3),
        "scanning_bottom_z": (truth.irradiated_mm[0], 6e-3),
        "reconstructable_length": (image, 6e-3),
    }
    for name, (value, rounding) in expected.items():
        assert helical[name]["value"] == pytest.approx(value, abs=rounding), name
        assert helical[name]["tag"] == "extracted"
    assert not item["findings"]


@pytest.mark.parametrize(
    ("organ", "far"), [("heart", 3), ("liver", 3), ("lungs", 4), ("breasts", 4), ("bone_thoracic_spine", 5)]
)
def test_hu_are_those_of_the_materials(study: Study, series: CtSeries, organ: str, far: int) -> None:
    """Inside an organ the mean is the material's CT number for the beam, and the spread is the noise."""
    folder, truth = study
    image = series.image
    labels, names = read_labels(folder / "labels.nii.gz", folder / "labels.json", reference=image)
    label = next(number for number, name in names.items() if name == organ)
    body = reference(WOMAN, ARMS_UP, truth.body_voxel_mm)
    merged, organs = merged_labels(body)
    member = merged == organs.index(organ) + 1
    # an organ may have several materials; take the one that most of its voxels have
    index = np.bincount(body.material[member]).argmax()
    pure = member & (body.material == index)
    expected = hu_of(body.materials[index], beam(truth.kv), float(np.median(body.density_g_cm3[pure])))
    inside = labels.values == label
    nz, ny, nx = (np.abs(a[:, None] - b[None, :]).argmin(axis=1) for a, b in _axes(truth, body))
    inside &= pure[np.ix_(nz, ny, nx)]
    # as many pixels away as the blur of a bright neighbour reaches
    core = binary_erosion(inside, np.ones((3, 2 * far + 1, 2 * far + 1), bool))
    assert core.sum() > 500
    values = image.values[core].astype(float)
    noise = float(np.mean(np.array(truth.noise_hu)[np.nonzero(core)[0]]))
    assert values.mean() == pytest.approx(expected, abs=2.5)
    assert values.std() == pytest.approx(noise, rel=0.15)


def _axes(truth: StudyTruth, body: Any) -> list[tuple[Any, Any]]:
    return list(zip(truth.grid.axes_mm(), body.grid.axes_mm(), strict=True))


def test_it_looks_like_a_chest(study: Study, series: CtSeries) -> None:
    """Air around, black lungs on both sides of a grey mediastinum, white spine behind it, a couch below."""
    _, truth = study
    image = series.image
    # well above the dome of the liver
    plane = image.values[round(0.65 * image.values.shape[0])].astype(float)
    x, y = truth.grid.axes_mm()[2], truth.grid.axes_mm()[1]
    x0, y0 = truth.isocentre_mm

    def mean_at(dx: float, dy: float) -> float:
        near = (np.abs(x[None, :] - x0 - dx) < 6) & (np.abs(y[:, None] - y0 - dy) < 6)
        return float(plane[near].mean())

    assert mean_at(-200, -200) < -950
    assert -900 < mean_at(-80, 0) < -600
    assert -900 < mean_at(80, 0) < -600
    # behind the sternum, which lies 30 mm in front of the isocentre here
    assert -100 < mean_at(0, 0) < 150
    middle = plane[:, np.abs(x - x0).argmin()]
    back = y - y0
    assert middle[(back > 20) & (back < 100)].max() > 300
    body_end = back[np.flatnonzero((middle > -300) & (back < 100))].max()
    assert middle[back > body_end + 4].max() > -500
    # the noise of neighbouring pixels is correlated, that of distant ones is not
    air = image.values[:, 20:80, 20:80].astype(float)
    air -= air.mean(axis=(1, 2), keepdims=True)
    assert float((air[:, :, 1:] * air[:, :, :-1]).mean() / air.var()) > 0.2
    assert abs(float((air[:, :, 20:] * air[:, :, :-20]).mean() / air.var())) < 0.05


def test_seeds(tmp_path: Path) -> None:
    """One seed gives the same bytes; another gives other noise and UIDs in the same geometry."""
    options: dict[str, Any] = {"slice_mm": 5.0, "voxel_mm": 6.0}
    truths = [
        simulate_study(tmp_path / name, WOMAN, seed=seed, **options)
        for name, seed in (("a", 1), ("b", 1), ("c", 2))
    ]
    files = sorted(path.relative_to(tmp_path / "a") for path in (tmp_path / "a").rglob("*") if path.is_file())
    digests = {name: [digest_of(tmp_path / name / file) for file in files] for name in "abc"}
    assert digests["a"] == digests["b"]
    assert not set(digests["a"]) & set(digests["c"])
    assert truths[0].grid == truths[2].grid
    assert truths[0].uids["study"] != truths[2].uids["study"]


def test_refusals(tmp_path: Path) -> None:
    """A folder in use, an unknown region, a voltage or thickness out of range each get a sentence."""
    (tmp_path / "used").mkdir()
    (tmp_path / "used" / "x").write_text("x")
    with pytest.raises(InvalidInput, match="holds something already"):
        simulate_study(tmp_path / "used")
    with pytest.raises(InvalidInput, match="thickness of 9 mm is not simulated"):
        simulate_study(tmp_path / "new", slice_mm=9)
    with pytest.raises(UnknownName, match=r"No region 'foot'.*Known: abdomen_pelvis, chest, head"):
        simulate_study(tmp_path / "new", region="foot", voxel_mm=8)
    with pytest.raises(OutsideDomain, match="has no 60 kV"):
        simulate_study(tmp_path / "new", kv=60, voxel_mm=8)
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    ("person", "region", "phantom"),
    [
        (Person("M", 0), "chest", 32),
        (Person("F", 5, 112, 21), "abdomen_pelvis", 32),
        (Person("M", 70, 170, 110), "head", 16),
    ],
    ids=["newborn", "girl", "head"],
)
def test_everyone_can_be_scanned(tmp_path: Path, person: Person, region: str, phantom: int) -> None:
    """Newborns, children and heads give studies whose facts and region read back."""
    truth = simulate_study(tmp_path / "study", person, region=region, slice_mm=5.0, voxel_mm=8.0, labels=True)
    found = read_ct_series(tmp_path / "study")
    assert found.image.grid.matches(truth.grid, 1e-3)
    assert found.facts["phantom_cm"].value == truth.phantom_cm == phantom
    assert found.facts["age_y"].value == person.age_y
    _, names = read_labels(
        tmp_path / "study/labels.nii.gz", tmp_path / "study/labels.json", reference=found.image
    )
    shown = {"chest": "lungs", "abdomen_pelvis": "liver", "head": "brain"}[region]
    assert shown in names.values()
    assert (tmp_path / "study/dose_report.dcm").is_file()


def test_ages_of_infants_are_in_months() -> None:
    """An age below three years is written in months, with the birth date that fits."""
    dataset = Dataset()
    header = StudyHeader(Person("F", 1.5), "chest", "key", 1, date(2026, 1, 15))
    header.fill(dataset, "CT", "1.2", "1.2.3", 0.0)
    assert (dataset.PatientAge, dataset.PatientBirthDate) == ("018M", "20240716")


def test_the_couch_touches_the_back_without_cutting_it(study: Study, series: CtSeries) -> None:
    """No skin is brightened by the couch, which lies within 10 mm below the back."""
    folder, _ = study
    labels, names = read_labels(folder / "labels.nii.gz", folder / "labels.json", reference=series.image)
    skin = labels.values == next(number for number, name in names.items() if name == "skin")
    assert series.image.values[skin].max() < 600
    rows = np.arange(MATRIX)[None, :, None]
    back = np.where(labels.values > 0, rows, -1).max(axis=1, keepdims=True)
    # the blurred skin reaches three pixels beyond the back
    couch = np.where((rows > back + 3) & (series.image.values > -600), rows, 2 * MATRIX).min(axis=1)
    gap = (couch - back[:, 0])[back[:, 0] >= 0].min()
    assert gap * series.image.grid.spacing_mm[1] < 10


def test_a_full_disk_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When writing fails half-way, the error says so and no file stays."""
    written: list[Any] = []
    whole = Dataset.save_as

    def limited(self: Any, path: Any, *args: Any, **options: Any) -> None:
        if len(written) == 3:
            raise OSError(errno.ENOSPC, "No space left on device")
        written.append(path)
        whole(self, path, *args, **options)

    monkeypatch.setattr(Dataset, "save_as", limited)
    with pytest.raises(OutputFailed, match=r"No space left on device.*nothing was left behind"):
        simulate_study(tmp_path / "study", WOMAN, slice_mm=5, voxel_mm=8)
    assert len(written) == 3
    assert list(tmp_path.iterdir()) == []
