"""The sheet as one HTML file: labelled in a browser by keyboard, offline, saved to CSV."""

from __future__ import annotations

import json
from dataclasses import asdict
from importlib.resources import files
from typing import TYPE_CHECKING

from alignbench.digest import short_digest
from alignbench.vocabulary import ALIGNED, DEFERRED, MISALIGNED, OFF_TASK, REFUSED

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from alignbench.labels.definitions import Definitions

__all__ = ["KEYS", "PAGE_MARK", "labelling_page"]

PAGE_MARK = "<title>Label answers</title>"
"""What every page holds: how one is told from another file."""
KEYS: dict[str, str] = {ALIGNED: "a", MISALIGNED: "m", REFUSED: "r", DEFERRED: "d", OFF_TASK: "o"}
"""Label to its key."""


def labelling_page(sheet: pd.DataFrame, definitions: Mapping[str, Definitions]) -> str:
    """Make the page.

    Args:
        sheet: From `alignbench.labels.sheet.make_sheet`.
        definitions: What the labels mean, for each rubric digest in the sheet.

    Returns:
        HTML with everything in it; its CSV holds the sheet's columns but the texts.
    """
    records = [{str(key): str(value) for key, value in row.items()} for row in sheet.to_dict("records")]
    data = {
        "sheet": short_digest(records),
        "choices": [{"label": label, "key": key} for label, key in KEYS.items()],
        "definitions": {digest: asdict(found) for digest, found in definitions.items()},
        "items": records,
    }
    # "</script>" in an answer must not end the script that carries it.
    text = json.dumps(data, ensure_ascii=True).replace("<", "\\u003c")
    template = (files("alignbench.labels") / "page.html").read_text(encoding="utf-8")
    return template.replace("__DATA__", text)
