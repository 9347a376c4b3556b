"""A board: models that may be compared, side by side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from alignbench.vocabulary import OVERALL

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Board"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Board:
    """Models that may be compared.

    Attributes:
        number: Counted from 1; the first board has the most models.
        rows: One row a model, pack and measure, with the columns of `LeaderboardRow`; "overall" stands for all
            packs together. Ranks are by the errors; usefulness (acted_well, helped) has rows without.
        packs: The packs, sorted.
        judge: The judge.
        reason: Why these models do not stand on the first board, or why nobody is ranked; empty for the first.
        ranked: Whether ranks are given: not where the judge is unfit.
    """

    number: int
    rows: pd.DataFrame
    packs: tuple[str, ...]
    judge: str
    reason: str
    ranked: bool = True

    @property
    def total(self) -> str:
        """What stands in the column `pack` of the rows that count for the order."""
        return OVERALL if len(self.packs) > 1 else self.packs[0]
