# Every task a person does here. `make help` lists them; only `make install` and `make lock` need a network.

VENV ?= .venv
BIN := $(VENV)/bin
UV ?= uv
WORKERS ?= 2

# The newest Python that works. It is run, not just looked up: a version manager may leave a name that fails.
WORKS := import ensurepip, sqlite3, ssl, sys, venv; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(shell for python in python3.13 python3.12 python3.11 python3; do \
	"$$python" -c '$(WORKS)' >/dev/null 2>&1 && { command -v "$$python"; break; }; done)

.DEFAULT_GOAL := help
.PHONY: help install demo test faults fuzz clock changes simulate mutate golden docs lint types check lock wheel bench bench-reading clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

install: $(VENV)/installed ## Set up .venv from the lock file (the only step with a network)

# Always exactly the lock: a changed lock makes the environment anew.
$(VENV)/locked: requirements-dev.lock
	@python="$(PYTHON)"; "$${python:-false}" -c '$(WORKS)' 2>/dev/null || { \
		echo "make: no Python 3.11 or newer that can make a virtual environment was found." >&2; \
		echo "Install one (on Debian: apt-get install python3 python3-venv)," >&2; \
		echo "or name it: make PYTHON=/path/to/python3.12" >&2; \
		exit 1; }
	$(PYTHON) -m venv --clear $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@

$(VENV)/installed: $(VENV)/locked pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

demo: install ## One nightly run over sample_logs/: pages and mails in demo/, made anew each time
	@rm -rf demo
	$(BIN)/procmon demo demo

test: install ## Run every test
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile

faults: install ## Kill an ingest of 200,000 rows at 200 instants, and runs at 100 (over an hour)
	PROCMON_FAULTS=200 $(BIN)/python -m pytest -n $(WORKERS) tests/faults

# Half of the inputs are hypothesis', half are guided by coverage; 500 of them beside go to a reading process of their own.
fuzz: install ## Try 200,000 inputs on the readers and mappings (some 40 minutes)
	ulimit -v 6291456; PROCMON_FUZZ=100000 timeout 7200 $(BIN)/python -m pytest -n $(WORKERS) tests/property/test_ingest_fuzz.py
	@echo "100,000 inputs by hypothesis, and 500 reading processes: no finding"
	$(BIN)/python tests/fuzz/guided.py --inputs 100000

clock: install ## Prove the clock on 1,000,000 intervals and 50 calendars, and time it (a minute)
	PROCMON_TESTS_INTERVALS=1000000 PROCMON_TESTS_CALENDARS=50 \
		$(BIN)/python -m pytest -n $(WORKERS) tests/property/test_clock_equals_twin.py
	$(BIN)/python benchmarks/clock.py

simulate: install ## Judge thousands of made-up cities whose change is known, and print what was found (some minutes)
	PROCMON_TESTS_CITIES=1000 $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile -rP tests/simulation

changes: install ## Add up what made the change for each of 8,000 scopes and periods of the sample city (some 10 minutes)
	PROCMON_TESTS_CHANGES=all $(BIN)/python -m pytest -n 0 tests/unit/test_judge_behind_the_city.py -k scope_and_period

mutate: install ## Change the clock in one place at a time: a test must fail (an hour; needs `pip install cosmic-ray`)
	$(BIN)/python tests/mutation/mutate.py --workers $(WORKERS)

golden: install ## Write the golden files anew; the diff is the review
	PROCMON_TESTS_WRITE_GOLDEN=1 $(BIN)/python -m pytest -n 0 tests/golden

docs: install ## Print docs/settings.md, docs/tables.md and docs/commands.md anew
	$(BIN)/python docs/generate.py

lint: install ## Check style, the import contract and the SQL
	$(BIN)/ruff check .
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -q tests/lint

types: install ## Check types (mypy --strict on procmon/)
	$(BIN)/mypy

check: install ## All that must hold: lint, types, test; says how long each took
	@for part in lint types test; do \
		start=$$(date +%s); \
		$(MAKE) --no-print-directory $$part || exit 1; \
		echo "make $$part took $$(( $$(date +%s) - start )) s"; \
	done

LOCK = $(UV) pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-annotate \
	--no-emit-index-url --no-emit-find-links --custom-compile-command 'make lock' pyproject.toml
lock: ## Choose the newest versions within pyproject.toml's ranges (needs uv and a network)
	@command -v $(UV) >/dev/null || { echo "make lock needs uv: pip install uv, or make lock UV=/path/to/uv" >&2; exit 1; }
	$(LOCK) --output-file requirements.lock
	$(LOCK) --extra postgres --group dev --constraint requirements.lock --output-file requirements-dev.lock

wheel: install ## Build dist/procmon-*.whl
	$(BIN)/python -m build --wheel --no-isolation --outdir dist

bench: install ## Make a city's full year in benchmarks/out/ (2.4 million dossiers), by hand: some minutes
	$(BIN)/python benchmarks/city.py benchmarks/out --dossiers 2400000 --gzip --split-years

bench-reading: install ## Time the reading of a million rows in each form against DuckDB alone, by hand: some minutes
	$(BIN)/python benchmarks/reading.py benchmarks/out/reading

clean: ## Remove all that make made: .venv, dist/, demo/ and caches
	rm -rf $(VENV) dist demo benchmarks/out .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
