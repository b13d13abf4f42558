"""`shoal produce`: events from files, or of synthetic people, into the topic."""

from __future__ import annotations

import gzip
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, BinaryIO, NamedTuple, cast

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from features.events import Event, epoch_ms
from features.tiles import DAY_MS
from producer.client import Producer
from producer.errors import UnreadableFile, UnusableSettings
from producer.jsonl import STDIN, read_events
from producer.pace import Pace
from producer.scenario import START_MS
from producer.synthetic import SyntheticSettings, SyntheticStream
from producer.truth import encode_truth
from shoal.errors import WrongUse
from shoal.settings import load_settings
from shoal.wiring import producer_settings

app = typer.Typer(help="Send events to the topic of events.", no_args_is_help=True)

# The first so many bad lines are shown one by one; a file of another kind has millions.
_SHOWN_MAX = 100
_PROGRESS_EVERY = 2_000
# The broker refuses record timestamps further ahead than this, and a worker such event times.
_AHEAD_MAX_MS = 300_000
_RECENT = "recent"


class Timestamps(StrEnum):
    """What the Kafka record timestamp is set to."""

    EVENT = "event"
    NOW = "now"


class Outgoing(NamedTuple):
    """An event on its way; None stands for a line that was skipped."""

    event: Event | None
    payload: bytes


_TimestampsOption = Annotated[
    Timestamps,
    typer.Option(help="Record timestamp: the event's own time, or the time of arrival."),
]
_RateOption = Annotated[
    float | None, typer.Option(min=0.001, help="Events per second; without it as fast as possible.")
]
_JsonOption = Annotated[bool, typer.Option("--json", help="Print the summary as JSON on stdout.")]


@app.command("file")
def produce_file(
    paths: Annotated[
        list[str],
        typer.Argument(metavar="PATH…", help="JSON Lines, plain or gzip; - is standard input."),
    ],
    strict: Annotated[
        bool, typer.Option("--strict", help="Check every line first; send nothing if one is bad.")
    ] = False,
    timestamps: _TimestampsOption = Timestamps.EVENT,
    rate: _RateOption = None,
    as_json: _JsonOption = False,
) -> None:
    """Send the events of files, one JSON object a line.

    A bad line is reported with its number and skipped; the summary counts them. Exit code 0 also
    then; with --strict nothing is sent and the exit code is 2.
    """
    with _rereadable(paths, strict) as sources:
        for _, source in sources:
            _check_readable(source)
        if strict:
            _refuse_bad_lines(sources)
        _send(_file_events(sources), None, timestamps, rate, as_json)


@app.command("synthetic")
def produce_synthetic(
    users: Annotated[int, typer.Option(min=1, help="Distinct users.")] = 2000,
    events: Annotated[int, typer.Option(min=1, help="Records in all.")] = 200_000,
    seed: Annotated[int, typer.Option(min=0, help="Same seed, same bytes.")] = 7,
    truth: Annotated[
        Path | None, typer.Option(help="Write what is true about each user to this file.")
    ] = None,
    days: Annotated[int, typer.Option(min=1, help="Length of the stream.")] = 28,
    personas: Annotated[int, typer.Option(help="Kinds of people, 2 to 12.")] = 6,
    start: Annotated[
        str | None,
        typer.Option(help="First day, such as 2026-01-02 (UTC); 'recent': the last is yesterday."),
    ] = None,
    drift: Annotated[
        float, typer.Option(help="How far personas move in 28 days, in standard deviations.")
    ] = 0.25,
    switchers: Annotated[
        float, typer.Option(help="Share of the users who switch persona halfway.")
    ] = 0.05,
    out: Annotated[
        Path | None, typer.Option(help="Write JSON Lines to this file (.gz: compressed), no Kafka.")
    ] = None,
    timestamps: _TimestampsOption = Timestamps.EVENT,
    rate: _RateOption = None,
    as_json: _JsonOption = False,
) -> None:
    """Send a stream of synthetic people with a known true segment."""
    stream = SyntheticStream(
        SyntheticSettings(
            users=users,
            events=events,
            seed=seed,
            days=days,
            personas=personas,
            start_ms=_start_ms(start, days),
            drift=drift,
            switchers=switchers,
        )
    )
    if truth is not None:
        _check_writable(truth)
    outgoing = (Outgoing(timed.event, timed.payload) for timed in stream.events())
    if out is not None:
        _write(outgoing, out, events, as_json)
    else:
        _send(outgoing, events, timestamps, rate, as_json)
    if truth is not None:
        with truth.open("wb") as lines:
            lines.writelines(encode_truth(user) + b"\n" for user in stream.truth())


def _send(
    outgoing: Iterable[Outgoing],
    total: int | None,
    timestamps: Timestamps,
    rate: float | None,
    as_json: bool,
) -> None:
    """Send everything, with a progress bar, and print the summary."""
    began_s = time.monotonic()
    sent = skipped = newest_ms = 0
    with Producer(producer_settings(load_settings())) as producer:
        producer.check()
        pace = Pace(rate, time.monotonic, producer.wait)
        for event, payload in _with_progress(outgoing, total):
            if event is None:
                skipped += 1
                continue
            pace.step()
            record_ms = _record_ms(event, timestamps, newest_ms)
            newest_ms = max(newest_ms, record_ms or 0)
            producer.send_encoded(event, payload, record_ms)
            sent += 1
    _summarise(sent, skipped, time.monotonic() - began_s, as_json)


def _write(outgoing: Iterable[Outgoing], path: Path, total: int, as_json: bool) -> None:
    """Write everything to a file instead."""
    began_s = time.monotonic()
    _check_writable(path)
    written = 0
    with _opened(path) as lines:
        for _, payload in _with_progress(outgoing, total):
            lines.write(payload + b"\n")
            written += 1
    _summarise(written, 0, time.monotonic() - began_s, as_json)


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    """Open a file to write; compressed or not, its bytes are decided by the content alone."""
    with path.open("wb") as file:
        if path.suffix != ".gz":
            yield file
            return
        # Level 1: three times as fast as the default, files a fifth larger.
        with gzip.GzipFile("", "wb", 1, file, mtime=0) as packed:
            yield cast("BinaryIO", packed)


def _record_ms(event: Event, timestamps: Timestamps, newest_ms: int) -> int | None:
    """Return the record timestamp; None for the time of arrival.

    An event from the future takes the newest time sent so far: the broker would refuse its own
    time and end the whole run, and the time of arrival would move the stream time of a history
    over years in one leap. A worker makes it a dead letter that says what is wrong.
    """
    if timestamps is Timestamps.NOW:
        return None
    event_ms = epoch_ms(event.timestamp)
    if event_ms <= time.time() * 1000 + _AHEAD_MAX_MS:
        return event_ms
    return newest_ms or None


def _file_events(sources: list[tuple[str, str]]) -> Iterator[Outgoing]:
    """Yield the events of files; report the other lines and yield a gap for each."""
    shown = 0
    for name, source in sources:
        for line in read_events(source):
            if line.error is not None:
                shown += 1
                _report(name, line.number, line.error, shown)
            yield Outgoing(line.event, line.payload)


def _refuse_bad_lines(sources: list[tuple[str, str]]) -> None:
    """Read everything; refuse to go on if a line is bad."""
    bad = 0
    for name, source in sources:
        for line in read_events(source):
            if line.error is not None:
                bad += 1
                _report(name, line.number, line.error, bad)
    if bad:
        lines = "line is" if bad == 1 else "lines are"
        raise WrongUse(f"nothing was sent: {bad:,} {lines} bad; mend them or leave out --strict")


def _report(name: str, number: int, sentence: str, shown: int) -> None:
    """Show one bad line, unless too many were shown already."""
    if shown <= _SHOWN_MAX:
        _say(f"{name}:{number}: {sentence}")
    elif shown == _SHOWN_MAX + 1:
        _say("more bad lines follow; they are counted, not shown")


@contextmanager
def _rereadable(paths: list[str], strict: bool) -> Iterator[list[tuple[str, str]]]:
    """Yield (name to show, path to read); standard input is put aside when it is read twice."""
    if not (strict and STDIN in paths):
        yield [(path, path) for path in paths]
        return
    with tempfile.NamedTemporaryFile() as aside:
        shutil.copyfileobj(sys.stdin.buffer, aside)
        aside.flush()
        yield [(path, aside.name if path == STDIN else path) for path in paths]


def _with_progress(outgoing: Iterable[Outgoing], total: int | None) -> Iterator[Outgoing]:
    """Pass events on and show how many; only a person at a terminal sees it."""
    console = Console(stderr=True)
    columns = (
        TextColumn("events"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task("events", total=total)
        for number, item in enumerate(outgoing, start=1):
            yield item
            if number % _PROGRESS_EVERY == 0:
                progress.update(task, completed=number)
        progress.update(task, completed=total)


def _summarise(sent: int, skipped: int, seconds: float, as_json: bool) -> None:
    """Say what was done."""
    if as_json:
        typer.echo(json.dumps({"sent": sent, "skipped": skipped, "seconds": round(seconds, 3)}))
    lines = f", {skipped:,} lines skipped" if skipped else ""
    _say(f"{sent:,} events in {seconds:.1f} s{lines}")


def _start_ms(start: str | None, days: int) -> int:
    """Return the first midnight."""
    if start is None:
        return START_MS
    if start == _RECENT:
        today = int(time.time() * 1000) // DAY_MS
        return (today - days) * DAY_MS
    try:
        moment = datetime.fromisoformat(start)
    except ValueError as failure:
        raise UnusableSettings(
            "start", f"must be a day such as 2026-01-02 or '{_RECENT}', not {start}"
        ) from failure
    return epoch_ms(moment if moment.tzinfo else moment.replace(tzinfo=UTC))


def _check_readable(path: str) -> None:
    """Open a file once, so that a wrong name is found before anything is sent."""
    if path == STDIN:
        return
    try:
        with Path(path).open("rb"):
            pass
    except OSError as failure:
        raise UnreadableFile(path, failure.strerror or str(failure)) from failure


def _check_writable(path: Path) -> None:
    """Create a file, so that a wrong name is found before the work is done."""
    try:
        with path.open("wb"):
            pass
    except OSError as failure:
        raise WrongUse(f"cannot write {path}: {failure.strerror}; give another file") from failure


def _say(sentence: str) -> None:
    """Write to stderr; stdout is for results."""
    typer.echo(sentence, err=True)
