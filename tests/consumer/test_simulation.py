"""Whatever is killed, slept through, lost or left unanswered, every promise holds at the end.

python -m tests.consumer.simulate --seed 17     repeats one simulation; `make simulate` runs 2,000
"""

import pytest

from tests.consumer.simulate import report, run, seeds_until_found
from tests.consumer.simulated.mutations import MUTATIONS
from tests.consumer.simulated.schedule import Schedule, schedule_of
from tests.consumer.simulated.shrinking import failure_of
from tests.consumer.simulated.stand_ins import services_in_memory
from tests.consumer.simulated.verdict import simulate

SEEDS = 160
GROUPS = 4  # tests; a test of its own for each seed would be slower to collect than to run


@pytest.mark.parametrize("group", range(GROUPS))
def test_whatever_goes_wrong_each_change_is_published_once(
    group: int, capsys: pytest.CaptureFixture[str]
) -> None:
    exit_code = run(range(group, SEEDS, GROUPS))
    assert exit_code == 0, capsys.readouterr().out


@pytest.mark.parametrize(
    "mutation", ["without_kafka_fence", "without_outbox", "offset_before_redis"]
)
def test_a_rule_left_out_is_noticed(mutation: str) -> None:
    assert seeds_until_found(mutation, 60) is not None


def test_a_failing_simulation_is_cut_down_and_tells_how_to_repeat_it() -> None:
    seed = 0
    with MUTATIONS["without_read_back"](), services_in_memory():
        while (error := failure_of(schedule_of(seed))) is None:
            seed += 1
        text = report(schedule_of(seed), error)
    acts = len(schedule_of(seed).acts)
    left = int(text.partition("records to ")[2].partition(" acts")[0])
    assert left < acts / 2
    assert f"python -m tests.consumer.simulate --seed {seed}" in text


def test_a_simulation_is_repeated_exactly() -> None:
    with services_in_memory():
        schedules = [schedule_of(seed) for seed in range(8)]
        assert [histories(one) for one in schedules] == [histories(one) for one in schedules]


def histories(schedule: Schedule) -> tuple[object, ...]:
    world = simulate(schedule)
    return world.faults.struck, world.faults.passed, world.redis.history, world.broker.logs.keys()
