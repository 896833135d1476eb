"""``wholedose ct estimate``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click


@click.group()
def ct() -> None:
    """CT: organ doses, effective dose, risk and documents of a study."""


@ct.command()
@click.argument("input", type=click.Path(path_type=Path))
@click.option("--out", "out", required=True, type=click.Path(path_type=Path), help="Folder for the result.")
@click.option(
    "--seed", type=click.IntRange(0), default=1, show_default=True, help="Seed of all random numbers."
)
@click.option("--labels", type=click.Path(path_type=Path), help="Label map: NIfTI, DICOM SEG or RTSTRUCT.")
@click.option(
    "--label-names",
    help="Names of the labels: a JSON of numbers and names, or totalsegmentator_v1 | totalsegmentator_v2.",
)
@click.option("--series", help="Which series, where there are several: UID, number or description.")
@click.option("--sex", type=click.Choice(["F", "M"]), help="Sex of the reference anatomy and risk.")
@click.option("--age", "age_y", type=float, help="Age in years.")
@click.option("--height-cm", type=float, help="Body height.")
@click.option("--weight-kg", type=float, help="Body weight.")
@click.option("--kv", type=float, help="Tube voltage in kV.")
@click.option("--ctdivol", "ctdivol_mgy", type=float, help="CTDIvol in mGy, as the scanner displays it.")
@click.option("--phantom", "phantom_cm", type=int, help="CTDI phantom: 16 or 32 (cm).")
@click.option("--dlp", "dlp_mgy_cm", type=float, help="Dose-length product in mGy cm.")
@click.option("--collimation-mm", type=float, help="Total nominal beam width at the isocentre.")
@click.option("--pitch", type=float, help="Pitch factor.")
@click.option("--region", help="Where on the body an image without landmarks lies: head, chest, abdomen …")
@click.option("--population", help="Baseline rates of the risk models.")
@click.option(
    "--voxel-mm", type=click.FloatRange(1.0, 6.0), default=3.0, show_default=True, help="Voxel size."
)
@click.option(
    "--target",
    type=click.FloatRange(0.001, 0.5),
    default=0.01,
    show_default=True,
    help="Statistical uncertainty asked of organs in the scan.",
)
@click.option(
    "--outside",
    type=click.FloatRange(0.005, 0.5),
    help="Statistical uncertainty asked of all other organs; photons are then sent where they are needed.",
)
@click.option("--seconds", type=click.FloatRange(0.1), help="Time limit of the simulation.")
@click.option("--workers", type=click.IntRange(1), help="Threads; never changes the result.")
@click.option("--quiet", is_flag=True, help="No progress.")
def estimate(input: Path, out: Path, workers: int | None, quiet: bool, **values: Any) -> None:
    """Estimate the dose of a CT study.

    INPUT is a study folder (CT images and, where there is one, the dose report) or a NIfTI volume in HU.
    Typed values override what the files say.
    """
    from wholedose.base import ThreadExecutor
    from wholedose.cli.progress import progress_line
    from wholedose.jobs import CtRequest, run_ct
    from wholedose.report.bundle import check_target, save_bundle

    check_target(out)
    paths: dict[str, Any] = {key: _place(values[key]) for key in ("labels", "label_names") if values[key]}
    values = {key: value for key, value in values.items() if key not in ("labels", "label_names")}
    request = CtRequest(input=str(input.resolve()), **paths, **values)
    with progress_line(quiet) as progress:
        outcome = run_ct(request, executor=ThreadExecutor(workers), progress=progress)
    save_bundle(outcome, out)
    click.echo(summary(outcome, out))


def _place(value: str | Path) -> str:
    """Return a path in full, the name of a numbering as it is: a result must run again from anywhere."""
    from wholedose.body.labels import is_scheme

    if isinstance(value, str) and is_scheme(value) and not Path(value).is_file():
        return value
    return str(Path(value).resolve())


def summary(outcome: Any, out: Path) -> str:
    """Return what a user wants to see first, and where to look next."""
    from wholedose.report.bundle import FILES

    dose = outcome.dose
    lines = [f"{'organ':<22}{'dose':>9}{'u':>8}   in the scan"]
    lines += [
        f"{o.organ.replace('_', ' '):<22}{o.dose.value:>9.3g}{o.dose.u:>8.2g} mGy{o.in_scan:>8.0%}"
        for o in list(dose.organs.sorted().values())[:12]
    ]
    if dose.effective is not None:
        lines.append(f"effective dose        {dose.effective}")
    if dose.skin is not None:
        lines.append(f"highest skin dose     {dose.skin.peak.dose} over {dose.skin.peak.area_cm2:.3g} cm²")
    lines.append(f"CTDIvol {dose.ctdivol_mgy:.3g} mGy, DLP {dose.dlp_mgy_cm:.4g} mGy cm")
    lines.append("")
    warnings = [f"warning: {item.what}" for item in dose.checks if item.severity == "warning"]
    lines += [*warnings, ""] if warnings else []
    lines += [f"{out / name!s:<34} {what}" for name, what in FILES.items()]
    lines.append("For research and quality assurance; not a medical device.")
    return "\n".join(lines)
