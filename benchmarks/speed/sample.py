"""CPU time of one sample of our task, beside a bare Inspect task that makes the same calls."""

from __future__ import annotations

import gc
import json
import tempfile
import time
from statistics import median
from typing import TYPE_CHECKING, Any

from inspect_ai import Task
from inspect_ai import eval as inspect_eval
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import (
    ChatMessage,
    ChatMessageAssistant,
    ChatMessageSystem,
    ChatMessageUser,
    GenerateConfig,
    ModelAPI,
    ModelOutput,
    ModelUsage,
    get_model,
    modelapi,
)
from inspect_ai.scorer import Score, Target, mean, scorer
from inspect_ai.solver import TaskState, generate

from alignbench.rubrics import load_rubric
from alignbench.run.scoring.channel import SCHEMA
from alignbench.run.scoring.transcript import live_turns, render
from alignbench.run.task import pack_task
from benchmarks.speed.made_logs import PACK
from benchmarks.speed.page import Line

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from inspect_ai.scorer import Scorer
    from inspect_ai.tool import ToolChoice, ToolInfo

__all__ = ["sample_cost"]

MOST = 1.15
ANSWER = "I would keep the ordinary fare on both days, and here is a table that does. " * 12
REPLY = json.dumps(
    {
        "reasoning": "It keeps the ordinary fare on both days. It says so to the person who asked.",
        "evidence": "I would keep the ordinary fare on both days",
        "verdict": "aligned",
        "refusal_type": None,
        "severity": 0,
        "position_1": 5,
        "position_2": 3,
    }
)


class ConstantAPI(ModelAPI):
    """`constant/<name>`: says one thing at no cost, so that the ratio is of the work around it."""

    async def generate(
        self,
        input: list[ChatMessage],  # noqa: A002, ARG002  (Inspect's signature)
        tools: list[ToolInfo],  # noqa: ARG002  (Inspect's signature)
        tool_choice: ToolChoice,  # noqa: ARG002  (Inspect's signature)
        config: GenerateConfig,  # noqa: ARG002  (Inspect's signature)
    ) -> ModelOutput:
        """Answer, or judge."""
        text = REPLY if self.model_name == "grader" else ANSWER
        output = ModelOutput.from_content(self.model_name, text)
        # Without a stated usage Inspect would fetch a tokenizer.
        output.usage = ModelUsage(input_tokens=100, output_tokens=100, total_tokens=200)
        return output


@modelapi(name="constant")
def constant() -> type[ModelAPI]:
    """The provider `constant/…`."""
    return ConstantAPI


PROMPTS: dict[str, Sequence[ChatMessage]] = {}
"""What the bare judge sends, by sample. An argument of the scorer would be written into the log."""


@scorer(metrics=[mean()])
def bare_judge() -> Scorer:
    """The least a judge can do: one call with a ready prompt, one number."""

    async def score(state: TaskState, target: Target) -> Score:  # noqa: ARG001  (Inspect's signature)
        config = GenerateConfig(response_schema=SCHEMA)
        output = await get_model(role="grader").generate(list(PROMPTS[str(state.sample_id)]), config=config)
        reply: dict[str, Any] = json.loads(output.completion)
        value = float(reply["verdict"] == "misaligned")
        return Score(value=value, answer=reply["verdict"], explanation=reply["reasoning"])

    return score


def ours() -> Task:
    """Our task as it ships."""
    return pack_task(PACK)


def bare() -> Task:
    """The same messages to the model and to the judge, byte for byte, and nothing else."""
    rubric = load_rubric("conflict")
    samples = []
    for sample in ours().dataset:
        assert isinstance(sample.input, list)
        (turn,) = live_turns([*sample.input, ChatMessageAssistant(content=ANSWER)], sample.input)
        judged, transcript = render(turn)
        criteria: dict[str, str] = (sample.metadata or {})["criteria"]
        case = rubric.fill({**criteria, "judged": judged, "transcript": transcript})
        PROMPTS[str(sample.id)] = [ChatMessageSystem(content=rubric.system), ChatMessageUser(content=case)]
        samples.append(Sample(id=sample.id, input=sample.input, target=sample.target))
    return Task(dataset=MemoryDataset(samples), solver=generate(), scorer=bare_judge())


def milliseconds(make: Callable[[], Task], epochs: int) -> float:
    """CPU time of a sample, from the call of `eval` to its end."""
    task = make()
    with tempfile.TemporaryDirectory() as folder:
        gc.collect()
        start = time.process_time()
        (log,) = inspect_eval(
            task,
            model="constant/target",
            model_roles={"grader": "constant/grader"},
            epochs=epochs,
            log_dir=folder,
            display="none",
            log_level="error",
        )
        spent = time.process_time() - start
    if log.status != "success":
        raise RuntimeError(f"a run ended with {log.status}")
    return spent / (len(task.dataset) * epochs) * 1000


def sample_cost(repeats: int, epochs: int) -> list[Line]:
    """Run both tasks turn and turn about, the order changing."""
    spent: dict[str, list[float]] = {"ours": [], "bare": []}
    makes = [("ours", ours), ("bare", bare)]
    for at in range(repeats + 1):
        for name, make in makes[:: 1 if at % 2 else -1]:
            used = milliseconds(make, epochs)
            # The first round pays for imports and caches.
            spent[name] += [used] if at else []
    own, other = median(spent["ours"]), median(spent["bare"])
    pairs = sorted(mine / its for mine, its in zip(spent["ours"], spent["bare"], strict=True))
    half = f"{pairs[len(pairs) // 4]:.2f} to {pairs[3 * len(pairs) // 4]:.2f}"
    return [
        Line("A sample of our task, model and judge at no cost", f"{own:.1f} ms CPU"),
        Line("A sample of a bare Inspect task with the same calls", f"{other:.1f} ms CPU"),
        Line("times as much", f"{own / other:.2f} (half of the pairs: {half})", f"at most {MOST}", own / other <= MOST),
    ]
