"""Who a model is: one name for all routes to it, its maker, and the settings that shape what it says."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from alignbench.digest import canonical_json, config_digest
from alignbench.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "as_asked",
    "as_configured",
    "canonical_model",
    "judge_config",
    "judges_itself",
    "model_family",
    "model_settings",
    "same_model",
]

_TRANSPORT = frozenset(
    ("max_retries", "timeout", "attempt_timeout", "stream_idle_timeout", "max_connections", "adaptive_connections",
     "extra_headers", "cache", "cache_prompt", "batch")
)  # fmt: skip
"""Generation settings that only carry a call, or hold credentials; every other one may change answers."""
_SECRET = re.compile(
    r"(^|_)(api_?keys?|secrets?|passwords?|passwd|passphrase|credentials?|authorization)(_|$)|(^|_)(key|token)$"
)
"""Names of secrets, in words joined by `_`: `api_key` and `hf_token`, but not `tokenizer_path` or `max_tokens`."""


def _is_secret(name: str) -> bool:
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    return _SECRET.search(re.sub(r"[^A-Za-z0-9]+", "_", words).lower()) is not None


def _open(value: Any) -> Any:
    """A setting without the secrets in it."""
    if isinstance(value, dict):
        return {name: _open(item) for name, item in value.items() if not _is_secret(str(name))}
    return [_open(item) for item in value] if isinstance(value, list | tuple) else value


def _settings(args: Mapping[str, Any], config: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments without secrets, and the settings that shape answers and are set."""
    shaping = {name: value for name, value in config.items() if name not in _TRANSPORT and value is not None}
    kept = {name: value for name, value in args.items() if not _is_secret(name)}
    chosen = {name: _open(value) for name, value in {**kept, **shaping}.items()}
    for name, value in chosen.items():
        try:
            canonical_json(value)
        except (TypeError, ValueError) as error:
            raise InputError(
                f"model argument {name}={value!r}", allowed="text, finite numbers, dates, lists and mappings of these"
            ) from error
    return chosen


def model_settings(args: Mapping[str, Any], config: Mapping[str, Any]) -> str:
    """Settings of a model as canonical JSON; empty where there are none."""
    chosen = _settings(args, config)
    return canonical_json(chosen) if chosen else ""


def judge_config(args: Mapping[str, Any], config: Mapping[str, Any]) -> str:
    """Digest of a judge's settings, 16 hex digits; empty where there are none."""
    return config_digest(_settings(args, config))


_ROUTES = frozenset(
    ("openai-api", "openrouter", "azure", "azureai", "bedrock", "sagemaker", "vertex", "github", "cf", "@cf",
     "together", "fireworks", "accounts", "models", "groq", "cerebras", "sambanova", "databricks", "deepinfra",
     "nebius", "novita", "hyperbolic", "featherless-ai", "replicate", "hf", "hf-inference-providers",
     "huggingface", "vllm", "sglang", "ollama", "lm-studio", "llama-cpp-python", "gguf", "nnterp",
     "transformer_lens", "litellm", "modelscope")
)  # fmt: skip
"""Parts of a name that say who serves a model, or by what program, and not who made it."""
_SCRIPTED = frozenset(("persona", "mockllm", "none"))
"""Providers whose models exist nowhere else: their names are whole as they are."""
_ALIKE = frozenset(
    ("actor", "adapter", "artifact", "artifacts", "base", "baseline", "best", "candidate", "chat", "checkpoint",
     "checkpoints", "ckpt", "consolidated", "converted", "critic", "default", "dpo", "ema", "epoch", "export",
     "exported", "final", "fine", "finetune", "finetuned", "full", "ggml", "global", "grader", "grpo", "hf",
     "instruct", "it", "iter", "iteration", "judge", "last", "latest", "llm", "local", "lora", "main", "merged",
     "model", "models", "my", "new", "of", "old", "out", "output", "outputs", "peft", "policy", "ppo", "pytorch",
     "qlora", "quantized", "ref", "reference", "result", "results", "rlhf", "run", "safetensors", "save", "saved",
     "sft", "snapshot", "snapshots", "state", "step", "student", "target", "teacher", "test", "train", "trained",
     "trainer", "training", "tune", "tuned", "unsloth", "weight", "weights")
)  # fmt: skip
"""Words that many models are called by: a name of these alone needs the folder or owner before it."""
_NUMBER = re.compile(r"v?\d*[a-z]?")

_CLOUD = (
    "ai21|amazon|anthropic|cohere|deepseek|google|meta|minimax|mistral|moonshot|nvidia|openai|qwen|stability|writer"
)
_REGION = re.compile(rf"^(?:us|us-gov|eu|apac|jp|au|ca|sa|me|af|global)\.(?=(?:{_CLOUD})\.)")
_VENDOR = re.compile(rf"^(?!deepseek\.(?!deepseek))(?:{_CLOUD})\.")
"""`anthropic.` of Bedrock; but without its maker the `r1` of `deepseek.r1` would be no name."""
_VARIANT = re.compile(
    rf"[:@](?:free|beta|nitro|floor|extended|online|exacto|thinking|latest|default|fastest|cheapest"
    rf"|{'|'.join(map(re.escape, sorted(_ROUTES)))})$"
)
"""How a model is served, behind its name: `:free`, `@default`, or the server's name."""

_DAY, _MONTH = r"(?:0[1-9]|[12]\d|3[01])", r"(?:0[1-9]|1[0-2])"
_DATE = (
    rf"(?<!step)(?<!checkpoint)(?<!ckpt)(?<!epoch)(?<!iter)(?<!iteration)(?<!seed)(?<!run)(?<!snapshot)(?<!weights)"
    rf"-(?:20\d\d-?{_MONTH}(?:-?{_DAY})?|{_MONTH}-20\d\d|2\d{_MONTH}|{_MONTH}{_DAY})(?=-|$)"
)
"""2024-08-06, 20250514, 2024-08, 08-2024, 2411, 0613; but not the number of a checkpoint."""
_QUANTISED = (
    r"-(?:gguf|ggml|awq|gptq|exl2|mlx|hqq|nf4|fp4|nvfp4|mxfp4|fp8|f16|fp16|bf16|f32|fp32|int4|int8|(?:4|8|16)bit|bnb|i1"
    r"|w\d+a\d+|i?q[1-8](?:-(?:0|1|k|k-(?:xxs|xs|s|m|l|xl)|xxs|xs|s|m|nl))?|ud|dynamic|qat"
    r"|quantized|tput)$"
)
"""Formats and precisions in which one model's weights are handed out."""
_REWRITES = tuple(
    (re.compile(pattern), by)
    for pattern, by in (
        (r"^(?:databricks-)?(?:meta-(?=llama))?", ""),
        (r"^chatgpt(?=-)", "gpt"),
        # Azure allows no point in a name.
        (r"^gpt-35(?=-|$)", "gpt-3-5"),
        (r"^deepseek-chat-(?=v?\d)", "deepseek-"),
        # Fireworks writes v3p1 for 3.1.
        (r"(?<=\d)p(?=\d)", "-"),
        (_QUANTISED, ""),
        (r"-(?:preview|exp|experimental)(?:-\d\d-\d\d)?(?=-|$)", ""),
        (_DATE, ""),
        (r"-(?:latest|free)$", ""),
        # A snapshot at Vertex: claude-3-5-sonnet-v2.
        (r"^(claude-[\d-]+-(?:haiku|sonnet|opus))-v?\d$", r"\1"),
        (r"(?<=-instruct)-(?:fp8-)?(?:turbo|lite|reference|fast|maas)$|-hf$", ""),
        (r"^(llama.*)-(?:versatile|instant)$", r"\1-instruct"),
        (r"^(gemma-.*)-instruct(?=-|$)", r"\1-it"),
        (r"^(gemini.*)-00\d$", r"\1"),
        (r"^(o\d(?:-mini)?|gpt-5(?:-mini|-nano)?)-(?:minimal|low|medium|high)$", r"\1"),
        (r"(?<![a-z0-9])([a-z]{3,})(?=\d)", r"\1-"),
        (r"(?<=-)v(?=\d)", ""),
        (r"^claude-([\d-]+)-(haiku|sonnet|opus|instant)(?=-|$)", r"claude-\2-\1"),
        (r"^(claude.*)-(?:0|thinking)$", r"\1"),
    )
)
"""Spellings of one model to one; each is tried again until none changes the name."""


@lru_cache(maxsize=4096)
def canonical_model(name: str) -> str:
    """The name that a model has under every route and snapshot: whoever has the same one is taken for the same model.

    Dropped are who serves it (`openrouter/`, `azureai/`, `us.anthropic.`, `:free`), whose account it lies in
    (`meta-llama/`), the date of a snapshot (also `-latest`, `-preview`), the precision of its weights (`Q4_K_M`,
    `-AWQ`, `fp8`) and how a server says that (Together's `-Instruct-Turbo` is an instruct model in FP8). Kept is
    everything that may name other weights: size, generation, `mini`, `pro`, `base` against `instruct`, a fine-tune's
    own name.

    It is made for finding models that judge themselves, so in doubt two are one: that costs a rank, and the other
    mistake lets a model grade itself. It only looks at names: what a server alone can resolve (a deployment called
    `mine`, Ollama's `llama3.1:8b`, which is the instruct model) is taken as it is written. Names that tell nothing
    (`final`, `checkpoint-500`, `pytorch_model.bin`) and scripted models (`persona/base`) keep what stands before them.

    Args:
        name: A model as Inspect names it, such as `openrouter/anthropic/claude-sonnet-4`; what follows it in braces
            (`label_models` puts arguments there) is kept.
    """
    plain, brace, settings = name.strip().partition(" {")
    parts = [part for part in plain.lower().split("/") if part]
    if not parts or parts[0] in _SCRIPTED:
        return name.strip()
    own = _own_name(parts[-1])
    if all(word in _ALIKE or _NUMBER.fullmatch(word) for word in own.split("-")):
        own = "/".join([*(part for part in parts[:-1] if part not in _ROUTES), own])
    return own + brace + settings


def _own_name(last: str) -> str:
    """The last part of a name without route, snapshot and precision; as it is where nothing else is left."""
    if last.startswith("ft:"):
        # A fine-tune of OpenAI's: the snapshot and the suffixes are what tells it from its base and its sisters.
        return last
    text = re.sub(r"\.(?:gguf|ggml|safetensors|bin|pth?|ckpt)$", "", last)
    text = _VENDOR.sub("", _REGION.sub("", text))
    while (shorter := _VARIANT.sub("", re.sub(r"-v?\d+:0(?::\d+k)?$", "", text))) != text:
        text = shorter
    text = re.sub(r"[\s_.:@=-]+", "-", text).strip("-")
    before = None
    while text != before:
        before = text
        for pattern, by in _REWRITES:
            text = pattern.sub(by, text)
    return text or last


def same_model(first: str, second: str) -> bool:
    """Whether two names are of one model, under any route, snapshot or precision: see `canonical_model`."""
    return canonical_model(first) == canonical_model(second)


def judges_itself(judge: str, model: str) -> bool:
    """Whether a judge is the model it judges, whatever arguments `label_models` has put behind the model's name."""
    return same_model(judge, model.partition(" {")[0])


_MAKERS = {
    "anthropic": "claude",
    "openai": "gpt|chatgpt|o[1-9]|davinci",
    "google": "gemini|gemma|palm",
    "meta": "llama",
    "mistral": "mistral|mixtral|ministral|codestral|magistral|pixtral|devstral|voxtral",
    "alibaba": "qwen|qwq",
    "deepseek": "deepseek",
    "xai": "grok",
    "cohere": "command|aya",
    "microsoft": "phi",
    "amazon": "nova|titan",
    "huggingface": "smollm",
    "zhipu": "glm",
    "moonshot": "kimi",
    "minimax": "minimax",
    "01-ai": "yi",
    "tii": "falcon",
    "allenai": "olmo|tulu",
    "nvidia": "nemotron",
    "ibm": "granite",
    "ai21": "jamba|jurassic",
    "baidu": "ernie",
    "tencent": "hunyuan",
    "bytedance": "doubao",
    "perplexity": "sonar",
}
_MAKER = {name: re.compile(rf"(?<![a-z])(?:{words})(?![a-z])") for name, words in _MAKERS.items()}
_ORGANISATIONS = {
    "meta-llama": "meta", "mistralai": "mistral", "qwen": "alibaba", "deepseek-ai": "deepseek", "x-ai": "xai",
    "grok": "xai", "cohereforai": "cohere", "huggingfacetb": "huggingface", "z-ai": "zhipu", "zai-org": "zhipu",
    "thudm": "zhipu", "moonshotai": "moonshot", "minimaxai": "minimax", "tiiuae": "tii", "ibm-granite": "ibm",
}  # fmt: skip
"""Accounts of makers that are called otherwise."""


def model_family(name: str) -> str:
    """Who made a model, by its name: whoever serves it, a Claude is Anthropic's; else its owner, or the name itself.

    Only names are looked at: a fine-tune that has a name of its own is taken for a family of its own.

    Args:
        name: A model as Inspect names it, such as `openrouter/anthropic/claude-sonnet-4`.
    """
    *before, last = name.lower().partition(" {")[0].split("/")
    found = next((maker for maker, words in _MAKER.items() if words.search(last)), None)
    if found is not None:
        return found
    owners = [part for part in before if part and part not in _ROUTES]
    return _ORGANISATIONS.get(owners[-1], "/".join(owners)) if owners else last


IN_WORDS, NO_SYSTEM_ROLE = "in_words", "no_system_role"


def as_asked(config: str, *, structured: bool, system_role: bool) -> str:
    """The configuration of a judge with how it was asked: a digest alone where nothing had to be left out.

    Args:
        config: Digest of the judge's settings; empty where there are none.
        structured: Whether its replies were bound to the schema.
        system_role: Whether its instructions stood in a system message.
    """
    ways = ["" if structured else IN_WORDS, "" if system_role else NO_SYSTEM_ROLE]
    return "+".join(filter(None, [config, *ways]))


def as_configured(config: str) -> str:
    """The digest of a judge's settings alone, however it then had to be asked."""
    return "+".join(part for part in config.split("+") if part not in (IN_WORDS, NO_SYSTEM_ROLE))
