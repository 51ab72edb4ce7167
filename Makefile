# Everything runs in .venv, which the first target that needs it sets up from requirements.lock.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
SHELL := /bin/sh

PYTHON := .venv/bin/python
INSTALLED := .venv/.installed
PIP := $(PYTHON) -m pip --disable-pip-version-check -qq
# Other engines and many machines have packages of their own, half a gigabyte of them.
SCALE_PYTHON := .venv-scale/bin/python
SCALE_INSTALLED := .venv-scale/.installed
SCALE_PIP := $(SCALE_PYTHON) -m pip --disable-pip-version-check -qq
TEST_PROCESSES ?= 2
DBT_SQL := dbt_project/models dbt_project/tests

.PHONY: help demo ui test test-api test-scale docs bench bench-alerts bench-web bench-loop bench-truth bench-experiments bench-predict bench-scale evals lint check format lock clean

help: ## Show this list.
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | \
	  awk -F ':.*## ' '{printf "  make %-18s %s\n", $$1, $$2}'

demo: $(INSTALLED) ## A simulated world from scrape to recommendations, in .demo/; needs no key.
	@.venv/bin/afterpost demo $(DEMO_ARGS)

ui: $(INSTALLED) ## Dagster's pages on http://127.0.0.1:3000 for the accounts here (or AFTERPOST_HOME).
	@folder="$$($(PYTHON) -c 'from pipeline.settings import load_settings as load; print(load().home)')/.dagster" && \
	  mkdir -p "$$folder" && cp dagster.yaml "$$folder/dagster.yaml" && \
	  DAGSTER_HOME="$$folder" PYTHONWARNINGS=ignore exec .venv/bin/dagster dev $(UI_ARGS)

test: $(INSTALLED) ## All tests: real Dagster, dbt and DuckDB, clients against local servers.
	@# A file's tests stay in one process, because they share what its fixtures built; the files
	@# keep their order, in which tests/conftest.py puts the longest first.
	@$(PYTHON) -m pytest -n $(TEST_PROCESSES) --dist loadfile --no-loadscope-reorder $(TEST_ARGS)

test-api: $(INSTALLED) ## 2,000 generated requests to each group of the API's operations; some minutes.
	@AFTERPOST_TEST_API_CASES=2000 $(PYTHON) -m pytest -q tests/show/web/test_openapi.py

test-scale: $(SCALE_INSTALLED) ## Spark, PostgreSQL, RabbitMQ: the same rows, killed workers; a quarter of an hour.
	@sh tests/scale/install_servers.sh
	@AFTERPOST_TEST_SCALE=1 $(SCALE_PYTHON) -m pytest -n $(TEST_PROCESSES) --dist loadfile \
	  --no-loadscope-reorder tests/scale tests/end_to_end/test_restored_home.py \
	  tests/collect/test_mirror_kills.py $(TEST_ARGS)

bench: $(INSTALLED) ## Speed and memory of the raw load, of whole builds, and of showing; some minutes.
	@$(PYTHON) -m bench.load_raw
	@$(PYTHON) -m bench.pipeline_speed $(BENCH_ARGS)
	@$(PYTHON) -m bench.show_speed

docs: $(INSTALLED) ## Make docs/metrics.md, docs/cli.md and the exposures anew, and docs/site/ to open.
	@$(PYTHON) -m pipeline.show.documents.metrics_page
	@$(PYTHON) -m pipeline.show.documents.cli_page
	@$(PYTHON) -m pipeline.show.documents.exposures
	@PYTHONWARNINGS=ignore $(PYTHON) -m pipeline.show.documents.site

bench-truth: $(INSTALLED) ## Coverage, noise, power, choice and age in worlds whose truth is known; a minute.
	@$(PYTHON) -m bench.truth $(BENCH_ARGS)
	@$(PYTHON) -m bench.projection

bench-alerts: $(INSTALLED) ## False alarms and missed ones in simulated accounts; under a minute.
	@$(PYTHON) -m bench.alerts $(BENCH_ARGS)

bench-experiments: $(INSTALLED) ## False winners, power and coverage at a hundred looks; two minutes.
	@$(PYTHON) -m bench.experiments $(BENCH_ARGS)

bench-predict: $(INSTALLED) ## What posts will reach, said before: real posts and simulated worlds; three minutes.
	@$(PYTHON) -m bench.predict $(BENCH_ARGS)

bench-scale: $(SCALE_INSTALLED) ## DuckDB and Spark at 1, 10 and 30 million snapshots; hours.
	@$(SCALE_PYTHON) -m bench.scale $(BENCH_ARGS)
	@$(SCALE_PYTHON) -m bench.scale_limits

bench-web: $(INSTALLED) ## 50 clients read and write over HTTP while a build runs; two minutes.
	@$(PYTHON) -m bench.web_load $(BENCH_ARGS)

bench-loop: $(INSTALLED) ## Half a year of the whole loop in worlds with planted effects; some minutes.
	@$(PYTHON) -m bench.loop $(BENCH_ARGS)

evals: $(INSTALLED) ## Recorded replies of the model, replayed and scored; needs no key.
	@$(PYTHON) -m evals.replay $(EVALS_ARGS)

lint: $(INSTALLED) ## Style, types, SQL and which room may import which.
	@echo "ruff"; .venv/bin/ruff check . && .venv/bin/ruff format --check --quiet .
	@echo "mypy"; .venv/bin/mypy
	@echo "sqlfluff"; .venv/bin/sqlfluff lint --disable-progress-bar $(DBT_SQL)
	@echo "two engines"; $(PYTHON) -m dbt_project.lint.two_engines.check
	@echo "lint-imports"; .venv/bin/lint-imports --no-logo
	@echo "docs/metrics.md"; $(PYTHON) -m pipeline.show.documents.metrics_page --check
	@echo "docs/cli.md"; $(PYTHON) -m pipeline.show.documents.cli_page --check
	@echo "exposures"; $(PYTHON) -m pipeline.show.documents.exposures --check

check: lint test ## Everything that must be green before a change is merged.

format: $(INSTALLED) ## Write Python and SQL the way `make lint` wants them.
	@.venv/bin/ruff check --fix . && .venv/bin/ruff format .
	@.venv/bin/sqlfluff fix --disable-progress-bar $(DBT_SQL)

lock: ## Make requirements.lock anew from pyproject.toml (needs uv).
	@command -v uv >/dev/null || { \
	  echo "error: make lock needs uv on the PATH; everything else works without it." >&2; exit 1; }
	@uv pip compile pyproject.toml --group dev --universal --generate-hashes --upgrade --quiet \
	  --no-annotate --no-header --no-emit-index-url --python-version 3.11 \
	  --output-file requirements.lock
	@uv pip compile pyproject.toml --group dev --group scale-dev --extra scale --universal \
	  --generate-hashes --quiet --no-annotate --no-header --no-emit-index-url --no-strip-extras \
	  --python-version 3.11 --constraint requirements.lock --output-file requirements-scale.lock
	@echo "requirements.lock and requirements-scale.lock are new: run make check test-scale."

clean: ## Remove what can be made again: .venv, .demo, caches. Accounts and warehouse stay.
	@if [ -e .demo/.afterpost-demo ]; then rm -rf .demo; fi
	@rm -rf .venv .venv-scale .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	@rm -rf dbt_project/target dbt_project/logs
	@find pipeline tests -name __pycache__ -type d -prune -exec rm -rf {} +

# Made of the same Python as .venv, which is there first.
$(SCALE_INSTALLED): requirements-scale.lock pyproject.toml $(INSTALLED)
	@echo "1/2 installing the locked packages of the extra, which takes a few minutes the first time"
	@if ! $(SCALE_PYTHON) -m pip --version >/dev/null 2>&1; then \
	  rm -rf .venv-scale; $(PYTHON) -m venv .venv-scale; \
	fi
	@$(SCALE_PIP) install --require-hashes -r requirements-scale.lock
	@echo "2/2 installing afterpost itself"
	@$(SCALE_PIP) install --no-deps --no-build-isolation -e .
	@touch $@

$(INSTALLED): requirements.lock pyproject.toml
	@for candidate in "$$PYTHON_FOR_VENV" python3.13 python3.12 python3.11 python3 python; do \
	  [ -n "$$candidate" ] || continue; \
	  if "$$candidate" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' \
	    >/dev/null 2>&1; then found="$$candidate"; break; fi; \
	done; \
	if [ -z "$$found" ]; then \
	  echo "error: no Python from 3.11 up to 3.13 was found: install one, or name it, as in" \
	    "\`make PYTHON_FOR_VENV=/path/to/python3.12\`." >&2; exit 1; \
	fi; \
	if ! $(PYTHON) -m pip --version >/dev/null 2>&1; then \
	  echo "1/3 creating .venv with $$("$$found" --version 2>&1)"; \
	  rm -rf .venv; \
	  "$$found" -m venv .venv || { \
	    echo "error: $$found cannot create .venv: its venv module is missing or incomplete" \
	      "(on Debian and Ubuntu: install python3-venv)." >&2; exit 1; }; \
	fi
	@echo "2/3 installing the locked packages, which takes a few minutes the first time"
	@$(PIP) install --require-hashes -r requirements.lock
	@echo "3/3 installing afterpost itself"
	@$(PIP) install --no-deps --no-build-isolation -e .
	@$(PYTHON) -m compileall -q pipeline
	@touch $@
