"""Dose to the basal layer of the skin."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from wholedose.base import Cause, Grid, InvalidInput, Provenance
from wholedose.body import Body, Person, reference
from wholedose.body.skin_surface import SkinSurface
from wholedose.dose import DoseMap
from wholedose.dose.surface_dose import skin_over, surface_dose
from wholedose.matter import material, photon_data
from wholedose.matter.spectra import Spectrum
from wholedose.transport import ParallelBeam, VoxelGeometry, simulate
from wholedose.transport.tally import MGY_PER_KEV_G

MATERIALS = tuple(material(name) for name in ("air", "skin", "adipose"))
DENSITY = np.array([0.0012, 1.09, 0.95], dtype=np.float32)


def body_of(grid: Grid, inside: np.ndarray, fat: np.ndarray | None = None) -> Body:
    """A body of skin, partly of fat."""
    index = inside.astype(np.uint8)
    if fat is not None:
        index[fat & inside] = 2
    labels = inside.astype(np.int16)
    return Body(
        Person("M", 30), grid, labels, ("skin",), index, DENSITY[index], MATERIALS, {"skin": "label map"}
    )


def box(h: float, along: float | None = None, side: float = 96.0, depth: float = 96.0) -> Body:
    """A box with its front face at y = 0; voxels may be thinner along y."""
    hy = along or h
    n, m, pad = round(side / h), round(depth / hy), 2
    first = -(n / 2 + pad - 0.5) * h
    grid = Grid((n + 2 * pad, m + 2 * pad, n + 2 * pad), (h, hy, h), (first, (0.5 - pad) * hy, first))
    inside = np.zeros(grid.shape, dtype=bool)
    inside[pad:-pad, pad:-pad, pad:-pad] = True
    return body_of(grid, inside)


def made(body: Body, dose: np.ndarray, u: float | None = None) -> DoseMap:
    relative = None if u is None else np.full(body.grid.shape, u, np.float32)
    return DoseMap(body.grid, np.where(body.labels > 0, dose, 0.0), Provenance("test", seed=1), relative)


def centre_of_front(surface: SkinSurface) -> np.ndarray:
    points = surface.points_mm
    return (np.abs(points[:, 0]) < 30) & (np.abs(points[:, 2]) < 30) & (surface.normals[:, 1] < -0.9)


@pytest.mark.parametrize("h", [2.0, 4.0])
@pytest.mark.parametrize("per_mm", [0.01, 0.05, -0.02])
def test_exponential_is_followed_to_the_surface(h: float, per_mm: float) -> None:
    """A dose that changes exponentially with depth comes out exact at 70 µm."""
    body = box(h)
    y = body.grid.axes_mm()[1]
    found = surface_dose(body, made(body, np.exp(-per_mm * y)[:, None]), kev=60.0)
    front = centre_of_front(found.surface)
    np.testing.assert_allclose(found.dose_mgy[front], np.exp(-per_mm * 0.07), rtol=2e-3)


def test_oblique_surface() -> None:
    """On a surface across the voxels, where depth is uncertain by half a voxel, the mean is right to 1 %."""
    h, per_mm = 3.0, 0.04
    grid = Grid((40, 60, 60), (h, h, h), (-88.5, -88.5, -58.5))
    _, y, x = np.meshgrid(*grid.axes_mm(), indexing="ij")
    depth = 60.0 - (x * np.sin(0.5) + y * np.cos(0.5))
    body = body_of(grid, (depth > 0.0) & (depth < 100.0))
    found = surface_dose(body, made(body, np.exp(-per_mm * depth)), kev=60.0)
    front = found.surface.normals @ [np.sin(0.5), np.cos(0.5), 0.0] > 0.95
    front &= (np.abs(found.surface.points_mm) < 60).all(axis=1)
    dose = found.dose_mgy[front]
    assert dose.mean() == pytest.approx(1.0, rel=0.01)
    assert dose.std() < 0.03


@pytest.mark.parametrize("kev", [30.0, 60.0, 90.0])
def test_other_tissue_tells_the_energy(kev: float) -> None:
    """Where half of the voxels are fat, the energy is found from the map and the dose is that of skin."""
    body = box(3.0)
    fat = np.random.default_rng(2).random(body.grid.shape) < 0.5
    body = body_of(body.grid, body.labels > 0, fat)
    response = np.array([0, *(photon_data(m).at("energy_absorption", kev) for m in MATERIALS[1:])])
    response /= response[1]
    y = body.grid.axes_mm()[1][:, None]
    found = surface_dose(body, made(body, response[body.material] * np.exp(-0.02 * y)))
    front = centre_of_front(found.surface)
    assert found.kev_from == "map"
    assert found.kev == pytest.approx(kev, rel=0.06)
    assert found.dose_mgy[front].mean() == pytest.approx(1.0, rel=0.01)


def test_against_fine_voxels() -> None:
    """In a beam of 60 keV the dose from voxels of 2 mm agrees within 3 % with voxels of a quarter mm."""
    kev, width = 60.0, 120.0
    unit = kev * photon_data(material("skin")).at("energy_absorption", kev) * MGY_PER_KEV_G * 100 / width**2
    beam = ParallelBeam((0, -3.0, 0), (0, 1, 0), (width, width), kev, (1.0, 0.0, 0.0))
    level: list[float] = []
    for body in (box(2.0), box(8.0, 0.25)):
        tally = simulate(
            VoxelGeometry(*body.geometry()), beam, seed=5, histories_per_batch=100_000, batches=8
        )
        dose = tally.dose_mgy() / unit
        if not level:
            found = surface_dose(body, made(body, dose))
            front = centre_of_front(found.surface)
            level.append(np.average(found.dose_mgy[front], weights=found.surface.area_mm2[front]))
        else:
            z, y, x = body.grid.axes_mm()
            inner = np.ix_(np.abs(z) < 30, (y > 0.0) & (y < 0.25), np.abs(x) < 30)
            level.append(dose[inner].mean())
    assert level[0] == pytest.approx(level[1], rel=0.03)
    assert 1.3 < level[1] < 1.6  # with its backscatter


def test_peak_mean_and_share() -> None:
    """A hot square of 23 cm² on a cold skin: peak over small areas is its dose, over large ones less."""
    body = box(2.0)
    z, _, x = np.meshgrid(*body.grid.axes_mm(), indexing="ij")
    hot = (np.abs(z) < 24) & (np.abs(x) < 24)
    found = surface_dose(body, made(body, np.where(hot, 10.0, 1.0), u=0.05), kev=60.0)
    assert found.peak(1.0).dose.value == pytest.approx(10.0, rel=0.01)
    wide = found.peak(50.0)
    assert wide.area_cm2 == pytest.approx(50.0, rel=0.01)
    assert wide.dose.value == pytest.approx(1.0 + 9.0 * 23.04 / 50.0, rel=0.08)
    assert wide.place_mm[0] == pytest.approx(0.0, abs=12.0)
    # front and back are hot
    whole, heated = found.surface.area_cm2, 2.0 * 4.8**2
    assert found.share_above(5.5) == pytest.approx(heated / whole, rel=0.1)
    assert found.mean.value == pytest.approx(1.0 + 9.0 * heated / whole, rel=0.01)
    assert found.by_region()["body"].value == found.mean.value
    assert found.peak(1.0).dose.parts[Cause("statistical", "skin surface")] == pytest.approx(0.5, rel=0.05)
    assert 0.0 < found.mean.parts[Cause("statistical", "skin surface")] < 0.02
    with pytest.raises(InvalidInput, match="positive"):
        found.peak(0.0)


def test_mirrored_body_has_mirrored_dose() -> None:
    """Mirroring body and dose mirrors the dose of the skin."""
    grid = Grid((30, 40, 40), (4.0, 4.0, 4.0), (-78.0, -78.0, -58.0))
    z, y, x = np.meshgrid(*grid.axes_mm(), indexing="ij")
    inside = (x / 60) ** 2 + ((y - 0.2 * x) / 40) ** 2 + (z / 45) ** 2 < 1
    dose = np.exp(0.01 * x - 0.02 * y)
    one, two = body_of(grid, inside), body_of(grid, inside[:, :, ::-1])
    first = surface_dose(one, made(one, dose), kev=60.0)
    second = surface_dose(two, made(two, dose[:, :, ::-1]), kev=60.0)
    assert first.mean.value == pytest.approx(second.mean.value, rel=1e-3)
    p, q = first.peak(1.0), second.peak(1.0)
    assert p.dose.value == pytest.approx(q.dose.value, rel=5e-3)
    assert p.place_mm[0] == pytest.approx(-q.place_mm[0], abs=3.0)


def test_reference_child_by_region() -> None:
    """On a child whose dose depends on height alone, parts of the body get the dose of their height."""
    body = reference(Person("F", 5), voxel_mm=6.0)
    z = body.grid.axes_mm()[0]
    tissue = 1.0 / skin_over(body.materials, np.array([60.0]))[0][body.material]
    found = surface_dose(body, made(body, tissue * np.exp((z - z.max()) / 1000.0)[:, None, None]), kev=60.0)
    assert body.surface is not None
    for name, dose in found.by_region().items():
        held = body.surface.where(name)
        height = np.average(body.surface.points_mm[held, 2], weights=body.surface.area_mm2[held])
        assert dose.value == pytest.approx(np.exp((height - z.max()) / 1000.0), rel=0.03)
    assert found.peak(10.0).region == "head"


@pytest.mark.slow
def test_reference_adult_converges() -> None:
    """From voxels of 4 mm to 3 mm, mean and peak dose of the skin change by less than 3 %."""
    found = []
    for h in (4.0, 3.0):
        body = reference(Person("M", 30), voxel_mm=h)
        front = float(body.grid.lower_mm[1])
        beam = ParallelBeam((0, front, 1250), (0, 1, 0), (150, 150), 60.0, (1.0, 0.0, 0.0))
        tally = simulate(
            VoxelGeometry(*body.geometry()), beam, seed=3, histories_per_batch=100_000, batches=10
        )
        found.append(surface_dose(body, made(body, tally.dose_mgy())))
    coarse, fine = found
    assert coarse.mean.value == pytest.approx(fine.mean.value, rel=0.03)
    for area in (1.0, 10.0):
        assert coarse.peak(area).dose.value == pytest.approx(fine.peak(area).dose.value, rel=0.03)
        assert coarse.peak(area).region == "trunk"


@pytest.mark.shared
@pytest.mark.slow
def test_backscatter_of_a_published_table(shared: Path) -> None:
    """In a beam of 80 kV the dose is the kerma in air times the published backscatter factor within 5 %.

    The factors are for water and a diverging beam; the dose here is in skin throughout, in a parallel beam.
    """
    with (shared / "xray/backscatter_and_muen_benmakhlouf2011.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row["kvp_kv"] == "80"]
    (row,) = [
        r
        for r in rows
        if (r["filtration_inherent_mmal"], r["filtration_added_mmcu"]) == ("3.1", "0")
        and r["field_side_length_cm"] == "20"
    ]
    spectrum = Spectrum.tube(80, filters={"aluminium": 3.1})
    assert spectrum.hvl_mm() == pytest.approx(float(row["hvl_mmal"]), rel=0.03)
    absorbed = photon_data(material("skin")).on("energy_absorption", spectrum.energy_kev)
    unit = (
        np.average(spectrum.energy_kev * absorbed, weights=spectrum.weight) * MGY_PER_KEV_G / 200.0**2 * 100
    )
    body = box(3.0, side=300.0, depth=150.0)
    beam = ParallelBeam((0, -4.0, 0), (0, 1, 0), (200, 200), spectrum, (1.0, 0.0, 0.0))
    tally = simulate(VoxelGeometry(*body.geometry()), beam, seed=3, histories_per_batch=200_000, batches=20)
    found = surface_dose(body, made(body, tally.dose_mgy() / unit), kev=40.0)
    front = centre_of_front(found.surface)
    assert found.dose_mgy[front].mean() == pytest.approx(float(row["backscatter"]), rel=0.05)


def test_what_does_not_fit_is_refused() -> None:
    """A map of another grid and an energy without data are refused with the reason."""
    body, other = box(4.0), box(2.0)
    dose = made(other, np.ones(other.grid.shape))
    with pytest.raises(InvalidInput, match="different grids"):
        surface_dose(body, dose)
    with pytest.raises(InvalidInput, match="keV"):
        surface_dose(other, dose, kev=0.1)
