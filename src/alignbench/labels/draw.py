"""Which outputs people should label: drawn from those being reported, a third of them flagged by the judge."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from alignbench.digest import short_digest
from alignbench.errors import InputError
from alignbench.labels.rows import DesignRow, DrawnCell, VotesRow
from alignbench.stats.expected_labels import labels_to_flagged
from alignbench.table.counts import headline, label_strata, measured, vote_counts
from alignbench.table.frames import rows_frame
from alignbench.table.keys import JUDGE, KEY_COLUMNS, MODEL
from alignbench.table.read import as_table
from alignbench.vocabulary import JUDGED, MEASURES, MISALIGNMENT, Measure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["ROW_COLUMNS", "Draw", "draw", "one_judge"]

ROW_COLUMNS = (*KEY_COLUMNS, "sample_uuid", "pack_digest", "rubric_digest")
"""What ties a label to an output of one table: the key, the sample behind it, and what it was judged by."""
_CELL = (*MODEL, "pack", "pack_digest", "rubric_digest")


@dataclass(frozen=True, slots=True, eq=False)
class Draw:
    """Outputs to label.

    Attributes:
        rows: The rows of the table in shuffled order, with their index in it and the column `measure`.
        design: One `DesignRow` a model, pack and measure.
        votes: In the table of a panel one `VotesRow` a model, pack, measure, verdict and count of votes; else no rows.
    """

    rows: pd.DataFrame
    design: pd.DataFrame
    votes: pd.DataFrame


def draw(
    table: pd.DataFrame,
    n: int = 100,
    *,
    measures: Sequence[str] = (MISALIGNMENT.name,),
    models: Sequence[str] = (),
    judge: str | None = None,
    condition: str = "default",
    seed: int = 0,
) -> Draw:
    """Draw outputs for people to label, stratified by what the judge said.

    Of each model, pack and measure up to n judged outputs are drawn, a third of them flagged, two thirds not;
    where one part has fewer, all of it is taken and the rest from the other part. Events that the judge missed weigh
    the most, and half and half leaves their upper limit half as high again. In the table of a panel each part
    is spread over its counts of votes: one output each, the rest in proportion. The order of the table does
    not matter, nor which other models stand in it. The rows come shuffled, so that any first part of them,
    labelled, is a random sample too.

    Args:
        table: A verdict table, whole or bare.
        n: Outputs to draw from each model, pack and measure.
        measures: `misalignment` (conflicts) and `over_refusal` (benign twins).
        models: The models to draw from; none named: all.
        judge: The judge whose verdicts are to be checked, where the table holds several.
        condition: The condition to draw from, at its last turn.
        seed: Seed of the draw.

    Raises:
        InputError: Unusable table or options, several judges, fewer outputs than a panel has counts of votes,
            or nothing to draw from.
    """
    known = {measure.name: measure for measure in MEASURES}
    unknown = [name for name in measures if name not in known]
    if unknown or not measures:
        raise InputError(f"measures {list(measures)!r}", allowed=", ".join(known))
    if n < 2:
        raise InputError(f"{n} outputs to label", allowed="2 or more; 100 to 200 are of use")
    rows = _rows(one_judge(_of_models(as_table(table), models), judge), condition)
    drawn: list[pd.DataFrame] = []
    design: list[DesignRow] = []
    votes: list[VotesRow] = []
    for name in dict.fromkeys(measures):
        part = measured(rows, known[name])
        for key, cell in part.groupby(list(_CELL), observed=True, sort=True):
            label = [str(value) for value in key] if isinstance(key, tuple) else [str(key)]
            about = DrawnCell(**dict(zip(_CELL, label, strict=True)), measure=name)
            chosen, row = _cell(cell, known[name], n, about, seed)
            drawn.append(chosen.assign(measure=name))
            design.append(row)
            votes += _by_votes(cell, chosen, known[name].event, about)
    if not drawn:
        raise InputError(f"no judged output of {', '.join(measures)} in condition {condition!r}", allowed="others")
    together = pd.concat(drawn)
    order = np.random.default_rng([seed, 1]).permutation(len(together))
    return Draw(together.iloc[order], rows_frame(design, DesignRow), rows_frame(votes, VotesRow))


def _of_models(table: pd.DataFrame, models: Sequence[str]) -> pd.DataFrame:
    if not models:
        return table
    there = sorted(map(str, table["model"].unique()))
    for name in models:
        if name not in there:
            raise InputError(f"no row of the model {name!r}", allowed=", ".join(there))
    return table[table["model"].isin(list(models)).to_numpy()]


def one_judge(table: pd.DataFrame, judge: str | None = None) -> pd.DataFrame:
    """The rows of one judge in one configuration.

    Args:
        table: A checked table.
        judge: Name of the judge, or name and configuration digest with a space between.

    Raises:
        InputError: No such judge, or several.
    """
    names, configs = (table[name].astype(str) for name in JUDGE)
    both = (names + " " + configs).str.strip()
    if judge is not None:
        mine = ((names == judge) | (both == judge)).to_numpy()
        table, both = table[mine], both[mine]
    found = sorted(both.unique())
    if len(found) == 1:
        return table
    if judge is not None and not found:
        raise InputError(f"no verdict of the judge {judge!r}", allowed=", ".join(sorted(names.unique())))
    raise InputError(f"{len(found)} judges", allowed="one; name it: --judge " + " | ".join(map(repr, found)))


def _rows(table: pd.DataFrame, condition: str) -> pd.DataFrame:
    """Judged outputs of one condition at the last turn, in the order of their keys."""
    if condition not in set(table["condition"].unique()):
        raise InputError(f"no row of condition {condition!r}", allowed=", ".join(sorted(table["condition"].unique())))
    last = headline(table, ("condition",))
    kept = last[(last["condition"] == condition).to_numpy() & last["verdict"].isin(JUDGED).to_numpy()]
    text = kept[[name for name in KEY_COLUMNS if name not in ("epoch", "turn")]].astype(str)
    keys = text.assign(epoch=kept["epoch"].astype(int), turn=kept["turn"].astype(int))
    return kept.loc[keys.sort_values(list(keys.columns)).index]


def _cell(cell: pd.DataFrame, measure: Measure, n: int, about: DrawnCell, seed: int) -> tuple[pd.DataFrame, DesignRow]:
    """The outputs drawn from one cell, and how many they are."""
    flagged = (cell["verdict"] == measure.event).to_numpy(dtype=bool)
    sizes = int(flagged.sum()), int((~flagged).sum())
    stratum = label_strata(cell, measure.event)
    # Each count of votes needs a label.
    first = labels_to_flagged(n, *sizes, least=min(len(np.unique(stratum[flagged])), n // 2))
    wanted = first, min(sizes[1], n - first)
    # Each cell has its own stream: another model in the table does not move it.
    stream = short_digest([measure.name, *(getattr(about, name) for name in _CELL)])
    rng = np.random.default_rng([seed, int(stream, 16)])
    parts: list[NDArray[np.int64]] = []
    for kind, count in zip((True, False), wanted, strict=True):
        said, there = np.unique(stratum[flagged == kind], return_counts=True)
        for value, share in zip(said, _spread(there, count), strict=True):
            parts.append(rng.choice(np.flatnonzero(stratum == value), size=share, replace=False))
    chosen = cell.iloc[np.concatenate(parts)]
    row = DesignRow(cell=about, outputs=len(cell), flagged=sizes[0], drawn=sum(wanted), drawn_flagged=wanted[0])
    return chosen, row


def _by_votes(cell: pd.DataFrame, chosen: pd.DataFrame, event: str, about: DrawnCell) -> list[VotesRow]:
    """Outputs and draws of each verdict and count of votes of a panel, the flagged and the most votes first."""
    counts = vote_counts(cell)
    if counts is None:
        return []
    kind = pd.DataFrame({"flagged": (cell["verdict"] == event).to_numpy(dtype=bool), "votes": counts})
    kind["drawn"] = cell.index.isin(chosen.index)
    groups = kind.groupby(["flagged", "votes"])["drawn"].agg(["size", "sum"]).sort_index(ascending=False)
    return [
        VotesRow(cell=about, flagged=bool(flagged), votes=int(votes), outputs=int(size), drawn=int(drawn))
        for (flagged, votes), size, drawn in groups.itertuples(name=None)
    ]


def _spread(sizes: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """Share out draws: one to each stratum, the rest in proportion to what is left there, by largest remainder."""
    if count < len(sizes):
        raise InputError(
            f"of {int(sizes.sum())} outputs with one verdict of the panel {count} would be labelled, and they have "
            f"{len(sizes)} counts of votes", allowed="one label each: ask for more outputs",
        )  # fmt: skip
    left = sizes - 1
    quota = (count - len(sizes)) * left / max(int(left.sum()), 1)
    share: NDArray[np.int64] = np.floor(quota).astype(np.int64)
    share[np.argsort(share - quota, kind="stable")[: count - len(sizes) - int(share.sum())]] += 1
    return share + 1
