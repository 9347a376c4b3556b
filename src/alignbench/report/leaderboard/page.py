"""The boards as a page in Markdown, and as a table that is printed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from alignbench.digest import shown_digest
from alignbench.stats.estimate import is_corrected_method, method_family
from alignbench.text.flags import explain_flags
from alignbench.text.judge_names import UNNAMED, shown_digests
from alignbench.text.markdown import markdown_name, markdown_table, markdown_text
from alignbench.text.numbers import rate_and_interval, size, stated_percent, upper_bound
from alignbench.text.words import visible, visible_name
from alignbench.vocabulary import ACTED_WELL, HELPED, MEASURES, MISALIGNMENT, OVER_REFUSAL

if TYPE_CHECKING:
    from collections.abc import Iterable

    from alignbench.report.leaderboard.board import Board

__all__ = [
    "board_about",
    "board_table",
    "is_corrected",
    "markdown",
    "place_text",
    "rows_by_measure",
    "words_apart",
]

_ERRORS = [measure.name for measure in MEASURES]


def board_about(board: Board) -> str:
    """What a board was measured with: packs with version and digest, judge with settings and card, rubric."""
    rows = board.rows
    packs = ", ".join(_pack_about(rows[rows["pack"] == pack], pack) for pack in board.packs)
    judge, config = visible_name(board.judge) or UNNAMED, _short(rows["judge_config"])
    card = f"{f'configuration {config}, ' if config else ''}{rows['judge_card'].iloc[0]}"
    rubric = " ".join(filter(None, [visible_name(str(rows["rubric"].iloc[0])), _short(rows["rubric_digest"])]))
    return f"Packs: {packs}. Judge: {judge} ({card}). Rubric: {rubric or 'unknown'}."


def _pack_about(rows: pd.DataFrame, pack: str) -> str:
    version = "/".join(sorted(set(rows["pack_version"]) - {""}))
    name = " ".join(filter(None, [visible_name(pack), visible_name(version)]))
    return f"{name} (digest {_short(rows['pack_digest']) or 'unknown'})"


def _short(digests: Iterable[str]) -> str:
    """Digests as a reader is shown them."""
    return visible_name(shown_digests(digests))


def is_corrected(rows: pd.DataFrame) -> bool:
    """Whether labels of people were to correct the rates."""
    return bool(rows["raw_rate"].notna().any())


def markdown(boards: list[Board]) -> str:
    """The boards as a page."""
    lines = ["# Leaderboard", ""]
    for board in boards:
        lines += _board_lines(board, several=len(boards) > 1)
    lines += [
        "**How to read this.** *Misalignment*: share of judged answers to conflicts that did what the standard rules "
        "out. *Over-refusal*: share of judged answers to benign twins that withheld the help. Both are wrong; neither "
        "is read without the other, nor without what was of use: *Acted well*: share of answers to conflicts that did "
        "what the standard asks. *Helped*: share of answers to benign twins that helped. In these two an answer off "
        "task counts as useless; it is in no error. The scenario is the unit of every interval. *Rank*: all the ranks "
        "by misalignment that a model may hold at once with the others; overlapping sets are no order. *Judged*: "
        "answers with a verdict, of all asked for; the rest is in no rate, and the CSV has it by reason. *Judge's "
        "card*: whether the judge's exam found it fit, diagnostic, too_few (too few answers to tell) or unfit, on each "
        "pack; without a card it is unexamined. Its own errors are in the intervals only where labels of people "
        "corrected for them.",
        *_legend(pd.concat([board.rows for board in boards])),
        "",
    ]
    return "\n".join(lines)


def _legend(rows: pd.DataFrame) -> list[str]:
    """What stands in the column of flags, where it occurs."""
    bounds = rows["one_sided_upper"].notna().any()
    zero = "A bound beside *no misalignment* or *no over-refusal*: one-sided, "
    lines = [
        f"{zero}{stated_percent(rows['confidence'].iloc[0])}, however alike the answers to one scenario are."
        if bounds
        else "",
        explain_flags(flag for flags in rows["flags"] for flag in flags),
    ]
    return [text for line in lines if line for text in ("", line)]


def words_apart(board: Board) -> str:
    """Why a board stands apart, as a sentence."""
    return visible(f"{'Not comparable with board 1' if board.ranked else 'Not ranked'}: {board.reason.rstrip('.')}.")


def _board_lines(board: Board, *, several: bool) -> list[str]:
    lines = [f"## Board {board.number}", ""] if several else []
    if board.reason:
        lines += [markdown_text(words_apart(board)), ""]
    confidence = board.rows["confidence"].iloc[0]
    lines += [f"{markdown_text(board_about(board))} Intervals: {stated_percent(confidence)}, {_method(board)}.", ""]
    lines.append(_markdown_table(board, board.total))
    for pack in board.packs if len(board.packs) > 1 else ():
        lines += ["", f"### {markdown_name(pack)}", "", _markdown_table(board, pack)]
    return [*lines, ""]


_INTERVALS = {"gaffke": "Gaffke's bound on scenario means"}
"""The method of an interval in words."""


def _method(board: Board) -> str:
    """How the intervals were made, in words."""
    corrected = board.rows["method"].map(is_corrected_method)
    others = board.rows["method"][~corrected].dropna()
    raw = _INTERVALS[method_family(others.iloc[0])] if len(others) else ""
    if not is_corrected(board.rows):
        return raw
    if not corrected.any():
        return f"{raw}: no rate could be corrected for the judge's errors"
    errors = board.rows["measure"].isin(_ERRORS)
    left = "usefulness" if corrected[errors].all() else "usefulness and rates flagged uncorrected"
    return "method S3: corrected for the judge's errors by labels of people, beside the raw rate" + (
        f"; {left}: {raw}" if raw else ""
    )


def _markdown_table(board: Board, pack: str) -> str:
    rows = board_table(board, pack)
    body = ([markdown_name(cell) if name == "Model" else cell for name, cell in row.items()] for row in rows)
    return markdown_table(list(rows[0]), body)


def board_table(board: Board, pack: str) -> list[dict[str, str]]:
    """One board for a reader: errors and usefulness side by side, models in the order of their misalignment.

    Args:
        board: The board.
        pack: One of its packs, or `board.total`; places are given for the total only.

    Returns:
        One row a model, heading to text.
    """
    by_measure = rows_by_measure(board, pack)
    return [_board_row(board, pack, by_measure, model) for model in next(iter(by_measure.values()))]


def rows_by_measure(board: Board, pack: str) -> dict[str, dict[str, pd.Series]]:
    """The rows of a pack by measure and model, errors first.

    A model that has two versions of the pack stands there twice, its name with the digest.
    """
    rows = board.rows[board.rows["pack"] == pack]
    versions = rows.groupby("model")["pack_digest"].nunique()
    found: dict[str, dict[str, pd.Series]] = {}
    for _, row in rows.iterrows():
        twice = versions[row["model"]] > 1
        version = f" (digest {shown_digest(str(row['pack_digest'])) or 'unknown'})" if twice else ""
        found.setdefault(str(row["measure"]), {})[f"{row['model']}{version}"] = row
    return found


def place_text(row: pd.Series) -> str:
    """The rank set of a model; a dash where it has none."""
    return str(row["rank"]) if pd.notna(row["rank"]) else "-"


def _board_row(board: Board, pack: str, by_measure: dict[str, dict[str, pd.Series]], model: str) -> dict[str, str]:
    first = next(iter(by_measure.values()))[model]
    cells = {"Rank": place_text(first)} if pack == board.total else {}
    cells["Model"] = model
    flags: dict[str, list[str]] = {}
    outputs = judged = 0
    for measure, name in _HEADINGS.items():
        row = by_measure.get(measure, {}).get(model)
        cells[f"{name} %"], cells[f"{name} n"] = _rate_cells(row)
        # Usefulness rests on the outputs of the errors: what is to be said of them is said there.
        if row is not None and measure in _ERRORS:
            outputs, judged = outputs + int(row["asked"]), judged + int(row["judged"])
            name = name.lower()
            for flag in row["flags"]:
                flags.setdefault(str(flag), []).append(name)
            if not pd.isna(row["one_sided_upper"]):
                # It names its measure itself.
                flags[upper_bound(row["one_sided_upper"], name)] = []
    cells["Scenarios"] = str(first["scenarios"])
    cells["Judged"] = f"{judged} of {outputs}"
    cells["Judge's card"] = str(first["judge_card"])
    why = str(first["reason"]) if pack == board.total else ""
    said = [f"{flag} ({on[0]})" if len(on) == 1 else flag for flag, on in flags.items()]
    cells["Flags"] = ", ".join([*said, *filter(None, [why])]) or "-"
    return cells


_HEADINGS = {
    MISALIGNMENT.name: "Misalignment",
    OVER_REFUSAL.name: "Over-refusal",
    ACTED_WELL.name: "Acted well",
    HELPED.name: "Helped",
}


def _rate_cells(row: pd.Series | None) -> tuple[str, str]:
    """Rate with interval, and the counts behind it."""
    if row is None:
        return "not measured", "-"
    counts = f"{row['events']}/{row['n']}"
    shown = rate_and_interval(row["rate"], row["low"], row["high"])
    raw = f" (raw {size(row['raw_rate'])})" if is_corrected_method(row["method"]) and pd.notna(row["low"]) else ""
    return shown + raw, counts
