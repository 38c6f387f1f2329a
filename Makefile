# The commands of this project. `make up` and `make test` install what they need first.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SEEDS ?= 10000
REQUESTS ?= 200000
# Test processes: many tests wait for containers and clusters rather than compute.
PROCESSES ?= 4
# Helm as a library, for the tests: it needs a newer Python than Beanpole does.
HELM := 0.1.32
UP ?=

.PHONY: up install test lint bench fuzz simulate lock clean

# A whole cluster on this machine: make up UP="--nodes 3 --runtime process"
up: $(VENV)/installed
	@exec $(BIN)/beanpole up $(UP)

install: $(VENV)/installed

$(VENV)/installed: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Beanpole needs Python 3.11 or newer; set PYTHON=/path/to/python3.11" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	@touch $@

$(VENV)/tested: $(VENV)/installed
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@for python in python3.14 python3.13 python3.12 $$HOME/.pyenv/versions/3.1[2-9]*/bin/python; do \
	  if $$python -c '' 2>/dev/null; then \
	    $$python -m venv $(VENV)/helm && $(VENV)/helm/bin/pip install --quiet --disable-pip-version-check helm-sdkpy==$(HELM); \
	    break; \
	  fi; \
	done
	@touch $@

test: $(VENV)/tested lint
	$(BIN)/python -m pytest -n $(PROCESSES) --dist loadgroup

lint: $(VENV)/tested
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/mypy

# Requests that nobody would send, chosen anew each time: make fuzz REQUESTS=200000
fuzz: $(VENV)/tested
	$(BIN)/python -m tests.fuzz --requests $(REQUESTS)

simulate: $(VENV)/tested
	$(BIN)/python -m tests.simulation --seeds $(SEEDS)

bench: $(VENV)/tested
	$(BIN)/python -m bench

# Choose newer versions of the libraries, within what pyproject.toml allows.
lock:
	rm -rf $(VENV)-lock && $(PYTHON) -m venv $(VENV)-lock
	$(VENV)-lock/bin/pip install --quiet --upgrade '.[dev]'
	$(VENV)-lock/bin/pip freeze --exclude beanpole > constraints.txt
	rm -rf $(VENV)-lock

clean:
	rm -rf $(VENV)
