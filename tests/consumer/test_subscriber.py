"""What ad systems import, on a real Kafka: each change once, from where `done` left off."""

import pytest

from consumer.config import WorkerConfig
from consumer.outbox import Outbox
from consumer.publisher import Publisher
from consumer.subscriber import Subscriber, snapshot
from segments.changes import SegmentChange
from tests.consumer.builders import change

pytestmark = pytest.mark.kafka

PATIENCE_S = 30.0
SILENCE_S = 1.0


def sequence(number: int) -> SegmentChange:
    return change(sequence=number, user_id=f"user {number % 2}", user_version=number)


@pytest.fixture
def publisher(prepared: WorkerConfig) -> Publisher:
    made = Publisher(prepared, 1)
    made.fence()
    return made


def subscriber(config: WorkerConfig) -> Subscriber:
    return Subscriber(config.kafka, config.topics, group=f"{config.group}-ads")


def given(changes: Subscriber, number: int) -> list[int]:
    found = [changes.next(timeout_s=PATIENCE_S) for _ in range(number)]
    return [one.sequence for one in found if one is not None]


def test_a_restarted_member_goes_on_where_done_left_off(
    prepared: WorkerConfig, publisher: Publisher
) -> None:
    publisher.publish(Outbox([sequence(number) for number in range(1, 6)]))
    with subscriber(prepared) as changes:
        assert given(changes, 2) == [1, 2]
        changes.done()
        assert given(changes, 1) == [3]
        # It dies before it has said `done` about the third.
    with subscriber(prepared) as changes:
        assert given(changes, 3) == [3, 4, 5]
        changes.done()
        assert changes.next(timeout_s=SILENCE_S) is None


def test_what_is_aborted_or_says_nothing_is_not_given(
    prepared: WorkerConfig, publisher: Publisher
) -> None:
    publisher.publish(Outbox([sequence(1)]))
    publisher.abort_filler(prepared.topics.changes, 1)
    # A filler whose own marker Kafka has lost can come to be committed.
    publisher._producer.begin_transaction()
    publisher._producer.produce(prepared.topics.changes, value=None, key=b"", partition=1)
    publisher._producer.commit_transaction()
    publisher.publish(Outbox([sequence(2)]))
    with subscriber(prepared) as changes:
        assert given(changes, 2) == [1, 2]


def test_a_reader_without_a_group_begins_with_what_is_new_or_with_the_oldest(
    prepared: WorkerConfig, publisher: Publisher
) -> None:
    publisher.publish(Outbox([sequence(1)]))
    with Subscriber(prepared.kafka, prepared.topics, start="earliest") as changes:
        assert given(changes, 1) == [1]
    with Subscriber(prepared.kafka, prepared.topics) as changes:
        assert changes.next(timeout_s=SILENCE_S) is None
        publisher.publish(Outbox([sequence(2)]))
        assert given(changes, 1) == [2]


def test_the_snapshot_is_everybodys_last_membership(
    prepared: WorkerConfig, publisher: Publisher
) -> None:
    publisher.publish(Outbox([sequence(number) for number in range(1, 5)]))
    gone = change(sequence=5, user_id="user 0", current=None, user_version=5)
    publisher.publish(Outbox([gone]))
    assert [(one.user_id, one.sequence) for one in snapshot(prepared)] == [("user 1", 3)]
