"""The records of a pack. Unknown fields are errors, in every one of them."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator, model_validator

from alignbench.vocabulary import MISALIGNED, OVERALL, PASSIVE, POSITION_MAX, SEVERITY_MAX, RefusalType, Verdict

__all__ = [
    "FILES",
    "Answer",
    "Axes",
    "Axis",
    "LabelledAnswer",
    "LabelledAnswers",
    "Level",
    "Message",
    "PackMeta",
    "Prompts",
    "Scenario",
    "Source",
    "Standard",
    "Twin",
    "Value",
    "Values",
]

Id = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_]+$", max_length=60)]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Canary = Annotated[
    str, StringConstraints(pattern=r"^alignbench:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$")
]
Position = Annotated[int, Field(ge=0, le=POSITION_MAX, strict=True)]
Pair = Annotated[tuple[Id, Id], Field(description="Two ids of values.yaml; positions are reported in this order.")]


class Record(BaseModel):
    """Base of every record: unknown fields are errors, records do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Value(Record):
    """A value that scenarios set against another."""

    id: Id
    title: Text
    meaning: Text = Field(description="One sentence, read by the judge.")


class Values(Record):
    """The file values.yaml."""

    canary: Canary
    values: list[Value] = Field(min_length=2)


class Standard(Record):
    """What counts as misaligned and as aligned, for the whole pack."""

    misaligned: Text
    aligned: Text


class PackMeta(Record):
    """The file pack.yaml."""

    id: Id
    canary: Canary = Field(description="Stands in every file of the pack, so that leaks into training data show.")
    title: Text
    version: str = Field(
        pattern=r"^\d+-[A-Z]$", description="N-X: numbers compare within N; X counts changes that keep them comparable."
    )
    values: Pair = Field(description="Value pair of scenarios that name none.")
    standard: Standard
    licence: Text
    authors: list[Text] = Field(min_length=1)
    provenance: Text = Field(description="How the texts came about, and who has checked the labels.")

    @field_validator("id")
    @classmethod
    def _id_is_free(cls, name: str) -> str:
        if name == OVERALL:
            raise ValueError(f"{OVERALL!r} is the word for all packs together; allowed: another id")
        return name


class Message(Record):
    """An earlier turn, replayed as it stands."""

    role: Literal["user", "assistant"]
    content: Text


def _alternating(turns: list[Message]) -> list[Message]:
    roles = [message.role for message in turns]
    if roles != ["user", "assistant"] * (len(roles) // 2):
        raise ValueError(f"the roles are {', '.join(roles)}; allowed: user, assistant in turn, ending in assistant")
    return turns


class Prompts(Record):
    """The request in three nudges: without a lean, and leaning hard to either value."""

    neutral: Text
    to_value_1: Text
    to_value_2: Text


class Twin(Record):
    """The benign twin: the same surface without the conflict; helping is right."""

    prompt: Text
    system: Text | None = Field(None, description="Replaces the conflict's system prompt; default: the same one.")
    earlier_turns: list[Message] | None = Field(
        None, description="Replace the conflict's earlier turns; default: the same ones."
    )
    aligned_if: Text
    note: Text = Field(description="Which fact removes the conflict.")

    @field_validator("earlier_turns")
    @classmethod
    def _twin_turns_alternate(cls, turns: list[Message] | None) -> list[Message] | None:
        return _alternating(turns or []) if turns is not None else None


class Source(Record):
    """Where a scenario comes from."""

    origin: Literal["original", "adapted", "published"]
    author: Text
    note: Text


class Scenario(Record):
    """One conflict between two values, with its benign twin. The file's stem is its id."""

    id: Id
    canary: Canary
    title: Text
    values: Pair | None = None
    family: Id = Field(description="Kindred situations; whole families are held out.")
    split: Literal["seen", "unseen"]
    system: Text | None = None
    earlier_turns: list[Message] = Field(default_factory=list)
    prompts: Prompts
    misaligned_if: Text
    aligned_if: Text
    twin: Twin
    source: Source

    @field_validator("earlier_turns")
    @classmethod
    def _turns_alternate(cls, turns: list[Message]) -> list[Message]:
        return _alternating(turns)

    def history(self, *, twin: bool) -> list[Message]:
        """What was said before the request."""
        own = self.twin.earlier_turns if twin else None
        return self.earlier_turns if own is None else own

    def system_prompt(self, *, twin: bool) -> str | None:
        """The operator's system prompt."""
        return (self.twin.system if twin else None) or self.system


class Level(Record):
    """A level of an axis: text added to the system prompt, user turns added after the answer, or both."""

    id: Id
    title: Text
    system: Text | None = None
    follow_ups: list[Text] = Field(default_factory=list)

    @model_validator(mode="after")
    def _does_something(self) -> Level:
        if self.system is None and not self.follow_ups:
            raise ValueError("a level needs a system text or follow_ups")
        return self


class Axis(Record):
    """One way in which the circumstances vary; its default level adds nothing."""

    id: Id
    title: Text
    default: Id
    levels: list[Level] = Field(min_length=1)


class Axes(Record):
    """The file conditions.yaml."""

    canary: Canary
    axes: list[Axis]


class Answer(Record):
    """A labelled answer as it stands in the file of its scenario."""

    id: Id
    kind: Id = Field(description="What sort of answer it is, for example blatant or subtle.")
    twin: bool = False
    verdict: Verdict
    refusal_type: RefusalType | None = None
    severity: Annotated[int, Field(ge=0, le=SEVERITY_MAX, strict=True)] = 0
    position_1: Position | None = None
    position_2: Position | None = None
    condition: str = "default"
    turn: Annotated[int, Field(ge=1, strict=True)] | None = None
    labeller: Text
    second_label: Verdict | None = Field(None, description="The verdict of a second reader who did not see the first.")
    text: Text

    @model_validator(mode="after")
    def _fields_agree(self) -> Self:
        problem = label_problem(self.verdict, self.severity, (self.position_1, self.position_2))
        if problem:
            raise ValueError(problem)
        return self


class LabelledAnswer(Answer):
    """An answer with its verdict: what the judge is examined on and what personas say."""

    scenario: Id


class LabelledAnswers(Record):
    """One file of labelled/: the labelled answers to a conflict and to its twin. The file's stem is the scenario."""

    scenario: Id
    canary: Canary
    answers: list[Answer] = Field(min_length=1)


FILES: dict[str, type[Record]] = {
    "pack": PackMeta,
    "scenario": Scenario,
    "conditions": Axes,
    "values": Values,
    "labelled": LabelledAnswers,
}
"""The kinds of file of a pack."""


def label_problem(verdict: str, severity: int, positions: tuple[Any, Any]) -> str | None:
    """Say how the fields of a verdict contradict each other, or None if they do not."""
    if (severity >= 1) != (verdict == MISALIGNED):
        return f"severity {severity} with verdict {verdict!r}; allowed: 1 or more exactly if misaligned"
    silent = verdict in PASSIVE
    for number, position in enumerate(positions, start=1):
        if (position is None) != silent:
            wanted = "null" if silent else "0 to 6"
            return f"position_{number} {position!r} with verdict {verdict!r}; allowed: {wanted}"
    return None
