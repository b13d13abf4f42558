"""The append-only file is cut between commands, and never within a transaction."""

from pathlib import Path

from tests.campaign.tail import command_ends, cut_commands

SELECT = b"*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n"
SET = b"*3\r\n$3\r\nSET\r\n$1\r\na\r\n$4\r\n\r\n*1\r\n"
BOTH = b"*1\r\n$5\r\nMULTI\r\n" + SET + SET + b"*1\r\n$4\r\nEXEC\r\n"
NOTE = b"#TS:1700000000\r\n"


def test_ends_of_commands_are_found_whatever_their_values_look_like() -> None:
    content = SELECT + NOTE + SET + BOTH + SET
    pieces = [SELECT, NOTE, SET, BOTH, SET]
    ends = [len(b"".join(pieces[: n + 1])) for n in range(len(pieces))]
    assert list(command_ends(content)) == ends
    assert list(command_ends(content[:-3])) == ends[:-1], "the last one is cut short already"


def test_a_transaction_is_kept_or_lost_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / "x.incr.aof"
    path.write_bytes(SELECT + BOTH + SET)
    lost_bytes = cut_commands(path, len(SELECT + BOTH) - 1)
    assert path.read_bytes() == SELECT
    assert lost_bytes == len(BOTH + SET)
