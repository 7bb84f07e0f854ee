.DEFAULT_GOAL := help
.PHONY: help run test lint check soak format demo docs bench requirements

PY := .venv/bin/python
BASE := @tools/bootstrap.sh base
DEV := @tools/bootstrap.sh dev

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' Makefile | expand -t 22

run: ## Deploynix in the foreground, at http://localhost:8000 (PORT=8000 DATA=./var); Ctrl-C stops it
	$(BASE)
	@exec $(PY) -m deploynix.supervisor

test: ## every test suite that this machine can run
	$(DEV)
	@exec $(PY) -m tools.run_tests

lint: ## style, types, layers, security settings, documents: everything but the tests
	$(DEV)
	@tools/check.sh

check: lint ## what a commit has to pass: lint, and the unit tests on SQLite
	@$(PY) -m tools.run_tests unit

soak: ## the tests marked soak again, on thousands of examples and in many rounds: about half an hour
	$(DEV)
	@exec $(PY) -m tools.run_tests soak soak-postgresql soak-lab

demo: ## the main job, unattended, on a throw-away server (or HOST=root@address KEY=~/.ssh/id_ed25519)
	$(BASE)
	@exec $(PY) -m tools.demo

bench: ## what Deploynix costs, measured: one JSON document, after about a quarter of an hour
	$(DEV)
	@$(PY) -m bench

format: ## puts code and templates in the house's format
	$(DEV)
	@$(PY) -m ruff format . && $(PY) -m ruff check --fix . && git ls-files '*.html' | xargs -r .venv/bin/djade --target-version 5.2

docs: ## writes docs/generated/ anew
	$(DEV)
	@$(PY) -m tools.generate_docs

UV := .venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --custom-compile-command "make requirements"

requirements: ## pins what requirements/*.in name; add UPGRADE=--upgrade for the newest
	$(DEV)
	@$(UV) $(UPGRADE) requirements/base.in -o requirements/base.txt
	@$(UV) $(UPGRADE) requirements/dev.in -o requirements/dev.txt
