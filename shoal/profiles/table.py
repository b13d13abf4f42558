"""A file of user profiles: what its columns mean, and its rows block by block."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import NamedTuple, TextIO

import pandas as pd
from pydantic import ValidationError

from producer.errors import UnreadableFile
from shoal.errors import WrongUse
from shoal.profiles.cells import NOT_GIVEN, number, with_decimal_point
from shoal.profiles.columns import COLUMNS, find_layout, recognised
from shoal.profiles.encoding import encoding_of
from shoal.profiles.records import Record, RecordReader
from shoal.profiles.repeats import Repeats
from shoal.profiles.row import ProfileRow, RowError, row_errors, shortened

SEPARATORS = (",", ";", "\t", "|")
BLOCK_ROWS = 10_000
_HEADER_WITHIN_LINES = 20
_ID_TITLE = COLUMNS[0].title
_NOTHING = "has nothing but a user id: fill at least one more cell"
_HEADER_AGAIN = "is the header again: tables were joined, remove the line"


class Block(NamedTuple):
    """What some consecutive rows came to.

    Attributes:
        rows: Those that can be used, in the order of the file.
        errors: What is wrong with the others, by line.
        bad: How many rows that concerns.
        repeated: Rows equal to an earlier one, left out.
    """

    rows: list[ProfileRow]
    errors: list[RowError]
    bad: int
    repeated: int


class ProfileTable:
    """A table of profiles in a file.

    Attributes:
        path: The file.
        encoding: Its encoding, told from the content unless it was given.
        separator: What stands between cells.
        layout: Which column means what.
        skipped: Lines before the header.
        size_bytes: Size of the file.
        read_bytes: How much of it `blocks` has taken in so far.
    """

    def __init__(self, path: Path, encoding: str | None = None) -> None:
        """Read the header.

        Raises:
            UnreadableFile: The file cannot be opened, or is no text.
            WrongUse: No column holds user ids, or two columns mean the same.
        """
        self.path = path
        self.encoding = encoding_of(path, encoding)
        self.size_bytes = path.stat().st_size
        self.read_bytes = 0
        with self._opened() as lines:
            first = [line.rstrip("\n") for line in islice(lines, _HEADER_WITHIN_LINES)]
        self.skipped, self.separator, headers = _header(path, first)
        self.layout = find_layout(headers)
        if len(self.layout.place) == 1:
            raise WrongUse(
                f"{path} has user ids and no other column that means something to Shoal; "
                f"it knows {', '.join(column.title for column in COLUMNS[1:])}"
            )

    @property
    def decimal_comma(self) -> bool:
        """Whether numbers may be written 1.234,5: in tables whose separator is a semicolon."""
        return self.separator == ";"

    def blocks(self) -> Iterator[Block]:
        """Yield the rows from the beginning, at most `BLOCK_ROWS` at a time."""
        reader = RecordReader(self.separator, len(self.layout.headers), self.encoding)
        repeats = Repeats()
        with self._opened() as lines:
            for _ in range(self.skipped + 1):
                lines.readline()
            records = reader.records(lines, self.skipped + 2)
            while block := list(islice(records, BLOCK_ROWS)):
                yield self._block(block, repeats)
                self.read_bytes = _position(lines)
        self.read_bytes = self.size_bytes

    def _block(self, records: list[Record], repeats: Repeats) -> Block:
        """Read, check and compare the rows of a block."""
        errors = [RowError(r.line, "", shortened(r.text), r.error) for r in records if r.error]
        whole = [record for record in records if not record.error]
        lines: list[int] = []
        rows: list[ProfileRow] = []
        for record, given in zip(whole, self._cells(whole), strict=True):
            if without_use := self._without_use(given):
                errors.append(RowError(record.line, "", shortened(record.text), without_use))
                continue
            try:
                rows.append(self._row(given))
                lines.append(record.line)
            except ValidationError as failed:
                errors += row_errors(failed, record.line, self.layout, given)
        fresh, repeated = [], 0
        for row, line, earlier in zip(rows, lines, repeats.earlier(rows, lines), strict=True):
            if earlier is None:
                fresh.append(row)
            elif earlier.same:
                repeated += 1
            else:
                why = (
                    f"stands in line {earlier.line} with other values, which count: remove one row"
                )
                header = self.layout.header_of("user_id")
                errors.append(RowError(line, header, shortened(row.user_id), why))
        errors.sort(key=lambda error: error.line)
        return Block(fresh, errors, len(records) - len(fresh) - repeated, repeated)

    def _cells(self, records: list[Record]) -> list[dict[str, str]]:
        """Cut rows into cells, by field; those in which nothing is known are left out."""
        if not records:
            return []
        frame = pd.read_csv(
            io.StringIO("\n".join(record.text for record in records)),
            sep=self.separator,
            header=None,
            names=list(range(len(self.layout.headers))),
            usecols=sorted(self.layout.place.values()),
            dtype=str,
            na_filter=False,
            index_col=False,
            skipinitialspace=True,
            skip_blank_lines=False,
        )
        fields = list(self.layout.place)
        columns = [frame[place].tolist() for place in self.layout.place.values()]
        return [
            {
                field: cell
                for field, text in zip(fields, row, strict=True)
                if (cell := text.strip()).lower() not in NOT_GIVEN
            }
            for row in zip(*columns, strict=True)
        ]

    def _without_use(self, given: dict[str, str]) -> str | None:
        """Say why a row that may be valid has no use."""
        if given.keys() == {"user_id"}:
            return _NOTHING
        if given.get("user_id", "").split() == self.layout.header_of("user_id").split():
            return _HEADER_AGAIN
        return None

    def _row(self, given: dict[str, str]) -> ProfileRow:
        """Validate a row."""
        if not (self.layout.factor or self.decimal_comma):
            return ProfileRow.model_validate(given)
        return ProfileRow.model_validate(
            {field: self._in_our_units(field, text) for field, text in given.items()}
        )

    def _in_our_units(self, field: str, text: str) -> str | float:
        """Rewrite a number of another unit or with a decimal comma; what is none stays as it is."""
        if field not in _NUMBERS:
            return text
        if self.decimal_comma:
            text = with_decimal_point(text)
        try:
            return number(text) * self.layout.factor[field]
        except (ValueError, KeyError):
            return text

    def _opened(self) -> TextIO:
        """Open the file as text; bytes that are no text become lone surrogates or U+FFFD."""
        errors = "surrogateescape" if self.encoding.startswith("utf-8") else "replace"
        return self.path.open(encoding=self.encoding, errors=errors)


_NUMBERS = frozenset(
    (
        "likes_and_reactions",
        "followed_accounts",
        "weekday_hours",
        "weekend_hours",
        "ctr",
        "conversion_rate",
        "ad_seconds",
    )
)


def _position(lines: TextIO) -> int:
    """Tell how far the file below a text stream was read; the text's own `tell` is slow."""
    return lines.buffer.raw.tell() if isinstance(lines, io.TextIOWrapper) else 0


def _header(path: Path, lines: list[str]) -> tuple[int, str, list[str]]:
    """Find the line that names the columns, and the separator that makes sense of it.

    Returns:
        How many lines stand before it, the separator, the headers.

    Raises:
        UnreadableFile: There is no line.
        WrongUse: No line has a column for the user id.
    """
    filled = [(number, line) for number, line in enumerate(lines) if line.strip(' \t,;|"')]
    if not filled:
        raise UnreadableFile(str(path), "the file is empty: it must have a line of column names")
    for before, line in filled:
        separator, headers = _cut(line)
        if any(COLUMNS[0].match(header) is not None for header in headers):
            return before, separator, headers
    _, headers = max((_cut(line) for _, line in filled), key=lambda cut: recognised(cut[1]))
    found = ", ".join(f"'{shortened(header)}'" for header in headers[:20] if header)
    raise WrongUse(
        f"{path} has no column '{_ID_TITLE}'; its columns are {found}: "
        f"name the column of user ids '{_ID_TITLE}', or add it"
    )


def _cut(line: str) -> tuple[str, list[str]]:
    """Cut a line by the separator with which most of its headers mean something."""
    cuts = [(separator, _headers(line, separator)) for separator in SEPARATORS]
    return max(cuts, key=lambda cut: (recognised(cut[1]), len(cut[1])))


def _headers(line: str, separator: str) -> list[str]:
    """Cut a header line."""
    try:
        cells = next(csv.reader([line], delimiter=separator, skipinitialspace=True))
    except csv.Error:
        cells = line.split(separator)
    return [" ".join(cell.split()) for cell in cells]
