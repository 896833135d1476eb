#!/bin/sh
# Runs all published cases (needs the reference data in ../shared) and the slow tests; writes
# validation-results.json and docs/validation.md.
set -eu
cd "$(dirname "$0")/.."
sh scripts/setup.sh dev
.venv/bin/wholedose validate --results validation-results.json --page docs/validation.md
exec .venv/bin/python -m pytest -q -m "slow" "$@"
