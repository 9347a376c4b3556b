"""Scenario packs: what is asked. Data only, read and checked here."""

from alignbench.packs.conditions import DEFAULT, Condition, expand
from alignbench.packs.load import Pack, load_pack, shipped_packs, shipped_scenarios
from alignbench.packs.schema import LabelledAnswer, Scenario

__all__ = [
    "DEFAULT",
    "Condition",
    "LabelledAnswer",
    "Pack",
    "Scenario",
    "expand",
    "load_pack",
    "shipped_packs",
    "shipped_scenarios",
]
