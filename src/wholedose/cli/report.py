"""``wholedose report``."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("result", type=click.Path(path_type=Path))
@click.option(
    "--audience", type=click.Choice(["physicist", "patient"]), default="physicist", show_default=True
)
@click.option("--language", default="en", show_default=True)
@click.option("--out", type=click.Path(path_type=Path), help="File to write; standard output by default.")
@click.option("--sender", default="", help="For the letter: who sends it.")
@click.option("--contact", default="", help="For the letter: whom to ask.")
@click.option("--benefit", default="", help="For the letter: why the examination was made, in plain words.")
def report(
    result: Path, audience: str, language: str, out: Path | None, sender: str, contact: str, benefit: str
) -> None:
    """Write a document again from a result folder.

    RESULT is a result.json or its folder: the document is made from the recorded ledger and risk.
    """
    from wholedose.base import write_atomically
    from wholedose.report.again import build_again

    document = build_again(result, audience, language, sender=sender, contact=contact, benefit=benefit)
    if out is None:
        click.echo(document.html, nl=False)
    else:
        click.echo(write_atomically(out, document.html))
