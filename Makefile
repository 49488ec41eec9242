# `make demo` and `make test` work from a clean clone: both build .venv first and skip that when it is up to date.
SHELL := /bin/bash
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.dramatis-setup
# The version everything is measured with; `make setup TORCH="torch==2.13.0 --index-url ..."` chooses another build.
TORCH ?= torch==2.13.0
# The first that runs and is new enough wins; a version manager's shim may exist and still run nothing.
PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3 python; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && { echo "$$p"; break; }; done)

.DEFAULT_GOAL := help
.PHONY: help setup demo demo-two demo-three check-formats test lint benchmark clean

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

setup: $(STAMP)  ## build .venv with the dramatis command in it

$(STAMP): pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "dramatis needs Python 3.11 or newer; install it, or run: make $(MAKECMDGOALS) PYTHON=/path/to/python3" >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $(TORCH)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	$(BIN)/dramatis models install-eyes || echo "Without them, pictures are seen by the mini's own network."
	@touch $@

demo: setup  ## render the bundled example into out/demo.mp4
	$(BIN)/dramatis generate --image examples/portrait.png --audio examples/speech.wav \
		--prompt "warm and happy, she nods, slow push-in" --output out/demo.mp4

demo-two: setup  ## two people, a track each, into out/two.mp4
	$(BIN)/dramatis generate --image examples/two.png --prompt "ann is happy, ben is sad" --output out/two.mp4 \
		--character name=ann,at=left,audio=examples/ann.flac --character name=ben,at=right,audio=examples/ben.flac

demo-three: setup  ## three people, one recording and subtitles that name them, into out/three.mp4
	$(BIN)/dramatis generate --image examples/three.png --audio examples/three.flac --subtitles examples/three.srt \
		--character name=dan --character name=ben --character name=cal --output out/three.mp4

check-formats: setup  ## film a second of two people in each number format
	mkdir -p build
	for name in ann ben; do $(BIN)/python -c 'import soundfile, sys; \
		samples, rate = soundfile.read(sys.argv[1], frames=16_000); soundfile.write(sys.argv[2], samples, rate)' \
		examples/$$name.flac build/$$name.flac; done
	for dtype in float32 bfloat16; do $(BIN)/dramatis generate --image examples/two.png --prompt "ann is happy" --quiet \
		--character name=ann,at=left,audio=build/ann.flac --character name=ben,at=right,audio=build/ben.flac \
		--dtype $$dtype --output build/two-$$dtype.mp4 || exit; done

test: setup  ## run the tests
	$(BIN)/python -m pytest --numprocesses auto

lint: setup  ## style, spelling, file sizes, types and import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/codespell
	$(BIN)/python .ci/check_files.py
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

benchmark: setup  ## measure the shipped weights on held-out people and voices
	$(BIN)/python benchmarks/run.py

clean:  ## remove what the targets above build, the virtual environment included
	rm -rf $(VENV) build dist out .pytest_cache .mypy_cache .ruff_cache
