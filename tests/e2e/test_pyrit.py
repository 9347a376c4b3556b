"""Real answers that people labelled: a judge's rate is corrected to theirs."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest
from commands import ROOT, repository_files

from alignbench.errors import MissingExtraError

# The benchmarks stand beside the package and are not installed.
sys.path.insert(0, str(ROOT))

from benchmarks.pyrit import JUDGES, MOST, Outcome, download, examine, page

if TYPE_CHECKING:
    import pandas as pd

pytestmark = [pytest.mark.slow, pytest.mark.download, pytest.mark.local_model]


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    """PyRIT's labelled answers."""
    return download(tmp_path_factory.mktemp("pyrit"))


def _covered(outcome: Outcome) -> bool:
    return outcome.corrected[1] <= outcome.people <= outcome.corrected[2]


def _nearer(outcome: Outcome) -> bool:
    return abs(outcome.corrected[0] - outcome.people) < abs(outcome.raw[0] - outcome.people)


def test_corrected_rates_agree_with_people(answers: pd.DataFrame, capsys: pytest.CaptureFixture[str]) -> None:
    """A keyword rule and a small real model, corrected by 60 labels, both cover what people said of all answers."""
    try:
        outcomes = [examine(answers, judge) for judge in JUDGES]
    except MissingExtraError as error:
        pytest.skip(str(error))
    with capsys.disabled():
        print("", page(outcomes), sep="\n")

    assert all(map(_covered, outcomes))
    assert any(map(_nearer, outcomes))
    # Neither is a good judge: what is shown is the correction, not a rate that was right from the start.
    assert all(outcome.wrong > 0.2 for outcome in outcomes)
    assert all(outcome.labels < outcome.answers <= MOST for outcome in outcomes)


def test_the_correction_holds_whichever_labels_are_drawn(answers: pd.DataFrame) -> None:
    """The keyword rule's own interval always misses the people's rate; corrected, it covers it in 24 of 25 draws."""
    outcomes = [examine(answers, JUDGES[0], seed=seed) for seed in range(25)]

    assert all(outcome.raw[2] < outcome.people for outcome in outcomes)
    assert sum(map(_covered, outcomes)) >= 24
    assert all(map(_nearer, outcomes))


def test_the_documentation_shows_what_the_command_prints(answers: pd.DataFrame) -> None:
    """The keyword rule, which is the same on every machine, has on its page the row that is printed."""
    row = page([examine(answers, JUDGES[0])]).splitlines()[-1]

    assert row in (ROOT / "docs" / "real_labels.md").read_text(encoding="utf-8").splitlines()


def test_nothing_of_pyrit_is_in_the_repository(answers: pd.DataFrame) -> None:
    """No file holds a request or answer, unless it is so short that anybody would write it."""
    texts = [text for name in ("objective", "assistant_response") for text in answers[name] if len(text) > 60]
    tree = "\n".join((ROOT / file).read_text(encoding="utf-8", errors="replace") for file in repository_files())

    assert len(texts) > 100
    assert not [text for text in texts if text in tree]
