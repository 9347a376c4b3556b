"""Who a model is, beyond its name: arguments and the settings that shape what it says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from alignbench.digest import canonical_json, config_digest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from inspect_ai.model import GenerateConfig, Model

__all__ = ["judge_identity", "settings", "settings_text"]

_SHAPING = (
    "system_message", "max_tokens", "temperature", "top_p", "top_k", "seed", "frequency_penalty", "presence_penalty",
    "stop_seqs", "best_of", "reasoning_effort", "reasoning_tokens", "effort", "verbosity",
)  # fmt: skip
_SECRET = ("key", "token", "secret", "password", "credential")


def settings(args: Mapping[str, Any], config: GenerateConfig) -> dict[str, Any]:
    """Arguments without secrets, and the generation settings that change answers (not connections or retries)."""
    chosen = {name: getattr(config, name, None) for name in _SHAPING}
    kept = {name: value for name, value in args.items() if not any(word in name.lower() for word in _SECRET)}
    return {**kept, **{name: value for name, value in chosen.items() if value is not None}}


def settings_text(args: Mapping[str, Any], config: GenerateConfig) -> str:
    """Settings as canonical JSON; empty where there are none."""
    chosen = settings(args, config)
    return canonical_json(chosen) if chosen else ""


def judge_identity(model: Model) -> tuple[str, str]:
    """Name and configuration digest of a judge."""
    return str(model), config_digest(settings(model.model_args, model.config))
