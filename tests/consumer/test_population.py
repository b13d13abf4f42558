"""Who counts as a user, who is eligible, and user counts that follow every change of state."""

import numpy as np

from consumer.meta import PartitionMeta
from consumer.population import Population, counted, eligible
from features.slab import FORGOTTEN, Slab
from segments.model import NO_SEGMENT
from tests.consumer.builders import FEW, MANY, rules


def slab_of(*users: tuple[int, int]) -> Slab:
    """Users as (applied events, segment)."""
    slab = Slab(len(users))
    slab.head["applied"] = [applied for applied, _ in users]
    slab.head["segment"] = [segment for _, segment in users]
    return slab


def test_users_are_those_with_events_and_those_with_a_segment_from_the_feed() -> None:
    slab = slab_of((1, NO_SEGMENT), (0, NO_SEGMENT), (0, FEW), (0, NO_SEGMENT))
    slab.head["flags"][3] = FORGOTTEN
    assert counted(slab, np.arange(4)).tolist() == [True, False, True, False]


def test_enough_events_or_known_metrics_make_eligible() -> None:
    slab = slab_of((4, NO_SEGMENT), (5, NO_SEGMENT), (1, NO_SEGMENT), (0, FEW))
    slab.head["known_mask"][2] = 4
    assert eligible(slab, np.arange(4), rules()).tolist() == [False, True, True, False]


def test_a_population_stays_as_it_was() -> None:
    slab = slab_of((9, FEW), (1, NO_SEGMENT))
    before = Population.of(slab, np.arange(2), rules())
    slab.clear(np.arange(2))
    assert before.segment.tolist() == [FEW, NO_SEGMENT]
    assert before.counted.tolist() == [True, True]
    assert before.eligible.tolist() == [True, False]


def test_a_recount_follows_who_came_left_and_moved() -> None:
    slab = slab_of((5, FEW), (5, FEW), (5, MANY), (1, NO_SEGMENT), (0, NO_SEGMENT), (5, FEW))
    meta = PartitionMeta(applied_offset=0, users={FEW: 3, MANY: 1, 9: 2}, unassigned=1)
    before = Population.of(slab, np.arange(6), rules())
    slab.clear(np.array([0]))  # left
    slab.head["segment"][1] = MANY  # moved
    slab.head["segment"][2] = 7  # the last of MANY but for the one above
    slab.head["segment"][3] = FEW  # assigned
    slab.head["applied"][4] = 1  # came
    before.recount(meta, slab)
    assert meta.users == {FEW: 2, MANY: 1, 7: 1, 9: 2}
    assert meta.unassigned == 1


def test_a_segment_without_users_is_not_listed() -> None:
    slab = slab_of((5, FEW))
    meta = PartitionMeta(applied_offset=0, users={FEW: 1})
    before = Population.of(slab, np.arange(1), rules())
    slab.clear(np.arange(1))
    before.recount(meta, slab)
    assert (meta.users, meta.users_seen) == ({}, 0)


def test_members_are_found_by_slot() -> None:
    before = Population.of(Slab(9), np.array([2, 5, 8]), rules())
    assert before.rows_of([8, 2, 5]).tolist() == [2, 0, 1]
    assert before.rows_of([]).tolist() == []


def test_leaving_names_the_segment_before_and_the_next_version() -> None:
    slab = slab_of((1, NO_SEGMENT), (5, MANY))
    slab.head["user_version"][1] = 3
    before = Population.of(slab, np.arange(2), rules())
    left = before.leaving(1, ["ann", "bob"], "forget", 17, 99)
    assert (left.user_id, left.previous, left.current) == ("bob", MANY, NO_SEGMENT)
    assert (left.cause, left.user_version) == ("forget", 4)
    assert (left.source_offset, left.event_ms) == (17, 99)
