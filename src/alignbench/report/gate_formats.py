"""A gate report as text, JSON, JUnit XML and Markdown; none of them decides anything.

JUnit knows passed, failed, broken and skipped. A row passes only where its own limit is below the margin and the two
may be compared; a regression, and what holds the decision up, fails; a pack that decides nothing and is inconclusive
is skipped, with its numbers.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING
from xml.etree import ElementTree as Xml

from alignbench.analysis.compare.comparisons import described
from alignbench.analysis.gate.words import name
from alignbench.text.flags import explain_flags
from alignbench.text.judge_names import judge_with_configuration
from alignbench.text.markdown import markdown_line, markdown_points, markdown_table
from alignbench.text.numbers import number, p_value, percent, points, points_interval, stated_percent, stated_points
from alignbench.text.rows import as_columns
from alignbench.text.tables import PIPE_WIDTH, table_lines, wrapped
from alignbench.text.words import visible, visible_lines, visible_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from alignbench.analysis.gate.decision import GateReport
    from alignbench.analysis.gate.rows import GateRow

__all__ = ["gate_document", "gate_json", "gate_junit", "gate_markdown", "gate_text"]

_SHOWN = 10
"""Outputs to judge again that a person is shown; JSON has all."""

_NAMES = ("measure", "pack", "judge")
"""The columns that name a row."""

_TITLES = {
    "not_worse": "Not worse",
    "regressed": "Regressed",
    "inconclusive": "Inconclusive",
    "not_comparable": "Not comparable",
}


def gate_document(report: GateReport) -> dict[str, object]:
    """The report as plain values."""
    return {
        "decision": report.decision,
        "exit_code": report.exit_code,
        "headline": report.headline,
        "base": report.base,
        "candidate": report.candidate,
        "reasons": list(report.reasons),
        "advice": list(report.advice),
        "notes": list(report.notes),
        "policy": report.policy.model_dump(),
        "policy_digest": report.policy.digest,
        "sides": [asdict(side) for side in report.sides],
        "tests": report.tests,
        "judge_again": list(report.judge_again),
        "cells": [{**as_columns(row), "flags": list(row.flags)} for row in report.rows],
    }


def gate_json(report: GateReport) -> str:
    """JSON with null for what is not known."""
    return json.dumps(gate_document(report), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def gate_text(report: GateReport, width: int | None = None) -> str:
    """For a terminal: the decision, why, the numbers, and what it was decided by.

    Args:
        report: What the gate has found.
        width: Columns of the screen; None: sentences are not folded.
    """
    lines = [f"{_TITLES[report.decision].upper()}: {report.headline}", ""]
    lines += [f"  - {reason}" for reason in report.reasons]
    for title, sentences in _sections(report):
        if sentences:
            lines += ["", f"{title}:", *(f"  - {text}" for text in sentences)]
    if report.decision == "inconclusive":
        lines += _again(report)
    if report.rows:
        lines += _laid_out(report, width or PIPE_WIDTH)
        lines += _legend(report)
    lines += ["", _rules(report)]
    if width is not None:
        # What is folded of a point stands under its text.
        edges = ["    " if line.startswith("  - ") else "" for line in lines]
        folded = [wrapped(visible(line), width, rest=edge) for line, edge in zip(lines, edges, strict=True)]
        lines = [part for parts in folded for part in parts]
    return "\n".join(map(visible, lines)) + "\n"


def _sections(report: GateReport) -> tuple[tuple[str, Sequence[str]], ...]:
    """Title and sentences of what stands beside the reasons."""
    return (
        ("What would let it pass" if report.less_useful else "What would decide it", report.advice),
        ("Note", report.notes),
        ("Compared", described(report.sides)),
    )


def _laid_out(report: GateReport, width: int) -> list[str]:
    """The rows as a table that fits."""
    heading, body = _table(report, report.rows)
    rows = [dict(zip(heading, line, strict=True)) for line in body]
    return table_lines(rows, width, keys=[name for name in _NAMES if name in heading])


def _again(report: GateReport) -> list[str]:
    """The first outputs to judge again, one a line."""
    if not report.judge_again:
        return []
    lines = ["", f"Outputs without a verdict ({len(report.judge_again)}; all of them in --format json):"]
    for one in report.judge_again[:_SHOWN]:
        kind = "twin" if one["twin"] else "conflict"
        judge = judge_with_configuration(str(one.get("judge") or ""), str(one.get("judge_config") or ""))
        place = visible_name(f"{one['pack']}/{one['scenario']}/{kind}/{one['condition']}")
        about = [f"{place} epoch {one['epoch']} turn {one['turn']}"]
        about += [f"judge {visible_name(judge)}"] if judge else []
        why = "; ".join(f"{side}: {one[side]}" for side in ("candidate", "base") if one[side])
        lines.append(f"  - {', '.join(about)}: {why}")
    rest = len(report.judge_again) - _SHOWN
    return [*lines, f"  - and {rest} more"] if rest > 0 else lines


def gate_markdown(report: GateReport) -> str:
    """For a comment on a pull request: overall rows in sight, packs folded."""
    lines = [f"### Gate: {_TITLES[report.decision].lower()}", "", markdown_line(report.headline), ""]
    lines.append(markdown_points(report.reasons))
    for title, sentences in _sections(report):
        if sentences:
            lines += ["", f"**{title}**", "", markdown_points(sentences)]
    if report.decision == "inconclusive":
        lines += _markdown_again(report)
    whole = [row for row in report.rows if row.headline]
    parts = [row for row in report.rows if not row.headline]
    if whole:
        lines += ["", markdown_table(*_table(report, whole))]
    if parts:
        lines += [
            "",
            "<details><summary>By pack</summary>",
            "",
            markdown_table(*_table(report, parts)),
            "",
            "</details>",
        ]
    if whole or parts:
        lines += ["", *(markdown_line(line) for line in _legend(report))]
    return "\n".join([*lines, "", markdown_line(_rules(report))]) + "\n"


def _markdown_again(report: GateReport) -> list[str]:
    """The same list, which in Markdown needs an empty line before its points."""
    lines = _again(report)
    points = markdown_points(line.removeprefix("  - ") for line in lines[2:])
    return ["", markdown_line(lines[1]), "", points] if lines else []


def gate_junit(report: GateReport) -> str:
    """JUnit XML: a test case for the decision, and one for each row."""
    suite = Xml.Element(
        "testsuite", name=f"alignbench gate: {visible_name(report.base)} -> {visible_name(report.candidate)}"
    )
    properties = Xml.SubElement(suite, "properties")
    about = (("policy_digest", report.policy.digest), *report.policy.model_dump().items(), *_properties(report))
    for key, value in about:
        Xml.SubElement(properties, "property", name=key, value=visible(str(value)))
    decision = Xml.SubElement(suite, "testcase", classname="alignbench.analysis.gate", name="decision", time="0")
    again = _again(report) if report.decision == "inconclusive" else []
    text = visible_lines("\n".join((*report.reasons, *report.advice, *report.notes, *again)))
    if report.exit_code:
        kind = "error" if report.decision == "not_comparable" else "failure"
        Xml.SubElement(decision, kind, message=visible(report.headline), type=report.decision).text = text
    else:
        Xml.SubElement(decision, "system-out").text = text
    for row in report.rows:
        _junit_case(suite, row, comparable=report.decision != "not_comparable")
    root = Xml.Element("testsuites", name="alignbench gate")
    for element in (root, suite):
        element.set("tests", str(len(report.rows) + 1))
        for total, kind in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            element.set(total, str(len(suite.findall(f".//{kind}"))))
        element.set("time", "0")
    root.append(suite)
    Xml.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{Xml.tostring(root, encoding="unicode")}\n'


def _properties(report: GateReport) -> list[tuple[str, str]]:
    """What base and candidate are, by name."""
    return [
        (f"{name}_{key}", "; ".join(value) if isinstance(value, tuple) else str(value))
        for name, side in zip(("base", "candidate"), report.sides, strict=False)
        for key, value in asdict(side).items()
    ]


def _junit_case(suite: Xml.Element, row: GateRow, *, comparable: bool) -> None:
    place = visible_name(row.pack) + (f" ({visible_name(row.judge)})" if row.judge else "")
    case = Xml.SubElement(suite, "testcase", classname=f"alignbench.gate.{row.measure}", name=place, time="0")
    numbers = (
        f"{percent(row.rate_base)} to {percent(row.rate_candidate)}, upper limit {points(row.limit)} points of "
        f"{'loss' if row.useful else 'rise'}, in the worst case {points(row.worst_case)}{_ledger(row)}"
    )
    if row.outcome == "not_measured":
        Xml.SubElement(case, "skipped", message="not measured on both sides")
    elif row.outcome == "regressed" or (row.decides and row.outcome == "inconclusive" and comparable):
        Xml.SubElement(case, "failure", message=numbers, type=row.outcome)
    elif row.outcome == "inconclusive" or not comparable:
        why = "inconclusive, and does not decide" if comparable else "the two cannot be compared"
        Xml.SubElement(case, "skipped", message=f"{why}: {numbers}")
    else:
        Xml.SubElement(case, "system-out").text = numbers


def _ledger(row: GateRow) -> str:
    """What has no verdict, by side and reason; empty where everything has one."""
    sides = (("base", row.unscored_base), ("candidate", row.unscored_candidate))
    parts = [f"{side} {', '.join(f'{count} {why}' for why, count in lost.items())}" for side, lost in sides if lost]
    return f"; without a verdict: {'; '.join(parts)}" if parts else ""


def _table(report: GateReport, rows: Sequence[GateRow]) -> tuple[list[str], list[list[str]]]:
    """The heading, and rows as text; the judge only where there are several."""
    interval = f"{stated_percent(report.policy.confidence)} interval"
    names = [
        "result", "base", "candidate", "points", interval, "worst case", "margin", "r", "p Holm", "scenarios", "pairs",
        "lost", "flags",
    ]  # fmt: skip
    judges = any(row.judge for row in report.rows)
    heading = [*_NAMES[: 3 if judges else 2], *names]
    body = [
        [name(row.measure), *map(visible_name, [row.pack, *([row.judge] if judges else [])]), *_cells(report, row)]
        for row in rows
    ]
    return heading, body


def _cells(report: GateReport, row: GateRow) -> list[str]:
    return [
        _result(report, row),
        percent(row.rate_base),
        percent(row.rate_candidate),
        points(row.difference),
        points_interval(row.low, row.high),
        points(row.worst_case),
        stated_points(row.margin),
        number(row.r, 2),
        p_value(row.p_holm),
        str(row.scenarios),
        str(row.pairs),
        f"{row.lost_base}/{row.lost_candidate}/{row.lost_both}",
        ", ".join(row.flags),
    ]


def _result(report: GateReport, row: GateRow) -> str:
    """The outcome of a row, in brackets where it decides nothing."""
    words = row.outcome.replace("_", " ")
    decides = report.decision != "not_comparable" and (row.decides or row.outcome == "regressed")
    return words if decides or row.outcome == "not_measured" else f"({words})"


def _legend(report: GateReport) -> list[str]:
    """What the columns and the flags that occur mean."""
    columns = (
        "points, interval: change in percentage points, on what is judged on both sides. worst case: upper end of the "
        "rise of an error, or of the loss of usefulness (acted well, helped), with each output that only one side has "
        "lost counted against the candidate. r: how far the two rates go together over scenarios; - if one of them is "
        "the same in all. p Holm: one-sided, of a rise of an error, by flipping signs of whole scenarios, adjusted for "
        "all tests. lost: outputs without a verdict in the base alone/in the candidate alone/in both. Results in "
        "brackets do not decide."
    )
    # One measure of a kind is enough: errors and usefulness are of the same outputs.
    whole = [row for row in report.rows if row.headline and not row.useful]
    ledger = [
        f"{name(row.measure).capitalize()}{f' (judge {visible_name(row.judge)})' if row.judge else ''}: "
        f"{row.asked} outputs{_ledger(row)}; off task: base {row.off_task_base}, candidate {row.off_task_candidate}."
        for row in whole
        if row.unscored_base or row.unscored_candidate or row.off_task_base or row.off_task_candidate
    ]
    return [
        columns,
        *ledger,
        *filter(None, [explain_flags(flag for row in report.rows for flag in row.flags)]),
    ]


def _rules(report: GateReport) -> str:
    rules = report.policy
    corrected = f", Holm over {report.tests} tests" if report.tests else ""
    return (
        f"Policy {rules.digest}: margin {stated_points(rules.margin)} points, largest loss of "
        f"usefulness {stated_points(rules.largest_usefulness_loss)} points, alpha {rules.alpha:g} one-sided"
        f"{corrected}. Seed {rules.seed}."
    )
