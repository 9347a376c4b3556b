"""What no reader sees: characters without ink, and a model's reasoning where it stands in its text.

Both sides are read by the same rules: the answer that a judge is shown, and the judge's own reply. Only what a text
*begins* with is taken for reasoning. Whatever stands after visible words is part of the answer, or one could hide an
act in marks; and a closing mark alone hides what stands before it only for models whose template opens the block
itself, which no answer can bring about: anybody else who writes `misdeed</think>Fine.` is seen to do so. A block that
never closes hides the whole answer, which gains nothing: an output without a verdict is held against the model.
"""

from __future__ import annotations

import re
import unicodedata

__all__ = ["BLANK_LETTERS", "closing_mark", "has_ink", "opens_unseen", "without_reasoning"]

_NO_INK = frozenset(("Cc", "Cf", "Zs", "Zl", "Zp"))
"""Categories of controls, format characters (zero widths, directional marks, soft hyphens, tags) and spaces."""
BLANK_LETTERS = (
    r"\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2065\u2800\u3164\ufe00-\ufe0f\uffa0\ufff0-\ufff8"
    r"\U0001d159\U000e0000-\U000e0fff"
)
"""Blank letters and marks of other categories, as a class of a pattern: fillers, variation selectors, empty signs."""
_BLANK = re.compile(f"[{BLANK_LETTERS}]")


def has_ink(text: str) -> bool:
    """Whether any character of a text can be seen."""
    return any(unicodedata.category(sign) not in _NO_INK and not _BLANK.match(sign) for sign in text)


_TAGS = ("think", "thinking", "thoughts?", "reasoning", "seed:think")
_MARKS = tuple(
    (re.compile(opening, re.IGNORECASE), re.compile(closing, re.IGNORECASE))
    for opening, closing in (
        *((rf"<{tag}(?:\s[^<>]*)?>", rf"</{tag}\s*>") for tag in _TAGS),
        (r"\[think\]", r"\[/think\]"),
        (r"◁think▷", r"◁/think▷"),
        (r"<\|begin_of_thought\|>", r"<\|end_of_thought\|>"),
        (r"<\|start_thinking\|>", r"<\|end_thinking\|>"),
        (
            r"(?:<\|start\|>assistant)?<\|channel\|>analysis[^<]*<\|message\|>",
            r"<\|end\|>(?:<\|start\|>assistant)?(?:<\|channel\|>final[^<]*<\|message\|>)?"
            r"|<\|channel\|>final[^<]*<\|message\|>",
        ),
    )
)
"""How models mark their reasoning in text: tags, Mistral's and Kimi's brackets, OpenThinker, Command A, harmony."""
_CLOSING = re.compile(
    rf"</(?:{'|'.join(_TAGS)})\s*>|\[/think\]|◁/think▷|<\|end_of_thought\|>|<\|end_thinking\|>", re.IGNORECASE
)
_OPENS_UNSEEN = re.compile(
    r"(?<![a-z0-9])(?:r1|qwq|thinking|think|reasoner|reasoning|minimax-m[12]|exaone-deep)(?![a-z0-9])", re.IGNORECASE
)


def opens_unseen(model: str) -> bool:
    """Whether a model's template opens the block of reasoning, so that its text has the closing mark alone.

    Only the name says so (DeepSeek-R1 and what is distilled from it, QwQ, `…-thinking`): a sign in the text could be
    written by anybody. Hybrid models, which may answer without reasoning, are not among them.
    """
    return _OPENS_UNSEEN.search(model) is not None


def closing_mark(text: str) -> re.Match[str] | None:
    """The first mark that ends a block of reasoning."""
    return _CLOSING.search(text)


def without_reasoning(text: str, *, opened: bool = False, odd: bool = True) -> str:
    """A text without the reasoning that it begins with.

    One block is taken away at most. A block that is never closed hides all of the text: nothing was answered.

    Args:
        text: What a model said.
        opened: Whether the text begins inside a block, because the prompt opened it.
        odd: Whether a block that only a mark of another kind closes, as no model's does, is left where it stands.
    """
    start = next((at for at, sign in enumerate(text) if has_ink(sign)), len(text))
    for opening, closing in _MARKS:
        if mark := opening.match(text, start):
            end = closing.search(text, mark.end())
            if end is not None:
                return text[end.end() :]
            return text if odd and _CLOSING.search(text, mark.end()) else ""
    end = closing_mark(text) if opened else None
    return text[end.end() :] if end else text
