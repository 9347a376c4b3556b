"""Error rates of a judge from its exam, to correct rates by where no output was labelled."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alignbench.analysis.rates.corrected import Transport
from alignbench.errors import NotComparableError
from alignbench.judges.marking import read_cards
from alignbench.table.keys import INSTRUMENT
from alignbench.vocabulary import ALIGNED, MISALIGNED

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

__all__ = ["load_transport"]


def load_transport(path: str | Path, table: pd.DataFrame) -> Transport:
    """Read error rates from a judge's card, for the judge and the packs of a table.

    A judge's errors do not carry over from one kind of scenario to another: each pack is corrected by the part of the
    card that was found on its own answers, or not at all.

    Args:
        path: The judge_card.json of `judge exam`.
        table: The verdict table that they are to correct.

    Raises:
        InputError: No such file, or no card.
        NotComparableError: The card is of another judge, configuration or rubric than the table, or does not say how
            the judge does on one of its packs.
    """
    (card,) = read_cards([path])
    for name in INSTRUMENT:
        wanted, there = getattr(card, name), sorted(map(str, table[name].unique()))
        if there != [wanted]:
            found = ", ".join(map(repr, there))
            raise NotComparableError(f"{path} does not fit: its {name} is {wanted!r}, the table's {found}")
    rates = {}
    for pack in sorted(map(str, table["pack"].unique())):
        part = card.packs.get(pack)
        if part is None:
            known = ", ".join(map(repr, card.packs))
            raise NotComparableError(
                f"{path} does not fit: its judge was examined on {known}, not on {pack!r}, and error rates of other "
                "packs correct nothing there"
            )
        rates[pack] = part.error_counts()
        for what, (_, answers) in zip((MISALIGNED, ALIGNED), rates[pack], strict=True):
            if answers < 1:
                raise NotComparableError(f"{path} does not fit: it has no verdict on {what} answers of {pack!r}")
    return Transport(rates)
