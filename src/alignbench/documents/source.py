"""YAML and JSON lines with line numbers, and records made from them with every fault placed."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from alignbench.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["Document", "Fault", "json_lines", "parse_record", "read_yaml"]

Place = tuple[str | int, ...]
Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """Something wrong in a pack.

    Attributes:
        file: The file.
        line: Line, counted from 1; 0 for the file as a whole.
        item: Id of the scenario, answer or value; may be empty.
        message: What is wrong and what is allowed.
        kind: An error makes the pack unusable; a warning asks for a look.
    """

    file: str
    line: int
    item: str
    message: str
    kind: Literal["error", "warning"] = "error"

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place}: {self.kind}: {f'[{self.item}] ' if self.item else ''}{self.message}"

    def as_error(self) -> InputError:
        """The fault as an error to raise."""
        return InputError(self.message, file=self.file, line=self.line or None, item=self.item or None)


@dataclass(frozen=True, slots=True)
class Document:
    """A parsed file and the line of everything in it.

    Attributes:
        path: The file.
        data: What it holds.
        lines: Line by place; a place is the path of keys and indices from the root.
    """

    path: Path
    data: Any
    lines: dict[Place, int]

    def line(self, place: Place) -> int:
        """Line of a place, or of the nearest thing around it."""
        while place and place not in self.lines:
            place = place[:-1]
        return self.lines.get(place, 1)

    def part(self, place: Place) -> Document:
        """What stands at a place that exists, as a document of its own with the same lines."""
        data = self.data
        for key in place:
            data = data[key]
        own = {other[len(place) :]: line for other, line in self.lines.items() if other[: len(place)] == place}
        return Document(self.path, data, own)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(f"cannot read: {error.strerror}", file=path) from error
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise InputError(f"not UTF-8: byte {error.object[error.start]:#04x}", file=path, line=line) from error


def read_yaml(path: Path) -> Document:
    """Read a YAML file; a key that stands twice is an error.

    Raises:
        InputError: Not there, not UTF-8, not YAML, a double key, or nested past all reason.
    """
    text = _text(path)
    lines: dict[Place, int] = {}
    try:
        loader = yaml.SafeLoader(text)
        node = loader.get_single_node()
        data = None if node is None else _Builder(loader, lines, path).build(node, ())
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else None
        raise InputError(f"not YAML: {error.problem}", file=path, line=line) from error
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise InputError(f"not YAML: character {chr(error.character)!r}", file=path, line=line) from error
    except RecursionError as error:
        raise InputError("nested too deeply to be read", file=path) from error
    return Document(path, data, lines)


class _Builder:
    """Turns YAML nodes into plain data and notes the line of everything."""

    def __init__(self, loader: yaml.SafeLoader, lines: dict[Place, int], path: Path) -> None:
        self.loader, self.lines, self.path = loader, lines, path
        self.seen: set[int] = set()

    def build(self, node: yaml.Node, place: Place) -> Any:
        """The data of a node."""
        self.lines.setdefault(place, node.start_mark.line + 1)
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node)
        # Aliases of whole collections can hold themselves, or grow past any memory.
        if id(node) in self.seen:
            raise self._error(node, "an alias (*) stands for what begins here (allowed: written out twice)")
        self.seen.add(id(node))
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, place)
        return [self.build(item, (*place, at)) for at, item in enumerate(node.value)]

    def _mapping(self, node: yaml.MappingNode, place: Place) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = str(self._scalar(key_node))
            if key in found:
                raise self._error(key_node, f"the key {key!r} stands there twice")
            self.lines[(*place, key)] = key_node.start_mark.line + 1
            found[key] = self.build(value_node, (*place, key))
        return found

    def _scalar(self, node: yaml.Node) -> Any:
        if not isinstance(node, yaml.ScalarNode):
            raise self._error(node, "a list or mapping as a key (allowed: text)")
        try:
            return self.loader.construct_object(node)
        except (ValueError, KeyError) as error:
            # Such as the date 2024-02-30.
            kind = node.tag.rpartition(":")[2]
            raise self._error(node, f"{_short(node.value)} is no {kind} (text stands in quotes)") from error

    def _error(self, node: yaml.Node, message: str) -> InputError:
        return InputError(message, file=self.path, line=node.start_mark.line + 1)


def json_lines(path: Path) -> Iterator[Document | Fault]:
    """Read a JSON lines file: a Document for each line that holds an object, a Fault for each other one."""
    try:
        text = _text(path)
    except InputError as error:
        yield Fault(str(path), error.line or 0, path.stem, error.problem)
        return
    # Not splitlines(): an answer may hold U+2028, which is no line end in JSON.
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            data = json.loads(line, object_pairs_hook=_object)
        except json.JSONDecodeError as error:
            yield Fault(str(path), number, "", f"not JSON: {error.msg} at column {error.colno}")
        except RecursionError:
            yield Fault(str(path), number, "", "nested too deeply to be read")
        except ValueError as error:
            yield Fault(str(path), number, "", f"not usable: {error}")
        else:
            if isinstance(data, dict):
                yield Document(path, data, {(): number})
            else:
                yield Fault(str(path), number, "", f"{type(data).__name__} instead of an object")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"the key {key!r} stands there twice")
        found[key] = value
    return found


def parse_record(kind: type[Model], document: Document, item: str | None = None) -> tuple[Model | None, list[Fault]]:
    """Make a record from a document.

    Args:
        kind: The record's model.
        document: The parsed file or line.
        item: Id to name in faults; default: the document's own id, or the file's stem.

    Returns:
        The record and no faults, or None and every fault.
    """
    data = document.data
    name = item if item is not None else _own_id(document)
    if not isinstance(data, dict):
        what = "an empty file" if data is None else type(data).__name__
        return None, [Fault(str(document.path), document.line(()), name, f"{what} instead of a mapping of fields")]
    try:
        return kind.model_validate(data), []
    except ValidationError as error:
        return None, [_fault(document, name, kind, detail) for detail in error.errors()]


def _own_id(document: Document) -> str:
    own = document.data.get("id") if isinstance(document.data, dict) else None
    # An id with line breaks or half characters in it would break the one line of a fault.
    return own if isinstance(own, str) and own.isprintable() and own else document.path.stem


def _fault(document: Document, item: str, kind: type[BaseModel], detail: Any) -> Fault:
    place: Place = tuple(detail["loc"])
    field = ".".join(map(str, place))
    if detail["type"] == "missing":
        message = f"missing field {field!r}"
    elif detail["type"] == "extra_forbidden":
        fields = ", ".join(kind.model_fields) if len(place) == 1 else "see `alignbench packs schema`"
        message = f"unknown field {field!r} (allowed: {fields})"
    else:
        value = detail.get("input")
        shown = "" if isinstance(value, dict | list | BaseModel) else f" (found {_short(value)})"
        message = f"{field}: {detail['msg']}{shown}" if field else f"{detail['msg']}"
    return Fault(str(document.path), document.line(place), item, message.replace("Value error, ", ""))


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
