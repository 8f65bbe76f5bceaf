# Two targets do all the set-up: `make report` and `make test`. Both build .venv once, from the hash-pinned lock.
PARAMS ?= params/NCT07022301.yaml
PYTHON ?= python3
OLDEST_PYTHON ?= python3.11
BIN := .venv/bin
PYTHON_VERSION := $(shell $(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)
READY := .venv/.ready-$(PYTHON_VERSION)

.DEFAULT_GOAL := help
.PHONY: help setup report lint test quick faults test-oldest test-newest wheel test-wheel sbom validate explore lessons lab docs bench lock pictures clean

help: ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*##/\t/' | expand -t 14

setup: $(READY) ## build .venv from the lock, once

# Touched last, so an interrupted install is done again; a newer lock or pyproject.toml or another Python installs anew.
$(READY): requirements.lock pyproject.toml
	@echo "Setting up .venv (a minute or two, once) ..."
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(not (3, 11) <= v[:2] <= (3, 13) and "simtrial needs Python 3.11 to 3.13; this is %d.%d. Try: make PYTHON=python3.13" % v[:2])'
	@rm -rf .venv && $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --require-hashes --no-deps --no-compile -r requirements.lock
	@$(BIN)/python -m compileall -q -j 0 .venv/lib >/dev/null || true # only for speed: some packages ship templates that are no Python
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps --no-build-isolation --no-index -e .
	@touch $@

report: $(READY) ## run the notebooks on PARAMS and write build/<study>/report.html
	@$(BIN)/simtrial report "$(PARAMS)"

# A test takes one core, and processes that wait for kernels and browsers gain nothing from more workers than that.
WORKERS ?= $(shell n=$$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2); [ $$n -gt 4 ] && echo 4 || echo $$n)
# by files, so that the fixtures of a module are made once; not by groups, which pytest 9.2 ignores (pytest-xdist 1386)
SPREAD := -n $(WORKERS) --dist loadfile --no-loadscope-reorder
# tests start about sixty processes, each of which would compile the package anew where bytecode is not kept
PYTEST := env -u PYTHONDONTWRITEBYTECODE $(BIN)/pytest
QUICK := -m "not kernel and not browser and not processes and not long"

lint: $(READY) ## style, types, layers
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

test: lint ## lint and all tests
	$(PYTEST) $(SPREAD)

quick: lint ## lint and every test without kernel, browser, workers or long computing
	$(PYTEST) $(SPREAD) $(QUICK)

MINUTES ?= 2
SEED ?= 1
faults: $(READY) ## a campaign of hostile inputs, kills, damage and interrupts (MINUTES=2 SEED=1)
	@$(BIN)/python tests/faults/campaign.py --minutes $(MINUTES) --seed $(SEED)

# In a .venv of its own, which stays until the lock changes. Old libraries warn of what newer ones of theirs will drop:
# that is their affair, so these warnings are no errors here.
QUIET := -W ignore::DeprecationWarning -W ignore::PendingDeprecationWarning -W ignore::FutureWarning
OLDEST := .venv-oldest
$(OLDEST)/.ready: requirements-oldest.lock
	@echo "Setting up $(OLDEST) (a minute or two, once) ..."
	@rm -rf $(OLDEST) && $(OLDEST_PYTHON) -m venv $(OLDEST)
	@$(OLDEST)/bin/python -m pip install -qq --disable-pip-version-check --require-hashes --no-deps -r requirements-oldest.lock
	@$(OLDEST)/bin/python -m pip install -qq --disable-pip-version-check --no-deps --no-build-isolation --no-index -e .
	@touch $@

test-oldest: $(OLDEST)/.ready ## the quick tests with the oldest dependencies allowed (needs Python 3.11)
	$(OLDEST)/bin/pytest $(SPREAD) $(QUICK) -p no:cacheprovider $(QUIET)

# The newest that pyproject.toml allows, resolved today without the lock: what an installation without it would get.
# What a library newly warns of is shown, and fails nothing.
NEWEST := .venv-newest
NEWEST_PYTHON ?= $(PYTHON)
test-newest: ## the quick tests with the newest dependencies allowed, as resolved today
	@rm -rf $(NEWEST) && $(NEWEST_PYTHON) -m venv $(NEWEST)
	@$(NEWEST)/bin/python -c 'import tomllib; p = tomllib.load(open("pyproject.toml", "rb")); print("\n".join(p["project"]["dependencies"] + p["dependency-groups"]["dev"]))' > $(NEWEST)/asked.txt
	@$(NEWEST)/bin/python -m pip install -qq --disable-pip-version-check --upgrade --no-compile -r $(NEWEST)/asked.txt
	@$(NEWEST)/bin/python -m pip install -qq --disable-pip-version-check --no-deps --no-build-isolation --no-index -e .
	@$(NEWEST)/bin/python tests/shipping/moved.py
	$(NEWEST)/bin/pytest $(SPREAD) $(QUICK) -p no:cacheprovider $(QUIET)

wheel: $(READY) ## build wheel, source distribution and bill of materials into dist/, twice to the same bytes
	@$(BIN)/python tests/shipping/twice.py

test-wheel: wheel ## install the wheel elsewhere: a report, its types, and the quick tests against it
	@$(BIN)/python tests/shipping/elsewhere.py --workers $(WORKERS)

sbom: $(READY) ## write the bill of materials of the lock (CycloneDX) into dist/
	@$(BIN)/python tests/shipping/bill.py

validate: $(READY) ## compare every result with its references on this machine
	@$(BIN)/simtrial validate

explore: $(READY) ## open the design explorer in the browser
	@$(BIN)/simtrial explore

lessons: $(READY) ## run the lessons and write build/teaching/report.html
	@$(BIN)/simtrial lessons

lab: $(READY) ## open the notebooks in JupyterLab
	@$(BIN)/jupyter lab notebooks

docs: $(READY) ## build the documentation: build/docs/index.html
	@$(BIN)/sphinx-build -W --keep-going -q -b html -d build/docs-trees docs build/docs
	@echo "Documentation: build/docs/index.html"

bench: $(READY) ## speed, side by side with R clinfun; with OLD=<commit> also the report beside that commit's
	@$(BIN)/python benchmarks/search.py
	@$(BIN)/python benchmarks/start.py
	@$(BIN)/python benchmarks/conduct.py
	@$(BIN)/python benchmarks/review.py
	@$(BIN)/python benchmarks/inference.py
	@$(BIN)/python benchmarks/sweep.py
	@$(BIN)/python benchmarks/explore.py
	@$(BIN)/python benchmarks/limits.py
	@$(BIN)/python benchmarks/lessons.py
	@$(BIN)/python benchmarks/walk.py
	@$(BIN)/python benchmarks/curtailed.py
	@$(BIN)/python benchmarks/lee_liu.py
	@$(if $(OLD),$(BIN)/python benchmarks/report.py $(OLD),echo "The report is compared with that of an older commit where one is given: make bench OLD=<commit>")

COMPILE := uv pip compile pyproject.toml --group dev --universal --generate-hashes --no-emit-index-url --no-annotate --no-header --upgrade
lock: ## resolve pyproject.toml anew into both locks (needs uv)
	$(COMPILE) -o requirements.lock
	$(COMPILE) --resolution lowest-direct --python-version 3.11 -o requirements-oldest.lock

pictures: $(READY) ## take README's pictures of the report and of the explorer (needs chromium)
	@$(BIN)/simtrial report params/NCT07022301.yaml
	@chromium --headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking --hide-scrollbars \
	  --user-data-dir="$$(mktemp -d)" --window-size=1040,1500 --screenshot=.github/report.png \
	  "file://$(CURDIR)/build/NCT07022301/report.html" 2>/dev/null
	@$(BIN)/pytest -q tests/explorer/test_explorer_page.py -k fits_the_screen
	@cp build/explorer-1280.png .github/explorer.png

clean: ## remove results and caches, keep .venv
	@rm -rf build .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
