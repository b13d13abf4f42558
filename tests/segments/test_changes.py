"""The published messages, word for word."""

import json
from typing import Any

import msgspec
import pytest

from segments.changes import (
    Membership,
    Reason,
    SegmentChange,
    SegmentRef,
    change_headers,
    decode_change,
    decode_membership,
    encode_change,
    rfc3339,
    schemas,
)

CHANGE = SegmentChange(
    change_id="3-1842",
    user_id="u42",
    previous=SegmentRef(id=2, name="weekday"),
    current=SegmentRef(id=5, name="weekend · high CTR"),
    cause="behaviour",
    model_version="1.37",
    margin=0.23,
    reasons=[Reason(feature="ctr", value=0.21, contribution=1.7)],
    event_time=rfc3339(1_763_953_200_123),
    changed_at=rfc3339(1_763_953_201_000),
    user_version=4,
    sequence=1842,
    source_offset=98123,
)


def test_a_change_is_the_documented_json() -> None:
    assert json.loads(encode_change(CHANGE)) == {
        "change_id": "3-1842",
        "user_id": "u42",
        "previous": {"id": 2, "name": "weekday"},
        "current": {"id": 5, "name": "weekend · high CTR"},
        "cause": "behaviour",
        "model_version": "1.37",
        "margin": 0.23,
        "reasons": [{"feature": "ctr", "value": 0.21, "contribution": 1.7}],
        "event_time": "2025-11-24T03:00:00.123Z",
        "changed_at": "2025-11-24T03:00:01.000Z",
        "user_version": 4,
        "sequence": 1842,
        "source_offset": 98123,
    }
    assert decode_change(encode_change(CHANGE)) == CHANGE


def test_a_first_and_a_last_change_say_null() -> None:
    change = msgspec.structs.replace(CHANGE, previous=None, current=None, margin=None)
    body = json.loads(encode_change(change))
    assert body["previous"] is body["current"] is body["margin"] is None


def test_a_membership_survives_json() -> None:
    membership = Membership(
        user_id="u42",
        segment=SegmentRef(id=5, name="weekend"),
        since=rfc3339(0),
        user_version=4,
        sequence=1842,
        model_version="1.37",
    )
    assert decode_membership(encode_change(membership)) == membership


def test_headers_are_those_of_cloudevents_in_binary_mode() -> None:
    assert dict(change_headers(CHANGE, b"/shoal/default")) == {
        "ce_specversion": b"1.0",
        "ce_id": b"3-1842",
        "ce_type": b"shoal.segment.changed.v1",
        "ce_source": b"/shoal/default",
        "ce_time": b"2025-11-24T03:00:01.000Z",
        "content-type": b"application/json",
    }


@pytest.mark.parametrize(
    ("epoch_ms", "text"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        (-1, "1969-12-31T23:59:59.999Z"),
        (1_709_164_800_007, "2024-02-29T00:00:00.007Z"),
    ],
)
def test_times_are_utc_with_milliseconds(epoch_ms: int, text: str) -> None:
    assert rfc3339(epoch_ms) == text


def properties(schema: dict[str, Any], struct: str) -> set[str]:
    return set(schema["$defs"][struct]["properties"])


def test_the_schemas_name_every_field_and_every_cause() -> None:
    change = schemas()["segment-change"]
    assert properties(change, "SegmentChange") == set(SegmentChange.__struct_fields__)
    causes = change["$defs"]["SegmentChange"]["properties"]["cause"]["enum"]
    assert set(causes) == {"behaviour", "expiry", "profile", "model", "replay", "forget"}
    membership = schemas()["segment-membership"]
    assert properties(membership, "Membership") == set(Membership.__struct_fields__)
