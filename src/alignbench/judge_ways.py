"""How a judge had to be asked, as a part of who it is: the same model without a schema is another instrument."""

from __future__ import annotations

__all__ = ["as_asked", "as_configured"]

IN_WORDS, NO_SYSTEM_ROLE = "in_words", "no_system_role"


def as_asked(config: str, *, structured: bool, system_role: bool) -> str:
    """The configuration of a judge with how it was asked: a digest alone where nothing had to be left out.

    Args:
        config: Digest of the judge's settings; empty where there are none.
        structured: Whether its replies were bound to the schema.
        system_role: Whether its instructions stood in a system message.
    """
    ways = ["" if structured else IN_WORDS, "" if system_role else NO_SYSTEM_ROLE]
    return "+".join(filter(None, [config, *ways]))


def as_configured(config: str) -> str:
    """The digest of a judge's settings alone, however it then had to be asked."""
    return "+".join(part for part in config.split("+") if part not in (IN_WORDS, NO_SYSTEM_ROLE))
