from __future__ import annotations

import csv
import json
import resource
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from features.events import decode_event, epoch_ms
from producer.partitioner import murmur2_partition
from shoal.exit_codes import ExitCode, exit_code
from shoal.profiles.commands import app
from tests.producer.mock_kafka import MockKafka
from tests.shoal.profiles.tables import uniform_rows, write_table
from tests.shoal.running import run_shoal

ROWS = uniform_rows(40)
NOWHERE = "127.0.0.1:1"


@pytest.fixture
def good(tmp_path: Path) -> str:
    return str(write_table(tmp_path / "good.csv", ROWS))


@pytest.fixture
def bad(tmp_path: Path) -> str:
    rows = [row.copy() for row in ROWS]
    rows[4][11], rows[4][1], rows[9][0] = "19.3", "adult", ""
    return str(write_table(tmp_path / "bad.csv", rows))


def profiles(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["import", *arguments])


def blamed(result: Result) -> int:
    assert isinstance(result.exception, Exception)
    return exit_code(result.exception)


def test_every_row_becomes_a_profile_event_in_its_users_partition(
    mock_kafka: MockKafka, topic: str, good: str
) -> None:
    before_ms = int(time.time() * 1000)
    result = profiles(good, "--json")
    assert result.exit_code == ExitCode.DONE, result.stderr
    summary = json.loads(result.stdout)
    assert summary.keys() == {"rows", "sent", "bad", "repeated", "dry_run", "errors", "seconds"}
    assert (summary["rows"], summary["sent"], summary["bad"]) == (40, 40, 0)
    records = mock_kafka.records(topic, 40)
    events = [decode_event(record.value() or b"") for record in records]
    assert {event.user_id for event in events} == {row[0] for row in ROWS}
    for record, event in zip(records, events, strict=True):
        assert event.type == "profile"
        assert event.traits is not None
        assert event.metrics is not None
        assert before_ms <= epoch_ms(event.timestamp) <= record.timestamp()[1] + 1000
        partitions = mock_kafka.partitions(topic)
        assert record.partition() == murmur2_partition(event.user_id.encode(), partitions)


def test_equal_content_and_time_give_equal_events(
    mock_kafka: MockKafka, topic: str, good: str
) -> None:
    for _ in range(2):
        assert profiles(good, "--as-of", "2026-01-31").exit_code == ExitCode.DONE
    records = mock_kafka.records(topic, 80)
    assert len({record.value() for record in records}) == 40
    assert {record.timestamp()[1] for record in records} == {1_769_817_600_000}


def test_bad_rows_are_told_and_the_others_go_in(
    mock_kafka: MockKafka, topic: str, bad: str, tmp_path: Path
) -> None:
    result = profiles(bad, "--json", "--errors", "errors.csv")
    assert result.exit_code == ExitCode.DONE
    mock_kafka.records(topic, 38)
    told = result.stderr.splitlines()
    assert f"{bad}:6: Age is 'adult': give years or a range of years" in "\n".join(told)
    assert any(line.startswith(f"{bad}:11: User ID is '': give an id") for line in told)
    with (tmp_path / "errors.csv").open(newline="") as file:
        errors = list(csv.DictReader(file))
    assert json.loads(result.stdout)["errors"] == [
        {**error, "line": int(error["line"])} for error in errors
    ]
    assert [(error["line"], error["column"]) for error in errors] == [
        ("6", "Age"),
        ("6", "Click-Through Rates (CTR)"),
        ("11", "User ID"),
    ]


def test_strict_sends_nothing_when_a_row_is_bad(
    mock_kafka: MockKafka, topic: str, bad: str
) -> None:
    result = profiles(bad, "--strict", "--json")
    assert blamed(result) == ExitCode.DIFFERENCES
    assert "nothing was sent: 2 rows are bad" in str(result.exception)
    assert json.loads(result.stdout)["sent"] == 0
    mock_kafka.records(topic, 0)


def test_strict_sends_everything_when_all_rows_are_good(
    mock_kafka: MockKafka, topic: str, good: str
) -> None:
    assert json.loads(profiles(good, "--strict", "--json").stdout)["sent"] == 40
    mock_kafka.records(topic, 40)


def test_a_dry_run_needs_no_kafka(bad: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOAL_KAFKA_BOOTSTRAP_SERVERS", NOWHERE)
    result = profiles(bad, "--dry-run", "--json")
    assert result.exit_code == ExitCode.DONE
    summary = json.loads(result.stdout)
    assert (summary["dry_run"], summary["sent"], summary["bad"]) == (True, 38, 2)
    assert blamed(profiles(bad, "--dry-run", "--strict")) == ExitCode.DIFFERENCES


def test_a_table_without_any_good_row_is_a_failure(tmp_path: Path, topic: str) -> None:
    path = write_table(tmp_path / "t.csv", [["", *row[1:]] for row in ROWS])
    result = profiles(str(path))
    assert blamed(result) == ExitCode.DIFFERENCES
    assert "no row can be used" in str(result.exception)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("absent.csv",), "cannot read absent.csv: No such file"),
        (("good.csv", "--errors", "absent/e.csv"), "cannot write absent/e.csv"),
        (("good.csv", "--as-of", "soon"), "--as-of soon: give a day such as"),
        (("good.csv", "--as-of", "2999-01-01"), "lies ahead"),
        (("good.csv", "--encoding", "klingon"), "there is no such encoding"),
        (("empty.csv",), "has no rows below its header"),
    ],
)
def test_wrong_use_is_one_sentence(
    arguments: tuple[str, ...], words: str, good: str, topic: str, tmp_path: Path
) -> None:
    write_table(tmp_path / "empty.csv", [])
    result = profiles(*arguments)
    assert blamed(result) == ExitCode.WRONG_USE
    assert words in str(result.exception)


def test_a_thousand_rows_take_less_than_two_seconds_start_and_all(
    mock_kafka: MockKafka, topic: str, tmp_path: Path
) -> None:
    path = write_table(tmp_path / "t.csv", uniform_rows(1000))
    environment = {
        "SHOAL_KAFKA_BOOTSTRAP_SERVERS": mock_kafka.bootstrap_servers,
        "SHOAL_TOPIC_EVENTS": topic,
    }
    before_s = computed_s()
    done = run_shoal("profiles", "import", str(path), environment=environment)
    assert done.returncode == 0, done.stderr
    # Of computing: how long it takes besides is up to who else uses the machine.
    assert computed_s() - before_s < 2


def computed_s() -> float:
    """Seconds that the processes started so far and ended have computed."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
