# Needs Python 3.11 or newer, git and make. Everything else goes into .venv and .nox.

VENV := .venv
NOX := $(VENV)/bin/nox
READY := $(VENV)/.ready
BOOTSTRAP_LOG := .cache/logs/bootstrap.log
# The first of these that runs, is new enough and can make virtual environments is used.
PYTHONS := $(PYTHON) python3 python3.14 python3.13 python3.12 python3.11 python

# The developer's own Python settings must not change what the tools see.
unexport PYTHONPATH PYTHONHOME VIRTUAL_ENV

.DEFAULT_GOAL := help
.PHONY: help demo test lint sanity unit integration molecule bench docs build release-check clean

help: ## Show this help
	@printf '\n  \033[1mdatastax.astra\033[0m: Astra DB audit log streaming under configuration management\n\n'
	@awk -F ' *:.*## ' '/^[a-z-]+:.*## / { printf "  make \033[36m%-14s\033[0m %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@printf '\n  Options for a session: make unit ARGS="-k region"\n\n'

demo: $(READY) ## From an empty service to organizations that stream, on an emulator; PULSAR=1 with a real Pulsar
	@NOX_QUIET=1 $(NOX) -s demo -- $(if $(PULSAR),--pulsar) $(ARGS)

test: $(READY) ## Run every check that a change must pass
	@$(VENV)/bin/python tests/sessions.py

lint unit molecule bench docs: $(READY)
	@$(NOX) -s $@ -- $(ARGS)

sanity integration: $(READY)
	@$(NOX) -t test -k $@ -- $(ARGS)

lint: ## Check style, types, documentation, changelog and what Galaxy thinks of the artifact
sanity: ## Run ansible-test sanity
unit: ## Run the tests that pytest runs
integration: ## Run the targets of ansible-test integration against the emulator
molecule: ## Run the role's scenarios against the emulator
bench: ## Measure the speed at fleet scale
docs: ## Build the documentation as HTML into build/docs

build: $(READY) ## Build the artifact into build/
	@NOX_QUIET=1 $(NOX) -s build

release-check: $(READY) ## Check that what is committed can be released
	@NOX_QUIET=1 $(NOX) -s release_check

clean: ## Remove everything that the other targets make
	@rm -rf .venv .nox .cache .hypothesis .pytest_cache .ruff_cache build

$(READY): requirements/bootstrap.txt
	@printf 'Preparing the tools in $(VENV) (once) ... '
	@rm -rf $(VENV) && mkdir -p $(dir $(BOOTSTRAP_LOG))
	@for python in $(PYTHONS); do \
	  if $$python -c 'import sys, ensurepip, venv; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then \
	    { $$python -m venv $(VENV) && $(VENV)/bin/python -m pip install --quiet --disable-pip-version-check -r $<; } \
	      >$(BOOTSTRAP_LOG) 2>&1 && touch $@ && echo done && exit 0; \
	    echo failed; cat $(BOOTSTRAP_LOG); exit 1; \
	  fi; \
	done; \
	echo failed; \
	echo 'No Python 3.11 or newer with its venv module was found. Install one (Debian and Ubuntu: apt install python3-venv),'; \
	echo 'or name it: make PYTHON=/path/to/python3 $(MAKECMDGOALS)'; \
	exit 1
