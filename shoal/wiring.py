"""From the settings of the application to the plain values that the libraries take."""

from consumer.config import WorkerConfig
from consumer.topics import TopicNames
from producer.client import ProducerSettings
from producer.kafka import KafkaConnection
from shoal.settings import Settings


def kafka_connection(settings: Settings) -> KafkaConnection:
    """Say where Kafka is and how to be let in."""
    return KafkaConnection(settings.kafka_bootstrap_servers, settings.kafka_config)


def topic_names(settings: Settings) -> TopicNames:
    """Name the six topics."""
    return TopicNames(
        events=settings.topic_events,
        changes=settings.topic_changes,
        memberships=settings.topic_memberships,
        samples=settings.topic_samples,
        models=settings.topic_models,
        dead=settings.topic_dead,
    )


def producer_settings(settings: Settings) -> ProducerSettings:
    """Say where and how to send events."""
    return ProducerSettings(kafka_connection(settings), topic=settings.topic_events)


def worker_config(settings: Settings) -> WorkerConfig:
    """Configure workers, the trainer and the readers."""
    return WorkerConfig(
        kafka=kafka_connection(settings),
        redis_url=settings.redis_url,
        namespace=settings.namespace,
        group=settings.group,
        topics=topic_names(settings),
        clock=settings.clock,
        min_events=settings.min_events,
        sample_interval_s=settings.sample_interval_s,
        removal_days=settings.removal_days,
        segments=None if settings.segments == "auto" else settings.segments,
        model_features=settings.model_features,
        bootstrap_days=settings.bootstrap_days,
        batch_records=settings.batch_records,
        cache_users=settings.cache_users,
        sweep_users=settings.sweep_users,
        reassign_users_per_s=settings.reassign_users_per_s,
        event_bytes_max=settings.event_bytes_max,
        session_timeout_ms=settings.session_timeout_ms,
        outage_limit_s=settings.outage_limit_s,
        redis_timeout_s=settings.redis_timeout_s,
        transaction_timeout_ms=settings.transaction_timeout_ms,
    )
