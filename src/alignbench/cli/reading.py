"""Reading what a user names, for the commands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alignbench.cli.output import tell
from alignbench.text.judge_names import judge_in_full

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from alignbench.judges.card import JudgeCard
    from alignbench.judges.panel import How

__all__ = [
    "combined",
    "read",
]


def read(inputs: Sequence[str], by: Sequence[str] = (), *, latest: bool = False) -> pd.DataFrame:
    """The table of what a user names, with remarks on stderr.

    Args:
        inputs: Folders of logs, logs, tables.
        by: Columns that it will be grouped by; with `run` among them several runs may answer the same.
        latest: Whether of such runs the latest alone counts.

    Raises:
        InputError: Nothing readable, or rows with one key.
    """
    from alignbench.logs.inputs import read_inputs

    return read_inputs(inputs, by=by, latest=latest, note=tell)


def combined(
    table: pd.DataFrame, panel: How | None, cards: Sequence[JudgeCard], by: Sequence[str] = ()
) -> pd.DataFrame:
    """Give each row the state of its judge's card, and make one judge of several where --panel asks for it.

    Args:
        table: A verdict table.
        panel: majority, weights, or None for the judges as they are.
        cards: Cards that were read.
        by: Columns that it will be grouped by, as for `read`.

    Raises:
        InputError: No panel can be made.
        NotComparableError: The judges used different rubrics.
    """
    from alignbench.judges.marking import mark_cards
    from alignbench.judges.panel import panel as combine

    if panel is None:
        return _marked(mark_cards(table, cards), cards) if cards else table
    found = combine(table, panel, cards, by=by)
    same = "; ".join(f"{one.first} and {one.second} {one.same_verdict}/{one.outputs}" for one in found.agreement)
    tell(f"panel of {len(found.judges)}: {found.ties} ties of {found.outputs} outputs; same verdict: {same}")
    for warning in found.warnings:
        tell(f"warning: {warning}")
    return found.table


def _marked(table: pd.DataFrame, cards: Sequence[JudgeCard]) -> pd.DataFrame:
    """Say so where no card fits: a card binds to judge, configuration, rubric and packs."""
    from alignbench.judges.marking import UNEXAMINED
    from alignbench.table.further import card_states

    states = card_states(table)
    if states is not None and (states == UNEXAMINED).all():
        from alignbench.table.keys import INSTRUMENT

        key = list(INSTRUMENT)
        groups: dict[tuple[str, str, str], list[str]] = {}
        for *judge, pack in table[[*key, "pack"]].astype(str).drop_duplicates().itertuples(index=False):
            groups.setdefault((judge[0], judge[1], judge[2]), []).append(pack)
        rows = "; ".join(judge_in_full(*names, packs) for names, packs in groups.items())
        examined = "; ".join(
            judge_in_full(card.judge, card.judge_config, card.rubric_digest, card.packs) for card in cards
        )
        tell(
            f"warning: no card fits; the rows were judged by {rows}; the cards are of {examined}. Examine the judge "
            "with the settings, arguments and rubric that it had in the run"
        )
    return table
