"""How a judge can be asked: bound to the schema or in words, with a system message or without. Learned once a judge."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from inspect_ai.model import ChatMessageSystem, ChatMessageUser, GenerateConfig, ResponseSchema
from inspect_ai.util import json_schema

from alignbench.identity import as_asked, as_configured, judge_config
from alignbench.run.scoring.refused_requests import refuses_schema, refuses_system_role
from alignbench.run.scoring.reply import JudgeReply

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from inspect_ai.model import ChatMessage, Model, ModelOutput

__all__ = ["SCHEMA", "Channel", "configured", "judge_identity"]

SCHEMA = ResponseSchema(name="verdict", json_schema=json_schema(JudgeReply), strict=True)
_logger = logging.getLogger(__name__)


@dataclass(slots=True)
class _Knowledge:
    """What a judge has shown of itself in this process; None where it has not."""

    structured: bool | None = None
    system_role: bool | None = None


_KNOWN: WeakKeyDictionary[Model, _Knowledge] = WeakKeyDictionary()
"""By model object: the same name with other settings, or at another address, is another judge."""


def judge_identity(grader: Model) -> dict[str, str]:
    """Who judges: its name, and the digest of its arguments and settings as they were configured."""
    config = judge_config(grader.model_args, grader.config.model_dump(exclude_none=True))
    return {"judge": str(grader), "judge_config": config}


def configured(about: Mapping[str, Any]) -> dict[str, Any]:
    """The metadata of a score, with the judge as it was configured, however it then had to be asked."""
    return {**about, "judge_config": as_configured(str(about.get("judge_config", "")))}


class Channel:
    """Asks one judge for the verdicts of one sample.

    A judge's first reply decides what is left out of every request: a refusal of the schema or of the system role is
    believed only if the same request without it is answered, and never of a judge that has replied to one with it.

    Attributes:
        answered: Whether the judge has replied.
        structured: Whether the replies were bound to the schema.
        system_role: Whether the instructions stood in a system message.
    """

    def __init__(self, grader: Model, *, structured: bool) -> None:
        self.grader = grader
        self.wanted = structured
        self.knowledge = _KNOWN.setdefault(grader, _Knowledge())
        self.answered = False
        self.structured = structured and self.knowledge.structured is not False
        self.system_role = self.knowledge.system_role is not False

    async def ask(self, messages: Sequence[ChatMessage]) -> ModelOutput:
        """Send messages, the first of them the system's; fall back where the judge refuses the form of the request.

        Raises:
            Exception: Whatever the provider raised, where it is no refusal of the schema or of the system role.
        """
        known, sent = self.knowledge, "\n".join(message.text for message in messages)
        structured = self.wanted and known.structured is not False
        system_role = known.system_role is not False
        while True:
            try:
                output = await self._send(messages, structured=structured, system_role=system_role)
            except Exception as error:
                if structured and known.structured is not True and refuses_schema(error, sent):
                    structured = False
                elif system_role and known.system_role is not True and refuses_system_role(error, sent):
                    system_role = False
                else:
                    raise
            else:
                self._learn(structured=structured, system_role=system_role)
                return output

    async def _send(self, messages: Sequence[ChatMessage], *, structured: bool, system_role: bool) -> ModelOutput:
        config = GenerateConfig(response_schema=SCHEMA) if structured else GenerateConfig()
        return await self.grader.generate(list(messages) if system_role else _in_user_message(messages), config=config)

    def _learn(self, *, structured: bool, system_role: bool) -> None:
        known = self.knowledge
        if self.wanted and known.structured is None:
            known.structured = structured
            if not structured:
                _logger.warning("%s has no structured output: it is asked in words alone", self.grader)
        if known.system_role is None:
            known.system_role = system_role
            if not system_role:
                _logger.warning("%s takes no system message: its instructions stand in the user's", self.grader)
        self.structured = structured and (self.structured or not self.answered)
        self.system_role = system_role and (self.system_role or not self.answered)
        self.answered = True

    def about(self) -> dict[str, Any]:
        """Who judged and how it was asked, for a score; `structured` and `system_role` only where it was asked."""
        identity = judge_identity(self.grader)
        config = as_asked(identity["judge_config"], structured=self.structured, system_role=self.system_role)
        facts = {"structured": self.structured, "system_role": self.system_role} if self.answered else {}
        return {**identity, "judge_config": config, **facts}


def _in_user_message(messages: Sequence[ChatMessage]) -> list[ChatMessage]:
    """The same words, those of the system at the head of the first message of the user."""
    first, second, *rest = messages
    assert isinstance(first, ChatMessageSystem)  # noqa: S101  (as `ask` demands)
    return [ChatMessageUser(content=f"{first.text}\n\n{second.text}"), *rest]
