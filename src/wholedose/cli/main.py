"""The group of commands, loaded one by one when called. Defines `main`."""

from __future__ import annotations

import importlib
import sys
from typing import Any

import click

from wholedose._version import __version__
from wholedose.base.errors import WholedoseError

# command: (module, attribute, one line of help)
COMMANDS = {
    "read": ("wholedose.cli.read", "read", "Say what a file or folder holds, each quantity with its tag."),
    "ct": ("wholedose.cli.ct", "ct", "CT: organ doses, effective dose, risk and documents of a study."),
    "body": ("wholedose.cli.body", "body", "Whole bodies: contact sheets, poses and organs."),
    "demo": ("wholedose.cli.demo", "demo", "Simulate a chest CT study and run the whole chain on it."),
    "report": ("wholedose.cli.report", "report", "Write a document again from a result folder."),
    "rerun": ("wholedose.cli.rerun", "rerun", "Compute a result again and compare its digest."),
    "validate": (
        "wholedose.cli.validate",
        "validate",
        "Run the published cases, or compute a file of cases.",
    ),
}


class LazyGroup(click.Group):
    """A group that imports a command's module only when that command is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return a command."""
        if cmd_name not in COMMANDS:
            return None
        module, attribute, _ = COMMANDS[cmd_name]
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, _, text) in COMMANDS.items()])


@click.group(
    cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(__version__, prog_name="wholedose")
def cli() -> None:
    """Radiation doses of medicine: computed for the person, added up, turned into risk and words.

    For research and quality assurance; not a medical device.
    """


def main(arguments: list[str] | None = None) -> Any:
    """Run the command line; our own errors end with one sentence and exit status 2."""
    try:
        return cli.main(args=arguments, prog_name="wholedose", standalone_mode=True)
    except WholedoseError as error:
        click.echo(f"wholedose: {error}", err=True)
        sys.exit(2)
    except BrokenPipeError:
        sys.exit(0)
