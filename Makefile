# Every target prepares the virtual environment itself; Python >= 3.11 and make are enough.
# Give options to a command with ARGS:  make demo ARGS="--seconds 30"   make test ARGS="-k codec"

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check --quiet install
ARGS   ?=

.DEFAULT_GOAL := help
.PHONY: help install demo test simulate campaign check format bench bench-segmentation docs lock wheel clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 20

install: $(BIN)/.run ## create .venv with the command `shoal` in it

demo: $(BIN)/.run ## everything at once on embedded services: events in, segments out
	@$(BIN)/shoal demo $(ARGS)

test: $(BIN)/.dev ## all tests, on a real Kafka and a real Redis
	@$(BIN)/python -m pytest --numprocesses 2 --dist loadfile $(ARGS)

simulate: $(BIN)/.dev ## thousands of simulated worker lives in which everything goes wrong
	@$(BIN)/python -m tests.consumer.simulate $(ARGS)

campaign: $(BIN)/.dev ## faults of every kind under load, everything checked: ARGS="--runs 30 --seconds 60"
	@$(BIN)/python -m tests.campaign $(ARGS)

check: $(BIN)/.dev ## format, lint, types, imports and documents
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest --quiet tests/test_docs.py

format: $(BIN)/.dev ## format the code and mend what ruff can mend
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(BIN)/.dev ## events per second of one worker, microseconds per stage, bytes per user
	@$(BIN)/python -m benchmarks $(ARGS)

bench-segmentation: $(BIN)/.bench ## Shoal and other clusterers on streams with a known truth
	@$(BIN)/python -m benchmarks.segmentation $(ARGS)

docs: $(BIN)/.dev ## write the documents that are generated from the code
	$(BIN)/python -m shoal.settings_doc > docs/settings.md
	$(BIN)/python -m shoal.metrics_doc > docs/metrics.md
	$(BIN)/python -m shoal.asyncapi_doc > docs/asyncapi.json

lock: $(BIN)/.dev ## resolve the dependencies anew, with hashes (UPGRADE=1: to the newest releases)
	@COMPILE="$(BIN)/pip-compile" UPGRADE="$(UPGRADE)" sh .ci/lock

wheel: $(BIN)/.dev ## build the wheel into dist/
	$(BIN)/python -m build --wheel --no-isolation

clean: ## remove the virtual environment and every cache
	rm -rf $(VENV) .cache .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache dist

# A stamp is newer than its lock file while the environment holds what the lock file says.
$(BIN)/python:
	@command -v $(PYTHON) >/dev/null || \
	  { echo "Shoal needs Python 3.11 or newer, and there is no '$(PYTHON)': install it, or name one: make PYTHON=python3.12" >&2; exit 2; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Shoal needs Python 3.11 or newer, '$(PYTHON)' is $$($(PYTHON) -V 2>&1): name a newer one, for example: make PYTHON=python3.12" >&2; exit 2; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
	  { echo "$(PYTHON) cannot create virtual environments: install its venv module (Debian, Ubuntu: apt-get install python3-venv)" >&2; exit 2; }
	@echo "creating $(VENV)" >&2
	@$(PYTHON) -m venv $(VENV)

$(BIN)/.run: $(BIN)/python requirements.lock requirements-build.lock pyproject.toml
	@echo "installing what requirements.lock names" >&2
	@$(PIP) --require-hashes -r requirements.lock -r requirements-build.lock
	@$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

$(BIN)/.bench: $(BIN)/.dev requirements-bench.lock
	@echo "installing what requirements-bench.lock names" >&2
	@$(PIP) --require-hashes -r requirements-bench.lock
	@touch $@

$(BIN)/.dev: $(BIN)/.run requirements-dev.lock
	@echo "installing what requirements-dev.lock names" >&2
	@$(PIP) --require-hashes -r requirements-dev.lock
	@touch $@
