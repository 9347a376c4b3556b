.PHONY: check test test-all test-models branch-coverage docs lock columns coverage proof speed

check:  ## lint, types and import rules
	uv run ruff check .
	uv run ruff format --check .
	uv run mypy
	uv run lint-imports

test:  ## the fast tests
	uv run pytest -m "not slow and not download"

test-all:  ## every test but those with real models; downloads packages
	uv run pytest

test-models:  ## the tests with real models, one at a time: two would slow each other down by far more than half
	uv run --extra local pytest -n 0 -m local_model

docs:  ## the documentation into site/; a broken link, a missing anchor or an unlisted page fails
	NO_MKDOCS_2_WARNING=1 uv run mkdocs build --strict

branch-coverage:  ## how much of the pure rooms, branch by branch, the core's tests alone reach; fails under the figure
	uv run pytest tests/core --cov --cov-report=term --cov-fail-under=98

lock:  ## requirements.lock from pyproject.toml, without addresses
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-annotate --custom-compile-command "make lock" --all-extras --group dev pyproject.toml -o requirements.lock

columns:  ## docs/columns: the columns of every result; those of the verdict table are printed, for verdict_table.md
	uv run python -c "from alignbench.report.results import write_pages; write_pages('docs/columns')"
	uv run python -c "from alignbench.table.columns import columns_page; print(columns_page())"

coverage:  ## re-simulate the coverage of the intervals; under 30 minutes on two cores
	uv run python -m benchmarks.coverage

proof:  ## count every simulated claim over 1,000 seeds; minutes
	uv run python -m benchmarks.proof

speed:  ## measure reading, memory and the cost of a sample
	uv run --extra local python -m benchmarks.speed
