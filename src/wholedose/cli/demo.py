"""``wholedose demo``."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.option("--out", type=click.Path(path_type=Path), default=Path("out/demo"), show_default=True)
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True)
@click.option("--quiet", is_flag=True, help="No progress.")
def demo(out: Path, seed: int, quiet: bool) -> None:
    """Simulate a chest CT study and run the whole chain on it.

    Writes the study beside the result: OUT-study holds a CT series with tube current modulation and its dose
    report, made by this program; no patient is shown. OUT holds the result.
    """
    from wholedose.base import InvalidInput, write_folder_atomically
    from wholedose.body import Person
    from wholedose.cli.ct import summary
    from wholedose.cli.progress import progress_line
    from wholedose.jobs import CtRequest, run_ct
    from wholedose.report.bundle import check_target, save_bundle
    from wholedose.synthetic import simulate_study

    check_target(out)
    study = out.resolve().with_name(out.resolve().name + "-study")
    if study.exists() and not (study / "truth.json").is_file():
        raise InvalidInput(
            "The place for the simulated study holds something else.",
            where=str(study),
            way_out="Give another --out: the study goes beside it, into OUT-study.",
        )
    with progress_line(quiet) as progress:
        progress(0.0, "simulating a chest CT study")
        with write_folder_atomically(study) as room:
            simulate_study(room, Person(sex="F", age_y=34, height_cm=168, weight_kg=61), seed=seed)
        outcome = run_ct(CtRequest(input=str(study.resolve()), seed=seed, target=0.02), progress=progress)
    save_bundle(outcome, out)
    click.echo(summary(outcome, out))
    click.echo(f"\nThe simulated study lies in {study}. Open {out / 'report.html'} in a browser.")
    click.echo("Your own study: wholedose ct estimate STUDY/ --out RESULT/")
