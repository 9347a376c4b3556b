"""Sound files of every kind that commands read, small ones: what the fuzz tests damage."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import yaml
from commands import GRADER, inspect_eval
from examined_judges import examined
from inspect_ai.log import read_eval_log, write_eval_log
from labelled_tables import judged, write_labels
from simulated_tables import simulated
from sound_pack import SoundPack

from alignbench.analysis.rates.calibrate import calibrate
from alignbench.labels.read import read_labels
from alignbench.packs.load import locate
from alignbench.table.read import as_table

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["MODELS", "fill_logs", "fill_material", "whole_table"]

MODELS = ("a", "b")
_SIZE = {"packs": 1, "scenarios": 12, "epochs": 2}
_POLICY = {"margin": 0.3, "confidence": 0.05, "per_pack": True, "require_twins": True, "minimum_scenarios": 10,
           "seed": 0}  # fmt: skip
_PRICES = {
    "currency": "USD",
    "target": {"input": 3, "output": 15, "input_tokens": 700, "output_tokens": 400},
    "grader": {"input": 1, "output": 4, "input_tokens": 2500, "output_tokens": 300},
}


def whole_table() -> pd.DataFrame:
    """Two models and two judges, with conditions, turns, values, positions, flags and rows without a verdict."""
    table = pd.concat([simulated(name, 0.3, seed=at, **_SIZE) for at, name in enumerate(MODELS)], ignore_index=True)
    rng = np.random.default_rng(0)
    conflict = ~table["twin"].to_numpy(dtype=bool)
    table = table.assign(
        value_1=np.where(conflict, "honesty", ""),
        value_2=np.where(conflict, np.where(table["scenario"].cat.codes % 2, "profit", "thrift"), ""),
        position_1=pd.array(np.where(conflict, rng.integers(0, 7, len(table)), 0), dtype="Int16"),
        position_2=pd.array(np.where(conflict, rng.integers(0, 7, len(table)), 0), dtype="Int16"),
        transcript="What was said.",
    )
    watched = table[conflict].assign(condition="monitoring=logged")
    second = table[conflict].assign(turn=2)
    table = pd.concat([table, watched, second], ignore_index=True).assign(turns=2)
    judges = [judged(table, seed=at).assign(judge=f"judge_{at}") for at in range(2)]
    whole = pd.concat(judges, ignore_index=True).astype({"verdict": object})
    whole.loc[[5, 60], "verdict"] = None
    return as_table(whole.assign(unscored_reason=None))


def fill_material(folder: Path) -> None:
    """Write tables, labels, a calibration, cards, a policy, prices, and packs."""
    whole_table().to_csv(folder / "whole.csv", index=False)
    truth = pd.concat([simulated(name, 0.3, seed=at, **_SIZE) for at, name in enumerate(MODELS)], ignore_index=True)
    table = judged(truth)
    table.to_csv(folder / "sound.csv", index=False)
    table[["model", "scenario", "verdict"]].to_csv(folder / "bare.csv", index=False)
    write_labels(folder / "labels.csv", truth, table, 20)
    raters = [("unit", "rater", "label", "scenario")]
    raters += [
        (f"u{at}", f"r{who}", ("yes", "no")[(at + who) % 5 == 0], f"s{at % 7}") for at in range(40) for who in (0, 1)
    ]
    pd.DataFrame(raters[1:], columns=list(raters[0])).to_csv(folder / "raters.csv", index=False)
    calibrate(table, read_labels([folder / "labels.csv"])).save(folder / "calibration.json")
    card = examined("judge", rubric_digest="rubric", packs=("pack_0",))
    (folder / "card.json").write_text(card.model_dump_json(indent=2) + "\n", encoding="utf-8")
    (folder / "policy.yaml").write_text(yaml.safe_dump(_POLICY), encoding="utf-8")
    (folder / "prices.yaml").write_text(yaml.safe_dump(_PRICES), encoding="utf-8")
    SoundPack(folder).write()
    shutil.copytree(locate("pricing_fairness"), folder / "shipped" / "pricing_fairness")


def fill_logs(folder: Path) -> None:
    """Run the small pack on a persona, and keep the log in both of Inspect's formats, as `log.eval` and `log.json`."""
    pack = SoundPack(folder).write()
    done = inspect_eval("alignbench/pack", "-T", f"path={pack}", "--model", "persona/base", *GRADER, cwd=folder)
    assert done.code == 0, done.text
    (log,) = (folder / "logs").glob("*.eval")
    log.rename(folder / "log.eval")
    write_eval_log(read_eval_log(folder / "log.eval"), folder / "log.json")
