# Needs a POSIX shell, git, Python 3.11 or later and a package registry. `make` explains itself.

PYTHON ?= python3
VENV ?= .venv
ARGS ?=

BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: help run test check audit format generate docs bench images print-images cluster e2e chaos cluster-down clean

help: ## explain every target
	@echo 'make TARGET'
	@echo
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/  \1 \2/p' $(firstword $(MAKEFILE_LIST)) \
		| while read -r target text; do printf '  %-15s %s\n' "$$target" "$$text"; done
	@echo
	@echo '  ARGS=...    goes to the command of run, test, docs or bench: make test ARGS="-k faults -x"'
	@echo '  PYTHON=...  makes the environment with another Python; default python3'
	@echo '  VENV=...    keeps it in another folder; default .venv'

run: $(READY) ## serve the API and its docs on :8000, metrics on :2121, with a PostgreSQL of its own
	@exec $(BIN)/orders dev $(ARGS)

test: $(READY) ## run every test, with a real PostgreSQL; TEST_DATABASE_URL names another
	@$(BIN)/python -m pytest --cov $(ARGS)

check: $(READY) ## check format, lint, types, layers, dead code, spelling, migrations, workflows, licences, generated files
	$(BIN)/ruff format --check --quiet
	$(BIN)/ruff check --quiet
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/vulture
	$(BIN)/codespell
	$(BIN)/orders migrate check
	$(BIN)/zizmor --offline --quiet .github
	@$(BIN)/python -m tools.licences
	@sh tools/generated check $(BIN)

audit: $(READY) ## look for known vulnerabilities of what uv.lock has; needs the database of pypi.org
	@sh tools/audit $(BIN)

format: $(READY) ## format the code, and fix what the linter can fix
	$(BIN)/ruff check --fix-only --quiet
	$(BIN)/ruff format --quiet

generate: $(READY) ## make the pages and files that come from the code
	@sh tools/generated write $(BIN)

docs: $(READY) ## build the docs site, which needs no network, in build/docs/site
	@$(BIN)/python -m tools.site $(ARGS)

bench: $(READY) ## measure the service against its peers, and write docs/benchmarks.md
	@$(BIN)/python -m bench $(ARGS)

images: ## build the container images, and print how big they are; IMAGE_BUILD names another builder
	@tools/images $(ARGS)

print-images: ## print TAG DOCKERFILE of every image, built with this folder as context
	@tools/images --list

release-dry-run: $(READY) ## make a release's wheels, chart, manifests and bills, pushed to a registry here
	@$(BIN)/python -m tools.release.dry_run

cluster: $(READY) ## make a kind cluster, build the images, install the chart; CONTRIBUTING.md says more
	@sh tools/cluster up $(BIN)

e2e: $(READY) ## test the chart and the operator in that cluster
	@ARGS="$(ARGS)" sh tools/cluster e2e $(BIN)

chaos: $(READY) ## disrupt a service under load in that cluster, and write docs/reliability.md
	@ARGS="$(ARGS)" sh tools/cluster chaos $(BIN)

cluster-down: ## delete that cluster
	@sh tools/cluster down

clean: ## remove environments and caches; the data of `make run` stay, in .orders
	rm -rf .venv .venv-* build/docs .cache .coverage* .hypothesis .import_linter_cache .mypy_cache \
		.pytest_cache .ruff_cache
	find common service operator tests bench chaos tools -name __pycache__ -prune -exec rm -rf {} +

$(READY): pyproject.toml common/pyproject.toml service/pyproject.toml operator/pyproject.toml uv.lock tools/environment
	@sh tools/environment '$(VENV)' '$(PYTHON)'
	@touch $@
