"""Who a model is, beyond its name: arguments and the settings that shape what it says."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from alignbench.digest import canonical_json, config_digest
from alignbench.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["judge_config", "model_family", "model_settings"]

_TRANSPORT = frozenset(
    ("max_retries", "timeout", "attempt_timeout", "stream_idle_timeout", "max_connections", "adaptive_connections",
     "extra_headers", "cache", "cache_prompt", "batch")
)  # fmt: skip
"""Generation settings that only carry a call, or hold credentials; every other one may change answers."""
_SECRET = re.compile(
    r"(^|_)(api_?keys?|secrets?|passwords?|passwd|passphrase|credentials?|authorization)(_|$)|(^|_)(key|token)$"
)
"""Names of secrets, in words joined by `_`: `api_key` and `hf_token`, but not `tokenizer_path` or `max_tokens`."""


def _is_secret(name: str) -> bool:
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    return _SECRET.search(re.sub(r"[^A-Za-z0-9]+", "_", words).lower()) is not None


def _open(value: Any) -> Any:
    """A setting without the secrets in it."""
    if isinstance(value, dict):
        return {name: _open(item) for name, item in value.items() if not _is_secret(str(name))}
    return [_open(item) for item in value] if isinstance(value, list | tuple) else value


def _settings(args: Mapping[str, Any], config: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments without secrets, and the settings that shape answers and are set."""
    shaping = {name: value for name, value in config.items() if name not in _TRANSPORT and value is not None}
    kept = {name: value for name, value in args.items() if not _is_secret(name)}
    chosen = {name: _open(value) for name, value in {**kept, **shaping}.items()}
    for name, value in chosen.items():
        try:
            canonical_json(value)
        except (TypeError, ValueError) as error:
            raise InputError(
                f"model argument {name}={value!r}", allowed="text, finite numbers, dates, lists and mappings of these"
            ) from error
    return chosen


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
