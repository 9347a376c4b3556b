"""Who a model is: every setting that shapes answers counts, what only carries a call does not, secrets never."""

from __future__ import annotations

import datetime
import json
from typing import Any

import pytest

from alignbench.errors import InputError
from alignbench.identity import judge_config, model_settings

SHAPING: dict[str, Any] = {
    "temperature": 0.5,
    "extra_body": {"top_a": 0.1},
    "logit_bias": {123: -100.0},
    "fallback_models": ["openai/gpt-4o"],
    "response_schema": {"name": "verdict"},
    "reasoning_history": "none",
    "a_setting_of_tomorrow": 1,
}
TRANSPORT: dict[str, Any] = {
    "max_retries": 3, "timeout": 60, "attempt_timeout": 30, "stream_idle_timeout": 9, "max_connections": 4,
    "adaptive_connections": True, "extra_headers": {"Authorization": "Bearer x"}, "cache": True, "cache_prompt": True,
    "batch": 8,
}  # fmt: skip


@pytest.mark.parametrize("name", SHAPING)
def test_a_setting_that_shapes_answers_makes_another_model(name: str) -> None:
    """Each has a digest and a text of its own, also one that nobody knows yet; unset it says nothing."""
    assert judge_config({}, {name: SHAPING[name]}) != ""
    assert name in json.loads(model_settings({}, {name: SHAPING[name]}))
    assert judge_config({}, {name: None}) == judge_config({}, {}) == model_settings({}, {name: None}) == ""


@pytest.mark.parametrize("name", TRANSPORT)
def test_how_a_call_is_carried_is_no_part_of_the_model(name: str) -> None:
    """Retries, connections, caches and headers leave the digest as it is."""
    assert judge_config({}, {name: TRANSPORT[name]}) == model_settings({}, {name: TRANSPORT[name]}) == ""


@pytest.mark.parametrize(
    "name",
    ["api_key", "apiKey", "openai_api_key", "api_keys", "api_key_2", "key", "access_key", "token", "hf_token",
     "authToken", "auth-token", "secret", "client_secret", "secret_name", "password", "db_password", "credentials",
     "Authorization"],
)  # fmt: skip
def test_secrets_are_dropped(name: str) -> None:
    """By whole words of the name, in any spelling, also inside a setting: they do not show and do not count."""
    assert model_settings({name: "s3cret"}, {}) == judge_config({name: "s3cret"}, {}) == ""
    inside = model_settings({"more": [{name: "s3cret", "depth": 2}]}, {"extra_body": {name: "s3cret"}})
    assert json.loads(inside) == {"extra_body": {}, "more": [{"depth": 2}]}


@pytest.mark.parametrize(
    "name", ["tokenizer_path", "max_tokens", "tokens_per_step", "num_key_value_heads", "keyword", "monkey", "secretary"]
)
def test_arguments_that_only_sound_secret_count(name: str) -> None:
    """Two values of `tokenizer_path` are two models."""
    assert "" != judge_config({name: "a"}, {}) != judge_config({name: "b"}, {}) != ""


def test_ordinary_settings_keep_their_digest() -> None:
    """Digests stand in tables, cards and calibrations: those of a few plain settings, worked out once."""
    assert judge_config({"sensitivity": 0.9}, {}) == "090e592fcbde965e"
    assert judge_config({}, {"temperature": 0.0, "max_tokens": 500, "seed": 1}) == "5c0d154f26c0ebde"
    assert model_settings({"flavour": "x"}, {"temperature": 0.5}) == '{"flavour":"x","temperature":0.5}'


def test_a_date_counts_as_its_text() -> None:
    """`-M when=2026-01-01` is a date to YAML, and text in the log that it is read back from."""
    day, moment = datetime.date(2026, 1, 1), datetime.datetime(2026, 1, 1, 10, tzinfo=datetime.UTC)
    assert judge_config({"when": day}, {}) == judge_config({"when": "2026-01-01"}, {})
    assert model_settings({"when": [moment]}, {}) == '{"when":["2026-01-01T10:00:00+00:00"]}'


@pytest.mark.parametrize("value", [b"x", {1}, float("nan")], ids=["bytes", "set", "nan"])
def test_an_argument_without_a_text_is_one_clear_error(value: object) -> None:
    """It names the argument and what may stand there."""
    with pytest.raises(InputError, match=r"model argument when=.*allowed: text, finite numbers, dates"):
        judge_config({"when": value}, {})
