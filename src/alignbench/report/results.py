"""Every result and what its columns mean, as the pages of `docs/columns`.

A new result is one line more in RESULTS: its row types say the rest.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from alignbench.analysis.agreement.rows import AgreementRow, ConfusionRow
from alignbench.analysis.compare.rows import CompareRow
from alignbench.analysis.drift.rows import (
    DivergenceRow,
    DriftRateRow,
    FlipRow,
    OrderChangeRow,
    PositionShiftRow,
    SurvivalRow,
    WorthChangeRow,
)
from alignbench.analysis.gate.rows import GateRow
from alignbench.analysis.plan.question import Answer
from alignbench.analysis.plan.rows import PlanRow
from alignbench.analysis.ranks.rows import RankRow
from alignbench.analysis.rates.rows import CalibratedRow, LabelAgreementRow, RateRow
from alignbench.analysis.values.rows import (
    DiagnosticRow,
    DisagreementRow,
    ExcludedRow,
    MatrixRow,
    PositionRow,
    WorthRow,
)
from alignbench.files import write_text
from alignbench.judges.attack import AttackReport, Flip, Technique
from alignbench.judges.card import Agreement, JudgeCard, PackCard, Predictive, Proportion, Stability
from alignbench.labels.rows import DesignRow, VotesRow
from alignbench.report.leaderboard.columns import LeaderboardRow
from alignbench.text.rows import columns_markdown, meanings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["RESULTS", "Result", "result_pages", "write_pages"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """A result, with what a reader needs to know of its columns.

    Attributes:
        name: Stem of its page.
        title: Title of the page.
        command: The command that prints or writes it.
        about: What a row is, and which columns stand before those listed, in a sentence or two.
        rows: The row type of each table, by a heading; a single table may have an empty one.
    """

    name: str
    title: str
    command: str
    about: str
    rows: Mapping[str, type]


RESULTS = (
    Result(
        name="rates",
        title="Rates",
        command="rates",
        about="One row a measure and group of outputs. The columns of `--by` stand first, `model` and `pack` unless it "
        "names others; `raw_rate` and what follows are there with `--calibration` and `--transported` alone. With "
        "`--ledger` the rows hold `asked` to `unstated`, `off_task` and `flags`.",
        rows={"": RateRow},
    ),
    Result(
        name="compare",
        title="Compare",
        command="compare",
        about="One row a measure and group of outputs. The columns of `--by` stand first, and `candidate` where there "
        "are several.",
        rows={"": CompareRow},
    ),
    Result(
        name="ranks",
        title="Ranks",
        command="ranks",
        about="One row a model under one judge. `model` stands first, then what tells its rows apart; `raw_rate` and "
        "what follows are there with `--calibration` alone.",
        rows={"": RankRow},
    ),
    Result(
        name="leaderboard",
        title="Leaderboard",
        command="leaderboard",
        about="One row a board, model, pack and measure, in `leaderboard.csv`.",
        rows={"": LeaderboardRow},
    ),
    Result(
        name="gate",
        title="Gate",
        command="gate",
        about="One row a measure and pack; in JSON they are the list `cells`, beside the decision and its reasons.",
        rows={"": GateRow},
    ),
    Result(
        name="priorities",
        title="Value priorities",
        command="priorities",
        about="A table for each `--part`; the summary is all of them in JSON and the worths in CSV. The columns of "
        "`--by` stand first, `model` unless it names others.",
        rows={
            "matrix": MatrixRow,
            "worths": WorthRow,
            "positions": PositionRow,
            "diagnostics": DiagnosticRow,
            "disagreement": DisagreementRow,
            "excluded": ExcludedRow,
        },
    ),
    Result(
        name="drift",
        title="Drift",
        command="drift",
        about="A table for each `--part`. `model` stands first, then what tells its rows apart, and the two levels "
        "`from` and `to`, or the level `at`.",
        rows={
            "rates": DriftRateRow,
            "positions": PositionShiftRow,
            "divergence": DivergenceRow,
            "worths": WorthChangeRow,
            "orders": OrderChangeRow,
            "survival": SurvivalRow,
            "flips": FlipRow,
        },
    ),
    Result(
        name="agreement",
        title="Agreement",
        command="agreement",
        about="One row a group, set of raters and coefficient, or with `--confusion` a pair of labels. The columns of "
        "`--by` stand first.",
        rows={"Coefficients": AgreementRow, "With `--confusion`": ConfusionRow},
    ),
    Result(
        name="plan",
        title="Plan",
        command="plan",
        about="One row a model and design. What identifies the model stands first; `margin` and what follows are there "
        "with `--margin` or `--policy` alone. With `--target` the result is one answer, in JSON.",
        rows={"Designs": PlanRow, "With `--target`": Answer},
    ),
    Result(
        name="judge_sample",
        title="Outputs to label",
        command="judge sample",
        about="What is drawn for people to label; in JSON the two tables are `design` and `votes`, and the CSV is the "
        "first.",
        rows={"design": DesignRow, "votes": VotesRow},
    ),
    Result(
        name="judge_calibrate",
        title="Calibration",
        command="judge calibrate",
        about="Raw and corrected rates side by side, then how people and judge agree; in JSON `rates` and `agreement`, "
        "and the CSV is the first. `model` and `pack` stand first in the rates.",
        rows={"rates": CalibratedRow, "agreement": LabelAgreementRow},
    ),
    Result(
        name="judge_compare",
        title="Two judges",
        command="judge compare",
        about="Changes of the measured rates from the first judge to the second, which are the CSV; in JSON they are "
        "the list `differences`, beside agreement, confusion and the scenarios with changed verdicts.",
        rows={"differences": CompareRow, "agreement": AgreementRow},
    ),
    Result(
        name="judge_exam",
        title="Judge's card",
        command="judge exam",
        about="The card is `judge_card.json`: the first table, in which the others stand.",
        rows={
            "Card": JudgeCard,
            "Each of `packs`": PackCard,
            "Each share": Proportion,
            "Each of `predictive`": Predictive,
            "Each of `stability`": Stability,
            "Each of `positions`": Agreement,
        },
    ),
    Result(
        name="judge_attack",
        title="Attack on a judge",
        command="judge attack",
        about="The report is `judge_attack.json`: the first table, in which the others stand. Shares are as on a "
        "[judge's card](judge_exam.md).",
        rows={"Report": AttackReport, "Each of `by_technique`": Technique, "Each of `flipped`": Flip},
    ),
)
"""Every result but the verdict table, in the order of the index."""

_MADE = "\n<!-- `make columns` writes this page. -->\n"


def _page(result: Result) -> str:
    """The page of one result."""
    lines = [f"# {result.title}", "", f"`alignbench {result.command}`. {result.about}"]
    for heading, row in result.rows.items():
        lines += ["", *([f"## {heading}", ""] if heading else []), columns_markdown(meanings(row))]
    return "\n".join([*lines, _MADE])


def _index() -> str:
    """The page that lists the others."""
    lines = [
        "# Columns of every result",
        "",
        "An empty cell, null in JSON, is not known or does not apply. Shares and rates go from 0 to 1. What a CSV "
        "joins by + is a list in JSON, or a mapping where it has the form NAME=NUMBER. A column that `--by` names "
        "means what it means in the verdict table.",
        "",
        "- [Verdict table](verdict_table.md): `alignbench verdicts`",
        *(f"- [{one.title}]({one.name}.md): `alignbench {one.command}`" for one in RESULTS),
    ]
    return "\n".join([*lines, _MADE])


def result_pages() -> Iterator[tuple[str, str]]:
    """Each page as file name and text: the index, then one a result; that of the verdict table is written by hand."""
    yield "index.md", _index()
    for result in RESULTS:
        yield f"{result.name}.md", _page(result)


def write_pages(folder: str | Path) -> None:
    """Write every page into a folder.

    Raises:
        InputError: The folder cannot be written to.
    """
    for name, text in result_pages():
        write_text(Path(folder) / name, text)
