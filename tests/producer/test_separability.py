"""The synthetic population is neither trivially easy to tell apart nor impossibly hard."""

from __future__ import annotations

import numpy as np
import pytest

from features.catalogue import MODEL_FEATURES
from features.columns import build_columns
from features.events import Event, epoch_ms
from features.fold import fold
from features.slab import Slab
from features.tiles import DAY_MS
from features.vector import vectors
from producer.synthetic import SyntheticSettings, SyntheticStream
from segments.agreement import adjusted_rand_index
from segments.assignment import nearest_rows
from segments.bootstrap import freeze_scaling
from segments.lloyd import best_centroids

EVENTS_MIN = 20


def folded(events: list[Event], users: int) -> Slab:
    slab = Slab(users)
    slots = [int(event.user_id[1:]) - 1 for event in events]
    stream_ms = np.maximum.accumulate([epoch_ms(event.timestamp) for event in events])
    fold(slab, build_columns(events, slots, stream_ms, slab.interests))
    return slab


@pytest.mark.parametrize("seed", [1, 2])
def test_batch_k_means_finds_the_personas_of_users_with_enough_events(seed: int) -> None:
    settings = SyntheticSettings(users=600, events=60_000, seed=seed)
    stream = SyntheticStream(settings)
    slab = folded([timed.event for timed in stream.events()], settings.users)
    truth = stream.truth()
    enough = np.flatnonzero([user.distinct_events >= EVENTS_MIN for user in truth])
    assert len(enough) > 0.9 * settings.users

    end_ms = settings.start_ms + settings.days * DAY_MS - 1
    found = vectors(slab, enough, end_ms)
    scaling, _ = freeze_scaling(found.values, found.evidence, MODEL_FEATURES)
    z = scaling.project(found.values, found.evidence)
    labels = nearest_rows(z, best_centroids(z, settings.personas, np.random.default_rng(0)))

    personas = np.array([truth[user].segment_at_end for user in enough])
    agreement = adjusted_rand_index(personas, labels)
    assert 0.86 < agreement < 0.98, f"seed {seed}: {agreement:.3f}"
