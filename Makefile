# make run: see an evening being ingested live.   make test: the whole test suite.   make install: the set-up alone.
# make site-test: the pages in a real browser, Debian's chromium; it installs what it needs, unless EXTRAS has it.
# make cluster-test: 500 rounds on two workers, one of them killed, and the installed wheel; it needs Debian's redis-server
# and installs what it needs, unless EXTRAS has it.
# make bench: what everything takes, as tables: rules, an import (FOLDER=… for other files than simulated ones), a round
# until its message, an idle evening, boards, pages, slash commands, pictures, a year. An hour and a half.
# make chaos: nights that go wrong, ten minutes of them; SEED=… for certain ones, MINUTES=… for how long.
PYTHON ?= python3
EXTRAS ?= dev
BIN := .venv/bin
FOR_SITE := dev,site-tests
FOR_CLUSTER := dev,celery,docker,kubernetes
comma := ,
# The extras that are given, where all of $(1) are among them; else $(1).
extras = $(if $(filter-out $(subst $(comma), ,$(EXTRAS)),$(subst $(comma), ,$(1))),$(1),$(EXTRAS))

.PHONY: run test site-test cluster-test chaos bench install check audit clean

run: install
	@$(BIN)/slomix run

test: install # in the order of conftest; four, as two cores are not busy with two: some tests wait for processes and pauses
	@$(BIN)/python -m pytest -n 4 --dist loadfile --no-loadscope-reorder -m "not browser and not cluster"

site-test:
	@$(MAKE) --no-print-directory install EXTRAS=$(call extras,$(FOR_SITE))
	@$(BIN)/python -m pytest -n 2 --dist loadfile -m browser slomix_pipeline_tests/site

chaos: install
	@$(BIN)/python -m slomix_pipeline_tests.chaos --minutes $(or $(MINUTES),10) $(if $(SEED),--seed $(SEED))

cluster-test:
	@$(MAKE) --no-print-directory install EXTRAS=$(call extras,$(FOR_CLUSTER))
	@$(BIN)/python -m pytest -m cluster slomix_pipeline_tests

bench: install
	@$(BIN)/python benchmarks/rules.py
	@$(BIN)/python benchmarks/pictures.py
	@$(BIN)/python benchmarks/bulk.py $(FOLDER)
	@$(BIN)/python benchmarks/live.py
	@$(BIN)/python benchmarks/idle.py
	@$(BIN)/python benchmarks/boards.py
	@$(BIN)/python benchmarks/pages.py
	@$(BIN)/python benchmarks/commands.py
	@$(BIN)/python benchmarks/year.py

install: .venv/.installed-$(EXTRAS)

# The constraints also bind what pip uses to build the package.
.venv/.installed-$(EXTRAS): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed: make PYTHON=python3.x"; exit 1; }
	@echo "Setting up .venv (a minute the first time) ..."
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@PIP_CONSTRAINT=constraints.txt PIP_DISABLE_PIP_VERSION_CHECK=1 $(BIN)/python -m pip install --quiet --editable '.[$(EXTRAS)]'
	@touch $@

check: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	SLOMIX_ENV_FILE= $(BIN)/dagster definitions validate -w workspace.yaml --log-level error

audit: install
	@$(BIN)/python .ci/audit

clean:
	rm -rf .venv
