"""Begin a pack with a copy of another one."""

from __future__ import annotations

import os
import textwrap
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from pydantic import ValidationError

from alignbench.errors import InputError
from alignbench.files import make_folder, new_folder, require_local, together, write_text
from alignbench.packs.load import label_folder, load_folder, locate, shipped_packs
from alignbench.packs.schema import PackMeta
from alignbench.vocabulary import OVERALL

if TYPE_CHECKING:
    from collections.abc import Mapping

    from alignbench.packs.load import Pack

__all__ = ["new_pack"]

Place = tuple[str, ...]
FIRST_VERSION = "1-A"
_WIDTH = 110
"""Characters of a line of prose, its margin included."""


def new_pack(source: str | Path, target: str | Path) -> Pack:
    """Copy a pack's scenarios, values, conditions and labelled answers into a new pack, whole or not at all.

    The texts stay as they are, so the digests are those of the source. The copy has a name, a canary and a version of
    its own, and says in `provenance` and in the `source` of every scenario where it comes from. A card is not copied:
    what it says was written of the other pack.

    Args:
        source: Id of a shipped pack, or the path of one.
        target: The new folder, not there yet or empty; its last part becomes the pack's id.

    Returns:
        The new pack.

    Raises:
        InputError: No such pack, or one with errors; a name that no pack can have; a folder that is not empty or
            cannot be made.
        WriteError: The disk is full or fails.
    """
    pack = load_folder(locate(source))
    folder = _folder(target, pack.meta)
    canary = f"alignbench:{uuid.uuid4()}"
    with new_folder(folder):
        with together():
            for name, text in _texts(pack, folder.name).items():
                make_folder((folder / name).parent)
                write_text(folder / name, text.replace(pack.meta.canary, canary))
        return load_folder(folder)


def _folder(target: str | Path, meta: PackMeta) -> Path:
    """The folder that a target means, if a pack can have its name."""
    require_local(target)
    try:
        # As where packs are found: a leading ~ of somebody who does not exist stays as it is.
        folder = Path(os.path.expanduser(target)).resolve()  # noqa: PTH111
    except (OSError, RuntimeError, ValueError) as error:
        raise InputError("cannot make this folder", file=target, allowed="the path of a new folder") from error
    try:
        PackMeta.model_validate({**meta.model_dump(), "id": folder.name})
        taken = folder.name in shipped_packs()
    except ValidationError:
        taken = True
    if taken:
        others = ", ".join([OVERALL, *shipped_packs()])
        raise InputError(
            f"a pack cannot be named {folder.name!r}, as this folder is", file=target,
            allowed=f"1 to 60 small letters, digits and _, other than {others}",
        )  # fmt: skip
    return folder


def _texts(pack: Pack, name: str) -> dict[str, str]:
    """The files of a copy of this name, by path within its folder; the canary is still that of the source."""
    origin = f"the pack {pack.id}, version {pack.meta.version}"
    meta: dict[Place, str] = {
        ("id",): name,
        ("version",): FIRST_VERSION,
        ("provenance",): f"Copied with `alignbench packs new` from {origin} (digest {pack.digest[:12]}), which says of "
        f"its texts:\n\n{pack.meta.provenance}",
    }
    found = {"pack.yaml": _changed(_read(pack.folder / "pack.yaml"), meta)}
    for file in ("values.yaml", "conditions.yaml"):
        if (pack.folder / file).is_file():
            found[file] = _read(pack.folder / file)
    for path in sorted((pack.folder / "scenarios").glob("*.y*ml")):
        note = pack.scenarios[path.stem].source.note
        noted: dict[Place, str] = {("source", "note"): f"Copied from {origin}, where the note is: {note}"}
        found[f"scenarios/{path.name}"] = _changed(_read(path), noted)
    for path in sorted(label_folder(pack.folder).glob("*.y*ml")):
        found[f"labelled/{path.name}"] = _read(path)
    return found


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def _changed(text: str, changes: Mapping[Place, str]) -> str:
    """A YAML file with other texts at places that it has; everything else, comments too, stays as it is."""
    root: Any = yaml.compose(text, Loader=yaml.SafeLoader)
    spans: list[tuple[int, int, str]] = []
    for place, value in changes.items():
        node, column, flow = root, 0, False
        for key in place:
            flow = flow or bool(node.flow_style)
            key_node, node = next(pair for pair in node.value if pair[0].value == key)
            column = key_node.start_mark.column
        start, end = node.start_mark.index, node.end_mark.index
        # A block ends behind its last line's end, and that stays.
        end -= len(text[start:end]) - len(text[start:end].rstrip())
        inline = flow or bool(text[end:].partition("\n")[0].strip())
        spans.append((start, end, _scalar(value, column, inline=inline)))
    for start, end, value in sorted(spans, reverse=True):
        text = text[:start] + value + text[end:]
    return text


def _scalar(value: str, column: int, *, inline: bool) -> str:
    """A text as YAML: plain if it is a word, in quotes where something follows on its line, else as a literal block."""
    if " " not in value:
        return value if yaml.safe_load(value) == value else f'"{value}"'
    if inline:
        quoted: str = yaml.safe_dump(value, default_style='"', width=2**31, allow_unicode=True)
        return quoted.rstrip("\n")
    lines = [textwrap.fill(line, _WIDTH - column, break_long_words=False, break_on_hyphens=False)
             for line in value.split("\n")]  # fmt: skip
    return "|\n" + textwrap.indent("\n".join(lines), " " * (column + 2))
