# Every command sets up its own virtual environment in .venv on first use; nothing has to be installed before.
#   make train     train LeNet-5 on the bundled digits         make check    formats, lint, types, floors, version
#   make test      the whole test suite                        make format   put sources into the house format
#   make clean     remove the environment and everything built
#   make native-test   kernels against plain loops, whole networks on 1 to 4 threads, for each instruction set
#   make sanitize      the same under AddressSanitizer, UndefinedBehaviorSanitizer and ThreadSanitizer
#   make neon-test     the same built for 64-bit ARM, under an emulator
#   make exported-c-test   exported C under sanitizers, on an emulated Cortex-M4F and RISC-V: the same bits everywhere
#   make mutants       plant mistakes in a copy of the package and see whether a test notices; MUTANTS=200 SEED=0
#   make fuzz          every reader of foreign bytes, FUZZ_SECONDS each (an hour), with atheris where it installs
#   make wheels    wheels for Linux on x86-64 and ARM, glibc and musl, in dist/; WHEEL_ARGS="--twice --only abi3"
#   make docs      the book, the guide and the reference as a site, English and Chinese, in build/docs; fails where a
#                  translation is missing or stale; make translations brings the catalogues up to the English pages
#   make web       check, test and build the explorer's page from web/ into the package; needs Node, users need none
#   make bench     measure against the frameworks that are installed, on a quiet machine; BENCH_ARGS="--quick"
# Variables: PYTHON=python3.12  TRAIN_ARGS="..."  PYTEST_ARGS="-n 2 -k conv"

PYTHON      ?= python3
VENV        ?= .venv
TRAIN_ARGS  ?=
PYTEST_ARGS ?= -n auto
FUZZ_SECONDS ?= 3600
FUZZ_TARGETS ?=
MUTANTS     ?= 200
SEED        ?= 0

BIN        := $(VENV)/bin
STAMP      := $(VENV)/.installed
NATIVE     := $(shell find src/native -type f)
CPP        := $(filter %.cpp %.hpp %.h,$(NATIVE)) $(wildcard tests/native/*.?pp)
SCRIPTS    := $(wildcard scripts benchmarks examples docs/conf.py docs/_ext docs/book/*.py)
ARM        := aarch64-linux-gnu

NATIVE_TEST = $(MAKE) --no-print-directory -j$(shell getconf _NPROCESSORS_ONLN) \
  $(if $(filter output-sync,$(.FEATURES)),--output-sync) -f tests/native/native.mk PYTHON=$(BIN)/python

.DEFAULT_GOAL := test
.PHONY: install train test native-test sanitize neon-test exported-c-test mutants fuzz wheels web docs site-en site-zh translations bench check format clean

install: $(STAMP)

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "chainrule needs Python 3.11 or later; say make PYTHON=python3.x")'
	$(PYTHON) -m venv $(VENV)

# The build tools live in the same environment, so that a rebuild is incremental and finds nanobind where it was.
# Python sources are used in place (editable install); only native sources and build files ask for a new build.
$(STAMP): pyproject.toml CMakeLists.txt $(NATIVE) | $(BIN)/python
	@rm -f $@
	$(BIN)/python -m pip install --quiet --disable-pip-version-check cmake ninja \
	  $$($(BIN)/python -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["build-system"]["requires"])')
	@zig="$$($(BIN)/python scripts/build_backend.py)"; test -z "$$zig" || { \
	  echo "no C++ compiler on the PATH: taking the one of PyPI's $$zig" && \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check "$$zig"; }
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --editable '.[dev]'
	@touch $@

train: $(STAMP)
	$(BIN)/chainrule train $(TRAIN_ARGS)

test: $(STAMP)
	$(BIN)/python -m pytest --ignore=tests/oracle $(PYTEST_ARGS)

native-test: $(STAMP)
	$(NATIVE_TEST)

sanitize: $(STAMP)
	$(NATIVE_TEST) SANITIZER=address,undefined
	$(NATIVE_TEST) SANITIZER=thread

neon-test: $(STAMP)
	@for tool in $(ARM)-g++ qemu-aarch64; do command -v $$tool >/dev/null || { \
	  echo "$$tool is not here; on Debian: apt-get install g++-aarch64-linux-gnu qemu-user" >&2; exit 1; }; done
	$(NATIVE_TEST) CXX=$(ARM)-g++ EMULATOR="qemu-aarch64 -L /usr/$(ARM)" BUILD=build/native-test/neon

exported-c-test: $(STAMP)
	PYTHON=$(BIN)/python tests/interchange/c/emulated.sh

mutants: $(STAMP)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check 'mutmut>=3.8.1,<3.9'
	nice -n 19 $(BIN)/python scripts/mutants.py --count $(MUTANTS) --seed $(SEED) $(MUTANTS_ARGS)

# Coverage-guided where atheris has a wheel for this Python, else hypothesis; what is found lies in build/fuzz.
fuzz: $(STAMP)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check atheris || true
	nice -n 10 $(BIN)/python -m tests.fuzz $(FUZZ_SECONDS) $(FUZZ_TARGETS)

wheels: $(STAMP)
	$(BIN)/python scripts/build_wheels.py $(WHEEL_ARGS)

# One process for each language: both read the same pages, and share what cells and pages cost only in time.
SPHINX = $(BIN)/python -m sphinx -q -W --keep-going -b html
docs: $(STAMP) $(VENV)/.docs-installed docs/node_modules/.package-lock.json
	$(BIN)/python scripts/translations.py check
	$(MAKE) --no-print-directory -j2 site-en site-zh
	cp docs/_static/start.html build/docs/index.html

site-en:
	$(SPHINX) -d build/docs/.doctrees/en docs build/docs/en

site-zh:
	$(SPHINX) -d build/docs/.doctrees/zh -D language=zh_CN docs build/docs/zh

translations: $(STAMP) $(VENV)/.docs-installed
	$(BIN)/python scripts/translations.py update

docs/node_modules/.package-lock.json: docs/package-lock.json
	@command -v npm >/dev/null || { echo "formulas are made by Temml, which needs Node and npm" >&2; exit 1; }
	npm ci --silent --no-audit --no-fund --prefix docs

$(VENV)/.docs-installed: pyproject.toml | $(STAMP)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check \
	  $$($(BIN)/python -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["project"]["optional-dependencies"]["docs"])')
	@touch $@

# The same sources and lock file give the same bytes: CI compares what is built with what is committed.
web:
	@command -v npm >/dev/null || { echo "npm is not here; the page's sources in web/ need Node 20 or later" >&2; exit 1; }
	cd web && npm ci --silent --no-audit --no-fund && npm run --silent check && npm test --silent && npm run --silent build

bench: $(STAMP)
	$(BIN)/python -m benchmarks $(BENCH_ARGS)

check: $(STAMP)
	$(BIN)/ruff format --check src tests $(SCRIPTS)
	$(BIN)/ruff check src tests $(SCRIPTS)
	$(BIN)/mypy
	$(BIN)/clang-format --dry-run --Werror $(CPP)
	$(BIN)/lint-imports
	$(BIN)/python scripts/check_version.py

format: $(STAMP)
	$(BIN)/ruff check --fix src tests $(SCRIPTS)
	$(BIN)/ruff format src tests $(SCRIPTS)
	$(BIN)/clang-format -i $(CPP)

clean:
	rm -rf $(VENV) build dist .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	find src tests scripts -name __pycache__ -type d -prune -exec rm -rf {} +
