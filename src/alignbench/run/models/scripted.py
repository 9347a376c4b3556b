"""Personas as an Inspect model provider."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from inspect_ai.model import GenerateConfig, ModelAPI, ModelOutput, ModelUsage
from inspect_ai.util import store

from alignbench.errors import InputError
from alignbench.packs import load_pack
from alignbench.packs.perturbed import changed_answers
from alignbench.run.models.persona import SampleKey, make_grader, make_persona, match_label
from alignbench.run.models.usage import usage_errors
from alignbench.run.solvers.conversation import SAMPLE_KEY
from alignbench.vocabulary import MISALIGNED

if TYPE_CHECKING:
    from inspect_ai.model import ChatMessage
    from inspect_ai.tool import ToolChoice, ToolInfo

    from alignbench.packs import LabelledAnswer
    from alignbench.packs.perturbed import Changed

__all__ = ["PersonaAPI"]

CHARACTERS_PER_TOKEN = 4
"""Stated usage is an estimate; without one Inspect would fetch a tokenizer."""
DECLINED = {"reasoning": "This answer is not one of the labelled ones.", "evidence": "", "verdict": "cannot_judge"}


class PersonaAPI(ModelAPI):
    """`persona/<name>`: the named personas, and `persona/grader` as a judge of their answers."""

    reads_sample_key = True

    def __init__(
        self,
        model_name: str,
        base_url: str | None = None,
        api_key: str | None = None,
        config: GenerateConfig = GenerateConfig(),  # noqa: B008  (Inspect's signature)
        **model_args: Any,
    ) -> None:
        super().__init__(model_name, base_url, api_key, [], config)
        with usage_errors():
            self.grader = make_grader(model_args) if model_name == "grader" else None
            self.persona = None if self.grader else make_persona(model_name, model_args)

    async def generate(
        self,
        input: list[ChatMessage],
        tools: list[ToolInfo],
        tool_choice: ToolChoice,
        config: GenerateConfig,
    ) -> ModelOutput:
        """Answer as the persona would, or grade as the judge would."""
        identity = store().get(SAMPLE_KEY)
        if identity is None:
            raise InputError(
                f"persona/{self.model_name} knows only the samples of alignbench tasks",
                allowed="inspect eval alignbench/<pack>",
            )
        key = SampleKey(**{name: identity[name] for name in SampleKey.__dataclass_fields__})
        answers = load_pack(identity["pack"]).answers(key.scenario, twin=key.twin)
        if not answers:
            raise InputError("no labelled answers to say or to know", item=key.id,
                             allowed="labelled/SCENARIO.yaml beside pack.yaml")  # fmt: skip
        text = self._grade(input, key, answers) if self.grader else self._answer(input, key, answers)
        output = ModelOutput.from_content(model=self.model_name, content=text)
        read = sum(len(message.text) for message in input) // CHARACTERS_PER_TOKEN
        said = len(text) // CHARACTERS_PER_TOKEN
        output.usage = ModelUsage(input_tokens=read, output_tokens=said, total_tokens=read + said)
        return output

    def _answer(self, messages: list[ChatMessage], key: SampleKey, answers: list[LabelledAnswer]) -> str:
        assert self.persona is not None  # noqa: S101  (made in __init__ where there is no grader)
        pack = load_pack(store().get(SAMPLE_KEY)["pack"])
        scripted = len(pack.scenarios[key.scenario].history(twin=key.twin)) // 2
        turn = 1 + sum(message.role == "assistant" for message in messages) - scripted
        act = self.persona.act(key, turn)
        options = [answer for answer in answers if answer.verdict == act]
        if not options:
            raise InputError(f"no labelled answer with the verdict {act!r}", item=key.id)
        return options[self.persona.choice(key, turn, len(options))].text

    def _changed(self, key: SampleKey) -> list[Changed]:
        """The changed answers of an examination that belong to this case."""
        pack = load_pack(store().get(SAMPLE_KEY)["pack"])
        about = (key.scenario, key.twin)
        return [one for one in changed_answers(pack) if (one.base.scenario, one.base.twin) == about]

    def _grade(self, messages: list[ChatMessage], key: SampleKey, answers: list[LabelledAnswer]) -> str:
        assert self.grader is not None  # noqa: S101  (the caller has looked)
        case = next((message.text for message in messages if message.role == "user"), "")
        changed = self._changed(key)
        label = match_label(case, [*answers, *(one.answer for one in changed)])
        if label is None:
            return json.dumps(DECLINED)
        if self.grader.fails(key, label.text):
            return "It depends on how one sees it."
        looks = next((one.looks for one in changed if one.answer is label), "")
        verdict = self.grader.verdict(label.verdict, key, label.text, looks)
        # An error reports the fields of some answer that deserves the wrong verdict.
        shown = label if verdict == label.verdict else next((a for a in answers if a.verdict == verdict), label)
        return json.dumps(
            {
                "reasoning": f"By the standard of this case the answer is {verdict}.",
                "evidence": re.split(r"(?<=[.!?])\s|\n", label.text.strip())[0],
                "verdict": verdict,
                "refusal_type": shown.refusal_type,
                "severity": shown.severity if shown.verdict == verdict else int(verdict == MISALIGNED),
                "position_1": shown.position_1,
                "position_2": shown.position_2,
            },
            ensure_ascii=False,
        )
