"""The settings of a worker or trainer on a deployment of a test's own."""

from consumer.config import WorkerConfig
from producer.kafka import KafkaConnection
from tests.services.deployment import Deployment


def unprepared(deployment: Deployment) -> WorkerConfig:
    return WorkerConfig(
        kafka=KafkaConnection(deployment.kafka),
        redis_url=deployment.redis_url,
        namespace=deployment.namespace,
        group=deployment.group,
        topics=deployment.topics,
        session_timeout_ms=6_000,
        outage_limit_s=20.0,
    )
