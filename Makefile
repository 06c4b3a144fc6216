# Five words (and a sixth for an hour of faults), no logic. Each makes .venv with everything in it when it is missing.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test check docs bench sweep

demo: .venv/ready
	$(BIN)/assay demo --out assay-demo

test: .venv/ready
	$(BIN)/pytest -n 2

check: .venv/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: .venv/ready
	$(BIN)/mkdocs build --strict

bench: .venv/ready
	$(BIN)/python -m benchmarks

sweep: .venv/ready
	$(BIN)/python tests/evaluation/test_crash_sweep.py

.venv/ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --constraint constraints.txt "pip>=25.1"
	$(BIN)/pip install --quiet --constraint constraints.txt --editable ".[all]" --group dev
	touch $@
