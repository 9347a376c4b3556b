"""The pages of columns: every result has one, each column its line, and they are as the code would write them."""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from alignbench.report.results import RESULTS, result_pages, write_pages
from alignbench.table.columns import VERDICT_COLUMNS
from alignbench.text.rows import meanings

if TYPE_CHECKING:
    from collections.abc import Iterable

ROOT = Path(__file__).parents[2]
GOLDEN = ROOT / "tests" / "golden" / "demo"
GROUPS = {column.name for column in VERDICT_COLUMNS}
BY_NAME = {one.name: one for one in RESULTS}


def test_the_pages_are_up_to_date(tmp_path: Path) -> None:
    """docs/columns holds what `make columns` writes, and no other page but that of the verdict table."""
    write_pages(tmp_path)
    written, kept = ({file.name: file.read_text("utf-8") for file in folder.iterdir()} for folder in
                     (tmp_path, ROOT / "docs" / "columns"))  # fmt: skip
    assert kept.pop("verdict_table.md")
    assert written == kept
    assert set(written) == {name for name, _ in result_pages()}


def test_the_index_lists_every_page() -> None:
    """Each but the index itself once, after the verdict table."""
    pages = dict(result_pages())
    assert re.findall(r"\]\((\w+\.md)\)", pages["index.md"]) == [
        "verdict_table.md",
        *(name for name in pages if name != "index.md"),
    ]


@pytest.mark.parametrize("name", BY_NAME)
def test_every_column_has_its_meaning(name: str) -> None:
    """A line of a page is a column and a sentence."""
    page = dict(result_pages())[f"{name}.md"]
    columns = [column for row in BY_NAME[name].rows.values() for column in meanings(row)]
    assert re.findall(r"^\| `(\w+)` \| .+\. \|$", page, flags=re.MULTILINE) == columns


def row_types(name: str) -> Iterable[Any]:
    """The row types of a result."""
    return BY_NAME[name].rows.values()


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("agreement", "agreement"), ("agreement_confusion", "agreement"), ("gate", "gate"), ("ranks", "ranks"),
        ("ranks_corrected", "ranks"), ("rates", "rates"), ("rates_by_family", "rates"), ("rates_corrected", "rates"),
        ("rates_ledger", "rates"), ("plan", "plan"), ("judge_calibrate", "judge_calibrate"),
        ("judge_sample", "judge_sample"), ("priorities_matrix", "priorities"), ("priorities_worths", "priorities"),
        ("priorities_positions", "priorities"), ("priorities_diagnostics", "priorities"),
        ("priorities_disagreement", "priorities"), ("priorities_excluded", "priorities"),
        ("written/demo_leaderboard", "leaderboard"),
    ],
)  # fmt: skip
def test_no_column_of_a_command_is_without_a_page(file: str, name: str) -> None:
    """What a command prints as CSV stands on its page, beside columns of the verdict table to group by."""
    with (GOLDEN / f"{file}.csv").open(encoding="utf-8", newline="") as lines:
        heading = next(csv.reader(lines))
    known = {column for row in row_types(name) for column in meanings(row)}
    assert heading
    assert [column for column in heading if column not in known | GROUPS] == []
