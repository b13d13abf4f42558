from __future__ import annotations

import gzip
import io
import sys
from pathlib import Path

import pytest

from producer.errors import UnreadableFile
from producer.jsonl import LINE_BYTES_MAX, Line, read_events

GOOD = b'{"event_id":"e1","user_id":"u1","type":"page_view","timestamp":"2026-01-02T03:04:05Z"}'


def lines_of(tmp_path: Path, content: bytes) -> list[Line]:
    path = tmp_path / "events.jsonl"
    path.write_bytes(content)
    return list(read_events(str(path)))


def test_good_lines_keep_their_bytes(tmp_path: Path) -> None:
    line, second = lines_of(tmp_path, GOOD + b"\n" + GOOD + b"\n")
    assert (line.number, line.payload, line.error) == (1, GOOD, None)
    assert line.event is not None
    assert line.event.user_id == "u1"
    assert second.number == 2


def test_empty_lines_are_skipped_but_counted(tmp_path: Path) -> None:
    assert [line.number for line in lines_of(tmp_path, b"\n \r\n" + GOOD + b"\r\n\n")] == [3]


def test_last_line_needs_no_end(tmp_path: Path) -> None:
    assert [line.error for line in lines_of(tmp_path, GOOD)] == [None]


def test_byte_order_mark_is_no_part_of_the_first_event(tmp_path: Path) -> None:
    (line,) = lines_of(tmp_path, b"\xef\xbb\xbf" + GOOD)
    assert (line.payload, line.error) == (GOOD, None)


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (b"not json", "JSON"),
        (b"[1]", "object"),
        (b'{"event_id":"e1"}', "user_id"),
        (GOOD.replace(b"page_view", b"page_look"), "page_look"),
        (GOOD.replace(b"2026-01-02T03:04:05Z", b"yesterday"), "timestamp"),
        (GOOD.replace(b"u1", b"\xff\xfe"), "UTF-8"),
        (b'{"event_id":"' + b"x" * LINE_BYTES_MAX + b'"}', "1,048,576 bytes"),
    ],
)
def test_bad_line_is_reported_with_a_sentence_and_the_next_is_read(
    tmp_path: Path, bad: bytes, words: str
) -> None:
    first, second = lines_of(tmp_path, bad + b"\n" + GOOD + b"\n")
    assert first.event is None
    assert first.error is not None
    assert words in first.error
    assert (second.number, second.error) == (2, None)


def test_line_of_exactly_the_limit_is_read(tmp_path: Path) -> None:
    longest = GOOD + b" " * (LINE_BYTES_MAX - len(GOOD))
    lines = lines_of(tmp_path, longest + b"\n" + GOOD)
    assert [line.error for line in lines] == [None, None]


def test_gzip_is_recognised_by_its_content(tmp_path: Path) -> None:
    assert [line.error for line in lines_of(tmp_path, gzip.compress(GOOD + b"\n"))] == [None]


def test_compressed_file_cut_off_is_an_error_after_its_good_lines(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl.gz"
    path.write_bytes(gzip.compress((GOOD + b"\n") * 1000)[:-20])
    with pytest.raises(UnreadableFile, match="cut off"):
        list(read_events(str(path)))


def test_broken_compression_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl.gz"
    path.write_bytes(b"\x1f\x8bnot gzip at all")
    with pytest.raises(UnreadableFile, match="compression is broken"):
        list(read_events(str(path)))


def test_missing_file_is_named() -> None:
    with pytest.raises(UnreadableFile, match=r"absent\.jsonl: No such file"):
        list(read_events("absent.jsonl"))


def test_dash_is_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    compressed = io.TextIOWrapper(io.BufferedReader(io.BytesIO(gzip.compress(GOOD))))
    monkeypatch.setattr(sys, "stdin", compressed)
    assert [line.error for line in read_events("-")] == [None]
