"""What the physicist's report shows. Defines `context`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np

from wholedose.base import Volume
from wholedose.dose import DVH
from wholedose.report import bodymap, charts, icons, numbers, planes
from wholedose.report.canvas import Picture
from wholedose.report.case import Case
from wholedose.report.risks import RiskSummary
from wholedose.report.skin import REACTION, SkinView, reacts_from_mgy, skin_views

DVH_ORGANS = 7
LONGEST_OPTION = 120
SEXES = {"F": "female", "M": "male"}


@dataclass(frozen=True)
class ImageView:
    """The three planes of one result with their scale."""

    title: str
    planes: list[Picture]
    bar: str
    scale: str
    peak: str
    ranged: bool
    grey: str
    mixed: bool


def context(
    case: Case, risks: RiskSummary, *, evidence: Sequence[Mapping[str, Any]] = (), heading: str = ""
) -> dict[str, Any]:
    """Return the variables of the physicist's template."""
    shown = [result for result in case.results if getattr(result, "map", None) is not None]
    views = [_view(result, len(shown) > 1) for result in shown]
    pictures = _pictures(case, risks, shown)
    skins = skin_views(case.results)
    title = heading or " + ".join(dict.fromkeys(item.what for item in case.contributions))
    return {
        "title": f"Dose report: {title}",
        "heading": title,
        "person_parts": _person(case),
        "contents": _contents(case, risks, views, pictures, skins),
        "views": views,
        "pictures": pictures,
        "origins": _origins(case),
        "skins": skins,
        "reaction": f"{REACTION} from about {reacts_from_mgy():,.0f} mGy on",
        "risks": risks.rows,
        "sites": risks.sites,
        "sites_model": risks.sites[0].model if risks.sites else "",
        "risk_notes": risks.notes,
        "evidence": _evidence(evidence),
        "limits": _limits(case),
        "fmt": SimpleNamespace(
            value=lambda estimate: numbers.with_uncertainty(estimate)[0],
            u=lambda estimate: numbers.with_uncertainty(estimate)[1],
            interval=numbers.interval,
            percent=numbers.percent,
            mass=lambda grams: numbers.digits(grams) if grams else "–",
            option=_option,
            causes=lambda estimate: icons.cause_bar(estimate, case.causes),
        ),
    }


def _option(value: Any) -> str:
    """Return an option of the provenance as text; what is long stands in result.json."""
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    return text if len(text) <= LONGEST_OPTION else "see result.json"


def _person(case: Case) -> list[str]:
    person = case.person
    parts = [person.name] if person.name else []
    parts += [SEXES.get(person.sex, str(person.sex)), f"{person.age_y:g} years"]
    parts += [f"{person.height_cm:.3g} cm"] if person.height_cm is not None else []
    parts += [f"{person.weight_kg:.3g} kg"] if person.weight_kg is not None else []
    dates = sorted({item.date.isoformat() for item in case.contributions if item.date})
    return parts + ([dates[0] if len(dates) == 1 else f"{dates[0]} to {dates[-1]}"] if dates else [])


def _contents(
    case: Case,
    risks: RiskSummary,
    views: Sequence[ImageView],
    pictures: Mapping[str, Picture | None],
    skins: Sequence[SkinView],
) -> list[tuple[str, str]]:
    wanted = [
        ("findings", "Findings", bool(case.findings)),
        ("images", "Images", bool(views)),
        ("organs", "Organ doses", True),
        ("skin", "Skin", bool(skins)),
        ("ledger", "Contributions", len(case.contributions) > 1),
        ("distribution", "Distribution", bool(pictures["dvh"] or pictures["profile"])),
        ("uncertainty", "Uncertainty", True),
        ("risk", "Risk", bool(risks.rows)),
        ("inputs", "Inputs", bool(case.facts)),
        ("method", "Method", True),
        ("limits", "Limits", True),
        ("provenance", "Provenance", True),
    ]
    return [(key, name) for key, name, there in wanted if there]


def _pictures(case: Case, risks: RiskSummary, shown: Sequence[Any]) -> dict[str, Picture | None]:
    leading = case.effective if case.effective is not None else case.organs[0].dose
    what = "effective dose" if case.effective is not None else f"dose to the {case.organs[0].label}"
    pictures: dict[str, Picture | None] = {
        "organs": charts.organ_chart(case.organs),
        "budget": charts.budget_chart(leading, what) if leading.u else None,
        "risk": charts.risk_chart([(row.model, row.central, row.low, row.high) for row in risks.rows])
        if risks.rows
        else None,
        "dvh": None,
        "profile": None,
        "bodymap": None,
    }
    if len(shown) == 1 and getattr(shown[0], "body", None) is not None:
        result, body = shown[0], shown[0].body
        if body.grid.matches(result.map.grid):
            pictures["dvh"] = _dvh(case, result.map, body)
            pictures["profile"] = _profile(result, body)
        pictures["bodymap"] = bodymap.body_map(body, {row.organ: row.dose.value for row in case.organs})
    return pictures


def _dvh(case: Case, dose: Any, body: Any) -> Picture | None:
    histograms: dict[str, DVH] = {}
    for row in case.organs:
        if len(histograms) == DVH_ORGANS or row.organ not in body.organs or row.in_scan <= 0:
            continue
        mask = body.labels == body.organs.index(row.organ) + 1
        if int(mask.sum()) > 20:  # fewer voxels make steps, no distribution
            histograms[row.organ] = dose.dvh(mask, body.density_g_cm3)
    return charts.dvh_chart(histograms) if histograms else None


def _profile(result: Any, body: Any) -> Picture | None:
    z = result.map.grid.axes_mm()[0]
    inside = body.labels > 0
    mass = np.where(inside, body.density_g_cm3, 0.0).sum(axis=(1, 2), dtype=np.float64)
    energy = np.where(inside, body.density_g_cm3 * result.map.dose_mgy, 0.0).sum(
        axis=(1, 2), dtype=np.float64
    )
    mean = np.divide(energy, mass, out=np.zeros_like(mass), where=mass > 0)
    present = np.flatnonzero(mean > 1e-2 * mean.max())
    if present.size < 3:
        return None
    part = slice(int(present[0]), int(present[-1]) + 1)
    current = _current(result)
    return charts.profile_chart(z[part], mean[part], scan_range(result), current)


def _current(result: Any) -> tuple[Any, Any] | None:
    for item in getattr(result, "ranges", ()):
        curve = item.current
        if curve is not None and np.size(curve.z_mm) > 1:
            return np.asarray(curve.z_mm), np.asarray(curve.ma)
    return None


def scan_range(result: Any) -> tuple[float, float] | None:
    """Return the lowest and highest z in mm that primary photons reach, or None where it is not said."""
    ends = [float(z) for item in getattr(result, "ranges", ()) for z in item.irradiated_z_mm]
    return (min(ends), max(ends)) if ends else None


def _view(result: Any, titled: bool) -> ImageView:
    body = getattr(result, "body", None)
    image = getattr(getattr(result, "scan", None), "image", None)
    backdrop = None if body is None else Volume(body.grid, planes.hu_of(body), "HU", {})
    view = planes.View.of(result.map, image, backdrop)
    ends = scan_range(result)
    return ImageView(
        title=result.contribution().what if titled else "",
        planes=planes.three_planes(view, ends),
        bar=planes.colour_bar(view.scale_mgy),
        scale=numbers.digits(view.scale_mgy),
        peak=numbers.digits(float(result.map.dose_mgy.max())),
        ranged=ends is not None,
        grey="ct" if image is not None else "body",
        mixed=image is not None and backdrop is not None,
    )


def _origins(case: Case) -> Mapping[str, str]:
    if len(case.results) != 1:
        return {}
    origins = dict(getattr(getattr(case.results[0], "body", None), "origin", {}))
    sites = " + ".join(sorted({kind for name, kind in origins.items() if name.startswith("bone_")}))
    if sites:
        origins |= dict.fromkeys(("bone", "red_bone_marrow", "endosteum"), sites)
    return origins


def _evidence(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Count the validation rows by kind of evidence and suite; the strongest kind first."""
    order = ("measurement", "published", "peer code", "own simulation")
    groups: dict[tuple[str, str], list[bool]] = {}
    for row in rows:
        groups.setdefault((str(row["evidence"]), str(row["suite"])), []).append(bool(row["passed"]))
    rank = {name: number for number, name in enumerate(order)}
    keys = sorted(groups, key=lambda key: (rank.get(key[0], len(order)), key))
    return [
        {
            "evidence": kind,
            "suite": suite,
            "cases": len(groups[kind, suite]),
            "passed": sum(groups[kind, suite]),
        }
        for kind, suite in keys
    ]


def _limits(case: Case) -> list[str]:
    """Return the sentences on what this document must not be used for."""
    limits = [
        "Research and quality-assurance use. This is not a medical device, and no decision about a patient "
        "may rest on it alone.",
        "Effective dose is a quantity of protection for reference persons. It compares procedures; it does "
        "not give the risk of this person.",
    ]
    if any(row.outside for row in case.organs):
        limits.append(
            "Organs outside the scanned range receive scattered radiation only; their shape and place are "
            "usually not seen in the image, so their uncertainty is mainly anatomical."
        )
    if any("reference" in origin for origin in _origins(case).values()):
        limits.append(
            "Organs marked 'reference' come from a reference body of this age, sex, height and weight, not "
            "from an image."
        )
    limits.append(
        "The uncertainties are standard uncertainties by cause as far as the causes are known; an error that "
        "no cause covers is not in them."
    )
    return limits
