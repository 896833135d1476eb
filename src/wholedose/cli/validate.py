"""``wholedose validate``."""

from __future__ import annotations

import json
import os
from pathlib import Path

import click


def reference_folder() -> Path | None:
    """Return the folder of reference data: WHOLEDOSE_SHARED, or ``shared`` beside the working folder."""
    named = os.environ.get("WHOLEDOSE_SHARED")
    for candidate in [Path(named)] if named else [Path("../shared"), Path("shared")]:
        if (candidate / "reference").is_dir():
            return (candidate / "reference").resolve()
    return None


@click.command()
@click.argument("suite", required=False)
@click.option("--file", "file", type=click.Path(path_type=Path), help="Compute the rows of this CSV instead.")
@click.option("--case", "case", help="tg195: 1, 2, 3, 4.1, 4.2 or 5.")
@click.option("--mode", help="tg195: radiography, tomosynthesis, '10mm collimation', an angle, Continuous …")
@click.option("--spectrum", help="tg195: such as '120 kVp' or '56.4 keV'.")
@click.option(
    "--seconds", type=click.FloatRange(0.5, 3600), default=10.0, show_default=True, help="Time to run."
)
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print rows as JSON.")
@click.option("--results", type=click.Path(path_type=Path), help="Write validation-results.json here.")
@click.option(
    "--page", "page_path", type=click.Path(path_type=Path), help="Write the documentation page here."
)
@click.option("--list", "list_only", is_flag=True, help="List the suites.")
def validate(
    suite: str | None,
    file: Path | None,
    case: str | None,
    mode: str | None,
    spectrum: str | None,
    seconds: float,
    seed: int,
    as_json: bool,
    results: Path | None,
    page_path: Path | None,
    list_only: bool,
) -> None:
    """Run the published cases and compare, or compute cases of your own.

    Without SUITE all suites run. With --case the case is computed for the given mode and spectrum, also for
    such as are not published. With --file the rows of a CSV of the suite's columns are computed.
    """
    from wholedose.base import InvalidInput, write_atomically
    from wholedose.validation import results as output
    from wholedose.validation import suites

    if list_only:
        for known in [*suites.SUITES.values()]:
            click.echo(f"{known.name:<32}{known.title}")
        for by_file in suites.FILE_SUITES.values():
            click.echo(f"{by_file.name:<32}by file (--file): {', '.join(by_file.columns)}")
        return
    if file is not None:
        if suite is None:
            raise InvalidInput("Which suite reads the file?", where="--file", way_out="Name it: see --list.")
        computed = suites.file_suite(suite).compute(file)
        click.echo(json.dumps(computed, indent=1) if as_json else _table(computed))
        return
    if case is not None:
        if suite != "tg195":
            raise InvalidInput("--case belongs to the suite tg195.", where="--case")
        from wholedose.validation import tg195

        rows = tg195.compute(
            case, mode=mode, spectrum=spectrum, seconds=seconds, seed=seed, reference=reference_folder()
        )
        click.echo(json.dumps(rows, indent=1) if as_json else "\n".join(json.dumps(row) for row in rows))
        return
    names = [suites.suite(suite).name] if suite else list(suites.SUITES)
    compared = suites.run_all(names, reference_folder(), lambda text: click.echo(text, err=True))
    if results is not None:
        write_atomically(results, output.to_json(compared))
    if page_path is not None:
        write_atomically(page_path, output.page(compared))
    passed, count = suites.count_passed(compared)
    if as_json:
        click.echo(output.to_json(compared), nl=False)
    else:
        for row in compared:
            if not row.passed:
                line = f"{row.value:.5g} ± {row.u:.2g}, reference {row.reference:.5g}; {row.tolerance}"
                click.echo(f"outside: {row.suite} {row.case} {row.quantity}: {line}")
        click.echo(f"{passed} of {count} quantities are inside their tolerance.")


def _table(computed: list[dict[str, object]]) -> str:
    return "\n".join(json.dumps({key: row[key] for key in ("ours", "u", "reason")}) for row in computed)
