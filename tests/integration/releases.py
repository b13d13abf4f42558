"""Model releases of our own, so that a scenario about the worker needs no trainer."""

from collections.abc import Sequence
from functools import cache

import msgspec
import numpy as np
from confluent_kafka import Producer

from features.catalogue import FEATURE_NAMES, MODEL_FEATURES
from producer.synthetic import TimedEvent
from segments.bootstrap import bootstrap
from segments.model import SegmentModel, encode_model
from tests.reference import Reference
from tests.services.deployment import Deployment

SEGMENTS = 4


@cache
def first_release(events: Sequence[TimedEvent], seed: int) -> SegmentModel:
    """Cluster the people of a stream, as they are at its end."""
    reference = Reference()
    for timed in events:
        reference.feed(timed.record_ms, timed.event)
    known = [
        [user.features(reference.stream_ms)[name] for name in FEATURE_NAMES]
        for user in reference.users.values()
        if len(user.applied) >= 5
    ]
    values = np.array([[np.nan if v is None else v for v, _ in row] for row in known])
    evidence = np.array([[n for _, n in row] for row in known])
    return bootstrap(values, evidence, SEGMENTS, np.random.default_rng(seed), MODEL_FEATURES)


def later_release(model: SegmentModel, seed: int, *, moved: float = 0.4) -> SegmentModel:
    """Move every centroid at random; `moved` is the deviation of each coordinate's move."""
    rng = np.random.default_rng([seed, model.minor])
    centroids = np.array(model.centroids)
    centroids += rng.normal(0.0, moved, centroids.shape)
    return msgspec.structs.replace(
        model,
        minor=model.minor + 1,
        centroids=tuple(tuple(row) for row in centroids.tolist()),
    )


def publish(deployment: Deployment, model: SegmentModel) -> None:
    """Put a release where the trainer would."""
    producer = Producer({"bootstrap.servers": deployment.kafka})
    producer.produce(deployment.topics.models, encode_model(model), model.version)
    assert producer.flush(10) == 0
