"""The option --calibration of the commands that print rates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from alignbench.text.numbers import interval, percent

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from alignbench.labels.calibration import Calibration

__all__ = ["calibration_option", "raw_cells", "transported_option"]


def _load(_context: click.Context, _parameter: click.Parameter, value: Path | None) -> Calibration | None:
    from alignbench.labels.calibration import load_calibration

    return None if value is None else load_calibration(value)


calibration_option = click.option(
    "--calibration", metavar="FILE", callback=_load,
    help="Labels from judge calibrate, to correct for the judge's errors (S3); of each model's outputs.",
)  # fmt: skip
"""The command gets a Calibration, or None."""

transported_option = click.option(
    "--transported", metavar="CARD",
    help="Correct misalignment by the error rates of the judge's exam instead: a guess.",
)  # fmt: skip


def raw_cells(record: Mapping[str, Any]) -> dict[str, str]:
    """What the judge alone says, where a row may be corrected."""
    if "raw_rate" not in record:
        return {}
    if record["raw_rate"] is None or record["raw_rate"] != record["raw_rate"]:
        # Nothing judged, or usefulness, which is never corrected.
        return {"raw": "-", "labels": "-"}
    raw = f"{percent(record['raw_rate'])} {interval(record['raw_low'], record['raw_high'])}"
    return {"raw": raw, "labels": str(record["labels"])}
