"""What every test lives under: no network but loopback, and nobody's keys or settings."""

from __future__ import annotations

import os
import shutil
import signal
import sys
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import pytest
from filelock import FileLock
from hypothesis import settings

if TYPE_CHECKING:
    from collections.abc import Callable


class Golden(Protocol):
    """The fixture `golden`: name of a file, the text found, and what makes two texts the same."""

    def __call__(self, name: str, text: str, *, same: Callable[[str, str], bool] = str.__eq__) -> None:
        """Compare, or write the file."""


SETTINGS = ("INSPECT_", "OPENAI_", "ANTHROPIC_")

# The small pack beside the core's tests serves the end-to-end tests too; the benchmarks are not installed.
sys.path += [str(Path(__file__).parent / "core"), str(Path(__file__).parents[1])]

# The same examples in every run: a failure is seen by everybody, or by nobody. HYPOTHESIS_PROFILE=default explores.
settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))

# Some tests send Ctrl-C, which what a shell runs in the background is started without.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

for _name in [name for name in os.environ if name.startswith(SETTINGS)]:
    del os.environ[_name]


def pytest_addoption(parser: pytest.Parser) -> None:
    """The flag that writes the files under tests/golden anew, instead of comparing with them."""
    parser.addoption("--refresh-golden", action="store_true", help="Write tests/golden anew; then read the diff.")


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Golden:
    """Compare a text with a file under tests/golden, or write it there with --refresh-golden."""

    def compare(name: str, text: str, *, same: Callable[[str, str], bool] = str.__eq__) -> None:
        file = Path(__file__).parent / "golden" / name
        if request.config.getoption("--refresh-golden"):
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        assert file.is_file(), f"no {name}: --refresh-golden writes it"
        kept = file.read_text(encoding="utf-8")
        assert same(text, kept) or text == kept, f"{name} has changed; if it should, --refresh-golden"

    return compare


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """The seed of the random order, which pytest-randomly prints in a header that `-q` leaves out."""
    if config.pluginmanager.hasplugin("randomly"):
        terminalreporter.write_line(f"The same order again: --randomly-seed={config.getoption('randomly_seed')}")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Downloads may reach out; long tests first, dealt out by file, so that no worker has many when others are done.

    pytest-randomly has shuffled before, by a seed that all workers share: they collect in one order.
    """
    for item in items:
        if item.get_closest_marker("download"):
            item.add_marker(pytest.mark.enable_socket)
    items[:] = _long_ones_first(items)


def _long_ones_first(items: list[pytest.Item]) -> list[pytest.Item]:
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    shares: list[list[pytest.Item]] = [[] for _ in range(workers)]
    short: list[pytest.Item] = []
    files: dict[Path, int] = {}
    for item in items:
        if item.get_closest_marker("slow"):
            shares[files.setdefault(item.path, len(files)) % workers].append(item)
        else:
            short.append(item)
    planned, rest = [], iter(short)
    for worker, share in enumerate(shares, start=1):
        planned += share
        # Each worker begins with as many tests in a row.
        planned += islice(rest, max(0, worker * len(items) // workers - len(planned)))
    return [*planned, *rest]


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, Callable[[Path], None]], Path]:
    """A folder that is filled once in a test run, whichever worker needs it first."""
    base = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        base = base.parent

    def folder(name: str, fill: Callable[[Path], None]) -> Path:
        target, done = base / name, base / f"{name}.done"
        with FileLock(base / f"{name}.lock"):
            if not done.exists():
                shutil.rmtree(target, ignore_errors=True)
                target.mkdir()
                fill(target)
                done.touch()
        return target

    return folder
