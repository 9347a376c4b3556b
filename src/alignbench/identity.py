"""Who a model is, beyond its name: arguments and the settings that shape what it says."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from alignbench.digest import canonical_json, config_digest

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["judge_config", "model_family", "model_settings"]

_SHAPING = frozenset(
    ("system_message", "max_tokens", "temperature", "top_p", "top_k", "seed", "frequency_penalty",
     "presence_penalty", "stop_seqs", "best_of", "reasoning_effort", "reasoning_tokens", "effort", "verbosity")
)  # fmt: skip
"""Generation settings that change answers; connections, retries and caches do not."""
_SECRET = ("key", "token", "secret", "password", "credential")


def _settings(args: Mapping[str, Any], config: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments without secrets, and the shaping settings that are set."""
    kept = {name: value for name, value in args.items() if not any(word in name.lower() for word in _SECRET)}
    return {**kept, **{name: config[name] for name in sorted(_SHAPING & set(config)) if config[name] is not None}}


def model_settings(args: Mapping[str, Any], config: Mapping[str, Any]) -> str:
    """Settings of a model as canonical JSON; empty where there are none."""
    chosen = _settings(args, config)
    return canonical_json(chosen) if chosen else ""


def judge_config(args: Mapping[str, Any], config: Mapping[str, Any]) -> str:
    """Digest of a judge's settings, 16 hex digits; empty where there are none."""
    return config_digest(_settings(args, config))


_MAKERS = {
    "anthropic": "claude",
    "openai": "gpt|chatgpt|o[1-9]|davinci",
    "google": "gemini|gemma|palm",
    "meta": "llama",
    "mistral": "mistral|mixtral|ministral|codestral|magistral",
    "alibaba": "qwen|qwq",
    "deepseek": "deepseek",
    "xai": "grok",
    "cohere": "command",
    "microsoft": "phi",
    "amazon": "nova|titan",
    "huggingface": "smollm",
}
_MAKER = {name: re.compile(rf"(?<![a-z])(?:{words})(?![a-z])") for name, words in _MAKERS.items()}


def model_family(name: str) -> str:
    """Who made a model, by its name: whoever serves it, a Claude is Anthropic's; else the provider, or the name itself.

    Only names are looked at: a fine-tune that has a name of its own is taken for a family of its own.

    Args:
        name: A model as Inspect names it, such as `openrouter/anthropic/claude-sonnet-4`.
    """
    lowered = name.lower()
    last = lowered.rsplit("/", 1)[-1]
    return next((maker for maker, words in _MAKER.items() if words.search(last)), lowered.rsplit("/", 1)[0])
