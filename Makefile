# One short name per chore. Each sets itself up: the first use makes .venv and fills it from a lock file, by hash;
# later uses do nothing of that until a lock file changes.

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
ARGS ?=
# How many there are, what a worker runs and which comes first: tests/support/side_by_side.py. Memory is what more than
# four would be short of.
WORKERS := --maxprocesses 4 --dist loadscope --no-loadscope-reorder
# How others are served while one asks too much: beside other tests it would say how those load the machine.
ALONE := tests/overload

.DEFAULT_GOAL := help
.PHONY: help run page test test-page test-python helm clients artefacts torture fuzz conformance-rust bench bench-quick bench-long lint lint-python lint-page fix proto lock licences audit clean

help: ## what there is
	@sed -nE 's/^([a-z-]+):.*## (.*)/make \1	\2/p' $(MAKEFILE_LIST) | expand -t 24

# Where the sources of the page are, as in every checkout.
ifneq ($(wildcard web/package.json),)
PAGE := src/procession/server/page/index.html
PAGE_MODULES := web/node_modules/.made
PAGE_SOURCES := $(shell find web/index.html web/account.html web/vite.config.ts web/vite.account.config.ts web/package.json web/public web/src -type f ! -name '*.test.*')
# Node.js of the machine, unless one was installed into $(VENV) because there is none that is new enough.
NPM := cd web && PATH="$(CURDIR)/$(BIN):$$PATH" npm --silent
endif

run: $(VENV)/.runtime $(PAGE) ## start the server, its store and an agent for this machine (ARGS="--listen ..." is passed on)
	@exec $(BIN)/procession up $(ARGS)

page: $(VENV)/.runtime $(PAGE) ## build the page, if its sources have changed

test: $(if $(ARGS),,test-page) test-python ## run all tests (ARGS="-k name" is passed on to those in Python, and runs them alone)

test-page: $(PAGE_MODULES)
	$(if $(PAGE),$(NPM) test)

test-python: $(VENV)/.dev $(PAGE)
	$(BIN)/python -m pytest $(or $(ARGS),--numprocesses auto $(WORKERS) --ignore $(ALONE))
	$(if $(ARGS),,$(BIN)/python -m pytest $(ALONE))

# Compiled for two minutes where it was not before, which beside other tests would be more than a test may take.
helm: $(VENV)/.dev
	$(BIN)/python -m tests.support.helm

# Where they are not there, the tests of conformance build them first, and nothing else runs on that worker meanwhile.
clients: $(VENV)/.dev
	$(BIN)/python -m tests.conformance.clients

# Those that are quick are tried by `test` as well.
artefacts: $(VENV)/.dev $(VENV)/.node ## make what is handed to users out of the last commit, into dist, and try each of it
	$(BIN)/python -m release $(ARGS)

# The short form is part of `test`. Needs root for disks and networks of its own, and libfaketime; says what it leaves out.
torture: $(VENV)/.dev ## do to server and agent what the world does, in up to 30 minutes; writes the table in docs/reliability.md
	$(BIN)/python -m tests.torture $(ARGS)

fuzz: $(VENV)/.dev ## fuzz what strangers send, a minute each (ARGS="--seconds 600 search tags"); finds go to tests/fuzz/corpus
	$(BIN)/python -m tests.fuzz $(ARGS)

# The others are part of `test`; this one compiles for minutes, so it is built where that can be seen.
conformance-rust: $(VENV)/.dev ## run the tests of Datadog's clients with the one for Rust
	cd tests/conformance/rust && cargo build --locked
	PROCESSION_CONFORMANCE=rust $(BIN)/python -m pytest tests/conformance $(ARGS)

# Everybody else on the machine counts in what it measures: run it alone.
bench: $(VENV)/.bench ## measure Procession beside others, in about half an hour; writes bench/results and docs/performance.md
	$(BIN)/python -m bench $(ARGS)

bench-quick: $(VENV)/.dev ## two minutes of it: fails where a ratio is worse by half than in bench/results
	$(BIN)/python -m bench --quick $(ARGS)

bench-long: $(VENV)/.bench ## an hour: 10 M processes in the window, an hour of 5,000 hosts, seven days
	$(BIN)/python -m bench --long $(ARGS)

# In two parts, which `make -j 2 -O` runs side by side.
lint: lint-python lint-page ## check format, style, types and Kubernetes manifests

lint-python: $(VENV)/.dev $(VENV)/.manifests
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/kubernetes-validate --strict deploy/kubernetes/*.yaml

lint-page: $(PAGE_MODULES)
	$(if $(PAGE),$(NPM) run check)

fix: $(VENV)/.dev ## mend what can be mended by itself
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

proto: $(VENV)/.dev ## write the generated wire code anew from process.proto
	cd src && PATH="$(CURDIR)/$(BIN):$$PATH" python -m grpc_tools.protoc --proto_path=. --python_out=. --mypy_out=. \
		procession/wire/datadog/process.proto

# No index address may get into a lock file: hashes say what is meant, wherever it comes from.
COMPILE = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --no-header --no-annotate

lock: $(VENV)/.dev ## write the lock files anew from pyproject.toml (ARGS="--upgrade" takes newer versions)
	$(COMPILE) $(ARGS) pyproject.toml --extra server --group build --output-file requirements.lock
	$(COMPILE) $(ARGS) pyproject.toml --extra server --group dev --constraint requirements.lock --output-file requirements-dev.lock
	$(COMPILE) $(ARGS) pyproject.toml --constraint requirements.lock --output-file requirements-agent.lock
	$(COMPILE) $(ARGS) --group page --output-file requirements-page.lock
	$(COMPILE) $(ARGS) --group manifests --constraint requirements-dev.lock --output-file requirements-manifests.lock
	$(COMPILE) $(ARGS) --group audit --constraint requirements-dev.lock --output-file requirements-audit.lock
	$(COMPILE) $(ARGS) requirements-bench.in --constraint requirements-dev.lock --output-file requirements-bench.lock

licences: $(VENV)/.dev ## write docs/licences.md anew from the lock files
	$(BIN)/python -m tests.support.licences

# Of the lock files as they are, so that nothing is installed for it. The data are those of the Python and npm registries:
# strict, since a mirror without them would have it find nothing.
audit: $(VENV)/.audit $(VENV)/.node ## ask what is known to be wrong with what is locked
	$(BIN)/pip-audit --strict --disable-pip --require-hashes --requirement requirements.lock
	$(BIN)/pip-audit --strict --disable-pip --require-hashes --requirement requirements-dev.lock
	$(if $(PAGE),$(NPM) audit --audit=true)

clean: ## remove what the chores made; never what Procession stored
	rm -rf $(VENV) build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis .fuzz
	rm -rf src/procession/server/page web/node_modules
	rm -rf tests/conformance/*/node_modules tests/conformance/*/build tests/conformance/*/target
	find src tests bench -name __pycache__ -type d -prune -exec rm -rf {} +

# Tried by running them, since a name on the PATH may be a shim that leads nowhere, and Debian's python3 may lack venv.
$(VENV)/.made:
	@for python in $(PYTHON) python3.13 python3.12 python3.11 python3 python; do \
		if "$$python" -c 'import sys, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
			echo "procession: making $(VENV) with $$("$$python" --version), once"; \
			"$$python" -m venv --clear $(VENV) && touch $@; exit; \
		fi; \
	done; \
	found=$$(python3 --version 2>&1 || true); \
	echo "procession: needs Python 3.11 or newer with its venv module (here: $${found:-none}); install it" \
		"(Debian: apt install python3 python3-venv) or name one: make PYTHON=/path/to/python3.12" >&2; exit 1

$(VENV)/.runtime: $(VENV)/.made requirements.lock pyproject.toml
	@echo "procession: installing what it needs from requirements.lock"
	@$(PIP) install --require-hashes --requirement requirements.lock
	@$(PIP) install --no-deps --no-build-isolation --no-index --editable .
	@touch $@

# Holds all of requirements.lock in the same versions, so it serves for running too.
$(VENV)/.dev: $(VENV)/.made requirements-dev.lock pyproject.toml
	@echo "procession: installing what it needs from requirements-dev.lock"
	@$(PIP) install --require-hashes --requirement requirements-dev.lock
	@$(PIP) install --no-deps --no-build-isolation --no-index --editable .
	@touch $(VENV)/.runtime $@

$(VENV)/.node: $(VENV)/.made requirements-page.lock
	@if node -e 'const [a, b] = process.versions.node.split("."); process.exit(a > 20 || (a == 20 && b >= 19) ? 0 : 1)' \
		2>/dev/null && npm --version >/dev/null 2>&1; then :; else \
		echo "procession: getting Node.js from requirements-page.lock, since there is none from 20.19 on here"; \
		$(PIP) install --require-hashes --requirement requirements-page.lock; \
	fi
	@touch $@

web/node_modules/.made: $(VENV)/.node web/package-lock.json
	@echo "procession: installing what the page is made with from web/package-lock.json"
	@$(NPM) ci
	@touch $@

src/procession/server/page/index.html: web/node_modules/.made $(PAGE_SOURCES)
	@echo "procession: building the page"
	@$(NPM) run build -- --logLevel warn

$(VENV)/.audit: $(VENV)/.dev requirements-audit.lock
	@echo "procession: installing what it is audited with from requirements-audit.lock"
	@$(PIP) install --require-hashes --requirement requirements-audit.lock
	@touch $@

$(VENV)/.manifests: $(VENV)/.dev requirements-manifests.lock
	@echo "procession: installing the schemas of Kubernetes from requirements-manifests.lock"
	@$(PIP) install --require-hashes --requirement requirements-manifests.lock
	@touch $@

# Beside those for tests, not instead of them.
$(VENV)/.bench: $(VENV)/.dev requirements-bench.lock
	@echo "procession: installing what it is measured against from requirements-bench.lock"
	@$(PIP) install --require-hashes --requirement requirements-bench.lock
	@touch $@
