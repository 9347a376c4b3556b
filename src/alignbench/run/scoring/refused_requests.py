"""What a provider's error says of our request: that it cannot bind replies to a schema, or knows no system role.

Only the provider's own words count. An error may carry the request, the transcript in it, or what the model had begun
to write; words in those say nothing of what the provider can do.
"""

from __future__ import annotations

import ast
import json
import re
from itertools import islice, product
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["refuses_schema", "refuses_system_role"]

_CLIENT_ERRORS = frozenset((400, 404, 405, 415, 422, 501))
"""What a request may be refused with; limits, keys, sizes and broken servers have other numbers."""
_TEMPLATE_ERRORS = _CLIENT_ERRORS | {500}
"""Some servers break where a model's chat template refuses a role."""
_GRPC = {"INVALID_ARGUMENT": 400, "NOT_FOUND": 404, "UNIMPLEMENTED": 501}
_SAID = ("message", "error", "errors", "detail", "details", "msg", "description", "fieldViolations", "metadata", "raw")
"""Fields of an error's body in which a provider speaks; the others (`input`, `failed_generation`, …) may be an echo."""
_STATUS = re.compile(r"\A\s*Error code: (\d{3})(?: - )?")
_BRACE = re.compile(r"[{}]")
_SENTENCE_END = re.compile(r"(?<=[.!?;])\s+|\n+")
_ECHOED = 4
"""So many words in a row, in what we sent and in the error, are an echo."""

_SCHEMA = (
    r"response[ _-]?format|(?:response|output)[ _]?(?:json[ _]?)?schema|json[ _-]?schema|json[ _-]mode"
    r"|structured[ _-]?outputs?|output[ _]?(?:config|format)|text\.format|guided[ _-](?:json|decoding)|grammar"
    r"|response[ _]?mime[ _]?type|requested parameters"
)
_UNABLE = (
    r"(?:not|n't)(?: \w+){0,2} (?:support\w*|enabled|available|allowed|permitted|valid|recogni[sz]ed|implemented|both)"
    r"|unsupported|unavailable|unknown|unrecogni[sz]ed|unexpected|invalid|extra inputs|enabled only"
    r"|must be|input should be|expected|fail(?:ed|ure)? to (?:compile|parse)|error parsing|conversion failed"
    r"|too (?:large|complex)|no endpoints found"
)
_SCHEMA_NAMED, _NOT_DONE = re.compile(_SCHEMA, re.IGNORECASE), re.compile(_UNABLE, re.IGNORECASE)
_OTHER_PART = re.compile(r"\bmessages?\b|\bprompts?\b|\bcontent\b|failed_generation|\btemperature\b", re.IGNORECASE)
"""Parts of a request that are not the schema: an error about these is another one."""
_ROLE_REFUSED = re.compile(
    r"(?:system|developer)['\"` _-]*(?:roles?|messages?|prompts?|instructions?)['\"` ]*"
    r"(?:(?:is|are) )?(?:currently )?(?:not (?:\w+ )?(?:supported|enabled|allowed|permitted)|unsupported)"
    r"|(?:not|n't) (?:support|allow|accept)\w*(?: the| a)? ['\"`]?(?:system|developer)\b"
    r"|unsupported (?:message )?role\W+system|unexpected role\W+system"
    r"|unknown name \W*system_?instruction"
    r"|only (?:'?user'?|'?assistant'?)[\w', ]* roles? (?:are|is) (?:supported|allowed)"
    r"|role\W+input should be 'user'|conversation roles must alternate user/assistant",
    re.IGNORECASE,
)


def refuses_schema(error: BaseException, sent: str) -> bool:
    """Whether an error says that this model or server cannot have its replies bound to our schema.

    Args:
        error: What the call raised.
        sent: Every text that we sent, to know an echo by.
    """
    return any(
        not _stands_in(said, sent)
        for sentence in _own_words(error, sent, _CLIENT_ERRORS)
        if _OTHER_PART.search(sentence) is None
        for said in _refusals(sentence)
    )


def _refusals(sentence: str) -> Iterator[str]:
    """The parts of a sentence that reach from a name of the schema to words for what is not done, or back."""
    named, denied = (islice(words.finditer(sentence), 8) for words in (_SCHEMA_NAMED, _NOT_DONE))
    for one, other in product(named, denied):
        yield sentence[min(one.start(), other.start()) : max(one.end(), other.end())]


def refuses_system_role(error: BaseException, sent: str) -> bool:
    """Whether an error says that this model takes no system message.

    Args:
        error: What the call raised.
        sent: Every text that we sent, to know an echo by.
    """
    sentences = _own_words(error, sent, _TEMPLATE_ERRORS)
    return any(
        (found := _ROLE_REFUSED.search(sentence)) is not None and not _stands_in(found[0], sent)
        for sentence in sentences
    )


def _own_words(error: BaseException, sent: str, statuses: frozenset[int]) -> list[str]:
    """The sentences of an error with one of these statuses, or with none, without what they repeat."""
    error = _provider_error(error)
    status = _status(error)
    if status is not None and status not in statuses:
        return []
    known = _runs(_words(sent))
    sentences = (part for text in _texts(_body(error)) for part in _SENTENCE_END.split(_without_braces(text)))
    return [_without_echo(sentence, known) for sentence in sentences]


def _provider_error(error: BaseException) -> BaseException:
    """The SDK's own error: Inspect raises one that begins with the whole request, and keeps this one as its cause."""
    seen = 0
    while isinstance(error, RuntimeError) and error.__cause__ is not None and seen < 8:
        error, seen = error.__cause__, seen + 1
    return error


def _status(error: BaseException) -> int | None:
    """The HTTP status of an error, as the SDKs of providers carry it."""
    response = getattr(error, "response", None)
    if isinstance(response, dict):
        value = response.get("ResponseMetadata", {}).get("HTTPStatusCode")
        return value if isinstance(value, int) else None
    for holder, name in ((error, "status_code"), (response, "status_code"), (error, "status"), (error, "code")):
        value = getattr(holder, name, None)
        if isinstance(value, int):
            return value
        if name == "code" and callable(value):
            return _GRPC.get(str(getattr(value(), "name", "")), 500)
    match = _STATUS.match(str(error))
    return int(match[1]) if match else None


def _body(error: BaseException) -> Any:
    """What the provider sent, as data where the SDK kept it so."""
    body = getattr(error, "body", None)
    if body is not None:
        return body
    response = getattr(error, "response", None)
    if isinstance(response, dict):
        return response.get("Error", {}).get("Message", "")
    details = getattr(error, "details", None)
    if callable(details):
        return details()
    if isinstance(details, dict | list):
        return details
    message = getattr(error, "message", None)
    return message if isinstance(message, str) else _STATUS.sub("", str(error))


def _texts(body: Any, depth: int = 0) -> Iterator[str]:
    """Every text in which the provider speaks."""
    if depth > 8:
        return
    if isinstance(body, bytes):
        body = body.decode(errors="replace")
    if isinstance(body, str):
        data = _data(body)
        if data is None:
            yield body
        else:
            yield from _texts(data, depth + 1)
    elif isinstance(body, list):
        for item in body:
            yield from _texts(item, depth + 1)
    elif isinstance(body, dict):
        # The field that an error is about: of OpenAI as `param`, of pydantic as `loc`.
        about = body.get("param") or body.get("loc") or ""
        field = ".".join(map(str, about)) if isinstance(about, list | tuple) else str(about)
        for name in _SAID:
            for text in _texts(body.get(name), depth + 1):
                yield f"{field}: {text}" if field else text


def _data(text: str) -> Any:
    """A text that is JSON, or a Python object as errors print it, as data; else None."""
    start = text.strip()[:1]
    if start not in ("{", "["):
        return None
    for read in (json.loads, ast.literal_eval):
        try:
            return read(text.strip())
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            continue
    return None


def _without_braces(text: str) -> str:
    """A text without objects in braces, which are a request's or a schema's; cut off where one is never closed."""
    kept, depth, at = [], 0, 0
    for brace in _BRACE.finditer(text):
        if brace[0] == "{":
            if not depth:
                kept.append(text[at : brace.start()])
            depth += 1
        elif depth:
            depth -= 1
            at = brace.end()
    return " ".join(kept if depth else [*kept, text[at:]])


_WORD = re.compile(r"\w+")
_ESCAPED = re.compile(r"\\[nrt\"']")


def _words(text: str) -> list[str]:
    return [word.lower() for word in _WORD.findall(_ESCAPED.sub(" ", text))]


def _runs(words: list[str]) -> set[tuple[str, ...]]:
    return {tuple(words[at : at + _ECHOED]) for at in range(len(words) - _ECHOED + 1)}


def _without_echo(sentence: str, known: set[tuple[str, ...]]) -> str:
    """A sentence without the runs of words that stand in what we sent."""
    spans = [match.span() for match in _WORD.finditer(sentence)]
    words = [sentence[start:end].lower() for start, end in spans]
    kept, at = [], 0
    echoed = [False] * len(words)
    for first in range(len(words) - _ECHOED + 1):
        if tuple(words[first : first + _ECHOED]) in known:
            echoed[first : first + _ECHOED] = [True] * _ECHOED
    for (start, end), repeated in zip(spans, echoed, strict=True):
        if repeated:
            kept.append(sentence[at:start])
            at = end
    return "".join([*kept, sentence[at:]])


def _stands_in(text: str, sent: str) -> bool:
    """Whether a text stands in what we sent, but for layout and escapes."""
    return f" {' '.join(_words(text))} " in f" {' '.join(_words(sent))} "
