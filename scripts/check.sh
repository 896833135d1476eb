#!/bin/sh
# Style, types, layers, documentation and the house rules. Fails when any of them fails.
set -eu
cd "$(dirname "$0")/.."
sh scripts/setup.sh dev
echo "ruff";          .venv/bin/ruff check .
                      .venv/bin/ruff format --check --quiet .
echo "mypy";          .venv/bin/mypy
echo "layers";        .venv/bin/lint-imports
echo "house rules";   .venv/bin/python scripts/house.py
echo "documentation"; sh scripts/docs.sh
