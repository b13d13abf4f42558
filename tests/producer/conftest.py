from __future__ import annotations

import pytest

from tests.producer.mock_kafka import MockKafka


@pytest.fixture(scope="session")
def mock_kafka() -> MockKafka:
    return MockKafka()
