#!/bin/sh
# Sets everything up and runs the main job on a simulated full-size chest CT; results in out/demo/.
set -eu
cd "$(dirname "$0")/.."
sh scripts/setup.sh run
exec .venv/bin/wholedose demo --out out/demo
