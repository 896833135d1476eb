#!/bin/sh
# Runs the benchmarks side by side with the peer code and writes benchmarks/results/.
set -eu
cd "$(dirname "$0")/.."
sh scripts/setup.sh dev
for problem in A B C; do
  .venv/bin/python benchmarks/transport.py --problem "$problem" --json > "benchmarks/results/transport-$problem.json.part"
  mv "benchmarks/results/transport-$problem.json.part" "benchmarks/results/transport-$problem.json"
  cat "benchmarks/results/transport-$problem.json"
done
.venv/bin/python benchmarks/bodies.py --json > benchmarks/results/bodies.json.part
mv benchmarks/results/bodies.json.part benchmarks/results/bodies.json
cat benchmarks/results/bodies.json
