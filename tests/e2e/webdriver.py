"""A browser driven over W3C WebDriver: plain JSON over loopback HTTP."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.error import URLError
from urllib.request import ProxyHandler, Request, build_opener

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["ARROW_LEFT", "ARROW_RIGHT", "DRIVER", "ENTER", "Browser", "browser"]

DRIVER = shutil.which("chromedriver")
_CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
_OPENER = build_opener(ProxyHandler({}))
ENTER, ARROW_LEFT, ARROW_RIGHT = "\ue007", "\ue012", "\ue014"
"""WebDriver's names of keys without a character."""


@dataclass(frozen=True, slots=True)
class Browser:
    """A session.

    Attributes:
        base: Address of the session.
        downloads: Where saved files go.
    """

    base: str
    downloads: Path

    def call(self, path: str, **body: Any) -> Any:
        """Send a command and return its value."""
        return _send(self.base + path, body)

    def open(self, page: Path) -> None:
        """Show a file."""
        self.call("/url", url=page.as_uri())

    def press(self, *keys: str) -> None:
        """Press and release keys, one after the other."""
        moves = [{"type": kind, "value": key} for key in keys for kind in ("keyDown", "keyUp")]
        self.call("/actions", actions=[{"type": "key", "id": "keyboard", "actions": moves}])

    def run(self, script: str) -> Any:
        """Run JavaScript in the page and return what it returns."""
        return self.call("/execute/sync", script=script, args=[])

    def download(self, name: str) -> Path:
        """Wait for a saved file."""
        file = self.downloads / name
        for _ in range(100):
            if file.exists():
                return file
            time.sleep(0.1)
        raise AssertionError(f"{name} was not saved; there are {sorted(self.downloads.iterdir())}")


def _send(address: str, body: dict[str, Any], method: str = "POST") -> Any:
    data = json.dumps(body).encode() if method == "POST" else None
    with _OPENER.open(Request(address, data, {"Content-Type": "application/json"}, method=method), timeout=60) as reply:
        return json.load(reply)["value"]


@contextmanager
def browser(folder: Path) -> Iterator[Browser]:
    """Start a headless Chromium with a profile of its own in `folder`."""
    assert DRIVER is not None
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    downloads = folder / "downloads"
    downloads.mkdir()
    options = {
        "args": ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--window-size=1100,900",
                 "--disable-background-networking", f"--user-data-dir={folder / 'profile'}"],
        "prefs": {"download.default_directory": str(downloads), "download.prompt_for_download": False},
        **({"binary": _CHROMIUM} if _CHROMIUM else {}),
    }  # fmt: skip
    with subprocess.Popen([DRIVER, f"--port={port}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as driver:
        try:
            _wait(f"http://127.0.0.1:{port}/status")
            asked = {"capabilities": {"alwaysMatch": {"goog:chromeOptions": options}}}
            session = _send(f"http://127.0.0.1:{port}/session", asked)["sessionId"]
            base = f"http://127.0.0.1:{port}/session/{session}"
            try:
                yield Browser(base, downloads)
            finally:
                _send(base, {}, "DELETE")
        finally:
            driver.terminate()


def _wait(address: str) -> None:
    for _ in range(100):
        try:
            _OPENER.open(address, timeout=5).close()
        except (URLError, ConnectionError):
            time.sleep(0.1)
        else:
            return
    raise AssertionError(f"no driver at {address}")
