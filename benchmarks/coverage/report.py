"""The table that the page of methods quotes, in Markdown."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.coverage.corrections import (
    ALONE,
    ENOUGH,
    MANY,
    MEASURED,
    NEARLY,
    PPI,
    RAW,
    SOME,
    CorrectionSetting,
    relative_widths,
    steepest_moves,
)
from benchmarks.coverage.page import PAGE
from benchmarks.coverage.scores import Rejections, Score
from benchmarks.coverage.settings import CORE_RATES, CORE_SCENARIOS, PairSetting, Setting

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from benchmarks.coverage.run import Result

__all__ = ["MOST_MOVE", "MOST_WIDTH", "TARGETS", "Target", "missed", "report"]


@dataclass(frozen=True, slots=True)
class Target:
    """What an interval must reach.

    Attributes:
        claim: What it is an interval of, in words.
        part: Part of the simulation.
        method: The interval.
        least: Least coverage in any setting of the core.
        mean: Least mean coverage over the core's settings; None where only the least one counts.
        peers: Other methods to show beside it.
    """

    claim: str
    part: str
    method: str
    least: float
    mean: float | None = None
    peers: tuple[str, ...] = ()


TARGETS = (
    Target("a rate", "rate", "Gaffke", 0.945, None,
           ("Gaffke, mid-P", "S1", "Inspect ci_wilson(cluster=)", "Inspect ci(cluster=)", "cluster bootstrap, BCa",
            "Wilson, outputs independent")),
    Target("overall rate", "overall rate", "Gaffke over packs", 0.945, None, ("S1 over packs",)),
    Target("a difference", "difference", "Gaffke, mid-P", 0.945, None,
           ("Gaffke", "S2", "Miller, paired and clustered, normal", "cluster bootstrap, BCa",
            "Newcombe 10, outputs independent")),
    Target("overall difference", "overall difference", "Gaffke, mid-P over packs", 0.93, None, ("S2 over packs",)),
    Target("worths of values", "worths", "jackknife over scenarios", 0.93, None,
           ("iid bootstrap, percentile",)),
    Target("a rate, by labels", "corrected rate", "S3", 0.92, None,
           (RAW, PPI, "exam's error rates (Lee et al.), exam easier")),
)  # fmt: skip
"""Of each part the method that we publish."""


GRIDS = ("core", "stress", "heavy")
SAME_LABELS = ("S3", PPI, ALONE)
"""The methods that rest on the labels alone, without an exam and without trust in the judge."""
MOST_WIDTH = 1.5
"""The corrected rate's largest width over the narrowest of them that itself covers in a setting."""
MOST_MOVE = 1.5
"""Its upper limit's largest move by one more confirmed event, over Clopper-Pearson's."""

_WORDS = ("95 % interval of", "method", "worst of all", "where", "test at .05", "grid", "at")


def _share(value: float) -> str:
    """Three digits without the leading zero."""
    return "-" if np.isnan(value) else f"{value:.3f}".removeprefix("0")


def _markdown(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---" if name in _WORDS else "---:" for name in head], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _chosen(results: Sequence[Result], part: str, grid: str | None = None) -> dict[str, list[Score]]:
    """Scores of one part by method."""
    found: dict[str, list[Score]] = {}
    for one in results:
        if isinstance(one, Score) and one.part == part and grid in (None, one.grid):
            found.setdefault(one.method, []).append(one)
    return found


def _least(scores: Sequence[Score]) -> Score:
    """The setting with the lowest coverage; those without any interval have none."""
    return min(scores, key=lambda one: (np.isnan(one.coverage), one.coverage))


def _mean(scores: Sequence[Score], name: str) -> float:
    values = np.array([getattr(one, name) for one in scores])
    return float(np.nanmean(values)) if np.isfinite(values).any() else float("nan")


def missed(results: Sequence[Result]) -> list[str]:
    """The targets that the results miss, in words."""
    found = []
    for target in TARGETS:
        scores = _chosen(results, target.part, "core").get(target.method, [])
        if not scores:
            found.append(f"{target.claim}: not simulated")
            continue
        mean, least = _mean(scores, "coverage"), _least(scores)
        if target.mean is not None and mean < target.mean:
            found.append(f"{target.claim}: mean {_share(mean)} below {_share(target.mean)}")
        if not least.coverage >= target.least:
            where = f"{_share(least.coverage)} below {_share(target.least)} at {least.setting}"
            found.append(f"{target.claim}: {where}")
    return found + _missed_by_corrections(results)


def _missed_by_corrections(results: Sequence[Result]) -> list[str]:
    """What a corrected rate misses beside its coverage of the core: the other grids, width and move."""
    claim, least, found = TARGETS[-1].claim, TARGETS[-1].least, []
    for grid in GRIDS:
        here = _Corrections.of(results, grid)
        if here is None:
            continue
        if grid != "core" and not here.least.coverage >= least:
            found.append(f"{claim}: {_share(here.least.coverage)} below {_share(least)} at {here.least.setting}")
        if here.width[0] > MOST_WIDTH:
            found.append(f"{claim}: {here.width[0]:.2f} times the narrowest that covers at {here.width[1]}")
        if here.move[0] > MOST_MOVE:
            found.append(f"{claim}: one event moves it {here.move[0]:.2f} times as Clopper-Pearson at {here.move[1]}")
    return found


@dataclass(frozen=True, slots=True)
class _Corrections:
    """The corrected rate on one grid.

    Attributes:
        mean: Mean coverage.
        least: The setting with the lowest one.
        width: Largest width over the narrowest method on the same labels that covers, and where.
        wide: Share of the settings in which it is more than MOST_WIDTH.
        any_width: The same as `width` over every method that covers, an exam or the judge's word among them.
        any_wide: Its share.
        move: Largest of `steepest_moves`, and where.
    """

    mean: float
    least: Score
    width: tuple[float, str]
    wide: float
    any_width: tuple[float, str]
    any_wide: float
    move: tuple[float, str]

    @classmethod
    def of(cls, results: Sequence[Result], grid: str) -> _Corrections | None:
        """None where nothing was simulated."""
        scores = [
            one
            for found in _chosen(results, "corrected rate", grid).values()
            for one in found
            if isinstance(one.setting, CorrectionSetting)
        ]
        if not scores:
            return None
        ours = [one for one in scores if one.method == "S3"]
        same, every = relative_widths(scores, SAME_LABELS), relative_widths(scores)
        # A dictionary keeps one of each setting, in order.
        moves = steepest_moves({one.setting: None for one in ours if isinstance(one.setting, CorrectionSetting)})
        return cls(
            _mean(ours, "coverage"), _least(ours), _largest(same), _above(same), _largest(every), _above(every),
            _largest(moves),
        )  # fmt: skip


def _largest(found: dict[str, float]) -> tuple[float, str]:
    """The largest value and what it belongs to; 0 of nothing."""
    where = max(found, key=found.__getitem__, default="nowhere")
    return found.get(where, 0.0), where


def _above(ratios: dict[str, float]) -> float:
    """Share of the settings that are wider than wanted."""
    return float(np.mean([ratio > MOST_WIDTH for ratio in ratios.values()])) if ratios else 0.0


def _corrected(results: Sequence[Result]) -> str:
    """What is asked of a corrected rate, grid by grid."""
    rows = []
    for grid in GRIDS:
        here = _Corrections.of(results, grid)
        if here is None:
            continue
        rows.append([
            grid, _share(here.mean), _share(here.least.coverage),
            f"{here.width[0]:.2f}", f"{here.wide:.1%}", here.width[1],
            f"{here.any_width[0]:.2f}", f"{here.any_wide:.1%}",
            f"{here.move[0]:.2f}", here.move[1],
        ])  # fmt: skip
    head = ["grid", "mean", "minimum", "widest", "above 1.5", "where", "widest of all", "above 1.5", "steepest", "at"]
    return _markdown(head, rows)


def _coverage(scores: Sequence[Score]) -> list[str]:
    if not scores:
        return ["-", "-"]
    return [_share(_mean(scores, "coverage")), _share(_least(scores).coverage)]


def _summary(results: Sequence[Result]) -> str:
    rows = []
    for target in TARGETS:
        for method in (target.method, *target.peers):
            ours = method == target.method
            line = [target.claim if ours else "", f"**{method}**" if ours else method]
            for grid in GRIDS:
                found = _chosen(results, target.part, grid).get(method, [])
                line += [str(len(found)), *_coverage(found)]
            rows.append(line)
    head = ["95 % interval of", "method", *(name for grid in GRIDS for name in (f"{grid} settings", "mean", "minimum"))]
    return _markdown(head, rows)


def _methods(results: Sequence[Result], part: str) -> str:
    """Every method of a part, its grids beside each other, and where it is worst."""
    by_grid = {grid: _chosen(results, part, grid) for grid in GRIDS}
    head = ["method", *(f"{grid} {name}" for grid in GRIDS for name in ("mean", "minimum", "width")), "worst of all"]
    rows = []
    for method in dict.fromkeys(method for found in by_grid.values() for method in found):
        line = [f"**{method}**" if any((method, part) == (one.method, one.part) for one in TARGETS) else method]
        for found in by_grid.values():
            scores = found.get(method, [])
            line += [*_coverage(scores), _share(_mean(scores, "width")) if scores else "-"]
        worst = _least([one for found in by_grid.values() for one in found.get(method, [])])
        rows.append([*line, f"{worst.setting} ({worst.data_sets:,} data sets)"])
    return _markdown(head, rows)


def _by_cell(results: Sequence[Result], part: str, methods: Sequence[str], base: Callable[[object], Setting]) -> str:
    """Least coverage of the core by true rate and number of scenarios, methods beside each other."""
    core = _chosen(results, part, "core")
    rows = []
    for rate, scenarios in product(CORE_RATES, CORE_SCENARIOS):
        line = [f"{rate:g}", str(scenarios)]
        for method in methods:
            here = [
                one
                for one in core.get(method, [])
                if (base(one.setting).rate, base(one.setting).scenarios) == (rate, scenarios)
            ]
            line += [f"{_share(_least(here).coverage)} / {_share(_mean(here, 'width'))}" if here else "-"]
        rows.append(line)
    return _markdown(["rate", "scenarios", *methods], rows)


def _own(setting: object) -> Setting:
    assert isinstance(setting, Setting)
    return setting


def _base(setting: object) -> Setting:
    assert isinstance(setting, PairSetting)
    return setting.base


def _tests(results: Sequence[Result]) -> str:
    found: dict[str, list[Rejections]] = {}
    for one in results:
        if isinstance(one, Rejections):
            found.setdefault(one.method, []).append(one)
    rows = []
    for method, tests in found.items():
        worst = max(tests, key=lambda one: one.share)
        mean = float(np.mean([one.share for one in tests]))
        rows.append([method, f"{tests[0].data_sets:,}", _share(mean), _share(worst.share), str(worst.setting)])
    return _markdown(["test at .05", "data sets", "mean size", "largest", "where"], rows)


def _refused(results: Sequence[Result]) -> str:
    scores = [one for one in _chosen(results, "worths").get("jackknife over scenarios", []) if one.refused > 0]
    if not scores:
        return "The jackknife gave an interval for every data set."
    worst = max(scores, key=lambda one: one.refused)
    return (
        "The jackknife gives no interval where a worth has no finite estimate: at worst in "
        f"{_share(worst.refused)} of the data sets ({worst.setting})."
    )


def report(results: Sequence[Result], facts: Sequence[str]) -> str:
    """The whole page.

    Args:
        results: What was simulated.
        facts: On what machine, with which seed and effort, a line each.
    """
    rates = ("Gaffke", "S1", "Inspect ci_wilson(cluster=)", "beta-binomial posterior", "Inspect ci(cluster=)")
    changes = ("Gaffke, mid-P", "S2", "Miller, paired and clustered, t", "cluster bootstrap, BCa")
    return PAGE.format(
        summary=_summary(results),
        facts="\n".join(f"- {fact}" for fact in facts),
        rates=_methods(results, "rate"),
        rate_cells=_by_cell(results, "rate", rates, _own),
        overall_rates=_methods(results, "overall rate"),
        differences=_methods(results, "difference"),
        difference_cells=_by_cell(results, "difference", changes, _base),
        overall_differences=_methods(results, "overall difference"),
        tests=_tests(results),
        worths=_methods(results, "worths"),
        refused=_refused(results),
        corrections=_methods(results, "corrected rate"),
        corrected=_corrected(results),
        some=f"{SOME:,}",
        enough=_share(ENOUGH),
        nearly=_share(NEARLY),
        many=f"{MANY:,}",
        measured=MEASURED,
    )
