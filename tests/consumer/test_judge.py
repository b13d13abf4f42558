"""Which records are events of the partition, and the reason and sentence of those that are not."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer.judge import Judged, Partitioning
from features.events import Event
from features.tiles import DAY_MS
from producer.partitioner import murmur2_partition
from tests.consumer.builders import ALONE, NOON_MS, event, judged, records_of

AHEAD_MS = 5 * 60_000
TWELVE = Partitioning(partition=11, partitions=12, event_bytes_max=1_000)  # where u42 belongs


def reasons(found: Judged) -> dict[int, str]:
    return {letter.offset: letter.reason for letter in found.dead}


def only_detail(found: Judged) -> str:
    [letter] = found.dead
    return letter.detail


def test_valid_events_come_as_columns() -> None:
    events = [event(at_ms=NOON_MS + 3), event(user="bob", at_ms=NOON_MS + 1)]
    found = judged(
        records_of(events, offsets=[4, 9], timestamps_ms=[NOON_MS + 9, NOON_MS + 2]),
        stream_ms=NOON_MS + 5,
    )
    assert found.events == events
    assert found.user_ids == ["ann", "bob"]
    assert found.times_ms.tolist() == [NOON_MS + 3, NOON_MS + 1]
    assert found.offsets.tolist() == [4, 9]
    assert found.stream_ms.tolist() == [NOON_MS + 9, NOON_MS + 9]
    assert found.stream_end_ms == NOON_MS + 9
    assert found.dead == []


def test_dead_records_leave_no_gap_in_the_columns_but_move_stream_time() -> None:
    found = judged(
        records_of(
            [event(), b"{", event(user="bob"), None],
            timestamps_ms=[NOON_MS, NOON_MS + 7, NOON_MS + 1, NOON_MS + 99],
        )
    )
    assert found.user_ids == ["ann", "bob"]
    assert found.offsets.tolist() == [0, 2]
    assert found.stream_ms.tolist() == [NOON_MS, NOON_MS + 7]
    assert found.stream_end_ms == NOON_MS + 99
    assert [letter.offset for letter in found.dead] == [1, 3]


def test_no_records_are_nothing() -> None:
    found = judged(records_of([]), stream_ms=5)
    assert (found.events, found.dead, found.stream_end_ms) == ([], [], 5)
    assert Judged.nothing(5).stream_end_ms == 5
    assert len(Judged.nothing(5).offsets) == 0


def test_a_dead_letter_is_the_record_as_received() -> None:
    found = judged(
        records_of(
            [event(), b"\xff{"],
            first=40,
            keys=[b"ann", b"\x00key"],
            timestamps_ms=[NOON_MS, NOON_MS + 4],
            headers=[[], [("trace", b"\x01"), ("empty", None)]],
        )
    )
    [letter] = found.dead
    assert (letter.offset, letter.timestamp_ms) == (41, NOON_MS + 4)
    assert (letter.key, letter.value) == (b"\x00key", b"\xff{")
    assert letter.headers == [("trace", b"\x01"), ("empty", None)]


@pytest.mark.parametrize("value", [None, b""])
def test_a_record_without_payload_is_dead(value: bytes | None) -> None:
    found = judged(records_of([value]))
    assert reasons(found) == {0: "empty_value"}
    assert only_detail(found) == "the record has no payload; send a JSON event"


@pytest.mark.parametrize(
    ("value", "reason", "words"),
    [
        (b"{", "not_json", "JSON"),
        (b"[1]", "not_an_object", "object"),
        (b'{"user_id": "ann"}', "missing_field", "event_id"),
        (
            b'{"event_id":"1","user_id":"ann","type":"dance","timestamp":"2026-11-24T12:00:00Z"}',
            "unknown_type",
            "dance",
        ),
        (
            (
                b'{"event_id":"1","user_id":"ann","type":"session","duration_s":-1,'
                b'"timestamp":"2026-11-24T12:00:00Z"}'
            ),
            "invalid_field",
            "duration_s",
        ),
    ],
)
def test_a_payload_that_is_no_event_says_why(value: bytes, reason: str, words: str) -> None:
    found = judged(records_of([value]))
    assert reasons(found) == {0: reason}
    assert words in only_detail(found)


def test_an_oversized_payload_is_dead_whatever_it_is() -> None:
    place = replace(ALONE, event_bytes_max=150)
    fits, too_large = event(campaign_id="c"), event(campaign_id="c" * 150)
    found = judged(records_of([fits, too_large, b"{" * 151]), place=place)
    assert reasons(found) == {1: "oversized", 2: "oversized"}
    assert found.dead[1].detail == "the payload has 151 bytes; at most 150 are taken"
    assert found.events == [fits]


@pytest.mark.parametrize("key", [None, b""])
def test_a_record_without_key_is_dead(key: bytes | None) -> None:
    found = judged(records_of([event()], keys=[key]))
    assert reasons(found) == {0: "empty_key"}
    assert only_detail(found) == "the record has no key; its key must be the user_id 'ann'"


def test_a_key_other_than_the_user_is_dead() -> None:
    found = judged(
        records_of([event(), event(), event(user="ä")], keys=[b"ann", b"bob", "ä".encode()])
    )
    assert reasons(found) == {1: "key_mismatch"}
    assert only_detail(found) == (
        "the record's key b'bob' is not its user_id 'ann'; key every event by user_id"
    )


def test_a_long_key_is_shown_shortened() -> None:
    found = judged(records_of([event()], keys=[b"k" * 5_000]))
    assert len(only_detail(found)) < 200


def test_a_user_of_another_partition_is_dead() -> None:
    elsewhere = murmur2_partition(b"ann", 12)
    assert elsewhere != TWELVE.partition
    found = judged(records_of([event(), event(user="u42"), event()]), place=TWELVE)
    assert reasons(found) == {0: "misrouted", 2: "misrouted"}
    assert found.dead[0].detail == (
        f"user_id 'ann' belongs to partition {elsewhere} but was sent to 11; "
        "the producer must use the partitioner murmur2"
    )
    assert found.user_ids == ["u42"]


def test_users_known_to_belong_here_are_not_hashed_again() -> None:
    found = judged(records_of([event(), event(user="bob")]), place=TWELVE, routed={"ann"})
    assert reasons(found) == {1: "misrouted"}


def test_more_than_five_minutes_ahead_of_its_record_is_dead() -> None:
    ahead = [event(at_ms=NOON_MS + AHEAD_MS + more) for more in (0, 1, 60_000)]
    found = judged(records_of(ahead, timestamps_ms=[NOON_MS] * 3))
    assert reasons(found) == {1: "future", 2: "future"}
    assert found.dead[1].detail == (
        "timestamp lies 360.000 s ahead of the record's own time; "
        "at most 300 s are accepted: check the sender's clock"
    )


def test_the_record_s_own_time_decides_not_stream_time() -> None:
    found = judged(
        records_of([event(at_ms=NOON_MS)], timestamps_ms=[NOON_MS - DAY_MS]), stream_ms=NOON_MS
    )
    assert reasons(found) == {0: "future"}


def test_an_old_event_is_not_dead() -> None:
    assert judged(records_of([event(at_ms=0)], timestamps_ms=[NOON_MS])).dead == []


def test_payload_then_key_then_route_then_time_name_the_reason() -> None:
    late: dict[str, Any] = {"at_ms": NOON_MS + DAY_MS}
    found = judged(
        records_of(
            [b"{", event(**late), event(**late), event(**late), event(user="u42", **late)],
            keys=[None, None, b"bob", b"ann", b"u42"],
            timestamps_ms=[NOON_MS] * 5,
        ),
        place=TWELVE,
    )
    assert list(reasons(found).values()) == [
        "not_json",
        "empty_key",
        "key_mismatch",
        "misrouted",
        "future",
    ]


# What makes a batch take the slow way is one bad record; the others must come out the same.
mixed = st.lists(
    st.sampled_from(
        [
            event(),
            event("profile", "bob", interests=("a",)),
            event("session", "ä", NOON_MS - 40 * DAY_MS),
            event(at_ms=NOON_MS + AHEAD_MS + 1),
            b"{",
            b"",
            None,
            b'{"event_id": 1}',
            b"x" * 1_001,
        ]
    ),
    max_size=12,
)


@given(mixed)
def test_a_batch_is_judged_as_its_records_are_one_by_one(
    values: Sequence[Event | bytes | None],
) -> None:
    times = [NOON_MS] * len(values)
    together = judged(records_of(values, timestamps_ms=times))
    alone = [
        judged(records_of([value], first=i, timestamps_ms=[NOON_MS]))
        for i, value in enumerate(values)
    ]
    assert together.events == [one for found in alone for one in found.events]
    assert together.user_ids == [one.user_id for one in together.events]
    assert together.offsets.tolist() == [i for i, found in enumerate(alone) if found.events]
    assert together.times_ms.tolist() == [int(t) for found in alone for t in found.times_ms]
    assert together.dead == [letter for found in alone for letter in found.dead]
    assert len(together.events) + len(together.dead) == len(values)
