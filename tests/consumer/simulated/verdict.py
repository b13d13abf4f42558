"""What must be true when everybody has come to rest, whatever has happened before."""

from collections import defaultdict
from math import isclose, isnan

import numpy as np

from consumer.dead_letters import OFFSET_HEADER
from consumer.meta import PartitionMeta, decode_meta
from consumer.trend import decode_start
from features import codec
from features.catalogue import FEATURE_NAMES
from features.events import Event
from features.slab import Slab
from features.tiles import DAY_MS
from features.vector import vectors
from segments.changes import SegmentChange, decode_change, decode_membership
from segments.model import NO_SEGMENT
from tests.consumer.simulated.schedule import Schedule
from tests.consumer.simulated.stand_ins import run
from tests.consumer.simulated.world import World
from tests.consumer.trends import Seen, counted, read
from tests.reference import Reference, ReferenceUser


def segment_of(change: SegmentChange | None) -> int:
    return NO_SEGMENT if change is None or change.current is None else change.current.id


def simulate(schedule: Schedule) -> World:
    """Run a schedule and judge it.

    Raises:
        AssertionError: a promise is broken.
    """
    reference = Reference()
    for record in schedule.log:
        record.feed(reference)
    world = run(schedule)
    changes = published_changes(world)
    meta = decode_meta(world.redis.values[world.keys.meta.encode()])
    assert meta is not None, "nobody has written anything"
    check_every_change_once(changes)
    check_dead_letters_once(world, reference)
    check_counters(meta, reference)
    last = {change.user_id: change for change in changes}
    check_states(world, reference, meta, last)
    assert meta.sequence == len(changes), "sequence of Redis and of the feed"
    check_memberships(world, last)
    check_trend(world, reference, meta, changes)
    return world


def check_trend(
    world: World, reference: Reference, meta: PartitionMeta, changes: list[SegmentChange]
) -> None:
    """The trend is exact from where it began: at the first record, unless Redis was emptied."""
    prefix = world.keys.trend.encode()
    stored = {
        key.removeprefix(prefix).decode(): value
        for key, value in world.redis.values.items()
        if key.startswith(prefix)
    }
    start, found = decode_start(stored["since"]), read(stored)
    days = [tile for name, tile in found.items() if name[0] == "d"]
    for name in ("applied", "duplicate", "late"):
        told = sum(tile.outcomes[name] for tile in days)
        assert told == getattr(meta.outcomes, name), f"{told} {name} in {found}"
    moves = sum(sum(tile.moves.values()) for tile in days)
    assert start.sequence + moves == meta.sequence, f"{moves} moves since {start.sequence}"
    if start.sequence == 0:
        records = [
            Seen(
                one.offset,
                one.timestamp_ms,
                one.value if isinstance(one.value, Event) else None,
                came,
            )
            for one, came in zip(world.schedule.log, reference.outcomes, strict=True)
        ]
        expected = counted(records, changes)
        assert found == expected, f"trend {found}, not {expected}"


def published_changes(world: World) -> list[SegmentChange]:
    log = world.broker.logs[world.config.topics.changes, 0]
    return [decode_change(entry.value or b"") for entry in log.committed()]


def check_every_change_once(changes: list[SegmentChange]) -> None:
    sequences = [change.sequence for change in changes]
    assert sequences == list(range(1, len(changes) + 1)), f"sequences {sequences}"
    assert all(change.change_id == f"0-{change.sequence}" for change in changes)
    by_user: dict[str, list[SegmentChange]] = defaultdict(list)
    for change in changes:
        before = by_user[change.user_id][-1:]
        was = segment_of(before[0]) if before else NO_SEGMENT
        version = before[0].user_version if was != NO_SEGMENT else 0
        assert change.user_version == version + 1, f"version {version}, then {change}"
        previous = NO_SEGMENT if change.previous is None else change.previous.id
        assert previous == was, f"in segment {was}, then {change}"
        assert segment_of(change) != was, f"no change: {change}"
        by_user[change.user_id].append(change)


def check_dead_letters_once(world: World, reference: Reference) -> None:
    outcomes = zip(world.schedule.log, reference.outcomes, strict=True)
    expected = [one.offset for one, outcome in outcomes if outcome in ("dead", "future")]
    log = world.broker.logs[world.config.topics.dead, 0]
    found = [int(dict(entry.headers)[OFFSET_HEADER] or b"") for entry in log.committed()]
    assert found == expected, f"dead letters of offsets {found}, not {expected}"


def check_counters(meta: PartitionMeta, reference: Reference) -> None:
    counts, outcomes = reference.counts, meta.outcomes
    found = (outcomes.applied, outcomes.duplicate, outcomes.late, sum(outcomes.dead.values()))
    expected = (counts["applied"], counts["duplicate"], counts["late"])
    assert found == (*expected, counts["dead"] + counts["future"]), "outcomes of the records"
    assert meta.stream_ms == reference.stream_ms, "stream time"


def check_memberships(world: World, last: dict[str, SegmentChange]) -> None:
    latest: dict[str, int] = {}
    for entry in world.broker.logs[world.config.topics.memberships, 0].committed():
        user = (entry.key or b"").decode()
        latest.pop(user, None)
        if entry.value is not None:
            latest[user] = decode_membership(entry.value).segment.id
    expected = {user: segment_of(one) for user, one in last.items() if one.current is not None}
    assert latest == expected, "memberships topic and last changes"


def check_states(
    world: World, reference: Reference, meta: PartitionMeta, last: dict[str, SegmentChange]
) -> None:
    """Redis holds what the log says, the segments that were published, and nobody else."""
    removal_ms = world.config.removal_days * DAY_MS
    users: defaultdict[int, int] = defaultdict(int)
    unassigned, staying, states = 0, [], []
    for user, known in reference.users.items():
        state = world.redis.values.get(world.keys.user(user))
        is_gone = known.last_ms + removal_ms <= meta.as_of_ms
        if is_gone or not (known.applied or known.forgotten):
            assert state is None, f"{user} should not be in Redis"
            assert segment_of(last.get(user)) == NO_SEGMENT, f"{user} should have left"
            continue
        assert state is not None, f"{user} should be in Redis"
        staying.append(user)
        states.append(state)
    slab, slots = Slab(max(1, len(staying))), np.arange(len(staying))
    codec.decode(slab, slots, states)
    for slot, user in enumerate(staying):
        head = slab.head[slot]
        assert head["segment"] == segment_of(last.get(user)), f"segment of {user}"
        if head["segment"] != NO_SEGMENT:
            assert head["user_version"] == last[user].user_version, f"version of {user}"
            users[int(head["segment"])] += 1
        elif reference.users[user].applied:
            unassigned += 1
            assert head["applied"] < world.config.min_events, f"{user} waits for a segment"
            assert head["known_mask"] == 0, f"{user} waits for a segment"
    check_features(slab, staying, reference.users, meta.as_of_ms)
    assert (meta.users, meta.unassigned) == (users, unassigned), "users by segment"
    assert {user.decode() for user in world.redis.due} == set(staying), "users in `due`"
    assert all(ms > meta.as_of_ms for ms in world.redis.due.values()), "`due` in the past"


def check_features(
    slab: Slab, staying: list[str], users: dict[str, ReferenceUser], as_of_ms: int
) -> None:
    found = vectors(slab, np.arange(len(staying)), as_of_ms)
    values, evidence = found.values.tolist(), found.evidence.tolist()
    for slot, user in enumerate(staying):
        expected = users[user].features(as_of_ms)
        for name, value, behind in zip(FEATURE_NAMES, values[slot], evidence[slot], strict=True):
            wanted, wanted_behind = expected[name]
            assert isclose(behind, wanted_behind, rel_tol=1e-9), f"evidence of {name} of {user}"
            if wanted is None:
                assert isnan(value), f"{name} of {user}"
            else:
                close = isclose(value, wanted, rel_tol=1e-9, abs_tol=1e-9)
                assert close, f"{name} of {user}: {value}, not {wanted}"
