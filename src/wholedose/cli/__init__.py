"""The command line. Defines `main`; each command lives in its own module and loads only what it needs."""

from wholedose.cli.main import main

__all__ = ["main"]
