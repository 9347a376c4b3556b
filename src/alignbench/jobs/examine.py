"""Put labelled and forged answers before a judge, through Inspect, and write down what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd
from pydantic import ValidationError

from alignbench.digest import short_digest
from alignbench.errors import AlignbenchError, InputError
from alignbench.files import make_folder, together, write_text
from alignbench.judges.attack import AttackReport, attack_report
from alignbench.judges.card import JudgeCard
from alignbench.judges.examine import NO_REPLY, check_kinds, examine
from alignbench.logs import exam_rows
from alignbench.report.card import attack_markdown, card_markdown
from alignbench.rubrics import load_rubric
from alignbench.run.eval_sets import run_eval_set
from alignbench.run.grader import GRADER
from alignbench.run.scoring.channel import judge_identity
from alignbench.run.task import attack_task, exam_task, stability_task

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from inspect_ai import Task
    from inspect_ai.model import Model


__all__ = ["Answered", "attack_judge", "examine_judge"]


@dataclass(frozen=True, slots=True, eq=False)
class Answered:
    """What a judge said.

    Attributes:
        rows: One row an answer and repetition, with the columns of an examination.
        folder: Where its logs are.
        failed: Calls that failed; the same command makes only these again.
        problem: What the first of them failed with, in one line.
    """

    rows: pd.DataFrame
    folder: Path
    failed: int
    problem: str

    def beside(self, other: Answered) -> Answered:
        """Both together; the folder is the one in which both are."""
        rows = pd.concat([self.rows, other.rows], ignore_index=True)
        return Answered(rows, self.folder.parent, self.failed + other.failed, self.problem or other.problem)


def examine_judge(
    grader: Model,
    folder: str | Path,
    *,
    packs: Sequence[str] = (),
    rubric: str = "conflict",
    epochs: int = 2,
    limit: int | None = None,
    stability: bool = True,
    display: str = "none",
    announce: Callable[[str], None] = lambda _: None,
) -> tuple[JudgeCard, Answered]:
    """Examine a judge on labelled answers and write judge_card.json and judge_card.md.

    Sensitivity, specificity and state come from the labelled answers as they are. The changed ones of the shipped packs
    (`scorers/attacks/stability.jsonl`), which say whether it follows the text or the look, are judged as often.

    Args:
        grader: The judge.
        folder: Where logs and card go; an examination that was broken off goes on there.
        packs: Ids or paths of packs; default: every shipped pack.
        rubric: Id or path of the rubric.
        epochs: Times each answer is put before it; self-consistency needs two.
        limit: Put only this many labelled answers before it, misaligned ones and others in turn, and no changed ones.
        stability: Whether changed answers are put before it too.
        display: Inspect's display of the progress.
        announce: Gets a sentence with the number of calls before the first of them.

    Raises:
        InputError: An unknown pack or rubric, a pack without labels, answers of one kind only, or a card there that
            rests on more replies of this judge.
        AlignbenchError: Every call of the judge on labelled answers failed.
        KeyboardInterrupt: It was broken off; only logs are written.
    """
    task = exam_task(packs or None, rubric=rubric)
    # What no card can be made of costs nothing.
    check_kinds(str((sample.metadata or {})["label"]) for sample in task.dataset[:limit])
    target = make_folder(folder)
    file = target / "judge_card.json"
    changed = stability_task(packs or None, rubric=rubric) if stability and limit is None else None
    labelled, others = len(task.dataset[:limit]), len(changed.dataset) if changed else 0
    identity = _identity(grader, rubric)
    _spare_fuller(file, JudgeCard, identity, epochs * labelled)
    announce(
        f"{labelled} labelled and {others} changed answers, judged {'once' if epochs == 1 else f'{epochs} times'} "
        f"each: {epochs * (labelled + others)} calls of the judge, less those that the logs hold already"
    )
    answered = _ask(task, grader, target, epochs=epochs, limit=limit, display=display)
    _require_replies(answered, grader)
    if changed is not None:
        answered = answered.beside(_ask(changed, grader, target, epochs=epochs, limit=None, display=display))
    card = examine(answered.rows)
    _spare_fuller(file, JudgeCard, identity, _replies(card))
    with together():
        write_text(file, card.model_dump_json(indent=2) + "\n")
        write_text(target / "judge_card.md", card_markdown(card))
    return card, answered


def attack_judge(
    grader: Model,
    folder: str | Path,
    *,
    rubric: str = "conflict",
    epochs: int = 1,
    limit: int | None = None,
    display: str = "none",
) -> tuple[AttackReport, Answered]:
    """Attack a judge with forged answers and write judge_attack.json and judge_attack.md.

    Args:
        grader: The judge.
        folder: Where logs and report go; an attack that was broken off goes on there.
        rubric: Id or path of the rubric.
        epochs: Times each answer is put before it.
        limit: Put only this many answers before it, bare and forged ones in turn.
        display: Inspect's display of the progress.

    Raises:
        InputError: An unknown rubric, fewer answers than one with its attack, or a report there that rests on more
            replies of this judge.
        AlignbenchError: Every call of the judge failed.
        KeyboardInterrupt: It was broken off; only logs are written.
    """
    if limit is not None and limit < 2:
        raise InputError(f"limit {limit!r}", allowed="2 or more: an answer as it is, and one with an attack round it")
    task, target = attack_task(rubric=rubric), make_folder(folder)
    file, identity = target / "judge_attack.json", _identity(grader, rubric)
    forged = sum((sample.metadata or {})["attack"] != "" for sample in task.dataset[:limit])
    _spare_fuller(file, AttackReport, identity, epochs * forged)
    answered = _ask(task, grader, target, epochs=epochs, limit=limit, display=display)
    _require_replies(answered, grader)
    report = attack_report(answered.rows)
    _spare_fuller(file, AttackReport, identity, _replies(report))
    with together():
        write_text(file, report.model_dump_json(indent=2) + "\n")
        write_text(target / "judge_attack.md", attack_markdown(report))
    return report, answered


def _identity(grader: Model, rubric: str) -> dict[str, str]:
    """What a card or a report says of whom it is about."""
    return {**judge_identity(grader), "rubric_digest": load_rubric(rubric).digest}


def _replies(found: JudgeCard | AttackReport) -> int:
    """How many replies something rests on."""
    return found.forged if isinstance(found, AttackReport) else found.answers * found.repeats - found.failed


def _spare_fuller(file: Path, kind: type[JudgeCard | AttackReport], identity: Mapping[str, str], replies: int) -> None:
    """Refuse to replace what rests on more replies of the same judge under the same rubric.

    Raises:
        InputError: There is one.
    """
    try:
        there = kind.model_validate_json(file.read_bytes())
    except (OSError, ValidationError):
        # Nothing, or nothing that a command could still read.
        return
    if any(getattr(there, name) != value for name, value in identity.items()) or _replies(there) <= replies:
        return
    raise InputError(
        f"what is here rests on {_replies(there)} replies of this judge, and what would replace it on {replies}",
        file=file, allowed="another folder (-o), or as many answers and epochs",
    )  # fmt: skip


def _require_replies(answered: Answered, grader: Model) -> None:
    """Stop where no call came through.

    Raises:
        AlignbenchError: None did.
    """
    if answered.failed == len(answered.rows):
        raise AlignbenchError(f"no call of the judge {grader} came through: {answered.problem}")


def _ask(task: Task, grader: Model, folder: Path, *, epochs: int, limit: int | None, display: str) -> Answered:
    # A folder of its own for each question asked of each judge: the same question goes on where it stopped.
    asked = {
        **judge_identity(grader),
        "task": str(task.name),
        "version": str(task.version),
        "epochs": epochs,
        "limit": limit,
    }
    log_dir = make_folder(folder) / "logs" / short_digest(asked)
    run_eval_set(
        [task],
        log_dir,
        model="none",
        model_roles={GRADER: grader},
        epochs=epochs,
        limit=limit,
        # What failed is asked for again by the same command, not by waiting here for hours.
        retry_attempts=0,
        retry_immediate=False,
        display=display,
    )
    rows = exam_rows([log_dir])
    failed = rows.loc[rows["unscored_reason"].isin(NO_REPLY), "problem"].fillna("no reply yet").astype(str).tolist()
    problem = failed[0].strip().split("\n")[0] if failed else ""
    return Answered(rows, log_dir, len(failed), problem)
