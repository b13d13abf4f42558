"""Records that are no events: every kind that a stranger's producer might send."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from producer.partitioner import murmur2_partition

Headers = list[tuple[str, bytes | None]]


@dataclass(frozen=True)
class Malformed:
    """One record, why it cannot be applied, and a word that its explanation must contain."""

    kind: str
    reason: str
    says: str
    key: bytes | None
    value: bytes | None
    partition: int
    headers: Headers


def malformed_records(count: int, partitions: int, size_bytes: int) -> Iterator[Malformed]:
    """Give `count` records, going round the kinds; `size_bytes` is that of the oversized one."""
    for number in range(count):
        user_id = f"odd-{number}"
        partition = murmur2_partition(user_id.encode(), partitions)
        record = Malformed(
            kind="",
            reason="",
            says="",
            key=user_id.encode(),
            value=None,
            partition=partition,
            headers=[("trace", f"t{number}".encode()), ("empty", None)],
        )
        kinds = list(_kinds(record, _good(user_id, number), partitions, size_bytes))
        yield kinds[number % len(kinds)]


def _kinds(
    record: Malformed, good: dict[str, Any], partitions: int, size_bytes: int
) -> Iterator[Malformed]:
    payload = json.dumps(good).encode()

    def kind(name: str, reason: str, says: str, value: bytes | None, **other: Any) -> Malformed:
        return replace(record, kind=name, reason=reason, says=says, value=value, **other)

    def field(name: str, says: str, **values: Any) -> Malformed:
        return kind(name, "invalid_field", says, json.dumps(good | values).encode())

    yield kind("not JSON", "not_json", "JSON", b"page_view;u1;now")
    yield kind("cut short", "not_json", "JSON", payload[:-5])
    yield kind("NaN", "not_json", "NaN", payload[:-1] + b', "duration_s": NaN}')
    yield kind("byte order mark", "not_json", "byte order mark", b"\xef\xbb\xbf" + payload)
    yield kind("invalid UTF-8", "not_json", "UTF-8", payload.replace(b'"page_view"', b'"\xff\xfe"'))
    deep = b"[" * 100_000 + b"]" * 100_000
    yield kind("deep nesting", "not_json", "nested", payload[:-1] + b', "more": ' + deep + b"}")
    yield kind("an array", "not_an_object", "object", b"[" + payload + b"]")
    yield kind("empty payload", "empty_value", "payload", b"")
    yield kind("tombstone", "empty_value", "payload", None)
    yield kind("unknown type", "unknown_type", "type", payload.replace(b"page_view", b"teleport"))
    missing = {name: value for name, value in good.items() if name != "timestamp"}
    yield kind("missing field", "missing_field", "timestamp", json.dumps(missing).encode())
    yield field("wrong type", "event_id", event_id=17)
    yield field("wrong type of a list", "interests", interests="Gaming")
    yield field("too many interests", "interests", interests=[f"i{n}" for n in range(9)])
    yield field("too long an id", "event_id", event_id="e" * 65)
    yield field("too long a user_id", "user_id", user_id="u" * 129)
    no_duration = json.dumps(good | {"type": "session"}).encode()
    yield kind("session without duration", "missing_field", "duration_s", no_duration)
    yield field("negative amount", "amount", type="conversion", amount=-1)
    yield field("huge number", "duration_s", type="session", duration_s=10**400)
    yield field("no offset", "offset", timestamp="2026-01-01T00:00:00")
    yield kind("empty key", "empty_key", "key", payload, key=b"")
    yield kind("null key", "empty_key", "key", payload, key=None)
    yield kind("another's key", "key_mismatch", "key", payload, key=b"somebody-else")
    elsewhere = (record.partition + 1) % partitions
    yield kind("misrouted", "misrouted", "murmur2", payload, partition=elsewhere)
    hour_ahead = datetime.now(UTC) + timedelta(hours=1)
    early = json.dumps(good | {"timestamp": hour_ahead.isoformat()}).encode()
    yield kind("future", "future", "ahead", early)
    yield field("year 9999", "timestamp", timestamp="9999-12-31T23:59:59Z")
    padding = "x" * size_bytes
    yield kind("oversized", "oversized", "bytes", json.dumps(good | {"pad": padding}).encode())


def _good(user_id: str, number: int) -> dict[str, Any]:
    """An event that nothing is wrong with."""
    return {
        "event_id": f"m{number}",
        "user_id": user_id,
        "type": "page_view",
        "timestamp": datetime.now(UTC).isoformat(),
    }
