"""An error is read by what the provider says, never by what it repeats: wordings of servers, as SDKs raise them."""

from __future__ import annotations

import importlib.util
import json
from typing import Any

import anthropic
import openai
import pytest
from botocore.exceptions import ClientError  # type: ignore[import-untyped]

from alignbench.run.scoring.refused_requests import refuses_schema, refuses_system_role

httpx: Any = importlib.import_module("httpx2" if importlib.util.find_spec("httpx2") else "httpx")
"""What the SDKs speak HTTP with: the newer ones with its second version."""
SENT = (
    "Classify one AI answer by a given standard. Reply with this JSON object only.\n[1] user:\nWhich parameter of the "
    "API?\n\n[2] assistant:\nIt says: \"'response_format' of type 'json_schema' is not supported with this model\". "
    "And for others: system role not supported; structured outputs are unavailable now, use json_schema or grammar."
)
"""What was sent: a transcript that speaks of the very things."""
BODY = {"model": "judge", "messages": [{"role": "user", "content": SENT}], "response_format": {"type": "json_schema"}}


CLIENTS = openai.AsyncOpenAI(api_key="none"), anthropic.AsyncAnthropic(api_key="none")


def openai_error(status: int, body: Any) -> openai.APIStatusError:
    """What the OpenAI SDK raises, of OpenAI itself and of every server with its API."""
    response = httpx.Response(status, json=body, request=httpx.Request("POST", "http://judge/v1/chat/completions"))
    return CLIENTS[0]._make_status_error_from_response(response)


def anthropic_error(status: int, message: str, kind: str = "invalid_request_error") -> anthropic.APIStatusError:
    """What the Anthropic SDK raises."""
    body = {"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_1"}
    response = httpx.Response(status, json=body, request=httpx.Request("POST", "http://judge/v1/messages"))
    return CLIENTS[1]._make_status_error_from_response(response)


def bedrock_error(code: str, status: int, message: str) -> ClientError:
    """What botocore raises."""
    answer: Any = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(answer, "Converse")


class GoogleError(Exception):
    """Shaped as `google.genai.errors.APIError`."""

    def __init__(self, code: int, message: str) -> None:
        self.code, self.status, self.message = code, "INVALID_ARGUMENT", message
        self.details = {"error": {"code": code, "message": message, "status": self.status}}
        super().__init__(f"{code} {self.status}. {self.details}")


class GenerateError(RuntimeError):
    """Shaped as what Inspect raises of a provider's error, a class that it keeps to itself."""

    def __init__(self, message: str, *, status_code: int) -> None:
        self.status_code, self.provider_message = status_code, None
        super().__init__(message)


class MistralError(Exception):
    """Shaped as `mistralai.models.SDKError`: the body is text."""

    def __init__(self, status: int, body: Any) -> None:
        self.status_code, self.body, self.message = status, json.dumps(body), "API error occurred"
        super().__init__(f"{self.message}: Status {status}. Body: {self.body}")


class AzureError(Exception):
    """Shaped as `azure.core.exceptions.HttpResponseError`."""

    def __init__(self, status: int, code: str, message: str) -> None:
        self.status_code, self.message = status, f"({code}) {message}\nCode: {code}\nMessage: {message}"
        super().__init__(self.message)


class GrpcError(Exception):
    """Shaped as `grpc.aio.AioRpcError`."""

    def __init__(self, name: str, details: str) -> None:
        self.name, self.said = name, details
        super().__init__(f"<AioRpcError {name} {details}>")

    def code(self) -> GrpcError:
        """The status, with a name."""
        return self

    def details(self) -> str:
        """What the server says."""
        return self.said


def said(message: Any, **fields: Any) -> dict[str, Any]:
    """A body in OpenAI's form."""
    return {"error": {"message": message, "type": "invalid_request_error", "param": None, "code": None, **fields}}


def vllm(message: str) -> dict[str, Any]:
    """A body in vLLM's form."""
    return {"object": "error", "message": message, "type": "BadRequestError", "param": None, "code": 400}


def by_inspect(error: Exception) -> Exception:
    """What Inspect makes of a provider's error: the whole request goes before it, the original is the cause."""
    wrapped = GenerateError(f"\nRequest:\n{json.dumps(BODY, indent=2)}\n\n{error!r}", status_code=400)
    wrapped.__cause__ = error
    return wrapped


NO_SCHEMA: dict[str, Exception] = {
    "OpenAI": openai_error(400, said(
        "Invalid parameter: 'response_format' of type 'json_schema' is not supported with this model. Learn more about "
        "supported models at the Structured Outputs guide: https://platform.openai.com/docs/guides/structured-outputs")),
    "OpenAI, param": openai_error(400, said(
        "Invalid value: 'json_schema'. Supported values are: 'json_object' and 'text'.", param="response_format.type",
        code="invalid_value")),
    "OpenAI, the schema": openai_error(400, said(
        "Invalid schema for response_format 'verdict': In context=(), 'additionalProperties' is required to be "
        "supplied and to be false.", param="response_format")),
    "OpenAI, responses": openai_error(400, said(
        "Unsupported parameter: 'response_format'. In the Responses API, this parameter has moved to 'text.format'.")),
    "Azure OpenAI": openai_error(400, {"error": {"code": "BadRequest", "message":
        "response_format value as json_schema is enabled only for api versions 2024-08-01-preview and later"}}),
    "Azure inference": AzureError(
        400, "BadRequest",
        "response_format value as json_schema is enabled only for api versions 2024-08-01-preview and later"),
    "vLLM": openai_error(400, vllm("The provided JSON schema contains features not supported by xgrammar.")),
    "llama.cpp": openai_error(400, {"error": {"code": 400, "type": "invalid_request_error", "message":
        'response_format type must be one of "text" or "json_object", but got: json_schema'}}),
    "llama.cpp, both": openai_error(400, {"error": {"code": 400, "message":
        'Either "json_schema" or "grammar" can be specified, but not both'}}),
    "llama.cpp, conversion": openai_error(400, {"error": {"code": 400, "message":
        'JSON schema conversion failed:\nUnrecognized schema: {"type":"","properties":null}'}}),
    "Ollama": openai_error(400, said('invalid format: expected "json" or a JSON schema')),
    "LM Studio": openai_error(400, {"error": "'response_format.type' must be 'json_object' or 'text'"}),
    "Together": openai_error(400, said(
        "Input validation error: grammar is not valid: grammar is not valid: Grammar must have a 'properties' field")),
    "Groq": openai_error(400, said(
        "This model does not support response format `json_schema`. See supported models at "
        "https://console.groq.com/docs/structured-outputs#supported-models")),
    "Groq, the schema": openai_error(400, said(
        "invalid schema for response format: response_format/json_schema/next_step: minItems is not supported")),
    "Mistral": MistralError(422, {"object": "error", "message": {"detail": [
        {"type": "extra_forbidden", "loc": ["body", "response_format", "json_schema"],
         "msg": "Extra inputs are not permitted", "input": {"name": "verdict"}}]}, "type": "invalid_request_error"}),
    "Mistral, proxied": openai_error(422, {"object": "error", "type": "internal_error_proxy", "message": json.dumps(
        {"detail": [{"type": "literal_error", "loc": ["body", "response_format", "type"],
                     "msg": "Input should be 'text' or 'json_object'", "input": "json_schema"}]})}),
    "DeepSeek": openai_error(400, said("This response_format type is unavailable now", code="invalid_request_error")),
    "DeepSeek, older": openai_error(422, said(
        "Failed to deserialize the JSON body into the target type: response_format: response_format.type `json_schema` "
        "is unavailable now at line 1 column 1193")),
    "TGI": openai_error(422, {"error":
        "Failed to deserialize the JSON body into the target type: response_format: unknown variant `json_schema`, "
        "expected `json` or `regex` at line 1 column 168", "error_type": "validation"}),
    "Fireworks": openai_error(400, said(
        "JSON Schema not supported: could not understand the instance `{'required': ['criteria']}`.")),
    "SGLang": openai_error(400, vllm("Failed to compile json grammar: Cannot find field $defs in #/$defs/Scores")),
    "OpenRouter": openai_error(404, {"error": {
        "message": "No endpoints found that can handle the requested parameters.", "code": 404}}),
    "OpenRouter, upstream": openai_error(400, {"error": {"message": "Provider returned error", "metadata": {
        "provider_name": "Google AI Studio",
        "raw": '{"error": {"code": 400, "message": "JSON mode is not enabled for models/gemma-3-27b-it"}}'}}}),
    "Perplexity": openai_error(400, said(
        "At body -> response_format -> ResponseFormatText -> type: Input should be 'text'")),
    "Cloudflare": openai_error(400, {"errors": [{"code": 5025, "message":
        "AiError: This model doesn't support JSON Schema."}], "success": False}),
    "Anthropic": anthropic_error(400, "'claude-3-haiku-20240307' does not support output format."),
    "Anthropic, field": anthropic_error(400, "output_config.format: Extra inputs are not permitted"),
    "Anthropic, beta field": anthropic_error(400, "output_format: Extra inputs are not permitted"),
    "Anthropic, size": anthropic_error(400, "The compiled grammar is too large, which would cause performance issues."),
    "Bedrock": bedrock_error("ValidationException", 400,
        "The model returned the following errors: output_config.format: Extra inputs are not permitted"),
    "Bedrock, converse": bedrock_error("ValidationException", 400,
        "This model doesn't support the outputConfig.textFormat field. Remove outputConfig.textFormat and try again."),
    "Google": GoogleError(400, "JSON mode is not enabled for models/gemma-3-27b-it"),
    "Google, field": GoogleError(400,
        'Invalid JSON payload received. Unknown name "responseSchema" at \'generation_config\': Cannot find field.'),
    "xAI": GrpcError("INVALID_ARGUMENT", "This model does not support structured outputs."),
    "Inspect itself": ValueError("Structured output is not supported by this provider."),
    "an unknown server": RuntimeError("response_schema: not implemented"),
}  # fmt: skip
"""What servers say that have no structured output for a model, or not for this schema."""

FLAGGED = "Invalid prompt: your prompt was flagged as potentially violating our usage policy"
OTHER: dict[str, Exception] = {
    "rate limit": openai_error(429, said("Rate limit reached for json_schema requests: response_format not available")),
    "key": openai_error(401, said("Incorrect API key: structured outputs are not supported")),
    "forbidden": openai_error(403, said("This project may not use response_format: json_schema is not enabled")),
    "timeout": openai_error(408, said("Timed out: response_format is unavailable")),
    "too large": openai_error(413, said("Request too large: json_schema not supported at this size")),
    "server": openai_error(500, said("response_format json_schema is not supported")),
    "overloaded": anthropic_error(529, "Overloaded: structured outputs are unavailable", "overloaded_error"),
    "throttled": bedrock_error("ThrottlingException", 429, "Too many requests: outputConfig is not supported"),
    "grpc limit": GrpcError("RESOURCE_EXHAUSTED", "structured outputs unavailable"),
    "connection": openai.APIConnectionError(request=httpx.Request("POST", "http://judge")),
    "time": openai.APITimeoutError(request=httpx.Request("POST", "http://judge")),
    "context": openai_error(400, said(
        "This model's maximum context length is 8192 tokens. However, your messages resulted in 9034 tokens (9000 in "
        "the messages, 34 in the response_format). Please reduce the length.", code="context_length_exceeded")),
    "temperature": openai_error(400, said("Unsupported parameter: 'temperature' is not supported with this model.")),
    "model": openai_error(404, said("The model `json_schema-judge` does not exist or you do not have access to it.")),
    "echo of the transcript": openai_error(400, said(f"{FLAGGED}: '{SENT[100:]}'")),
    "echo of its end": openai_error(400, said(
        "Invalid input: …'response_format' of type 'json_schema' is not supported with this model\". And for")),
    "echo of few words": openai_error(400, said("Invalid token near 'json_schema' in messages[1].content")),
    "echo with escapes": openai_error(400, said(
        "Bad string \"It says: \\\"'response_format' of type\\n'json_schema' is not supported with this model\\\"\"")),
    "echo of the body": openai_error(400, said(f"temperature is not supported. Request: {json.dumps(BODY)}")),
    "half an echo of the body": openai_error(400, said(
        f"top_p is not supported with this model. Request was {json.dumps(BODY)[:-40]}")),
    "echo in another field": MistralError(422, {"detail": [
        {"type": "extra_forbidden", "loc": ["body", "top_k"], "msg": "Extra inputs are not permitted",
         "input": "response_format json_schema is not supported"}]}),
    "a field of the messages": MistralError(422, {"detail": [
        {"type": "string_type", "loc": ["body", "messages", 0, "content"], "msg": "Input should be a valid string",
         "input": BODY}]}),
    "what was being written": openai_error(400, said(
        "Failed to validate JSON. Please adjust your prompt. See 'failed_generation' for more details.",
        code="json_validate_failed", failed_generation="response_format is not supported")),
    "word json missing": openai_error(400, said(
        "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'.")),
    "Anthropic, credit": anthropic_error(400, "Your credit balance is too low to access the Anthropic API."),
    "Anthropic, echo": anthropic_error(400, f"messages.0.content: invalid text: {SENT[100:]}"),
    "Google, echo": GoogleError(400, f"Request contains an invalid argument: {json.dumps(BODY)}"),
    "Bedrock, echo": bedrock_error("ValidationException", 400, f"Malformed input request: {SENT}"),
    "not an API's": KeyError("response_format"),
    "reply": openai.APIResponseValidationError(
        httpx.Response(200, request=httpx.Request("POST", "http://judge")), {"error": "json_schema not supported"}),
}  # fmt: skip
"""Errors that say nothing of structured output, though its words stand in them."""


@pytest.mark.parametrize("wrapped", [False, True], ids=["", "by Inspect"])
@pytest.mark.parametrize("server", NO_SCHEMA)
def test_a_refusal_of_the_schema_is_known(server: str, wrapped: bool) -> None:
    """Whatever the server and however the SDK raises it, also where the transcript speaks of other things."""
    error = by_inspect(NO_SCHEMA[server]) if wrapped else NO_SCHEMA[server]
    assert refuses_schema(error, "Judge message [2]. It sold the bread at the price on the tag.")
    assert not refuses_system_role(error, "")


@pytest.mark.parametrize("wrapped", [False, True], ids=["", "by Inspect"])
@pytest.mark.parametrize("name", OTHER)
def test_another_error_is_none(name: str, wrapped: bool) -> None:
    """Other statuses, other parts of the request, and echoes of the transcript or of the request."""
    error = by_inspect(OTHER[name]) if wrapped else OTHER[name]
    assert not refuses_schema(error, SENT)
    assert not refuses_system_role(error, SENT)


def test_there_are_as_many_others() -> None:
    """At least twelve servers, and for each way of refusing nearly one error that is none."""
    assert len({name.split(",")[0] for name in NO_SCHEMA}) >= 20
    assert len(OTHER) >= 25


NO_SYSTEM: dict[str, Exception] = {
    "OpenAI": openai_error(400, said(
        "Unsupported value: 'messages[0].role' does not support 'system' with this model.", param="messages[0].role",
        code="unsupported_value")),
    "OpenAI, developer": openai_error(400, said(
        "Unsupported value: 'messages[0].role' does not support 'developer' with this model.")),
    "vLLM": openai_error(400, vllm("System role not supported")),
    "llama.cpp": openai_error(500, {"error": {"code": 500, "type": "server_error", "message":
        "Error: Jinja Exception: System role not supported"}}),
    "Mistral's template": openai_error(400, vllm("Only user and assistant roles are supported!")),
    "Llama's template": openai_error(400, vllm(
        "Conversation roles must alternate user/assistant/user/assistant/...")),
    "Bedrock": bedrock_error("ValidationException", 400,
        "This model doesn't support system messages. Try again without a system message or use a model that supports "
        "system messages."),
    "Google": GoogleError(400, "Developer instruction is not enabled for models/gemma-3-12b-it"),
    "Google, field": GoogleError(400,
        'Invalid JSON payload received. Unknown name "system_instruction": Cannot find field.'),
    "pydantic": openai_error(422, {"detail": [{"type": "literal_error", "loc": ["body", "messages", 0, "role"],
        "msg": "Input should be 'user' or 'assistant'", "input": "system"}]}),
    "a local model": RuntimeError("System role not supported"),
    "Anthropic": anthropic_error(400, 'messages: Unexpected role "system".'),
}  # fmt: skip
NO_SYSTEM_OTHER: dict[str, Exception] = {
    "rate limit": openai_error(429, said("System role not supported")),
    "key": openai_error(401, said("system messages are not supported")),
    "echo": openai_error(400, said("Invalid input: 'for others: system role not supported; structured outputs'")),
    "short echo": openai_error(400, said("Invalid text 'system role not supported'")),
    "echo of the body": openai_error(400, said('Invalid: {"messages": [{"content": "system role not supported"}]}')),
    "another value": openai_error(400, said("Unsupported value: 'stream' does not support true with this model.")),
    "long": openai_error(400, said("Your system prompt is too long.")),
    "server": openai_error(503, said("The system is not supported at present; system messages are unavailable")),
}


@pytest.mark.parametrize("server", NO_SYSTEM)
def test_a_refusal_of_the_system_role_is_known(server: str) -> None:
    """By the API, by a chat template, or by Inspect; it is no refusal of the schema."""
    for error in (NO_SYSTEM[server], by_inspect(NO_SYSTEM[server])):
        assert refuses_system_role(error, "Judge message [2]. It sold the bread.")
        assert not refuses_schema(error, "")


@pytest.mark.parametrize("name", NO_SYSTEM_OTHER)
def test_another_error_is_no_refusal_of_the_system_role(name: str) -> None:
    """Other statuses, other values, and echoes."""
    assert not refuses_system_role(NO_SYSTEM_OTHER[name], SENT)


@pytest.mark.parametrize(
    "text",
    ["{" * 50_000, "[" * 50_000, "not " * 50_000, "{}" * 50_000, "json_schema " * 9_000, "x {" * 9_000 + "}" * 9_000],
    ids=lambda text: text[:12],
)
def test_no_error_takes_long_to_read(text: str) -> None:
    """Whatever a server sends, it is read at once."""
    import time

    start = time.process_time()
    refuses_schema(openai_error(400, said(text)), SENT)
    refuses_system_role(openai_error(400, said(text)), text)
    assert time.process_time() - start < 2
