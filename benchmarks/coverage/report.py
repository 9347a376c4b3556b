"""The table that the README quotes, in Markdown."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.coverage.scores import GateShares, Rejections, Score
from benchmarks.coverage.settings import CORE_RATES, CORE_SCENARIOS, PairSetting, Setting

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from benchmarks.coverage.run import Result

__all__ = ["TARGETS", "Target", "missed", "report"]


@dataclass(frozen=True, slots=True)
class Target:
    """What an interval must reach on the core.

    Attributes:
        claim: What it is an interval of, in words.
        part: Part of the simulation.
        method: The interval.
        mean: Least mean coverage over the core's settings; None where only the least one counts.
        least: Least coverage in any setting of the core.
    """

    claim: str
    part: str
    method: str
    mean: float | None
    least: float


TARGETS = (
    Target("S1, a rate", "rate", "S1", 0.96, 0.93),
    Target("S1 over packs, an overall rate", "overall rate", "S1 over packs", None, 0.93),
    Target("S2, a difference", "difference", "S2", None, 0.93),
    Target("S2 over packs, an overall difference", "overall difference", "S2 over packs", None, 0.93),
    Target("jackknife, Bradley-Terry worths", "worths", "jackknife over scenarios", None, 0.93),
)


def _share(value: float) -> str:
    """Three digits without the leading zero."""
    return "-" if np.isnan(value) else f"{value:.3f}".removeprefix("0")


def _markdown(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *rows]
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
    return found


def _summary(results: Sequence[Result]) -> str:
    rows = []
    for target in TARGETS:
        wanted = f"minimum {_share(target.least)}"
        if target.mean is not None:
            wanted = f"mean {_share(target.mean)}, {wanted}"
        line = [target.claim]
        for grid in ("core", "stress"):
            scores = _chosen(results, target.part, grid).get(target.method, [])
            if scores:
                line += [str(len(scores)), _share(_mean(scores, "coverage")), _share(_least(scores).coverage)]
            else:
                line += ["0", "-", "-"]
        rows.append([*line[:4], wanted, *line[4:]])
    head = [
        "nominal 95 %",
        "core settings",
        "mean",
        "minimum",
        "target",
        "stress settings",
        "mean",
        "minimum",
    ]
    return _markdown(head, rows)


def _methods(results: Sequence[Result], part: str) -> str:
    """Every method of a part, core beside stress, and where it is worst."""
    core, stress = _chosen(results, part, "core"), _chosen(results, part, "stress")
    head = ["method", "data sets", "core mean", "core minimum", "core width",
            "stress mean", "stress minimum", "stress width", "worst of the core"]  # fmt: skip
    rows = []
    for method, scores in core.items():
        line = [f"**{method}**" if any(method == target.method for target in TARGETS) else method]
        line.append(f"{scores[0].data_sets:,}")
        for found in (scores, stress.get(method, [])):
            if found:
                line += [_share(_mean(found, "coverage")), _share(_least(found).coverage)]
                line.append(_share(_mean(found, "width")))
            else:
                line += ["-", "-", "-"]
        rows.append([*line, str(_least(scores).setting)])
    return _markdown(head, rows)


def _by_cell(
    results: Sequence[Result], part: str, methods: Sequence[str], base: Callable[[object], Setting]
) -> str:
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
        rows.append(
            [method, f"{tests[0].data_sets:,}", _share(mean), _share(worst.share), str(worst.setting)]
        )
    return _markdown(["test at .05", "data sets", "mean size", "largest", "where"], rows)


def _gate(results: Sequence[Result]) -> str:
    rows = [
        [
            str(one.situation),
            str(one.tables),
            _share(one.regressed),
            _share(one.not_worse),
            _share(one.inconclusive),
        ]
        for one in results
        if isinstance(one, GateShares)
    ]
    head = ["packs x scenarios x epochs", "tables", "regressed (1)", "not worse (0)", "inconclusive (3)"]
    return _markdown(head, rows)


def _refused(results: Sequence[Result]) -> str:
    scores = [
        one for one in _chosen(results, "worths").get("jackknife over scenarios", []) if one.refused > 0
    ]
    if not scores:
        return "The jackknife gave an interval for every data set."
    worst = max(scores, key=lambda one: one.refused)
    return (
        f"The jackknife gives no interval where a worth has no finite estimate: in {_share(worst.refused)} of the "
        f"data sets at worst ({worst.setting})."
    )


def report(results: Sequence[Result], facts: Sequence[str]) -> str:
    """The whole page.

    Args:
        results: What was simulated.
        facts: On what machine, with which seed and effort, a line each.
    """
    rates = ("S1", "Inspect ci_wilson(cluster=)", "beta-binomial posterior", "Inspect ci(cluster=)")
    changes = ("S2", "Miller, paired and clustered, t", "cluster bootstrap, BCa")
    return f"""# Coverage of the intervals

Written by `python -m benchmarks.coverage` (`make coverage`); not edited by hand. How often does an interval that
claims 95 % hold the true value, when outputs of one scenario are alike and events are rare?

{_summary(results)}

{chr(10).join(f"- {fact}" for fact in facts)}

**Core**: {" , ".join(map(str, CORE_SCENARIOS))} scenarios of 4 to 10 outputs, intra-scenario correlation (icc) .05, .2, .5,
rates .01, .05, .2, .5. **Stress**: 5 to 200 scenarios; 2, 60, or unequally 2 to 60 outputs; icc 0, .1, .4, .8; rates .002
to .5. Propensities of scenarios are beta, logit-normal, or two-point (most scenarios never show the event). Each row counts
settings once, and a minimum is the worst setting; with 10,000 data sets a coverage of .95 has a standard error of .002, with
4,000 of .003, with 1,000 of .007, so a minimum over many settings lies below the true one by two or three of these. Widths
are means over data sets and settings.

## A rate

{_methods(results, "rate")}

Least coverage over the core's correlations and generators / mean width:

{_by_cell(results, "rate", rates, _own)}

## A rate over packs

Core: 3 packs of 12 scenarios and 9 of 25, of unlike rates. Stress: packs of 5 to 60 scenarios of 2 to 60 outputs.

{_methods(results, "overall rate")}

## A difference on the same scenarios

Core: the settings above, the candidate at the base's rate or a fifth of it, scenarios alike to both models a little (.3) or a lot
(.9: correlation of the normal scores behind the propensities). Stress: the same rate on exactly the same propensities, or a
fifth of it.

{_methods(results, "difference")}

Least coverage over the core's correlations, generators and changes / mean width:

{_by_cell(results, "difference", changes, _base)}

Over packs, as the gate decides by it:

{_methods(results, "overall difference")}

## Tests where nothing has changed

The share that rejects; at .05 it should be .05 or less. Settings of the core with equal rates.

{_tests(results)}

## The gate

Conflicts and as many twins; 8 % over-refusal unless said otherwise; icc .2, scenarios much alike to both models. "Regressed" where
nothing has changed is a false alarm; "not worse" where a rate rises by the margin is a wrong pass.

{_gate(results)}

## Value priorities: Bradley-Terry worths

Core: 4 or 8 values that meet all or half of the others, 6 or 12 scenarios a pair of 4 outputs, with ties, with or without nudged
forms, scenario effects of sd .5, 1 or 2 on the log-odds. Stress: rings, 3 or 5 scenarios a pair, sd 2 or 3. Coverage
and width are means over the values.

{_methods(results, "worths")}

{_refused(results)}
"""
