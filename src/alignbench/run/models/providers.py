"""The model providers `persona/…` and `gguf/…`, as Inspect loads them."""

from __future__ import annotations

from inspect_ai.model import ModelAPI, modelapi

__all__ = ["gguf", "persona"]


@modelapi(name="persona")
def persona() -> type[ModelAPI]:
    """Scripted models with known rates."""
    from alignbench.run.models.scripted import PersonaAPI

    return PersonaAPI


@modelapi(name="gguf")
def gguf() -> type[ModelAPI]:
    """Real models in GGUF files, run in this process by llama.cpp."""
    from alignbench.run.models.local import GgufAPI

    return GgufAPI
