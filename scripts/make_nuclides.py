"""Make the decay tables of `wholedose.matter.Nuclide` from UKDD-12. The same input gives the same bytes.

UKDD-12 (the decay library of the UK, UKAEA) is carried by the Python package actigamma 0.1.5 (UKAEA,
Apache-2.0) as ``data/lines_decay_2012.min.json``. Install that package anywhere and run

    python scripts/make_nuclides.py .../actigamma/data/lines_decay_2012.min.json

in an environment with the test group installed (xraylib tells Auger from conversion electrons). The
tables are committed; users never run this.

What is done: intensities times their norms; eV to keV; 511 keV lines taken out (half their yield is the
yield of positrons); each branch of capture split into capture and positrons by theory, with one factor
for the nuclide so that the positrons add up; electrons sorted into conversion and Auger; daughters added.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import xraylib
from scipy.optimize import brentq

from wholedose.matter.nuclide_spectra import BetaShape, capture_to_positron

DATA = Path(__file__).resolve().parents[1] / "src/wholedose/tables/data/matter"
LEAST_YIELD = 1e-6
LEAST_FRACTION = 1e-5
ANNIHILATION_KEV = 510.99895
TWO_MASSES_KEV = 2 * ANNIHILATION_KEV
UKDD = "UKDD-12 (UKAEA) as carried by actigamma 0.1.5"
LICENCE = "Apache-2.0 (actigamma, Copyright 2018 FISPACT-II, UKAEA); changed: selected, scaled, sorted"

_NUCLIDES = """
C-11 N-13 O-15 F-18 Na-22 Na-24 P-32 P-33 S-35 K-40 Ca-45 Ca-47 Sc-43 Sc-44 Sc-44m Sc-46 Sc-47 Ti-45 Cr-51
Mn-52 Mn-54 Fe-55 Fe-59 Co-55 Co-57 Co-58 Co-60 Cu-60 Cu-61 Cu-62 Cu-64 Cu-67 Zn-62 Zn-65 Ga-66 Ga-67
Ga-68 Ge-68 As-72 As-74 Se-72 Se-75 Br-75 Br-76 Br-77 Kr-81m Kr-85 Rb-81 Rb-82 Rb-86 Sr-82 Sr-83 Sr-85
Sr-87m Sr-89 Sr-90 Y-86 Y-87 Y-87m Y-88 Y-89m Y-90 Y-91 Zr-89 Zr-95 Nb-95 Nb-95m Mo-99 Tc-94m Tc-96 Tc-99m
Tc-99 Ru-97 Ru-103 Ru-106 Rh-103m Rh-105 Rh-106 Pd-103 Pd-109 Ag-109m Ag-111 Cd-109 In-110 In-111 In-113m
In-114 In-114m Sn-113 Sn-117m Sb-119 Te-123m Te-132 I-120 I-121 I-123 I-124 I-125 I-126 I-131 I-132 I-133
Xe-127 Xe-131m Xe-133 Xe-133m Xe-135 Cs-131 Cs-134 Cs-137 Ba-131 Ba-133 Ba-137m La-134 La-135 Ce-134
Ce-139 Ce-141 Pr-140 Pr-142 Nd-140 Pm-147 Pm-149 Sm-153 Gd-153 Gd-159 Tb-149 Tb-152 Tb-155 Tb-161 Dy-165
Dy-166 Ho-166 Er-165 Er-169 Tm-170 Yb-169 Yb-175 Lu-176 Lu-177 Lu-177m W-188 Re-186 Re-188 Ir-192 Pt-195m
Au-198 Au-199 Hg-197 Tl-200 Tl-201 Tl-204 Pb-201 Pb-203 Pb-209 Pb-210 Pb-211 Pb-212 Pb-214 Bi-207 Bi-210
Bi-211 Bi-212 Bi-213 Bi-214 Po-210 Po-211 Po-212 Po-213 Po-214 Po-215 Po-216 Po-218 At-211 At-217 At-218
Rn-217 Rn-218 Rn-219 Rn-220 Rn-222 Fr-221 Fr-223 Ra-222 Ra-223 Ra-224 Ra-225 Ra-226 Ra-228 Ac-225 Ac-227
Ac-228 Th-226 Th-227 Th-228 Th-229 Tl-206 Tl-207 Tl-208 Tl-209 U-230
"""
NUCLIDES = _NUCLIDES.split()

_SYMBOLS = """
H He Li Be B C N O F Ne Na Mg Al Si P S Cl Ar K Ca Sc Ti V Cr Mn Fe Co Ni Cu Zn Ga Ge As Se Br Kr Rb Sr Y
Zr Nb Mo Tc Ru Rh Pd Ag Cd In Sn Sb Te I Xe Cs Ba La Ce Pr Nd Pm Sm Eu Gd Tb Dy Ho Er Tm Yb Lu Hf Ta W Re
Os Ir Pt Au Hg Tl Pb Bi Po At Rn Fr Ra Ac Th Pa U
"""
SYMBOLS = _SYMBOLS.split()

# Unique forbidden branches: nuclide, energy of the beta branch or of the capture in keV (within 6 keV),
# order, spins and parities (ENSDF). Positron branches stand with their capture energy.
UNIQUE = [
    ("K-40", 1311, 3, "4- to 0+"),
    ("K-40", 1505, 3, "4- to 0+"),
    ("Na-22", 2842, 2, "3+ to 0+"),
    ("Co-60", 1491, 2, "5+ to 2+"),
    ("Kr-85", 687, 1, "9/2+ to 5/2-"),
    ("Rb-86", 1775, 1, "2- to 0+"),
    ("As-72", 4356, 1, "2- to 0+"),
    ("As-74", 2562, 1, "2- to 0+"),
    ("As-74", 1353, 1, "2- to 0+"),
    ("Sr-89", 1497, 1, "5/2+ to 1/2-"),
    ("Sr-90", 546, 1, "0+ to 2-"),
    ("Y-88", 1787, 1, "4- to 2+"),
    ("Y-90", 2280, 1, "2- to 0+"),
    ("Y-90", 519, 1, "2- to 0+"),
    ("Y-91", 1545, 1, "1/2- to 5/2+"),
    ("Nb-95m", 1160, 1, "1/2- to 5/2+"),
    ("I-120", 5615, 1, "2- to 0+"),
    ("I-124", 3160, 1, "2- to 0+"),
    ("I-126", 2155, 1, "2- to 0+"),
    ("I-126", 1258, 1, "2- to 0+"),
    ("I-131", 807, 1, "7/2+ to 11/2-"),
    ("I-133", 1524, 1, "7/2+ to 11/2-"),
    ("Cs-137", 514, 1, "7/2+ to 11/2-"),
    ("Pr-142", 2162, 1, "2- to 0+"),
    ("Tb-152", 3850, 1, "2- to 0+"),
    ("Ho-166", 1774, 1, "0- to 2+"),
    ("Lu-177", 249, 1, "7/2+ to 11/2-"),
    ("Au-198", 1372, 1, "2- to 0+"),
    ("Tl-200", 2456, 1, "2- to 0+"),
    ("Tl-204", 764, 1, "2- to 0+"),
]

ENDF = "ENDF/B-VIII.0 decay sub-library (Brown et al. 2018, doi:10.1016/j.nds.2018.02.001)"
# Share of the decays that go to an isomer of the daughter, of all decays of the parent.
ISOMERS = {
    ("Rb-81", "Kr-81m"): 0.95672305,
    ("Sr-89", "Y-89m"): 9.64e-05,
    ("Y-87", "Sr-87m"): 1.0,
    ("Zr-89", "Y-89m"): 0.9987719,
    ("Zr-95", "Nb-95m"): 0.0108022,
    ("Mo-99", "Tc-99m"): 0.8788641,
    ("Ru-103", "Rh-103m"): 0.988259,
    ("Pd-103", "Rh-103m"): 0.9992477,
    ("Pd-109", "Ag-109m"): 0.9995154,
    ("Cd-109", "Ag-109m"): 1.0,
    ("Sn-113", "In-113m"): 1.0,
    ("I-131", "Xe-131m"): 0.0108477,
    ("I-133", "Xe-133m"): 0.028459,
    ("Cs-137", "Ba-137m"): 0.944,  # UKDD-12's own branch, with which its betas agree (ENDF/B-VIII.0: 0.947)
}

Lines = list[tuple[float, float]]


def parts(name: str) -> tuple[int, int, str]:
    symbol, rest = name.split("-")
    return SYMBOLS.index(symbol) + 1, int(rest.rstrip("m")), "m" if rest.endswith("m") else ""


def lines(record: dict[str, Any], kind: str) -> Lines:
    """Return (keV, per decay) of one kind, intensities times norms."""
    if kind not in record:
        return []
    got = record[kind]["lines"]
    return [
        (round(e / 1000, 6), i * n)
        for e, i, n in zip(got["energies"], got["intensities"], got["norms"], strict=True)
        if i * n > 0
    ]


def shape_of(name: str, kev: float) -> BetaShape:
    for nuclide, at, order, _ in UNIQUE:
        if nuclide == name and abs(at - kev) < 6:
            return BetaShape(f"unique {order}")
    return BetaShape.ALLOWED


def split_capture(name: str, branches: Lines, positrons: float) -> tuple[Lines, Lines, float]:
    """Split branches of capture into capture and positrons (by capture energy); return also the factor."""
    z, a, _ = parts(name)
    ratio = np.array([capture_to_positron(kev, z, a, shape_of(name, kev)) for kev, _ in branches])
    total = np.array([share for _, share in branches])
    open_share = float(total[ratio > 0].sum()) if len(total) else 0.0
    if positrons <= 0 or open_share <= 0:
        return branches, [], float("nan")
    if positrons >= open_share:
        factor = 1e6
    else:
        factor = float(
            brentq(lambda f: float((total * f * ratio / (1 + f * ratio)).sum()) - positrons, 1e-4, 1e6)
        )
    plus = total * factor * ratio / (1 + factor * ratio)
    capture = [(kev, share - p) for (kev, share), p in zip(branches, plus, strict=True)]
    return capture, [(kev, p) for (kev, _), p in zip(branches, plus, strict=True)], factor


def shell_energies(z: int) -> dict[str, float]:
    """Return binding energies by shell, keV; 0 where xraylib has none."""
    shells = ("K", "L1", "L2", "L3", "M1", "M2", "M3", "M4", "M5", "N1", "N2", "N3", "N4", "N5")
    found = {}
    for shell in shells:
        try:
            found[shell] = float(xraylib.EdgeEnergy(z, getattr(xraylib, f"{shell}_SHELL")))
        except ValueError:
            found[shell] = 0.0
    for letter in "MN":  # UKDD-12 converts in these with the mean of their subshells
        found[letter] = float(np.mean([v for k, v in found.items() if k.startswith(letter)]))
    return found


def auger(daughters: list[int], electrons: Lines, gammas: Lines, xrays: Lines) -> set[int]:
    """Return the indices of the Auger electrons.

    An electron in the window of K, L or M Auger electrons of a daughter is one unless a gamma ray minus a
    binding energy explains it; if one does, its yield decides (K: from the K X rays and the fluorescence
    yield). UKDD-12 gives M Auger electrons the energy of the M X rays.
    """
    chosen: set[int] = set()
    for z in daughters:
        edge = shell_energies(z)
        if not edge["K"]:
            continue
        k_yield = float(xraylib.FluorYield(z, xraylib.K_SHELL)) if z > 4 else 0.0
        k_photons = sum(y for kev, y in xrays if 0.75 * edge["K"] < kev <= edge["K"])
        k_expected = k_photons * (1 - k_yield) / k_yield if k_yield > 0 else np.inf
        l_edge = edge["L3"]
        windows = [
            ("K", edge["K"] - 2.3 * edge["L1"], edge["K"] - 0.9 * l_edge, k_expected, 1.6),
            ("L", 0.5 * l_edge, 1.02 * edge["L1"], 0.0, 0.0),
            ("M", 0.0, 1.02 * edge["M1"], 0.0, 0.0),
        ]
        for shell, low, high, expected, within in windows:
            free: list[int] = []
            explained: list[int] = []
            for i, (kev, _) in enumerate(electrons):
                if not low < kev <= high:
                    continue
                match = any(
                    abs(gamma - energy - kev) < 0.02 + 0.002 * gamma
                    for gamma, _ in gammas
                    for energy in edge.values()
                )
                same = any(abs(xray - kev) < 1e-4 for xray, _ in xrays)
                (explained if match and not same else free).append(i)
            chosen.update(free)
            if shell == "K" and not free and explained:
                best = min(explained, key=lambda i: abs(np.log(electrons[i][1] / max(expected, 1e-12))))
                if 1 / within < electrons[best][1] / max(expected, 1e-12) < within:
                    chosen.add(best)
            elif shell == "L" and not free and explained:
                chosen.add(max(explained, key=lambda i: electrons[i][1]))
    return chosen


def daughters_of(name: str, record: dict[str, Any], known: set[str]) -> list[tuple[str, str, float, str]]:
    z, a, isomer = parts(name)
    sums = {kind: sum(y for _, y in lines(record, kind)) for kind in ("alpha", "beta", "ec")}
    whole = sum(sums.values())
    source = f"{UKDD}: sum of the branches"
    if isomer:
        # what neither decays by alpha, beta nor capture goes to the ground state
        moves = [("IT", z, a, 1 - whole)]
    else:
        sums = {kind: value / whole for kind, value in sums.items()}
        moves = []
    moves += [
        ("alpha", z - 2, a - 4, sums["alpha"]),
        ("beta-", z + 1, a, sums["beta"]),
        ("EC/beta+", z - 1, a, sums["ec"]),
    ]
    rows = []
    for mode, dz, da, share in moves:
        if share < LEAST_FRACTION:
            continue
        ground, meta = f"{SYMBOLS[dz - 1]}-{da}", f"{SYMBOLS[dz - 1]}-{da}m"
        to_isomer = ISOMERS.get((name, meta), 0.0)
        if to_isomer:
            rows.append((meta, mode, to_isomer, source if name == "Cs-137" else ENDF))
        if ground in known and share - to_isomer >= LEAST_FRACTION:
            rows.append((ground, mode, share - to_isomer, ENDF if to_isomer else source))
    return rows


def write(name: str, header: dict[str, str], columns: list[str], rows: list[list[str]]) -> None:
    text = "".join(f"# {key}: {value}\n" for key, value in header.items())
    text += ",".join(columns) + "\n" + "".join(",".join(row) + "\n" for row in rows)
    (DATA / f"{name}.csv").write_text(text, encoding="utf-8")
    print(f"{name}.csv: {len(rows)} rows, {len(text) / 1000:.0f} kB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("ukdd", type=Path, help="lines_decay_2012.min.json of actigamma")
    source = json.loads(parser.parse_args().ukdd.read_text())
    names = sorted(NUCLIDES, key=parts)
    nuclide_rows, emission_rows, chain_rows = [], [], []
    for name in names:
        record = source[name.replace("-", "")]
        z, a, isomer = parts(name)
        xrays = lines(record, "x-ray")
        positrons = sum(y for kev, y in xrays if abs(kev - ANNIHILATION_KEV) < 0.1) / 2
        xrays = [line for line in xrays if abs(line[0] - ANNIHILATION_KEV) >= 0.1]
        gammas, electrons = lines(record, "gamma"), lines(record, "electron")
        capture, plus, factor = split_capture(name, lines(record, "ec"), positrons)
        if not plus:
            positrons = 0.0
        daughters = [z] if isomer else []
        daughters += [z + step for kind, step in (("beta", 1), ("ec", -1), ("alpha", -2)) if kind in record]
        atomic = auger(daughters, electrons, gammas, xrays)
        kinds: dict[str, Lines] = {
            "gamma": gammas,
            "x ray": xrays,
            "conversion": [line for i, line in enumerate(electrons) if i not in atomic],
            "auger": [line for i, line in enumerate(electrons) if i in atomic],
            "beta": lines(record, "beta"),
            "positron": [(kev - TWO_MASSES_KEV, y) for kev, y in plus if kev > TWO_MASSES_KEV],
            "alpha": lines(record, "alpha"),
            "capture": capture,
        }
        for kind, found in kinds.items():
            for kev, y in found:
                if y < LEAST_YIELD:
                    continue
                at = kev + TWO_MASSES_KEV if kind == "positron" else kev
                shape = shape_of(name, at).value if kind in ("beta", "positron") else ""
                emission_rows.append([name, kind, f"{kev:.7g}", f"{y:.5g}", shape])
        mean = {k: record[k]["mean_energy"] / 1000 if k in record else 0.0 for k in ("beta", "ec")}
        nuclide_rows.append(
            [name, str(z), str(a), f"{record['halflife']:.7g}", f"{mean['beta']:.6g}", f"{mean['ec']:.6g}"]
        )
        if plus:
            print(f"{name}: positrons {positrons:.4f}, theory scaled by {factor:.3f}")
        for daughter, mode, share, origin in daughters_of(name, record, set(names)):
            chain_rows.append([name, daughter, mode, f"{share:.6g}", f'"{origin}"'])
    write(
        "nuclides",
        {
            "title": "Radionuclides of medicine and of their decay chains",
            "source": f"{UKDD}; made by scripts/make_nuclides.py",
            "unit": "half_life_s s; mean energies of all betas and of all positrons, keV per decay, as "
            "UKDD-12 states them",
            "licence": LICENCE,
        },
        ["nuclide", "z", "a", "half_life_s", "beta_kev_per_decay", "positron_kev_per_decay"],
        nuclide_rows,
    )
    write(
        "nuclide_emissions",
        {
            "title": "What radionuclides emit, per decay",
            "source": f"{UKDD}; made by scripts/make_nuclides.py, which splits captures from positrons and "
            "Auger from conversion electrons and names the unique forbidden branches "
            "(spins as ENSDF is known to have them: ASSUMPTION)",
            "unit": "energy_kev keV: line energy; endpoint of a beta or positron branch; Q minus level "
            "energy of a capture; per_decay particles per decay",
            "note": f"yields below {LEAST_YIELD:g} per decay are left out; annihilation photons are twice "
            "the positrons and not listed",
            "licence": LICENCE,
        },
        ["nuclide", "kind", "energy_kev", "per_decay", "shape"],
        emission_rows,
    )
    write(
        "nuclide_chains",
        {
            "title": "Radioactive daughters and branching fractions",
            "source": "per row, column source",
            "unit": "fraction of the decays of the parent",
            "note": "daughters that are stable or not in matter/nuclides are left out, and fractions below "
            f"{LEAST_FRACTION:g}",
            "licence": "UKDD-12: Apache-2.0 as matter/nuclides; ENDF/B-VIII.0: facts, cited",
        },
        ["parent", "daughter", "mode", "fraction", "source"],
        chain_rows,
    )


if __name__ == "__main__":
    main()
