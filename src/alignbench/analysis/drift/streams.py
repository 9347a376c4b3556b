"""Random draws: each row has its own stream, so that other rows do not move it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from alignbench.digest import short_digest

__all__ = ["Streams"]


@dataclass(frozen=True, slots=True)
class Streams:
    """Random streams that are told apart by words.

    Attributes:
        seed: Of every stream.
        words: What all of them are for.
    """

    seed: int
    words: tuple[str, ...]

    def within(self, *words: str) -> Streams:
        """Those of a part of it."""
        return replace(self, words=(*self.words, *words))

    def stream(self, *words: str) -> np.random.Generator:
        """The one for these words."""
        return np.random.default_rng([self.seed, int(short_digest([*self.words, *words]), 16)])
