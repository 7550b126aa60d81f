# `make demo` and `make test` do all of their set-up by themselves: Python 3.11 or later and make are enough.
#
#   make demo      train a tagger on the built-in corpus, tag a sentence, draw the graph
#   make test      run the tests            (make test ARGUMENTS="tests/inspect -x")
#   make check     tests, lint, types and import contracts
#   make pictures  draw the pictures of the documents again
#   make peers     install what the benchmarks compare with, each in an environment of its own (.venv-jax, ...)
#   make benchmark compare: ARGUMENTS="window ranking --quick" for a part
#   make clean     remove what the set-up made
#
# PYTHON=/path/to/python3.12 says which Python to use.

PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)

VENV := .venv
PEERS := $(patsubst benchmarks/peers/requirements/%.txt,%,$(wildcard benchmarks/peers/requirements/*.txt))
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet -c constraints.txt
ARGUMENTS ?=

.PHONY: help demo test lint types arrows check format pictures peers benchmark clean

help:
	@sed -n 's/^#   //p' Makefile

demo: $(VENV)/.ready
	$(BIN)/amigrad demo $(ARGUMENTS)

test: $(VENV)/.ready-to-test
	$(BIN)/python -m pytest -n auto $(ARGUMENTS)

lint: $(VENV)/.ready-to-test
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: $(VENV)/.ready-to-test
	$(BIN)/mypy

arrows: $(VENV)/.ready-to-test
	$(BIN)/lint-imports --no-cache

check: lint types arrows test

format: $(VENV)/.ready-to-test
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

pictures: $(VENV)/.ready
	$(BIN)/python docs/make_pictures.py

# One that cannot be installed is reported and left out
peers: $(VENV)/.ready
	@for peer in $(PEERS); do \
		$(MAKE) --no-print-directory .venv-$$peer/.ready || echo "Left out: $$peer could not be installed." >&2; \
	done
	@echo "Now: $(BIN)/python -m benchmarks"

benchmark: $(VENV)/.ready
	$(BIN)/python -m benchmarks $(ARGUMENTS)

clean:
	rm -rf $(VENV) $(PEERS:%=.venv-%) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

# The package and what it needs to run
$(VENV)/.ready: pyproject.toml constraints.txt
	@$(MAKE) --no-print-directory $(VENV)/.python
	@echo "Installing amigrad and what it needs into $(VENV) ..."
	@$(PIP) hatchling editables
	@$(PIP) --no-build-isolation --editable .
	@touch $@

# ... and what its tests and checks need
$(VENV)/.ready-to-test: $(VENV)/.ready
	@echo "Installing what the tests need into $(VENV) ..."
	@$(PIP) --no-build-isolation --editable '.[test,dev]'
	@touch $@

# A peer, in an environment of its own
.venv-%/.ready: benchmarks/peers/requirements/%.txt
	@echo "Installing $* into .venv-$* ..."
	@$(BIN)/python -m venv --clear .venv-$*
	@.venv-$*/bin/python -m pip --disable-pip-version-check install --quiet -r $<
	@touch $@

# A virtual environment, made anew unless there is a working one of a Python that is new enough
.PHONY: $(VENV)/.python
$(VENV)/.python:
	@$(BIN)/python -c 'import pip, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && exit 0; \
	if test -z "$(PYTHON)" || ! $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
		found=$$($(or $(PYTHON),python3) --version 2>&1 || true); \
		echo "amigrad needs Python 3.11 or later; $(or $(PYTHON),python3) here is: $${found:-missing}." >&2; \
		echo "Install one, or say where it is: make PYTHON=/path/to/python3.12 ..." >&2; \
		exit 1; \
	fi; \
	echo "Making a virtual environment in $(VENV) with $$($(PYTHON) --version) ..."; \
	$(PYTHON) -m venv --clear $(VENV) || { \
		echo "This Python cannot make virtual environments: its venv module is missing" >&2; \
		echo "(on Debian and Ubuntu it comes with the package python3-venv)." >&2; \
		exit 1; \
	}
