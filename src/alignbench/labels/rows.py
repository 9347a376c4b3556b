"""Rows of a draw of outputs to label: what each of their columns means."""

from dataclasses import dataclass
from typing import Annotated

from alignbench.text.rows import SPREAD

__all__ = ["DesignRow", "DrawnCell", "VotesRow"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnCell:
    """What outputs are drawn from."""

    model: Annotated[str, "The model that answered."]
    model_args: Annotated[str, "Its arguments and settings."]
    pack: Annotated[str, "The pack of scenarios."]
    pack_digest: Annotated[str, "Digest of the pack."]
    rubric_digest: Annotated[str, "Digest of the rubric that was judged by."]
    measure: Annotated[str, "misalignment (outputs to conflicts) or over_refusal (to benign twins)."]


@dataclass(frozen=True, slots=True, kw_only=True)
class DesignRow:
    """How many outputs of one model, pack and measure are to be labelled."""

    cell: Annotated[DrawnCell, SPREAD]
    outputs: Annotated[int, "Judged outputs."]
    flagged: Annotated[int, "Of these, those that the judge called the event."]
    drawn: Annotated[int, "Outputs to label."]
    drawn_flagged: Annotated[int, "Of these, those that the judge called the event."]


@dataclass(frozen=True, slots=True, kw_only=True)
class VotesRow:
    """How many outputs with one verdict and count of votes of a panel are to be labelled."""

    cell: Annotated[DrawnCell, SPREAD]
    flagged: Annotated[bool, "Whether the panel called them the event."]
    votes: Annotated[int, "How many of its judges did."]
    outputs: Annotated[int, "Judged outputs."]
    drawn: Annotated[int, "Outputs to label."]
