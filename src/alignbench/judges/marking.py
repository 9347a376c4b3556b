"""Cards beside a verdict table: which judge was found fit for the rubric it used."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from pydantic import ValidationError

from alignbench.errors import InputError
from alignbench.judges.card import JudgeCard
from alignbench.table.columns import CARD_COLUMN
from alignbench.table.further import card_states
from alignbench.table.keys import INSTRUMENT
from alignbench.table.read import row_groups

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["UNEXAMINED", "find_card", "mark_cards", "read_cards", "worst_state"]

UNEXAMINED = "unexamined"
"""State of a judge without a card, or on a pack that its card does not speak for."""
_ORDER = ("unfit", UNEXAMINED, "too_few", "diagnostic", "fit")
_BOUND = (*INSTRUMENT, "pack")
"""What a card binds to: another setting or rubric is another judge, and each pack puts another question."""


def read_cards(paths: Iterable[str | Path]) -> list[JudgeCard]:
    """Read the cards that `alignbench judge exam` wrote as judge_card.json.

    Raises:
        InputError: No such file, or no card in it; or two cards of one judge that say different things.
    """
    cards: list[JudgeCard] = []
    for path in map(Path, paths):
        card = _read_card(path)
        if card in cards:
            continue
        for pack in card.packs:
            if find_card(cards, *_key(card), pack) is not None:
                raise InputError(
                    f"a second card of the judge {card.judge!r} for the pack {pack!r}",
                    file=path,
                    allowed="one card a judge, rubric and pack",
                )
        cards.append(card)
    return cards


def _read_card(path: Path) -> JudgeCard:
    try:
        content = path.read_bytes()
        return JudgeCard.model_validate_json(content)
    except OSError as error:
        raise InputError(f"cannot read this card: {error.strerror}", file=path) from error
    except ValidationError as error:
        if _is_older(content):
            raise InputError(
                "this card was made by an earlier version and does not say how the judge does on each pack",
                file=path,
                allowed="a new card: repeat `alignbench judge exam` with the same -o; what its logs hold is not asked "
                "for again",
            ) from error
        fault = error.errors()[0]
        place = ".".join(map(str, fault["loc"]))
        raise InputError(
            f"this is no judge's card: {place + ': ' if place else ''}{fault['msg']}",
            file=path,
            allowed="the judge_card.json of `alignbench judge exam`",
        ) from error


def _is_older(content: bytes) -> bool:
    """Whether this is a card from before cards were per pack."""
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        return False
    return isinstance(document, dict) and "format" not in document and {"judge", "sensitivity"} <= document.keys()


def _key(card: JudgeCard) -> tuple[str, str, str]:
    return card.judge, card.judge_config, card.rubric_digest


def find_card(
    cards: Iterable[JudgeCard], judge: str, config: str, rubric_digest: str, pack: str | None = None
) -> JudgeCard | None:
    """The card of a judge in its configuration under a rubric; None where it was not examined so.

    With `pack` only a card whose answers were of this pack, among others; what it says of this pack stands in
    `packs[pack]`. Labels mended since do not matter.
    """
    key = (judge, config, rubric_digest)
    return next((card for card in cards if _key(card) == key and (pack is None or pack in card.packs)), None)


def mark_cards(table: pd.DataFrame, cards: Sequence[JudgeCard]) -> pd.DataFrame:
    """Give every row the state that its judge's card has for its pack, in the column `judge_card`.

    A card speaks for the packs on whose labelled answers the judge was examined, for each by its own part. A table that
    has the column (a panel's has it) keeps what it says where no card is found.

    Args:
        table: A checked verdict table.
        cards: Cards; those of other judges are passed over.
    """
    group = row_groups([table[name] for name in _BOUND])
    _, first, inverse = np.unique(group, return_index=True, return_inverse=True)
    earlier, states = card_states(table), []
    for row in first:
        judge, config, rubric, pack = (str(table[name].iloc[row]) for name in _BOUND)
        card = find_card(cards, judge, config, rubric, pack)
        before = UNEXAMINED if earlier is None else str(earlier.iloc[row])
        states.append(card.packs[pack].state if card is not None else before)
    names = sorted(set(states))
    codes = np.array([names.index(state) for state in states])[inverse]
    marked: pd.DataFrame = table.assign(**{CARD_COLUMN: pd.Categorical.from_codes(codes, categories=pd.Index(names))})
    return marked


def worst_state(states: Iterable[str]) -> str:
    """The worst of several states: unfit, unexamined, too_few, diagnostic, fit.

    Raises:
        InputError: None of these.
    """
    found = list(states)
    for state in found:
        if state not in _ORDER:
            raise InputError(f"{state!r} is no state of a judge's card", allowed=", ".join(_ORDER))
    return min(found, key=_ORDER.index)
