"""A gate report as text, JSON, JUnit XML and Markdown; none of them decides anything.

JUnit knows passed, failed, broken and skipped. A row passes only where its own limit is below the margin and the two
may be compared; a regression, and what holds the decision up, fails; a pack that decides nothing and is inconclusive
is skipped, with its numbers.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from typing import TYPE_CHECKING
from xml.etree import ElementTree as Xml

from alignbench.analysis.gate_words import NOTED, name, percent, points
from alignbench.flags import explained
from alignbench.text import visible

if TYPE_CHECKING:
    from collections.abc import Sequence

    from alignbench.analysis.gate import GateReport, GateRow

__all__ = ["as_dict", "as_json", "as_junit", "as_markdown", "as_text"]

_TITLES = {
    "not_worse": "Not worse",
    "regressed": "Regressed",
    "inconclusive": "Inconclusive",
    "not_comparable": "Not comparable",
}


def as_dict(report: GateReport) -> dict[str, object]:
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
        "tests": report.tests,
        "cells": [{**asdict(row), "flags": list(row.flags)} for row in report.rows],
    }


def as_json(report: GateReport) -> str:
    """JSON with null for what is not known."""
    return json.dumps(as_dict(report), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def as_text(report: GateReport) -> str:
    """For a terminal: the decision, why, the numbers, and what it was decided by."""
    lines = [f"{_TITLES[report.decision].upper()}: {report.headline}", ""]
    lines += [f"  - {reason}" for reason in report.reasons]
    for title, sentences in (("What would decide it", report.advice), ("Note", report.notes)):
        if sentences:
            lines += ["", f"{title}:", *(f"  - {text}" for text in sentences)]
    if report.rows:
        table = _table(report, report.rows)
        widths = [max(map(len, column)) for column in zip(*table, strict=True)]
        lines += ["", *("  ".join(map(str.ljust, line, widths)).rstrip() for line in table)]
        lines += ["", *_legend(report)]
    return "\n".join(map(visible, [*lines, "", _rules(report)])) + "\n"


def as_markdown(report: GateReport) -> str:
    """For a comment on a pull request: overall rows in sight, packs folded."""
    lines = [f"### Gate: {_TITLES[report.decision].lower()}", "", _escaped(report.headline), ""]
    lines += [f"- {_escaped(reason)}" for reason in report.reasons]
    for title, sentences in (("What would decide it", report.advice), ("Note", report.notes)):
        if sentences:
            lines += ["", f"**{title}**", "", *(f"- {_escaped(text)}" for text in sentences)]
    whole = [row for row in report.rows if row.headline]
    parts = [row for row in report.rows if not row.headline]
    if whole:
        lines += ["", *_markdown_table(report, whole)]
    if parts:
        lines += [
            "",
            "<details><summary>By pack</summary>",
            "",
            *_markdown_table(report, parts),
            "",
            "</details>",
        ]
    if whole or parts:
        lines += ["", *(_escaped(line) for line in _legend(report))]
    return "\n".join([*lines, "", _escaped(_rules(report))]) + "\n"


def as_junit(report: GateReport) -> str:
    """JUnit XML: a test case for the decision, and one for each row."""
    suite = Xml.Element("testsuite", name=_xml(f"alignbench gate: {report.base} -> {report.candidate}"))
    properties = Xml.SubElement(suite, "properties")
    for key, value in (("policy_digest", report.policy.digest), *report.policy.model_dump().items()):
        Xml.SubElement(properties, "property", name=key, value=str(value))
    decision = Xml.SubElement(suite, "testcase", classname="alignbench.analysis.gate", name="decision", time="0")
    text = _xml("\n".join((*report.reasons, *report.advice, *report.notes)))
    if report.exit_code:
        kind = "error" if report.decision == "not_comparable" else "failure"
        Xml.SubElement(decision, kind, message=_xml(report.headline), type=report.decision).text = text
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


def _junit_case(suite: Xml.Element, row: GateRow, *, comparable: bool) -> None:
    place = _xml(f"{row.pack} ({row.judge})" if row.judge else row.pack)
    case = Xml.SubElement(suite, "testcase", classname=f"alignbench.gate.{row.measure}", name=place, time="0")
    numbers = f"{percent(row.rate_base)} to {percent(row.rate_candidate)}, upper limit {points(row.high)} points"
    if row.outcome == "not_measured":
        Xml.SubElement(case, "skipped", message="not measured on both sides")
    elif row.outcome == "regressed" or (row.decides and row.outcome == "inconclusive" and comparable):
        Xml.SubElement(case, "failure", message=numbers, type=row.outcome)
    elif row.outcome == "inconclusive" or not comparable:
        why = "inconclusive, and does not decide" if comparable else "the two cannot be compared"
        Xml.SubElement(case, "skipped", message=f"{why}: {numbers}")
    else:
        Xml.SubElement(case, "system-out").text = numbers


def _table(report: GateReport, rows: Sequence[GateRow]) -> list[list[str]]:
    """Rows as text, below their heading; the judge only where there are several."""
    interval = f"{100 * report.policy.coverage:g} % interval"
    names = ["base", "candidate", "points", interval, "r", "p Holm", "scenarios", "pairs", "result", "flags"]
    judges = any(row.judge for row in report.rows)
    heading = ["measure", "pack", *(["judge"] if judges else []), *names]
    return [
        heading,
        *([name(row.measure), row.pack, *([row.judge] if judges else []), *_cells(report, row)] for row in rows),
    ]


def _cells(report: GateReport, row: GateRow) -> list[str]:
    p = "-" if row.p_holm is None else "<0.0001" if row.p_holm < 1e-4 else f"{row.p_holm:.4f}"
    return [
        percent(row.rate_base),
        percent(row.rate_candidate),
        points(row.difference),
        "-" if row.low is None else f"[{points(row.low)}, {points(row.high)}]",
        "-" if row.r is None else f"{row.r:.2f}",
        p,
        str(row.scenarios),
        str(row.pairs),
        _result(report, row),
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
        "points, interval: change in percentage points. r: how far the two rates go together over scenarios. p Holm: "
        "one-sided, of a rise, by flipping signs of whole scenarios, adjusted for all tests. Results in brackets do "
        "not decide."
    )
    return [columns, *filter(None, [explained((flag for row in report.rows for flag in row.flags), without=NOTED)])]


def _rules(report: GateReport) -> str:
    rules = report.policy
    corrected = f", Holm over {report.tests} tests" if report.tests else ""
    return (
        f"Policy {rules.digest}: margin {100 * rules.margin:g} points, level {rules.level:g} one-sided"
        f"{corrected}. Seed {rules.seed}."
    )


def _markdown_table(report: GateReport, rows: Sequence[GateRow]) -> list[str]:
    heading, *body = _table(report, rows)
    lines = [heading, ["---"] * len(heading), *body]
    return ["| " + " | ".join(map(_escaped, line)) + " |" for line in lines]


def _escaped(text: str) -> str:
    """Names of models and packs must not turn into markup."""
    return re.sub(r"([|*_`<>\[\]\\])", r"\\\1", visible(text))


def _xml(text: str) -> str:
    """Without the control characters that XML does not allow."""
    return re.sub(r"[^\t\n\r\x20-\uD7FF\uE000-\uFFFD\U00010000-\U0010FFFF]", "?", text)
