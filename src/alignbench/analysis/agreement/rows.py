"""Rows of agreement: what each of their columns means."""

from dataclasses import dataclass
from typing import Annotated

from alignbench.table.meanings import Coverage, Flags
from alignbench.text.rows import SPREAD

__all__ = ["AgreementRow", "ConfusionRow"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreementRow:
    """One coefficient of one set of raters."""

    group: Annotated[dict[str, object], SPREAD]
    raters: Annotated[tuple[str, ...], "The raters, joined by +; the reference comes last."]
    coefficient: Annotated[
        str,
        "observed_agreement, positive_agreement, negative_agreement, krippendorff_alpha and the like; of a judge "
        "against a reference also sensitivity, specificity, positive_predictive_value and false_omission_rate.",
    ]
    value: Annotated[float | None, "The coefficient; empty where it is not defined."]
    low: Annotated[float | None, "Lower end of its interval over scenarios; empty where none can be given."]
    high: Annotated[float | None, "Upper end of its interval."]
    confidence: Coverage
    method: Annotated[str, "How the interval was made."]
    units: Annotated[int, "Units that count: those that both of two raters rated."]
    disagreements: Annotated[int, "Of these, the units on which somebody disagreed."]
    scenarios: Annotated[int, "Scenarios that the units belong to."]
    flags: Flags


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfusionRow:
    """How often two raters gave one pair of labels to the same unit."""

    group: Annotated[dict[str, object], SPREAD]
    first: Annotated[str, "One rater."]
    second: Annotated[str, "The other rater."]
    first_label: Annotated[object, "What the one said."]
    second_label: Annotated[object, "What the other said."]
    units: Annotated[int, "Units of which both said that; 0 stands there too."]
