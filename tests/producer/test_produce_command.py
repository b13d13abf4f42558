from __future__ import annotations

import gzip
import json
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from features.events import decode_event, epoch_ms
from producer.partitioner import murmur2_partition
from shoal.exit_codes import ExitCode, exit_code
from shoal.produce import app
from tests.producer.mock_kafka import MockKafka

GOOD = '{"event_id":"e%d","user_id":"u%d","type":"page_view","timestamp":"2026-01-02T03:04:05Z"}'
SMALL = ["synthetic", "--users", "20", "--events", "500", "--seed", "3"]


@pytest.fixture
def topic(mock_kafka: MockKafka, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    topic = mock_kafka.new_topic()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SHOAL_KAFKA_BOOTSTRAP_SERVERS", mock_kafka.bootstrap_servers)
    monkeypatch.setenv("SHOAL_TOPIC_EVENTS", topic)
    return topic


def produce(*arguments: str, stdin: bytes | None = None) -> Result:
    return CliRunner().invoke(app, arguments, input=stdin)


def blamed(result: Result) -> int:
    assert isinstance(result.exception, Exception)
    return exit_code(result.exception)


def write_lines(path: Path, *lines: str) -> str:
    path.write_text("".join(line + "\n" for line in lines))
    return str(path)


def test_file_is_sent_and_bad_lines_are_reported_and_counted(
    mock_kafka: MockKafka, topic: str, tmp_path: Path
) -> None:
    path = write_lines(tmp_path / "e.jsonl", GOOD % (1, 1), "nonsense", "", GOOD % (2, 2))
    result = produce("file", path, "--json")
    assert result.exit_code == ExitCode.DONE
    summary = json.loads(result.stdout)
    assert summary.keys() == {"sent", "skipped", "seconds"}
    assert (summary["sent"], summary["skipped"]) == (2, 1)
    assert f"{path}:2: " in result.stderr
    for record in mock_kafka.records(topic, 2):
        event = decode_event(record.value() or b"")
        assert record.timestamp()[1] == epoch_ms(event.timestamp)
        assert record.partition() == murmur2_partition(
            event.user_id.encode(), mock_kafka.partitions(topic)
        )


def test_several_files_and_compression_are_one_run(
    mock_kafka: MockKafka, topic: str, tmp_path: Path
) -> None:
    plain = write_lines(tmp_path / "a.jsonl", GOOD % (1, 1))
    packed = tmp_path / "b.jsonl.gz"
    packed.write_bytes(gzip.compress((GOOD % (2, 2)).encode()))
    result = produce("file", plain, str(packed), "--json")
    assert json.loads(result.stdout)["sent"] == 2
    mock_kafka.records(topic, 2)


def test_strict_sends_nothing_when_a_line_is_bad(
    mock_kafka: MockKafka, topic: str, tmp_path: Path
) -> None:
    good = write_lines(tmp_path / "good.jsonl", GOOD % (1, 1))
    bad = write_lines(tmp_path / "bad.jsonl", GOOD % (2, 2), "nonsense")
    result = produce("file", good, bad, "--strict")
    assert blamed(result) == ExitCode.WRONG_USE
    assert f"{bad}:2: " in result.stderr
    assert "nothing was sent: 1 line is bad" in str(result.exception)
    mock_kafka.records(topic, 0)


def test_strict_sends_everything_when_all_lines_are_good(mock_kafka: MockKafka, topic: str) -> None:
    result = produce("file", "-", "--strict", "--json", stdin=(GOOD % (1, 1)).encode())
    assert json.loads(result.stdout)["sent"] == 1
    mock_kafka.records(topic, 1)


def test_dash_reads_standard_input(mock_kafka: MockKafka, topic: str) -> None:
    lines = (GOOD % (1, 1) + "\n" + GOOD % (2, 2)).encode()
    result = produce("file", "-", "--json", stdin=lines)
    assert json.loads(result.stdout)["sent"] == 2
    mock_kafka.records(topic, 2)


def test_missing_file_is_found_before_anything_is_sent(
    mock_kafka: MockKafka, topic: str, tmp_path: Path
) -> None:
    good = write_lines(tmp_path / "good.jsonl", GOOD % (1, 1))
    result = produce("file", good, "absent.jsonl")
    assert blamed(result) == ExitCode.WRONG_USE
    assert "cannot read absent.jsonl: No such file" in str(result.exception)
    mock_kafka.records(topic, 0)


def test_arrival_time_becomes_the_record_timestamp_on_request(
    mock_kafka: MockKafka, topic: str, tmp_path: Path
) -> None:
    before_ms = int(time.time() * 1000)
    produce("file", write_lines(tmp_path / "e.jsonl", GOOD % (1, 1)), "--timestamps", "now")
    (record,) = mock_kafka.records(topic, 1)
    assert record.timestamp()[1] >= before_ms


def test_event_from_the_future_does_not_move_time_beyond_what_was_sent(
    mock_kafka: MockKafka, topic: str, tmp_path: Path
) -> None:
    future = (GOOD % (2, 1)).replace("2026-", "9000-")
    produce("file", write_lines(tmp_path / "e.jsonl", GOOD % (1, 1), future))
    first, second = mock_kafka.records(topic, 2)
    assert second.timestamp()[1] == first.timestamp()[1] < time.time() * 1000


def test_event_from_the_future_alone_keeps_the_time_of_arrival(
    mock_kafka: MockKafka, topic: str, tmp_path: Path
) -> None:
    future = (GOOD % (1, 1)).replace("2026-", "9000-")
    produce("file", write_lines(tmp_path / "e.jsonl", future))
    (record,) = mock_kafka.records(topic, 1)
    assert record.timestamp()[1] <= time.time() * 1000


def test_rate_is_kept(topic: str, tmp_path: Path) -> None:
    lines = [GOOD % (number, 1) for number in range(60)]
    result = produce("file", write_lines(tmp_path / "e.jsonl", *lines), "--rate", "100", "--json")
    assert 0.5 < json.loads(result.stdout)["seconds"] < 5


def test_unreachable_kafka_is_one_sentence(
    topic: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOAL_KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:1")
    result = produce("file", write_lines(tmp_path / "e.jsonl", GOOD % (1, 1)))
    assert blamed(result) == ExitCode.UNREACHABLE
    assert "Kafka at 127.0.0.1:1 cannot be reached" in str(result.exception)


def test_missing_topic_names_the_command_that_creates_it(
    topic: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOAL_TOPIC_EVENTS", "absent")
    result = produce("file", write_lines(tmp_path / "e.jsonl", GOOD % (1, 1)))
    assert blamed(result) == ExitCode.WRONG_USE
    assert "shoal topics create" in str(result.exception)


def test_synthetic_stream_is_sent_with_its_truth(
    mock_kafka: MockKafka, topic: str, tmp_path: Path
) -> None:
    truth = tmp_path / "truth.jsonl"
    result = produce(*SMALL, "--truth", str(truth), "--json")
    assert json.loads(result.stdout)["sent"] == 500
    records = mock_kafka.records(topic, 500)
    users = [json.loads(line) for line in truth.read_text().splitlines()]
    assert len(users) == 20
    assert sum(user["events"] for user in users) == len(records)


def test_synthetic_stream_goes_to_a_file_without_kafka(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOAL_KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:1")
    plain, packed = tmp_path / "e.jsonl", tmp_path / "e.jsonl.gz"
    assert produce(*SMALL, "--out", str(plain)).exit_code == ExitCode.DONE
    assert produce(*SMALL, "--out", str(packed)).exit_code == ExitCode.DONE
    assert gzip.decompress(packed.read_bytes()) == plain.read_bytes()
    assert len(plain.read_bytes().splitlines()) == 500


def test_compressed_output_depends_on_the_seed_only(tmp_path: Path) -> None:
    first, second = tmp_path / "a.gz", tmp_path / "b.gz"
    produce(*SMALL, "--out", str(first))
    produce(*SMALL, "--out", str(second))
    assert first.read_bytes() == second.read_bytes()


@pytest.mark.parametrize(
    ("option", "value", "words"),
    [
        ("--personas", "1", "personas: must be 2 to 12"),
        ("--start", "soon", "start: must be a day"),
        ("--start", "2026-01-02T03:00:00Z", "start: must be a midnight"),
        ("--switchers", "2", "switchers: is a share"),
        ("--truth", "absent/truth.jsonl", "cannot write absent/truth.jsonl"),
        ("--out", "absent/e.jsonl", "cannot write absent/e.jsonl"),
    ],
)
def test_wrong_use_is_one_sentence_that_names_the_option(
    option: str, value: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = produce(*SMALL, option, value)
    assert blamed(result) == ExitCode.WRONG_USE
    assert words in str(result.exception)


def test_recent_stream_ends_yesterday(tmp_path: Path) -> None:
    path = tmp_path / "e.jsonl"
    produce(*SMALL, "--days", "3", "--start", "recent", "--out", str(path))
    days = {json.loads(line)["timestamp"][:10] for line in path.read_text().splitlines()}
    now_s = time.time()
    recent = {time.strftime("%Y-%m-%d", time.gmtime(now_s - 86_400 * ago)) for ago in (1, 2, 3)}
    assert recent <= days
