"""The subscribers that docs/guarantees.md shows do what it says of them."""

import re
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from segments.changes import SegmentChange, decode_change
from tests.consumer.simulated.faults import AFTER, BEFORE
from tests.consumer.simulated.mutations import MUTATIONS, SECOND_LINE
from tests.consumer.simulated.schedule import Act, Schedule, schedule_of
from tests.consumer.simulated.stand_ins import services_in_memory
from tests.consumer.simulated.verdict import published_changes, simulate
from tests.consumer.simulated.world import World

DOCUMENT = Path(__file__).parents[1] / "docs" / "guarantees.md"
SEEDS = range(24)


@pytest.fixture(scope="module")
def shown() -> dict[str, Any]:
    """Everything that the document's code defines."""
    names: dict[str, Any] = {}
    for block in re.findall(r"```python\n(.*?)```", DOCUMENT.read_text(), re.DOTALL):
        exec(block, names)
    return names


def troubled(seed: int) -> Schedule:
    """Transactions that are aborted, and a Redis that then decides anew under another model."""
    acts = [Act("release")]
    for number in range(5):
        effect, fault = (("produce", AFTER), ("commit transaction", BEFORE))[number % 2]
        acts += [
            Act("write", 4),
            Act("arm", effect=effect, fault=fault),
            Act("turn", lot=number),
            Act("lose", number % 3),
            Act("release"),
            *(Act("turn", lot=lot) for lot in (10 + number, 20 + number)),
        ]
    return replace(schedule_of(seed), acts=tuple(acts), batch_records=8)


@pytest.fixture(scope="module")
def worlds() -> list[World]:
    with services_in_memory():
        return [simulate(troubled(seed)) for seed in SEEDS]


def segments(changes: Iterable[SegmentChange]) -> dict[str, int]:
    last = {change.user_id: change.current for change in changes}
    return {user: current.id for user, current in last.items() if current is not None}


def test_a_change_that_comes_again_is_taken_once(
    shown: dict[str, Any], worlds: list[World]
) -> None:
    for changes in map(published_changes, worlds):
        audience = shown["Audience"]()
        for number, change in enumerate(changes):
            for again in changes[max(0, number - 3) : number + 1]:
                audience.take(again)
            assert audience.segment == segments(changes[: number + 1]), change
        assert audience.last in ({}, {0: len(changes)})


def test_a_gap_is_told(shown: dict[str, Any], worlds: list[World]) -> None:
    changes = max(map(published_changes, worlds), key=len)
    audience = shown["Audience"]()
    audience.take(changes[0])
    with pytest.raises(shown["Missing"], match="partition 0: 2 to 2"):
        audience.take(changes[2])


def everything_written(world: World) -> list[SegmentChange]:
    """What a reader without isolation sees: records of aborted transactions as well."""
    entries = world.broker.logs[world.config.topics.changes, 0].entries
    return [decode_change(entry.value) for entry in entries if entry.value is not None]


def test_a_reader_without_isolation_ends_up_with_what_was_committed(
    shown: dict[str, Any], worlds: list[World]
) -> None:
    void = decided_anew = 0
    for world in worlds:
        seen, committed = everything_written(world), published_changes(world)
        audience = shown["UncommittedAudience"]()
        for change in seen:
            audience.take(change)
        assert audience.segment == segments(committed), f"seed {world.schedule.seed}"
        void += len(seen) - len(committed)
        by_sequence = {change.sequence: change for change in committed}
        decided_anew += sum(about(one) != about(by_sequence[one.sequence]) for one in seen)
    assert void, "nothing was aborted: the test shows nothing"
    assert decided_anew, "no sequence came again with another content: it shows too little"


def about(change: SegmentChange) -> tuple[str, int | None]:
    return change.user_id, None if change.current is None else change.current.id


def test_the_document_names_every_mutation() -> None:
    text = DOCUMENT.read_text().replace("-", " ")
    found = set(MUTATIONS) - SECOND_LINE
    missing = [name for name in found if f"| {name.replace('_', ' ')}" not in text]
    assert missing == []
