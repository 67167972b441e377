# The commands people type. `make chat` and `make test` work on a fresh machine with python3 >= 3.11, venv, a C++ compiler and make.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.ONESHELL:
.DEFAULT_GOAL := help
PYTHON ?= python3
HOME_DIR ?= $(CURDIR)/.home
FOOTNOTE := .venv/bin/footnote --home "$(HOME_DIR)"
READY := .venv/ready

.PHONY: help chat ask test quick check format bench faults train lock clean

help:  ## this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 10

chat: $(READY) .home/seeds  ## the chat over seeds/ (without a terminal: three questions in plain text)
	@if [ -t 0 ] && [ -t 1 ]; then exec $(FOOTNOTE); fi
	for question in "How many individual sanctions has Russia faced?" "Whom did Lavrov meet in New Delhi?" \
	    "What did Borrell say about Russia in Africa?"; do
	  echo "❯ $$question"; $(FOOTNOTE) ask "$$question"; echo
	done

ask: $(READY) .home/seeds  ## make ask Q="..." [ARGS=--json]: one question to seeds/
	@if [ -z "$${Q:-}" ]; then echo 'say what to ask: make ask Q="How many individual sanctions has Russia faced?"' >&2; exit 2; fi
	$(FOOTNOTE) ask $(ARGS) -- "$$Q"

.home/seeds: $(READY) $(wildcard seeds/*.txt)
	@echo "adding seeds/ to the demo library" >&2
	$(FOOTNOTE) add seeds
	touch .home/seeds

test: $(READY)  ## all tests
	@.venv/bin/python -m pytest

quick: $(READY)  ## the tests without the slow ones
	@.venv/bin/python -m pytest -m "not slow"

check: $(READY)  ## format, lint, types, tests
	@.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy
	if [ "$(TESTS)" != no ]; then .venv/bin/python -m pytest; fi

format: $(READY)  ## write the format
	@.venv/bin/ruff format .
	.venv/bin/ruff check --fix .

bench: $(READY)  ## speeds as ratios, each to something measured in the same run (ARGS="--only again|memory|large": what takes longer)
	@.venv/bin/python -m tests.bench $(ARGS)

faults: $(READY)  ## what may break, broken on purpose: kills, crash points, damaged files, full disks (20 minutes; ARGS=--short)
	@.venv/bin/python -m tests.faults $(ARGS)

train: $(READY)  ## the reader's weights: make train DATA=sets/ OUT=folder/ (hours; goes on where it was interrupted)
	@if [ -z "$${DATA:-}" ] || [ -z "$${OUT:-}" ]; then echo 'say where: make train DATA=folder-of-sets OUT=folder' >&2; exit 2; fi
	.venv/bin/python -m rag.training "$$DATA" "$$OUT" --planted seeds $(ARGS)

lock:  ## requirements.lock again, from pyproject.toml (needs uv)
	@scratch=$$(mktemp -d); trap 'rm -rf $$scratch' EXIT
	echo "torch==2.13.0 ; sys_platform == 'never'" > $$scratch/override.txt
	printf '%s\n' filelock fsspec jinja2 networkx setuptools sympy typing-extensions > $$scratch/torch-needs.in
	echo "# Every package but torch, with hashes, for Python >= 3.11. torch has builds that differ by machine: make installs it by itself." > $$scratch/lock
	uv pip compile --universal --python-version 3.11 --generate-hashes --extra dev --override $$scratch/override.txt --no-header \
	  --no-annotate pyproject.toml $$scratch/torch-needs.in >> $$scratch/lock
	mv $$scratch/lock requirements.lock

clean:  ## remove .venv and the demo library
	@rm -rf .venv .home

$(READY): requirements.lock pyproject.toml
	@fail() { echo "footnote: $$1" >&2; exit 1; }
	command -v $(PYTHON) >/dev/null || fail "there is no $(PYTHON); install it: apt install python3 python3-venv"
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || fail "$$($(PYTHON) --version) is too old, 3.11 or newer is needed; name one: make chat PYTHON=python3.12"
	$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || fail "this Python cannot make virtual environments; install: apt install python3-venv"
	[ -n "$$(command -v c++ || command -v g++ || command -v clang++)" ] || fail "there is no C++ compiler, llama.cpp needs one; install: apt install build-essential"
	[ -x .venv/bin/python ] || $(PYTHON) -m venv .venv
	export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1 PIP_ROOT_USER_ACTION=ignore CMAKE_ARGS="$${CMAKE_ARGS:-} -DLLAVA_BUILD=OFF"
	log=.venv/install.log; : > $$log
	run() {  # run WHAT COMMAND...: the command in the background, a line about it every 30 seconds
	  local what=$$1 started=$$SECONDS; shift
	  echo "$$what ..." >&2
	  "$$@" >> $$log 2>&1 & local job=$$!
	  trap 'kill $$job 2>/dev/null; exit 130' INT TERM
	  local told=0
	  while kill -0 $$job 2>/dev/null; do
	    sleep 1
	    if [ $$((SECONDS - started - told)) -ge 30 ]; then told=$$((SECONDS - started)); echo "  still at it, $$((told / 60)) min $$((told % 60)) s" >&2; fi
	  done
	  wait $$job || { tail -n 25 $$log >&2; fail "that failed; all of it is in $$log. Run the same command again when it is mended"; }
	  trap - INT TERM
	}
	pip=".venv/bin/python -m pip install --progress-bar off"
	run "1 of 3  packages, and llama.cpp is compiled (about ten minutes, once)" $$pip --require-hashes --no-deps -r requirements.lock
	run "2 of 3  torch 2.13.0" $$pip torch==2.13.0
	run "3 of 3  footnote itself" $$pip --no-deps -e .
	touch $@
