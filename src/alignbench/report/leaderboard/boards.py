"""Models side by side, with n, interval, judge and ledger in every row: a CSV, its columns, a page and a figure.

Only what is comparable stands on one board: the same judge in the same configuration, the same rubric, the same packs
in the same version. Everything else gets a board of its own, with the reason; what an unfit judge judged is not ranked.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import pandas as pd

from alignbench.analysis.ranks.ranks import UNFIT, checked_ranks
from alignbench.analysis.rates.corrected import Attached
from alignbench.analysis.rates.rates import checked_rates
from alignbench.judges.marking import find_card, mark_cards, worst_state
from alignbench.report.leaderboard.board import Board
from alignbench.report.leaderboard.columns import LeaderboardRow
from alignbench.table.columns import CARD_COLUMN
from alignbench.table.counts import UNSCORED_LIMIT, headline, measured
from alignbench.table.keys import INSTRUMENT, JUDGE
from alignbench.table.read import add_flag, as_table, label_models
from alignbench.text.rows import meanings
from alignbench.vocabulary import MEASURES, OVERALL, USEFULNESS, Flag

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from alignbench.analysis.rates.corrected import Correction
    from alignbench.judges.card import JudgeCard

__all__ = ["leaderboard"]

_ORDER = {measure.name: at for at, measure in enumerate((*MEASURES, *USEFULNESS))}
"""Measures in the order of rows and columns: the errors first, since ranks are by them."""
_ERRORS = [measure.name for measure in MEASURES]


def leaderboard(
    table: pd.DataFrame,
    *,
    confidence: float = 0.95,
    seed: int = 0,
    cards: Sequence[JudgeCard] = (),
    calibration: Correction | None = None,
    largest_unscored_share: float = UNSCORED_LIMIT,
) -> list[Board]:
    """Put models side by side, each board holding only what is comparable.

    Args:
        table: A verdict table, whole or bare; headline rows are used.
        confidence: Two-sided coverage of intervals and rank sets.
        seed: Seed of the draws behind the rank sets.
        cards: Cards of the judges; a judge without one is `unexamined`, and an unfit one ranks nobody.
        calibration: Labels by people on some of these outputs, to correct rates and ranks for the judge's errors.
        largest_unscored_share: A model of which more than this share of a pack's outputs has no verdict has no rank.

    Returns:
        The boards, the largest first, those of unfit judges last.

    Raises:
        InputError: The table is unusable.
        NotComparableError: The calibration is of another judge, rubric, pack or run.
    """
    full, attached = as_table(table), None
    if calibration is not None:
        full, attached = calibration.attach(full), Attached(calibration.minimum_labels)
    rows = headline(label_models(mark_cards(full, cards)))
    unfit = (rows[CARD_COLUMN] == "unfit").to_numpy()
    boards: list[Board] = []
    for part, ranked in ((rows[~unfit], True), (rows[unfit], False)):
        if len(part):
            options = {"confidence": confidence, "seed": seed, "largest_unscored_share": largest_unscored_share}
            boards += _boards(part, len(boards), options, attached, None if ranked else cards)
    return boards


def _boards(
    rows: pd.DataFrame,
    before: int,
    options: dict[str, Any],
    attached: Attached | None,
    unfit: Sequence[JudgeCard] | None,
) -> list[Board]:
    """The boards of some rows, numbered on from `before`; `unfit` holds the cards where the judges are unfit."""
    measures = [measure for measure in MEASURES if len(measured(rows, measure))]
    placed = [checked_ranks(rows, measure=measure.name, calibration=attached, **options) for measure in measures]
    placed = [_whole_keys(places, measured(rows, of)) for places, of in zip(placed, measures, strict=True)]
    boards: list[Board] = []
    seen: set[tuple[str, ...]] = set()
    # Models without conflicts are on no board of the first measure; the second one brings them in.
    for places in placed:
        for _, members in places.groupby("group", sort=True):
            entries = set(_tuples(members, JUDGED_BY)) - seen
            if entries:
                seen |= entries
                part = rows[[entry in entries for entry in _tuples(rows, JUDGED_BY)]]
                reason = _apart(members) if boards else ""
                board = _board(before + len(boards) + 1, part, reason, placed, options, attached)
                boards.append(board if unfit is None else _unranked(board, unfit))
    return boards


def _unranked(board: Board, cards: Sequence[JudgeCard]) -> Board:
    """A board without ranks, since its judge is unfit."""
    first = board.rows.iloc[0]
    key = board.judge, str(first["judge_config"]), str(first["rubric_digest"])
    found = (find_card(cards, *key, pack) for pack in board.packs)
    card = next((one for one in found if one is not None and one.state == "unfit"), None)
    why = " ".join(card.reasons) if card is not None else "One of its members is unfit."
    rows = board.rows.assign(rank=None, rank_low=None, rank_high=None, reason=UNFIT, apart="")
    return replace(board, rows=rows, reason=f"{UNFIT}. {why}", ranked=False)


JUDGED_BY = ("model", *INSTRUMENT)
"""What tells the entries of a board apart."""


def _whole_keys(places: pd.DataFrame, part: pd.DataFrame) -> pd.DataFrame:
    """Give places every column of JUDGED_BY: one that says the same throughout a measure is not among theirs."""
    return places.assign(**{name: str(part[name].iloc[0]) for name in JUDGED_BY if name not in places.columns})


def _tuples(frame: pd.DataFrame, names: Sequence[str]) -> list[tuple[str, ...]]:
    return list(zip(*(frame[name].astype(str) for name in names), strict=True))


def _apart(members: pd.DataFrame) -> str:
    """Why a group stands apart, in words; what holds for one model alone is said in its own row."""
    return str(members["apart"].iloc[0]) or min(map(str, members["reason"]), key=len)


def _board(
    number: int,
    part: pd.DataFrame,
    reason: str,
    placed: list[pd.DataFrame],
    options: dict[str, Any],
    attached: Attached | None,
) -> Board:
    frame = checked_rates(part, ("model", "pack"), confidence=options["confidence"], calibration=attached)
    packs = tuple(sorted(map(str, part["pack"].unique())))
    total = OVERALL if len(packs) > 1 else packs[0]
    first = part.iloc[0]
    for name in (*JUDGE, "rubric"):
        frame[name] = str(first[name])
    frame["rubric_digest"] = "+".join(sorted(part["rubric_digest"].astype(str).unique()))
    frame["judge_card"] = worst_state(part[CARD_COLUMN].unique())
    frame["board"], frame["seed"], frame["package_version"] = number, options["seed"], version("alignbench")
    frame = _with_runs(frame, part)
    found = [frame.merge(_places_of(places, part, total), how="inner") for places in placed]
    columns = list(meanings(LeaderboardRow))
    rest = frame[(frame["pack"] != total) | ~frame["measure"].isin(_ERRORS)]
    frame = pd.concat([*found, rest], ignore_index=True).reindex(columns=[*columns, "rank_flags", "digest_unknown"])
    frame["flags"] = [_all_flags(row) for row in frame.to_dict("records")]
    frame = frame[columns]
    frame = frame.sort_values(
        ["measure", "pack", "rate", "model"], key=_order_key(total), kind="stable", ignore_index=True
    )
    return Board(number=number, rows=frame, packs=packs, judge=str(first["judge"]), reason=reason)


def _with_runs(frame: pd.DataFrame, part: pd.DataFrame) -> pd.DataFrame:
    """Rates with what is known of the runs behind them: arguments, pack versions, dates, repetitions."""
    # Two versions of a pack have rows of their own.
    keys = ["model", "pack", *(["pack_digest"] if "pack_digest" in frame.columns else [])]
    known = dict(iter(part.astype(dict.fromkeys(keys, str)).groupby(keys, sort=False)))
    whole = dict(iter(part.astype({"model": str}).groupby("model", sort=False)))
    runs = [
        _runs(whole[entry[0]]) if entry[1] == OVERALL else _runs(known[entry], one_pack=True)
        for entry in _tuples(frame, keys)
    ]
    return frame.assign(**pd.DataFrame([asdict(one) for one in runs], index=frame.index))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Runs:
    """What is known of the runs that some rows come from, by columns of the board."""

    model_args: str
    pack_version: str
    pack_digest: str
    first_date: str
    last_date: str
    epochs: int
    digest_unknown: bool


def _runs(rows: pd.DataFrame, *, one_pack: bool = False) -> _Runs:
    """What is known of the runs that some rows come from."""
    dates = sorted(set(rows["date"].astype(str)) - {""})
    packs = rows[["pack", "pack_version", "pack_digest"]].astype(str).drop_duplicates().sort_values(["pack"])

    def told(name: str) -> str:
        if one_pack:
            return "+".join(dict.fromkeys(packs[name]))
        pairs = zip(packs["pack"], packs[name], strict=True)
        return "+".join(dict.fromkeys(f"{pack}={value}" for pack, value in pairs if value))

    return _Runs(
        model_args=str(rows["model_args"].iloc[0]),
        pack_version=told("pack_version"),
        pack_digest=told("pack_digest"),
        first_date=dates[0] if dates else "",
        last_date=dates[-1] if dates else "",
        epochs=int(rows["epoch"].nunique()),
        digest_unknown=bool((packs["pack_digest"] == "").any()),
    )


def _all_flags(row: Mapping[Any, Any]) -> tuple[str, ...]:
    """The flags of a rate, and what only its rank knows: that others were asked other things."""
    placed = row["rank_flags"]
    others = isinstance(placed, tuple) and Flag.OTHER_SCENARIOS in placed
    return add_flag(
        add_flag(row["flags"], Flag.OTHER_SCENARIOS, others), Flag.DIGEST_UNKNOWN, bool(row["digest_unknown"])
    )


def _places_of(places: pd.DataFrame, part: pd.DataFrame, total: str) -> pd.DataFrame:
    """The rank sets of a board's entries, keyed as its rows over all packs are."""
    here = set(_tuples(part, JUDGED_BY))
    kept = places[[entry in here for entry in _tuples(places, JUDGED_BY)]]
    kept = kept[["model", "measure", "rank", "rank_low", "rank_high", "flags", "reason", "apart"]].assign(pack=total)
    return kept.rename(columns={"flags": "rank_flags"})


def _order_key(total: str) -> Any:
    """Errors before usefulness, totals before packs; everything else as it is."""

    def key(column: pd.Series) -> pd.Series:
        if column.name == "measure":
            return column.map(_ORDER)
        return column.astype(str).where(column != total, "") if column.name == "pack" else column

    return key
