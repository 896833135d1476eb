"""AAPM TG-195, Cases 1 to 5, for published and other modes. Defines `compute` and `rows`.

Geometries, materials and spectra are those of Sechopoulos et al., Med. Phys. 42, 5679 (2015),
doi:10.1118/1.4928676; lengths are in cm there and turned into mm here. The builders take any angle,
collimation and photon energy, not only the published ones.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from wholedose.base import InvalidInput, UnknownName
from wholedose.tables import load
from wholedose.validation import tg195_cases, tg195_phantom
from wholedose.validation.suites import Progress, Row
from wholedose.validation.tg195_setup import Run

SOURCE = "Sechopoulos et al. 2015, doi:10.1118/1.4928676"
TOLERANCE = (
    "inside [min(v − 2u), max(v + 2u)] over the four codes, widened by 2u of ours "
    "(Case 2 with a tube spectrum: both ends 0.35 % wider)"
)
CODES = ("egsnrc", "geant4", "mcnp", "penelope")

CASES: dict[str, tuple[Callable[..., list[Run]], tuple[str, ...], tuple[str, ...]]] = {
    # case: (builder, published spectra, published modes)
    "1": (tg195_cases.case_1, ("30 keV", "100 keV", "30 kVp", "100 kVp"), ("",)),
    "2": (tg195_cases.case_2, ("56.4 keV", "120 kVp"), ("radiography", "tomosynthesis")),
    "3": (tg195_cases.case_3, ("16.8 keV", "30 kVp"), ("radiography", "tomosynthesis")),
    "4.1": (tg195_cases.case_41, ("56.4 keV", "120 kVp"), ("10mm collimation", "80mm collimation")),
    "4.2": (tg195_cases.case_42, ("56.4 keV", "120 kVp"), ("10mm collimation", "80mm collimation")),
    "5": (tg195_phantom.case_5, ("56.4 keV", "120 kVp"), ("0", "90", "180", "270", "Continuous")),
}


def compute(
    case: str,
    *,
    mode: str | None = None,
    spectrum: str | None = None,
    seconds: float = 10.0,
    seed: int = 1,
    reference: Path | None = None,
) -> list[dict[str, Any]]:
    """Compute one case.

    Parameters
    ----------
    case : str
        ``"1"``, ``"2"``, ``"3"``, ``"4.1"``, ``"4.2"`` or ``"5"``.
    mode : str, optional
        Cases 2 and 3 ``"radiography"`` or ``"tomosynthesis"``; Case 4 such as ``"10mm collimation"``
        (4.2 also ``"Center 10mm collimation"``); Case 5 any angle in degrees, or ``"Continuous"``. All
        published modes by default.
    spectrum : str, optional
        ``"120 kVp"`` and the like, or any ``"<energy> keV"``. All published spectra by default.
    seconds : float
        Wall time for all of it.
    seed : int
    reference : path, optional
        Folder of reference data; Case 5 reads its phantom there.

    Returns
    -------
    list of dict
        ``{"case", "volume", "spectrum", "mode", "value_ev", "u_ev"}``, Case 1: ``value`` and ``u``.

    Raises
    ------
    UnknownName
        No such case, mode or spectrum.
    MissingInput
        Case 5 without its phantom.
    """
    if case not in CASES:
        raise UnknownName("TG-195 case", case, CASES)
    build, spectra, modes = CASES[case]
    tasks = [
        (one, other)
        for one in ([spectrum] if spectrum is not None else spectra)
        for other in ([mode] if mode is not None else modes)
    ]
    if case == "1" and mode not in (None, "", "monoenergetic", "polyenergetic"):
        raise InvalidInput("Case 1 has no modes to choose.", where="--mode", way_out="Leave --mode out.")
    results: list[dict[str, Any]] = []
    for one, other in tasks:
        runs = build(one, other, reference)
        for run in runs:
            results += run.rows(seconds / len(tasks) / len(runs), seed)
        if case == "1":
            results = tg195_cases.ratios(results)
    return results


def rows(reference: Path | None, progress: Progress = lambda text: None, seconds: float = 20.0) -> list[Row]:
    """Compute every published case and compare it with the four codes."""
    compared = []
    for case, (_, spectra, modes) in CASES.items():
        for spectrum in spectra:
            for mode in modes:
                progress(f"tg195 case {case}, {spectrum} {mode}")
                published = _published(case)
                computed = compute(case, mode=mode, spectrum=spectrum, seconds=seconds, reference=reference)
                for row in computed:
                    key = (row["case"], row["volume"], row["spectrum"], row["mode"])
                    if key in published:
                        compared.append(_compare(row, published[key]))
    return compared


def interval(printed: Mapping[str, Any]) -> tuple[float, float]:
    """Return [min(v − 2u), max(v + 2u)] over the codes that are present in a row of the table.

    The printed u is relative, for Case 4.2 Continuous too: the u of centre and periphery are to each other as
    1/√value, and read as absolute they would leave out the mean over the codes' own 36 positions.
    """
    ends = []
    for code in CODES:
        value, u = float(printed[code]), float(printed[f"u_{code}"])
        if value != value:  # this code has no result
            continue
        spread = 2.0 * (value * u if u == u else 0.0)
        ends.append((value - spread, value + spread))
    low, high = min(end[0] for end in ends), max(end[1] for end in ends)
    if printed["case"] == "2" and "kVp" in str(printed["spectrum"]):
        low, high = low * (1 - 0.0035), high * (1 + 0.0035)
    return low, high


def _published(case: str) -> dict[tuple[str, str, str, str], dict[str, Any]]:
    return {
        (str(row["case"]), str(row["volume"]), str(row["spectrum"]), str(row["mode"])): row
        for row in load("validation/tg195_results").rows()
        if str(row["case"]).split(" ")[0] == case
    }


def _compare(row: Mapping[str, Any], printed: Mapping[str, Any]) -> Row:
    key = "value" if "value" in row else "value_ev"
    value, u = float(row[key]), float(row["u" if key == "value" else "u_ev"])
    low, high = interval(printed)
    values = [float(printed[code]) for code in CODES if float(printed[code]) == float(printed[code])]
    middle = sum(values) / len(values)
    return Row(
        suite="tg195",
        case=f"{row['case']}, {row['spectrum']}, {row['mode']}",
        quantity=f"{row['volume']}, {'ratio' if key == 'value' else 'eV per history'}",
        value=value,
        u=u,
        reference=middle,
        u_reference=(high - low) / 4.0,
        tolerance=TOLERANCE,
        passed=bool(low - 2 * u <= value <= high + 2 * u),
        evidence="published",
        source=SOURCE,
    )
