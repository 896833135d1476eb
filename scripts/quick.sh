#!/bin/sh
# The contributor's loop: style, types, layers and the tests that take no Monte Carlo run. Under 90 s.
set -eu
cd "$(dirname "$0")/.."
sh scripts/setup.sh dev
.venv/bin/ruff check --quiet .
.venv/bin/ruff format --check --quiet .
.venv/bin/lint-imports --verbose >/dev/null || { .venv/bin/lint-imports; exit 1; }
.venv/bin/mypy
exec .venv/bin/python -m pytest -q -n auto -m "not slow and not shared and not montecarlo" "$@"
