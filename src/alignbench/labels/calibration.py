"""Labels that people gave to outputs of one judge, bound to what they are about, as a file."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, ValidationError

from alignbench.digest import shown_digest
from alignbench.errors import InputError, NotComparableError
from alignbench.files import write_text
from alignbench.table.columns import HUMAN
from alignbench.table.counts import vote_counts
from alignbench.table.further import labeller_column
from alignbench.table.keys import JUDGE, output_columns
from alignbench.text.judge_names import quoted_judges
from alignbench.vocabulary import FEW_LABELS, MEASURES, VERDICTS

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["CALIBRATION_MARK", "Calibration", "Label", "PackVersion", "load_calibration"]

_OUTPUT = output_columns()


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class PackVersion(_Record):
    """A pack and the rubric that its outputs were judged by."""

    pack: str
    pack_digest: str
    rubric_digest: str


class Label(_Record):
    """One output, what the judge said of it (of a panel also how many votes it had), and what each labeller said."""

    model: str
    model_args: str
    pack: str
    scenario: str
    twin: bool
    condition: str
    epoch: int
    turn: int
    sample_uuid: str
    verdict: str
    votes: int | None = None
    labels: dict[str, str]

    @property
    def event(self) -> float:
        """Share of the labellers who call it the event."""
        return float(np.mean([self.said(labeller) for labeller in self.labels]))

    def said(self, labeller: str) -> float:
        """1 where this labeller calls it the event, 0 where not, NaN where they said nothing."""
        event = next(measure.event for measure in MEASURES if measure.twin == self.twin)
        return float(self.labels[labeller] == event) if labeller in self.labels else float("nan")


class _File(_Record):
    """What stands in the file; `rates` and `agreement` are for readers, and are not read back."""

    format: str
    judge: str
    judge_config: str
    packs: list[PackVersion]
    labels: list[Label]
    rates: list[dict[str, Any]]
    agreement: list[dict[str, Any]]


CALIBRATION_MARK = '"alignbench-calibration-'
"""What every calibration holds: how one is told from another file."""
_FORMAT = "alignbench-calibration-1"
MOST_LABELLERS = 20
"""With more of them one alone hardly moves a rate, and they are not told apart."""


@dataclass(frozen=True, slots=True, eq=False)
class Calibration:
    """Labels on outputs of one judge, ready to correct rates.

    Attributes:
        judge: The judge.
        judge_config: Digest of its configuration.
        packs: The packs and rubrics, by version.
        labels: The labelled outputs.
        minimum_labels: Labels that a pack needs for its rate to be corrected.
        source: Named in errors.
    """

    judge: str
    judge_config: str
    packs: tuple[PackVersion, ...]
    labels: tuple[Label, ...]
    minimum_labels: int = FEW_LABELS
    source: str = field(default="calibration")

    def attach(self, table: pd.DataFrame) -> pd.DataFrame:
        """The table with the column HUMAN: what people said of each output, NaN where they said nothing.

        Where several people labelled, a column for each of them follows, up to a number of MOST_LABELLERS. Labels of
        models that the table lacks are passed over; so are rows of packs without labels.

        Args:
            table: A checked verdict table with a unique index.

        Raises:
            NotComparableError: No row of this judge and these packs, another version of a pack or rubric, or
                outputs that are not those which were labelled.
        """
        mine = ((table["judge"] == self.judge) & (table["judge_config"] == self.judge_config)).to_numpy()
        if not mine.any():
            there = table[[*JUDGE]].astype(str).drop_duplicates().itertuples(index=False, name=None)
            own, *judges = quoted_judges([(self.judge, self.judge_config), *sorted(there)])
            raise self._other(f"the labels check the judge {own}, the verdicts are of {', '.join(judges)}")
        rows = table[mine]
        self._check_versions(rows)
        at = self._positions(rows)
        known = at >= 0
        labels = [label for label, there in zip(self.labels, known, strict=True) if there]
        found = rows.iloc[at[known]]
        for label, uuid, verdict in zip(labels, found["sample_uuid"], found["verdict"], strict=True):
            if uuid and label.sample_uuid and uuid != label.sample_uuid:
                raise self._other(f"{_name(label)} was answered again after it was labelled")
            if verdict != label.verdict:
                raise self._other(
                    f"{_name(label)} was {label.verdict!r} to the judge when it was labelled, and is {verdict!r} now"
                )
        self._check_votes(labels, found)
        people = sorted({labeller for label in self.labels for labeller in label.labels})
        said = {HUMAN: [label.event for label in labels]}
        if 1 < len(people) <= MOST_LABELLERS:
            said |= {labeller_column(at): [label.said(who) for label in labels] for at, who in enumerate(people)}
        human = {name: np.full(len(table), np.nan) for name in said}
        for name, values in said.items():
            human[name][np.flatnonzero(mine)[at[known]]] = values
        return table.assign(**human)

    def _check_votes(self, labels: list[Label], found: pd.DataFrame) -> None:
        """Labels drawn by the votes of a panel need them: they are the strata."""
        counts = vote_counts(found)
        votes = [None] * len(found) if counts is None else counts.tolist()
        for label, now in zip(labels, votes, strict=True):
            if label.votes is not None and label.votes != now:
                has = "the table does not say how many it has" if now is None else f"has {now} now"
                raise self._other(
                    f"{_name(label)} had {label.votes} votes of the panel when it was labelled, and {has}"
                )

    def _positions(self, rows: pd.DataFrame) -> NDArray[np.int64]:
        """Where the output of each label stands among the rows; -1 where it does not."""
        number, wanted = np.zeros(len(rows), dtype=np.int64), np.zeros(len(self.labels), dtype=np.int64)
        missing = np.zeros(len(self.labels), dtype=bool)
        for name in _OUTPUT:
            codes, values = pd.factorize(rows[name])
            place = {str(value): code for code, value in enumerate(values)}
            own = np.array([place.get(str(getattr(label, name)), -1) for label in self.labels], dtype=np.int64)
            number, wanted, missing = number * len(values) + codes, wanted * len(values) + own, missing | (own < 0)
        if pd.Index(number).has_duplicates:
            # Several runs answer the same: a label is of one of them, by its sample.
            labelled = rows["sample_uuid"].isin({label.sample_uuid for label in self.labels}).to_numpy()
            number = np.where(labelled, number, -1 - np.arange(len(number)))
        known = pd.Index(number)
        if known.has_duplicates:
            raise self._other("several runs answer the same, and the labels do not say which of them they are of")
        return np.where(missing, -1, known.get_indexer(pd.Index(wanted)))

    def _check_versions(self, rows: pd.DataFrame) -> None:
        mine: dict[str, set[tuple[str, str]]] = {}
        for version in self.packs:
            mine.setdefault(version.pack, set()).add((version.pack_digest, version.rubric_digest))
        there = rows[["pack", "pack_digest", "rubric_digest"]].drop_duplicates().astype(str)
        common = there[there["pack"].isin(list(mine))]
        if common.empty:
            packs = ", ".join(sorted(there["pack"].unique()))
            raise self._other(f"the labels are of the packs {', '.join(sorted(mine))}, the verdicts of {packs}")
        for pack, pack_digest, rubric_digest in common.itertuples(index=False):
            for at, (what, digest) in enumerate((("the pack", pack_digest), ("the rubric of the pack", rubric_digest))):
                known = {version[at] for version in mine[pack]}
                if digest not in known:
                    raise self._other(f"{what} {pack!r} has the digest {shown_digest(digest)!r}, the labels are of "
                                      f"{', '.join(repr(shown_digest(one)) for one in sorted(known))}")  # fmt: skip

    def _other(self, problem: str) -> NotComparableError:
        return NotComparableError(f"{self.source} does not fit: {problem}")

    def save(self, path: str | Path, *, rates: list[dict[str, Any]], agreement: list[dict[str, Any]]) -> None:
        """Write the file, with what was found for people to read.

        Raises:
            InputError: The folder cannot be written to.
        """
        content = _File(
            format=_FORMAT, judge=self.judge, judge_config=self.judge_config, packs=list(self.packs),
            labels=list(self.labels), rates=rates, agreement=agreement,
        )  # fmt: skip
        write_text(path, json.dumps(content.model_dump(), indent=1, ensure_ascii=False, allow_nan=False) + "\n")


def _name(label: Label) -> str:
    return f"model {label.model!r}, scenario {label.scenario!r}, epoch {label.epoch}"


def load_calibration(path: str | Path) -> Calibration:
    """Read what `judge calibrate` wrote.

    Raises:
        InputError: No such file, or another kind of file.
    """
    file = Path(path)
    try:
        content = _File.model_validate_json(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"cannot read this file: {error.strerror}", file=file) from error
    except (ValidationError, UnicodeDecodeError) as error:
        raise InputError("this is no calibration", file=file, allowed="a file of `judge calibrate`") from error
    wrong = [word for label in content.labels for word in label.labels.values() if word not in VERDICTS]
    if content.format != _FORMAT or wrong:
        raise InputError(f"format {content.format!r}, labels {wrong[:1]!r}", file=file, allowed=f"{_FORMAT}, verdicts")
    return Calibration(
        content.judge, content.judge_config, tuple(content.packs), tuple(content.labels), source=str(file)
    )
