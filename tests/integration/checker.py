"""Is everything that Shoal promises true of what stands in Kafka and Redis now?

Shares no code with the worker: it reads the topics as a subscriber does, Redis by its documented
keys, and folds the events topic with the reference implementation.

    findings = check(deployment)          # when the workers are idle
    assert findings == Findings(), findings
"""

import json
import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from features.catalogue import FEATURE_NAMES
from tests.integration.expected import Expected, expect
from tests.integration.feed import Record, read_topics
from tests.integration.findings import Findings
from tests.integration.stored import (
    StoredPartition,
    StoredUser,
    Version,
    read_model_version,
    read_partition,
)
from tests.integration.trend import count_trend
from tests.reference import DAY_MS
from tests.services.deployment import Deployment

__all__ = ["Findings", "Observed", "check", "count", "count_releases", "observe"]

EVENT_BYTES_MAX = 1_048_588
REMOVAL_DAYS = 90
NO_SEGMENT = -1


@dataclass(frozen=True)
class Observed:
    """One partition in Kafka and Redis."""

    partition: int
    partitions: int
    events: list[Record]
    changes: list[Record]
    memberships: list[Record]
    dead: list[Record]
    models: list[Record]
    stored: StoredPartition


@dataclass(frozen=True)
class Change:
    """A published change, and the record that it came in."""

    body: Mapping[str, Any]
    record: Record

    def __getitem__(self, name: str) -> Any:
        return self.body[name]

    @property
    def segment(self) -> int:
        """Where the user is after it; NO_SEGMENT for nowhere."""
        return self["current"]["id"] if self["current"] else NO_SEGMENT

    @property
    def move(self) -> str:
        """From where to where, and why, as the trend writes it."""
        previous = self["previous"]["id"] if self["previous"] else NO_SEGMENT
        return f"{previous}>{self.segment}:{self['cause']}"


def check(
    deployment: Deployment,
    everything: list[Observed] | None = None,
    *,
    event_bytes_max: int = EVENT_BYTES_MAX,
    removal_days: int = REMOVAL_DAYS,
) -> Findings:
    """Check a deployment whose workers are idle or gone; read it, unless that is done already."""
    everything = everything or list(observe(deployment))
    copied = read_model_version(deployment.redis_url, deployment.namespace)
    return sum(
        (
            count(observed, event_bytes_max=event_bytes_max, removal_days=removal_days)
            for observed in everything
        ),
        Findings(models_backwards=count_releases(everything[0].models, copied)),
    )


def observe(deployment: Deployment) -> Iterator[Observed]:
    """Read everything that there is of a deployment, partition by partition."""
    names = deployment.topics
    topics = (names.events, names.changes, names.memberships, names.dead, names.models)
    found = read_topics(deployment.kafka, *topics)
    events, changes, memberships, dead, models = (found[topic] for topic in topics)
    for number in events:
        yield Observed(
            number,
            len(events),
            events[number],
            changes[number],
            memberships[number],
            dead[number],
            models[0],
            read_partition(deployment.redis_url, deployment.namespace, number),
        )


def count(
    observed: Observed,
    *,
    event_bytes_max: int = EVENT_BYTES_MAX,
    removal_days: int = REMOVAL_DAYS,
) -> Findings:
    """Count what is wrong with one partition."""
    expected = expect(observed.events, observed.partition, observed.partitions, event_bytes_max)
    changes = [Change(json.loads(record.value or b"{}"), record) for record in observed.changes]
    last = {change["user_id"]: change for change in changes}  # the last one of each user
    stored = observed.stored
    return Findings(
        records_unread=_unread(observed),
        **_sequences(changes, stored),
        changes_disordered=_disordered(changes),
        changes_misplaced=sum(_is_misplaced(change, observed.partition) for change in changes),
        user_versions_broken=_broken_chains(changes),
        memberships_differing=_memberships_differing(observed.memberships, last),
        states_differing=_states_differing(stored.users, last),
        features_differing=_features_differing(stored, expected, removal_days * DAY_MS),
        outcomes_differing=_outcomes_differing(stored, expected),
        **_dead_letters(observed, expected),
        outbox_unpublished=_unpublished(observed, changes),
        user_counts_differing=_user_counts_differing(stored),
        due_differing=_due_differing(stored),
        trend_differing=count_trend(
            stored.trend,
            stored.meta,
            observed.events,
            expected.reference.outcomes,
            ((change["source_offset"], change.move) for change in changes),
        ),
        models_backwards=_models_backwards(changes, observed.models),
    )


def count_releases(models: list[Record], copied: Version | None) -> int:
    """Count releases out of order; and Redis's copy, if it is not the newest.

    Redis may have lost its copy (it is written again with the next release); it may not be another.
    """
    versions = _released(models)
    stale = copied is not None and copied != (max(versions) if versions else None)
    return sum(after <= before for before, after in pairwise(versions)) + stale


def _released(models: list[Record]) -> list[Version]:
    # Keys are versions; answers to operators stand between the releases under keys of their own.
    found = (re.fullmatch(rb"(\d+)\.(\d+)", record.key or b"") for record in models)
    return [(int(one[1]), int(one[2])) for one in found if one]


def _models_backwards(changes: list[Change], models: list[Record]) -> int:
    released = set(_released(models))
    wrong, major = 0, 0
    for change in changes:
        if change["model_version"] is None:
            continue  # decided before there was a model
        version = tuple(map(int, change["model_version"].split(".")))
        wrong += version not in released or version[0] < major
        major = max(major, version[0])
    return wrong


def _unread(observed: Observed) -> int:
    meta = observed.stored.meta
    applied = meta["applied_offset"] if meta else 0
    return sum(record.offset >= applied for record in observed.events)


def _sequences(changes: list[Change], stored: StoredPartition) -> dict[str, int]:
    times = Counter(change["sequence"] for change in changes)
    highest = max([*times, stored.meta["sequence"] if stored.meta else 0])
    return {
        "sequences_missing": sum(number not in times for number in range(1, highest + 1)),
        "sequences_repeated": sum(n - 1 for n in times.values()),
    }


def _disordered(changes: list[Change]) -> int:
    return sum(
        after["sequence"] < before["sequence"] or after["source_offset"] < before["source_offset"]
        for before, after in pairwise(changes)
    )


def _is_misplaced(change: Change, partition: int) -> bool:
    record, change_id = change.record, f"{partition}-{change['sequence']}"
    return not (
        record.key == change["user_id"].encode()
        and change["change_id"] == record.header("ce_id") == change_id
        and record.header("ce_type") == "shoal.segment.changed.v1"
        and record.header("ce_time") == change["changed_at"]
    )


def _broken_chains(changes: list[Change]) -> int:
    broken, before = 0, dict[str, Change]()
    for change in changes:
        earlier = before.get(change["user_id"])
        if earlier is None or earlier["current"] is None:
            follows = change["user_version"] == 1 and change["previous"] is None
        else:
            # A segment may be called otherwise in a newer model; its id stays.
            follows = (
                change["user_version"] == earlier["user_version"] + 1
                and change["previous"] is not None
                and change["previous"]["id"] == earlier.segment
                and change.segment != earlier.segment
            )
        broken += not follows
        before[change["user_id"]] = change
    return broken


def _memberships_differing(memberships: list[Record], last: dict[str, Change]) -> int:
    latest: dict[str, Any] = {}
    for record in memberships:
        latest[(record.key or b"").decode()] = json.loads(record.value) if record.value else None
    return sum(
        not _is_membership_of(latest.get(user_id), last.get(user_id))
        for user_id in latest.keys() | last.keys()
    )


def _is_membership_of(membership: Any, change: Change | None) -> bool:
    if change is None or change["current"] is None:
        return membership is None
    if membership is None:
        return False
    same = ("user_id", "user_version", "sequence", "model_version")
    return membership["segment"] == change["current"] and all(
        membership[name] == change[name] for name in same
    )


def _states_differing(users: dict[str, StoredUser], last: dict[str, Change]) -> int:
    differing = 0
    for user_id in users.keys() | last.keys():
        user, change = users.get(user_id), last.get(user_id)
        published = (change.segment, change["user_version"]) if change else (NO_SEGMENT, 0)
        if published[0] == NO_SEGMENT:
            published = (NO_SEGMENT, 0)  # nothing is left of a user who is gone
        stored = (user.segment, user.user_version) if user else (NO_SEGMENT, 0)
        differing += published != stored
    return differing


def _features_differing(stored: StoredPartition, expected: Expected, removal_ms: int) -> int:
    as_of_ms = stored.meta["as_of_ms"] if stored.meta else 0
    reference = expected.reference
    present = {
        user_id
        for user_id, user in reference.users.items()
        if (user.applied or user.forgotten) and user.last_ms + removal_ms > as_of_ms
    }
    differing = len(present ^ stored.users.keys())
    for user_id in present & stored.users.keys():
        user, should = stored.users[user_id], reference.users[user_id]
        features = reference.features(user_id, as_of_ms)
        differing += not (
            user.applied == len(should.applied)
            and user.forgotten == should.forgotten
            and all(same_value(user.features[name], features[name][0]) for name in FEATURE_NAMES)
        )
    return differing


def same_value(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return one is other
    return math.isclose(one, other, rel_tol=1e-5, abs_tol=1e-9)


def _outcomes_differing(stored: StoredPartition, expected: Expected) -> int:
    outcomes = stored.meta["outcomes"] if stored.meta else {"dead": {}}
    counted = Counter({f"dead: {reason}": n for reason, n in outcomes["dead"].items()})
    counted.update({name: outcomes.get(name, 0) for name in ("applied", "duplicate", "late")})
    should = Counter(expected.outcomes)
    return sum(abs(counted[name] - should[name]) for name in counted.keys() | should.keys())


def _dead_letters(observed: Observed, expected: Expected) -> dict[str, int]:
    received = {record.offset: record for record in observed.events}
    letters: dict[int, list[Record]] = {}
    for letter in observed.dead:
        letters.setdefault(int(letter.header("shoal.error.offset") or -1), []).append(letter)
    altered = sum(
        not _is_letter_of(letter, received[offset], expected.dead[offset], observed.partition)
        for offset, found in letters.items()
        if offset in expected.dead
        for letter in found
    )
    return {
        "dead_letters_missing": len(expected.dead.keys() - letters.keys()),
        "dead_letters_repeated": sum(
            len(found) - (offset in expected.dead) for offset, found in letters.items()
        ),
        "dead_letters_altered": altered,
    }


def _is_letter_of(letter: Record, record: Record, reason: str, partition: int) -> bool:
    return (
        (letter.key, letter.value) == (record.key, record.value)
        and letter.headers[: len(record.headers)] == record.headers
        and letter.header("shoal.error.reason") == reason
        and bool(letter.header("shoal.error.detail"))
        and letter.header("shoal.error.partition") == str(partition)
        and letter.header("shoal.error.timestamp") == str(record.timestamp_ms)
    )


def _unpublished(observed: Observed, changes: list[Change]) -> int:
    outbox = observed.stored.outbox
    last_sequence = max((change["sequence"] for change in changes), default=0)
    offsets = [int(letter.header("shoal.error.offset") or -1) for letter in observed.dead]
    last_dead = max(offsets, default=-1)
    return len([one for one in outbox.get("changes", []) if one["sequence"] > last_sequence]) + len(
        [letter for letter in outbox.get("dead", []) if letter[0] > last_dead]
    )


def _user_counts_differing(stored: StoredPartition) -> int:
    meta = stored.meta or {"users": {}, "unassigned": 0}
    counted = Counter({int(segment): n for segment, n in meta["users"].items()})
    counted[NO_SEGMENT] = meta["unassigned"]
    should = Counter(user.segment for user in stored.users.values() if not user.forgotten)
    return sum(abs(counted[name] - should[name]) for name in counted.keys() | should.keys())


def _due_differing(stored: StoredPartition) -> int:
    as_of_ms = stored.meta["as_of_ms"] if stored.meta else 0
    past = sum(ms <= as_of_ms for ms in stored.due.values())
    return len(stored.due.keys() ^ stored.users.keys()) + past
