#!/bin/sh
# Sets everything up and runs all tests; further arguments go to pytest.
set -eu
cd "$(dirname "$0")/.."
sh scripts/setup.sh dev
# DICOM's own checkers; without them (no root, no network) the tests of conformance are skipped
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1 && ! command -v dciodvfy >/dev/null 2>&1; then
  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq dcmtk dicom3tools; } >/dev/null 2>&1 \
    || echo "test: dcmtk and dicom3tools could not be installed; their tests are skipped" >&2
fi
marks="not slow"
[ -d "${WHOLEDOSE_SHARED:-../shared}/reference" ] || marks="$marks and not shared"
# each worker takes up to 2.5 GB
workers=$(nproc 2>/dev/null || echo 2)
[ "$workers" -le 4 ] || workers=4
# neighbours stay together, so costly fixtures of a module are made once or twice; who is done takes from the others
exec .venv/bin/python -m pytest -q -n "$workers" --dist worksteal -m "$marks" "$@"
