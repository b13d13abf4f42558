"""`shoal watch`: follow segment changes as a subscriber sees them."""

import time
from collections.abc import Iterator
from enum import StrEnum
from itertools import islice
from typing import Annotated

import msgspec
import typer

from consumer.setup import check_topics
from consumer.subscriber import Subscriber, snapshot
from segments.changes import Membership, SegmentChange, encode_change
from shoal.settings import Settings, load_settings
from shoal.wiring import kafka_connection, topic_names, worker_config

_POLL_S = 0.5


class Start(StrEnum):
    """Where to begin."""

    EARLIEST = "earliest"
    LATEST = "latest"


def watch(
    start: Annotated[
        Start, typer.Option("--from", help="Begin with the oldest change kept, or with new ones.")
    ] = Start.LATEST,
    count: Annotated[int | None, typer.Option(min=1, help="End after so many changes.")] = None,
    seconds: Annotated[float | None, typer.Option(min=0, help="End after so many seconds.")] = None,
    as_snapshot: Annotated[
        bool, typer.Option("--snapshot", help="Everybody's current segment, then end.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document per line.")] = False,
) -> None:
    """Follow segment changes until Ctrl-C, a number of changes, or a number of seconds."""
    settings = load_settings()
    if as_snapshot:
        for membership in snapshot(worker_config(settings)):
            _print(msgspec.json.encode(membership).decode() if as_json else _member(membership))
        return
    for change in islice(_changes(settings, start, seconds), count):
        _print(encode_change(change).decode() if as_json else describe(change))


def describe(change: SegmentChange) -> str:
    """Tell a change in one line."""
    previous = change.previous.name if change.previous else "–"
    current = change.current.name if change.current else "–"
    reasons = ", ".join(f"{reason.feature} {_value(reason.value)}" for reason in change.reasons)
    why = f"{change.cause}: {reasons}" if reasons else change.cause
    return f"{change.changed_at}  {change.user_id}  {previous} → {current}  ({why})"


def _value(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.3g}"


def _changes(settings: Settings, start: Start, seconds: float | None) -> Iterator[SegmentChange]:
    """Yield changes until the time is up."""
    check_topics(worker_config(settings))  # says in one sentence what is missing
    deadline_s = None if seconds is None else time.monotonic() + seconds
    with Subscriber(
        kafka_connection(settings), topic_names(settings), start=start.value
    ) as subscriber:
        while deadline_s is None or time.monotonic() < deadline_s:
            left_s = _POLL_S if deadline_s is None else deadline_s - time.monotonic()
            change = subscriber.next(timeout_s=max(0.0, min(_POLL_S, left_s)))
            if change is not None:
                yield change


def _member(membership: Membership) -> str:
    segment = membership.segment
    return f"{membership.user_id}  {segment.id} · {segment.name}  since {membership.since}"


def _print(line: str) -> None:
    """Write a line at once: whoever reads a pipe must not wait for a buffer to fill."""
    print(line, flush=True)  # noqa: T201 -- the result of the command
