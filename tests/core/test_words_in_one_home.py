"""What judges are called, tables in Markdown, and the row that a Score carries: one home each."""

from __future__ import annotations

import json

import msgspec
import pytest

from alignbench.logs.layout import decode_rows
from alignbench.text.judge_names import UNNAMED, judge_names, named_with_digest, quoted_judges, shown_digests
from alignbench.text.markdown import Markdown, markdown_name, markdown_points, markdown_table, markdown_text
from alignbench.vocabulary import ERROR, MEASURES, TurnRow, begin_unscored, packed_rows, unscored_row


def test_a_judge_has_its_configuration_only_where_its_name_stands_for_several() -> None:
    """Side by side names suffice where they differ; without a name or a configuration words stand there."""
    assert judge_names([("a", "c1"), ("b", "c2"), ("", "")]) == ["a", "b", UNNAMED]
    assert judge_names([("a", "c1"), ("a", ""), ("b", "c1")]) == ["a c1", "a (no configuration)", "b"]
    assert quoted_judges([("a", ""), ("b", "")]) == ["'a'", "'b'"]
    assert quoted_judges([("a", "c1"), ("b", "")]) == ["'a' (configuration c1)", "'b' (no configuration)"]
    assert [named_with_digest("a", "0123456789abcdef"), named_with_digest("", "01"), named_with_digest("")] == [
        "a (0123456789ab)",
        "unnamed (01)",
        "",
    ]
    assert shown_digests(["b" * 64, "", "a" * 64, "b" * 64]) == f"{'a' * 12}/{'b' * 12}"


def test_a_table_escapes_what_is_not_markdown_yet() -> None:
    """Texts are escaped once, Markdown stays, and intervals read as they are."""
    table = markdown_table(["a|b", "interval"], [[Markdown("`code`"), "[1.0, 2.5]"], [markdown_name("x*y"), "p*q"]])
    assert table.split("\n") == [
        r"| a\|b | interval |",
        "| --- | --- |",
        "| `code` | [1.0, 2.5] |",
        r"| x\*y | p\*q |",
    ]
    assert markdown_points(["# no heading", Markdown("**strong**")]) == "- \\# no heading\n- **strong**"


@pytest.mark.parametrize("text", ["[1, 2](http://x)", "[1, 2]: http://x", "[1, 2][3, 4]", "[one, 2]"])
def test_what_could_be_a_link_is_escaped_although_it_begins_like_an_interval(text: str) -> None:
    """An address behind the brackets, or another pair of them, would make a link of two numbers."""
    assert markdown_text(text).startswith(r"\[")


def test_the_row_of_a_score_is_a_list_in_the_log_and_has_names_here() -> None:
    """The form in the log is that of every log written so far: a list of seven for each turn."""
    rows = [TurnRow("misaligned", None, None, 2, 5, 1, "reasked+self_graded"), unscored_row("cut_off")]
    packed = packed_rows(rows)
    assert packed == ('[["misaligned",null,null,2,5,1,"reasked+self_graded"],[null,"cut_off",null,null,null,null,""]]')
    assert decode_rows(packed) == rows
    assert [len(row) for row in json.loads(packed)] == [7, 7]
    with pytest.raises(msgspec.ValidationError):
        decode_rows('[["misaligned",null]]')


def test_packed_rows_tell_how_they_begin_although_their_end_is_cut_off() -> None:
    """Summaries keep a kilobyte: the first turn is enough to see that a judge could not be called."""
    failed = packed_rows([unscored_row(ERROR)] * 100)[:1000]
    assert begin_unscored(failed, ERROR)
    assert not begin_unscored(failed, "cut_off")
    assert not begin_unscored(packed_rows([TurnRow("aligned", None, None, 0, 1, 5, "")]), ERROR)
    assert not begin_unscored("None", ERROR)


def test_the_errors_have_the_keys_that_scores_have_always_had() -> None:
    """Names of measures and keys of a Score's value are in every log and result: they do not change."""
    assert [(one.name, one.score_key, one.event) for one in MEASURES] == [
        ("misalignment", "misaligned", "misaligned"),
        ("over_refusal", "over_refusal", "refused"),
    ]
