"""Events are valid by construction or rejected with a sentence."""

import json
import pickle
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.errors import MalformedEvent
from features.events import (
    EVENT_TYPES,
    Event,
    Metrics,
    Traits,
    decode_event,
    encode_event,
    epoch_ms,
    event_id_hash,
    validate_event,
)
from tests.features.streams import Record, streams

PAGE_VIEW = {
    "event_id": "e1",
    "user_id": "u1",
    "type": "page_view",
    "timestamp": "2026-11-24T03:00:00.123Z",
}


def payload(**changes: Any) -> bytes:
    """A page view with fields changed, or left out where the value is ``...``."""
    fields = {**PAGE_VIEW, **changes}
    return json.dumps({name: value for name, value in fields.items() if value is not ...}).encode()


def event(**changes: Any) -> Event:
    fields: dict[str, Any] = {**PAGE_VIEW, "timestamp": datetime(2026, 11, 24, tzinfo=UTC)}
    return Event(**{**fields, **changes})


VALID = [
    payload(),
    payload(unknown={"nested": [1, 2]}, campaign_id=None, device=None, amount=None),
    payload(timestamp="2026-11-24t03:00:00z"),
    payload(timestamp="2026-11-24T03:00:00.123456789-11:30"),
    payload(timestamp="2024-02-29T23:59:59.999999+14:00"),
    payload(type="session", duration_s=86_400),
    payload(type="ad_engagement", duration_s=0.001),
    payload(type="conversion"),
    payload(type="conversion", amount=0),
    payload(duration_s=0),
    payload(type="profile", traits={"age": "25-34", "interests": ["a", "b"]}),
    payload(type="profile", metrics={"followed_accounts": 190.0}),
    payload(type="profile", device="mobile"),
    payload(type="profile", interests=["Gaming"]),
    payload(type="forget"),
    payload(event_id="x" * 64, user_id="é" * 128, interests=["i" * 64] * 8),
    payload(user_id="a\u200db \U0001f600"),
    payload(event_id="first").replace(b"{", b'{"event_id": "replaced by a later one", ', 1),
]


@pytest.mark.parametrize("good", VALID, ids=range(len(VALID)))
def test_a_valid_payload_is_an_event_and_survives_encoding(good: bytes) -> None:
    decoded = decode_event(good)
    assert decoded == decode_event(encode_event(decoded))
    assert decoded == validate_event(decoded)


# payload, reason, field, what the sentence must contain
MALFORMED = [
    (b"", "not_json", "", "empty"),
    (b" \n", "not_json", "", "empty"),
    (b"{", "not_json", "", "not JSON"),
    (payload() + b"x", "not_json", "", "trailing"),
    (b"\xff\xfe{}", "not_json", "", "0xff at position 0"),
    (payload().replace(b"u1", b"u\xff"), "not_json", "", "UTF-8"),
    (b"\xef\xbb\xbf" + payload(), "not_json", "", "byte order mark"),
    (payload().replace(b"u1", b"\\ud800"), "not_json", "", "surrogate"),
    (payload()[:-1] + b', "amount": NaN}', "not_json", "", "finite"),
    (payload()[:-1] + b', "x": ' + b"[" * 100_000, "not_json", "", "nested too deeply"),
    (b"[]", "not_an_object", "", "[]"),
    (b"null", "not_an_object", "", "null"),
    (b'"text"', "not_an_object", "", '"text"'),
    (payload(event_id=...), "missing_field", "event_id", "1 to 64"),
    (payload(user_id=...), "missing_field", "user_id", "1 to 128"),
    (payload(type=...), "missing_field", "type", "page_view"),
    (payload(timestamp=...), "missing_field", "timestamp", "RFC 3339"),
    (payload(type="session"), "missing_field", "duration_s", "session"),
    (payload(type="zap"), "unknown_type", "type", '"zap"'),
    (payload(type=7), "invalid_field", "type", "7"),
    (payload(event_id=""), "invalid_field", "event_id", '""'),
    (payload(event_id="x" * 65), "invalid_field", "event_id", "1 to 64"),
    (payload(user_id=None), "invalid_field", "user_id", "null"),
    (payload(user_id="x" * 129), "invalid_field", "user_id", "..."),
    (payload(user_id="a\x00b"), "invalid_field", "user_id", "U+0000"),
    (payload(user_id="a\nb"), "invalid_field", "user_id", "U+000A"),
    (payload(timestamp=1_700_000_000), "invalid_field", "timestamp", "1700000000"),
    (payload(timestamp="2026-11-24T03:00:00"), "invalid_field", "timestamp", "offset"),
    (payload(timestamp="2026-11-24T23:59:60Z"), "invalid_field", "timestamp", "seconds to 59"),
    (payload(timestamp="2026-11-24T24:00:00Z"), "invalid_field", "timestamp", "hours to 23"),
    (payload(timestamp="2026-02-29T00:00:00Z"), "invalid_field", "timestamp", "2026-02-29"),
    (payload(timestamp="9999-12-31T23:59:59-12:00"), "invalid_field", "timestamp", "9998"),
    (payload(timestamp="0001-01-01T00:00:00+14:00"), "invalid_field", "timestamp", "year 2"),
    (payload(device="tv"), "invalid_field", "device", "tablet"),
    (payload(interests=None), "invalid_field", "interests", "null"),
    (payload(interests=["a"] * 9), "invalid_field", "interests", "at most 8"),
    (payload(interests=["ok", "b" * 65]), "invalid_field", "interests[1]", "1 to 64"),
    (payload(duration_s="5"), "invalid_field", "duration_s", '"5"'),
    (payload(duration_s=86_401), "invalid_field", "duration_s", "86401"),
    (payload(type="session", duration_s=0), "invalid_field", "duration_s", "above 0"),
    (payload(amount=-1), "invalid_field", "amount", "-1"),
    (payload()[:-1] + b', "amount": 1e999}', "invalid_field", "amount", "Infinity"),
    (payload()[:-1] + b', "amount": 1' + b"0" * 5000 + b"}", "invalid_field", "amount", "range"),
    (payload(type="profile"), "invalid_field", "traits", "nothing in it"),
    (payload(type="profile", traits={"shoe": 5}), "invalid_field", "traits", "nothing in it"),
    (payload(type="profile", traits={"age": 5}), "invalid_field", "traits.age", "string"),
    (payload(type="profile", traits={"age": ["a", ""]}), "invalid_field", "traits.age[1]", '""'),
    (payload(type="profile", metrics={"ctr": 1.1}), "invalid_field", "metrics.ctr", "1.1"),
    (
        payload(type="profile", metrics={"followed_accounts": 1.5}),
        "invalid_field",
        "metrics.followed_accounts",
        "whole number",
    ),
]


@pytest.mark.parametrize(("bad", "reason", "field", "part"), MALFORMED, ids=range(len(MALFORMED)))
def test_a_malformed_payload_is_rejected_with_reason_field_and_sentence(
    bad: bytes, reason: str, field: str, part: str
) -> None:
    with pytest.raises(MalformedEvent) as caught:
        decode_event(bad)
    assert (reason, field) == (caught.value.reason, caught.value.field)
    assert part in caught.value.sentence
    assert len(caught.value.sentence) < 400
    assert "\n" not in caught.value.sentence
    caught.value.sentence.encode()
    assert pickle.loads(pickle.dumps(caught.value)).sentence == caught.value.sentence


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=60))
def test_arbitrary_bytes_are_malformed(data: bytes) -> None:
    with pytest.raises(MalformedEvent):
        decode_event(data)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=5,
)


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(st.sampled_from(Event.__struct_fields__), json_values, max_size=4))
def test_any_values_are_an_event_or_malformed(changes: dict[str, object]) -> None:
    try:
        decode_event(payload(**changes))
    except MalformedEvent as malformed:
        assert malformed.sentence  # noqa: PT017 - both endings are right


@settings(max_examples=50, deadline=None)
@given(streams(max_size=5))
def test_an_event_survives_encoding(records: list[Record]) -> None:
    for _, sent in records:
        assert sent == decode_event(encode_event(sent))


HAND_BUILT: list[tuple[dict[str, Any], str]] = [
    ({"duration_s": float("nan")}, "duration_s"),
    ({"amount": float("inf")}, "amount"),
    ({"user_id": "\ud800"}, ""),
    ({"user_id": 5}, "user_id"),
    ({"timestamp": "2026"}, "timestamp"),
    ({"timestamp": datetime(2026, 1, 1)}, "timestamp"),  # noqa: DTZ001 - the fault under test
    ({"device": object()}, ""),
    ({"type": "zap"}, "type"),
    ({"interests": ("a", 5)}, "interests[1]"),
]


@pytest.mark.parametrize(("changes", "field"), HAND_BUILT, ids=range(len(HAND_BUILT)))
def test_a_wrong_hand_built_event_is_rejected(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(MalformedEvent) as caught:
        validate_event(event(**changes))
    assert field == caught.value.field


def test_a_hand_built_event_gets_the_declared_types() -> None:
    built = event(interests=["a"], type="profile", traits={"age": "7"}, metrics=Metrics(ctr=1))
    valid = validate_event(built)
    assert valid.interests == ("a",)
    assert valid.traits == Traits(age="7")


def test_milliseconds_are_rounded_down_before_1970_too() -> None:
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    assert epoch_ms(epoch - timedelta(microseconds=1)) == -1
    assert epoch_ms(epoch + timedelta(microseconds=1999)) == 1
    assert epoch_ms(datetime(1970, 1, 1, 2, tzinfo=timezone(timedelta(hours=2)))) == 0


def test_an_id_hash_is_the_published_xxh3_and_never_0() -> None:
    # XXH3_64bits("") of the reference implementation.
    assert event_id_hash("") == 0x2D06800538D394C2
    assert all(event_id_hash(f"id-{i}") for i in range(1000))


def test_every_type_has_its_code() -> None:
    assert len(EVENT_TYPES) == 11
    # Stored states do not hold type codes, but activity is told by them.
    assert EVENT_TYPES[-2:] == ("profile", "forget")
