"""`make proof`: a slice of every claim, and the machinery that counts them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from benchmarks.proof.__main__ import main, page
from benchmarks.proof.claims import SEEDS, Claim, Found, at_least, at_most, prove
from benchmarks.proof.registry import CLAIMS, ELSEWHERE

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.name)
def test_a_slice_of_each_claim_holds(claim: Claim) -> None:
    """Of the first five seeds no fewer show it than chance allows, and the first of them counts in it as alone."""
    (found,) = prove([claim], 5, 1, lambda line: None)
    assert found.refuted == []
    alone = claim.count([0])
    assert all(alone[what] <= count <= alone[what] + 4 for what, count in found.counts.items())


def _even(seeds: Sequence[int]) -> dict[str, int]:
    return {"even": sum(seed % 2 == 0 for seed in seeds)}


def _made(wanted: float, *, most: bool = False) -> Claim:
    return Claim(
        "made up", "Half of all numbers are even.", "numbers", {"even": (at_most if most else at_least)(wanted)}, _even
    )


@pytest.mark.parametrize(
    ("claim", "seeds", "holds"),
    [
        (_made(0.5), SEEDS, True),
        (_made(0.501), SEEDS, False),
        (_made(0.5, most=True), SEEDS, True),
        (_made(0.499, most=True), SEEDS, False),
        # 5 of 10 are as few as chance allows for .85, by P(X <= 5) = .0099, and too few for .95, by .00006.
        (_made(0.85), 10, True),
        (_made(0.95), 10, False),
        (_made(0.15, most=True), 10, True),
        (_made(0.05, most=True), 10, False),
    ],
)
def test_a_claim_is_refuted_by_its_count(claim: Claim, seeds: int, holds: bool) -> None:
    """A whole run is held to the share itself; a slice to what chance allows."""
    (found,) = prove([claim], seeds, 1, lambda line: None)
    assert found.counts == {"even": seeds // 2}
    assert (found.refuted == []) == holds
    assert ("**no**" in page([found], seeds, 1, 0.0)) != holds


@pytest.mark.slow
def test_two_processes_count_what_one_does() -> None:
    """Every seed once, whoever counts it."""
    quick = [claim for claim in CLAIMS if "always off_task" in claim.name]
    one, two = (prove(quick, 41, processes, lambda line: None) for processes in (1, 2))
    assert one[0].counts == two[0].counts


def test_what_is_counted_is_what_is_wanted() -> None:
    """A claim whose counts have other names is a fault of the claim."""
    with pytest.raises(ValueError, match=r"made up: counted \['even'\], wanted \['odd'\]"):
        prove([Claim("made up", "", "", {"odd": at_least(0.5)}, _even)], 4, 1, lambda line: None)


def test_the_command_fails_with_a_claim(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 1 names what does not hold; a slice is printed and not written."""
    monkeypatch.setattr("benchmarks.proof.__main__.CLAIMS", (_made(0.99),))
    assert main(["--seeds", "40", "--processes", "1"]) == 1
    printed = capsys.readouterr()
    assert "does not hold: made up: even" in printed.err
    assert "| even | 20 of 40 | at least 99 % | **no** |" in printed.out
    monkeypatch.setattr("benchmarks.proof.__main__.CLAIMS", (_made(0.5),))
    assert main(["--seeds", "40", "--processes", "1"]) == 0


def test_the_committed_page_is_of_these_claims() -> None:
    """It names every claim and every thing counted, of 1,000 seeds, and all of them hold."""
    text = (ROOT / "benchmarks" / "proof" / "table.md").read_text(encoding="utf-8")
    for claim in CLAIMS:
        assert f"{claim.words}\n\nSimulated: {claim.situation}." in text
        for what, wanted in claim.wanted.items():
            assert any(
                line.startswith(f"| {what} |") and f"of {SEEDS:,} | {wanted} | yes |" in line
                for line in text.splitlines()
            )
    assert "**no**" not in text


def test_names_of_claims_are_unique_and_places_exist() -> None:
    """Two claims of one name could not be told apart, and a list of places is of use while they are there."""
    names = [claim.name for claim in CLAIMS]
    assert len(set(names)) == len(names)
    for where, _ in ELSEWHERE:
        file, _, test = where.partition("::")
        assert f"def {test}(" in (ROOT / file).read_text(encoding="utf-8") if test else (ROOT / file).is_file()


def test_found_counts_what_is_missing() -> None:
    """A thing that was never seen is refuted."""
    assert Found(_made(0.5), {"even": 0}, SEEDS, 0.0).refuted == ["even"]
