# `make demo`, `make test`, `make up`: each sets up what it needs first. `make help` says what they do.
.DEFAULT_GOAL := help
PYTHON ?= python3
PEOPLE ?= 6
COUNT ?= 40
SEED ?= 1
VENV := .venv
READY := $(VENV)/.ready

.PHONY: help demo test test-all lint mutants up clean

help:
	@echo "make demo    the main job on the synthetic company, report at the end  (PEOPLE=6; PEOPLE=all for everybody)"
	@echo "make up      the whole service: Prefect for HR, workers and the review desk"
	@echo "make test    the tests        make test-all   the slow ones too        make lint   ruff and mypy"
	@echo "make mutants lines of the promises turned wrong, one at a time: does a fast test fail?  (COUNT=40 SEED=1)"
	@echo "make clean   removes the demo's data (var/), keeps the environment"

# uv installs in a quarter of pip's time, and asks the machine's own certificates, as companies' networks want it; where
# it cannot be had or cannot install, pip does the same with the same pins.
$(READY): pyproject.toml constraints.txt
	@echo "Setting up Python packages in $(VENV) (a few minutes the first time) ..."
	@test -x $(VENV)/bin/python || $(PYTHON) -m venv $(VENV)
	@if $(VENV)/bin/pip install -q uv -c constraints.txt && UV_FIND_LINKS="$${PIP_FIND_LINKS:-}" UV_COMPILE_BYTECODE=1 \
	    UV_LINK_MODE=copy UV_SYSTEM_CERTS=1 VIRTUAL_ENV=$(VENV) \
	    $(VENV)/bin/uv pip install -q -e . --group dev -c constraints.txt; then :; else \
	    $(VENV)/bin/pip install -q --upgrade pip && $(VENV)/bin/pip install -q -e . --group dev -c constraints.txt; \
	fi
	@touch $(READY)

demo: $(READY)
	@$(VENV)/bin/rollcall demo --people $(PEOPLE)

up: $(READY)
	@$(VENV)/bin/rollcall up

# As many files at once as there are cores, four at most: each process loads torch and takes 1.5 GB.
test: $(READY)
	@$(VENV)/bin/python -m pytest -q -n auto --maxprocesses 4 --dist loadfile

test-all: $(READY)
	@$(VENV)/bin/python -m pytest -q -m "not gpu"

lint: $(READY)
	@$(VENV)/bin/ruff check . && $(VENV)/bin/ruff format --check . && $(VENV)/bin/mypy

mutants: $(READY)
	@$(VENV)/bin/python -m benchmarks.mutants --count $(COUNT) --seed $(SEED)

clean:
	rm -rf var
