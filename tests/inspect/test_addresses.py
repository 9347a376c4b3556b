"""Results go onto this machine: commands that run models refuse an address such as s3:// before they do."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest
from scripted_runs import run, scripted, write_pack

from alignbench.cli import main
from alignbench.run.task import pack_task

if TYPE_CHECKING:
    from pathlib import Path


def _ended(monkeypatch: pytest.MonkeyPatch, *argv: str) -> int:
    monkeypatch.setattr(sys, "argv", ["alignbench", *argv])
    with pytest.raises(SystemExit) as stop:
        main()
    assert isinstance(stop.value.code, int)
    return stop.value.code


def test_the_demo_and_a_second_judge_refuse_an_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line names the address as it was given; no folder of that name is made, and no judge is asked."""
    target = scripted("target", lambda _call: "My answer")
    run(
        pack_task(str(write_pack(tmp_path / "small"))),
        target,
        scripted("unheard", lambda _call: "no verdict"),
        tmp_path / "logs",
    )
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    judge = scripted("second", lambda _call: "no verdict")
    for argv in (
        ["demo", "-o", "s3://bucket/demo"],
        ["judge", "rescore", "logs", "--grader", "script/second", "-o", "s3://bucket/copies"],
    ):
        assert _ended(monkeypatch, *argv) == 2
        shown = capsys.readouterr()
        assert shown.err.startswith(f"error: {argv[-1]}: cannot write here: results are written to this machine only")
        assert shown.err.count("\n") == 1
        assert "wrote" not in shown.out
    assert sorted(tmp_path.rglob("*")) == before
    assert judge.calls == []
