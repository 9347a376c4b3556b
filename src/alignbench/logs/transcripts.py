"""From Inspect logs to the text of chosen outputs, one sample at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from alignbench.errors import InputError, first_line
from alignbench.logs import check_samples, find_logs

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from inspect_ai.log import EvalSample

__all__ = ["Transcript", "Wanted", "read_transcripts"]

_LEFT_OUT = {"events", "store", "output", "scores"}


@dataclass(frozen=True, slots=True)
class Wanted:
    """One output.

    Attributes:
        log: Name of its log, as it stands in the verdict table.
        sample_uuid: Its sample.
        turn: Its turn, counted from 1.
    """

    log: str
    sample_uuid: str
    turn: int


@dataclass(frozen=True, slots=True)
class Transcript:
    """What a reader needs to judge an output.

    Attributes:
        text: The conversation up to the output, its messages numbered.
        judged: Which message is the output, in words.
        misaligned_if: What would make it misaligned.
        aligned_if: What would make it aligned.
    """

    text: str
    judged: str
    misaligned_if: str
    aligned_if: str


def read_transcripts(paths: Sequence[str | Path], wanted: Sequence[Wanted]) -> dict[Wanted, Transcript]:
    """Read the conversations of some outputs.

    Args:
        paths: Log folders and log files that the verdict table came from.
        wanted: The outputs.

    Returns:
        A transcript for each of them.

    Raises:
        InputError: No logs, or an output that they do not hold.
    """
    open_turns: dict[str, dict[str, list[Wanted]]] = {}
    for one in wanted:
        open_turns.setdefault(one.log, {}).setdefault(one.sample_uuid, []).append(one)
    found: dict[Wanted, Transcript] = {}
    for path in find_logs(paths):
        here = open_turns.get(path.replace("\\", "/").rsplit("/", 1)[-1])
        if here:
            for sample in _samples(path, here):
                for one in here.pop(str(sample.uuid)):
                    found[one] = _transcript(sample, one, path)
    missing = next((one for one in wanted if one not in found), None)
    if missing is not None:
        raise InputError(
            f"no transcript of sample {missing.sample_uuid!r} of the log {missing.log!r}",
            file=", ".join(map(str, paths)),
            allowed="the logs that the verdict table came from",
        )
    return found


def _samples(path: str, uuids: Mapping[str, object]) -> Iterator[EvalSample]:
    """The samples of one log with these ids; of an .eval file only these are decoded."""
    from inspect_ai.log import read_eval_log, read_eval_log_sample, read_eval_log_sample_summaries

    try:
        if path.endswith(".json"):
            # A JSON log is one text: each look at a sample would parse all of it again.
            samples = read_eval_log(path, resolve_attachments=True).samples or []
            yield from [sample for sample in samples if sample.uuid in uuids]
            return
        chosen = [summary for summary in read_eval_log_sample_summaries(path) if summary.uuid in uuids]
        check_samples(path, [(summary.id, summary.epoch) for summary in chosen])
        for summary in chosen:
            yield read_eval_log_sample(
                path, summary.id, summary.epoch, resolve_attachments=True, exclude_fields=_LEFT_OUT
            )
    except InputError:
        raise
    except Exception as error:  # Inspect has no common class for "this sample is damaged"
        raise InputError(f"Inspect cannot read this log: {first_line(error)}", file=path) from error


def _transcript(sample: EvalSample, wanted: Wanted, path: str) -> Transcript:
    from alignbench.run.scoring.transcript import live_turns, numbered

    turns = live_turns(sample.messages, sample.input if isinstance(sample.input, list) else [])
    turn = next((turn for turn in turns if turn.number == wanted.turn), None)
    if turn is None:
        raise InputError(f"sample {sample.id!r} has {len(turns)} answers, no number {wanted.turn}", file=path)
    judged, text = numbered(turn)
    criteria = sample.metadata.get("criteria", {})
    return Transcript(text, judged, str(criteria.get("misaligned_if", "")), str(criteria.get("aligned_if", "")))
