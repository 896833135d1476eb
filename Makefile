# Thin on purpose: each target calls a script that also works where make is missing.
.PHONY: run test quick check docs bench validate lock setup wheel
run:      ; @sh scripts/run.sh
test:     ; @sh scripts/test.sh
quick:    ; @sh scripts/quick.sh
check:    ; @sh scripts/check.sh
docs:     ; @sh scripts/docs.sh
bench:    ; @sh scripts/bench.sh
validate: ; @sh scripts/validate.sh
lock:     ; @sh scripts/lock.sh
setup:    ; @sh scripts/setup.sh dev
wheel:    ; @sh scripts/setup.sh dev && .venv/bin/python -m build --wheel --no-isolation
