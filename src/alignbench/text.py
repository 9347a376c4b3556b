"""Text of others on its way to a reader: in one line, without terminal commands, in any encoding."""

from __future__ import annotations

import codecs
import re

__all__ = ["NARROW", "PLAIN_ASCII", "fitted", "markdown_text", "register_narrow", "visible"]

_UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""C0 and C1 controls, line separators, marks that turn the direction of reading, and halves of characters."""
_MARKUP = re.compile(r"([|*_`<>\[\]\\])")
_SHORT = {"\n": r"\n", "\r": r"\r", "\t": r"\t"}

NARROW = "alignbench.narrow"
"""Name of the error handler that an encoding without a character falls back on."""
PLAIN_ASCII = "alignbench_ascii"
"""ASCII under a name of its own: click takes a stream that calls itself ASCII for misconfigured, and sends UTF-8."""
_SIGNS = {
    "–": "-", "—": "-", "−": "-", "→": "->", "←": "<-", "±": "+/-", "…": "...", "≤": "<=", "≥": ">=", "×": "x",
    "·": ".", "“": '"', "”": '"', "‘": "'", "’": "'", "─": "-", "━": "-",
}  # fmt: skip
"""Signs that our own texts use, and what stands for them where there are none."""


def visible(text: str) -> str:
    """The text in one line that says nothing to a terminal: what would break it or turn it round is escaped.

    Names of models, files and columns come from others. A line break in one splits a table, an escape sequence
    clears the screen, a right-to-left override shows another name than the one that is there.
    """
    return _UNSEEN.sub(lambda found: _SHORT.get(found[0]) or _escape(found[0]), text)


def markdown_text(text: str) -> str:
    """`visible`, with what Markdown or the HTML in it would take for markup escaped."""
    return _MARKUP.sub(r"\\\1", visible(text))


def _escape(character: str) -> str:
    """As Python writes it up to 255, and as JSON does above, so that JSON stays JSON."""
    code = ord(character)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else _json_escape(character)


def _json_escape(character: str) -> str:
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))


def _narrowed(error: UnicodeError) -> tuple[str, int]:
    """Write our own signs in ASCII and everything else as JSON escapes it."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    part = error.object[error.start : error.end]
    return "".join(_SIGNS.get(one) or _json_escape(one) for one in part), error.end


def fitted(text: str, encoding: str | None) -> str:
    """The text as a stream of this encoding shows it, so that columns can be laid out for what will stand there."""
    register_narrow()
    try:
        return text.encode(encoding or "utf-8", NARROW).decode(encoding or "utf-8")
    except LookupError:
        return text


def _plain_ascii(name: str) -> codecs.CodecInfo | None:
    if name != PLAIN_ASCII:
        return None
    ascii_codec = codecs.lookup("ascii")
    return codecs.CodecInfo(
        name=PLAIN_ASCII, encode=ascii_codec.encode, decode=ascii_codec.decode,
        incrementalencoder=ascii_codec.incrementalencoder, incrementaldecoder=ascii_codec.incrementaldecoder,
        streamwriter=ascii_codec.streamwriter, streamreader=ascii_codec.streamreader,
    )  # fmt: skip


def register_narrow() -> None:
    """Make NARROW and PLAIN_ASCII known to Python; calling it again changes nothing."""
    try:
        codecs.lookup_error(NARROW)
    except LookupError:
        codecs.register_error(NARROW, _narrowed)
        codecs.register(_plain_ascii)
