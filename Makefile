# What a developer types. `make` alone prints the targets.
# Needs Python 3.11 or newer and make; everything else is installed into .venv, in the versions and with the hashes of requirements*.lock.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

VENV := .venv
BIN := $(VENV)/bin
PIP := PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_USER=0 $(BIN)/python -m pip install --quiet --no-deps
# Tests wait for sockets and databases as much as they compute: two workers a core.
JOBS ?= $(shell cores=$$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2); echo "$$((cores * 2))")
ARGS ?=
# Tests start the service some hundred times: what was compiled once need not be compiled again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo test check lint types imports spelling docs e2e bench format lock clean

help: ## print this list
	@sed -n 's/^\([a-z0-9]*\):.*## \(.*\)/  make \1\t\2/p' $(firstword $(MAKEFILE_LIST)) | expand -t 18

demo: $(BIN)/.installed ## run the whole service on live or sample posts; nothing is published
	@$(BIN)/plainsky demo $(ARGS)

test: $(BIN)/.dev ## run the test suite, SQLite and PostgreSQL
	@scripts/install-postgres || echo "make test: no PostgreSQL: its tests will be skipped" >&2
	$(BIN)/pytest -n $(JOBS) --dist worksteal $(ARGS)

check: lint types imports spelling docs ## lint, types, import contract, spelling, examples in the docs

lint: $(BIN)/.dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: $(BIN)/.dev
	$(BIN)/mypy

imports: $(BIN)/.dev
	$(BIN)/lint-imports --no-logo

spelling: $(BIN)/.dev
	$(BIN)/codespell

docs: $(BIN)/.dev
	$(if $(wildcard tests/test_docs*.py),$(BIN)/pytest $(wildcard tests/test_docs*.py))

e2e: $(BIN)/.dev ## run the end-to-end tests against a real network on this machine
	@tests/network/prepare.sh
	$(BIN)/pytest -m network tests/network $(ARGS)

bench: $(BIN)/.dev ## print each benchmark's ratio against its limit
	@for file in $$(grep -l __main__ benchmarks/*.py); do echo "$$file"; PYTHONPATH=. $(BIN)/python "$$file" || exit 1; done

format: $(BIN)/.dev ## put the code into the form that check asks for
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

# The locks name no registry host, so that a mirror serves as well as the original. Each holds the one before it:
# what the demo needs, what an operator may need (the container image), what a developer needs.
COMPILE = $(BIN)/uv pip compile pyproject.toml --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-header --group build $(ARGS)
lock: $(BIN)/.installed ## pin the dependencies anew (ARGS=--upgrade for the newest)
	@$(PIP) uv
	$(COMPILE) -o requirements.lock
	$(COMPILE) --extra postgres --constraint requirements.lock -o requirements-postgres.lock
	$(COMPILE) --extra postgres --group dev --constraint requirements.lock -o requirements-dev.lock

clean: ## remove the environment and every cache
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache build dist

# What the service needs, without PostgreSQL's driver: the demo's download is small.
$(BIN)/.locked: requirements.lock scripts/make-venv
	@scripts/make-venv $(VENV)
	@echo "Installing what requirements.lock lists into $(VENV) (about 13 MB, once) ..."
	@$(PIP) -r requirements.lock
	@touch $@

$(BIN)/.installed: $(BIN)/.locked pyproject.toml
	@$(PIP) --no-build-isolation --editable .
	@touch $@

$(BIN)/.dev: $(BIN)/.installed requirements-dev.lock
	@echo "Installing what requirements-dev.lock lists into $(VENV) (once) ..."
	@$(PIP) -r requirements-dev.lock
	@touch $@
