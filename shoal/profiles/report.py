"""Telling people what is wrong with their table: on the screen, and as a table of its own."""

from __future__ import annotations

import csv
from pathlib import Path
from types import TracebackType
from typing import Self

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeElapsedColumn

from shoal.errors import WrongUse
from shoal.profiles.row import RowError
from shoal.profiles.table import ProfileTable

SHOWN_MAX = 100
"""The first so many errors are shown one by one; a file of another kind has millions."""

_SEPARATOR_NAMES = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}


def sentence(path: Path, error: RowError) -> str:
    """Say where something is wrong and what to do about it."""
    what = f"{error.column} is {error.value!r}: {error.why}" if error.column else error.why
    return f"{path}:{error.line}: {what}"


def describe(table: ProfileTable) -> None:
    """Say on stderr how the file was understood: once, before its rows."""
    layout = table.layout
    say(f"{table.path}: {table.encoding}, cells between {_SEPARATOR_NAMES[table.separator]}")
    if table.skipped:
        say(f"  the first {table.skipped} lines are no table and are left out")
    if layout.unknown:
        say(f"  columns without a meaning to Shoal, left out: {', '.join(layout.unknown)}")
    if layout.missing:
        say(f"  columns that the table lacks: {', '.join(layout.missing)}")
    for field, factor in layout.factor.items():
        say(f"  {layout.header_of(field)}: numbers are multiplied by {factor:.6g}")


class ErrorReport:
    """Shows errors as they come and writes all of them to a file if one is wanted.

    Attributes:
        first: The first `SHOWN_MAX` errors.
        count: How many there were.
    """

    def __init__(self, table: Path, copy: Path | None) -> None:
        """Open the file, so that a wrong name is found before the work is done.

        Raises:
            WrongUse: It cannot be written.
        """
        self.first: list[RowError] = []
        self.count = 0
        self._table = table
        try:
            self._file = copy.open("w", newline="", encoding="utf-8") if copy else None
        except OSError as failure:
            raise WrongUse(
                f"cannot write {copy}: {failure.strerror}; give --errors another file"
            ) from failure
        self._writer = csv.writer(self._file) if self._file else None
        if self._writer:
            self._writer.writerow(RowError._fields)

    def add(self, errors: list[RowError]) -> None:
        """Report errors."""
        if self._writer:
            self._writer.writerows(errors)
        for error in errors:
            self.count += 1
            if self.count <= SHOWN_MAX:
                self.first.append(error)
                say(sentence(self._table, error))
            elif self.count == SHOWN_MAX + 1:
                rest = "they stand in the file of errors" if self._file else "--errors keeps them"
                say(f"more errors follow: {rest}")

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the file."""
        if self._file:
            self._file.close()


class FileProgress:
    """A bar of how much of a file was read; only a person at a terminal sees it."""

    def __init__(self, table: ProfileTable) -> None:
        """Prepare."""
        console = Console(stderr=True)
        columns = (TextColumn("profiles"), BarColumn(), DownloadColumn(), TimeElapsedColumn())
        self._progress = Progress(*columns, console=console, disable=not console.is_terminal)
        self._table = table
        self._task = self._progress.add_task("profiles", total=table.size_bytes)

    def update(self) -> None:
        """Show where the table is."""
        self._progress.update(self._task, completed=self._table.read_bytes)

    def __enter__(self) -> Self:
        """Start to draw."""
        self._progress.start()
        return self

    def __exit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Leave the bar as it is."""
        self.update()
        self._progress.stop()


def say(words: str) -> None:
    """Write to stderr; stdout is for results."""
    typer.echo(words, err=True)
