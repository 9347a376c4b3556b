"""What labellers are told that a label means: the words of the rubric by which the judge judged."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from alignbench.errors import InputError
from alignbench.rubrics import load_rubric, shipped_rubrics

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from alignbench.rubrics import Rubric

__all__ = ["Definitions", "rubric_definitions"]


@dataclass(frozen=True, slots=True)
class Definitions:
    """What one rubric says of the labels.

    Attributes:
        heading: Which rubric it is, or why its words cannot be shown.
        meanings: Verdict to its definition, in the rubric's words.
        text: The whole rubric, where it does not define each verdict on a line of its own.
    """

    heading: str
    meanings: Mapping[str, str] = field(default_factory=dict)
    text: str = ""

    @property
    def known(self) -> bool:
        """Whether the rubric's words are there."""
        return bool(self.meanings or self.text)


def rubric_definitions(rows: pd.DataFrame, given: Sequence[str] = ()) -> dict[str, Definitions]:
    """Find the rubrics by which some outputs were judged.

    A rubric is known by its digest: a shipped rubric of the same id that has changed since is another one, and its
    words are not shown.

    Args:
        rows: Drawn outputs, with `rubric` and `rubric_digest`.
        given: Rubrics to look among before those that ship, by id or by the path of a Markdown file.

    Returns:
        By digest, one for each in the rows.

    Raises:
        InputError: A rubric given is none, or judged none of these outputs.
    """
    judged = {str(digest): str(name) for name, digest in zip(rows["rubric"], rows["rubric_digest"], strict=True)}
    rubrics = {}
    for place in given:
        rubric = load_rubric(place)
        # A table that does not say by which rubric it was judged is taken at the user's word.
        digest = "" if list(judged) == [""] else rubric.digest
        if digest not in judged:
            raise InputError(f"the rubric has the digest {digest!r}", file=place,
                             allowed=f"one that judged these outputs: {', '.join(map(repr, judged))}")  # fmt: skip
        rubrics[digest] = rubric
    for digest, name in judged.items():
        if digest not in rubrics and name in shipped_rubrics() and load_rubric(name).digest == digest:
            rubrics[digest] = load_rubric(name)
    return {digest: _defined(name, digest, rubrics.get(digest)) for digest, name in judged.items()}


def _defined(name: str, digest: str, rubric: Rubric | None) -> Definitions:
    if rubric is not None:
        heading = f"As the judge was told, in the rubric {rubric.id!r}:"
        return Definitions(heading, rubric.verdicts, "" if rubric.verdicts else rubric.text)
    if not digest:
        return Definitions("The table does not say by which rubric the judge judged, so its words cannot be shown.")
    if name in shipped_rubrics():
        why = f"another version of the rubric {name!r} than this one of {load_rubric(name).digest!r}"
    else:
        why = f"the rubric {name!r}, which is not here"
    return Definitions(f"The judge judged by {why} (its digest is {digest!r}), so its words cannot be shown.")
