"""From lines of text to the records of a table: one line each, unless a quoted cell breaks it.

A CSV reader that meets a quote which is never closed swallows everything up to the next one. Here
such a line is one bad row, and the next line is read as if nothing had happened.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from typing import NamedTuple, TextIO

LINE_CHARACTERS_MAX = 1 << 20
"""Longer lines are bad; a row of this table has a few hundred characters."""
_LINES_PER_RECORD_MAX = 20

_UNCLOSED = "a quote is opened and never closed: close it, or remove it"
_TOO_LONG = f"the line is longer than {LINE_CHARACTERS_MAX:,} characters: a row is far shorter"
_NUL = "the line has NUL characters in it: the file is damaged here, write the row again"
_BROKEN = "the line has bytes that are not {}: save the file as UTF-8, or give --encoding"


class Record(NamedTuple):
    """One row as text.

    Attributes:
        line: Where it begins, counted from 1.
        text: Without its end of line; a cell may break lines inside.
        error: One sentence if the text is no row; then there is nothing to read in it.
    """

    line: int
    text: str
    error: str | None


class RecordReader:
    """Cuts a table into records."""

    def __init__(self, separator: str, fields: int, encoding: str) -> None:
        """Learn what a record looks like.

        Args:
            separator: One character.
            fields: How many fields the header has.
            encoding: Of the file, to name it.
        """
        self._separator = separator
        self._fields = fields
        self._broken = _BROKEN.format("UTF-8" if encoding.startswith("utf-8") else encoding)
        mark = re.escape(separator)
        self._quoted = re.compile(rf'(^|{mark}) *"(?:[^"]|"")*"')
        self._open = re.compile(rf'(?:^|{mark}) *"')

    def records(self, lines: TextIO, line: int) -> Iterator[Record]:
        """Yield the records that follow; lines without any cell are passed over.

        Args:
            lines: Text, with undecodable bytes as lone surrogates.
            line: Number of the first line.
        """
        ahead: deque[str] = deque()
        while text := ahead.popleft() if ahead else _next_line(lines):
            used = 1
            error = self._unreadable(text)
            count = None if error else self._count(text)
            if error is None and count is None:
                text, used, count = self._joined(text, ahead, lines)
            row = text.rstrip("\n")
            if error or count is None:
                yield Record(line, row, error or _UNCLOSED)
            elif row.strip(self._separator + " \t"):
                yield self._checked(line, row, count)
            line += used

    def _unreadable(self, text: str) -> str | None:
        """Say why a line is no text."""
        if len(text) > LINE_CHARACTERS_MAX:
            return _TOO_LONG
        if "\0" in text:
            return _NUL
        if not text.isascii() and any("\ud800" <= c <= "\udfff" or c == "\ufffd" for c in text):
            return self._broken
        return None

    def _count(self, text: str) -> int | None:
        """Count the fields of a line; None when a quote is open at its end."""
        if '"' in text:
            text = self._quoted.sub(r"\1", text)
            if self._open.search(text):
                return None
        return text.count(self._separator) + 1

    def _joined(self, text: str, ahead: deque[str], lines: TextIO) -> tuple[str, int, int | None]:
        """Look for the line on which an open quote is closed, so that a whole row comes out.

        Returns:
            The text, how many lines it has, its number of fields; the first line alone and None
            when there is no such line.
        """
        joined = text
        for used in range(2, _LINES_PER_RECORD_MAX + 1):
            if len(ahead) < used - 1:
                ahead.append(_next_line(lines))
            joined += ahead[used - 2]
            count = self._count(joined)
            if count == self._fields and self._unreadable(joined) is None:
                for _ in range(used - 1):
                    ahead.popleft()
                return joined, used, count
            if not ahead[used - 2]:
                break
        return text, 1, None

    def _checked(self, line: int, row: str, count: int) -> Record:
        """Refuse a row with too few or too many fields; empty ones at its end are too many."""
        while count > self._fields and row.endswith(self._separator):
            row, count = row[:-1], count - 1
        if count == self._fields:
            return Record(line, row, None)
        remedy = (
            "a cell with the separator in it must stand in quotes"
            if count > self._fields
            else "the row is cut off, or its separators are others"
        )
        return Record(line, row, f"has {count} fields instead of {self._fields}: {remedy}")


def _next_line(lines: TextIO) -> str:
    """Read a line, or as much of one too long as tells that it is; "" at the end."""
    text = lines.readline(LINE_CHARACTERS_MAX + 1)
    if len(text) > LINE_CHARACTERS_MAX and not text.endswith("\n"):
        while (part := lines.readline(LINE_CHARACTERS_MAX)) and not part.endswith("\n"):
            pass
    return text
