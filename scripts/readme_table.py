"""Writes the tables of accuracy and speed in README.md and docs/anchors.md from the committed results."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "src"))

from wholedose.validation.results import deviation, from_json  # noqa: E402
from wholedose.validation.suites import REPORTED_ONLY, SUITES, Row, count_passed  # noqa: E402

PARTS = {
    # README's lines: (words, suite, case starts with)
    "TG-195 Case 1, half and quarter value layers": ("tg195", ("1 HVL",)),
    "TG-195 Case 2, radiography and tomosynthesis of the body": ("tg195", ("2,",)),
    "TG-195 Case 3, mammography": ("tg195", ("3,",)),
    "TG-195 Case 4, CT of a PMMA cylinder": ("tg195", ("4.1", "4.2")),
    "TG-195 Case 5, CT of a voxel phantom": ("tg195", ("5,",)),
    "Problems A, B, C (water, bone, lung) against EGSnrc and PenRed": ("transport", ("",)),
    "CT beam: width, fan profile, filter (against its definition)": ("ctdi", ("",)),
    "Lifetime attributable risk (65 cases)": ("risk/lar_cases", ("",)),
    "Its interval by sampling": ("risk/lar_uncertainty_cases", ("",)),
    "BEIR VII with European and North American rates": ("risk/beir_vii_region1_vs_12d1", ("",)),
}


def accuracy(rows: list[Row]) -> str:
    lines = ["| what | quantities inside tolerance | median difference | evidence |", "|---|--:|--:|---|"]
    seen: set[str] = set()
    for words, (suite, starts) in PARTS.items():
        mine = [row for row in rows if row.suite == suite and row.case.startswith(starts)]
        seen.add(suite)
        if mine:
            lines.append(_line(words, mine))
    for suite in dict.fromkeys(row.suite for row in rows):
        if suite not in seen:
            title = SUITES[suite].title if suite in SUITES else suite
            lines.append(_line(title, [row for row in rows if row.suite == suite]))
    return "\n".join(lines)


def _line(words: str, rows: list[Row]) -> str:
    rows = [row for row in rows if row.tolerance != REPORTED_ONLY]
    passed, count = count_passed(rows)
    differences = sorted(abs(d) for d in map(deviation, rows) if d is not None)
    middle = f"{differences[len(differences) // 2]:.2%}" if differences else "–"
    evidence = ", ".join(dict.fromkeys(row.evidence for row in rows))
    return f"| {words} | {passed} of {count} | {middle} | {evidence} |"


def number(value: float) -> str:
    """Three digits, thousands apart."""
    return f"{float(f'{value:.3g}'):,.0f}" if value >= 1000 else f"{value:.3g}"


def speed(problem: str = "A") -> str:
    path = ROOT / f"benchmarks/results/transport-{problem}.json"
    data = json.loads(path.read_text())
    names = {
        "histories_per_s_core": "photons per second",
        "efficiency_voxel": "efficiency 1/(σ²T) of one voxel, s⁻¹",
        "efficiency_sph10": "efficiency of a 3 cm sphere, s⁻¹",
    }
    ours, theirs, ratios = data["wholedose"], data["penred"], data["ratio_to_penred"]
    lines = [
        "| speed, one core, beside PenRed in one run (problem A) | ours | PenRed | ratio |",
        "|---|--:|--:|--:|",
    ]
    lines += [
        f"| {words} | {number(ours[key])} | {number(theirs[key])} | {ratios[key]:.3g} |"
        for key, words in names.items()
    ]
    return "\n".join(lines)


# measured for this project on a 2-core machine of the same class
PEERS = (
    "| | A photons/s | B photons/s | C photons/s | A: 1/(σ²T) of a voxel, s⁻¹ | A: of a 3 cm sphere, s⁻¹ |",
    "|---|--:|--:|--:|--:|--:|",
    "| EGSnrc DOSXYZnrc | 147 k | 72 k | 168 k | 2.5 | 6.4e3 |",
    "| PenRed (pyPenred 1.15.2) | 264 k | 151 k | 244 k | 4.6 | 8.5e3 |",
    "| MC-GPU v1.3, CPU build (point source) | 561 k | 393 k | – | 4.7 | 1.3e4 |",
)
GOAL = "| goal | 1.2 M | 0.8 M | 1 M | 2 500 | 3.2e5 |"


def anchors() -> str:
    """Our lines of the table of transport: by track length, and analogue."""
    runs = {}
    for problem in "ABC":
        runs[problem] = json.loads((ROOT / f"benchmarks/results/transport-{problem}.json").read_text())
    lines = list(PEERS)
    for key, words in (("wholedose", "ours, track length"), ("analogue", "ours, analogue")):
        speeds = " | ".join(f"{runs[p][key]['histories_per_s_core'] / 1000:.0f} k" for p in "ABC")
        a = runs["A"][key]
        lines.append(f"| {words} | {speeds} | {a['efficiency_voxel']:.3g} | {a['efficiency_sph10']:.2g} |")
    return "\n".join([*lines, GOAL])


def replace(text: str, name: str, content: str) -> str:
    return re.sub(rf"(<!-- {name}: .*? -->\n).*?(<!-- /{name} -->)", rf"\1{content}\n\2", text, flags=re.S)


def main() -> None:
    path = ROOT / "README.md"
    text = path.read_text(encoding="utf-8")
    if (ROOT / "validation-results.json").exists():
        text = replace(text, "accuracy", accuracy(from_json(ROOT / "validation-results.json")))
    if (ROOT / "benchmarks/results/transport-A.json").exists():
        text = replace(text, "speed", speed())
    path.write_text(text, encoding="utf-8")
    page = ROOT / "docs/anchors.md"
    page.write_text(replace(page.read_text(encoding="utf-8"), "transport", anchors()), encoding="utf-8")


if __name__ == "__main__":
    main()
