"""Digests that answer one question: is this the same content?"""

from __future__ import annotations

import hashlib
import json
import unicodedata
from datetime import date
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Json", "canonical_json", "config_digest", "digest", "short_digest", "shown_digest", "unit_interval"]

_SHOWN = 12
"""Digits that a reader is shown."""

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]


def _normal(value: object) -> Json:
    if isinstance(value, str):
        return unicodedata.normalize("NFC", value.replace("\r\n", "\n").replace("\r", "\n"))
    if isinstance(value, dict):
        return {str(_normal(str(key))): _normal(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_normal(item) for item in value]
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, date):
        # YAML makes dates of text that looks like one; logs keep them as ISO text.
        return value.isoformat()
    raise TypeError(f"cannot digest {value!r} of type {type(value).__name__}")


def canonical_json(value: object) -> str:
    """JSON with sorted keys, NFC text and LF line ends, so that equal content has equal text."""
    return json.dumps(_normal(value), sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def digest(value: object) -> str:
    """Sha256 of the canonical JSON, 64 hex digits."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()


def short_digest(value: object) -> str:
    """First 16 hex digits of `digest`: short enough to print, long enough not to collide here."""
    return digest(value)[:16]


def unit_interval(*parts: object) -> float:
    """A number in [0, 1) that depends on `parts` only: the same in every process, on every machine."""
    text = "\x1f".join(str(part) for part in parts)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:7], "big") / (1 << 56)


def config_digest(config: Mapping[str, object]) -> str:
    """Digest of a configuration, empty values left out; the empty configuration has the digest ''."""
    kept = {key: value for key, value in config.items() if value not in (None, "", {}, [])}
    return short_digest(kept) if kept else ""


def shown_digest(digest: str) -> str:
    """The beginning of a digest, which tells versions apart for a reader."""
    return digest[:_SHOWN]
