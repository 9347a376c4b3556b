"""A group of commands whose modules are imported when they run."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["LazyGroup"]


class LazyGroup(click.Group):
    """A group that imports a command's module only when the command runs.

    Args:
        package: The package that the modules stand in; `judge-x` lives in the module `judge_x`, as `command`.
        helps: Command and its one-line help, in the order in which a newcomer meets them.
    """

    def __init__(self, *args: Any, package: str, helps: Mapping[str, str], **options: Any) -> None:
        super().__init__(*args, **options)
        self.package, self.helps = package, helps

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  (click's signature)
        """Return the names in their order."""
        return list(self.helps)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002  (click's)
        """Import the command's module and return its `command`."""
        if cmd_name not in self.helps:
            return None
        module = importlib.import_module(f"{self.package}.{cmd_name.replace('-', '_')}")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002  (click's)
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(self.helps.items()))
