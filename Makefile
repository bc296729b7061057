# Two commands do all: `make serve` and `make test`. They need Python 3.11+, make and a package registry.
PYTHON ?= python3
HOST ?= 127.0.0.1
PORT ?= 8000
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.PHONY: serve test lint fuzz bench docs lock install clean

serve: .venv/installed
	$(BIN)/adfontes rebuild --if-missing
	$(BIN)/adfontes serve --host $(HOST) --port $(PORT)

test: .venv/installed-dev lint
	$(BIN)/python -m pytest

lint: .venv/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# Every endpoint fuzzed from its description, thousands of cases (minutes); the suite runs a few of each.
fuzz: .venv/installed-dev
	ADFONTES_FUZZ_CASES=100 $(BIN)/python -m pytest tests/service/test_fuzz.py

# Ad Fontes and its peers side by side, the peers in an environment of their own (about 2 GB, twenty minutes).
PEERS := benchmarks/peers/.venv
bench: .venv/installed-dev $(PEERS)/installed
	$(BIN)/python -m benchmarks.peers --peers $(PEERS)/bin/python

$(PEERS)/installed: benchmarks/peers/requirements.txt
	test -x $(PEERS)/bin/python || $(PYTHON) -m venv $(PEERS)
	$(PEERS)/bin/python -m pip install --quiet --disable-pip-version-check -r benchmarks/peers/requirements.txt
	touch $@

# What the documentation says by itself: settings, commands, HTTP reference.
docs: .venv/installed-dev
	$(BIN)/python docs/generate.py

# The exact versions that are installed, for every system and Python that pyproject.toml allows, with the hashes of their
# files; what is listed stays as it is until `make lock UPGRADE=--upgrade`. Without torch and what its CUDA builds bring:
# pyproject.toml pins it, and which build of it is installed is the index's and the machine's affair.
LOCK = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header $(UPGRADE)
TORCH := ^(torch|triton|cuda-|nvidia-)
lock:
	$(PIP) uv
	$(LOCK) pyproject.toml --output-file requirements.txt
	awk '/^[^ #]/ { drop = /$(TORCH)/ } !drop' requirements.txt > requirements.tmp && mv requirements.tmp requirements.txt
	$(LOCK) pyproject.toml --extra dev --extra multilingual --extra local-model -c requirements.txt --output-file requirements-dev.txt
	awk 'NR == FNR { has[$$1]; next } /^[^ #]/ { drop = /$(TORCH)/ || $$1 in has } !drop' requirements.txt requirements-dev.txt > requirements.tmp && mv requirements.tmp requirements-dev.txt

install: .venv/installed

# First what is locked, each file by its hash; then Ad Fontes itself, which asks for nothing more than torch.
# The stamp is newer than what it was made from only after a complete install, so an interrupted one is done again.
.venv/installed: pyproject.toml requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Ad Fontes needs Python 3.11 or newer: $$($(PYTHON) --version) found; name another with make PYTHON=python3.12"; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(PIP) --no-deps --require-hashes -r requirements.txt
	$(PIP) --no-build-isolation -e .
	touch $@

.venv/installed-dev: .venv/installed requirements-dev.txt
	$(PIP) --no-deps --require-hashes -r requirements-dev.txt
	$(PIP) --no-build-isolation -e '.[dev,multilingual,local-model]'
	touch $@

clean:
	rm -rf .venv $(PEERS) build *.egg-info
