"""The parts of an Inspect log that we read: of its header, its summaries, and the rows in a score."""

from __future__ import annotations

from typing import Any

import msgspec

from alignbench.vocabulary import NEUTRAL, TurnRow

__all__ = [
    "HEADER",
    "SAMPLE",
    "SUMMARIES",
    "Dataset",
    "Edit",
    "Eval",
    "ExamMetadata",
    "ExamSummary",
    "Fallback",
    "Header",
    "Message",
    "Model",
    "Sample",
    "SampleMetadata",
    "Score",
    "ScoreMetadata",
    "Summary",
    "Usage",
    "WholeScore",
    "decode_rows",
]


class Model(msgspec.Struct):
    """A model bound to a role."""

    model: str = ""
    args: dict[str, Any] = {}
    config: dict[str, Any] = {}


class Dataset(msgspec.Struct):
    """The samples that were planned."""

    sample_ids: list[str | int] | None = None


class Config(msgspec.Struct):
    """How often each sample was planned."""

    epochs: int | None = None


class Eval(msgspec.Struct):
    """What was run, on which model, with which judge."""

    task: str
    model: str
    eval_id: str = ""
    created: str = ""
    scorers: list[Any] | None = None
    task_id: str = ""
    model_args: dict[str, Any] = {}
    model_generate_config: dict[str, Any] = {}
    model_roles: dict[str, Model | list[Model]] | None = None
    metadata: dict[str, Any] | None = None
    dataset: Dataset = msgspec.field(default_factory=Dataset)
    config: Config = msgspec.field(default_factory=Config)


class Plan(msgspec.Struct):
    """Settings of generation that the run made for its task."""

    config: dict[str, Any] = {}


class Header(msgspec.Struct):
    """`header.json`."""

    eval: Eval
    plan: Plan = msgspec.field(default_factory=Plan)
    invalidated: bool = False


# There are thousands of what follows, and no cycles among them: counting them made the garbage collector run for
# nearly half of the time that reading took.
class SampleMetadata(msgspec.Struct, gc=False):
    """What our tasks say of a sample; other tasks' samples have no scenario."""

    scenario: str | None = None
    family: str = ""
    split: str = "seen"
    twin: bool = False
    condition: str = "default"
    nudge: str = NEUTRAL
    value_1: str = ""
    value_2: str = ""
    turns: int = 1


class ScoreMetadata(msgspec.Struct, gc=False):
    """What our judge wrote beside its score."""

    # A score of somebody else's scorer may have anything under these names; ours has text.
    rows: Any = None
    judge: Any = ""
    judge_config: Any = ""
    rubric: Any = ""
    rubric_digest: Any = ""
    structured: Any = None

    @property
    def is_ours(self) -> bool:
        """Whether our judge can have written it."""
        return all(
            isinstance(text, str)
            for text in (self.rows, self.judge, self.judge_config, self.rubric, self.rubric_digest)
        )


class Score(msgspec.Struct, gc=False):
    """One scorer's score of a sample; of the value the text alone, for most are alike."""

    value: msgspec.Raw = msgspec.Raw(b"null")
    answer: str | None = None
    reason: str | None = None
    metadata: ScoreMetadata | None = None


class Fallback(msgspec.Struct, gc=False):
    """Requests that another model served than the one asked for."""

    model: str = ""
    fallback_model: str = ""


class Summary(msgspec.Struct, gc=False):
    """One entry of `summaries.json`."""

    id: str | int
    epoch: int
    metadata: SampleMetadata
    scores: dict[str, Score] | None = None
    error: str | None = None
    limit: str | None = None
    model_fallbacks: list[Fallback] | None = None
    uuid: str | None = None


class ExamMetadata(SampleMetadata, gc=False):
    """What an examination of a judge adds: the labelled answer, and the attack on it."""

    answer: str = ""
    kind: str = ""
    attack: str = ""
    technique: str = ""
    label: str = ""
    label_position_1: int | None = None
    label_position_2: int | None = None


class Usage(msgspec.Struct, gc=False):
    """Tokens and cost of a role in one sample."""

    input_tokens: int = 0
    input_tokens_cache_read: int | None = None
    input_tokens_cache_write: int | None = None
    output_tokens: int = 0
    total_cost: float | None = None

    def row(self) -> tuple[int | None, int | None, float | None]:
        """Input tokens with those from the cache, output tokens and cost; nothing where nothing was counted."""
        read = self.input_tokens + (self.input_tokens_cache_read or 0) + (self.input_tokens_cache_write or 0)
        return read or None, self.output_tokens or None, self.total_cost


class ExamSummary(Summary, kw_only=True, gc=False):
    """One entry of `summaries.json` of an examination."""

    metadata: ExamMetadata
    role_usage: dict[str, Usage] = {}


class Message(msgspec.Struct, gc=False):
    """Who spoke, and whether a tool was called."""

    role: str = ""
    tool_calls: Any = None


class Edit(msgspec.Struct, gc=False):
    """What a person changed of a score; `UNCHANGED` where nothing."""

    value: Any = "UNCHANGED"
    answer: Any = "UNCHANGED"
    reason: Any = "UNCHANGED"
    metadata: Any = "UNCHANGED"


class WholeScore(msgspec.Struct, gc=False):
    """A score with what became of it; NaN is read as None."""

    value: Any = None
    answer: str | None = None
    reason: str | None = None
    metadata: ScoreMetadata | None = None
    history: list[Edit] = []


class Sample(msgspec.Struct):
    """What summaries do not tell of a sample."""

    id: str | int
    epoch: int
    input: str | list[Message] = ""
    messages: list[Message] = []
    scores: dict[str, WholeScore] | None = None
    invalidation: Any = None


HEADER = msgspec.json.Decoder(Header)
SUMMARIES: dict[type[Summary], msgspec.json.Decoder[Any]] = {
    Summary: msgspec.json.Decoder(list[Summary]),
    ExamSummary: msgspec.json.Decoder(list[ExamSummary]),
}
SAMPLE = msgspec.json.Decoder(Sample)
decode_rows = msgspec.json.Decoder(list[TurnRow]).decode
"""The rows that `alignbench.vocabulary.packed_rows` has packed."""
