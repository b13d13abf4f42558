"""`shoal profiles import`: every good row of a table as a profile event into the topic."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import typer

from features.events import encode_event, epoch_ms
from features.tiles import DAY_MS, WINDOW_DAYS
from producer.client import Producer
from shoal.errors import ChecksFailed, WrongUse
from shoal.profiles.profile_events import profile_event
from shoal.profiles.report import ErrorReport, FileProgress, describe, say
from shoal.profiles.row import ProfileRow
from shoal.profiles.table import ProfileTable
from shoal.settings import Settings, load_settings
from shoal.wiring import producer_settings

Send = Callable[[ProfileRow], None]


@dataclass
class Counts:
    """What became of the rows.

    Attributes:
        rows: All of them but empty ones.
        sent: Confirmed by Kafka; in a dry run what would have been sent.
        bad: Rows that cannot be used.
        repeated: Rows equal to an earlier one.
    """

    rows: int = 0
    sent: int = 0
    bad: int = 0
    repeated: int = 0


def import_profiles(
    path: Path,
    *,
    strict: bool,
    dry_run: bool,
    errors: Path | None,
    encoding: str | None,
    as_of: str | None,
    as_json: bool,
) -> None:
    """Import a table; see the command's help.

    Raises:
        ChecksFailed: Rows are bad and `strict` was asked for, or no row can be used.
    """
    began_s = time.monotonic()
    settings = load_settings()
    at, record_ms = _moment(as_of, settings)
    table = ProfileTable(path, encoding)
    describe(table)
    with ErrorReport(path, errors) as report:
        if dry_run:
            counts = _read(table, report, lambda _: None)
        else:
            if strict:
                _refuse_bad_rows(table, report, as_json)
            counts = _send(table, report, settings, at, record_ms)
    seconds = time.monotonic() - began_s
    _summarise(counts, report, seconds, dry_run=dry_run, as_json=as_json)
    if counts.bad and (strict or counts.bad == counts.rows):
        what = "no row can be used" if counts.bad == counts.rows else _rows_are_bad(counts.bad)
        raise ChecksFailed(f"{what}; mend the table")


def _moment(as_of: str | None, settings: Settings) -> tuple[datetime, int | None]:
    """Give the time of the profiles, and the record timestamp: None lets the broker decide.

    Raises:
        WrongUse: The time is no time, or lies ahead.
    """
    now = datetime.now(UTC)
    if as_of is None:
        return now, None
    try:
        at = datetime.fromisoformat(as_of)
    except ValueError as failure:
        raise WrongUse(
            f"--as-of {as_of}: give a day such as 2026-01-31, or a time such as "
            "2026-01-31T12:00:00Z"
        ) from failure
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    if at > now:
        raise WrongUse(f"--as-of {as_of}: lies ahead; give a time that has been")
    if settings.clock == "wall" and epoch_ms(now) - epoch_ms(at) > (WINDOW_DAYS - 1) * DAY_MS:
        say(f"  --as-of is over {WINDOW_DAYS} days ago: workers will count the profiles as late")
    return at, epoch_ms(at)


def _read(table: ProfileTable, report: ErrorReport, send: Send) -> Counts:
    """Read a table, report what is wrong and pass the rest on."""
    counts = Counts()
    with FileProgress(table) as progress:
        for block in table.blocks():
            for row in block.rows:
                send(row)
            report.add(block.errors)
            counts.rows += len(block.rows) + block.bad + block.repeated
            counts.sent += len(block.rows)
            counts.bad += block.bad
            counts.repeated += block.repeated
            progress.update()
    if not counts.rows:
        raise WrongUse(f"{table.path} has no rows below its header")
    return counts


def _refuse_bad_rows(table: ProfileTable, report: ErrorReport, as_json: bool) -> None:
    """Read everything; refuse to go on if a row is bad.

    Raises:
        ChecksFailed: One is.
    """
    began_s = time.monotonic()
    counts = _read(table, report, lambda _: None)
    if counts.bad:
        counts.sent = 0
        _summarise(counts, report, time.monotonic() - began_s, dry_run=False, as_json=as_json)
        raise ChecksFailed(
            f"nothing was sent: {_rows_are_bad(counts.bad)}; mend them or leave out --strict"
        )


def _send(
    table: ProfileTable,
    report: ErrorReport,
    settings: Settings,
    at: datetime,
    record_ms: int | None,
) -> Counts:
    """Send every good row."""
    with ExitStack() as stack:
        producer = stack.enter_context(Producer(producer_settings(settings)))
        producer.check()

        def send(row: ProfileRow) -> None:
            event = profile_event(row, at)
            producer.send_encoded(event, encode_event(event), record_ms)

        return _read(table, report, send)


def _summarise(
    counts: Counts, report: ErrorReport, seconds: float, *, dry_run: bool, as_json: bool
) -> None:
    """Say what was done."""
    if as_json:
        document = {
            **asdict(counts),
            "dry_run": dry_run,
            "errors": [error._asdict() for error in report.first],
            "seconds": round(seconds, 3),
        }
        typer.echo(json.dumps(document, ensure_ascii=False))
    sent = "would be sent" if dry_run else "sent"
    rate = f" ({counts.rows / seconds:,.0f} a second)" if seconds > 1 else ""
    say(
        f"{counts.rows:,} rows in {seconds:.1f} s{rate}: {counts.sent:,} {sent}, "
        f"{counts.bad:,} bad, {counts.repeated:,} repeated"
    )


def _rows_are_bad(bad: int) -> str:
    """Count bad rows in words."""
    return f"{bad:,} row is bad" if bad == 1 else f"{bad:,} rows are bad"
