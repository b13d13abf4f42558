"""Events from JSON Lines: one event a line, plain or compressed with gzip."""

from __future__ import annotations

import gzip
import io
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, cast

from features.errors import MalformedEvent
from features.events import Event, decode_event
from producer.errors import UnreadableFile

LINE_BYTES_MAX = 1 << 20
"""Longer lines are errors; Kafka's own limit for a record is about as large."""

STDIN = "-"

_BUFFER_BYTES = 1 << 20
_GZIP_MAGIC = b"\x1f\x8b"
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class Line(NamedTuple):
    """One line that is not empty; it has an event or an error, never both.

    Attributes:
        number: Counted from 1, empty lines included.
        payload: The line without white space around it; as much as was read of one too long.
        event: What it says.
        error: One sentence that says why it is no event.
    """

    number: int
    payload: bytes
    event: Event | None
    error: str | None


def read_events(path: str) -> Iterator[Line]:
    """Yield the lines of a file in bounded memory.

    Args:
        path: A file, or "-" for standard input. Compression is recognised by the content.

    Raises:
        UnreadableFile: It cannot be opened, or its compression is broken or cut off.
    """
    try:
        with _opened(path) as lines:
            yield from _lines(lines)
    except EOFError as failure:
        raise UnreadableFile(path, "the compressed file is cut off") from failure
    except (gzip.BadGzipFile, zlib.error) as failure:
        raise UnreadableFile(path, f"the compression is broken ({failure})") from failure
    except OSError as failure:
        raise UnreadableFile(path, failure.strerror or str(failure)) from failure


def _lines(lines: BinaryIO) -> Iterator[Line]:
    """Yield what is not empty."""
    number = 0
    # Bound once: this loop runs for every event of every file.
    readline, decode = lines.readline, decode_event
    while raw := readline(LINE_BYTES_MAX + 1):
        number += 1
        if number == 1:
            raw = raw.removeprefix(_BYTE_ORDER_MARK)
        payload = raw.strip()
        if len(raw) > LINE_BYTES_MAX and not raw.endswith(b"\n"):
            _skip_line(lines)
            sentence = f"the line is longer than {LINE_BYTES_MAX:,} bytes: an event is far shorter"
            yield Line(number, payload, None, sentence)
        elif payload:
            try:
                event = decode(payload)
            except MalformedEvent as malformed:
                yield Line(number, payload, None, malformed.sentence)
            else:
                yield Line(number, payload, event, None)


def _skip_line(lines: BinaryIO) -> None:
    """Read on to the end of a line without keeping it."""
    while (part := lines.readline(LINE_BYTES_MAX)) and not part.endswith(b"\n"):
        pass


@contextmanager
def _opened(path: str) -> Iterator[BinaryIO]:
    """Open a file or standard input, and look through its compression; stdin stays open."""
    if path == STDIN:
        source = io.BufferedReader(cast("io.RawIOBase", sys.stdin.buffer), _BUFFER_BYTES)
        try:
            yield _plain(source)
        finally:
            source.detach()
    else:
        with Path(path).open("rb", buffering=_BUFFER_BYTES) as file:
            yield _plain(cast("io.BufferedReader[Any]", file))


def _plain(source: io.BufferedReader[Any]) -> BinaryIO:
    """Return the bytes as they are once a compression is undone."""
    if source.peek(len(_GZIP_MAGIC)).startswith(_GZIP_MAGIC):
        unzipped = cast("io.RawIOBase", gzip.GzipFile(fileobj=source))
        return io.BufferedReader(unzipped, _BUFFER_BYTES)
    return source
