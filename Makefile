# Needs make and Python 3.11 or newer. Installs the rest, or names what it cannot install.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
HARNESS := $(BIN)/python -m harness

# FFCV is a source package. If it cannot be built, its tests are skipped.
FFCV_LACKS := $(PYTHON) -m harness.data.ffcv_needs

# LaTeX for PDFs of the report. Without it there are no PDFs, and their tests are skipped.
LATEX := texlive-latex-base texlive-latex-recommended texlive-science texlive-latex-extra
LATEX_IS_HERE := kpsewhich siunitx.sty multirow.sty adjustbox.sty caption.sty microtype.sty >/dev/null 2>&1

# A SLURM on this machine (docs/slurm-lab.md). If it cannot be installed, its tests are skipped.
SLURM_LAB := slurmctld:slurm-wlm slurmdbd:slurmdbd munged:munge mariadbd:mariadb-server

SHARED := --dist loadfile --no-loadscope-reorder

LINT := $(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy && $(BIN)/lint-imports

# On a quiet machine, `make test LONGEST=30` fails if a test takes more than 30 s (tests/support/seconds.py).

.PHONY: table6 everything decided reference test quick coverage soak clean

table6: $(VENV)/.runtime  ## Rerun Table 6 at laptop scale and compare it with the paper's
	$(HARNESS) run table6
	$(HARNESS) report table6

everything: $(VENV)/.runtime  ## Rerun every table and figure of the paper
	$(HARNESS) run all
	$(HARNESS) report all

decided: $(VENV)/.runtime  ## Decide the claims of the paper: seeds where they decide, into results-decided
	$(HARNESS) --results results-decided run all --decide --most-seeds 5
	$(HARNESS) --results results-decided report all --claims

reference: $(VENV)/.recheck  ## Rebuild results/reference: every table and figure, three seeds, all rechecked
	$(HARNESS) run all --seeds 3
	$(HARNESS) recheck
	$(HARNESS) report all --claims --bundle results/reference

test: $(VENV)/.development  ## Check style, types and import contracts, and run all tests but the long ones
	$(LATEX_IS_HERE) || tools/system-packages $(LATEX)
	tools/system-packages pdftotext:poppler-utils
	tools/system-packages $(SLURM_LAB)
	tools/system-packages chromium:chromium
	$(LINT)
	$(BIN)/python -m pytest --numprocesses 3 $(SHARED) --seconds-to=.pytest_cache/seconds.txt $(if $(LONGEST),--longest=$(LONGEST))

quick: $(VENV)/.development  ## The same without the tests that start a process: a minute or two
	$(LINT)
	$(BIN)/python -m pytest --numprocesses 2 $(SHARED) --no-processes --quiet -rfE

coverage: $(VENV)/.development  ## Run the tests with coverage, which is slower
	$(BIN)/python -m pytest --numprocesses 2 $(SHARED) --cov --cov-report=term

# `make soak STORM=10` makes the storms of tests/storms ten times as large.
soak: $(VENV)/.development  ## Run the long tests that `make test` leaves out
	$(BIN)/python -m pytest -m soak $(if $(STORM),--storm=$(STORM))

clean:  ## Remove the virtual environment and caches, never results
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .import_linter_cache *.egg-info tests/outside/src/*.egg-info

$(VENV)/.runtime: pyproject.toml constraints.txt
	tools/virtual-environment $(PYTHON) $(VENV) .
	@touch $@

$(VENV)/.recheck: $(VENV)/.runtime
	tools/virtual-environment $(PYTHON) $(VENV) ".[recheck]"
	@touch $@

# The tests install a distribution of their own, like an external paper.
$(VENV)/.development: pyproject.toml constraints.txt tests/outside/pyproject.toml
	tools/system-packages $$($(FFCV_LACKS))
	tools/virtual-environment $(PYTHON) $(VENV) ".[dev$$([ "$$(uname)" = Linux ] && [ -z "$$($(FFCV_LACKS))" ] && echo ,ffcv)]"
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable tests/outside
	@touch $@ $(VENV)/.runtime
	@touch $(VENV)/.recheck
