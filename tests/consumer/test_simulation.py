"""Whatever is killed or lost: each change once, features as counted afresh, segments as published.

SHOAL_TEST_SEED=17 pytest tests/consumer/test_simulation.py     repeats one simulation
"""

import os
from collections import defaultdict
from math import isclose, isnan
from random import Random

import numpy as np
import pytest

from consumer.dead_letters import DeadLetter
from consumer.meta import PartitionMeta
from features import codec
from features.catalogue import FEATURE_NAMES
from features.slab import Slab
from features.tiles import DAY_MS
from features.vector import vectors
from segments.changes import SegmentChange
from segments.model import NO_SEGMENT
from tests.consumer.lives import LONE, LogRecord, life
from tests.consumer.simulation import Simulation
from tests.reference import Reference

SEED = os.environ.get("SHOAL_TEST_SEED")
SEEDS = range(200) if SEED is None else [int(SEED)]
GROUPS = 8  # tests; a test of its own for each seed would be slower to collect than to run


def segment_of(change: SegmentChange | None) -> int:
    return NO_SEGMENT if change is None or change.current is None else change.current.id


def check_every_change_once(changes: list[SegmentChange]) -> None:
    assert [change.sequence for change in changes] == list(range(1, len(changes) + 1))
    assert all(change.change_id == f"0-{change.sequence}" for change in changes)
    by_user: dict[str, list[SegmentChange]] = defaultdict(list)
    for change in changes:
        before = by_user[change.user_id][-1:]
        was = segment_of(before[0]) if before else NO_SEGMENT
        version = before[0].user_version if was != NO_SEGMENT else 0
        assert change.user_version == version + 1, change
        assert (NO_SEGMENT if change.previous is None else change.previous.id) == was, change
        assert segment_of(change) != was, change
        by_user[change.user_id].append(change)


def check_dead_letters_once(
    dead: list[DeadLetter], reference: Reference, log: list[LogRecord]
) -> None:
    outcomes = zip(log, reference.outcomes, strict=True)
    expected = [one.offset for one, outcome in outcomes if outcome in ("dead", "future")]
    assert [letter.offset for letter in dead] == expected


def check_features(slab: Slab, slot: int, user: str, reference: Reference, as_of_ms: int) -> None:
    found = vectors(slab, np.array([slot]), as_of_ms)
    for name, value, evidence in zip(
        FEATURE_NAMES, found.values[0].tolist(), found.evidence[0].tolist(), strict=True
    ):
        expected, behind = reference.features(user, as_of_ms)[name]
        assert isclose(evidence, behind, rel_tol=1e-9), (user, name)
        if expected is None:
            assert isnan(value), (user, name)
        else:
            assert isclose(value, expected, rel_tol=1e-9, abs_tol=1e-9), (user, name)


def check_states(simulation: Simulation, reference: Reference, meta: PartitionMeta) -> None:
    """Redis holds what the log says, the segments that were published, and nobody else."""
    removal_ms = simulation.config.removal_days * DAY_MS
    last = {change.user_id: change for change in simulation.kafka.all_changes()}
    users: defaultdict[int, int] = defaultdict(int)
    unassigned, expected_due = 0, set()
    slab = Slab(1)
    for user, known in reference.users.items():
        state = simulation.redis.values.get(simulation.keys.user(user))
        is_gone = known.last_ms + removal_ms <= meta.as_of_ms
        if is_gone or not (known.applied or known.forgotten):
            assert state is None, f"{user} should not be in Redis"
            assert segment_of(last.get(user)) == NO_SEGMENT
            continue
        assert state is not None, f"{user} should be in Redis"
        codec.decode(slab, np.zeros(1, np.int64), [state])
        head = slab.head[0]
        expected_due.add(user)
        assert head["segment"] == segment_of(last.get(user)), user
        if head["segment"] != NO_SEGMENT:
            assert head["user_version"] == last[user].user_version, user
            users[int(head["segment"])] += 1
        elif known.applied:
            unassigned += 1
            assert head["applied"] < 3, f"{user} has waited for a segment too long"
            assert head["known_mask"] == 0
        check_features(slab, 0, user, reference, meta.as_of_ms)
    assert (meta.users, meta.unassigned) == (users, unassigned)
    assert set(simulation.redis.due) == expected_due
    assert all(ms > meta.as_of_ms for ms in simulation.redis.due.values())


def check_counters(meta: PartitionMeta, reference: Reference) -> None:
    counts = reference.counts
    assert meta.outcomes.applied == counts["applied"]
    assert meta.outcomes.duplicate == counts["duplicate"]
    assert meta.outcomes.late == counts["late"]
    assert sum(meta.outcomes.dead.values()) == counts["dead"] + counts["future"]
    assert meta.stream_ms == reference.stream_ms


def check(seed: int) -> None:
    random = Random(seed)
    log = life(random)
    reference = Reference()
    for record in log:
        record.feed(reference)
    simulation = Simulation(random, log)
    simulation.run()
    assert simulation.owned is not None
    meta = simulation.owned.meta
    check_every_change_once(simulation.kafka.all_changes())
    check_dead_letters_once(simulation.kafka.dead, reference, log)
    check_counters(meta, reference)
    check_states(simulation, reference, meta)
    last = {change.user_id: change for change in simulation.kafka.all_changes()}
    assert meta.sequence == max((change.sequence for change in last.values()), default=0)
    assert {user: m.segment.id for user, m in simulation.kafka.memberships.items()} == {
        user: segment_of(change) for user, change in last.items() if change.current is not None
    }
    assert LONE in reference.users


@pytest.mark.parametrize("group", range(GROUPS))
def test_whatever_is_killed_or_lost_each_change_is_published_once(group: int) -> None:
    for seed in SEEDS[group::GROUPS]:
        try:
            check(seed)
        except Exception as error:
            error.add_note(f"repeat it with SHOAL_TEST_SEED={seed}")
            raise
