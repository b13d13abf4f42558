"""A deployment for each test on the shared services, its topics created."""

import pytest
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from consumer.config import WorkerConfig
from consumer.topics import topic_specs
from tests.consumer.deployed import unprepared
from tests.services.deployment import Deployment

PARTITIONS = 3
CREATED_WITHIN_S = 60.0


@pytest.fixture
def prepared(deployment: Deployment) -> WorkerConfig:
    admin = AdminClient({"bootstrap.servers": deployment.kafka})
    topics = [
        NewTopic(spec.name, spec.partitions, 1, config=spec.config)
        for spec in topic_specs(deployment.topics, PARTITIONS, event_clock=True)
    ]
    for created in admin.create_topics(topics).values():
        created.result(CREATED_WITHIN_S)
    return unprepared(deployment)
