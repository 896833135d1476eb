#!/bin/sh
# Builds the documentation into site/, warnings are errors.
set -eu
cd "$(dirname "$0")/.."
sh scripts/setup.sh dev
NO_MKDOCS_2_WARNING=1 DISABLE_MKDOCS_2_WARNING=true exec .venv/bin/mkdocs build --strict --quiet --site-dir site
