"""Suites of the room risk that compute any file of the reference columns. Defines one function per suite.

Each takes the rows of a CSV (dictionaries of text by column) and the file's path, beside which the baseline
rates are looked for, and returns, in order, ``{"row", "ours", "u", "reason"}``: the output columns as
computed here, their Monte Carlo standard errors (0 where the computation is exact), and why not.
"""

from __future__ import annotations

import csv
import math
import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from wholedose.base import AbsorbedDose, Cause, InvalidInput, MissingInput, WholedoseError
from wholedose.risk import RADRAT_CENTRAL, Latency, Rates, lifetime_risk, population, site
from wholedose.risk.lifetime import check_age
from wholedose.risk.parameters import ALIASES, Site
from wholedose.risk.rates import AGES
from wholedose.risk.sampling import Draws, Sample
from wholedose.risk.uncertainty import Event, RiskModel, SiteModel

Row = Mapping[str, str]
Result = dict[str, Any]
DRAWS = 200_000
PEER_DRAWS = 20_000
REGION_1 = "Aus-NZ Europe Northern America"
REGION_NAMES = {
    "region1": REGION_1,
    "europe": REGION_1,
    "europe_north_america": REGION_1,
    "europe/n. america": REGION_1,
}


def lar_cases(rows: Iterable[Row], path: Path) -> list[Result]:
    """Compute rows of ``risk/lar_cases``: deterministic LAR by transfer and combined, per 100,000."""
    folder = rates_beside(path)
    return [_guarded(row, lambda r: _lar_case(r, folder)) for row in rows]


def lar_uncertainty_cases(rows: Iterable[Row], path: Path, seed: int = 1) -> list[Result]:
    """Compute rows of ``risk/lar_uncertainty_cases``: mean and percentiles by sampling, per 100,000."""
    folder = rates_beside(path)
    return [_guarded(row, lambda r: _uncertainty_case(r, folder, seed)) for row in rows]


def beir_vii_region1_vs_12d1(rows: Iterable[Row], path: Path) -> list[Result]:
    """Compute rows of ``risk/beir_vii_region1_vs_12d1``: BEIR VII, 0.1 Gy, the shipped rates of region 1."""
    return [_guarded(row, _region1_case) for row in rows]


def larisk_peer_cases(rows: Iterable[Row], path: Path, seed: int = 1) -> list[Result]:
    """Compute rows of ``risk/larisk_peer_cases`` with our model, to show the disagreement with that package.

    LARisk 1.0.0 samples a wrong triangular latency, gives leukaemia and thyroid the latency of solid cancers,
    truncates e* of the thyroid, and conditions survival on the end of the latency (docs/risk.md): no target.
    """
    folder = rates_beside(path)
    return [_guarded(row, lambda r: _peer_case(r, folder, seed)) for row in rows]


def _guarded(row: Row, compute: Callable[[Row], tuple[dict[str, float], dict[str, float]]]) -> Result:
    try:
        ours, u = compute(row)
    except WholedoseError as error:
        return {"row": dict(row), "ours": {}, "u": {}, "reason": str(error)}
    except (KeyError, ValueError) as error:
        reason = f"The row lacks or misspells a column: {error}"
        return {"row": dict(row), "ours": {}, "u": {}, "reason": reason}
    return {"row": dict(row), "ours": ours, "u": u, "reason": None}


def rates_beside(path: Path) -> Path:
    """Return the folder of reference rates: beside the file's folder, or in the shared reference folder."""
    candidates = [path.resolve().parent.parent / "rates", path.resolve().parent / "rates"]
    shared = os.environ.get("WHOLEDOSE_SHARED")
    if shared:
        candidates.append(Path(shared) / "reference" / "rates")
    candidates += [base / "shared" / "reference" / "rates" for base in Path(__file__).resolve().parents[3:5]]
    candidates.append(Path.cwd().parent / "shared" / "reference" / "rates")
    return next((folder for folder in candidates if any(folder.glob("larisk_*.csv"))), candidates[0])


def rates_named(name: str, rates_folder: Path) -> Rates:
    """Return the rates of a population as reference files name it.

    ``korea<year>`` reads ``larisk_incid<year>.csv`` and ``larisk_life<year>.csv`` in the folder; any other
    name is a population that ships.

    Raises
    ------
    MissingInput
        The folder has no such files.
    """
    korea = re.fullmatch(r"korea[ _-]?(\d{4})", name.strip().lower())
    if not korea:
        return population(REGION_NAMES.get(name.strip().lower(), name.strip()))
    incidence, life = (rates_folder / f"larisk_{kind}{korea[1]}.csv" for kind in ("incid", "life"))
    if not (incidence.is_file() and life.is_file()):
        raise MissingInput(
            f"There are no rates of {name} in {rates_folder}.",
            where="rates",
            way_out=f"Put {incidence.name} and {life.name} there.",
        )
    return _korea(name, incidence, life)


@cache
def _korea(name: str, incidence: Path, life: Path) -> Rates:
    rates: dict[tuple[str, str], NDArray[np.float64]] = {}
    survival: dict[str, NDArray[np.float64]] = {}
    for row in _read(incidence):
        where = ALIASES.get(row["Site"], row["Site"])
        for sex, column in (("M", "Rate_m"), ("F", "Rate_f")):
            curve = rates.setdefault((where, sex), np.zeros(AGES.size))
            curve[int(row["Age"])] = float(row[column]) * 1e-5
    death = {sex: np.zeros(AGES.size) for sex in ("M", "F")}
    for row in _read(life):
        for sex, column in (("M", "Prob_d_m"), ("F", "Prob_d_f")):
            death[sex][int(row["Age"])] = float(row[column])
    for sex, q in death.items():
        survival[sex] = np.concatenate([[1.0], np.cumprod(1.0 - q)[:-1]])
    return Rates(name, rates, survival)


def _read(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(line for line in stream if not line.startswith("#")))


def _sex(text: str) -> str:
    letter = text.strip().upper()[:1]
    if letter not in ("F", "M"):
        raise InvalidInput(f"The sex is {text!r}.", where="sex", way_out="Give f or m.")
    return letter


def _number(row: Row, column: str, default: float | None = None) -> float:
    text = (row.get(column) or "").strip()
    if not text:
        if default is None:
            raise MissingInput(f"The row has no {column}.", where=column)
        return default
    return float(text)


def _latency(text: str, spot: Site) -> Latency:
    numbers = [float(x) for x in re.findall(r"\d+(?:\.\d+)?", text)]
    if text.strip().lower().startswith("hard"):
        return Latency("hard", numbers[0] if numbers else spot.minimum_latency)
    if text.strip().lower().startswith("logistic"):
        mid = numbers[0] if numbers else spot.midpoint[1]
        return Latency("logistic", mid, numbers[1] if len(numbers) > 1 else spot.scale)
    raise InvalidInput(
        f"The latency {text!r} is not known.", where="latency", way_out='Give "hard 5 y" or "logistic".'
    )


def excess_hazard(text: str, age_exposure: int, start: int) -> NDArray[np.float64] | None:
    """Return the factor on survival of an extra yearly mortality, 1 at the start age, shape (101,).

    `text` is such as ``"0.10/y for 0-5 y"`` (years since exposure) or ``"0.02/y for life"``; empty is None.
    """
    if not text.strip():
        return None
    form = re.fullmatch(r"\s*([\d.]+)\s*/\s*y for (?:([\d.]+)\s*-\s*([\d.]+) y|(life))\s*", text)
    if not form:
        raise InvalidInput(
            f"The excess hazard {text!r} is not understood.",
            where="excess_hazard",
            way_out='Give such as "0.10/y for 0-5 y" or "0.02/y for life".',
        )
    hazard = float(form[1])
    begin, end = (0.0, math.inf) if form[4] else (float(form[2]), float(form[3]))
    spent = np.clip(AGES - age_exposure, begin, end) - begin
    before = min(max(start - age_exposure, begin), end) - begin
    return np.exp(-hazard * (spent - before))


def _lar_case(row: Row, rates_folder: Path) -> tuple[dict[str, float], dict[str, float]]:
    spot = site(row["site"])
    rates = rates_named(row["population"], rates_folder)
    sex = _sex(row["sex"])
    age = check_age(_number(row, "age_exposure"))
    now = check_age(_number(row, "age_now", age), "age now")
    weight = _number(row, "weight_err", spot.weight_err)
    latency = _latency(row["latency"], spot)
    how = row["comb"].strip().lower()
    if how not in ("geometric", "arithmetic"):
        raise InvalidInput(f"The combination {how!r} is not known.", where="comb")
    combination: Literal["geometric", "arithmetic"] = "geometric" if how == "geometric" else "arithmetic"
    if weight > 0 and spot.slope("ERR", sex) and rates.baseline(spot.name, sex) is None:
        raise MissingInput(f"{rates.name} has no incidence rates of {spot.name}.", where="population")
    risk = lifetime_risk(
        spot,
        sex,
        age,
        _number(row, "dose_gy"),
        rates,
        age_now=now,
        latency=latency,
        combination=combination,
        weight_err=weight,
        ddref=_number(row, "ddref", 1.5 if spot.ddref else 1.0),
        floor_y=_number(row, "t_floor_y", 0.0),
        survival_factor=excess_hazard(row.get("excess_hazard") or "", age, max(age, now)),
    )
    ours = {"lar_per_1e5": risk.value * 1e5}
    if risk.err is not None:
        ours["lar_err_per_1e5"] = risk.err * 1e5
    if risk.ear is not None:
        ours["lar_ear_per_1e5"] = risk.ear * 1e5
    return ours, dict.fromkeys(ours, 0.0)


def _region1_case(row: Row) -> tuple[dict[str, float], dict[str, float]]:
    risk = lifetime_risk(row["site"], _sex(row["sex"]), _number(row, "age_exposure"), 0.1, REGION_1)
    column = "lar_per_1e5_computed_europe_north_america_rates"
    return {column: risk.per_1e5}, {column: 0.0}


def _sample(
    model: RiskModel, row: Row, rates: Rates, dose: AbsorbedDose, *, acute: bool, draws: Draws
) -> Sample:
    spot = site(row["site"])
    sex = _sex(row["sex"])
    spot.require(sex)
    age = check_age(_number(row, "age_exposure"))
    part = SiteModel(model, spot, sex, rates, age, [Event(age, dose, acute)])
    if spot.weight_err > 0 and rates.baseline(spot.name, sex) is None:
        raise MissingInput(f"{rates.name} has no incidence rates of {spot.name}.", where="population")
    return part.sample(draws) * 1e5


def _uncertainty_case(row: Row, rates_folder: Path, seed: int) -> tuple[dict[str, float], dict[str, float]]:
    rates = rates_named(row.get("population") or "korea2018", rates_folder)
    form = row["dose_distribution"].strip().lower()
    log_spread = re.fullmatch(r"ln\s*([\d.]+)", form)
    if form != "fixed" and not log_spread:
        raise InvalidInput(
            f"The dose distribution {form!r} is not known.",
            where="dose_distribution",
            way_out='Give "fixed" or the geometric standard deviation as "ln1.5".',
        )
    median_mgy = _number(row, "dose_median_gy") * 1000.0
    sigma = math.log(float(log_spread[1])) if log_spread else 0.0
    dose = AbsorbedDose(median_mgy, {Cause("dose", "case"): sigma * median_mgy} if sigma else {})
    sample = _sample(RADRAT_CENTRAL, row, rates, dose, acute=False, draws=Draws(seed, DRAWS))
    ours: dict[str, float] = {}
    u: dict[str, float] = {}
    if "mean_per_1e5" in row:
        ours["mean_per_1e5"] = float(np.mean(sample))
        u["mean_per_1e5"] = float(np.std(sample) / math.sqrt(sample.size))
    for column in row:
        quantile = re.fullmatch(r"p(\d+(?:_\d+)?)(?:_per_1e5)?", column)
        if quantile:
            ours[column], u[column] = _percentile(sample, float(quantile[1].replace("_", ".")))
    return ours, u


def _percentile(sample: Sample, percent: float) -> tuple[float, float]:
    """A percentile and its standard error, from the spread over twenty parts of the sample."""
    parts = np.array([np.percentile(part, percent) for part in np.array_split(sample, 20)])
    return float(np.percentile(sample, percent)), float(np.std(parts, ddof=1) / math.sqrt(parts.size))


def _peer_case(row: Row, rates_folder: Path, seed: int) -> tuple[dict[str, float], dict[str, float]]:
    rates = rates_named(row["population"], rates_folder)
    form = row["dose_distribution"].strip().lower()
    first = _number(row, "dose_p1_mgy")
    if form == "fixedvalue":
        dose = AbsorbedDose(first)
    elif form == "lognormal":
        dose = AbsorbedDose(first, {Cause("dose", "case"): first * math.log(_number(row, "dose_p2"))})
    else:
        raise InvalidInput(f"The dose distribution {form!r} is not computed here.", where="dose_distribution")
    model = RADRAT_CENTRAL
    if row["ddref_applied"].strip().upper() == "FALSE":
        model = replace(model, ddref="never")
    acute = row["dose_rate"].strip().lower() == "acute"
    sample = _sample(model, row, rates, dose, acute=acute, draws=Draws(seed, PEER_DRAWS))
    spot = site(row["site"])
    ours = {"mean_per_1e5": float(np.mean(sample))}
    u = {"mean_per_1e5": float(np.std(sample) / math.sqrt(sample.size))}
    for column, percent in (("p05_per_1e5", 5.0), ("p95_per_1e5", 95.0)):
        ours[column], u[column] = _percentile(sample, percent)
    baseline = rates.lifetime_baseline(spot.name, _sex(row["sex"]), check_age(_number(row, "age_exposure")))
    if baseline is not None:
        ours["lifetime_baseline_per_1e5"], u["lifetime_baseline_per_1e5"] = baseline * 1e5, 0.0
    return ours, u


SUITES: dict[str, Callable[[Sequence[Row], Path], list[Result]]] = {
    "risk/lar_cases": lar_cases,
    "risk/lar_uncertainty_cases": lar_uncertainty_cases,
    "risk/beir_vii_region1_vs_12d1": beir_vii_region1_vs_12d1,
    "risk/larisk_peer_cases": larisk_peer_cases,
}
"""Suite name to the function that computes its rows, given the path of their file."""
