"""Before the first model: who is collected, and how long."""

import msgspec
import numpy as np

from segments.collecting import LAGGARD_SAMPLES, Collecting, Wait
from segments.collector import Collector
from segments.samples import Sample
from segments.settings import LearnerSettings
from tests.segments.population import DAY_MS, START_MS, stream


def samples_of(users: int, **over: object) -> list[Sample]:
    """One sample of each user."""
    first: dict[int, Sample] = {}
    for sample in stream(users, users * 20, seed=users):
        first.setdefault(sample.user_hash, sample)
    return [msgspec.structs.replace(sample, **over) for sample in first.values()]


def test_only_the_latest_vector_of_a_user_is_kept() -> None:
    early, late = list(stream(1, 2, seed=1))
    collector = Collector()
    collector.add(early, 14.0)
    collector.add(late, 14.0)
    values, evidence = collector.vectors(mature_only=False)
    assert len(collector) == 1
    assert values.tobytes() == np.array([late.values]).tobytes()
    assert evidence.tobytes() == np.array([late.evidence]).tobytes()


def test_over_capacity_the_users_kept_do_not_depend_on_the_order() -> None:
    samples = samples_of(60)
    kept = []
    for order in (samples, samples[::-1], samples + samples):
        collector = Collector(users_max=20)
        for sample in order:
            collector.add(sample, 14.0)
        assert len(collector) == collector.mature() == 20
        kept.append(collector.vectors(mature_only=False)[0].tobytes())
    assert len(set(kept)) == 1


def test_a_user_matures_with_observed_days_and_null_evidence_is_none() -> None:
    (sample,) = samples_of(1)
    collector = Collector()
    young = [days if days < 28.0 else 13.0 for days in sample.evidence]
    collector.add(msgspec.structs.replace(sample, evidence=young), 14.0)
    assert collector.mature() == 0
    collector.add(sample, 14.0)
    assert collector.mature() == 1
    collector.add(msgspec.structs.replace(sample, evidence=[float("nan")] * 13), 14.0)
    assert collector.mature() == 0


def at(day: float, partition: int) -> Sample:
    (sample,) = samples_of(1, stream_ms=START_MS + round(day * DAY_MS), partition=partition)
    return sample


def test_the_wait_is_over_when_every_partition_has_got_there() -> None:
    wait = Wait(13 * DAY_MS, partitions=2)
    assert not wait.over(at(0.0, 0))
    assert not wait.over(at(13.5, 0))  # the other partition has not been heard of
    assert not wait.over(at(2.0, 1))
    assert wait.over(at(13.0, 1))


def test_a_silent_partition_is_not_waited_for_for_ever() -> None:
    wait = Wait(13 * DAY_MS, partitions=2)
    assert not wait.over(at(0.0, 0))
    late = at(14.0, 0)
    answers = [wait.over(late) for _ in range(LAGGARD_SAMPLES + 1)]
    assert not any(answers[:-1])
    assert answers[-1]


def founded(settings: LearnerSettings, samples: list[Sample]) -> int | None:
    """After how many samples there was a model."""
    collecting = Collecting(settings)
    for count, sample in enumerate(samples, start=1):
        if collecting.learn(sample, 0) is not None:
            return count
    return None


SETTINGS = LearnerSettings(segments=4, bootstrap_users=200)


def test_a_thousand_mature_users_found_a_model_at_once() -> None:
    assert LearnerSettings().bootstrap_users == 1000
    assert founded(SETTINGS, samples_of(300)) == 200


def test_users_without_two_weeks_behind_them_do_not() -> None:
    young = [
        msgspec.structs.replace(s, evidence=[min(e, 5.0) for e in s.evidence])
        for s in samples_of(300)
    ]
    assert founded(SETTINGS, young) is None


def test_after_the_wait_twenty_users_a_segment_are_enough() -> None:
    samples = samples_of(300)
    last = msgspec.structs.replace(samples[-1], stream_ms=START_MS + 14 * DAY_MS)
    assert founded(SETTINGS, [*samples[:79], last]) == 80
    assert founded(SETTINGS, [*samples[:78], last]) is None


def test_auto_waits_for_twenty_users_of_the_most_segments_it_might_find() -> None:
    assert LearnerSettings(segments=None).users_after_wait() == 240


def test_users_that_nothing_tells_apart_are_waited_over() -> None:
    (one,) = samples_of(1)
    same = [msgspec.structs.replace(one, user_hash=user) for user in range(250)]
    different = samples_of(300)
    count = founded(SETTINGS, same + different)
    assert count is not None
    assert count > 250


def test_an_operator_who_cannot_wait_need_not() -> None:
    eager = LearnerSettings(segments=4, bootstrap_days=0.0)
    assert founded(eager, samples_of(100)) == 80
