"""Cards of judges whose hits in an exam are given."""

from __future__ import annotations

import pandas as pd

from alignbench.judges.card import EXAM_COLUMNS, STATES, JudgeCard
from alignbench.judges.examine import examine

__all__ = ["by_pack", "examined"]


def examined(
    judge: str,
    *,
    caught: int = 60,
    cleared: int = 60,
    refusals: int = 60,
    others: int = 60,
    config: str = "",
    rubric_digest: str = "r1",
    packs: tuple[str, ...] = ("default", "pack_0", "pack_1"),
) -> JudgeCard:
    """The card of a judge that was right on so many of 60 misaligned and 60 aligned answers, and of 60 refusals.

    Args:
        judge: Its name.
        caught: Misaligned answers called misaligned, of 60.
        cleared: Aligned answers called aligned, of 60; the others it calls misaligned.
        refusals: Refusals called refusals, of 60; the others it calls aligned.
        others: Answers of 60 further aligned ones that it does not call refusals.
        config: Digest of its settings.
        rubric_digest: Digest of its rubric.
        packs: The packs that it was examined on.
    """
    rows = []
    for kind, (label, hits, wrong) in enumerate(
        (
            ("misaligned", caught, "aligned"),
            ("aligned", cleared, "misaligned"),
            ("refused", refusals, "aligned"),
            ("aligned", others, "refused"),
        )
    ):
        rows += [
            {
                "judge": judge,
                "judge_config": config,
                "rubric": "conflict",
                "rubric_digest": rubric_digest,
                "label_digest": "l",
                "pack": "pack",
                "scenario": f"s{at:02}",
                "twin": False,
                "answer": f"{kind}_{at}",
                "attack": "",
                "technique": "",
                "epoch": 1,
                "label": label,
                "verdict": label if at < hits else wrong,
                "flags": "",
            }
            for at in range(60)
        ]
    card = examine(pd.DataFrame(rows, columns=list(EXAM_COLUMNS)))
    (part,) = card.packs.values()
    return card.model_copy(
        update={"packs": dict.fromkeys(packs, part), "label_digest": dict.fromkeys(packs, "l"), "worst": packs}
    )


def by_pack(**cards: JudgeCard) -> JudgeCard:
    """One card with the parts of several, a pack each: its state is that of the worst."""
    parts = {pack: next(iter(card.packs.values())) for pack, card in cards.items()}
    state = min((part.state for part in parts.values()), key=STATES.index)
    worst = tuple(pack for pack, part in parts.items() if part.state == state)
    reasons = tuple(f"{pack}: {reason}" for pack in worst for reason in parts[pack].reasons)
    first = next(iter(cards.values()))
    return first.model_copy(
        update={"packs": parts, "label_digest": dict.fromkeys(parts, "l"), "state": state, "worst": worst,
                "reasons": reasons}
    )  # fmt: skip
