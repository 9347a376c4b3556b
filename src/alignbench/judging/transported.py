"""Error rates of a judge from its exam, to correct rates by where no output was labelled."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, ValidationError

from alignbench.analysis.corrected import Transport
from alignbench.errors import InputError, NotComparableError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["load_transport"]


class _Counts(BaseModel):
    """A share; with `n_eff` its counts say as much as so many independent answers."""

    found: int
    all: int
    n_eff: float | None = None

    def effective(self) -> tuple[float, float]:
        """`found` of `all`, scaled to the effective sample size where the card states one."""
        if "n_eff" not in self.model_fields_set or not self.all:
            return float(self.found), float(self.all)
        # A card without an interval knows one scenario: one answer, however often it was judged.
        size = min(1.0 if self.n_eff is None else self.n_eff, float(self.all))
        return self.found / self.all * size, size


class _Card(BaseModel):
    """What of a judge's card is needed; the rest is passed over."""

    judge: str
    sensitivity: _Counts
    specificity: _Counts
    judge_config: str | None = None
    rubric_digest: str | None = None
    label_digest: dict[str, str] | None = None


def load_transport(path: str | Path, table: pd.DataFrame) -> Transport:
    """Read error rates from a judge's card, for the judge of a table.

    Args:
        path: JSON with `judge`, `sensitivity` and `specificity` (each `found` and `all`, and `n_eff` if these are no
            independent answers), as `judge exam` writes it.
        table: The verdict table that they are to correct.

    Raises:
        InputError: No such file, or no card.
        NotComparableError: The card is of another judge, configuration or rubric than the table, or of other packs.
    """
    file = Path(path)
    try:
        card = _Card.model_validate_json(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"cannot read this file: {error.strerror}", file=file) from error
    except (ValidationError, UnicodeDecodeError) as error:
        problem = f"this is no judge's card: {' '.join(str(error).split())[:200]}"
        raise InputError(problem, file=file, allowed="the JSON of `judge exam`") from error
    for name in ("judge", "judge_config", "rubric_digest"):
        wanted, there = getattr(card, name), sorted(map(str, table[name].unique()))
        if wanted is not None and there != [wanted]:
            found = ", ".join(map(repr, there))
            raise NotComparableError(f"{file} does not fit: its {name} is {wanted!r}, the table's {found}")
    packs = {str(pack) for pack in table["pack"].unique()}
    if card.label_digest is not None and not packs <= card.label_digest.keys():
        missing = ", ".join(map(repr, sorted(packs - card.label_digest.keys())))
        raise NotComparableError(f"{file} does not fit: its judge was not examined on {missing}")
    return Transport(card.sensitivity.effective(), card.specificity.effective())
