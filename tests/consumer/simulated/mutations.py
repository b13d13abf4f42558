"""The protocol with one rule left out, to see that the simulation notices.

Each is a patch of the real code (of a script's stand-in where the rule lives in the script).
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from typing import Any
from unittest.mock import patch

from confluent_kafka import TopicPartition

from consumer import ownership, worker
from consumer.errors import PublishFailed, RedisAway
from consumer.group import Group
from consumer.meta import PartitionMeta, decode_meta
from consumer.outbox import Outbox
from consumer.ownership import Ownership
from consumer.partition import OwnedPartition
from consumer.publisher import Publisher
from consumer.readback import ReadBack
from consumer.store import Commit, PartitionStore
from tests.consumer.simulated.broker import MemoryBroker
from tests.consumer.simulated.redis import MemoryRedis
from tests.consumer.simulated.stand_ins import world

_compare, _take, _commit = Ownership._compare, Ownership.take, PartitionStore.commit
_write, _publish = OwnedPartition.write, Publisher.publish


def without_nonce_check() -> AbstractContextManager[Any]:
    """A commit does not look whose the partition is."""

    def commit(self: PartitionStore, one: Commit) -> None:
        current = self._client._server.values.get(self.keys.meta.encode(), b"")
        _commit(self, replace(one, expected_meta=current))

    return patch.object(PartitionStore, "commit", commit)


def without_kafka_fence() -> AbstractContextManager[Any]:
    """Kafka takes what an older owner publishes."""

    def fence(self: MemoryBroker, name: str, **_: Any) -> int:
        return self._epochs[name]

    return patch.object(MemoryBroker, "fence", fence)


def without_read_back() -> AbstractContextManager[Any]:
    """The outbox is published without looking what is published already."""

    def compare(_: Ownership, owned: OwnedPartition, outbox: Outbox) -> None:
        owned.publisher.publish(outbox)

    return patch.object(Ownership, "_compare", compare)


def without_forcing() -> AbstractContextManager[Any]:
    """What is published, but lost in Redis, is decided anew."""

    def compare(self: Ownership, owned: OwnedPartition, outbox: Outbox) -> None:
        _compare(self, owned, outbox)
        owned.forced, owned.floor = deque(), owned.meta.floor

    return patch.object(Ownership, "_compare", compare)


def without_outbox() -> AbstractContextManager[Any]:
    """What a dead owner did not come to publish stays unpublished."""
    return patch.object(Outbox, "after", lambda *_: Outbox())


def kafka_before_redis() -> AbstractContextManager[Any]:
    """The Kafka transaction comes first."""

    class Swapped:
        def __init__(self, owned: OwnedPartition) -> None:
            self.store, self.publisher = owned.store, owned.publisher
            self.held: Commit | None = None
            self.keys, self.read = owned.store.keys, owned.store.read
            self.due, self.meta = owned.store.due, owned.store.meta

        def commit(self, one: Commit) -> None:
            self.held = one

        def publish(self, outbox: Outbox, samples: Sequence[bytes] = ()) -> None:
            self.publisher.publish(outbox, samples)
            assert self.held is not None
            self.store.commit(self.held)

    def take(self: Ownership, number: int) -> OwnedPartition:
        owned = _take(self, number)
        owned.store = owned.publisher = Swapped(owned)  # type: ignore[assignment]
        return owned

    def write(self: OwnedPartition, *arguments: Any, **options: Any) -> None:
        store = self.store
        self.settle()
        self.store = getattr(store, "store", store)
        try:
            _write(self, *arguments, **options)
        finally:
            self.store = store

    return _both(
        patch.object(Ownership, "take", take), patch.object(OwnedPartition, "write", write)
    )


def offset_before_redis() -> AbstractContextManager[Any]:
    """The offset fetched last is committed at once, and the next owner starts there."""
    fetch = Group.fetch

    def take(self: Ownership, number: int) -> OwnedPartition:
        owned = _take(self, number)
        hint = world().coordinator.committed
        if hint > owned.meta.applied_offset:
            owned.meta.applied_offset = owned.next_offset = hint
        return owned

    def hasty(self: Group, wait_s: float) -> Any:
        news = fetch(self, wait_s)
        for records in news.records.values():
            world().coordinator.committed = int(records.offsets[-1]) + 1
        return news

    return _both(patch.object(Ownership, "take", take), patch.object(Group, "fetch", hasty))


def up_to_the_last_stable_offset() -> AbstractContextManager[Any]:
    """Read-back ends where an open transaction begins."""

    def watermarks(self: ReadBack, topic: str, partition: int) -> tuple[int, int]:
        return self._committed.get_watermark_offsets(TopicPartition(topic, partition), timeout=1.0)

    return patch.object(ReadBack, "watermarks", watermarks)


def without_ending_what_hangs() -> AbstractContextManager[Any]:
    """A transaction whose markers are lost is waited for."""
    return _both(
        patch.object(ownership, "end_hanging", lambda *_: None),
        patch.object(worker, "hanging", lambda *_: {}),
    )


def without_lost_outbox() -> AbstractContextManager[Any]:
    """What was confirmed is never published again."""
    return patch.object(ownership, "lost_outbox", lambda *_, **__: Outbox())


def without_proving_membership() -> AbstractContextManager[Any]:
    """A dropped partition is taken again by whoever dropped it."""
    return patch.object(Group, "_is_member", lambda *_: True)


def without_waiting_for_the_transaction() -> AbstractContextManager[Any]:
    """The next commit overwrites the outbox of one that is not published yet."""

    def settle(self: OwnedPartition) -> None:
        if self.committing is not None and self.committing.done():
            committing, self.committing = self.committing, None
            committing.result()

    return patch.object(OwnedPartition, "settle", settle)


def unknown_means_done() -> AbstractContextManager[Any]:
    """A Redis commit that timed out is taken for done."""

    def commit(self: PartitionStore, one: Commit) -> None:
        try:
            _commit(self, one)
        except RedisAway:
            return

    return patch.object(PartitionStore, "commit", commit)


def publishing_again() -> AbstractContextManager[Any]:
    """A transaction whose outcome is unknown is tried once more, as a new one."""

    def publish(self: Publisher, outbox: Outbox, samples: Sequence[bytes] = ()) -> None:
        try:
            _publish(self, outbox, samples)
        except PublishFailed:
            _publish(self, outbox, samples)

    return patch.object(Publisher, "publish", publish)


def without_dead_letter_floor() -> AbstractContextManager[Any]:
    """What dead letters are published already is not looked up."""
    return patch.object(ReadBack, "last_dead_offset", lambda *_: -1)


def without_restoring_mark() -> AbstractContextManager[Any]:
    """A seeding that broke off is taken for a state."""

    def known(value: bytes) -> PartitionMeta | None:
        meta = decode_meta(value)
        if meta is not None:
            meta.restoring = False
        return meta

    return patch.object(ownership, "decode_meta", known)


def torn_commits() -> AbstractContextManager[Any]:
    """The users are written first, the rest by a second command."""
    whole = MemoryRedis.commit

    def commit(self: MemoryRedis, keys: Sequence[str], arguments: Sequence[Any]) -> bytes:
        meta = self.values.get(keys[0].encode())
        if meta == arguments[0]:
            before = dict(self.values), dict(self.due)
            whole(self, keys, arguments)
            half = {k: v for k, v in self.values.items() if b":u:" in k}
            rest = {k: v for k, v in before[0].items() if b":u:" not in k}
            self.history[-1] = (half | rest, dict(self.due))
            self.written()
            return b"done"
        return whole(self, keys, arguments)

    return patch.object(MemoryRedis, "commit", commit)


@contextmanager
def _both(*patches: Any) -> Iterator[None]:
    with patches[0], patches[1]:
        yield


MUTATIONS: dict[str, Callable[[], AbstractContextManager[Any]]] = {
    one.__name__: one
    for one in (
        without_nonce_check,
        without_kafka_fence,
        without_read_back,
        without_forcing,
        without_outbox,
        kafka_before_redis,
        offset_before_redis,
        up_to_the_last_stable_offset,
        without_ending_what_hangs,
        without_lost_outbox,
        without_proving_membership,
        without_waiting_for_the_transaction,
        unknown_means_done,
        publishing_again,
        without_dead_letter_floor,
        without_restoring_mark,
        torn_commits,
    )
}

SECOND_LINE = {"kafka_before_redis", "unknown_means_done", "without_proving_membership"}
"""Those that break no promise: reading back repairs what follows (docs/guarantees.md)."""
