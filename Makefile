# make grade [SUBMISSIONS=path]   grade submissions into build/grades
# make test                       everything that a change must pass
# make verify                     the full proof that every exercise holds
# make soak                       the long forms of the tests: many kills, a class of 300, long fuzzing, ten seeds
# make lint · make clean

PYTHON ?= python3
SUBMISSIONS ?= examples/submissions

BIN := .venv/bin
INSTALLED := .venv/.installed
PIP := $(BIN)/python -m pip --disable-pip-version-check

.DEFAULT_GOAL := help
.PHONY: help grade test verify soak lint clean

help:
	@sed -n 's/^# \(make\)/\1/p' Makefile

grade: $(INSTALLED)
	$(BIN)/kata grade "$(SUBMISSIONS)" --out build/grades

# Three at a time were the quickest on two cores. The examples are graded alone: throughput is measured in them.
test: lint
	$(BIN)/pytest tests -n 3 --dist loadfile --ignore tests/test_examples.py
	$(BIN)/pytest tests/test_examples.py
	$(BIN)/kata verify --budget 180

verify: $(INSTALLED)
	$(BIN)/kata verify

soak: lint
	$(BIN)/pytest tests --soak
	$(BIN)/kata verify --seeds 10

lint: $(INSTALLED)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

clean:
	rm -rf build .pytest_cache .mypy_cache .ruff_cache .hypothesis *.egg-info
	find . -name .venv -prune -o -name __pycache__ -type d -exec rm -rf {} +

# Without a version check first, an old Python fails late and at length inside pip; without ensurepip (Debian's python3
# alone), venv leaves a folder behind that looks whole.
$(BIN)/python:
	@command -v "$(PYTHON)" >/dev/null || { echo "$(PYTHON) was not found: install Python 3.11, 3.12 or 3.13, or name it: make PYTHON=/path/to/python3.12"; exit 2; }
	@"$(PYTHON)" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || { echo "$$("$(PYTHON)" --version) is not supported: install Python 3.11, 3.12 or 3.13, or name it: make PYTHON=python3.12"; exit 2; }
	@"$(PYTHON)" -c 'import ensurepip, venv' 2>/dev/null || { echo "$(PYTHON) has no venv module: install it (on Debian and Ubuntu: apt-get install python3-venv)"; exit 2; }
	"$(PYTHON)" -m venv .venv

# Runs again only when what is to be installed changed.
$(INSTALLED): pyproject.toml ci/constraints.txt | $(BIN)/python
	@echo "Installing into .venv; the first time takes a few minutes, most of it torch."
	$(PIP) install --quiet -c ci/constraints.txt -e ".[dev]"
	@touch $@
