# Specular. A fresh machine needs Python 3.11 or newer and make; everything else is fetched here.
#   make demo    watch a real build       make test    what CI runs       make help    the rest

PYTHON ?= python3
JOBS ?= 2

UV := .uv/bin/uv
BIN := .venv/bin
# uv trusts its own certificates first; behind a proxy that has others, those of the system.
SYNC := $(UV) sync --frozen --quiet --compile-bytecode
# Compiled ahead of time, because where Python may not write (PYTHONDONTWRITEBYTECODE) every start would compile anew.
COMPILE := $(BIN)/python -m compileall -q specular_tui
export UV_PYTHON := $(PYTHON)

.DEFAULT_GOAL := help
.PHONY: help demo test unit setup lint ruff format-check mypy imports format snapshots bench dist clean distclean

help: ## This list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: .venv/.synced ## Set up and run the demo build: in the TUI on a terminal, as lines elsewhere
	@$(BIN)/specular demo

test: setup lint unit ## Set up, then lint, type-check and test

setup: .venv/.synced-dev ## The development environment, and the tools that some tests use
	@.ci/setup

lint: ruff format-check mypy imports ## ruff, formatting, mypy and the import contracts

ruff: .venv/.synced-dev
	$(BIN)/ruff check .

format-check: .venv/.synced-dev
	$(BIN)/ruff format --check .

mypy: .venv/.synced-dev
	$(BIN)/mypy

imports: .venv/.synced-dev
	$(BIN)/lint-imports --no-logo

unit: .venv/.synced-dev
	$(BIN)/pytest -n $(JOBS) --dist loadgroup

format: .venv/.synced-dev ## Format the code and sort the imports
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

snapshots: .venv/.synced-dev ## Paint the golden SVGs of the screens again
	$(BIN)/pytest tests/tui --snapshot-update

bench: .venv/.synced-dev ## Measure
	@$(COMPILE)
	$(BIN)/python -m tests.benchmarks

dist: $(UV) ## Wheel and sdist, in dist/
	$(UV) build

clean: ## Remove caches and what was built
	rm -rf build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find specular_tui tests -name __pycache__ -type d -prune -exec rm -rf {} +

distclean: clean ## Remove the environments too
	rm -rf .venv .uv .cache

# Running the app needs no development tools; --inexact leaves them where they are.
.venv/.synced: uv.lock pyproject.toml | $(UV)
	$(SYNC) --no-dev --inexact || $(SYNC) --no-dev --inexact --system-certs
	$(COMPILE)
	@touch $@

.venv/.synced-dev: uv.lock pyproject.toml | $(UV)
	$(SYNC) --extra serve || $(SYNC) --extra serve --system-certs
	$(COMPILE)
	@touch .venv/.synced $@

$(UV):
	@PYTHON='$(PYTHON)' .ci/uv
