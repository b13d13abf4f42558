"""The trainer on a real Kafka and Redis: releases, resuming, standing by."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import msgspec
import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from consumer.config import WorkerConfig
from consumer.errors import KafkaAway, NotSetUp, ServiceUnavailable
from consumer.keys import model_key
from consumer.model_publisher import ModelPublisher
from consumer.models import ModelFeed, mirror_model, read_newest_model
from consumer.redis_client import open_redis
from consumer.trainer import Trainer
from producer.kafka import KafkaConnection
from segments.learner import Learner, LearnerSettings
from segments.model import SegmentModel, decode_model, encode_model
from segments.samples import Sample, encode_sample
from tests.consumer.deployed import unprepared
from tests.segments.models import model_with
from tests.segments.population import PERSONAS, stream
from tests.services.deployment import Deployment

PATIENCE_S = 60.0
SETTINGS = LearnerSettings(
    segments=4,
    features=tuple(PERSONAS),
    bootstrap_users=150,
    release_samples=100,
    slot_ms=0,
    partitions=3,
)
LOG = list(stream(200, 1500, seed=8, partitions=3))


@pytest.fixture
def config(prepared: WorkerConfig) -> WorkerConfig:
    return prepared


def send(config: WorkerConfig, payloads: list[bytes]) -> None:
    producer = Producer(config.kafka.producer_config())
    for payload in payloads:
        producer.produce(config.topics.samples, payload)
    assert producer.flush(PATIENCE_S) == 0


def published(config: WorkerConfig) -> list[SegmentModel]:
    """Every release in the topic, as a read_committed reader sees them."""
    reader = Consumer(
        config.kafka.consumer_config(group_id=f"{config.group}-test", enable_partition_eof=True)
    )
    reader.assign([TopicPartition(config.topics.models, 0, 0)])
    models = []
    while (message := reader.poll(PATIENCE_S)) is not None and message.error() is None:
        value = message.value()
        assert value is not None
        models.append(decode_model(value))
        assert message.key() == models[-1].version.encode()
    reader.close()
    return models


def expected(log: list[Sample]) -> list[SegmentModel]:
    """What the learner alone makes of the same samples."""
    learner = Learner.fresh(SETTINGS)
    return [model for offset, s in enumerate(log) for model in learner.learn(s, offset)]


def mirrored(config: WorkerConfig) -> SegmentModel:
    client = open_redis(config.redis_url, timeout_s=5.0)
    return decode_model(client.get(model_key(config.namespace)))


@contextmanager
def running(trainer: Trainer) -> Iterator[threading.Event]:
    stop = threading.Event()
    thread = threading.Thread(target=trainer.run, args=(stop,))
    thread.start()
    try:
        yield stop
    finally:
        stop.set()
        thread.join(PATIENCE_S)
        assert not thread.is_alive()


def eventually(fact: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + PATIENCE_S
    while not fact():
        assert time.monotonic() < deadline_s, "did not come true"
        threading.Event().wait(0.05)


def train_until_idle(config: WorkerConfig) -> Trainer:
    trainer = Trainer(config, SETTINGS)
    trainer.run(threading.Event(), until_idle_s=0.3)
    return trainer


def test_the_topic_holds_what_the_learner_makes_of_the_log_and_redis_the_newest(
    config: WorkerConfig,
) -> None:
    send(config, [encode_sample(sample) for sample in LOG])
    trainer = train_until_idle(config)
    models = expected(LOG)
    assert len(models) > 5
    assert published(config) == models
    assert mirrored(config) == models[-1]
    assert (trainer.progress.samples, trainer.progress.releases) == (len(LOG), len(models))
    assert trainer.progress.version == models[-1].version


def test_a_restarted_trainer_goes_on_bit_for_bit(config: WorkerConfig) -> None:
    payloads = [encode_sample(sample) for sample in LOG]
    for part in (payloads[:777], payloads[777:1003], payloads[1003:]):
        send(config, part)
        train_until_idle(config)
    assert [encode_model(m) for m in published(config)] == [encode_model(m) for m in expected(LOG)]


def test_a_restart_without_new_samples_releases_nothing(config: WorkerConfig) -> None:
    send(config, [encode_sample(sample) for sample in LOG])
    train_until_idle(config)
    open_redis(config.redis_url, timeout_s=5.0).delete(model_key(config.namespace))
    again = train_until_idle(config)
    assert again.progress.releases == 0
    assert published(config) == expected(LOG)
    assert mirrored(config) == expected(LOG)[-1]  # Redis had lost it: the topic is the truth


def test_the_second_trainer_stands_by_and_takes_over(config: WorkerConfig) -> None:
    payloads = [encode_sample(sample) for sample in LOG]
    first, second = Trainer(config, SETTINGS), Trainer(config, SETTINGS)
    with running(second):
        with running(first):
            send(config, payloads[:900])
            eventually(lambda: first.progress.samples + second.progress.samples >= 900)
        send(config, payloads[900:])
        newest = expected(LOG)[-1].version
        eventually(lambda: second.progress.version == newest)
    assert published(config) == expected(LOG)


def test_a_record_that_is_no_sample_is_skipped_and_counted(config: WorkerConfig) -> None:
    send(config, [b"garbage", *[encode_sample(sample) for sample in LOG], b""])
    trainer = train_until_idle(config)
    assert trainer.progress.malformed == 2
    centroids = [model.centroids for model in expected(LOG)]
    assert [model.centroids for model in published(config)] == centroids


def test_samples_that_aged_out_are_done_without(config: WorkerConfig) -> None:
    send(config, [encode_sample(sample) for sample in LOG[:900]])
    train_until_idle(config)
    send(config, [encode_sample(sample) for sample in LOG[900:]])
    admin = AdminClient({"bootstrap.servers": config.kafka.bootstrap_servers})
    before = TopicPartition(config.topics.samples, 0, 1100)
    for deleted in admin.delete_records([before]).values():
        deleted.result(PATIENCE_S)
    trainer = train_until_idle(config)
    assert trainer.progress.samples == len(LOG) - 1100
    orders = [model.order for model in published(config)]
    assert orders == [(1, minor) for minor in range(len(orders))]


def release(minor: int) -> SegmentModel:
    return model_with([[0.0], [1.0]], minor=minor)


def test_a_fenced_trainer_cannot_publish(config: WorkerConfig) -> None:
    first, second = (
        ModelPublisher(config.kafka, config.topics.models, config.group, timeout_ms=10_000)
        for _ in range(2)
    )
    with pytest.raises(KafkaAway):
        first.publish(release(0))
    second.publish(release(1))
    assert [model.version for model in published(config)] == ["1.1"]


def test_the_feed_follows_upwards_only(config: WorkerConfig) -> None:
    publisher = ModelPublisher(config.kafka, config.topics.models, config.group, timeout_ms=10_000)
    assert read_newest_model(config.kafka, config.topics.models) is None
    feed = ModelFeed(config.kafka, config.topics.models)
    feed.catch_up()
    assert feed.caught_up
    assert feed.poll() is None
    publisher.publish(release(9))
    publisher.publish(release(10))
    eventually(lambda: feed.poll() == release(10))
    publisher.publish(release(3))  # a zombie's, or an operator's mistake
    publisher.publish(release(11))
    eventually(lambda: (feed.poll() or release(0)).version == "1.11")
    eventually(lambda: feed.poll() is None and feed.caught_up)
    feed.close()
    assert read_newest_model(config.kafka, config.topics.models) == release(11)


def test_the_newest_of_many_releases_is_found(config: WorkerConfig) -> None:
    producer = Producer(config.kafka.producer_config())
    for minor in range(2_500):
        model = release(minor)
        producer.produce(config.topics.models, encode_model(model), key=model.version)
    assert producer.flush(PATIENCE_S) == 0
    newest = read_newest_model(config.kafka, config.topics.models)
    assert newest == release(2_499)


def test_redis_keeps_the_newer_model(config: WorkerConfig) -> None:
    client = open_redis(config.redis_url, timeout_s=5.0)
    assert mirror_model(client, config.namespace, release(9))
    assert mirror_model(client, config.namespace, release(10))
    assert not mirror_model(client, config.namespace, release(9))
    assert mirrored(config) == release(10)
    next_major = msgspec.structs.replace(release(0), major=2)
    assert mirror_model(client, config.namespace, next_major)


def test_missing_topics_are_said_with_the_remedy(deployment: Deployment) -> None:
    with pytest.raises(NotSetUp, match="shoal topics create"):
        Trainer(unprepared(deployment), SETTINGS)
    with pytest.raises(NotSetUp, match="shoal topics create"):
        read_newest_model(KafkaConnection(deployment.kafka), deployment.topics.models)


def test_a_redis_that_stays_away_ends_the_trainer_after_the_limit(config: WorkerConfig) -> None:
    send(config, [encode_sample(sample) for sample in LOG])
    away = replace(config, redis_url="redis://127.0.0.1:1/0", outage_limit_s=1.5)
    with pytest.raises(ServiceUnavailable, match="Redis has been away"):
        Trainer(away, SETTINGS).run(threading.Event())
    found = published(config)  # as many as it came to: the topic is the truth all the same
    assert found
    assert found == expected(LOG)[: len(found)]
