"""Logs to read: one from a real run with personas, the others rewritten copies of it."""

from __future__ import annotations

import json
import shutil
import zipfile
from pathlib import Path

import zipfile_zstd

__all__ = ["copies", "real_log"]

PACK, SAMPLES, EPOCHS, UNSCORED = "pricing_fairness", 25, 40, 0.05
HEADERS = ("header.json", "_journal/start.json")
SUMMARIES = "summaries.json"


def real_log(folder: Path, samples: int = SAMPLES, epochs: int = EPOCHS) -> Path:
    """Run a persona under a persona judge of which one reply in twenty cannot be used."""
    from inspect_ai import eval as inspect_eval
    from inspect_ai.model import get_model

    (log,) = inspect_eval(
        f"alignbench/{PACK}",
        model=get_model("persona/base"),
        model_roles={"grader": get_model("persona/grader", fail=UNSCORED)},
        limit=samples,
        epochs=epochs,
        log_dir=str(folder),
        display="none",
        log_level="error",
        log_realtime=False,
    )
    if log.status != "success":
        raise RuntimeError(f"the run to copy ended with {log.status}")
    return Path(log.location)


def copies(log: Path, folder: Path, count: int) -> None:
    """Copies of a log that pass for runs of other models: other names, task ids and sample ids."""
    folder.mkdir(parents=True)
    with zipfile.ZipFile(log) as original:
        content = {name: json.loads(original.read(name)) for name in (*HEADERS, SUMMARIES)}
    for at in range(count):
        target = folder / f"{log.stem}_{at:03}.eval"
        shutil.copyfile(log, target)
        _replace(target, _renamed(content, f"copy{at:03}"))


def _renamed(content: dict[str, object], name: str) -> dict[str, bytes]:
    text = {}
    for member, value in content.items():
        new = json.loads(json.dumps(value))
        if member == SUMMARIES:
            for summary in new:
                summary["uuid"] = f"{summary['uuid']}{name}"
        else:
            new["eval"] |= {"model": f"persona/{name}", "eval_id": name, "run_id": name, "task_id": name}
        # As Inspect writes it: without blanks, and NaN for what does not apply.
        text[member] = json.dumps(new, separators=(",", ":"), ensure_ascii=False).encode()
    return text


def _replace(log: Path, content: dict[str, bytes]) -> None:
    """Put members in place of those of the same name; the old bytes stay dead in the file, as after Inspect's own."""
    with zipfile.ZipFile(log, "a", compression=zipfile_zstd.ZIP_ZSTANDARD) as opened:
        for name in content:
            opened.filelist.remove(opened.NameToInfo.pop(name))
        for name, value in content.items():
            opened.writestr(name, value)
