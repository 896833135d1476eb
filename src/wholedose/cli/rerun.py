"""``wholedose rerun``."""

from __future__ import annotations

import sys
from pathlib import Path

import click


@click.command()
@click.argument("result", type=click.Path(path_type=Path))
@click.option("--input", "moved", type=click.Path(path_type=Path), help="Where the study lies now.")
@click.option("--workers", type=click.IntRange(1), help="Threads; never changes the result.")
@click.option("--quiet", is_flag=True, help="No progress.")
def rerun(result: Path, moved: Path | None, workers: int | None, quiet: bool) -> None:
    """Compute a result again from its own record and compare the digests.

    RESULT is a result.json or its folder. Exit status 0 when the digests are equal, 1 when they are not.
    """
    from dataclasses import replace

    from wholedose.base import Provenance, ThreadExecutor, reading_record
    from wholedose.cli.progress import progress_line
    from wholedose.jobs import CtRequest, run_ct
    from wholedose.jobs.ct import replay
    from wholedose.report.bundle import load_result

    data = load_result(result)
    with reading_record("The result is incomplete", where=str(result), way_out="Compute it again."):
        request = replay(CtRequest.from_json(data["request"]), Provenance.from_json(data["provenance"]))
        theirs = data["digest"]
    if moved is not None:
        request = replace(request, input=str(moved.resolve()))
    with progress_line(quiet) as progress:
        outcome = run_ct(request, executor=ThreadExecutor(workers), progress=progress)
    ours = outcome.dose.digest()
    click.echo(f"recorded {theirs}")
    click.echo(f"again    {ours}")
    if ours != theirs:
        then, now = data["provenance"], outcome.dose.provenance.to_json()
        for key in ("software", "tables", "inputs"):
            if then[key] != now[key]:
                click.echo(f"differs: {key}: {then[key]} → {now[key]}")
        click.echo("The results differ.")
        sys.exit(1)
    click.echo("The results are equal.")
