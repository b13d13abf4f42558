"""Trainers that are killed at every turn make the releases that one alone would have made."""

import json

import pytest
from confluent_kafka import Producer

from consumer.config import WorkerConfig
from consumer.training import learner_settings
from producer.kafka import KafkaConnection
from segments.errors import OrderRefused
from segments.learner import Learner
from segments.model import SegmentModel, decode_model, encode_model
from segments.orders import ORDER_KEY, Order, encode_order
from segments.samples import Sample, encode_sample
from tests.integration.feed import read_topics
from tests.integration.processes import ShoalProcess
from tests.integration.scenario import Scenario
from tests.segments.population import PERSONAS, stream

pytestmark = [pytest.mark.kafka, pytest.mark.redis, pytest.mark.slow]

SETTINGS = {"SHOAL_BOOTSTRAP_DAYS": "0", "SHOAL_MODEL_FEATURES": ",".join(PERSONAS)}
TOO_MANY = Order(id="too-many", kind="refit", issued_ms=0, segments=50)
REFIT = Order(id="refit-to-3", kind="refit", issued_ms=0, segments=3)
NAME = Order(id="name-1", kind="rename", issued_ms=0, segment_id=1, name="Ours")

DIES_WITHIN_S = 60


def test_no_release_is_made_twice_and_none_is_skipped(scenario: Scenario, seed: int) -> None:
    log = the_log(seed)
    models = learnt_in_one_go(scenario, log)
    before = [model.release for model in models].index("refit")  # releases before the orders
    assert before >= 5
    assert len(models) > before + 10
    send(scenario, log)

    # One at work and one standing by: each dies between two releases.
    pair = [start(scenario, "after the model commit:2") for _ in range(2)]
    die(*pair)
    # The answer to the refused order is out, and the next order is not obeyed yet.
    die(start(scenario, f"after the model commit:{before - 4 + 1}"))
    # The refused order is answered again, then the new major stays in an open transaction.
    die(start(scenario, "before the model commit:2"))
    # The new major is out, and nobody has been told.
    die(start(scenario, "after the model commit:2"))
    last = scenario.start("trainer", "--until-idle", "1", **SETTINGS)
    assert last.wait() == 0, last.tail()

    releases, answers = published(scenario)
    assert [model.version for model in releases] == [model.version for model in models]
    assert [encode_model(model) for model in releases] == [encode_model(model) for model in models]
    assert [answer["order"] for answer in answers] == [TOO_MANY.id] * 3
    assert "1000 users" in answers[0]["refused"], "what it needs, and how many there are"


def start(scenario: Scenario, death: str) -> ShoalProcess:
    """Start a trainer that dies at a named point."""
    return scenario.start("trainer", SHOAL_CRASH_AT=death, **SETTINGS)


def die(*trainers: ShoalProcess) -> None:
    """Wait until trainers have died as they were to."""
    assert [one.wait(DIES_WITHIN_S) for one in trainers] == [-9] * len(trainers)


def the_log(seed: int) -> list[Sample | Order]:
    """Samples of 200 people, and orders among them."""
    samples = list(stream(200, 2_000, seed=seed, partitions=3, step_ms=600_000))
    return [*samples[:800], TOO_MANY, REFIT, *samples[800:1_200], NAME, *samples[1_200:]]


def learnt_in_one_go(scenario: Scenario, log: list[Sample | Order]) -> list[SegmentModel]:
    """What the learner makes of the log, without any service."""
    config = WorkerConfig(
        kafka=KafkaConnection(""),
        redis_url="",
        segments=4,
        model_features=tuple(PERSONAS),
        bootstrap_days=0.0,
    )
    learner = Learner.fresh(learner_settings(config, scenario.partitions))
    models: list[SegmentModel] = []
    for offset, record in enumerate(log):
        if isinstance(record, Sample):
            models += learner.learn(record, offset)
        elif record is TOO_MANY:
            with pytest.raises(OrderRefused):
                learner.obey(record, offset)
        else:
            models += learner.obey(record, offset)
    return models


def send(scenario: Scenario, log: list[Sample | Order]) -> None:
    """Put the log where workers and commands put it."""
    producer = Producer({"bootstrap.servers": scenario.deployment.kafka})
    topic = scenario.deployment.topics.samples
    for record in log:
        if isinstance(record, Order):
            producer.produce(topic, encode_order(record), ORDER_KEY)
        else:
            producer.produce(topic, encode_sample(record))
    assert producer.flush(20) == 0


def published(scenario: Scenario) -> tuple[list[SegmentModel], list[dict[str, str]]]:
    """All releases and all answers to orders, as they stand in the topic."""
    topic = scenario.deployment.topics.models
    [records] = read_topics(scenario.deployment.kafka, topic)[topic].values()
    values = [(record.key or b"", record.value or b"") for record in records]
    answers = [json.loads(value) for key, value in values if key.startswith(b"answer-")]
    releases = [decode_model(value) for key, value in values if not key.startswith(b"answer-")]
    return releases, answers
