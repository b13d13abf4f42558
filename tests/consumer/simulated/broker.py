"""A Kafka broker in memory, as far as transactions, fencing and offsets go, and a producer on it.

Markers and aborted records take up offsets and are not delivered; the last stable offset lies
before the first record of an open transaction; a new epoch of a `transactional.id` aborts what the
one before left open. A transaction whose markers are lost hangs in its logs until the next marker
of that name there, which decides about it.
"""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from confluent_kafka import KafkaError, KafkaException

from tests.consumer.simulated.faults import ABORTABLE, Faults

Losing = Callable[[int], bool]
OPEN, COMMITTED, ABORTED = range(3)


def _keeps(_: int) -> bool:
    return False


@dataclass(slots=True)
class Transaction:
    state: int = OPEN
    logs: list["Log"] = field(default_factory=list)


@dataclass(slots=True)
class Entry:
    """A record, or the marker that ends a transaction in a log (`transaction` is None)."""

    transaction: Transaction | None
    key: bytes | None = None
    value: bytes | None = None
    headers: list[tuple[str, str | bytes | None]] = field(default_factory=list)


class Log:
    """One output partition; an entry's offset is its index."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []

    @property
    def last_stable(self) -> int:
        for offset, entry in enumerate(self.entries):
            if entry.transaction is not None and entry.transaction.state == OPEN:
                return offset
        return len(self.entries)

    def split_off(self, transaction: Transaction) -> Transaction:
        """Make what a transaction wrote here one that ends on its own."""
        own = Transaction()
        for entry in self.entries:
            if entry.transaction is transaction:
                entry.transaction = own
        return own

    def committed(self) -> list[Entry]:
        """What a read_committed reader gets once every transaction has ended."""
        return [entry for entry in self.entries if is_committed(entry)]


def is_committed(entry: Entry) -> bool:
    return entry.transaction is not None and entry.transaction.state == COMMITTED


class MemoryBroker:
    """Logs of the output topics, and the transactional producers known."""

    def __init__(self) -> None:
        self.logs: defaultdict[tuple[str, int], Log] = defaultdict(Log)
        self._epochs: defaultdict[str, int] = defaultdict(int)
        self._open: dict[str, Transaction] = {}
        self._hanging: defaultdict[tuple[str, int], list[Transaction]] = defaultdict(list)

    def fence(self, name: str, *, lost: Losing = _keeps) -> int:
        self._end(name, ABORTED, lost=lost)
        self._epochs[name] += 1
        return self._epochs[name]

    def append(self, name: str, epoch: int, topic: str, partition: int, entry: Entry) -> None:
        self.check(name, epoch)
        transaction = self._open.setdefault(name, Transaction())
        log = self.logs[topic, partition]
        if log not in transaction.logs:
            transaction.logs.append(log)
        entry.transaction = transaction
        log.entries.append(entry)

    def end(self, name: str, epoch: int, state: int, *, lost: Losing = _keeps) -> None:
        self.check(name, epoch)
        self._end(name, state, lost=lost)

    def check(self, name: str, epoch: int) -> None:
        """Refuse a producer of an older epoch."""
        if epoch != self._epochs[name]:
            raise KafkaException(KafkaError(KafkaError._FENCED, "fenced", fatal=True))

    def _end(self, name: str, state: int, *, lost: Losing) -> None:
        transaction = self._open.pop(name, None)
        if transaction is None:
            return
        for place, log in enumerate(transaction.logs):
            hanging = self._hanging[name, id(log)]
            if lost(place + len(log.entries)):
                hanging.append(log.split_off(transaction))
                continue
            log.entries.append(Entry(None))
            for one in hanging:
                one.state = state
            hanging.clear()
        transaction.state = state


def _timed_out() -> KafkaException:
    return KafkaException(KafkaError(KafkaError._TIMED_OUT, "timed out"))


class MemoryProducer:
    """A transactional producer. Records reach the broker at once."""

    def __init__(self, broker: MemoryBroker, faults: Faults, config: dict[str, Any]) -> None:
        self._broker, self._faults = broker, faults
        self._name = config["transactional.id"]
        self._epoch = 0
        self._must_abort = False

    def init_transactions(self, _timeout_s: float) -> None:
        def fence() -> None:
            lost = self._faults.loses_markers
            self._epoch = self._broker.fence(self._name, lost=lost)

        self._faults.passing("fence", fence, _timed_out)

    def begin_transaction(self) -> None:
        self._broker.check(self._name, self._epoch)

    def produce(
        self,
        topic: str,
        *,
        value: bytes | None,
        key: bytes | None,
        partition: int,
        headers: list[tuple[str, str | bytes | None]],
    ) -> None:
        entry = Entry(None, key, value, headers)

        def append() -> None:
            self._broker.append(self._name, self._epoch, topic, partition, entry)

        self._faults.passing("produce", append, _timed_out, self._refused)

    def flush(self, _timeout_s: float) -> int:
        return 0

    def commit_transaction(self, _timeout_s: float) -> None:
        epoch = self._epoch

        def commit() -> None:
            lost = self._faults.loses_markers
            self._broker.end(self._name, epoch, COMMITTED, lost=lost)

        assert not self._must_abort, "a transaction that must be aborted was to be committed"
        self._faults.passing("commit transaction", commit, _timed_out, self._refused)

    def abort_transaction(self, _timeout_s: float) -> None:
        def abort() -> None:
            lost = self._faults.loses_markers
            self._broker.end(self._name, self._epoch, ABORTED, lost=lost)
            self._must_abort = False

        self._faults.passing("abort transaction", abort, _timed_out)

    def _refused(self, fault: str) -> KafkaException:
        self._must_abort = fault == ABORTABLE
        return KafkaException(
            KafkaError(
                KafkaError._FAIL,
                fault,
                retriable=not self._must_abort,
                txn_requires_abort=self._must_abort,
            )
        )
