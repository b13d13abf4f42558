"""A mangled copy of a good table: each damage gives its own row error, and nothing else does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from shoal.profiles.table import ProfileTable
from tests.shoal.profiles.tables import HEADERS, text_of, uniform_rows

ROWS = 200


def cell(column: int, value: str) -> Callable[[list[str]], list[str]]:
    def damaged(row: list[str]) -> list[str]:
        return [*row[:column], value, *row[column + 1 :]]

    return damaged


CELLS: tuple[tuple[Callable[[list[str]], list[str]], str, str], ...] = (
    (cell(0, ""), "User ID", ""),
    (cell(0, "1.23457E+11"), "User ID", "1.23457E+11"),
    (cell(0, "x" * 129), "User ID", "x" * 59 + "…"),
    (cell(0, "1"), "User ID", "1"),  # stands in the first row with other values
    (cell(1, "34-25"), "Age", "34-25"),
    (cell(1, "adult"), "Age", "adult"),
    (cell(6, "-5"), "Likes and Reactions", "-5"),
    (cell(6, "many"), "Likes and Reactions", "many"),
    (cell(7, "190.5"), "Followed Accounts", "190.5"),
    (cell(9, "25"), "Time Spent Online (hrs/weekday)", "25"),
    (cell(10, "2-3"), "Time Spent Online (hrs/weekend)", "2-3"),
    (cell(11, "19.3"), "Click-Through Rates (CTR)", "19.3"),
    (cell(12, "120%"), "Conversion Rates", "120%"),
    (cell(13, "inf"), "Ad Interaction Time (sec)", "inf"),
    (cell(14, "40k-20k"), "Income Level", "40k-20k"),
    (cell(15, "y" * 65), "Top Interests", "y" * 59 + "…"),
)
"""How a row is damaged by its cells; column and value of the error that it must give."""

LINES: tuple[tuple[Callable[[bytes], bytes], str], ...] = (
    (lambda line: b",".join(line.split(b",")[:9]), "has 9 fields instead of 16"),
    (lambda line: line + b",surplus", "has 17 fields instead of 16"),
    (lambda line: b'"' + line, "a quote is opened and never closed"),
    (lambda line: line.replace(b",", b"\0,", 1), "NUL characters"),
    (lambda line: line.replace(b"male", b"m\xff\xfele"), "bytes that are not UTF-8"),
    (lambda _: ",".join(HEADERS).encode(), "is the header again"),
    (lambda line: line.replace(b",", b";"), "has 1 fields instead of 16"),
)
"""How a line is damaged as a whole; words of its error."""

HARMLESS: tuple[Callable[[bytes], bytes], ...] = (
    lambda line: line + b",,,",
    lambda line: b"  " + line.replace(b",", b" , "),
    lambda line: line + b"\r\n,,,,\r\n\r\n   ",
    lambda line: line + b"\r\n" + line,
    lambda line: line.replace(b"ale,", b"ALE,"),
)
"""What people do to tables without harm to any row; the second to last repeats a row."""


def mangled(path: Path) -> list[tuple[int, str, str]]:
    """Write a damaged table; give line, column or words, and value of the errors to expect."""
    rows = uniform_rows(ROWS)
    for number, row in enumerate(rows):
        row[15] = row[15].split(",")[0]  # no quotes: lines are cut at commas below
        row[2] = "Female" if number % 2 else "Male"
    rows[150][15] = "Café"  # the file is UTF-8 beyond doubt
    rows[151][15] = "Crème"
    expected = []
    for number, (damage, column, value) in enumerate(CELLS):
        at = 3 + 4 * number
        rows[at] = damage(rows[at])
        expected.append((at + 2, column, value))
    lines = text_of(rows).encode().split(b"\r\n")
    for number, (damage_line, words) in enumerate(LINES):
        at = 80 + 5 * number
        lines[at] = damage_line(lines[at])
        expected.append((at + 1, words, ""))
    for number, harmless in enumerate(HARMLESS):
        at = 190 + 2 * number
        lines[at] = harmless(lines[at])
    path.write_bytes(b"\r\n".join(lines))
    return expected


def test_each_damage_gives_exactly_its_own_row_error(tmp_path: Path) -> None:
    path = tmp_path / "mangled.csv"
    expected = mangled(path)
    assert len(expected) >= 20
    table = ProfileTable(path)
    blocks = list(table.blocks())
    found = [error for block in blocks for error in block.errors]
    assert [error.line for error in found] == [line for line, _, _ in expected]
    for error, (_, place, value) in zip(found, expected, strict=True):
        if error.column:
            assert (error.column, error.value) == (place, value)
        else:
            assert place in error.why
    assert sum(block.bad for block in blocks) == len(expected)
    assert sum(block.repeated for block in blocks) == 1
    assert sum(len(block.rows) for block in blocks) == ROWS - len(expected)
