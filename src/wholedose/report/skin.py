"""What a document says of the skin. Defines `SkinView`, `skin_views`, `skin_findings` and `stored_skin`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from wholedose.base import AbsorbedDose, Cause
from wholedose.report.numbers import digits
from wholedose.tables import load

REACTION = "transient erythema"


@dataclass(frozen=True)
class SkinView:
    """The skin dose of one result.

    Attributes
    ----------
    title : str
        Empty where there is one result.
    mean, peak : AbsorbedDose
    area, place : str
        Over which area the peak is the mean, cm², and where its middle lies.
    share : str
        The peak over the dose from which the skin reacts, as "4 % of" or "1.2 times".
    """

    title: str
    mean: AbsorbedDose
    peak: AbsorbedDose
    area: str
    place: str
    share: str


def reacts_from_mgy() -> float:
    """Return the dose in mGy from which a reaction of the skin is known.

    Examples
    --------
    >>> reacts_from_mgy()
    2000.0
    """
    rows = {str(row["reaction"]): row for row in load("report/skin_reactions").rows()}
    return 1000.0 * float(rows[REACTION]["from_gy"])


def skin_views(results: Iterable[Any]) -> list[SkinView]:
    """Return what to say of each result with a skin dose."""
    shown = [item for item in results if getattr(item, "skin", None) is not None]
    return [
        SkinView(
            title=item.contribution().what if len(shown) > 1 else "",
            mean=item.skin.mean,
            peak=item.skin.peak.dose,
            area=f"{item.skin.peak.area_cm2:.2g}",
            place=", ".join(f"{at:.0f}".replace("-", "−") for at in item.skin.peak.place_mm),
            share=_share(item.skin.peak.dose.value / reacts_from_mgy()),
        )
        for item in shown
    ]


def skin_findings(results: Iterable[Any]) -> list[tuple[str, str]]:
    """Return a warning for each result whose skin may react: within two standard uncertainties."""
    return [
        (
            "warning",
            f"The skin may react: up to {digits(view.peak.value)} mGy over {view.area} cm², "
            f"and {REACTION} is known from about {reacts_from_mgy():.0f} mGy on.",
        )
        for view in skin_views(results)
        if view.peak.value + 2.0 * view.peak.u >= reacts_from_mgy()
    ]


def stored_skin(data: Mapping[str, Any] | None) -> Any:
    """Return the skin dose as ``result.json`` holds it."""
    if data is None:
        return None
    peak = data["peak"]
    place = tuple(float(at) for at in peak["place_mm"])
    return SimpleNamespace(
        mean=_dose(data["mean"]),
        peak=SimpleNamespace(dose=_dose(peak), area_cm2=float(peak["area_cm2"]), place_mm=place),
    )


def _dose(row: Mapping[str, Any]) -> AbsorbedDose:
    parts = {Cause(name, "recorded"): float(u) for name, u in row["uncertainty"].items()}
    return AbsorbedDose(row["dose_mgy"], parts)


def _share(ratio: float) -> str:
    return f"{100.0 * ratio:.2g} % of" if ratio < 1.0 else f"{ratio:.2g} times"
