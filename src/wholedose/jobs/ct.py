"""A CT estimate as one piece of work. Defines `CtRequest`, `CtOutcome` and `run_ct`.

A request holds all that a user chose and is written into the result, which can be computed again from it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from wholedose.base import (
    Assumption,
    Cancelled,
    Executor,
    InvalidInput,
    MissingInput,
    OutsideDomain,
    Provenance,
    Volume,
)
from wholedose.body import Body, Person, assumed_person, from_ct
from wholedose.dose import Ledger
from wholedose.records import read_ct_study, read_labels
from wholedose.risk import Appraisal, appraise, population
from wholedose.xray import CtBeam, CtDose, CtScan, estimate, resolve

Progress = Callable[[float, str], bool]
"""Called with the fraction done and a line of text; returning False cancels."""

PERSON = ("sex", "age_y", "height_cm", "weight_kg")


@dataclass(frozen=True)
class CtRequest:
    """What a user asks for, with everything that changes the result.

    Attributes
    ----------
    input : str
        A study folder or a NIfTI volume.
    labels, label_names : str, optional
        A label map (NIfTI, DICOM SEG, RTSTRUCT), and a JSON file of names or the name of a numbering
        (``"totalsegmentator_v1"``, ``"totalsegmentator_v2"``).
    series : str, optional
        Which CT series of the folder.
    sex, age_y, height_cm, weight_kg, name : optional
        The person; typed values override what the files say.
    kv, ctdivol_mgy, phantom_cm, dlp_mgy_cm, collimation_mm, pitch : optional
        Technique; typed values override what the files say.
    region : str, optional
        ``"head"``, ``"chest"`` …: where on the body an image without lungs or skull lies.
    voxel_mm : float
        Size of the voxels in which the dose is computed.
    target : float
        Relative standard uncertainty (statistical) asked of the organs inside the scan.
    outside : float, optional
        The same, asked of all other organs; photons are then sent where they are needed.
    seconds : float, optional
        Time limit of the simulation.
    batches : int or sequence of int, optional
        Fixed number of batches, one for each range, instead of target and time: a replay.
    seed : int
    population : str, optional
        Baseline rates of the risk models.
    """

    input: str
    labels: str | None = None
    label_names: str | None = None
    series: str | None = None
    sex: str | None = None
    age_y: float | None = None
    height_cm: float | None = None
    weight_kg: float | None = None
    name: str = ""
    kv: float | None = None
    ctdivol_mgy: float | None = None
    phantom_cm: int | None = None
    dlp_mgy_cm: float | None = None
    collimation_mm: float | None = None
    pitch: float | None = None
    region: str | None = None
    voxel_mm: float = 3.0
    target: float = 0.01
    outside: float | None = None
    seconds: float | None = None
    batches: int | Sequence[int] | None = None
    seed: int = 1
    population: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the request as ``result.json`` holds it."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> CtRequest:
        """Return the request that `to_json` wrote; unknown fields are refused."""
        known = {item.name for item in fields(cls)}
        unknown = sorted(set(data) - known)
        if unknown or "input" not in data:
            raise InvalidInput(
                f"The request has {', '.join(unknown) or 'no input'}.",
                where="result.json",
                way_out="It was written by another version, or changed.",
            )
        return cls(**data)

    def technique(self) -> dict[str, Any]:
        """Return the typed values of the scan."""
        names = ("kv", "ctdivol_mgy", "phantom_cm", "dlp_mgy_cm", "collimation_mm", "pitch", *PERSON)
        return {name: getattr(self, name) for name in names}


@dataclass(frozen=True, eq=False)
class CtOutcome:
    """All that came of a request."""

    request: CtRequest
    scan: CtScan
    body: Body
    dose: CtDose
    ledger: Ledger
    appraisal: Appraisal | None
    no_appraisal: str = ""


def run_ct(
    request: CtRequest, *, executor: Executor | None = None, progress: Progress | None = None
) -> CtOutcome:
    """Do all of a request: read, segment, simulate, add up, appraise.

    Parameters
    ----------
    request : CtRequest
    executor : Executor, optional
        How the batches run; all cores by default. It never changes the result.
    progress : callable, optional
        ``progress(fraction, text)``; returning False cancels.

    Raises
    ------
    WholedoseError
        The input is not usable; the sentence says what to do.
    Cancelled
        Progress returned False.
    """

    def tell(fraction: float, text: str) -> None:
        if progress is not None and progress(fraction, text) is False:
            raise Cancelled(f"Stopped at {text!r}.", where=request.input)

    tell(0.0, "reading the study")
    scan = read_ct_study(request.input, series=request.series).with_typed(**request.technique())
    if scan.image is None:
        raise MissingInput("The study holds no image.", where=request.input, way_out="Give the CT series.")
    _refuse_early(scan, request)
    person, assumed = _person(scan, request)
    image = scan.image
    labels, names = _labels(request, image)
    if labels is not None:
        scan = replace(scan, findings=(*scan.findings, *labels.meta.get("findings", ())))
    tell(0.05, "building the body")
    body = from_ct(
        image,
        person,
        labels=labels,
        label_names=names,
        voxel_mm=request.voxel_mm,
        region=request.region,
        kv=_image_kv(scan),
    )
    body = body.with_(assumptions=(*assumed, *body.assumptions))
    tell(0.15, "simulating")
    dose = estimate(
        scan,
        body,
        target=request.target
        if request.outside is None
        else {"organs": request.target, "outside": request.outside},
        seconds=request.seconds,
        batches=request.batches,
        seed=request.seed,
        executor=executor,
        progress=lambda fraction, text: progress is None or progress(0.15 + 0.8 * fraction, text),
    )
    ledger = Ledger(body.person).add(dose)
    tell(0.96, "appraising the risk")
    appraisal, reason = _appraise(ledger, request)
    if progress is not None:
        progress(1.0, "done")  # too late to cancel
    # the body of the dose knows the anatomy uncertainties that its ensemble told
    return CtOutcome(request, scan, dose.body, dose, ledger, appraisal, reason)


def replay(request: CtRequest, provenance: Provenance) -> CtRequest:
    """Return the request that gives the same result: the number of batches of each range is fixed."""
    return replace(request, batches=tuple(int(n) for n in provenance.options["batches"]), seconds=None)


def _refuse_early(scan: CtScan, request: CtRequest) -> None:
    """Refuse before the work what `estimate` and `appraise` would refuse after it."""
    for item in scan.ranges:
        if item.mode is None or item.mode.value != "topogram":
            CtBeam.of(resolve(item, scan)).spectrum()
    if request.population:
        population(request.population)


def _person(scan: CtScan, request: CtRequest) -> tuple[Person, tuple[Assumption, ...]]:
    known = {name: scan.person[name].value for name in PERSON if name in scan.person}
    return assumed_person(**known, name=request.name)


def _image_kv(scan: CtScan) -> float | None:
    """Return the tube voltage of the image, when all ranges that could have made it agree on one."""
    known = {
        float(item.kv.value)
        for item in scan.ranges
        if item.kv is not None and (item.mode is None or item.mode.value != "topogram")
    }
    return known.pop() if len(known) == 1 else None


def _labels(request: CtRequest, image: Volume) -> tuple[Volume | None, dict[int, str] | None]:
    if request.labels is None:
        if request.label_names is not None:
            raise InvalidInput(
                "Names of labels are given without a label map.",
                where="--label-names",
                way_out="Add --labels FILE.",
            )
        return None, None
    volume, found = read_labels(Path(request.labels), request.label_names, image)
    return volume, found


def _appraise(ledger: Ledger, request: CtRequest) -> tuple[Appraisal | None, str]:
    if any(item.effective is None for item in ledger.contributions):
        return None, "The body is not complete: a sum over its organs would leave some out."
    extra: dict[str, Any] = {"population": request.population} if request.population else {}
    try:
        return appraise(ledger, models=["BEIR VII", "ICRP 103"], seed=request.seed, **extra), ""
    except OutsideDomain as error:
        return None, str(error)
