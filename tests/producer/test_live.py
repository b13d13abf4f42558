from __future__ import annotations

import itertools

from features.events import epoch_ms
from features.tiles import DAY_MS
from producer.live import LiveSettings, LiveStream

NOON_MS = 20_500 * DAY_MS + DAY_MS // 2
SETTINGS = LiveSettings(users=100, seed=7)


def test_history_ends_where_live_begins() -> None:
    stream = LiveStream(SETTINGS, NOON_MS)
    history = list(stream.history())
    live = list(itertools.islice(stream.live(), 2000))
    times = [timed.record_ms for timed in history + live]
    assert times == sorted(times)
    assert history[-1].record_ms < NOON_MS <= live[0].record_ms
    assert NOON_MS // DAY_MS - history[0].record_ms // DAY_MS == SETTINGS.history_days


def test_live_goes_on_at_the_same_rate_with_the_same_users() -> None:
    stream = LiveStream(SETTINGS, NOON_MS)
    history = list(stream.history())
    live = list(itertools.islice(stream.live(), 4000))
    per_day_before = len(history) / (SETTINGS.history_days + 0.5)
    per_day_after = len(live) / ((live[-1].record_ms - NOON_MS) / DAY_MS)
    assert 0.8 < per_day_after / per_day_before < 1.25
    assert {t.event.user_id for t in live} <= {t.event.user_id for t in history}
    distinct = {timed.event.event_id for timed in history + live}
    assert 0.98 < len(distinct) / len(history + live) < 1


def test_one_seed_gives_one_stream() -> None:
    def payloads() -> list[bytes]:
        stream = LiveStream(SETTINGS, NOON_MS)
        both = itertools.chain(stream.history(), itertools.islice(stream.live(), 500))
        return [timed.payload for timed in both]

    assert payloads() == payloads()


def test_users_keep_switching_persona_while_the_stream_is_live() -> None:
    stream = LiveStream(LiveSettings(users=300, seed=7, switches_per_day=0.02), NOON_MS)
    last = next(itertools.islice(stream.live(), 12_000, None))
    days = last.record_ms // DAY_MS - NOON_MS // DAY_MS
    switched = [user.switched_at for user in stream.truth() if user.switched_at is not None]
    live = [at for at in switched if at > "2026-02-16"]
    assert days > 5
    assert 0.5 < len(live) / (300 * 0.02 * days) < 2


def test_history_left_unread_is_skipped() -> None:
    stream = LiveStream(SETTINGS, NOON_MS)
    next(stream.history())
    assert next(stream.live()).record_ms >= NOON_MS


def test_events_happen_before_they_arrive() -> None:
    stream = LiveStream(SETTINGS, NOON_MS)
    assert all(epoch_ms(t.event.timestamp) <= t.record_ms for t in stream.history())
