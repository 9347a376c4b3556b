"""What judges, and other things with a digest, are called."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alignbench.digest import shown_digest

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = [
    "UNNAMED",
    "judge_in_full",
    "judge_names",
    "judge_with_configuration",
    "named_with_digest",
    "quoted_judges",
    "shown_digests",
]

UNNAMED = "unnamed judge"
"""What a judge without a name is called."""


def shown_digests(digests: Iterable[str], between: str = "/") -> str:
    """Different digests, the beginning of each; those that are not known are left out."""
    return between.join(sorted({shown_digest(one) for one in digests} - {""}))


def named_with_digest(name: str, digest: str = "") -> str:
    """A judge, rubric or pack with the beginning of its digest; empty without either."""
    return f"{name or 'unnamed'} ({shown_digest(digest)})" if digest else name


def judge_names(judges: Sequence[tuple[str, str]]) -> list[str]:
    """What judges are called side by side: by name, and by their configuration where one name stands for several.

    Args:
        judges: Name and digest of the configuration of each; both may be empty.
    """
    configurations: dict[str, set[str]] = {}
    for name, config in judges:
        configurations.setdefault(name, set()).add(config)
    return [
        f"{name or UNNAMED} {config or '(no configuration)'}" if len(configurations[name]) > 1 else name or UNNAMED
        for name, config in judges
    ]


def quoted_judges(judges: Sequence[tuple[str, str]]) -> list[str]:
    """What judges are called in an error: as a user would give them, with configurations where one of them has any.

    Args:
        judges: Name and digest of the configuration of each; both may be empty.
    """
    if not any(config for _, config in judges):
        return [repr(name) for name, _ in judges]
    return [f"{name!r} ({f'configuration {config}' if config else 'no configuration'})" for name, config in judges]


def judge_with_configuration(name: str, config: str) -> str:
    """A judge and its configuration, as far as they are known."""
    return f"{name} {config}".strip()


def judge_in_full(name: str, config: str, rubric_digest: str, packs: Iterable[str]) -> str:
    """All that a judge's card binds to: name, configuration, rubric and packs."""
    return f"{name} (configuration {config or 'none'}, rubric {rubric_digest}, on {', '.join(packs)})"
