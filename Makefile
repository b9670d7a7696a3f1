# mcphub: `make help` lists the targets.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
BIN := .venv/bin
REGISTRY ?=
VERSION ?=
ARCHITECTURES ?=
BASE ?=
KEY ?=
STAMP := .venv/.installed-by
PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt
# Most tests wait for databases, clusters and clients, so more run than there are CPUs.
WORKERS ?= 6
LANES := -n $(WORKERS) --dist loadgroup --no-loadscope-reorder --max-worker-restart 0
# Kept byte code saves each worker the compilation of all tests.
export PYTHONDONTWRITEBYTECODE :=
# Kubernetes and etcd collect garbage less often; their heaps are small in tests.
TEST_GOGC := 400
# What these need takes fifteen minutes to build on two CPUs.
RELEASE_TESTS := tests/manifests/test_chart.py tests/manifests/test_scanners.py \
  tests/integration/release/test_pipx.py \
  tests/manifests/test_checkov.py tests/integration/release/test_arm64.py \
  tests/integration/release/test_signing.py tests/integration/release/test_workflows.py
# Each image is built twice, without the layers of `make images`.
IMAGE_TESTS := tests/integration/release/test_reproducible.py
# A cluster of their own, whose nodes pull from a registry.
HELM_TESTS := tests/helm
# What a version of Kubernetes decides: the schema and its rules, what is applied and
# owned, permissions, and a hub's life on nodes of that version.
KUBERNETES_TESTS := tests/integration/crd tests/integration/operator/test_definition.py \
  tests/integration/operator/test_children.py tests/integration/operator/test_upgrades.py \
  tests/manifests/test_config.py tests/manifests/test_rbac.py \
  tests/integration/cluster tests/e2e/test_first_light.py tests/e2e/test_pods.py \
  tests/e2e/test_replicas.py tests/e2e/test_secrets.py
# Chromium is 400 MB of packages.
PAGE_TESTS := tests/page tests/oauth
# Jaeger and a collector take ten minutes to build on two CPUs.
TRACE_TESTS := tests/traces
# Each cause in turn, with the minutes that Kubernetes takes: `make operations` records them.
RECORDED_TESTS := tests/e2e/recorded
# A cluster of their own, and an engine for policies that takes minutes to build.
NETWORK_TESTS := tests/network
# PostGIS brings 100 MB of libraries.
EXTENSION_TESTS := tests/integration/extensions

.PHONY: help
help: ## List the targets
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 20

# ---------------------------------------------------------------- environment

$(STAMP): pyproject.toml constraints.txt
	@echo "== python environment (.venv)"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "mcphub needs Python 3.11 or newer; set PYTHON=python3.x")'
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv || $(MAKE) --no-print-directory venv
	@$(PIP_INSTALL) pip
	@$(PIP_INSTALL) -e '.[dev]'
	@touch $@

# Debian keeps venv in a package of its own.
.PHONY: venv
venv:
	@rm -rf .venv
	@if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  apt-get update -qq && apt-get install -y -qq python3-venv >/dev/null; \
	else \
	  echo "Python's venv module is missing: install python3-venv, then repeat." >&2; exit 1; \
	fi
	@$(PYTHON) -m venv .venv

.PHONY: env
env: $(STAMP) ## Make or refresh the Python environment in .venv

# ---------------------------------------------------------------- a first run

.PHONY: quickstart
quickstart: env ## Create a cluster, the operator, a trial database and a hub; print client configurations
	@$(BIN)/python -m tools.quickstart up

.PHONY: quickstart-down
quickstart-down: env ## Remove the cluster of the quickstart
	@$(BIN)/python -m tools.quickstart down

# ------------------------------------------------------------- without Kubernetes

COMPOSE := docker compose --file examples/compose/compose.yml

.PHONY: compose-up
compose-up: ## Start three instances, nginx, a trial database and monitoring with Docker
	@examples/compose/prepare
	@$(COMPOSE) up --build --detach --wait

.PHONY: compose-down
compose-down: ## Stop what compose-up started; volumes and secrets stay
	@$(COMPOSE) down

.PHONY: compose-logs
compose-logs: ## Follow the logs of what compose-up started
	@$(COMPOSE) logs --follow --tail 100

# --------------------------------------------------------------------- checks

.PHONY: format
format: env ## Rewrite the code in the project's format
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

# The byte code of all tests is written here, once, and not by each worker for itself.
.PHONY: collected
collected: env
	@found=$$($(BIN)/pytest --collect-only -q tests 2>&1) || { echo "$$found" >&2; exit 1; }

.PHONY: lint
lint: env ## Check format, lint, types, import contracts, sleeps in tests and words
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/python -m tools.check_sleeps tests
	@$(BIN)/python -m tools.check_words

.PHONY: check
check: lint ## Run the quick checks: lint and the unit tests
	@$(BIN)/pytest -q $(LANES) tests/unit

.PHONY: test
test: env ## Run every check and every test against real components
	@$(MAKE) --no-print-directory -j2 collected lint images
	@$(MAKE) --no-print-directory parts
	@GOGC=$(TEST_GOGC) $(BIN)/pytest $(LANES) \
	  $(addprefix --ignore=,$(RELEASE_TESTS) $(HELM_TESTS) $(PAGE_TESTS) $(RECORDED_TESTS) \
	    $(NETWORK_TESTS) $(EXTENSION_TESTS) $(TRACE_TESTS) $(IMAGE_TESTS)) tests

.PHONY: test-release
test-release: env ## Test chart, wheels, workflows and scanners' findings (builds Helm, kube-score, actionlint, cosign)
	@for program in helm4 kube-score actionlint cosign; do \
	  $(BIN)/python -m tools.programs.build $$program; done
	@$(BIN)/python -m tools.programs.install checkov pipx
	@$(BIN)/pytest $(LANES) $(RELEASE_TESTS)

.PHONY: test-images
test-images: env ## Build both images twice with buildah, and compare them (needs root)
	@$(BIN)/pytest $(IMAGE_TESTS)

.PHONY: test-helm
test-helm: images ## Install, upgrade, roll back and remove the chart on a cluster (builds Helm)
	@$(BIN)/python -m tools.programs.build helm4
	@MCPHUB_CLUSTER_PROVIDER=own $(BIN)/pytest $(HELM_TESTS)

.PHONY: test-kubernetes
test-kubernetes: export MCPHUB_KUBERNETES = $(VERSION)
test-kubernetes: images ## Test on another version of Kubernetes (VERSION=1.34.4; builds it)
	@tools/cluster/kind version
	@tools/cluster/kind build
	@MCPHUB_CLUSTER_PROVIDER=own $(BIN)/pytest $(KUBERNETES_TESTS)

.PHONY: test-page
test-page: env ## Test the page at / and signing in with OAuth, in headless Chromium (installs it)
	@$(BIN)/pytest $(PAGE_TESTS)

.PHONY: test-network
test-network: images ## Test IPv6, NetworkPolicies, TLS and routes on a dual-stack cluster
	@$(BIN)/python -m tools.programs.build kube-network-policies
	@MCPHUB_CLUSTER_PROVIDER=own $(BIN)/pytest $(NETWORK_TESTS)

.PHONY: test-extensions
test-extensions: env ## Test the SQL guard on PostgreSQL with PostGIS and 40 more extensions (installs them)
	@$(BIN)/pytest $(EXTENSION_TESTS)

.PHONY: test-traces
test-traces: env ## Test traces with an OpenTelemetry Collector and Jaeger (builds both)
	@for program in otelcol jaeger; do \
	  $(BIN)/python -m tools.programs.build $$program; done
	@$(BIN)/pytest $(TRACE_TESTS)

.PHONY: test-plugin
test-plugin: images ## Test each command of `kubectl mcphub`, installed with pipx, on a cluster
	@$(BIN)/python -m tools.programs.install pipx
	@MCPHUB_PLUGIN=pipx $(BIN)/pytest tests/e2e/test_kubectl_mcphub.py --write-operations

.PHONY: pictures
pictures: env ## Draw the page at / (in Chromium) and the dashboards for the documentation
	@$(BIN)/python -m tests.page.pictures
	@$(BIN)/python -m tests.integration.monitoring.pictures

.PHONY: integrations
integrations: env ## Let each agent framework use a hub (once: 3 GB of packages; 5 min)
	@$(BIN)/pytest -rA tools/integrations

.PHONY: bench-faults
bench-faults: env ## Measure calls of fifty clients under faults (20 min)
	@$(BIN)/python -m benchmarks.faults

.PHONY: operations
operations: images ## Record kubectl's output for docs/operations.md on a real cluster
	@$(BIN)/pytest tests/e2e --ignore tests/e2e/alone/test_faults.py --write-operations

.PHONY: transitions
transitions: env ## Try many more generated changes of a hub's spec than `make test` does
	@$(BIN)/pytest -rP tests/integration/operator/faults/test_transitions.py --pairs 300

.PHONY: bench-server
bench-server: env ## Measure the cost of the server, as ratios; needs an idle machine
	@$(BIN)/python -m benchmarks

.PHONY: bench-peers
bench-peers: env ## Compare the server's cost with MCP Toolbox's; needs an idle machine
	@$(BIN)/python -m benchmarks.peers

.PHONY: bench-overview
bench-overview: env ## Compare what a model reads of 2,000 tables with dbhub and MCP Toolbox
	@$(BIN)/python -m benchmarks.overview

.PHONY: plots
plots: env ## Measure and draw the plots of docs/performance.md; needs an idle machine
	@$(PIP_INSTALL) -e '.[plots]'
	@$(BIN)/python -m benchmarks.plots

.PHONY: bench-connections
bench-connections: env ## Measure many sessions and the reaction of the autoscaler (8 min)
	@$(BIN)/python -m benchmarks.connections
	@$(BIN)/python -m benchmarks.connections.autoscaler

.PHONY: bench-operator
bench-operator: env ## Measure the cost of the operator, as ratios; needs an idle machine
	@$(BIN)/python -m benchmarks.operator

.PHONY: fault-matrix
fault-matrix: env ## Run the operator under every fault; write the table in docs/reliability.md (30 min)
	@MCPHUB_FAULTS=full MCPHUB_FAULT_TABLE=docs/reliability.md \
	  $(BIN)/pytest -q tests/integration/operator/faults

.PHONY: crd
crd: env ## Generate crds/, docs/reference.md, docs/fields.md and parts of the chart
	@$(BIN)/python -m mcphub_operator.crd > crds/mcphubs.yaml
	@$(BIN)/python -m mcphub_operator.crd_reference > docs/reference.md
	@$(BIN)/python -m mcphub_operator.ownership_reference > docs/fields.md
	@$(BIN)/python -m tools.dashboards
	@$(BIN)/python -m tools.release.chart

.PHONY: docs
docs: env ## Build the documentation site in build/site; fail on a broken link
	@$(BIN)/python -m tools.docs_site

# ------------------------------------------------------------------- releases

.PHONY: dist
dist: env ## Write dist/: manifests and chart with the images of a registry (REGISTRY=, VERSION=)
	@$(BIN)/python -m tools.release.dist --registry "$(REGISTRY)" --version "$(VERSION)"

.PHONY: wheel
wheel: env ## Build the wheel with all three programs in dist/
	@$(BIN)/python -m pip wheel --quiet --disable-pip-version-check --no-deps --wheel-dir dist .

.PHONY: test-helm3
test-helm3: env ## Test the chart with Helm 3; `make test-release` does with Helm 4
	@$(BIN)/python -m tools.programs.build helm3
	@MCPHUB_HELM=helm3 $(BIN)/pytest tests/manifests/test_chart.py

.PHONY: release
release: env ## Check that tree, changelog, chart, manifests and docs agree on VERSION=
	@$(BIN)/python -m tools.release.check check --version "$(VERSION)"

.PHONY: version
version: env ## Write VERSION= into every place, and give the changelog its section
	@$(BIN)/python -m tools.release.check set --version "$(VERSION)"

.PHONY: notes
notes: env ## Print the changelog's section of VERSION=
	@$(BIN)/python -m tools.release.check notes --version "$(VERSION)"

.PHONY: publish
publish: env ## Build and push both images (REGISTRY=, ARCHITECTURES="amd64 arm64", BASE=, KEY=)
	@$(BIN)/python -m tools.release.publish --registry "$(REGISTRY)" \
	  --version "$(VERSION)" --architectures "$(ARCHITECTURES)" --base "$(BASE)" \
	  --key "$(KEY)"

.PHONY: parts
parts: env ## Build and fetch what the tests need (once; 8 min on a fresh machine)
	@$(BIN)/python -m tests.support.prepare

.PHONY: images
images: env ## Build the images of the server and the operator
	@$(BIN)/python -m tools.quickstart images

.PHONY: clean
clean: ## Remove what make created in this checkout
	@rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis .coverage
