"""`python -m tests.campaign.mutant NAME worker …`: the worker with one rule of the protocol off.

They prove that the campaign can fail: a checker that never reports anything is worth nothing.
Only processes of a test's own are patched, by the names below; the product knows nothing of it.
"""

import os
import signal
import sys
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from secrets import token_hex
from typing import Any

import redis

from consumer import committer, crash, ownership, store
from consumer.config import WorkerConfig
from consumer.errors import RedisAway
from consumer.meta import decode_meta, encode_meta
from consumer.outbox import Outbox
from consumer.ownership import Ownership
from consumer.partition import OwnedPartition
from consumer.publisher import Publisher
from consumer.readback import ReadBack
from consumer.store import Commit, PartitionStore
from producer.kafka import KafkaConfig, KafkaConnection
from tests.campaign.schedule import SLEEPING_POINTS, Kind

_KILLS: tuple[Kind, ...] = ("worker killed", "worker killed at a point")
_SLEEPS: tuple[Kind, ...] = ("worker asleep", "worker asleep at a point")
_LOSSES: tuple[Kind, ...] = ("redis loses its tail", "worker killed", "redis killed")


@dataclass(frozen=True)
class Mutation:
    """One rule that is switched off.

    Attributes:
        rule: what is missing, in words.
        apply: patches this process.
        kinds: the faults that bear on it.
        points: the named points of death that do.
        sleeping_points: those of sleep that do.
    """

    rule: str
    apply: Callable[[], None]
    kinds: tuple[Kind, ...]
    points: tuple[str, ...] = ()
    sleeping_points: tuple[str, ...] = SLEEPING_POINTS


def no_read_back() -> None:
    """Take over as if nothing were known of what is published already."""
    read_back: Any = ReadBack
    read_back.changes_after = lambda *_: ([], 0)
    read_back.last_dead_offset = lambda *_: -1
    read_back.memberships = lambda *_: {}
    taking: Any = ownership
    taking.lost_outbox = lambda *_, **__: Outbox()  # it would miss all of it


def no_forcing() -> None:
    """Decide anew what is published, instead of taking it over."""
    compare = Ownership._compare

    def without_forced(self: Ownership, owned: OwnedPartition, outbox: Any) -> None:
        compare(self, owned, outbox)
        owned.forced, owned.floor = deque(), owned.meta.floor

    ownership.Ownership._compare = without_forced  # type: ignore[method-assign]


def no_nonce() -> None:
    """Write to Redis and read from it whoever owns the partition, whatever stands there."""
    script = store.script

    def unconditional(name: str) -> str:
        lines = script(name).splitlines()
        return "\n".join(line for line in lines if "~= ARGV[1]" not in line)

    store.script = unconditional  # type: ignore[assignment]
    stored: Any = PartitionStore
    original = stored.commit

    def commit(self: PartitionStore, commit: Commit) -> None:
        original(self, commit)
        self.last_meta = commit.new_meta  # type: ignore[attr-defined]

    stored.commit = commit
    # The idle worker's comparison would notice as well: it sees what it wrote itself.
    meta = stored.meta
    stored.meta = lambda self: getattr(self, "last_meta", None) or meta(self)


class OwnIds(KafkaConnection):
    """Gives every producer a transactional.id of its own."""

    def producer_config(self, **over: object) -> KafkaConfig:
        options = super().producer_config(**over)
        return {**options, "transactional.id": f"{options['transactional.id']}.{token_hex(4)}"}


class NoTransactions(KafkaConnection):
    """Gives plain producers."""

    def producer_config(self, **over: object) -> KafkaConfig:
        options = super().producer_config(**over)
        return {name: one for name, one in options.items() if not name.startswith("transaction")}


def _connect_through(kind: type[KafkaConnection]) -> None:
    original = Publisher.__init__

    def init(self: Publisher, config: WorkerConfig, partition: int) -> None:
        kafka = kind(config.kafka.bootstrap_servers, config.kafka.config)
        original(self, replace(config, kafka=kafka), partition)

    Publisher.__init__ = init  # type: ignore[method-assign]


def no_epoch() -> None:
    """Let no producer fence another."""
    _connect_through(OwnIds)


def no_transaction() -> None:
    """Publish without a transaction: changes, memberships and dead letters one by one."""
    _connect_through(NoTransactions)

    def publish(self: Any, outbox: Any, samples: Any = ()) -> None:
        if outbox or samples:
            self._produce_all(outbox, samples)
            crash.point("after the Kafka commit")

    publisher: Any = Publisher
    produce = publisher._produce

    def produce_alone(self: Any, *arguments: Any) -> None:
        produce(self, *arguments)
        self._producer.flush(self._timeout_s)
        crash.point("before the Kafka commit")  # between any two records

    publisher._produce = produce_alone
    publisher.fence, publisher.publish = (lambda _: None), publish


def no_outbox() -> None:
    """Do not keep with the state what has to be published still."""
    patched: Any = committer
    patched.encode_outbox = lambda _: b""


def position_first() -> None:
    """Say that records are done before they are: the order in which offsets are not committed."""
    stored: Any = PartitionStore
    commit, own = stored.commit, stored.own

    def position_then_state(self: Any, commit_: Commit) -> None:
        meta = decode_meta(commit_.new_meta)
        assert meta is not None
        self._client.set(self.keys.meta + ":position", meta.applied_offset)
        crash.point("after the Redis commit")
        commit(self, commit_)

    def own_from_position(self: Any, nonce: str) -> tuple[bytes, bytes]:
        stored_meta, outbox = own(self, nonce)
        meta, position = decode_meta(stored_meta), self._client.get(self.keys.meta + ":position")
        if meta is None or position is None:
            return stored_meta, outbox
        meta.applied_offset = int(position)
        stored_meta = encode_meta(nonce, meta)
        self._client.set(self.keys.meta, stored_meta)
        return stored_meta, outbox

    def guarded(call: Callable[..., Any]) -> Callable[..., Any]:
        def calling(*arguments: Any) -> Any:
            try:
                return call(*arguments)
            except redis.RedisError as error:
                raise RedisAway(str(error)) from error

        return calling

    stored.commit, stored.own = guarded(position_then_state), guarded(own_from_position)


_IN_BETWEEN = ("after the Redis commit",) * 4  # at different passages
_WITH_A_COMMIT_IN_HAND = ("before the Redis commit",) * 6
_AROUND_COMMITS = (
    "after the Redis commit",
    "before the Kafka commit",
    "after the Kafka commit",
)

MUTATIONS = {
    "read-back": Mutation("read-back", no_read_back, (*_KILLS, *_LOSSES), _AROUND_COMMITS),
    "forcing": Mutation("taking published decisions over", no_forcing, _LOSSES),
    "nonce": Mutation("the fence in Redis", no_nonce, _SLEEPS, (), _WITH_A_COMMIT_IN_HAND),
    "epoch": Mutation("the fence in Kafka", no_epoch, _SLEEPS),
    "transaction": Mutation(
        "the transaction", no_transaction, _KILLS, ("before the Kafka commit",) * 5
    ),
    "outbox": Mutation("the outbox", no_outbox, _KILLS, _IN_BETWEEN),
    "order": Mutation("state before position", position_first, _KILLS, _IN_BETWEEN),
}


def main() -> None:
    """Switch a rule off and be the command line otherwise."""
    name, *arguments = sys.argv[1:]
    if name.endswith("+asleep"):
        name = name.removesuffix("+asleep")
        fall_asleep_where_killed()
    MUTATIONS[name].apply()
    sys.argv = ["shoal", *arguments]
    from shoal.cli import main as shoal  # after the patches

    shoal()


def fall_asleep_where_killed() -> None:
    """Turn the first SIGKILL that this process gives itself into a SIGSTOP."""
    kill = os.kill

    def sleep(pid: int, number: int) -> None:
        os.kill = kill
        kill(pid, signal.SIGSTOP if number == signal.SIGKILL else number)

    os.kill = sleep


if __name__ == "__main__":
    main()
