"""One long skewed stream in many batches: what small generated streams do not reach."""

import math
import random
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from features.catalogue import FEATURE_NAMES
from features.codec import decode, encode
from features.columns import build_columns
from features.events import EVENT_TYPES, Event, Metrics, Traits, validate_event
from features.fold import fold
from features.slab import Slab
from features.vector import vectors
from tests.reference import DAY_MS, HOUR_MS, Reference, time_ms_of

USERS = 40
EVENTS = 6000
START_MS = int(datetime(2027, 12, 12, tzinfo=UTC).timestamp()) * 1000


def records_of(rng: random.Random) -> list[tuple[int, Event]]:
    """Sixty days around a year end; a bot, repeats, late and out-of-order events."""
    records: list[tuple[int, Event]] = []
    for number in range(EVENTS):
        now_ms = START_MS + number * 60 * DAY_MS // EVENTS
        if records and rng.random() < 0.03:
            records.append((now_ms, rng.choice(records[-40:])[1]))
            continue
        kind = rng.choices(EVENT_TYPES, [5, 20, 5, 2, 1, 20, 6, 4, 2, 1, 0.1])[0]
        delay_ms = rng.choice([0, 0, 0, -4 * 60_000, 2 * HOUR_MS, 3 * DAY_MS, 40 * DAY_MS])
        user = 0 if rng.random() < 0.2 else int(USERS * rng.random() ** 2)
        records.append((now_ms, event_of(rng, number, kind, user, now_ms - delay_ms)))
    return records


def event_of(rng: random.Random, number: int, kind: str, user: int, time_ms: int) -> Event:
    interests = [f"topic {int(60 * rng.random() ** 2)}" for _ in range(rng.choice([0, 0, 1, 3, 8]))]
    return validate_event(
        Event(
            event_id=f"e{number}",
            user_id=f"u{user}",
            type=kind,  # type: ignore[arg-type]
            timestamp=datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=time_ms),
            device=rng.choice([None, "mobile", "desktop"]),
            interests=tuple(interests),
            duration_s=rng.expovariate(1 / 300) % 86_000 + 0.1,
            amount=round(rng.expovariate(1 / 40), 2),
            traits=Traits(age=rng.choice(["18-24", "65+"])) if kind == "profile" else None,
            metrics=Metrics(ctr=rng.random(), weekday_hours=2.0, followed_accounts=number)
            if kind == "profile"
            else None,
        )
    )


@pytest.mark.parametrize("seed", [1, 2])
def test_a_long_stream_equals_the_reference_and_batches_leave_no_trace(seed: int) -> None:
    rng = random.Random(seed)
    records = records_of(rng)
    reference = Reference()
    split, whole = Slab(USERS), Slab(USERS)
    slots = np.arange(USERS)
    done, outcomes, whole_outcomes = 0, [], []
    while done < len(records):
        batch = records[done : done + rng.choice([1, 10, 100, 1000])]
        done += len(batch)
        outcomes += fold_batch(split, batch, reference.stream_ms)
        for record_timestamp_ms, event in batch:
            reference.feed(record_timestamp_ms, event)
        if rng.random() < 0.2:
            values = encode(split, slots)
            split = Slab(USERS)
            decode(split, slots, values)
            assert_same_features(split, reference, seed)
    whole_outcomes = fold_batch(whole, records, 0)
    names = ["applied", "duplicate", "late"]
    assert reference.outcomes == [names[code] for code in outcomes]
    assert outcomes == whole_outcomes
    assert min(reference.counts[name] for name in names) > 10
    assert encode(split, slots) == encode(whole, slots)
    assert_same_features(whole, reference, seed)


def fold_batch(slab: Slab, batch: list[tuple[int, Event]], stream_ms: int) -> list[int]:
    stamps = np.array([max(stream_ms, record_timestamp_ms) for record_timestamp_ms, _ in batch])
    events = [event for _, event in batch]
    rows = [int(event.user_id[1:]) for event in events]
    columns = build_columns(events, rows, np.maximum.accumulate(stamps), slab.interests)
    assert columns.time_ms.tolist() == [time_ms_of(event) for event in events]
    outcome: list[int] = fold(slab, columns).outcome.tolist()
    return outcome


def assert_same_features(slab: Slab, reference: Reference, seed: int) -> None:
    found = vectors(slab, np.arange(USERS), reference.stream_ms)
    for user in range(USERS):
        expected = reference.features(f"u{user}", reference.stream_ms)
        for column, name in enumerate(FEATURE_NAMES):
            value, evidence = expected[name]
            got = found.values[user, column]
            where = f"seed {seed}: {name} of u{user} at {reference.stream_ms}"
            assert math.isclose(evidence, found.evidence[user, column], rel_tol=1e-9), where
            same = math.isnan(got) if value is None else math.isclose(value, got, rel_tol=1e-9)
            assert same, where
