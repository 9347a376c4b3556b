"""Digests: equal for equal content however it is written down, different for different content."""

from __future__ import annotations

import hashlib
import json
import math
import unicodedata
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alignbench.digest import canonical_json, config_digest, digest, short_digest, unit_interval

scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
# Keys that differ in spelling only would be one key, which no pack has.
keys = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=8)
json_values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=12,
)
quick = settings(max_examples=60, deadline=None)


def reversed_keys(value: Any) -> Any:
    """The same content with its mappings in the opposite order."""
    if isinstance(value, dict):
        return {key: reversed_keys(value[key]) for key in reversed(value)}
    return [reversed_keys(item) for item in value] if isinstance(value, list) else value


def plain(value: Any) -> Any:
    """The content itself: NFC text with LF line ends."""
    if isinstance(value, str):
        return unicodedata.normalize("NFC", value.replace("\r\n", "\n").replace("\r", "\n"))
    if isinstance(value, dict):
        return {plain(key): plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list) else value


def test_the_digest_is_the_sha256_of_compact_sorted_json() -> None:
    """A digest can be made again with any other tool."""
    text = '{"a":[1,2.5,null,true],"b":"é\\n"}'
    assert canonical_json({"b": "é\n", "a": (1, 2.5, None, True)}) == text
    assert digest({"a": [1, 2.5, None, True], "b": "é\n"}) == hashlib.sha256(text.encode()).hexdigest()
    assert digest({}) == "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"


@quick
@given(json_values)
def test_key_order_does_not_matter(value: Any) -> None:
    """The order of keys is no content."""
    assert digest(reversed_keys(value)) == digest(value)


@quick
@given(json_values)
def test_canonical_json_keeps_the_content(value: Any) -> None:
    """Nothing is lost on the way but the spelling of text."""
    assert json.loads(canonical_json(value)) == plain(value)


@quick
@given(json_values, json_values)
def test_different_content_has_a_different_digest(one: Any, two: Any) -> None:
    """Two digests are equal exactly if the contents are; 1, 1.0 and true are different contents."""
    same = json.dumps(plain(one), sort_keys=True) == json.dumps(plain(two), sort_keys=True)
    assert (digest(one) == digest(two)) == same


@quick
@given(st.text())
def test_line_ends_and_composition_of_letters_do_not_matter(text: str) -> None:
    """CRLF, CR and LF are one line end; a letter with its accent apart is that letter."""
    unix = text.replace("\r\n", "\n").replace("\r", "\n")
    spellings = (
        text,
        unix,
        unix.replace("\n", "\r\n"),
        unix.replace("\n", "\r"),
        unicodedata.normalize("NFD", text),
    )
    assert {digest(spelling) for spelling in spellings} == {digest(text)}


@pytest.mark.parametrize(
    "value", [{1}, b"bytes", object(), {"a": [{"b": {1}}]}], ids=["set", "bytes", "object", "inner"]
)
def test_what_is_no_json_has_no_digest(value: object) -> None:
    """A value without a defined spelling is refused, and named."""
    with pytest.raises(TypeError, match="cannot digest"):
        digest(value)


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_what_json_cannot_say_has_no_digest(value: float) -> None:
    """Not-a-number has no JSON, so it has no digest."""
    with pytest.raises(ValueError, match="not JSON compliant"):
        digest([value])


@quick
@given(json_values)
def test_the_short_digest_begins_the_long_one(value: Any) -> None:
    """Both can be looked up by the other."""
    assert digest(value).startswith(short_digest(value))
    assert len(short_digest(value)) == 16


def test_unit_interval_is_the_same_in_every_process() -> None:
    """The number is defined by sha256 alone, not by Python's hash, which differs between processes."""
    expected = int(hashlib.sha256(b"3\x1fa/b\x1f1").hexdigest()[:14], 16) / 2**56
    assert unit_interval(3, "a/b", 1) == expected
    assert unit_interval("3", "a/b", "1") == expected


@quick
@given(st.lists(st.text() | st.integers(), max_size=4))
def test_unit_interval_stays_below_one(parts: list[str | int]) -> None:
    """A draw can be compared with a probability: 1 always happens, 0 never does."""
    assert 0 <= unit_interval(*parts) < 1


def test_unit_interval_is_uniform() -> None:
    """Of 10,000 draws each tenth holds its share, within five standard errors."""
    counts = [0] * 10
    for number in range(10_000):
        counts[int(unit_interval("uniform", number) * 10)] += 1
    assert max(abs(count - 1_000) for count in counts) < 5 * math.sqrt(10_000 * 0.1 * 0.9)


def test_parts_do_not_run_together() -> None:
    """Where one part ends and the next begins matters."""
    assert len({unit_interval("ab", "c"), unit_interval("a", "bc"), unit_interval("abc")}) == 3


def test_a_configuration_without_content_has_no_digest() -> None:
    """Empty values say nothing; zero and false do."""
    assert config_digest({}) == ""
    assert config_digest({"a": None, "b": "", "c": {}, "d": []}) == ""
    assert config_digest({"temperature": 0, "a": None}) == config_digest({"temperature": 0}) != ""
    assert config_digest({"flag": False}) not in ("", config_digest({"flag": True}))
