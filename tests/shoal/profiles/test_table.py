from __future__ import annotations

from pathlib import Path

import pytest

from producer.errors import UnreadableFile
from shoal.errors import WrongUse
from shoal.profiles import table as table_module
from shoal.profiles.row import ProfileRow, RowError
from shoal.profiles.table import ProfileTable
from tests.shoal.profiles.tables import HEADERS, text_of, uniform_rows

ROWS = uniform_rows(30)
ACCENTED = [row.copy() for row in ROWS]
ACCENTED[2][15] = "Crème brûlée, Café – crème"


def read(path: Path, encoding: str | None = None) -> tuple[list[ProfileRow], list[RowError]]:
    blocks = list(ProfileTable(path, encoding).blocks())
    errors = [error for block in blocks for error in block.errors]
    assert sum(block.bad for block in blocks) == len({error.line for error in errors})
    return [row for block in blocks for row in block.rows], errors


def written(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


@pytest.fixture
def plain(tmp_path: Path) -> list[ProfileRow]:
    rows, errors = read(written(tmp_path / "plain.csv", text_of(ACCENTED).encode()))
    assert (len(rows), errors) == (30, [])
    return rows


def test_values_arrive_in_their_fields(tmp_path: Path) -> None:
    line = 'u7,25-34,F,Urban,hindi,PhD,5640,190,Mobile Only,4.5,1.7,0.193,0.067,25,20k-40k,"A, b"'
    (row,), _ = read(written(tmp_path / "t.csv", (",".join(HEADERS) + "\n" + line).encode()))
    assert row.model_dump() == {
        "user_id": "u7", "age": "25-34", "gender": "female", "location": "urban",
        "language": "Hindi", "education": "phd", "likes_and_reactions": 5640,
        "followed_accounts": 190, "device": "mobile only", "weekday_hours": 4.5,
        "weekend_hours": 1.7, "ctr": 0.193, "conversion_rate": 0.067, "ad_seconds": 25,
        "income": "20k-40k", "interests": ("A", "b"),
    }  # fmt: skip


@pytest.mark.parametrize(
    "encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252"]
)
def test_encodings_are_told_from_the_bytes(
    encoding: str, plain: list[ProfileRow], tmp_path: Path
) -> None:
    path = written(tmp_path / "t.csv", text_of(ACCENTED).encode(encoding))
    assert read(path) == (plain, [])


def test_latin_1_is_told_by_bytes_that_windows_does_not_have(tmp_path: Path) -> None:
    rows = [row.copy() for row in ROWS]
    rows[0][0], rows[0][15] = "u\xa0é", "caf\xe9 \x81"
    path = written(tmp_path / "t.csv", text_of(rows).encode("latin-1"))
    assert ProfileTable(path).encoding == "latin-1"


def test_an_encoding_may_be_given(plain: list[ProfileRow], tmp_path: Path) -> None:
    path = written(tmp_path / "t.csv", text_of(ACCENTED).replace("–", "-").encode("mac-roman"))
    rows, _ = read(path, "mac-roman")
    assert rows[2].interests == ("Crème brûlée", "Café - crème")
    with pytest.raises(WrongUse, match="--encoding klingon"):
        read(path, "klingon")


@pytest.mark.parametrize("separator", [";", "\t", "|"])
def test_separators_are_told_from_the_header(
    separator: str, plain: list[ProfileRow], tmp_path: Path
) -> None:
    assert read(written(tmp_path / "t.csv", text_of(ACCENTED, separator).encode())) == (plain, [])


def test_a_table_with_semicolons_may_have_decimal_commas(
    plain: list[ProfileRow], tmp_path: Path
) -> None:
    rows = [
        [*row[:9], *(cell.replace(".", ",") for cell in row[9:13]), *row[13:]] for row in ACCENTED
    ]
    assert read(written(tmp_path / "t.csv", text_of(rows, ";").encode())) == (plain, [])


def test_units_of_the_header_are_converted(plain: list[ProfileRow], tmp_path: Path) -> None:
    headers = tuple(
        h.replace("hrs/weekday", "min/weekday").replace("CTR", "CTR %") for h in HEADERS
    )
    rows = [row.copy() for row in ACCENTED]
    for row in rows:
        row[9], row[11] = f"{float(row[9]) * 60:g}", f"{float(row[11]) * 100:g}"
    path = written(tmp_path / "t.csv", text_of(rows, headers=headers).encode())
    found, _ = read(path)
    for one, other in zip(plain, found, strict=True):
        assert one.weekday_hours == pytest.approx(other.weekday_hours)
        assert one.ctr == pytest.approx(other.ctr)


def test_line_numbers_hold_over_blocks_and_cells_with_line_breaks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(table_module, "BLOCK_ROWS", 7)
    rows = [row.copy() for row in ROWS]
    rows[3][15] = "Baking,\nStreet Food"
    rows[20][11] = "1.5"
    rows[29][0] = ""
    found, errors = read(written(tmp_path / "t.csv", text_of(rows).encode()))
    assert [(error.line, error.column) for error in errors] == [(23, HEADERS[11]), (32, "User ID")]
    assert found[3].interests == ("Baking", "Street Food")


def test_the_second_of_two_rows_of_a_user_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for size in (3, 1000):  # within a block, and across
        monkeypatch.setattr(table_module, "BLOCK_ROWS", size)
        rows = [row.copy() for row in ROWS[:9]]
        rows[4] = rows[1].copy()  # the same: nothing wrong
        rows[8] = [rows[1][0], *rows[7][1:]]  # other values: which are right?
        table = ProfileTable(written(tmp_path / "t.csv", text_of(rows).encode()))
        blocks = list(table.blocks())
        assert sum(block.repeated for block in blocks) == 1
        (error,) = [error for block in blocks for error in block.errors]
        assert (error.line, error.column, error.value) == (10, "User ID", "2")
        assert "line 3 with other values" in error.why


def test_missing_columns_give_fewer_traits_and_unknown_ones_are_named(tmp_path: Path) -> None:
    path = written(tmp_path / "t.csv", b"User_ID,CTR,Shoe size\nu1,0.1,42\nu2,n/a,43\n")
    rows, errors = read(path)
    assert rows == [ProfileRow(user_id="u1", ctr=0.1)]
    assert [(error.line, error.why) for error in errors] == [
        (3, "has nothing but a user id: fill at least one more cell")
    ]
    layout = ProfileTable(path).layout
    assert layout.unknown == ["Shoe size"]
    assert "Age" in layout.missing


def test_lines_before_the_header_are_passed_over(plain: list[ProfileRow], tmp_path: Path) -> None:
    data = "sep=,\r\nExport of May\r\n\r\n" + text_of(ACCENTED)
    path = written(tmp_path / "t.csv", data.encode())
    assert read(path) == (plain, [])
    assert ProfileTable(path).skipped == 3


def test_cells_without_a_value_say_nothing(tmp_path: Path) -> None:
    cells = "N/A,null,-,?,nan,, ,None"
    names = "Age,Gender,Location,Language,CTR,Income,Interests,Device"
    path = written(tmp_path / "t.csv", f"id,Conversion Rate,{names}\nu1,0,{cells}\n".encode())
    assert read(path) == ([ProfileRow(user_id="u1", conversion_rate=0)], [])


@pytest.mark.parametrize(
    ("data", "error", "words"),
    [
        (b"", UnreadableFile, "the file is empty"),
        (b"\n ,,\n", UnreadableFile, "the file is empty"),
        (b"PK\x03\x04....", UnreadableFile, "Excel workbook"),
        (b"\x1f\x8b....", UnreadableFile, "unpack it first"),
        (b"Name,Age\nx,3\n", WrongUse, "no column 'User ID'; its columns are 'Name', 'Age'"),
        (b"1,25-34,Female\n", WrongUse, "no column 'User ID'; its columns are '1', '25-34'"),
        (b"User ID,Shoe size\n1,2\n", WrongUse, "no other column that means something"),
    ],
)
def test_a_file_that_is_no_such_table_is_refused_in_one_sentence(
    data: bytes, error: type[Exception], words: str, tmp_path: Path
) -> None:
    with pytest.raises(error, match=words):
        ProfileTable(written(tmp_path / "t.csv", data))
