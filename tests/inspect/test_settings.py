"""Which of Inspect's generation settings make another judge: all that are not known to carry the call only."""

from __future__ import annotations

from inspect_ai.model import GenerateConfig

from alignbench.identity import judge_config

TRANSPORT = {
    "max_retries", "timeout", "attempt_timeout", "stream_idle_timeout", "max_connections", "adaptive_connections",
    "extra_headers", "cache", "cache_prompt", "batch",
}  # fmt: skip


def test_every_generation_setting_that_is_no_transport_counts() -> None:
    """What Inspect knows today is either transport by its own name, or makes another digest."""
    assert set(GenerateConfig.model_fields) >= TRANSPORT
    silent = {name for name in GenerateConfig.model_fields if judge_config({}, {name: "x"}) == ""}
    assert silent == TRANSPORT
