from __future__ import annotations

from pathlib import Path

import pytest

from tests.producer.mock_kafka import MockKafka


@pytest.fixture(scope="session")
def mock_kafka() -> MockKafka:
    return MockKafka()


@pytest.fixture
def topic(mock_kafka: MockKafka, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """A topic of this test's own, to which the command line's settings point."""
    topic = mock_kafka.new_topic()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SHOAL_KAFKA_BOOTSTRAP_SERVERS", mock_kafka.bootstrap_servers)
    monkeypatch.setenv("SHOAL_TOPIC_EVENTS", topic)
    return topic
