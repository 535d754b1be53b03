# Windowshop: every task a person or CI runs. `make` alone prints this list.
SHELL := /bin/bash
HOME_DIR ?= var/shop
DATA ?= ../shared/data
PORT ?= 8000
PY := .venv/bin/python
ACCELERATOR := $(shell command -v nvidia-smi >/dev/null 2>&1 && nvidia-smi -L >/dev/null 2>&1 && echo gpu || echo cpu)

export OMP_NUM_THREADS ?= 2
export TOKENIZERS_PARALLELISM ?= false

help: ## print this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

setup: .venv/.ready ## make .venv with everything in it (does nothing when nothing changed)

.venv/.ready: pyproject.toml
	@test -x $(PY) || python3 -m venv .venv
	@echo "Installing Windowshop and what it stands on into .venv ($(ACCELERATOR)); the first time takes some minutes."
	@.venv/bin/pip install --quiet --disable-pip-version-check -e '.[$(ACCELERATOR),dev]'
	@touch .venv/.ready

test: setup ## run the tests (no network needed; under 10 minutes on 2 cores)
	@$(PY) -m pytest

lint: setup ## ruff and mypy
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .
	@.venv/bin/mypy

index: setup ## index a feed: make index FEED=path/to/products.csv
	@test -n "$(FEED)" || { echo "Which feed? Try: make index FEED=../shared/data/fashion/products.csv"; exit 2; }
	@$(PY) -m indexer build --home $(HOME_DIR) --feed "$(FEED)"

serve: setup ## serve the indexed shop on http://127.0.0.1:8000 (PORT=... to change)
	@$(PY) -m web serve --home $(HOME_DIR) --port $(PORT)

starter: setup ## train the starter's heads again from DATA=../shared/data
	@$(PY) -m indexer starter --data "$(DATA)"

bench: setup ## measure speed against bare forward passes, in one run
	@$(PY) -m tests.bench --data "$(DATA)"

eval: setup ## measure quality on DATA=../shared/data
	@$(PY) -m tests.quality --data "$(DATA)"

.PHONY: help setup test lint index serve starter bench eval
