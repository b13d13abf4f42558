"""A run is clean when nothing is wrong and enough went on, and its line says which."""

from collections import Counter

from tests.campaign.outcome import CHANGES_MIN, Outcome
from tests.integration.findings import Findings


def test_a_run_without_a_fault_found_is_clean_if_enough_was_decided() -> None:
    clean = Outcome(changes=CHANGES_MIN, faults=Counter({"redis killed": 2}))
    assert clean.is_clean
    assert "counters 0" in clean.line()
    assert "redis killed 2" in clean.line()
    idle = Outcome(changes=CHANGES_MIN - 1)
    assert not idle.is_clean
    assert "PROVES NOTHING" in idle.line()


def test_every_counter_breaks_a_run_and_is_named() -> None:
    broken = [
        Outcome(changes=CHANGES_MIN, findings=Findings(sequences_missing=3)),
        Outcome(changes=CHANGES_MIN, crashes=["a traceback"]),
        Outcome(changes=CHANGES_MIN, undrained="it goes on"),
    ]
    assert not any(outcome.is_clean for outcome in broken)
    for outcome, said in zip(
        broken, ["sequences_missing 3", "crashes 1", "undrained 1"], strict=True
    ):
        assert f"BROKEN {said}" in outcome.line()
