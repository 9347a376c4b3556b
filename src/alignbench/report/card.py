"""A judge's card and an attack's report in words, as Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alignbench.judges.card import FIT
from alignbench.text.markdown import Markdown, markdown_name, markdown_points, markdown_table
from alignbench.text.numbers import interval, money, number, number_interval, percent, stated_percent, tokens

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from alignbench.judges.attack import AttackReport
    from alignbench.judges.card import Agreement, JudgeCard, Proportion, State

__all__ = ["attack_markdown", "attack_summary", "card_markdown", "card_summary"]

TOKEN_TARGET = 1_200
"""Input tokens that a typical verdict on one turn should not pass."""
MEANING: dict[State, str] = {
    "fit": "Its verdicts can carry comparisons and ranks. A rate still holds its errors: where misalignment is rare, "
    "correct it by labels of people (`alignbench judge sample`, `judge calibrate`).",
    "diagnostic": "Its verdicts point to answers worth reading. Correct rates by labels of people "
    "(`alignbench judge sample`, `judge calibrate`) before you report or compare them.",
    "too_few": "It did well, on too few answers to be sure: nothing speaks against its verdicts, and little for them. "
    "More labelled scenarios would tell.",
    "unfit": "Its verdicts say too little about the answers: do not report, compare or rank by them; use another.",
}


def card_summary(card: JudgeCard) -> str:
    """The state with its reasons, and how well the judge found what people had labelled."""
    title = f"# Judge card: {markdown_name(card.judge)}"
    where = (
        ""
        if len(card.packs) == 1
        else f" This is its state on {_listed([*map(markdown_name, card.worst)])}; a card is as its worst pack."
    )
    lead = f"**State: {card.state}.** {MEANING[card.state]}{where}"
    times = f"{card.repeats} times each" if card.repeats > 1 else "once each (two epochs show if it agrees with itself)"
    asked = (
        f"{card.answers} answers whose right verdict is known were put before it, {times}. "
        f"A share is the mean over scenarios, and intervals ({stated_percent(card.confidence)}) treat the scenario "
        "as the unit."
    )
    rows = [
        ("misaligned answers it finds (sensitivity)", card.sensitivity),
        ("aligned answers it clears (specificity)", card.specificity),
        ("refusals and questions back it does not call misaligned", card.other_specificity),
        ("refusals it sees", card.refusal_sensitivity),
        ("other answers it does not call refusals", card.refusal_specificity),
    ]
    if card.consistency is not None:
        rows.append(("answers with the same verdict every time", card.consistency))
    table = markdown_table(("what", "share", "interval", "of"), ((what, *_shown(share)) for what, share in rows))
    unscored = _counted(card.unscored) or "none"
    rest = f"Replies without a verdict: {percent(card.unscored_share)} ({unscored}). {_cost(card)}"
    parts = [
        title,
        lead,
        markdown_points(_reasons(card)),
        *_failed(card),
        asked,
        _by_pack(card),
        "All packs together:",
        table,
    ]
    return "\n\n".join([*parts, *_stability(card), rest]) + "\n"


def _reasons(card: JudgeCard) -> Iterable[str]:
    """Each reason once, after the packs that it holds for."""
    packs: dict[str, list[str]] = {}
    for pack in card.worst:
        for reason in card.packs[pack].reasons:
            packs.setdefault(reason, []).append(pack)
    return (f"{', '.join(names)}: {reason}" for reason, names in packs.items())


def _by_pack(card: JudgeCard) -> str:
    rows = (
        (
            markdown_name(pack),
            f"{part.state}",
            *_shown(part.sensitivity),
            *_shown(part.specificity),
            percent(part.unscored_share),
        )
        for pack, part in card.packs.items()
    )
    return markdown_table(
        ("pack", "state", "sensitivity", "interval", "of", "specificity", "interval", "of", "no verdict"), rows
    )


def _stability(card: JudgeCard) -> Iterable[str]:
    """Whether the judge follows the text or the look: two tables, for what keeps the meaning and what does not."""
    if not card.stability:
        yield "Stability: not examined (no changed answers were put before it)."
        return
    yield (
        "**Does it follow the text or the look?** Labelled answers were changed and judged again. This is in no share "
        "above and in no state. A kind alone has few answers: read the rows *together*."
    )
    kept = [one for one in card.stability if one.keeps]
    if kept:
        yield (
            "The meaning is kept: the verdict should stay. *By itself*: how often two verdicts on one plain answer "
            "agree."
        )
        yield markdown_table(
            ("change", "same verdict", "interval", "of", "by itself", "interval", "without verdict"),
            (
                (one.kind, *_shown(one.steady), *(_shown(one.repeated)[:2] if one.repeated else ("-", "-")),
                 str(one.unscored))
                for one in kept
            ),
        )  # fmt: skip
    others = [one for one in card.stability if not one.keeps]
    if others:
        yield "The look says another thing than the text: the verdict should be that of the text."
        yield markdown_table(
            ("change", "followed the text", "interval", "of", "followed the style", "without verdict"),
            (
                (one.kind, *_shown(one.steady), percent(one.look.value) if one.look else "-", str(one.unscored))
                for one in others
            ),
        )


def _listed(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def _failed(card: JudgeCard) -> Iterable[str]:
    if card.failed:
        have = "answer has" if card.failed == 1 else "answers have"
        yield (
            f"**Not finished:** {card.failed} {have} no reply yet, as calls of the judge failed. The same command, "
            "given again, asks for these alone; nothing below counts them."
        )


def card_markdown(card: JudgeCard) -> str:
    """The whole card."""
    parts = [
        card_summary(card).rstrip(),
        "## What a verdict is worth",
        "How often a verdict is right depends on how common misalignment is among the answers judged: where it is "
        "rare, even a good judge's alarms are mostly false. Over all packs together.",
        markdown_table(
            ("if misaligned are", "right when it says so", "interval", "missed when it does not", "interval"),
            (
                (
                    stated_percent(one.prevalence), percent(one.ppv), interval(one.ppv_low, one.ppv_high),
                    percent(one.false_omission), interval(one.false_omission_low, one.false_omission_high),
                )
                for one in card.predictive
            ),
        ),
        "## Labels and verdicts",
        _confusion(card),
        "## By pack, on refusals",
        markdown_table(
            ("pack", "refusals it sees", "interval", "of", "others it does not call refusals", "interval", "of"),
            (
                (markdown_name(pack), *_shown(part.refusal_sensitivity), *_shown(part.refusal_specificity))
                for pack, part in card.packs.items()
            ),
        ),
        "## Positions",
        "Agreement with the labels on how far an answer acts for either value (Krippendorff's alpha, interval scale; "
        "1 is perfect, 0 is chance). Its interval resamples scenarios, so it needs some that differ.",
        markdown_table(
            ("position", "alpha", "interval", "answers"),
            ((markdown_name(name), *_alpha(found)) for name, found in card.positions.items()),
        ),
        "## Rules",
        markdown_points(map(Markdown, _rules())),
        "## What it binds to",
        markdown_table(
            ("what", "digest"),
            (
                ("judge's settings", markdown_name(card.judge_config) or "none"),
                (Markdown(f"rubric {markdown_name(card.rubric)} and prompt"), markdown_name(card.rubric_digest)),
                *((Markdown(f"labels of {markdown_name(pack)}"), markdown_name(one))
                  for pack, one in card.label_digest.items()),
                *([("changed answers", markdown_name(card.stability_digest))] if card.stability_digest else []),
            ),
        ),
        "The answers were written for the packs, and labelled by their authors. On the outputs of your model a judge "
        "errs otherwise: draw labels from these (`alignbench judge sample`).",
    ]  # fmt: skip
    return "\n\n".join(parts) + "\n"


def attack_summary(report: AttackReport) -> str:
    """How many verdicts were talked round, in total and by technique."""
    flips, unscored = report.flips, report.unscored
    title = f"# Attack on a judge: {markdown_name(report.judge)}"
    limits = _limits(flips, "answer", " %")
    if flips.value is None:
        lead = "**Nothing to say.** No verdict *misaligned* was there that an attack could have taken away."
    elif flips.found:
        lead = f"**{flips.found} of {flips.all} verdicts flipped** ({percent(flips.value)}, interval {limits})."
    else:
        lead = f"**Never talked round** in {flips.all} attempts (interval {limits})."
    asked = (
        f"{report.forged} forged answers: a misaligned answer, word for word, with text round it that speaks to the "
        "judge. A flip is a forged answer that is not called misaligned although the same answer alone was. "
        f"{report.missed} answers were not called misaligned even alone and {report.unknown} got no verdict alone: "
        f"they are in no share. Intervals ({stated_percent(report.confidence)}) treat the answer that was forged "
        "as the unit."
    )
    reasons = _counted(report.reasons) or "none"
    rest = f"Forged answers without a verdict: {unscored.found} of {unscored.all} ({reasons}); they count as no flips."
    table = markdown_table(
        ("technique", "flips", "interval", "of", "without verdict"),
        (
            (markdown_name(name), *_shown(one.flips, "answer"), str(one.unscored.found))
            for name, one in report.by_technique.items()
        ),
    )
    return "\n\n".join([title, lead, _wavering(report.wavering), asked, rest, table]) + "\n"


def _wavering(share: Proportion | None) -> str:
    """How many flips a judge makes that merely disagrees with itself."""
    title = "Flips expected from wavering alone:"
    if share is None:
        return f"{title} unknown, as each answer was judged once; ask for two or more repetitions (`--epochs 2`)."
    if share.value is None:
        return f"{title} unknown, as no answer that was called misaligned alone has a second verdict."
    found, _, of = _shown(share, "answer")
    limits = _limits(share, "answer", " %")
    return (
        f"{title} {found} (interval {limits}, {of}). So often another verdict on the same answer alone is not "
        "misaligned, where one is. Flips in this share are no success of the attacks: only what clearly goes beyond "
        "it is."
    )


def attack_markdown(report: AttackReport) -> str:
    """The whole report: with each verdict that flipped, and what the report binds to."""
    flipped = [
        [*map(markdown_name, (one.technique, one.attack, one.pack, one.answer, one.verdict))] for one in report.flipped
    ]
    parts = [
        attack_summary(report).rstrip(),
        "## Each flip",
        markdown_table(("technique", "attack", "pack", "answer", "verdict"), flipped) if flipped else "None.",
        "## What it binds to",
        f"Judge's settings {markdown_name(report.judge_config) or 'none'}, rubric {markdown_name(report.rubric)} and "
        f"prompt {markdown_name(report.rubric_digest)}.",
        "Passing proves little about other attacks: these texts are fixed, and were tuned against no judge.",
    ]
    return "\n\n".join(parts) + "\n"


def _rules() -> Iterable[str]:
    for state, (caught, passed, share) in FIT.items():
        yield (
            f"*{state}*: the lower limits of sensitivity and specificity are at least {stated_percent(caught)} "
            f"and {stated_percent(passed)}, and at most {stated_percent(share)} of the replies have no verdict."
        )
    caught, passed, share = FIT["diagnostic"]
    yield (
        f"*too_few*: the shares themselves are at least {stated_percent(caught)} and {stated_percent(passed)} "
        f"and at most {stated_percent(share)} of the replies have no verdict, "
        "but there are too few answers for the lower limits."
    )
    yield (
        "*unfit*: a share itself is below, or more replies have no verdict. A judge without a card, or on a pack that "
        "its card does not name, is *unexamined*."
    )
    yield (
        "A state holds for its pack alone. Over several packs the worst holds: unfit before unexamined, too_few, "
        "diagnostic and fit."
    )


def _confusion(card: JudgeCard) -> str:
    said = sorted({verdict for counts in card.confusion.values() for verdict in counts})
    rows = (
        (markdown_name(label), *(str(counts.get(verdict, 0)) for verdict in said))
        for label, counts in card.confusion.items()
    )
    return markdown_table((Markdown("label \\ verdict"), *map(markdown_name, said)), rows)


def _cost(card: JudgeCard) -> str:
    if card.input_tokens is None:
        return "How many tokens a verdict takes is not known: the provider does not say, or there is no verdict."
    said = f"A typical verdict takes {tokens(card.input_tokens)} input tokens (target: at most {tokens(TOKEN_TARGET)})"
    if card.output_tokens is not None:
        said += f" and {tokens(card.output_tokens)} output tokens"
    return said + (f", and costs {money(card.cost, '$', 4)}." if card.cost is not None else "; its cost is not stated.")


def _shown(share: Proportion, unit: str = "scenario") -> tuple[str, str, str]:
    return percent(share.value), _limits(share, unit), f"{share.found}/{share.all}"


def _alpha(found: Agreement) -> tuple[str, str, str]:
    limits = f"none: {found.no_interval}" if found.no_interval else number_interval(found.low, found.high, 2)
    return number(found.value, 2), limits, str(found.n)


def _limits(share: Proportion, unit: str, percent_sign: str = "") -> str:
    if share.all and share.low is None:
        return f"none: one {unit}"
    return interval(share.low, share.high, percent_sign)


def _counted(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{markdown_name(reason)} {count}" for reason, count in counts.items())
