"""Show a conversation to a judge so that nothing in it ends the transcript, or begins a message with our headings."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from inspect_ai.model import ChatMessageAssistant, ContentReasoning, ContentText, ContentToolUse

from alignbench.run.scoring.hidden import BLANK_LETTERS, has_ink, opens_unseen, without_reasoning

if TYPE_CHECKING:
    from collections.abc import Sequence

    from inspect_ai.model import ChatMessage

__all__ = ["Turn", "fence", "live_turns", "numbered", "render", "visible_text"]

_BREAKS = r"\n\r\v\f\x1c-\x1e\x85\u2028\u2029"
"""What may look like the end of a line: what `str.splitlines` knows."""
_UNSEEN = (
    r"\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\xad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    + BLANK_LETTERS
)
"""What cannot be seen: before a heading it leaves it at the beginning of its line."""
_BLANK = rf"(?:[^\S{_BREAKS}]|[{_UNSEEN}])*"
_HEADING = re.compile(
    rf"(?:^|(?<=[{_BREAKS}]))(?={_BLANK}[\[［]{_BLANK}\d+{_BLANK}[\]］]{_BLANK}(?:system|user|assistant|tool)\b)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Turn:
    """One live answer.

    Attributes:
        number: Counted from 1.
        messages: The conversation up to and with the answer.
        answer: What is visible of the answer: its text and its tool calls; empty where nothing is.
        steps: How many messages of the model it has; several where an agent calls tools.
    """

    number: int
    messages: tuple[ChatMessage, ...]
    answer: str
    steps: int = 1


def visible_text(message: ChatMessage) -> str:
    """What a reader of the conversation sees: text, tool calls and the like; no hidden reasoning, no blank characters.

    Empty where nothing can be seen. Reasoning is hidden where the provider says so, and where an answer begins with it
    (see `alignbench.run.scoring.hidden`).
    """
    said = _answer(message) if isinstance(message, ChatMessageAssistant) else message.text
    parts = [said.strip() if has_ink(said) else ""]
    for item in message.content_list:
        if isinstance(item, ContentToolUse):
            parts += [
                f"(calls the tool {item.name} with {item.arguments})",
                f"(which returns {item.error or item.result})",
            ]
        elif not isinstance(item, ContentText | ContentReasoning):
            parts.append(f"({item.type})")
    for call in getattr(message, "tool_calls", None) or []:
        arguments = json.dumps(call.arguments, ensure_ascii=False, sort_keys=True)
        parts.append(f"(calls the tool {call.function} with {arguments})")
    # Half of a surrogate pair can come out of a model, but can neither be hashed nor sent.
    return "\n".join(part for part in parts if part).encode("utf-8", "replace").decode()


def _answer(message: ChatMessageAssistant) -> str:
    """The text of an answer without hidden reasoning."""
    apart = [item.reasoning for item in message.content_list if isinstance(item, ContentReasoning)]
    if not apart:
        return without_reasoning(message.text, opened=opens_unseen(message.model or ""))
    # The provider has taken the reasoning out. Marks that are left are words of the answer, unless they repeat it.
    said = without_reasoning(message.text)
    hidden = message.text[: len(message.text) - len(said)]
    return said if any(_plain_letters(hidden) in _plain_letters(thought) for thought in apart) else message.text


def _plain_letters(text: str) -> str:
    """Text without blanks and without whatever looks like a mark of a template."""
    return "".join(re.sub(r"[<\[◁].*?[>\]▷]", "", text).split())


def live_turns(messages: Sequence[ChatMessage], scripted: Sequence[ChatMessage]) -> list[Turn]:
    """Find the answers of the model under test.

    Args:
        messages: The whole conversation.
        scripted: What was given at the start; its assistant messages are nobody's answers.

    Returns:
        A Turn for each user message that was answered; the steps of an agent between two user messages are one turn.
    """
    skipped = sum(isinstance(message, ChatMessageAssistant) for message in scripted)
    turns: list[Turn] = []
    parts: list[str] = []
    for at, message in enumerate(messages):
        if isinstance(message, ChatMessageAssistant):
            skipped -= 1
            if skipped < 0:
                parts.append(visible_text(message))
        last = at + 1 == len(messages) or messages[at + 1].role == "user"
        if last and parts:
            text = "\n".join(part for part in parts if part)
            turns.append(Turn(len(turns) + 1, tuple(messages[: at + 1]), text, len(parts)))
            parts = []
    return turns


def fence(text: str) -> str:
    """Put text between two lines that carry a code which the text cannot contain: its own hash."""
    code = hashlib.sha256(text.encode()).hexdigest()[:16]
    return f"<<< transcript {code}\n{text}\n>>> end of transcript {code}"


def numbered(turn: Turn) -> tuple[str, str]:
    """Number the messages of a conversation, system prompt included.

    Returns:
        Which message is to be judged, in words, and the messages under their headings.
    """
    blocks, first = [], len(turn.messages)
    for number, message in enumerate(turn.messages, start=1):
        # A model may call a tool by any name; in the heading it stays on one line.
        name = " ".join(f"tool {message.function or ''}".split()) if message.role == "tool" else message.role
        # Our headings begin a line; what imitates one in a message is moved in.
        text = _HEADING.sub("  ", visible_text(message)) or "(empty)"
        blocks.append(f"[{number}] {name}:\n{text}")
        if message.role == "user":
            first = number + 1
    last = len(turn.messages)
    judged = f"[{last}]" if first >= last else f"[{first}] to [{last}], the assistant's part"
    return judged, "\n\n".join(blocks)


def render(turn: Turn) -> tuple[str, str]:
    """Number the messages of a conversation and fence them.

    Returns:
        Which message is to be judged, in words, and the fenced transcript.
    """
    judged, text = numbered(turn)
    return judged, fence(text)
