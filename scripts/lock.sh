#!/bin/sh
# Locks the versions of all dependencies with hashes and without the name of any index.
set -eu
cd "$(dirname "$0")/.."
uv=.venv/bin/uv
[ -x $uv ] || .venv/bin/python -m pip install --quiet "uv==$(cat scripts/uv-version)"
opts="--universal --python-version 3.11 --no-emit-index-url --no-header --generate-hashes --quiet"
$uv pip compile $opts pyproject.toml --group build-backend -o requirements.lock "$@"
$uv pip compile $opts pyproject.toml --group build-backend --group dev -c requirements.lock -o requirements-dev.lock "$@"
