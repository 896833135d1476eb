"""A simulated CT study on disk with its truth. Defines `simulate_study` and `StudyTruth`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wholedose._version import __version__
from wholedose.base import Grid, InvalidInput, digest_of, write_folder_atomically
from wholedose.body import Body, Person, reference
from wholedose.dose import nifti_bytes
from wholedose.synthetic.ct_dicom import localizer_object, slice_object
from wholedose.synthetic.ct_image import (
    COUCH_WIDTH_MM,
    MATRIX,
    SlicePainter,
    beam,
    couch_rise_mm,
    relative_mu_of,
)
from wholedose.synthetic.dose_sr import dose_report
from wholedose.synthetic.headers import StudyHeader
from wholedose.synthetic.merged import merged_labels
from wholedose.synthetic.technique import (
    COLLIMATION_MM,
    FOCUS_TO_ISOCENTRE_MM,
    PITCH,
    ROTATION_S,
    ScanPlan,
    plan_scan,
    protocol_of,
    water_diameter_cm,
)


@dataclass(frozen=True)
class StudyTruth:
    """What is true of a simulated study; saved as ``truth.json``.

    Attributes
    ----------
    person : Person
    region : str
    seed : int
    kv, pitch, rotation_s, collimation_mm, focus_to_isocentre_mm : float
    isocentre_mm : (float, float)
        x, y of the axis of rotation in patient coordinates, which are those of the reference body.
    grid : Grid
        Of the image series.
    slice_ma : tuple of float
        Tube current at the slices, ascending z.
    z_mm, ma, diameter_cm : tuple of float
        Tube current and water-equivalent diameter along the irradiated range.
    irradiated_mm : (float, float)
        z of the ends of the irradiated range.
    phantom_cm : int
        Diameter of the CTDI phantom: 16 of a head scan, 32 of others.
    ctdivol_mgy, dlp_mgy_cm, output_mgy_per_100mas : float
        In that phantom.
    noise_hu : tuple of float
        Standard deviation of the noise of each slice.
    body_voxel_mm : float
    uids : mapping
        ``study``, ``series``, ``frame_of_reference``.
    """

    person: Person
    region: str
    seed: int
    kv: float
    pitch: float
    rotation_s: float
    collimation_mm: float
    focus_to_isocentre_mm: float
    isocentre_mm: tuple[float, float]
    grid: Grid
    slice_ma: tuple[float, ...]
    z_mm: tuple[float, ...]
    ma: tuple[float, ...]
    diameter_cm: tuple[float, ...]
    irradiated_mm: tuple[float, float]
    phantom_cm: int
    ctdivol_mgy: float
    dlp_mgy_cm: float
    output_mgy_per_100mas: float
    noise_hu: tuple[float, ...]
    body_voxel_mm: float
    uids: dict[str, str]

    def to_json(self) -> dict[str, Any]:
        """Return a dictionary for ``truth.json``; `from_json` reads it back."""
        person = {key: value for key, value in self.person.to_json().items() if key != "name"}
        return {
            "format": 1,
            "software": f"wholedose {__version__}",
            **vars(self),
            "person": person,
            "grid": self.grid.to_json(),
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> StudyTruth:
        """Return the truth that `to_json` wrote."""
        fields = {key: value for key, value in data.items() if key not in ("format", "software")}
        fields = {key: tuple(value) if isinstance(value, list) else value for key, value in fields.items()}
        fields["person"], fields["grid"] = Person(**data["person"]), Grid.from_json(data["grid"])
        return cls(**fields)


def simulate_study(
    directory: str | PathLike[str],
    person: Person | None = None,
    *,
    region: str = "chest",
    kv: float = 120.0,
    seed: int = 1,
    slice_mm: float = 3.0,
    labels: bool = False,
    voxel_mm: float = 3.0,
    day: date = date(2026, 1, 15),
) -> StudyTruth:
    """Write a CT study as a scanner would: images, localizer and dose report of a reference body.

    Parameters
    ----------
    directory : path
        Made; it must not hold anything yet. Gets ``images/``, ``localizer.dcm``, ``dose_report.dcm``,
        ``truth.json`` and, with ``labels``, ``labels.nii.gz`` and ``labels.json``.
    person : Person, optional
        Of any age and size; by default a woman of 34 years, 168 cm and 61 kg.
    region : {"chest", "abdomen_pelvis", "head"}
    kv : float
        Tube voltage in kV, 70 to 150.
    seed : int
        Of the image noise. The same arguments give the same files.
    slice_mm : float
        Slice thickness and distance, 1 to 5 mm.
    labels : bool
        Also write the true organs on the grid of the images, as label maps draw them: organs with their
        contents, bones with their cortex.
    voxel_mm : float
        Voxel size of the body behind the images, 1 to 10 mm.
    day : date
        Of the study.

    Returns
    -------
    StudyTruth

    Raises
    ------
    InvalidInput
        The folder holds something already, the slice thickness is out of range, or nobody has this height
        and weight.
    OutputFailed
        The disk is full or not writable; nothing is left behind.

    Examples
    --------
    ``simulate_study("demo", Person("M", 50, 176, 73), kv=100)`` writes about 100 slices.
    """
    who = person if person is not None else Person("F", 34, 168, 61)
    target = Path(directory)
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise InvalidInput(
            "The folder for the study holds something already.",
            where=str(target),
            way_out="Give a new folder.",
        )
    if not 1.0 <= slice_mm <= 5.0:
        raise InvalidInput(
            f"A slice thickness of {slice_mm:g} mm is not simulated.",
            where="slice_mm",
            way_out="Give 1 to 5 mm.",
        )
    if seed < 0:
        raise InvalidInput(f"The seed is {seed}.", where="seed", way_out="Give 0 or a positive number.")
    body = reference(who.with_(name=""), protocol_of(region).pose, voxel_mm)
    made_of = [who.with_(name="").to_json(), region, kv, seed, slice_mm, voxel_mm]
    key = digest_of([__version__, day.isoformat(), *made_of])
    header = StudyHeader(who, region, key, seed, day)
    painter = _painter(body, region, kv, slice_mm, seed)
    truth = _truth(painter, header, voxel_mm)
    _write(target, header, painter, truth, body if labels else None)
    return truth


def _painter(body: Body, region: str, kv: float, slice_mm: float, seed: int) -> SlicePainter:
    relative_mu = relative_mu_of(body, beam(kv))
    inside = body.labels > 0
    diameter = water_diameter_cm(relative_mu, inside, body.grid)
    plan = plan_scan(body, diameter, region=region, kv=kv, spacing_mm=slice_mm, thickness_mm=slice_mm)
    z, y, x = body.grid.axes_mm()
    scanned = (z > plan.irradiated_mm[0]) & (z < plan.irradiated_mm[1])
    wide = x[inside[scanned].any(axis=(0, 1))]
    deep = y[inside[scanned].any(axis=(0, 2))]
    centre = (float(wide[0] + wide[-1]) / 2, float(deep[0] + deep[-1]) / 2)
    # a technologist's choice: the patient and 30 mm of air on each side, in steps of 10 mm
    fov = float(np.clip(np.ceil((wide[-1] - wide[0] + 60.0) / 10.0) * 10.0, 160.0, 500.0))
    keep = np.flatnonzero((z > plan.irradiated_mm[0] - 60) & (z < plan.irradiated_mm[1] + 60))
    part = slice(int(keep[0]), int(keep[-1]) + 1)
    grid = Grid(
        (len(keep), *body.grid.shape[1:]),
        body.grid.spacing_mm,
        (body.grid.origin_mm[0], body.grid.origin_mm[1], float(z[keep[0]])),
    )
    couch_y = _couch_y_mm(inside[scanned], y, x - centre[0]) + body.grid.spacing_mm[1]
    return SlicePainter(relative_mu[part], grid, plan, centre, fov, couch_y, seed)


def _couch_y_mm(inside: NDArray[np.bool_], y: NDArray[Any], x: NDArray[Any]) -> float:
    """Return y of the middle of the curved couch when the lowest part of the back touches it."""
    near = np.abs(x) < COUCH_WIDTH_MM / 2
    lowest = np.where(inside, y[None, :, None], -np.inf).max(axis=(0, 1))[near]
    return float((lowest + couch_rise_mm(x[near])).max())


def _truth(painter: SlicePainter, header: StudyHeader, voxel_mm: float) -> StudyTruth:
    plan: ScanPlan = painter.plan
    x_axis, y_axis = painter.axes_mm()
    count = len(plan.slices_mm)
    pixel = painter.pixel_mm
    origin = (float(x_axis[0]), float(y_axis[0]), float(plan.slices_mm[0]))
    return StudyTruth(
        person=header.person,
        region=plan.region,
        seed=header.seed,
        kv=plan.kv,
        pitch=PITCH,
        rotation_s=ROTATION_S,
        collimation_mm=COLLIMATION_MM,
        focus_to_isocentre_mm=FOCUS_TO_ISOCENTRE_MM,
        isocentre_mm=painter.centre_mm,
        grid=Grid((count, MATRIX, MATRIX), (plan.spacing_mm, pixel, pixel), origin),
        slice_ma=tuple(plan.slice_ma.tolist()),
        z_mm=tuple(plan.z_mm.tolist()),
        ma=tuple(plan.ma.tolist()),
        diameter_cm=tuple(plan.diameter_cm.tolist()),
        irradiated_mm=plan.irradiated_mm,
        phantom_cm=plan.phantom_cm,
        ctdivol_mgy=plan.mean_ctdivol_mgy,
        dlp_mgy_cm=plan.dlp_mgy_cm,
        output_mgy_per_100mas=plan.output,
        noise_hu=tuple(painter.noise_hu(i) for i in range(count)),
        body_voxel_mm=voxel_mm,
        uids={
            "study": header.uid("study"),
            "series": header.uid("helical series"),
            "frame_of_reference": header.uid("frame of reference"),
        },
    )


def _write(
    target: Path, header: StudyHeader, painter: SlicePainter, truth: StudyTruth, labelled: Body | None
) -> None:
    with write_folder_atomically(target) as made:
        images = made / "images"
        images.mkdir()
        for index in range(len(painter.plan.slices_mm)):
            dataset = slice_object(header, painter, index)
            dataset.save_as(images / f"{int(dataset.InstanceNumber):04d}.dcm", enforce_file_format=True)
        localizer_object(header, painter).save_as(made / "localizer.dcm", enforce_file_format=True)
        dose_report(header, painter.plan).save_as(made / "dose_report.dcm", enforce_file_format=True)
        if labelled is not None:
            _write_labels(made, labelled, truth.grid)
        (made / "truth.json").write_text(json.dumps(truth.to_json(), indent=1) + "\n", encoding="utf-8")


def _write_labels(folder: Path, body: Body, grid: Grid) -> None:
    """Write the body's labels at the image's voxel centres as NIfTI, and their names."""
    nearest = [
        np.clip(np.rint((at - nodes[0]) / step).astype(int), -1, len(nodes))
        for at, nodes, step in zip(grid.axes_mm(), body.grid.axes_mm(), body.grid.spacing_mm, strict=True)
    ]
    merged, organs = merged_labels(body)
    padded = np.pad(merged, 1)
    values = padded[np.ix_(*(index + 1 for index in nearest))]
    (folder / "labels.nii.gz").write_bytes(nifti_bytes(grid, values))
    present = set(np.unique(values).tolist()) - {0}
    names = {str(i): name for i, name in enumerate(organs, 1) if i in present}
    (folder / "labels.json").write_text(json.dumps(names, indent=1) + "\n", encoding="utf-8")
