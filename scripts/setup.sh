#!/bin/sh
# Makes .venv beside this checkout and installs wholedose into it, from the locked versions.
# Usage: scripts/setup.sh [run|dev]   (run: what the product needs; dev: also tests, checks and docs)
# Any package index serves: settings of pip are handed to uv, and the locks name no host.
set -eu
cd "$(dirname "$0")/.."
group=${1:-run}
case $group in
  run) lock=requirements.lock ;;
  dev) lock=requirements-dev.lock ;;
  *) echo "setup: unknown group '$group'; use run or dev" >&2; exit 2 ;;
esac
python=${PYTHON:-python3}
if ! command -v "$python" >/dev/null 2>&1; then
  echo "setup: there is no $python; install Python 3.11 or later (Debian: apt-get install python3 python3-venv)" >&2
  exit 1
fi
"$python" - <<'PY' || exit 1
import sys
if sys.version_info < (3, 11):
    sys.exit(f"setup: Python {sys.version.split()[0]} is too old; wholedose needs 3.11 or later")
PY
if [ ! -x .venv/bin/python ]; then
  "$python" -m venv .venv || { echo "setup: no venv module (Debian: apt-get install python3-venv)" >&2; rm -rf .venv; exit 1; }
fi
stamp=.venv/.wholedose-$group
want=$(cat "$lock" pyproject.toml scripts/setup.sh | sha256sum | cut -d' ' -f1)
[ -f "$stamp" ] && [ "$(cat "$stamp")" = "$want" ] && exit 0
uv=.venv/bin/uv
[ -x $uv ] || .venv/bin/python -m pip install --quiet --disable-pip-version-check "uv==$(cat scripts/uv-version)"
if [ -z "${UV_DEFAULT_INDEX:-}${UV_INDEX_URL:-}" ]; then
  index=${PIP_INDEX_URL:-$(.venv/bin/python -m pip config get global.index-url 2>/dev/null || true)}
  [ -z "$index" ] || { UV_DEFAULT_INDEX=$index; export UV_DEFAULT_INDEX; }
fi
if [ -z "${SSL_CERT_FILE:-}" ] && [ -n "${PIP_CERT:-}" ] && [ -f "${PIP_CERT}" ]; then
  SSL_CERT_FILE=$PIP_CERT; export SSL_CERT_FILE
fi
UV_HTTP_TIMEOUT=${UV_HTTP_TIMEOUT:-180}; export UV_HTTP_TIMEOUT
$uv pip install --quiet --python .venv/bin/python --require-hashes -r "$lock"
$uv pip install --quiet --python .venv/bin/python --no-deps --no-build-isolation -e .
printf '%s' "$want" > "$stamp"
