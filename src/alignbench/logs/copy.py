"""A log in Inspect's `.eval` format written anew, some of its samples replaced.

The format is a zip of JSON: a start, the samples, their summaries, reductions and a header, which is left to Inspect.
"""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from inspect_ai.log import condense_sample
from pydantic_core import to_jsonable_python

from alignbench.logs.zip_member import open_zip

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from types import TracebackType

    from inspect_ai.log import EvalLog, EvalSample, EvalSampleSummary

__all__ = ["LogCopy"]

_START, _SUMMARIES, _REDUCTIONS = "_journal/start.json", "summaries.json", "reductions.json"


class LogCopy:
    """A log that is being written, sample by sample.

    Args:
        source: The log to copy from.
        target: The new file; `finish` makes it whole but for its header.
        summaries: The summaries of the source.
    """

    def __init__(self, source: Path, target: Path, summaries: Sequence[EvalSampleSummary]) -> None:
        self._summaries = {(summary.id, summary.epoch): summary for summary in summaries}
        self._old = open_zip(source)
        method = self._old.getinfo(_START).compress_type
        self._new = open_zip(target, "w", method)
        try:
            self._copied(_START)
        except OSError:
            # Left open, it would fail again when it is collected, and say so.
            with suppress(OSError):
                self._new.close()
            raise

    def __enter__(self) -> LogCopy:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._old.close()
        self._new.close()

    @property
    def summaries(self) -> list[EvalSampleSummary]:
        """Summaries of all samples, as they are now."""
        return list(self._summaries.values())

    def add(self, sample: EvalSample) -> None:
        """Write a sample that takes the place of the source's."""
        self._new.writestr(f"samples/{sample.id}_epoch_{sample.epoch}.json", _json(condense_sample(sample)))
        self._summaries[sample.id, sample.epoch] = sample.summary()

    def finish(self, log: EvalLog) -> None:
        """Copy the samples that were not replaced, then write summaries and reductions."""
        written = set(self._new.namelist())
        for name in dict.fromkeys(self._old.namelist()):
            if name.startswith("samples/") and name not in written:
                self._copied(name)
        self._new.writestr(_SUMMARIES, _json(self.summaries))
        if log.reductions is not None:
            self._new.writestr(_REDUCTIONS, _json(log.reductions))

    def _copied(self, name: str) -> None:
        with self._old.open(name) as old, self._new.open(name, "w", force_zip64=True) as new:
            while block := old.read(1 << 20):
                new.write(block)


def _json(value: Any) -> bytes:
    """JSON as Inspect writes it: without nulls, with NaN, and half a surrogate pair as an escape."""
    plain = to_jsonable_python(value, exclude_none=True, fallback=lambda _: None, inf_nan_mode="constants")
    return json.dumps(plain, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "backslashreplace")
