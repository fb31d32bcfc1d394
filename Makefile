# The two commands that matter: `make run` and `make test`. `make help` lists the rest.
# Everything is installed into .venv; nothing outside the clone is touched except by `make services`.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.PHONY: help install dev run test services check bench oracle crash clean

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install -qq
WORKERS ?= 2
PYTEST_ARGS ?=

help: ## List the targets.
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 20

$(BIN)/python:
	@echo "gridhall: making a virtual environment in $(VENV)"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "gridhall: needs Python 3.11 or newer; say which with: make PYTHON=/path/to/python3"; exit 1; }
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.base: pyproject.toml | $(BIN)/python
	@echo "gridhall: installing the twin and what it needs (about a minute the first time)"
	@$(PIP) --editable .
	@touch $@

$(VENV)/.dev: pyproject.toml | $(BIN)/python
	@echo "gridhall: installing the tools for tests and checks"
	@$(PIP) --editable '.[dev]'
	@command -v node >/dev/null || $(PIP) 'pyright[nodejs]'  # pyright runs on node: bring one where there is none
	@touch $(VENV)/.base $@

install: $(VENV)/.base ## Install Gridhall into .venv.

dev: $(VENV)/.dev ## Install Gridhall and the tools for tests and checks into .venv.

run: ## Simulate the UK fleet's build-out year, then a real trace where one is present.
	@echo "gridhall: a year of the UK's announced AI fleet, then a real trace where one is present"
	@$(MAKE) --no-print-directory install
	@examples/run.sh $(BIN)/gridhall

test: ## Run every test that this machine can run and list what was skipped.
	@echo "gridhall: tests on $(WORKERS) processes"
	@$(MAKE) --no-print-directory dev
	@$(BIN)/python -m pytest -n $(WORKERS) -rs $(PYTEST_ARGS)

SLURM := slurm-wlm slurmctld slurmd slurmrestd munge slurm-client slurm-wlm-basic-plugins slurm-wlm-jwt-plugin
# systemd: only for systemd-analyze, which checks the unit file.
PACKAGES := $(SLURM) systemd

services: ## Install the Debian packages that live tests use (Slurm, munge, systemd-analyze); needs root.
	@if dpkg -s $(PACKAGES) >/dev/null 2>&1; then \
	  echo "gridhall: Slurm, munge and systemd-analyze are installed"; \
	elif ! command -v apt-get >/dev/null; then \
	  echo "gridhall: this machine has no apt-get: install Slurm 22.05 with slurmrestd, and munge, in its own way"; exit 1; \
	elif [ "$$(id -u)" != 0 ]; then \
	  echo "gridhall: installing Slurm needs root: run this as root (sudo make services)"; exit 1; \
	else \
	  echo "gridhall: installing Slurm, munge and systemd-analyze (about half a minute)"; \
	  apt-get update -qq; \
	  DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends $(PACKAGES); \
	fi

check: $(VENV)/.dev ## Lint, formatting, types, import rules, examples in the docs.
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/pyright
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/python -m pytest tests/docs tests/house

bench: $(VENV)/.dev ## Run every benchmark; each prints one JSON object as its last line.
	@$(BIN)/python -m benchmarks

oracle: $(VENV)/.dev ## Compare the compiled step with the slow reference on 100,000 random cases.
	@GRIDHALL_ORACLE_CASES=$${GRIDHALL_ORACLE_CASES:-100000} $(BIN)/python -m pytest -n $(WORKERS) tests/oracle

crash: $(VENV)/.dev ## Kill the controller a thousand times under load, and the whole server a hundred times.
	@GRIDHALL_CRASHES=$${GRIDHALL_CRASHES:-1000} $(BIN)/python -m pytest tests/e2e/test_crash.py

clean: ## Remove .venv, caches and runs.
	@rm -rf $(VENV) .pytest_cache .ruff_cache .hypothesis .import_linter_cache runs
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
