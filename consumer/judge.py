"""Which records are events of this partition, and which are dead letters, with the reason why."""

from collections.abc import Container
from dataclasses import dataclass

import msgspec
import numpy as np
import numpy.typing as npt

from consumer import dead_letters as dead
from consumer.records import Records, stream_times
from features.columns import event_times_ms
from features.errors import FeaturesError, MalformedEvent
from features.events import Event, decode_event
from features.tiles import AHEAD_MAX_MS
from producer.partitioner import murmur2_partitions

# Decoding straight into the Struct; `decode_event` is the same with an explanation on failure.
_decode = msgspec.json.Decoder(Event).decode


@dataclass(frozen=True)
class Partitioning:
    """Where this partition stands among the others, and how large an event may be."""

    partition: int
    partitions: int
    event_bytes_max: int


@dataclass(frozen=True)
class Judged:
    """A batch after judgement: n valid events in offset order, and the dead letters.

    Attributes:
        events: the n valid events.
        user_ids: their users.
        times_ms: int64[n], event times.
        offsets: int64[n], input offsets.
        stream_ms: int64[n], stream time at each event.
        stream_end_ms: stream time after the whole batch, dead letters included.
        dead: dead letters in offset order.
    """

    events: list[Event]
    user_ids: list[str]
    times_ms: npt.NDArray[np.int64]
    offsets: npt.NDArray[np.int64]
    stream_ms: npt.NDArray[np.int64]
    stream_end_ms: int
    dead: list[dead.DeadLetter]

    @classmethod
    def nothing(cls, stream_ms: int) -> "Judged":
        """Give an empty batch at this stream time."""
        none = np.empty(0, np.int64)
        return cls([], [], none, none, none, stream_ms, [])


def judge(
    records: Records, place: Partitioning, *, stream_ms: int, routed: Container[str]
) -> Judged:
    """Separate valid events from dead letters.

    Args:
        records: one batch of the partition.
        place: the partition and its topic's partition count.
        stream_ms: stream time before the batch.
        routed: users known to belong to this very partition; the others' keys are hashed.
    """
    streams = stream_times(records, stream_ms)
    dead_at: dict[int, tuple[str, str]] = {}
    events = _decode_all(records, place, dead_at)
    alive = _alive(len(records), dead_at)
    present = [events[index] for index in alive.tolist()] if dead_at else events
    user_ids = [event.user_id for event in present]
    times_ms = event_times_ms(present)
    _check_keys(records, user_ids, alive, dead_at)
    _check_routes(user_ids, alive, place, routed, dead_at)
    _check_future(times_ms, records.timestamps_ms[alive], alive, dead_at)
    if dead_at:
        kept = [row for row, index in enumerate(alive.tolist()) if index not in dead_at]
        present = [present[row] for row in kept]
        user_ids = [user_ids[row] for row in kept]
        times_ms, alive = times_ms[kept], alive[kept]
    return Judged(
        events=present,
        user_ids=user_ids,
        times_ms=times_ms,
        offsets=records.offsets[alive],
        stream_ms=streams[alive],
        stream_end_ms=int(streams[-1]) if len(records) else stream_ms,
        dead=[_letter(records, index, *dead_at[index]) for index in sorted(dead_at)],
    )


def _alive(count: int, dead_at: dict[int, tuple[str, str]]) -> npt.NDArray[np.int64]:
    mask = np.ones(count, bool)
    mask[list(dead_at)] = False
    return np.flatnonzero(mask)


def _decode_all(
    records: Records, place: Partitioning, dead_at: dict[int, tuple[str, str]]
) -> list[Event]:
    """Decode every payload; None (typed away for speed) where it is no event."""
    if max(map(len, filter(None, records.values)), default=0) <= place.event_bytes_max:
        try:
            return list(map(_decode, records.values))  # type: ignore[arg-type]
        except (FeaturesError, msgspec.MsgspecError, ValueError, TypeError, RecursionError):
            pass  # at least one is malformed: find out which
    events = []
    for index, payload in enumerate(records.values):
        event = None
        if not payload:
            dead_at[index] = (dead.EMPTY_VALUE, "the record has no payload; send a JSON event")
        elif len(payload) > place.event_bytes_max:
            detail = (
                f"the payload has {len(payload)} bytes; at most {place.event_bytes_max} are taken"
            )
            dead_at[index] = (dead.OVERSIZED, detail)
        else:
            try:
                event = decode_event(payload)
            except MalformedEvent as error:
                dead_at[index] = (error.reason, str(error))
        events.append(event)
    return events  # type: ignore[return-value]  # the caller drops the None


def _check_keys(
    records: Records,
    user_ids: list[str],
    alive: npt.NDArray[np.int64],
    dead_at: dict[int, tuple[str, str]],
) -> None:
    keys = records.keys if len(user_ids) == len(records) else [records.keys[i] for i in alive]
    expected = list(map(str.encode, user_ids))
    if expected == keys:
        return
    for index, wanted, user_id, key in zip(alive.tolist(), expected, user_ids, keys, strict=True):
        if not key:
            dead_at[index] = (
                dead.EMPTY_KEY,
                f"the record has no key; its key must be the user_id {user_id!r}",
            )
        elif key != wanted:
            detail = (
                f"the record's key {key[:64]!r} is not its user_id {user_id!r}; "
                "key every event by user_id"
            )
            dead_at[index] = (dead.KEY_MISMATCH, detail)


def _check_routes(
    user_ids: list[str],
    alive: npt.NDArray[np.int64],
    place: Partitioning,
    routed: Container[str],
    dead_at: dict[int, tuple[str, str]],
) -> None:
    new = [user_id for user_id in set(user_ids) if user_id not in routed]
    if not new:
        return
    found = murmur2_partitions(list(map(str.encode, new)), place.partitions)
    wrong = {new[i]: int(found[i]) for i in np.flatnonzero(found != place.partition)}
    if not wrong:
        return
    for index, user_id in zip(alive.tolist(), user_ids, strict=True):
        if user_id in wrong and index not in dead_at:
            detail = (
                f"user_id {user_id!r} belongs to partition {wrong[user_id]} but was sent to "
                f"{place.partition}; the producer must use the partitioner murmur2"
            )
            dead_at[index] = (dead.MISROUTED, detail)


def _check_future(
    times_ms: npt.NDArray[np.int64],
    timestamps_ms: npt.NDArray[np.int64],
    alive: npt.NDArray[np.int64],
    dead_at: dict[int, tuple[str, str]],
) -> None:
    ahead_ms = times_ms - timestamps_ms
    for row in np.flatnonzero(ahead_ms > AHEAD_MAX_MS).tolist():
        detail = (
            f"timestamp lies {ahead_ms[row] / 1000:.3f} s ahead of the record's own time; "
            "at most 300 s are accepted: check the sender's clock"
        )
        dead_at.setdefault(int(alive[row]), (dead.FUTURE, detail))


def _letter(records: Records, index: int, reason: str, detail: str) -> dead.DeadLetter:
    return dead.DeadLetter(
        offset=int(records.offsets[index]),
        timestamp_ms=int(records.timestamps_ms[index]),
        key=records.keys[index],
        value=records.values[index],
        headers=records.headers(index),
        reason=reason,
        detail=detail,
    )
