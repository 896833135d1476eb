"""``wholedose read PATH``."""

from __future__ import annotations

import json
from pathlib import Path

import click


@click.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print the machine-readable form (format 1).")
def read(path: Path, as_json: bool) -> None:
    """Say what a file or folder holds.

    Dose reports, image series, single images: each quantity is printed with its value, unit, the code under
    which it stands in the file, and a tag: extracted, derived or assumed. Exit status 2 when nothing is
    recognised.
    """
    from wholedose import records

    found = records.describe(path)
    click.echo(json.dumps(found, indent=1, ensure_ascii=False) if as_json else records.describe_text(found))
