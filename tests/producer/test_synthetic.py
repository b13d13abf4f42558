from __future__ import annotations

import itertools
import os
import subprocess
import sys
import tracemalloc
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.events import decode_event, epoch_ms
from features.tiles import DAY_MS
from producer.errors import UnusableSettings
from producer.personas import INTERESTS, PERSONAS
from producer.population import decay_of_breadth
from producer.synthetic import SyntheticSettings, SyntheticStream, TimedEvent, UserTruth
from producer.truth import encode_truth

ROOT = Path(__file__).parents[2]
SETTINGS = SyntheticSettings(users=400, events=40_000, seed=7)


@pytest.fixture(scope="module")
def stream() -> SyntheticStream:
    return SyntheticStream(SETTINGS)


@pytest.fixture(scope="module")
def events(stream: SyntheticStream) -> list[TimedEvent]:
    return list(stream.events())


@pytest.fixture(scope="module")
def truth(stream: SyntheticStream) -> dict[str, UserTruth]:
    return {user.user_id: user for user in stream.truth()}


def first_of_each_id(events: list[TimedEvent]) -> Iterator[TimedEvent]:
    seen: set[str] = set()
    for timed in events:
        if timed.event.event_id not in seen:
            seen.add(timed.event.event_id)
            yield timed


DIGEST = """
import hashlib
from producer.synthetic import SyntheticSettings, SyntheticStream
from producer.truth import encode_truth
stream = SyntheticStream(SyntheticSettings(users=50, events=3000, seed=11))
digest = hashlib.sha256()
for record_ms, _, payload in stream.events():
    digest.update(b"%d %b" % (record_ms, payload))
for user in stream.truth():
    digest.update(encode_truth(user))
print(digest.hexdigest())
"""


def test_one_seed_gives_the_same_bytes_in_every_process() -> None:
    digests = {
        subprocess.run(
            [sys.executable, "-c", DIGEST],
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            cwd=ROOT,
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for hash_seed in ("0", "1", "4242")
    }
    assert len(digests) == 1


def test_another_seed_gives_another_stream_without_a_common_event_id() -> None:
    def ids(seed: int) -> set[str]:
        stream = SyntheticStream(SyntheticSettings(users=20, events=500, seed=seed))
        return {timed.event.event_id for timed in stream.events()}

    assert ids(1).isdisjoint(ids(2))


def test_stream_can_be_read_again(stream: SyntheticStream, events: list[TimedEvent]) -> None:
    again = itertools.islice(stream.events(), 1000)
    assert list(again) == events[:1000]


@settings(max_examples=60, deadline=None)
@given(
    users=st.integers(1, 120),
    number=st.integers(1, 600),
    days=st.integers(1, 40),
    personas=st.integers(2, len(PERSONAS)),
    seed=st.integers(0, 1000),
)
def test_exactly_as_many_records_as_asked_for(
    users: int, number: int, days: int, personas: int, seed: int
) -> None:
    stream = SyntheticStream(
        SyntheticSettings(users=users, events=number, seed=seed, days=days, personas=personas)
    )
    events = list(stream.events())
    assert len(events) == number
    assert sum(user.events for user in stream.truth()) == number


def test_number_is_exact_with_every_share_at_its_extreme() -> None:
    stream = SyntheticStream(
        SyntheticSettings(
            users=60,
            events=5000,
            seed=3,
            switchers=1.0,
            joiners=1.0,
            thin=0.5,
            profiled=1.0,
            bots=1.0,
            duplicates=0.4,
            out_of_order=1.0,
            late=0.1,
        )
    )
    assert sum(1 for _ in stream.events()) == 5000


def test_order_is_that_of_arrival_and_nothing_arrives_before_it_happened(
    events: list[TimedEvent],
) -> None:
    assert all(a.record_ms <= b.record_ms for a, b in itertools.pairwise(events))
    assert all(epoch_ms(timed.event.timestamp) <= timed.record_ms for timed in events)


def test_payload_is_the_event(events: list[TimedEvent]) -> None:
    assert all(decode_event(timed.payload) == timed.event for timed in events)


def test_duplicates_come_again_within_a_few_events_of_the_user(events: list[TimedEvent]) -> None:
    recent: dict[str, list[str]] = {}
    repeated = 0
    for _, event, _ in events:
        ids = recent.setdefault(event.user_id, [])
        if event.event_id in ids:
            repeated += 1
            assert len(ids) - ids.index(event.event_id) <= 16
        ids.append(event.event_id)
    assert repeated == round(SETTINGS.events * SETTINGS.duplicates)


def test_late_events_are_outside_the_window_when_they_arrive(events: list[TimedEvent]) -> None:
    late = [
        timed
        for timed in events
        if epoch_ms(timed.event.timestamp) // DAY_MS < timed.record_ms // DAY_MS - 27
    ]
    assert len(late) == round(SETTINGS.events * SETTINGS.late)


def test_share_of_out_of_order_events_is_as_asked_for(events: list[TimedEvent]) -> None:
    behind = [timed.record_ms - epoch_ms(timed.event.timestamp) for timed in events]
    out_of_order = sum(60_000 < ms < 7 * 3_600_000 for ms in behind)
    assert out_of_order / len(events) == pytest.approx(SETTINGS.out_of_order, abs=0.003)


def test_every_type_but_forget_occurs(events: list[TimedEvent]) -> None:
    assert len(Counter(timed.event.type for timed in events)) == 10


def test_activity_is_heavy_tailed_and_some_users_are_thin(
    events: list[TimedEvent], truth: dict[str, UserTruth]
) -> None:
    by_user = Counter(timed.event.user_id for timed in events if not truth[timed.event.user_id].bot)
    counts = np.sort(np.array(list(by_user.values())))
    assert np.quantile(counts, 0.99) > 3 * np.median(counts)
    thin = [user for user in truth.values() if user.thin]
    assert len(thin) == round(SETTINGS.users * SETTINGS.thin)
    assert all(1 <= user.distinct_events <= 4 for user in thin)


def test_bot_makes_hundreds_of_events_in_ten_minutes(
    events: list[TimedEvent], truth: dict[str, UserTruth]
) -> None:
    bots = [user.user_id for user in truth.values() if user.bot]
    assert bots
    for bot in bots:
        times = np.sort([epoch_ms(e.timestamp) for _, e, _ in events if e.user_id == bot])
        within = np.searchsorted(times, times + 600_000) - np.arange(len(times))
        assert within.max() >= 200


def test_truth_counts_the_events_of_each_user(
    events: list[TimedEvent], truth: dict[str, UserTruth]
) -> None:
    records = Counter(timed.event.user_id for timed in events)
    assert {user.user_id: user.events for user in truth.values() if user.events} == records
    assert len(truth) == SETTINGS.users


def test_observed_shares_are_binomial_around_the_true_rates(
    events: list[TimedEvent], truth: dict[str, UserTruth]
) -> None:
    counts: Counter[tuple[str, str]] = Counter(
        (timed.event.user_id, timed.event.type) for timed in first_of_each_id(events)
    )
    for rate, trial, success in (
        ("ctr", "ad_impression", "ad_click"),
        ("conversion_rate", "ad_click", "conversion"),
    ):
        users = [user for user in truth.values() if not user.bot]
        trials = np.array([counts[user.user_id, trial] for user in users])
        successes = np.array([counts[user.user_id, success] for user in users])
        rates = np.array([user.rates[rate] for user in users])
        deviation = (successes - trials * rates).sum() / np.sqrt(
            (trials * rates * (1 - rates)).sum()
        )
        assert abs(deviation) < 3.5, rate
        chi2 = (successes - trials * rates) ** 2 / np.maximum(trials * rates * (1 - rates), 1e-9)
        seen = trials > 0
        # Its mean is 1 for binomial counts and well above when the rates vary unseen.
        assert 0.8 < chi2[seen].mean() < 1.25, rate


def test_hours_and_ad_seconds_are_those_of_the_truth(
    events: list[TimedEvent], truth: dict[str, UserTruth]
) -> None:
    steady = {
        user.user_id: user
        for user in truth.values()
        if user.switched_to is None and not user.thin and not user.bot
    }
    sums: defaultdict[tuple[str, str], float] = defaultdict(float)
    for _, event, _ in first_of_each_id(events):
        if event.type == "session":
            weekend = event.timestamp.weekday() >= 5
            sums[event.user_id, "weekend" if weekend else "weekday"] += event.duration_s or 0
    for kind, days in (("weekday", 20), ("weekend", 8)):
        ratios = [
            sums[user_id, kind] / 3600 / days / user.rates[f"{kind}_hours"]
            for user_id, user in steady.items()
            if user.distinct_events >= 60
        ]
        assert np.mean(ratios) == pytest.approx(1, abs=0.08), kind


def test_switchers_say_when_and_to_whom(truth: dict[str, UserTruth]) -> None:
    switchers = [user for user in truth.values() if user.switched_to is not None]
    assert len(switchers) == round(SETTINGS.users * SETTINGS.switchers)
    for user in switchers:
        assert user.switched_to_segment not in (None, user.segment)
        assert user.segment_at_end == user.switched_to_segment
        assert user.switched_at is not None
        assert "2026-01-13" <= user.switched_at[:10] <= "2026-01-18"
    steady = [user for user in truth.values() if user.switched_to is None]
    assert all(user.segment_at_end == user.segment for user in steady)
    assert all(PERSONAS[user.segment].name == user.persona for user in truth.values())


def test_profiles_carry_traits_and_metrics_near_the_truth(
    events: list[TimedEvent], truth: dict[str, UserTruth]
) -> None:
    profiles = [timed.event for timed in first_of_each_id(events) if timed.event.type == "profile"]
    assert len(profiles) == round(SETTINGS.users * SETTINGS.profiled)
    assert all(profile.device is None for profile in profiles)
    errors = []
    for profile in profiles:
        assert profile.traits is not None
        assert profile.metrics is not None
        user = truth[profile.user_id]
        if user.switched_to is None:
            errors.append((profile.metrics.weekend_hours or 0) / user.rates["weekend_hours"])
    assert np.median(errors) == pytest.approx(1, abs=0.1)


def test_truth_lines_are_json_with_the_documented_names(truth: dict[str, UserTruth]) -> None:
    line = msgspec.json.decode(encode_truth(truth["u1"]))
    assert {
        "user_id",
        "persona",
        "segment",
        "switched_to",
        "switched_at",
        "segment_at_end",
        "bot",
        "events",
        "rates",
    } <= set(line)
    assert {"ctr", "conversion_rate", "weekday_hours", "mobile_share"} <= set(line["rates"])


def test_truth_without_reading_the_events_is_the_same(truth: dict[str, UserTruth]) -> None:
    assert SyntheticStream(SETTINGS).truth() == list(truth.values())


def test_breadth_is_the_effective_number_of_interests() -> None:
    breadth = np.array([1.5, 3.0, 8.0, 14.0])
    weights = decay_of_breadth(breadth)[:, None] ** np.arange(len(INTERESTS))
    weights /= weights.sum(axis=1, keepdims=True)
    effective = np.exp(-(weights * np.log(weights)).sum(axis=1))
    np.testing.assert_allclose(effective, breadth, rtol=0.01)


def test_personas_are_told_apart_by_name_and_first_interest() -> None:
    assert len({persona.name for persona in PERSONAS}) == len(PERSONAS)
    assert len({persona.favourites[0] for persona in PERSONAS}) == len(PERSONAS)
    assert all(set(persona.favourites) <= set(INTERESTS) for persona in PERSONAS)


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("users", 0),
        ("events", 0),
        ("days", 0),
        ("seed", -1),
        ("personas", 1),
        ("personas", 13),
        ("drift", -0.1),
        ("switchers", 1.5),
        ("start", 1),
    ],
)
def test_impossible_setting_is_named(setting: str, value: float) -> None:
    known = {"users": 10, "events": 10, "seed": 1}
    field = "start_ms" if setting == "start" else setting
    with pytest.raises(UnusableSettings, match=f"^{setting}: "):
        SyntheticSettings(**{**known, field: value})  # type: ignore[arg-type]


def test_one_day_is_in_memory_at_a_time() -> None:
    long = SyntheticStream(SyntheticSettings(users=50, events=2_000_000, seed=1, days=400))
    tracemalloc.start()
    try:
        for _ in itertools.islice(long.events(), 20_000):
            pass
        peak_bytes = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    # A day of 5,000 events is below 10 MB; the whole stream would be some hundred.
    assert peak_bytes < 20_000_000
