"""The trainer's state machine: releases, and going on from one bit for bit."""

import msgspec
import numpy as np
import pytest

from segments.learner import Learner, LearnerSettings
from segments.model import SegmentModel, decode_model, encode_model
from segments.refining import chosen
from segments.samples import Sample
from tests.segments.models import model_with
from tests.segments.population import PERSONAS, stream

SETTINGS = LearnerSettings(
    segments=4, features=tuple(PERSONAS), bootstrap_users=150, release_samples=100, slot_ms=0
)


def releases(learner: Learner, samples: list[Sample], first: int = 0) -> list[SegmentModel]:
    out = []
    for offset, sample in enumerate(samples[first:], start=first):
        out += learner.learn(sample, offset)
    return out


LOG = list(stream(200, 3000, seed=8, partitions=3))


def test_versions_are_numbered_without_gaps_and_say_where_to_read_on() -> None:
    models = releases(Learner.fresh(SETTINGS), LOG)
    assert [m.version for m in models] == [f"1.{minor}" for minor in range(len(models))]
    assert len(models) > 10
    for model in models:
        newest = LOG[model.sample_offset - 1]
        assert model.learnt[newest.partition] == newest.source_offset
        assert model.released_ms == newest.stream_ms


@pytest.mark.parametrize("seed", range(8))
def test_a_learner_resumed_anywhere_releases_the_same_bytes(seed: int) -> None:
    whole = releases(Learner.fresh(SETTINGS), LOG)
    rng = np.random.default_rng(seed)
    stopped_at = int(rng.integers(whole[0].sample_offset, len(LOG)))  # between two releases
    before = [m for m in whole if m.sample_offset <= stopped_at]
    newest = decode_model(encode_model(before[-1]))
    after = releases(Learner.resume(newest, SETTINGS), LOG, newest.resume_offset)
    assert [encode_model(m) for m in before + after] == [encode_model(m) for m in whole], seed


def test_samples_learnt_before_change_nothing() -> None:
    twice: list[Sample] = []
    for sample in LOG:
        twice += [sample, sample]
        if len(twice) > 50:
            twice.append(twice[-37])  # an older one again, as after a crash
    once = releases(Learner.fresh(SETTINGS), LOG)
    again = releases(Learner.fresh(SETTINGS), twice)
    assert [m.centroids for m in once] == [m.centroids for m in again]
    assert [m.samples for m in once] == [m.samples for m in again]


def test_samples_of_another_catalogue_are_passed_over() -> None:
    foreign = [msgspec.structs.replace(sample, catalogue="another") for sample in LOG]
    learner = Learner.fresh(SETTINGS)
    assert releases(learner, foreign) == []
    assert learner.collected == 0


# One segment at 0 and one at 3, in one dimension with nothing shrunk or scaled.
LINE = model_with(
    [[0.0], [3.0]], features=("page_views_per_day",), prior_weights=(0.0,), released_ms=0, gate=1.0
)
AT_ONCE = LearnerSettings(release_samples=1, slot_ms=0)


def sample_at(z: float, offset: int, stream_ms: int = 0) -> Sample:
    return msgspec.structs.replace(
        LOG[0],
        partition=0,
        source_offset=offset,
        stream_ms=stream_ms,
        values=[float(np.expm1(z))] * 12 + [0.0],
        evidence=[28.0] * 13,
    )


def test_a_sample_pulls_its_centroid_one_percent_of_the_way() -> None:
    (model,) = Learner.resume(LINE, AT_ONCE).learn(sample_at(1.0, 1), 1)
    assert model.centroids[0][0] == pytest.approx(0.01)
    assert model.centroids[1] == (3.0,)
    assert model.counts == (11, 10)


def test_the_gate_follows_the_squared_distance_by_one_percent_and_no_faster() -> None:
    (model,) = Learner.resume(LINE, AT_ONCE).learn(sample_at(0.5, 1), 1)
    assert model.gate == pytest.approx(1.0 + 0.01 * (0.25 - 1.0))
    tight = msgspec.structs.replace(LINE, gate=0.01)
    learner = Learner.resume(tight, AT_ONCE)
    assert learner.learn(sample_at(1.0, 1), 1) == []  # d² = 1 counts as 4 × .01 and is not learnt
    (model,) = learner.learn(sample_at(0.0, 2), 2)
    assert model.gate == pytest.approx(0.99 * (0.01 + 0.01 * (0.04 - 0.01)))


def test_a_bot_beyond_the_gate_moves_nothing() -> None:
    learner = Learner.resume(msgspec.structs.replace(LINE, gate=0.01), AT_ONCE)
    for offset in range(40):
        assert learner.learn(sample_at(4.0, offset), offset) == []
    somebody = msgspec.structs.replace(sample_at(0.0, 40), user_hash=1)
    (model,) = learner.learn(somebody, 40)
    assert model.centroids == LINE.centroids
    assert (model.samples, model.gated) == (1, 40)


@pytest.mark.parametrize(
    ("apart_ms", "due"),
    [
        (10, [500, 1000]),  # 500 accepted samples
        (1_000, [50, 100]),  # 30 s passed long before there were 50
        (100, [300, 600]),  # 30 s
    ],
)
def test_a_release_is_due_after_500_samples_or_30_seconds_with_50(
    apart_ms: int, due: list[int]
) -> None:
    learner = Learner.resume(LINE, LearnerSettings(slot_ms=0))
    released = [
        count
        for count in range(1, due[-1] + 1)
        if learner.learn(sample_at(0.5, count, count * apart_ms), count)
    ]
    assert due == released


def test_users_speak_about_once_a_day_however_active_they_are() -> None:
    for events in (1.0, 10.0, 100.0):
        values = [0.0] * 12 + [events]
        taken = sum(
            chosen(msgspec.structs.replace(sample_at(0.0, n), values=values, user_hash=n * n), 1.0)
            for n in range(4000)
        )
        assert taken / 4000 == pytest.approx(1.0 / events, rel=0.25)
    assert chosen(msgspec.structs.replace(sample_at(0.0, 1), values=[float("nan")] * 13), 1.0)


def test_samples_passed_over_are_counted_and_move_nothing() -> None:
    busy = [0.0] * 12 + [1e9]  # events in the last 24 hours
    learner = Learner.resume(LINE, AT_ONCE)
    for offset in range(5):
        one = msgspec.structs.replace(sample_at(0.5, offset), values=busy)
        assert learner.learn(one, offset) == []
    (model,) = learner.learn(sample_at(0.0, 5), 5)
    assert (model.samples, model.thinned) == (1, 5)
    assert model.centroids == LINE.centroids


def test_an_operators_name_outlives_every_release() -> None:
    renamed = msgspec.structs.replace(LINE, renamed={1: "Night owls"})
    (later,) = Learner.resume(renamed, AT_ONCE).learn(sample_at(0.5, 1), 1)
    assert later.name_of(1) == "Night owls"
