"""Errors of ours in one line, where Inspect's command line makes a model."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from alignbench.errors import AlignbenchError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["usage_errors"]


@contextmanager
def usage_errors() -> Iterator[None]:
    """Within a command of Inspect, raise our errors as usage errors, which it shows without a traceback."""
    try:
        yield
    except AlignbenchError as error:
        context = click.get_current_context(silent=True)
        if context is None or context.find_root().command.name != "inspect":
            raise
        raise click.UsageError(str(error)) from error
