"""Who is who: one model under many names, and models whose names only look alike."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alignbench.identity import canonical_model, judges_itself, model_family, same_model

ONE_MODEL = {
    "gpt-4o": (
        "openai/gpt-4o", "openrouter/openai/gpt-4o", "azureai/gpt-4o", "openai/azure/gpt-4o",
        "openai/gpt-4o-2024-08-06",
        "openai-api/openrouter/openai/gpt-4o", "openrouter/openai/gpt-4o:extended", "azureai/GPT4o",
        "openrouter/openai/chatgpt-4o-latest",
    ),
    "gpt-3.5-turbo": ("openai/gpt-3.5-turbo", "azureai/gpt-35-turbo", "openai/gpt-3.5-turbo-0125",
                      "openai/azure/gpt-35-turbo-1106"),
    "gpt-oss-120b": ("openai/gpt-oss-120b", "bedrock/openai.gpt-oss-120b-1:0", "openrouter/openai/gpt-oss-120b:free",
                     "groq/openai/gpt-oss-120b"),
    "gpt-4o-mini": ("openai/gpt-4o-mini", "openai/gpt-4o-mini-2024-07-18", "openrouter/openai/gpt-4o-mini:online"),
    "gpt-4": ("openai/gpt-4", "openai/gpt-4-0613", "openai/gpt-4-1106-preview"),
    "gpt-4-turbo": ("openai/gpt-4-turbo", "openai/gpt-4-turbo-2024-04-09", "openai/gpt-4-turbo-preview"),
    "gpt-4.1": ("openai/gpt-4.1", "openai/gpt-4.1-2025-04-14"),
    "o1": ("openai/o1", "openai/o1-2024-12-17", "openrouter/openai/o1-preview"),
    "o3-mini": ("openai/o3-mini", "openrouter/openai/o3-mini-high", "openai/o3-mini-2025-01-31"),
    "claude-sonnet-4": (
        "anthropic/claude-sonnet-4-20250514", "bedrock/anthropic.claude-sonnet-4-20250514-v1:0",
        "anthropic/bedrock/us.anthropic.claude-sonnet-4-20250514-v1:0", "vertex/claude-sonnet-4@20250514",
        "anthropic/vertex/claude-sonnet-4@default", "openrouter/anthropic/claude-sonnet-4",
        "anthropic/claude-sonnet-4-0",
        "openrouter/anthropic/claude-4-sonnet-20250522", "databricks/databricks-claude-sonnet-4",
        "bedrock/arn:aws:bedrock:us-east-1:1:inference-profile/us.anthropic.claude-sonnet-4-20250514-v1:0",
    ),
    "claude-3-5-sonnet": (
        "anthropic/claude-3-5-sonnet-20240620", "anthropic/claude-3-5-sonnet-latest",
        "anthropic/claude-3-5-sonnet-20241022",
        "vertex/claude-3-5-sonnet-v2@20241022", "anthropic/vertex/claude-3-5-sonnet@20240620",
        "openrouter/anthropic/claude-3.5-sonnet:beta", "bedrock/eu.anthropic.claude-3-5-sonnet-20241022-v2:0",
    ),
    "claude-3-7-sonnet": ("anthropic/claude-3-7-sonnet-latest", "openrouter/anthropic/claude-3.7-sonnet:thinking"),
    "claude-2.1": ("anthropic/claude-2.1", "bedrock/anthropic.claude-v2:1"),
    "gemini-2.5-pro": ("google/gemini-2.5-pro", "google/vertex/gemini-2.5-pro-preview-05-06",
                       "openrouter/google/gemini-2.5-pro-exp-03-25:free"),
    "gemini-1.5-pro": ("google/gemini-1.5-pro-002", "google/gemini-1.5-pro", "google/gemini-1.5-pro-latest"),
    "llama-3.3-70b-instruct": (
        "hf/meta-llama/Llama-3.3-70B-Instruct", "together/meta-llama/Llama-3.3-70B-Instruct-Turbo",
        "openrouter/meta-llama/llama-3.3-70b-instruct:free", "bedrock/us.meta.llama3-3-70b-instruct-v1:0",
        "fireworks/accounts/fireworks/models/llama-v3p3-70b-instruct", "groq/llama-3.3-70b-versatile",
        "vllm/casperhansen/llama-3.3-70b-instruct-awq", "sambanova/Meta-Llama-3.3-70B-Instruct",
        "hf-inference-providers/meta-llama/Llama-3.3-70B-Instruct:together", "cf/meta/llama-3.3-70b-instruct-fp8-fast",
        "ollama/llama3.3:70b-instruct-q4_K_M", "vllm/unsloth/Llama-3.3-70B-Instruct-bnb-4bit",
        "together/meta-llama/Llama-3.3-70B-Instruct-Turbo-Free",
    ),
    "llama-3.1-8b-instruct": (
        "hf/meta-llama/Llama-3.1-8B-Instruct", "hf/RedHatAI/Meta-Llama-3.1-8B-Instruct-quantized.w4a16",
        "vllm/RedHatAI/Meta-Llama-3.1-8B-Instruct-FP8-dynamic", "groq/llama-3.1-8b-instant",
        "ollama/llama3.1:8b-instruct-fp16",
    ),
    "gemma-2-9b-it": ("hf/google/gemma-2-9b-it", "ollama/gemma2:9b-instruct-q8_0", "groq/gemma2-9b-it"),
    "gemma-3-27b-it": ("hf/google/gemma-3-27b-it", "ollama/gemma3:27b-it-qat",
                       "llama-cpp-python/gemma-3-27b-it-qat-q4_0.gguf", "openrouter/google/gemma-3-27b-it:free"),
    "qwen3-8b": ("hf/Qwen/Qwen3-8B", "together/Qwen/Qwen3-8B-fp8-tput", "vllm/Qwen/Qwen3-8B-AWQ"),
    "smollm2-135m-instruct": (
        "gguf/smollm2-135m-instruct", "hf/HuggingFaceTB/SmolLM2-135M-Instruct",
        "llama-cpp-python/SmolLM2-135M-Instruct-Q4_K_M.gguf", "llama-cpp-python/SmolLM2-135M-Instruct-f16.gguf",
        "llama-cpp-python/SmolLM2-135M-Instruct.IQ3_XS.gguf",
    ),
    "deepseek-r1": ("openrouter/deepseek/deepseek-r1", "bedrock/us.deepseek.r1-v1:0",
                    "together/deepseek-ai/DeepSeek-R1-0528"),
    "deepseek-v3": ("together/deepseek-ai/DeepSeek-V3", "openrouter/deepseek/deepseek-v3-0324:free",
                    "deepseek/deepseek-chat-v3-0324", "openrouter/deepseek/deepseek-chat-v3-0324:free"),
    "deepseek-v3.1": ("together/deepseek-ai/DeepSeek-V3.1", "openrouter/deepseek/deepseek-chat-v3.1"),
    "mistral-large": ("mistral/mistral-large-latest", "mistral/mistral-large-2411",
                      "openrouter/mistralai/mistral-large"),
    "command-r": ("bedrock/cohere.command-r-v1:0", "openrouter/cohere/command-r-08-2024"),
    "own-tune": ("vllm/lab/own-tune", "hf/lab/own-tune", "openai-api/mine/own-tune"),
}  # fmt: skip
"""Names that are one model, which is no other one here."""
NO_NAMES = (
    "actor", "weights", "export", "pytorch_model", "pytorch_model.bin", "consolidated.00.pth", "snapshot", "finetuned",
    "global_step_100", "merged_16bit", "ggml-model-q4_0.gguf", "unsloth.Q4_K_M.gguf", "lora_model", "last.ckpt",
    "epoch=1-step=100.ckpt", "model-00001-of-00002.safetensors", "hf", "output",
)  # fmt: skip
"""What programs call the file or folder they write: no name of a model."""
SAME = [pair for names in ONE_MODEL.values() for pair in itertools.pairwise(names)]

OTHER = [
    ("openai/gpt-4o", "openai/gpt-4o-mini"),
    ("openai/gpt-4o", "openai/gpt-4"),
    ("openai/gpt-4", "openai/gpt-4-turbo"),
    ("openai/gpt-4", "openai/gpt-4.1"),
    ("openai/gpt-5", "openai/gpt-5-mini-high"),
    ("openai/gpt-5", "openai/gpt-5.1"),
    ("openai/o1", "openai/o1-pro"),
    ("openai/o1", "openai/o1-mini"),
    ("openai/o1", "openai/o3"),
    ("openai/gpt-4o", "openai/ft:gpt-4o-2024-08-06:lab::abc"),
    ("openai/ft:gpt-4o-2024-08-06:lab::abc", "openai/ft:gpt-4o-2024-08-06:lab::abd"),
    ("openai/gpt-oss-20b", "openai/gpt-oss-120b"),
    ("anthropic/claude-3-5-sonnet-latest", "anthropic/claude-3-7-sonnet-latest"),
    ("anthropic/claude-3-5-sonnet-latest", "anthropic/claude-3-5-haiku-latest"),
    ("anthropic/claude-sonnet-4-20250514", "anthropic/claude-opus-4-20250514"),
    ("anthropic/claude-sonnet-4-20250514", "anthropic/claude-sonnet-4-5-20250929"),
    ("anthropic/claude-3-sonnet-20240229", "anthropic/claude-3-5-sonnet-20240620"),
    ("google/gemini-1.5-pro-002", "google/gemini-1.5-flash-002"),
    ("google/gemini-2.0-flash", "google/gemini-2.0-flash-lite"),
    ("google/gemini-2.0-flash", "google/gemini-2.5-flash"),
    ("hf/meta-llama/Llama-3.1-8B-Instruct", "hf/meta-llama/Llama-3.1-70B-Instruct"),
    ("hf/meta-llama/Llama-3.1-8B-Instruct", "hf/meta-llama/Llama-3.1-8B"),
    ("hf/meta-llama/Llama-3.1-8B-Instruct", "hf/meta-llama/Llama-3.2-8B-Instruct"),
    ("hf/meta-llama/Llama-3.1-8B-Instruct", "vllm/lab/Llama-3.1-8B-Instruct-abliterated"),
    ("hf/Qwen/Qwen3-8B", "hf/Qwen/Qwen3-8B-Base"),
    ("hf/Qwen/Qwen2.5-7B-Instruct", "hf/Qwen/Qwen2.5-Coder-7B-Instruct"),
    ("hf/google/gemma-2-9b", "hf/google/gemma-2-9b-it"),
    ("mistral/mistral-large-latest", "mistral/mistral-medium-latest"),
    ("mistral/mistral-small-2409", "mistral/ministral-8b-2410"),
    ("cohere/command-r", "cohere/command-r-plus"),
    ("together/deepseek-ai/DeepSeek-R1", "together/deepseek-ai/DeepSeek-V3"),
    ("together/deepseek-ai/DeepSeek-R1", "groq/deepseek-r1-distill-llama-70b"),
    ("persona/base", "persona/tuned"),
    ("persona/base", "persona/grader"),
    ("persona/base", "hf/lab/base"),
    ("hf//runs/one/checkpoint-500", "hf//runs/two/checkpoint-500"),
    ("hf//runs/one/checkpoint-1024", "hf//runs/one/checkpoint-1025"),
    ("vllm/lab/tune-step-1024", "vllm/lab/tune-step-1025"),
    ("hf//runs/one/global_step_1024", "hf//runs/one/global_step_1025"),
    ("hf//runs/one/snapshot-1024", "hf//runs/one/snapshot-1025"),
    ("vllm/one/final", "vllm/two/final"),
    *((f"hf/runA/{name}", f"hf/runB/{name}") for name in NO_NAMES),
    ("openai/gpt-3.5-turbo", "openai/gpt-3.5-turbo-16k"),
    ("openai/gpt-3.5-turbo", "openai/gpt-3.5-turbo-instruct"),
    ("hf/google/gemma-2-9b", "ollama/gemma2:9b-instruct-q8_0"),
    ("bedrock/openai.gpt-oss-120b-1:0", "bedrock/openai.gpt-oss-20b-1:0"),
    ("together/Qwen/Qwen3-8B-fp8-tput", "hf/Qwen/Qwen3-8B-Base"),
    ("deepseek/deepseek-chat-v3-0324", "deepseek/deepseek-chat-v3.1"),
    ("together/deepseek-ai/DeepSeek-V3", "hf/deepseek-ai/DeepSeek-V3-Base"),
    ('openai/gpt-4o {"seed":1}', 'openai/gpt-4o {"seed":2}'),
]


@pytest.mark.parametrize(("first", "second"), SAME)
def test_one_model_under_other_names(first: str, second: str) -> None:
    """Another route, a dated snapshot, an alias, a server's wording or a precision makes no other model."""
    assert canonical_model(first) == canonical_model(second)
    assert same_model(first, second)


@pytest.mark.parametrize(("first", "second"), OTHER)
def test_models_that_only_sound_alike(first: str, second: str) -> None:
    """Another size, generation, tuning, checkpoint or owner of a name that says nothing is another model."""
    assert canonical_model(first) != canonical_model(second)
    assert not same_model(first, second)


def test_no_two_models_of_the_list_are_one() -> None:
    """Whatever name of one model is held against whatever name of another."""
    found = {model: {canonical_model(name) for name in names} for model, names in ONE_MODEL.items()}
    assert all(len(names) == 1 for names in found.values())
    assert len(set().union(*found.values())) == len(ONE_MODEL)


@pytest.mark.parametrize("name", NO_NAMES)
def test_a_name_that_tells_nothing_is_one_model_where_it_lies_in_one_folder(name: str) -> None:
    """The folder tells it, whatever program loads it."""
    assert same_model(f"hf/runA/{name}", f"vllm/runA/{name}")


def test_arguments_behind_a_name_hide_no_judge_that_judges_itself() -> None:
    """`label_models` tells runs apart by their arguments; the judge's name has none."""
    assert judges_itself("azureai/gpt-4o", 'openai/gpt-4o {"temperature":0}')
    assert judges_itself("openai/gpt-4o", "openai/gpt-4o-2024-08-06 {}")
    assert judges_itself("openai/gpt-4o", "openai/gpt-4o")
    assert not judges_itself("openai/gpt-4o", 'openai/gpt-4o-mini {"temperature":0}')


WORDS = ("gpt", "claude", "sonnet", "llama", "lab", "own", "4o", "4", "3.5", "8b", "mini", "instruct", "base", "v2",
         "0613", "2024-08-06", "latest", "preview", "q4_K_M", "awq", "final", "checkpoint", "turbo", "thinking",
         "p1", "35", "free", "actor", "weights", "quantized", "chat", "gemma", "deepseek", "tput", "1:0")  # fmt: skip
NAMES = st.one_of(
    st.text(max_size=20),
    st.lists(st.sampled_from(WORDS), min_size=1, max_size=5).flatmap(
        lambda words: st.lists(st.sampled_from("-./:@_"), min_size=len(words), max_size=len(words)).map(
            lambda marks: "".join(itertools.chain(*zip(words, marks, strict=True)))[:-1]
        )
    ),
    st.sampled_from([name for names in ONE_MODEL.values() for name in names]),
)


@given(NAMES, NAMES)
def test_being_the_same_is_an_equivalence(first: str, second: str) -> None:
    """A model is itself and its canonical name; the order of two names does not matter; no name becomes empty."""
    assert same_model(first, first)
    assert same_model(first, canonical_model(first))
    assert same_model(first, second) == same_model(second, first)
    assert bool(canonical_model(first)) == bool(first.strip())


@given(NAMES, st.sampled_from(["openrouter", "azureai", "bedrock", "together", "hf", "vllm", "gguf", "openai-api"]))
def test_a_route_before_a_name_changes_nothing(name: str, route: str) -> None:
    """Neither who the model is nor who made it; scripted models have no other route."""
    name = name.strip().strip("/")
    if name.split("/")[0].lower() in ("", "persona", "mockllm", "none"):
        return
    assert same_model(f"{route}/{name}", name)
    assert model_family(f"{route}/{name}") == model_family(name)


@pytest.mark.parametrize("names", ONE_MODEL.values(), ids=ONE_MODEL)
def test_names_of_one_model_have_one_maker(names: tuple[str, ...]) -> None:
    """Routes, accounts and snapshots do not hide who made it, where the name tells; else its owner stands for it."""
    if "own-tune" not in names[0]:
        assert len({model_family(name) for name in names}) == 1


@pytest.mark.parametrize(
    ("name", "family"),
    [
        ("openrouter/z-ai/glm-4.5", "zhipu"),
        ("together/zai-org/GLM-4.5", "zhipu"),
        ("openrouter/moonshotai/kimi-k2:free", "moonshot"),
        ("bedrock/us.amazon.nova-pro-v1:0", "amazon"),
        ("bedrock/ai21.jamba-1-5-large-v1:0", "ai21"),
        ("openai/azure/my-deployment", "openai"),
        ("grok/new-one", "xai"),
        ("openrouter/mistralai/new-one", "mistral"),
        ("hf/lab/own-tune", "lab"),
        ("vllm/own-tune", "own-tune"),
        ("openai/ft:gpt-4o-2024-08-06:lab::abc", "openai"),
    ],
)
def test_routes_do_not_hide_the_maker(name: str, family: str) -> None:
    """The maker is read from the model's own name, then from the account it lies in; who serves it says nothing."""
    assert model_family(name) == family
