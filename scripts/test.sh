#!/bin/sh
# Sets everything up and runs all tests; further arguments go to pytest.
set -eu
cd "$(dirname "$0")/.."
sh scripts/setup.sh dev
marks="not slow"
[ -d "${WHOLEDOSE_SHARED:-../shared}/reference" ] || marks="$marks and not shared"
exec .venv/bin/python -m pytest -q -m "$marks" "$@"
