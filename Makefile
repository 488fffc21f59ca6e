# `make help` lists the targets. Each does its own set-up.
.DEFAULT_GOAL := help
.PHONY: help setup demo test check fix bench docs lock conformance clean
BIN := .venv/bin

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## Install what `make demo` needs
	@scripts/setup.sh run

demo: setup ## A guided tour with built-in mock providers: no keys, no services
	@$(BIN)/tiergate demo

test: ## Set up, then run all tests
	@scripts/setup.sh test
	$(BIN)/pytest -q -n 2 --dist loadfile

check: ## Format, lint, types, import contracts, spelling: what CI demands
	@scripts/setup.sh test
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/basedpyright
	$(BIN)/lint-imports
	$(BIN)/codespell src tests docs bench README.md CHANGELOG.md CONTRIBUTING.md
	$(BIN)/vulture

fix: ## Format and mend what can be mended
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: ## CPU per request and per streamed chunk, as ratios to nginx (Debian: nginx-light, wrk)
	@scripts/setup.sh test
	$(BIN)/python -m bench $(BENCH)

docs: ## Make the pages that come from the code, and build the site into site/
	@scripts/setup.sh test
	$(BIN)/python scripts/pages.py
	$(BIN)/zensical build --clean --strict

lock: ## Resolve the dependencies anew
	scripts/lock.sh

clean: ## Remove everything that set-up and tests made
	rm -rf .venv .tools .pytest_cache .hypothesis .ruff_cache build dist site
