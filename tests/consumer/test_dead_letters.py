"""The headers of a dead letter."""

from typing import Any

from confluent_kafka import Message

from consumer.dead_letters import dead_letter_headers, dead_letter_of
from tests.consumer.builders import NOON_MS, dead_letter


def test_headers_say_what_went_wrong_and_where_the_record_came_from() -> None:
    letter = dead_letter(offset=42, reason="future", detail="too far ahead")
    assert dead_letter_headers(letter, "user-events", 7) == [
        ("shoal.error.reason", b"future"),
        ("shoal.error.detail", b"too far ahead"),
        ("shoal.error.topic", b"user-events"),
        ("shoal.error.partition", b"7"),
        ("shoal.error.offset", b"42"),
        ("shoal.error.timestamp", str(NOON_MS).encode()),
    ]


def test_the_record_s_own_headers_come_first_unchanged() -> None:
    own: list[tuple[str, bytes | None]] = [("trace", b"\xff"), ("trace", None)]
    assert dead_letter_headers(dead_letter(headers=own), "t", 0)[:2] == own


def test_a_long_detail_is_cut_so_that_the_record_still_fits() -> None:
    headers = dict(dead_letter_headers(dead_letter(detail="ä" * 9_000), "t", 0))
    assert headers["shoal.error.detail"] == "ä".encode() * 2_000


def test_a_detail_that_is_not_unicode_is_still_a_header() -> None:
    headers = dict(dead_letter_headers(dead_letter(detail="a\ud800b"), "t", 0))
    assert headers["shoal.error.detail"] == b"a?b"


def test_a_published_letter_is_read_back_as_it_was() -> None:
    letter = dead_letter(offset=42, headers=[("trace", b"\xff"), ("trace", None)])
    headers: Any = dead_letter_headers(letter, "user-events", 7)
    message = Message(topic="dead", key=letter.key, value=letter.value, headers=headers)
    assert dead_letter_of(message) == letter


def test_a_record_without_our_headers_is_no_dead_letter() -> None:
    assert dead_letter_of(Message(topic="dead", headers=[("trace", b"1")])) is None
    assert dead_letter_of(Message(topic="dead")) is None
