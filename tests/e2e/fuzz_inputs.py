"""Strategies for damaged files: bytes, tables, trees of values, zips, and folders of these."""

from __future__ import annotations

import io
import json
import struct
import zipfile
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import yaml
from hypothesis import strategies as st

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from hypothesis.strategies import DrawFn

__all__ = [
    "CELLS",
    "Damaged",
    "spoil_folder",
    "spoil_zip",
    "spoilt_bytes",
    "spoilt_csv",
    "spoilt_parquet",
    "spoilt_tree",
]

CELLS = (
    "", " ", "nan", "None", "null", "-1", "0", "1", "2.5", "7", "1e308", "1e400", "-inf", "40000", "9" * 40, "True",
    "misaligned", "Misaligned", "refused ", "off_task", "unstated", "default", "neutral", "overall", "a=b", "a=b+c=d",
    "\x00", "a\nb", "a\r", "\x1b[31mred", "=1+1", "'", '"', ",", "\u202eelpmis", "\u200b", "é", "日本", "💥", "$x$",
    "{}", "%s", "%(a)s", "../../x", "[red]", "<b>&", "]]>", "|", "\\", "1970-01-01", "x" * 100_000, "a b", "+", "#",
    "_", "$", "a$b_c",
)  # fmt: skip
"""Text that a cell may hold: what no column allows, what only another allows, what breaks a format."""
FREE = ("model", "model_args", "pack", "scenario", "family", "condition", "judge", "value_1", "value_2", "flags",
        "unit", "rater", "label")  # fmt: skip
"""Columns in which any text may stand."""
_WORDS: tuple[Any, ...] = (
    None, True, False, 0, -1, 2.5, 10**30, float("inf"), float("nan"), "", "x", "é\n", "\x00", "../x", [], {}, [None],
    [[]], {"a": 1}, "2026-01-01", "x" * 5_000,
)  # fmt: skip
"""Values of every kind, for trees."""
_DEEP = 3_000
"""Levels of nesting that no recursive reader follows."""


@dataclass(frozen=True)
class Damaged:
    """Bytes that a failing test does not print by the page."""

    content: bytes

    def __repr__(self) -> str:
        return f"<{len(self.content)} bytes, {self.content[:40]!r}…>"


@st.composite
def spoilt_bytes(draw: DrawFn, content: bytes) -> bytes:
    """Cut short, a byte changed, a piece lost or doubled, other bytes put in, or nothing of it left."""
    size = len(content)
    at = draw(st.integers(0, max(size - 1, 0)))
    kind = draw(st.sampled_from(["cut", "flip", "lose", "double", "insert", "zeros", "other", "utf16", "bom"]))
    if kind == "cut":
        return content[:at]
    if kind == "flip":
        return content[:at] + bytes([draw(st.integers(0, 255))]) + content[at + 1 :]
    if kind in ("lose", "double"):
        end = min(size, at + draw(st.integers(1, 400)))
        return content[:at] + (b"" if kind == "lose" else 2 * content[at:end]) + content[end:]
    if kind == "insert":
        return content[:at] + draw(st.binary(min_size=1, max_size=8)) + content[at:]
    if kind == "zeros":
        return content[:at] + bytes(64) + content[at:]
    if kind == "other":
        return draw(st.binary(max_size=64))
    return b"\xef\xbb\xbf" + content if kind == "bom" else content.decode("utf-8", "replace").encode("utf-16")


@st.composite
def _spoilt_frame(draw: DrawFn, frame: pd.DataFrame) -> pd.DataFrame:
    """A table of text with one or two faults of its cells, rows or columns."""
    frame = frame.astype(object).copy()
    for _ in range(draw(st.integers(1, 2))):
        names = list(dict.fromkeys(frame.columns))
        # Mostly names and the like: in other columns few words are allowed, and nothing after the reader sees these.
        free = [name for name in names if name in FREE]
        mostly = draw(st.integers(0, 3)) > 0
        name = draw(st.sampled_from(free if free and mostly else names))
        kind = draw(st.sampled_from(["cell", "cell", "cell", "some", "column", "rows", "drop", "twice", "strange"]))
        if kind in ("cell", "some", "column"):
            first = draw(st.integers(0, max(len(frame) - 1, 0)))
            rows = {"cell": slice(first, first + 1), "some": slice(first, None), "column": slice(None)}[kind]
            place = int(np.flatnonzero(frame.columns == name)[0])
            if len(frame):
                frame.iloc[rows, place] = draw(st.sampled_from(CELLS))
        elif kind == "drop":
            frame = frame.drop(columns=name)
        elif kind == "twice":
            frame.insert(len(frame.columns), name, frame.iloc[:, 0].to_numpy(), allow_duplicates=True)
        elif kind == "rows":
            frame = draw(st.sampled_from([frame[:0], frame[:1], frame[:7], pd.concat([frame, frame[:3]])]))
        else:
            frame = frame.rename(columns={name: draw(st.sampled_from(CELLS))})
        if not len(frame.columns):
            break
    return frame


@st.composite
def spoilt_csv(draw: DrawFn, frame: pd.DataFrame) -> bytes:
    """A CSV file with faults in its table, then perhaps in its lines, its encoding or its bytes."""
    text = draw(_spoilt_frame(frame)).to_csv(index=False)
    kind = draw(st.sampled_from(["table"] * 20 + ["ragged", "short", "quote", "cr", "blank", "latin", "bytes", "head"]))
    lines = text.splitlines(keepends=True)
    at = draw(st.integers(0, len(lines) - 1))
    if kind == "bytes":
        return draw(spoilt_bytes(text.encode("utf-8", "replace")))
    if kind == "latin":
        return text.replace("e", "é").encode("latin-1", "replace")
    if kind == "head":
        return draw(
            st.sampled_from([b"", b"\n", b"\n\n\n", b",", b"\xff\xfe", b"model,scenario,verdict", b"\x00\n\x00"])
        )
    changed = {
        "ragged": lines[at].rstrip("\r\n") + ",x,y\n",
        "short": lines[at].split(",")[0] + "\n",
        "quote": '"' + lines[at],
        "blank": "\n \n,,\n" + lines[at],
    }
    lines[at] = changed.get(kind, lines[at])
    text = "".join(lines)
    return (text.replace("\n", "\r") if kind == "cr" else text).encode("utf-8", "replace")


_CASTS: dict[str, Callable[[int], Any]] = {
    "integers": lambda n: np.arange(n),
    "large": lambda n: np.full(n, 2**63 - 1),
    "floats": lambda n: np.linspace(0.5, 3, n),
    "not a number": lambda n: np.full(n, np.nan),
    "infinite": lambda n: np.full(n, np.inf),
    "truth": lambda n: np.arange(n) % 2 == 0,
    "nullable truth": lambda n: pd.array([None, True] * n, dtype="boolean")[:n],
    "nothing": lambda n: [None] * n,
    "times": lambda n: pd.date_range("2026-01-01", periods=n, freq="h"),
    "zoned times": lambda n: pd.date_range("2026-01-01", periods=n, freq="h", tz="UTC"),
    "durations": lambda n: pd.to_timedelta(np.arange(n), unit="h"),
    "bytes": lambda n: [b"\xff\x00"] * n,
    "lists": lambda n: [[1, 2]] * n,
    "records": lambda n: [{"a": 1}] * n,
    "decimals": lambda n: [Decimal("1.5")] * n,
    "whole decimals": lambda n: [Decimal(1)] * n,
    "words and nothing": lambda n: (["aligned", None] * n)[:n],
    "categories": lambda n: pd.Categorical(np.arange(n) % 3),
    "times as categories": lambda n: pd.Categorical(pd.date_range("2026-01-01", periods=n)),
}


@st.composite
def spoilt_parquet(draw: DrawFn, frame: pd.DataFrame) -> bytes:
    """A Parquet file with faults in its cells, in the types of its columns, or in its bytes."""
    frame = draw(_spoilt_frame(frame))
    frame = frame.loc[:, ~frame.columns.duplicated()].reset_index(drop=True)
    # What stays of another kind would not be written: text is what all cells are.
    frame = frame.astype(object).where(frame.notna(), None).map(lambda cell: str(cell) if cell else None)
    names = list(frame.columns)
    for _ in range(draw(st.integers(0, 2)) if names else 0):
        cast = _CASTS[draw(st.sampled_from(sorted(_CASTS)))]
        frame[draw(st.sampled_from(names))] = cast(len(frame)) if len(frame) else None
    if (
        len(names) > 1
        and draw(st.sampled_from([False] * 15 + [True]))
        and not any(isinstance(x, list | dict) for x in frame[names[0]])
    ):
        frame = frame.set_index(names[0])
    buffer = io.BytesIO()
    frame.to_parquet(buffer)
    return draw(spoilt_bytes(buffer.getvalue())) if draw(st.sampled_from([False] * 9 + [True])) else buffer.getvalue()


def _places(tree: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The paths of all values below the top."""
    items = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    return [place for key, value in items for place in ((*path, key), *_places(value, (*path, key)))]


@st.composite
def _changed(draw: DrawFn, tree: Any) -> Any:
    """The tree with one to three values replaced, lost, doubled or under a new name."""
    tree = json.loads(json.dumps(tree))
    for _ in range(draw(st.integers(1, 3))):
        places = _places(tree)
        if not places:
            return draw(st.sampled_from(_WORDS))
        *path, key = draw(st.sampled_from(places))
        parent = tree
        for step in path:
            parent = parent[step]
        kind = draw(st.sampled_from(["value", "value", "lose", "more", "deep"]))
        if kind == "lose":
            del parent[key]
        elif kind == "more" and isinstance(parent, dict):
            parent[draw(st.sampled_from(["x", "", "é", "__class__", "1"]))] = parent[key]
        elif kind == "more":
            parent.append(parent[key])
        else:
            parent[key] = {"deep": parent[key]} if kind == "deep" else draw(st.sampled_from(_WORDS))
    return tree


@st.composite
def spoilt_tree(draw: DrawFn, content: bytes, form: str) -> bytes:
    """A YAML or JSON file (`form`: yaml, json, jsonl) with faults in its values, or in its bytes."""
    if draw(st.integers(0, 3)) == 0:
        return draw(spoilt_bytes(content))
    if draw(st.sampled_from([False] * 9 + [True])):
        nested = draw(st.sampled_from(["[", '{"a":', "- ", "&a [*a, "])) * draw(st.sampled_from([50, _DEEP]))
        return nested.encode()
    if form == "yaml":
        tree = draw(_changed(yaml.safe_load(content)))
        return yaml.safe_dump(tree, allow_unicode=True, sort_keys=False).encode("utf-8", "replace")
    if form == "json":
        return json.dumps(draw(_changed(json.loads(content))), ensure_ascii=False).encode("utf-8", "replace")
    lines = content.splitlines() or [b"{}"]
    at = draw(st.integers(0, len(lines) - 1))
    lines[at] = json.dumps(draw(_changed(json.loads(lines[at])))).encode()
    return b"\n".join(lines) + b"\n"


@st.composite
def spoil_zip(draw: DrawFn, content: bytes) -> bytes:
    """A zip of JSON with a member lost, changed or of a false size, or with faults in its bytes."""
    kind = draw(st.sampled_from(["bytes", "lose", "tree", "tree", "text", "size"]))
    if kind == "bytes":
        return draw(spoilt_bytes(content))
    with zipfile.ZipFile(io.BytesIO(content)) as opened:
        members = {name: opened.read(name) for name in opened.namelist()}
    name = draw(st.sampled_from(sorted(members)))
    if kind == "lose":
        del members[name]
    elif kind == "tree":
        members[name] = draw(spoilt_tree(members[name], "json"))
    elif kind == "text":
        members[name] = draw(spoilt_bytes(members[name]))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as made:
        for member, data in members.items():
            made.writestr(member, data)
    spoilt = buffer.getvalue()
    if kind == "size":
        # The uncompressed size in the directory entry, 22 bytes before the name.
        at = spoilt.rfind(name.encode(), 0, spoilt.rfind(b"PK\x05\x06"))
        spoilt = (
            spoilt[: at - 22] + struct.pack("<L", draw(st.sampled_from([0, 1, 2**31, 2**32 - 2]))) + spoilt[at - 18 :]
        )
    return spoilt


_FORMS = {".yaml": "yaml", ".json": "json", ".jsonl": "jsonl"}


@st.composite
def spoil_folder(draw: DrawFn, folder: Path) -> str:
    """Damage one to two files of a folder, in place; returns what was done, for a failure's report."""
    done = []
    for _ in range(draw(st.integers(1, 2))):
        files = sorted(
            str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file() and not path.is_symlink()
        )
        if not files:
            break
        name = draw(st.sampled_from(files))
        file = folder / name
        kind = draw(st.sampled_from(["text"] * 6 + ["lose", "folder", "loop", "link", "more", "empty"]))
        done.append(f"{kind} {name}")
        if kind == "text":
            form = _FORMS.get(file.suffix)
            content = file.read_bytes()
            try:
                spoilt = draw(spoilt_bytes(content) if form is None else spoilt_tree(content, form))
            except (ValueError, yaml.YAMLError):
                # Spoilt before, and no tree any more.
                spoilt = draw(spoilt_bytes(content))
            file.write_bytes(spoilt)
        elif kind == "more":
            file.with_name(f"more_{file.name}").write_bytes(file.read_bytes())
        else:
            file.unlink()
            if kind == "folder":
                file.mkdir()
            elif kind in ("loop", "link"):
                file.symlink_to(file.name if kind == "loop" else folder.parent)
            elif kind == "empty":
                file.touch()
    return ", ".join(done)
