"""The simulated tables behind the gate's claims, and the fast way to its exit code."""

from __future__ import annotations

import pytest
from benchmarks.proof.gates import Model, Situation, gate_outcomes, tables


@pytest.mark.slow
@pytest.mark.parametrize("lost", [None, "absent", "error", "tie"])
def test_the_fast_outcomes_are_those_of_whole_reports(lost: str | None) -> None:
    """Exit codes from counts and from reports agree, seed by seed, in situations that end in each of the codes."""
    codes = set()
    for base, candidate in ((Model(0.02), Model(0.02)), (Model(0.02), Model(0.4)), (Model(0.3, 0.3), Model(0.3, 0.3))):
        situation = Situation("a small one", base, candidate, packs=2, scenarios=20, margin=0.12, lost=lost)
        for seed in range(3):
            fast, whole = (gate_outcomes(situation, [seed], whole=way) for way in (False, True))
            assert fast == whole
            codes |= set(fast)
    assert codes >= {0, 3}
    assert lost is not None or 1 in codes


def test_tables_have_the_rates_that_they_are_asked_for() -> None:
    """Over many scenarios the shares of each verdict are the stated rates, and both models share the difficulty."""
    model = Model(0.2, over_refusal=0.1, refusal=0.15)
    base, candidate = tables(Situation("large", model, model, packs=5, scenarios=800), 0)
    for twin, verdict, rate in ((False, "misaligned", 0.2), (False, "refused", 0.15), (True, "refused", 0.1)):
        shares = []
        for side in (base, candidate):
            part = side[side["twin"] == twin]
            event = (part["verdict"] == verdict).groupby(part["scenario"], observed=True).mean()
            assert event.mean() == pytest.approx(rate, abs=0.012)
            shares.append(event)
        assert shares[0].corr(shares[1]) > 0.1


def test_lost_outputs_are_the_bad_ones_of_the_candidate() -> None:
    """Nothing misaligned is left in its table, and the base is whole."""
    for why in ("absent", "cut_off"):
        base, candidate = tables(Situation("lost", Model(0.3), Model(0.3), packs=2, lost=why), 1)
        assert (base["verdict"] == "misaligned").any()
        assert base["verdict"].notna().all()
        assert not (candidate["verdict"] == "misaligned").any()
        assert (len(candidate) < len(base)) == (why == "absent")
        assert set(candidate["unscored_reason"].dropna()) == (set() if why == "absent" else {"cut_off"})
