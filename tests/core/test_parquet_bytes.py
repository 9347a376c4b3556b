"""Columns of bytes, as some programs write text into Parquet."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import pytest

from alignbench.errors import InputError
from alignbench.table.read import read_table

if TYPE_CHECKING:
    from pathlib import Path

FRAME = pd.DataFrame({"model": "m", "scenario": ["a", "b"], "verdict": "aligned"})


@pytest.mark.parametrize("column", ["model", "scenario", "verdict"])
def test_bytes_that_are_no_text_are_an_error_of_one_line(tmp_path: Path, column: str) -> None:
    """What cannot be read as UTF-8 is named, and no traceback of the decoder is shown."""
    file = tmp_path / "bytes.parquet"
    FRAME.assign(**{column: [b"a", b"\xff\x00"]}).to_parquet(file)
    with pytest.raises(InputError, match=r"bytes b'\\xff\\x00' in a column \(allowed: text in UTF-8\)"):
        read_table(file)


def test_bytes_that_are_text_are_read(tmp_path: Path) -> None:
    """UTF-8 in a column of bytes is its text."""
    file = tmp_path / "bytes.parquet"
    FRAME.assign(scenario=["é".encode(), b"b"]).to_parquet(file)
    assert read_table(file)["scenario"].tolist() == ["é", "b"]
