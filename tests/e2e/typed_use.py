"""Each public function and type, used as a program that is checked with `mypy --strict` would use it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import alignbench as ab

if TYPE_CHECKING:
    import pandas as pd
    from inspect_ai.model import Model


def read(paths: list[str | Path]) -> pd.DataFrame:
    """Tables from logs, files and frames."""
    print(ab.__version__, ab.write_verdicts(paths, "verdicts.parquet"))
    wanted = ab.Wanted("a.eval", "uuid", 1)
    found: ab.Transcript = ab.read_transcripts(paths, [wanted])[wanted]
    print(found.text)
    return ab.as_table(ab.read_inputs(paths)) if paths else ab.read_table("verdicts.csv")


def measure(table: pd.DataFrame, calibration: ab.Calibration | None = None) -> list[pd.DataFrame]:
    """Every analysis that gives a frame."""
    transport = ab.load_transport("judge_card.json", table)
    return [
        ab.rates(table, ["model", "pack"], calibration=calibration),
        ab.rates(table, transported=transport, confidence=0.9),
        ab.compare(table, base_name="a", by=["split"]),
        ab.unpaired(table, base_name="a"),
        ab.ranks(table, measure="misalignment"),
        ab.agreement(table, on="verdict"),
        ab.confusion(table, on="verdict"),
    ]


def decide(base: pd.DataFrame, candidate: pd.DataFrame, policy: ab.Policy) -> int:
    """The gate, its rows, its forms and its exit code."""
    report: ab.GateReport = ab.gate(base, candidate, policy=policy)
    rows: tuple[ab.GateRow, ...] = report.rows
    print([row.worst_case for row in rows], report.headline, policy.alpha)
    for text in (ab.gate_text(report), ab.gate_markdown(report), ab.gate_junit(report), ab.gate_json(report)):
        print(text)
    return report.exit_code


def change(base: pd.DataFrame, candidate: pd.DataFrame) -> list[ab.CompareRow]:
    """Two models, two sets of outputs, two judges."""
    whole: ab.Comparison = ab.comparison(base, candidate)
    watched: ab.Contrast = ab.contrast(base, candidate, names=("unwatched", "watched"), differs=["condition"])
    judges: ab.JudgeComparison = ab.compare_judges(base)
    print(watched.cells, judges.differences)
    return list(whole.rows)


def explore(table: pd.DataFrame) -> ab.Drift:
    """Values, drift and plans."""
    values: ab.Priorities = ab.priorities(table)
    effort = ab.Effort(prices=ab.read_prices("prices.yaml"))
    assumed = ab.Assumptions(rate=0.03)
    gate = ab.GatePlan(policy=ab.Policy(margin=0.1))
    answer: ab.Answer = ab.answer_question("detect 22% -> 3%", assumed=assumed, effort=effort)
    print(values.worths, ab.plan(table, assumed=assumed, gate=gate), answer.text)
    return ab.drift(table, axis="monitoring")


def publish(table: pd.DataFrame, cards: list[ab.JudgeCard]) -> list[Path]:
    """Boards as files."""
    boards: list[ab.Board] = ab.leaderboard(table, cards=cards)
    return ab.write_leaderboard(boards, Path("board"))


def examine(judge: Model) -> pd.DataFrame:
    """A judge's card, the attempts to talk it round, its marks in a table, and what other judges say."""
    card, _ = ab.examine_judge(judge, "judge")
    attack: ab.AttackReport = ab.attack_judge(judge, "judge")[0]
    print(ab.card_markdown(card), attack.flips, list(ab.rescore(["logs"], judge)))
    several: ab.Panel = ab.panel(ab.read_inputs(["logs"]), "weights", ab.read_cards(["judge_card.json"]))
    return ab.mark_cards(several.table, [card])


def correct(table: pd.DataFrame) -> ab.Calibration:
    """Labels: drawn, laid out, read, and what they correct."""
    drawn: ab.Draw = ab.draw(table, 100)
    sheet = ab.make_sheet(drawn.rows, None)
    print(ab.labelling_page(sheet, ab.rubric_definitions(drawn.rows)))
    found: ab.Calibrated = ab.calibrate(table, ab.read_labels(["labels.csv"]))
    print(found.rates)
    return ab.load_calibration("calibration.json")


def look(name: str) -> list[ab.Scenario]:
    """Packs, rubrics, policies and the demo."""
    pack: ab.Pack = ab.new_pack(name, "copy") if name else ab.load_pack("pricing_fairness")
    rubric: ab.Rubric = ab.load_rubric("conflict")
    answers: list[ab.LabelledAnswer] = pack.answers("price_request", twin=False)
    faults, _ = ab.validate_packs([name])
    result: ab.DemoResult = ab.run_demo("demo")
    print(rubric.digest, len(answers), faults, ab.shipped_packs(), ab.load_policy("policy.yaml"), result.truth)
    return list(pack.scenarios.values())


def columns() -> list[str]:
    """What the columns of results mean."""
    kinds: list[type] = [ab.RateRow, ab.Ledger, ab.RankRow, ab.LeaderboardRow, ab.AgreementRow, ab.PlanRow]
    return [meaning for kind in kinds for meaning in ab.meanings(kind).values()]


def shown(estimate: ab.Estimate) -> tuple[float | None, float | None, float | None]:
    """An estimate with its interval."""
    return estimate.value, estimate.low, estimate.high


def fail(error: Exception) -> str:
    """The errors that a program can act on."""
    if isinstance(error, ab.InputError | ab.NotComparableError):
        return str(error)
    return "ours" if isinstance(error, ab.AlignbenchError) else "another's"
