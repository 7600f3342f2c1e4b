# Needs a POSIX shell, git, Python 3.11 or later and a package registry. `make` explains itself.

PYTHON ?= python3
VENV ?= .venv
ARGS ?=

BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: help run test check format generate bench clean

help: ## explain every target
	@echo 'make TARGET'
	@echo
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  \1 \2/p' $(firstword $(MAKEFILE_LIST)) \
		| while read -r target text; do printf '  %-10s %s\n' "$$target" "$$text"; done
	@echo
	@echo '  ARGS=...    goes to the command of run, test or bench: make test ARGS="-k faults -x"'
	@echo '  PYTHON=...  makes the environment with another Python; default python3'
	@echo '  VENV=...    keeps it in another folder; default .venv'

run: $(READY) ## serve the API and its docs on :8000, metrics on :2121, with a PostgreSQL of its own
	@exec $(BIN)/orders dev $(ARGS)

test: $(READY) ## run every test, with a real PostgreSQL; TEST_DATABASE_URL names another
	@$(BIN)/python -m pytest --cov $(ARGS)

check: $(READY) ## check format, lint, types, layers, and that generated files are up to date
	$(BIN)/ruff format --check --quiet
	$(BIN)/ruff check --quiet
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	@sh scripts/generated check $(BIN)

format: $(READY) ## format the code, and fix what the linter can fix
	$(BIN)/ruff check --fix-only --quiet
	$(BIN)/ruff format --quiet

generate: $(READY) ## make the pages and files under docs/ that come from the code
	@sh scripts/generated write $(BIN)

bench: $(READY) ## measure the service against its peers, and write docs/benchmarks.md
	@$(BIN)/python -m bench $(ARGS)

clean: ## remove environments and caches; the data of `make run` stay, in .orders
	rm -rf .venv .venv-* .cache .coverage* .hypothesis .import_linter_cache .mypy_cache \
		.pytest_cache .ruff_cache
	find service tests bench scripts -name __pycache__ -prune -exec rm -rf {} +

$(READY): pyproject.toml service/pyproject.toml operator/pyproject.toml uv.lock scripts/environment
	@sh scripts/environment '$(VENV)' '$(PYTHON)'
	@touch $@
