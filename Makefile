# The commands people type. `make chat` and `make test` work on a fresh machine with python3 >= 3.11,
# venv, a C++ compiler and make. The first of them installs; a second run starts at once.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.ONESHELL:
.DEFAULT_GOAL := help
PYTHON ?= python3
HOME_DIR ?= $(CURDIR)/.home
FOOTNOTE := .venv/bin/footnote --home "$(HOME_DIR)"
# a process of tests for each core, four at most (each takes up to 3 GB), with one thread of torch in each
PYTEST := OMP_NUM_THREADS=1 .venv/bin/python -m pytest -n auto --maxprocesses 4 --dist loadfile
# what runs, and what tests: marks that both lock files are installed
READY := .venv/ready
READY_DEV := .venv/ready-dev

.PHONY: help chat ask test quick lint check format bench faults generations train train-parts docs random-keys snapshots screen-speed picture walk wheel try-wheel lock clean

help:  ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

chat: $(READY) .home/seeds  ## the chat over seeds/ (without a terminal: three questions in plain text)
	@exec $(FOOTNOTE) --library default demo

ask: $(READY) .home/seeds  ## make ask Q="..." [ARGS=--json]: one question to seeds/
	@if [ -z "$${Q:-}" ]; then
	  echo 'say what to ask: make ask Q="How many individual sanctions has Russia faced?"' >&2; exit 2
	fi
	$(FOOTNOTE) ask $(ARGS) -- "$$Q"

.home/seeds: $(READY) $(wildcard seeds/*.txt)
	@echo "adding seeds/ to the demo library" >&2
	$(FOOTNOTE) add seeds
	touch .home/seeds

test: $(READY_DEV)  ## all tests
	@$(PYTEST)

quick: $(READY_DEV)  ## the tests that are not marked slow, without torch: about a minute
	@.venv/bin/python -m pytest -m "not slow"

lint: $(READY_DEV)  ## format, lint and types, without tests
	@.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy
	if grep -q '^\[tool\.importlinter' pyproject.toml; then .venv/bin/lint-imports; fi

check: lint  ## lint, then all tests
	@if [ "$(TESTS)" != no ]; then $(PYTEST); fi

format: $(READY_DEV)  ## write the format
	@.venv/bin/ruff format .
	.venv/bin/ruff check --fix .

bench: $(READY_DEV)  ## speeds as ratios, each to something measured in the same run (ARGS="--only again|memory|large|table": longer)
	@.venv/bin/python -m tests.bench $(ARGS)

faults: $(READY_DEV)  ## kills, crash points, damaged files and full disks on purpose (20 minutes; ARGS=--short)
	@.venv/bin/python -m tests.faults $(ARGS)

generations: $(READY_DEV)  ## 2,000 answers of models of random weights, and 200 stops (minutes; ARGS="--many 100": shorter)
	@.venv/bin/python -m tests.support.generations $(ARGS)
	.venv/bin/python -m tests.support.stops $(ARGS)

train: $(READY_DEV)  ## the reader's weights: make train DATA=sets/ OUT=folder/ (hours; continues where it was interrupted)
	@if [ -z "$${DATA:-}" ] || [ -z "$${OUT:-}" ]; then
	  echo 'say where: make train DATA=folder-of-sets OUT=folder' >&2; exit 2
	fi
	.venv/bin/python -m rag.training "$$DATA" "$$OUT" --planted seeds $(ARGS)

train-parts: $(READY_DEV)  ## the part reader's weights: make train-parts DATA=sets/ OUT=folder/ (80 minutes on two cores)
	@if [ -z "$${DATA:-}" ] || [ -z "$${OUT:-}" ]; then
	  echo 'say where: make train-parts DATA=folder-of-sets OUT=folder' >&2; exit 2
	fi
	.venv/bin/python -m rag.training.part_reader "$$DATA" "$$OUT" --start rag/models/reader.gguf $(ARGS)

docs: $(READY_DEV)  ## docs/cli.md and docs/configuration.md, generated from the code
	@.venv/bin/python -m tests.support.reference

random-keys: $(READY_DEV)  ## every key in every state, then random keys, clicks and sizes for SECONDS=300; ARGS=SEED repeats
	@EVERY_KEY=1 .venv/bin/python -m pytest tests/tui/test_tui_every_key.py
	@.venv/bin/python -m tests.tui.random_keys $(or $(SECONDS),300) $(ARGS)

snapshots: $(READY_DEV)  ## tests/tui/snapshots/: the text of the screen in every state (ARGS="NAME --svg FOLDER": one, with pictures)
	@.venv/bin/python -m tests.tui.snapshots $(ARGS)

screen-speed: $(READY_DEV)  ## keys, Esc, opening and first paint over a pty, each beside a figure of the same run (ARGS=--short)
	@.venv/bin/python -m tests.tui.speed $(ARGS)

picture: $(READY_DEV)  ## docs/screen.svg and docs/screens/*.svg: the screens over seeds/, with the built-in reader
	@.venv/bin/python -m tests.support.picture docs

walk: $(READY_DEV)  ## docs/walk.cast: a walk through the chat over seeds/, for asciinema play
	@.venv/bin/python -m tests.support.cast docs/walk.cast

wheel: $(READY_DEV)  ## dist/*.whl, and a list of what must be in it
	@rm -rf build dist
	.venv/bin/python -m pip wheel --quiet --no-deps --wheel-dir dist .
	.venv/bin/python -m tests.support.wheel dist

try-wheel: wheel  ## the wheel in an empty environment: install, add seeds, ask, demo (about ten minutes)
	@scratch=$$(mktemp -d); trap 'rm -rf "$$scratch"' EXIT
	.venv/bin/python -m tests.support.try_wheel dist "$$scratch"

lock:  ## both lock files again from pyproject.toml; pins stay (needs uv; ARGS=--upgrade renews them)
	@scratch=$$(mktemp -d); trap 'rm -rf "$$scratch"' EXIT
	echo "torch==2.13.0 ; sys_platform == 'never'" > $$scratch/override.txt
	printf '%s\n' filelock fsspec jinja2 networkx setuptools sympy typing-extensions > $$scratch/torch-needs.in
	compile() { uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	  --override $$scratch/override.txt $(ARGS) "$$@" pyproject.toml $$scratch/torch-needs.in; }
	cp requirements.lock $$scratch/run; cp requirements-dev.lock $$scratch/dev
	compile --output-file $$scratch/run
	grep -oE '^[a-z0-9._-]+==[^ ]+( ; [^\\]*)?' $$scratch/run > $$scratch/pins
	compile --extra dev --constraint $$scratch/pins $$(sed -E 's/==.*//; s/^/--no-emit-package /' $$scratch/pins) \
	  --output-file $$scratch/dev
	{ echo "# What runs: every package but torch, with hashes, for Python >= 3.11. make installs torch by itself,"
	  echo "# because its builds differ by machine (docs/architecture.md, \"Why torch has no hash\")."
	  cat $$scratch/run; } > requirements.lock
	{ echo "# What tests: the packages of the extra \"dev\" that requirements.lock does not have, with hashes."
	  cat $$scratch/dev; } > requirements-dev.lock

clean:  ## remove .venv, the demo library and what was built
	@rm -rf .venv .home build dist

# Shell functions of the two recipes below: `fail MESSAGE`, and `run WHAT COMMAND...`, which runs a
# command in the background and prints a line about it every 30 seconds.
define INSTALLER
fail() { echo "footnote: $$1" >&2; exit 1; }
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1 PIP_ROOT_USER_ACTION=ignore
export CMAKE_ARGS="$${CMAKE_ARGS:-} -DLLAVA_BUILD=OFF"
log=.venv/install.log
pip=".venv/bin/python -m pip install --progress-bar off"
run() {
  local what=$$1 started=$$SECONDS printed=0; shift
  echo "$$what ..." >&2
  "$$@" >> $$log 2>&1 & local job=$$!
  trap 'kill $$job 2>/dev/null; exit 130' INT TERM
  while kill -0 $$job 2>/dev/null; do
    sleep 1
    if [ $$((SECONDS - started - printed)) -ge 30 ]; then
      printed=$$((SECONDS - started)); echo "  still at it, $$((printed / 60)) min $$((printed % 60)) s" >&2
    fi
  done
  wait $$job || { tail -n 25 $$log >&2; fail "that failed; all of it is in $$log. Run the same command again when the cause is removed"; }
  trap - INT TERM
}
endef

# LLAMA=prebuilt takes a wheel of llama-cpp-python instead of compiling it; it has no hash in the lock.
$(READY): requirements.lock pyproject.toml
	@$(INSTALLER)
	command -v $(PYTHON) >/dev/null || fail "there is no $(PYTHON); install it: apt install python3 python3-venv"
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || fail "$$($(PYTHON) --version) is too old, 3.11 or newer is needed; name one: make chat PYTHON=python3.12"
	$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || fail "this Python cannot make virtual environments; install: apt install python3-venv"
	if [ "$(LLAMA)" != prebuilt ]; then
	  [ -n "$$(command -v c++ || command -v g++ || command -v clang++)" ] || fail "there is no C++ compiler, llama.cpp needs one; install: apt install build-essential (or take a prebuilt wheel: README, \"Without a compiler\")"
	fi
	[ -x .venv/bin/python ] || $(PYTHON) -m venv .venv
	: > $$log
	lock=requirements.lock
	if [ "$(LLAMA)" = prebuilt ]; then
	  lock=.venv/requirements.lock
	  awk '/^[^ ]/ { skip = /^llama-cpp-python==/ } !skip' requirements.lock > $$lock
	  llama=$$(grep -oE '^llama-cpp-python==[^ ]+' requirements.lock)
	  run "0 of 3  $$llama, prebuilt" $$pip --no-deps --only-binary :all: "$$llama"
	  run "1 of 3  packages" $$pip --require-hashes --no-deps -r $$lock
	else
	  run "1 of 3  packages, and llama.cpp is compiled (about ten minutes, once)" $$pip --require-hashes --no-deps -r $$lock
	fi
	run "2 of 3  torch 2.13.0" $$pip torch==2.13.0
	run "3 of 3  footnote itself" $$pip --no-deps -e .
	touch $@

$(READY_DEV): $(READY) requirements-dev.lock
	@$(INSTALLER)
	run "packages that test" $$pip --require-hashes --no-deps -r requirements-dev.lock
	touch $@
