"""What a worker has done: counted over all its partitions."""

import pytest

from consumer.meta import Outcomes, PartitionMeta
from consumer.progress import Progress, Stages


def meta(**outcomes: object) -> PartitionMeta:
    return PartitionMeta(applied_offset=0, outcomes=Outcomes(**outcomes))  # type: ignore[arg-type]


def test_only_what_a_batch_brought_is_added() -> None:
    progress = Progress()
    before = meta(applied=100, duplicate=10, late=1, dead={"future": 5})
    after = meta(applied=103, duplicate=12, late=2, dead={"future": 5, "not_json": 4})
    progress.count(before, after, 2)
    assert progress.outcomes == Outcomes(applied=3, duplicate=2, late=1, dead={"not_json": 4})
    assert progress.outcomes.records == 10
    assert progress.changes == 2


def test_batches_of_all_partitions_add_up() -> None:
    progress = Progress()
    progress.count(meta(), meta(applied=1, dead={"future": 1}), 1)
    progress.count(meta(applied=7, dead={"future": 9}), meta(applied=9, dead={"future": 11}), 3)
    assert progress.outcomes == Outcomes(applied=3, dead={"future": 3})
    assert progress.changes == 4


def test_time_is_added_by_stage() -> None:
    stages = Stages()
    for _ in range(2):
        with stages.time("fold"):
            pass
    once = stages.seconds["fold"]
    with stages.time("fold"):
        pass
    assert stages.seconds["fold"] > once > 0


def test_time_counts_even_if_the_stage_fails() -> None:
    stages = Stages()
    with pytest.raises(ValueError, match="broken"), stages.time("fold"):
        raise ValueError("broken")
    assert stages.seconds["fold"] > 0
