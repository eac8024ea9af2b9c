# `make help` says what there is. Everything happens in .venv; nothing outside this folder but pip's and vsa's caches.

PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3 python; do \
	$$p -c 'import ensurepip, sys, venv; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null \
	&& command -v $$p && break; done)
BIN := .venv/bin
READY := .venv/.ready

.PHONY: help install models demo test test-slow test-extras lint bench docs clean
.DEFAULT_GOAL := help

help:  ## say what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(READY)  ## a virtual environment in .venv with vsa (editable) and what development needs

$(READY): pyproject.toml
	@if [ ! -x $(BIN)/python ] && [ -z "$(PYTHON)" ]; then \
		echo "vsa needs Python 3.11, 3.12 or 3.13 with its venv module, and none was found." >&2; \
		echo "Install one (Debian: apt-get install python3 python3-venv), or name it: make PYTHON=/path/to/python3.11" >&2; \
		exit 2; \
	fi
	@[ -x $(BIN)/python ] || "$(PYTHON)" -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch $@

models: install  ## get the pretrained files that are missing
	@$(BIN)/vsa models verify >/dev/null 2>&1 || $(BIN)/vsa models pull

demo: install  ## the main job on a small simulated call; results in demo-out/
	$(BIN)/vsa demo demo-out

# The deselected ones need PyTorch: they are in test-extras.
PYTEST := OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --dist loadfile \
	--no-loadscope-reorder --deselect tests/voice/test_diarization.py::TestWhoseVoice

test: models  ## the tests, in under 10 minutes on 2 cores
	$(PYTEST) -m "not benchmark and not slow"

test-slow: models  ## the tests that take long
	$(PYTEST) -m slow

test-extras: models  ## the tests that need PyTorch (the extras `diarization` and `cuda`), in .venv-extras
	@[ -x .venv-extras/bin/python ] || $(BIN)/python -m venv .venv-extras
	.venv-extras/bin/python -m pip install --quiet --disable-pip-version-check torch==2.13.0 -e '.[dev,diarization,cuda]'
	.venv-extras/bin/python -m pytest tests/voice/test_diarization.py \
		tests/face/test_torch_*.py

lint: install  ## ruff (rules and layout) and mypy --strict
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: models  ## speed and accuracy, printed beside what they are compared with
	$(BIN)/python -m pytest tests/benchmarks -m benchmark -s --write-docs

docs: install  ## docs/features.md from the registry
	$(BIN)/vsa features list --markdown > docs/features.md

clean:  ## remove what the other targets made, but for .venv
	rm -rf build dist demo-out .bench .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find vsa tests -name __pycache__ -type d -prune -exec rm -rf {} +
