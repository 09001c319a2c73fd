# The one door: people, the hook and CI all come in here and never call the tools themselves.
#
#   make run          set everything up and serve;  make run ARGS="--port 9000"
#   make test         set up what the tests need and run them all;  make test ARGS="tests/domain -x"
#   make check        lint, types, imports and every test, the slow ones too
#   make help         the rest

SHELL   := /bin/sh
PYTHON  ?= python3
ARGS    ?=
# How many processes run the tests; 0 runs them in this one, for a debugger.
PROCESSES ?= 2
VENV    := .venv
BIN     := $(VENV)/bin
# pip asks nobody, and says only what went wrong.
PIP     := $(BIN)/python -m pip --quiet --disable-pip-version-check --no-input
ROOMS   := actors domain gateways persistence server supervisors web

# What is installed is a pure function of these: change one, or move the folder, and it is done again.
key      = $(shell { pwd -P; cat pyproject.toml $(1); } 2>/dev/null | cksum | tr -s ' \t' '--')
STAMPS  := $(VENV)/.lendwire
RUNTIME := $(STAMPS)/runtime-$(call key,requirements.txt)
DEV     := $(STAMPS)/dev-$(call key,requirements.txt requirements-dev.txt)
BENCH   := $(STAMPS)/bench-$(call key,requirements.txt requirements-bench.txt)

.DEFAULT_GOAL := help
.PHONY: help setup setup-dev setup-bench run migrate test test-slow test-store check lint types imports fmt soak bench docs lock hook clean
.NOTPARALLEL:

help: ## what this door opens to
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1	\2/p' Makefile | expand -t 22

# --- setting up -------------------------------------------------------------------------------

setup: $(RUNTIME) ## everything the server needs, into .venv; the command is .venv/bin/lendwire
setup-dev: $(DEV) ## and what the tests and checks need
setup-bench: $(BENCH) ## and the stack that the bench compares with

$(RUNTIME):
	@$(sound_venv)
	@echo "Installing what Lendwire needs into $(VENV) (the first time takes a minute) ..."
	@$(PIP) install --require-hashes -r requirements.txt
	@$(install_lendwire)
	@mkdir -p $(STAMPS) && rm -f $(STAMPS)/runtime-* && touch $@

$(DEV): $(RUNTIME)
	@echo "Installing what the tests and checks need into $(VENV) ..."
	@$(PIP) install --require-hashes -r requirements-dev.txt
	@rm -f $(STAMPS)/dev-* && touch $@

$(BENCH): $(RUNTIME)
	@echo "Installing what the bench compares with into $(VENV) ..."
	@$(PIP) install --require-hashes -r requirements-bench.txt
	@rm -f $(STAMPS)/bench-* && touch $@

# The project itself comes second and alone: nothing is resolved, nothing is fetched. What setuptools
# has to say about editable installs in general is no news to whoever types make.
install_lendwire = PYTHONWARNINGS=ignore $(PIP) install --no-deps --no-build-isolation --editable .

# A virtual environment knows its own absolute path: one that was copied or moved here, or whose
# interpreter has gone, is made again. Any other is kept.
define sound_venv
if ! head -n 3 $(BIN)/pip 2>/dev/null | grep -qF "$(CURDIR)/$(BIN)/python" \
   || ! $(BIN)/python -c 'import pip' 2>/dev/null; then \
  command -v $(PYTHON) >/dev/null 2>&1 || { \
    echo "Lendwire needs Python 3.11, 3.12 or 3.13, and there is no $(PYTHON) here."; exit 1; }; \
  $(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || { \
    echo "Lendwire needs Python 3.11, 3.12 or 3.13, and $(PYTHON) is $$($(PYTHON) -V 2>&1): say make PYTHON=python3.12, for example."; exit 1; }; \
  $(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
    echo "$(PYTHON) cannot make a virtual environment: install its venv module (on Debian and Ubuntu the package python3-venv)."; exit 1; }; \
  $(PYTHON) -m venv --clear $(VENV) || { echo "The virtual environment $(VENV) could not be made."; exit 1; }; \
fi
endef

# --- running ----------------------------------------------------------------------------------

run: setup ## serve; flags of `lendwire serve` in ARGS
	@exec $(BIN)/lendwire serve $(ARGS)

migrate: setup ## bring the database to this version's schema
	@exec $(BIN)/lendwire migrate $(ARGS)

# --- checking ---------------------------------------------------------------------------------

# Files run side by side and in an order by chance; the first lines say its seed, --randomly-seed brings it back.
PYTEST := $(BIN)/python -m pytest --numprocesses=$(PROCESSES) --dist=loadfile

test: setup-dev ## every test but the slow ones and the soak
	@$(PYTEST) -m "not slow and not soak" $(ARGS)

# pytest's exit code 5: no test carries the mark.
only = $(PYTEST) -m "$(1) and not soak" $(ARGS) || test $$? -eq 5

test-slow: setup-dev ## the slow tests alone
	@$(call only,slow)

test-store: setup-dev ## the tests that touch a store; LENDWIRE_TEST_DATABASE_URL and LENDWIRE_TEST_REDIS_URL say which
	@$(call only,store)

check: lint types imports ## lint, types, imports and all tests but the soak; 500 examples of each rule
	@$(PYTEST) --hypothesis-profile=check -m "not soak" $(ARGS)

lint: setup-dev ## the house rules that ruff can see
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: setup-dev ## mypy, strict
	@$(BIN)/mypy $(ROOMS) migrations tests bench docs

imports: setup-dev ## which room may know which
	@$(BIN)/lint-imports --no-logo

fmt: setup-dev ## let ruff lay the code out
	@$(BIN)/ruff check --fix-only --quiet .
	@$(BIN)/ruff format .

RULES := tests/domain/test_rules.py tests/domain/test_loan_history.py tests/domain/test_as_of.py \
  tests/domain/test_loan_machine.py tests/domain/test_workout_machine.py \
  tests/domain/test_interest_asked.py tests/domain/test_plan_of_rows.py \
  tests/domain/test_books_by_day.py

soak: setup-dev ## minutes of seeded trouble, and 5,000 examples of each rule of the engine
	@$(BIN)/python -m pytest -m soak $(ARGS)
	@$(if $(ARGS),,$(BIN)/python -m pytest --hypothesis-profile=soak $(RULES))

bench: setup-bench ## measure against the peers, in the same run
	@$(BIN)/python bench/run.py $(ARGS)

docs: setup-dev ## draw the generated pages again; ARGS=--check only says whether they are current
	@$(BIN)/python docs/generate.py $(ARGS)

# --- keeping house ----------------------------------------------------------------------------

# Pins come from pyproject.toml's ranges. Nothing in them names where packages are fetched from.
LOCK = uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
       --no-emit-find-links --custom-compile-command "make lock" $(ARGS)

lock: ## pin the dependencies anew, with hashes (needs uv);  make lock ARGS=--upgrade
	@command -v uv >/dev/null 2>&1 || { echo "make lock needs uv on the PATH."; exit 1; }
	$(LOCK) pyproject.toml --group build -o requirements.txt
	$(LOCK) pyproject.toml --group build --group dev -c requirements.txt -o requirements-dev.txt
	$(LOCK) --group bench -c requirements.txt -o requirements-bench.txt

hook: ## make every commit run lint, types and imports first
	@printf '#!/bin/sh\nexec make lint types imports\n' > "$$(git rev-parse --git-path hooks/pre-commit)"
	@chmod +x "$$(git rev-parse --git-path hooks/pre-commit)"

clean: ## forget what the tools made; the data directory stays
	@rm -rf $(VENV) build dist *.egg-info .coverage htmlcov .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	@find $(ROOMS) migrations tests bench docs -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true
