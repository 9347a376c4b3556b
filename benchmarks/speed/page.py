"""What was measured, as a Markdown page."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Line", "page"]

PACKAGES = ("inspect-ai", "msgspec", "numpy", "pandas", "pyarrow", "pydantic", "zipfile-zstd")


@dataclass(frozen=True, slots=True)
class Line:
    """One measurement.

    Attributes:
        what: What was measured.
        found: The number, with its unit.
        target: What it must be; empty where nothing was promised.
        met: Whether it is; None where nothing was promised.
    """

    what: str
    found: str
    target: str = ""
    met: bool | None = None


def page(lines: Sequence[Line], notes: Sequence[str], command: str) -> str:
    """The whole page: the numbers, how they came about, and on what machine."""
    verdict = {True: "met", False: "**missed**", None: ""}
    table = [f"| {line.what} | {line.found} | {line.target} | {verdict[line.met]} |" for line in lines]
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    return "\n".join(
        [
            "# Speed and memory",
            "",
            f"Written by `{command}`; please do not edit.",
            "",
            "| What | Found | Target | |",
            "|---|---|---|---|",
            *table,
            "",
            "## How",
            "",
            *(f"- {note}" for note in notes),
            "",
            "## Where",
            "",
            f"- {os.cpu_count()} cores ({platform.machine()}), {platform.system()}, Python {platform.python_version()}",
            f"- {packages}",
            "",
        ]
    )
