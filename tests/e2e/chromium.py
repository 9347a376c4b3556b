"""A headless Chromium for tests, driven by Selenium with the browser and the driver that the machine has."""

from __future__ import annotations

import shutil
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["chromium", "needs_chromium", "saved_file"]

_NAMES = ("chromium", "chromium-browser", "google-chrome")
_BROWSER = next((path for name in _NAMES if (path := shutil.which(name))), None)
_DRIVER = shutil.which("chromedriver")
_ARGUMENTS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--window-size=1100,900",
)

needs_chromium = pytest.mark.skipif(
    not (_BROWSER and _DRIVER),
    reason="needs Chromium and chromedriver (apt-get install chromium chromium-driver): "
    f"browser {_BROWSER or 'not found'}, driver {_DRIVER or 'not found'}",
)
"""Skips a test where there is no browser or no driver of it."""


@contextmanager
def chromium(folder: Path) -> Iterator[webdriver.Chrome]:
    """Start a headless Chromium whose profile and downloads lie in a folder of the test.

    Args:
        folder: An empty folder; files that a page saves come to `downloads` in it.
    """
    assert _BROWSER is not None
    downloads = folder / "downloads"
    downloads.mkdir()
    options = Options()
    options.binary_location = _BROWSER
    for argument in (*_ARGUMENTS, f"--user-data-dir={folder / 'profile'}"):
        options.add_argument(argument)
    options.add_experimental_option(
        "prefs", {"download.default_directory": str(downloads), "download.prompt_for_download": False}
    )
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("no_proxy", "localhost,127.0.0.1")
        # With both paths given, Selenium looks for neither and downloads nothing.
        with webdriver.Chrome(options=options, service=Service(_DRIVER)) as browser:
            yield browser


def saved_file(folder: Path, name: str) -> Path:
    """Wait for a file that the page saves.

    Args:
        folder: What `chromium` was given.
        name: The file's name.
    """
    file = folder / "downloads" / name
    for _ in range(100):
        if file.exists():
            return file
        time.sleep(0.1)
    raise AssertionError(f"{name} was not saved; there are {sorted(file.parent.iterdir())}")
