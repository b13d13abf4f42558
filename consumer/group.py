"""This worker's place in the consumer group: fetching, rebalances, and taking partitions again.

Ownership is taken synchronously in the assign callback, and a partition starts at the offset given
to `incremental_assign`: a variant that assigned first and sought later lost records in trials.
"""

import contextlib
import time
from collections.abc import Callable

import structlog
from confluent_kafka import (
    OFFSET_END,
    Consumer,
    KafkaError,
    KafkaException,
    Message,
    TopicPartition,
)

from consumer import crash
from consumer.client_errors import raise_if_final
from consumer.config import WorkerConfig
from consumer.errors import ConsumerError, DeadLetterTooLarge, Fenced, KafkaAway
from consumer.intake import Arrived, arrived
from consumer.outages import Outages
from consumer.partition import OwnedPartition
from consumer.partitions import Partitions
from consumer.progress import Progress
from consumer.setup import raise_dead_letter_limit
from producer.undisguised import undisguised

_log = structlog.get_logger(__name__)

# What the client fetches ahead, over all partitions. Its default of 64 MB (and 50 MB in one answer)
# would be the larger part of a worker's memory while it makes up for an outage.
PREFETCH_KBYTES_MAX = 2_048
FETCH_BYTES_MAX = 1_048_576

CLIENT = "client"  # what an outage holds up when no partition of ours is
ASK_EVERY_S = 5.0  # how often Kafka is asked what no fetch tells: for a sign of life, for log ends
ANSWERS_WITHIN_S = 1.0

# A member hears of a rebalance with its next heartbeat, and all wait for the last one, twice in a
# row: with the client's default of 3 s partitions stand still for up to 10 s when a worker joins.
HEARTBEAT_MS = 500

# What letting go of partitions waits for Kafka: far below max.poll.interval.ms (300 s), within
# which the group wants to hear from this worker again.
LET_GO_S = 15.0
LAST_NEWS_S = 0.2  # how long a member that leaves listens for what the group still says

_NOT_A_MEMBER = {
    KafkaError.UNKNOWN_MEMBER_ID,
    KafkaError.ILLEGAL_GENERATION,
    KafkaError.FENCED_INSTANCE_ID,
    KafkaError.REBALANCE_IN_PROGRESS,
}


class Group:
    """The consumer of the events topic, and what its rebalances do to the partitions."""

    def __init__(
        self,
        config: WorkerConfig,
        partitions: Partitions,
        outages: Outages,
        progress: Progress,
        *,
        on_taken: Callable[[OwnedPartition], None],
        on_gone: Callable[[int], None],
    ) -> None:
        """Make the consumer; it joins with `join`.

        Args:
            config: the deployment.
            partitions: what is held and waited for.
            outages: is told when Kafka is away.
            progress: counts rebalances, and times how long partitions take to come.
            on_taken: called after a partition was taken, before its first record.
            on_gone: called when what is held in memory of a partition is worthless.
        """
        self._config = config
        self._topic = config.topics.events
        self._partitions = partitions
        self._on_taken = on_taken
        self._on_gone = on_gone
        self._touched: set[int] = set()  # by a rebalance callback during the current fetch
        self._ever_held: set[int] = set()
        self._outages = outages
        self._progress = progress
        self._asked_s = 0.0
        self._all_down = False
        self.joined = False
        self._is_leaving = False
        options = {
            "group.id": config.group,
            "partition.assignment.strategy": "cooperative-sticky",
            "session.timeout.ms": config.session_timeout_ms,
            "heartbeat.interval.ms": config.kafka.config.get(
                "heartbeat.interval.ms", min(HEARTBEAT_MS, config.session_timeout_ms // 3)
            ),
            "auto.offset.reset": "error",
            "isolation.level": "read_committed",
            "enable.partition.eof": True,
            # With the default of 1 s a consumer that keeps up stalls between fetches.
            "fetch.queue.backoff.ms": 1,
            "queued.max.messages.kbytes": PREFETCH_KBYTES_MAX,
            "fetch.max.bytes": max(FETCH_BYTES_MAX, config.event_bytes_max + 65_536),
            "error_cb": self._on_client_error,
            "on_commit": self._on_commit,
        }
        self._consumer = Consumer(config.kafka.consumer_config(**options))

    def join(self) -> None:
        """Ask for partitions; they come in a later fetch."""
        self._consumer.subscribe(
            [self._topic],
            on_assign=self._on_assign,
            on_revoke=self._on_revoke,
            on_lost=self._on_lost,
        )

    def leave(self) -> None:
        """Hand the partitions over and leave the group; without a broker there is none to leave.

        First leave, then close: an assignment that comes in while the client closes can make it
        hang for ever (librdkafka 4527 and 4884; seen when all workers of a group were asked to end
        at once).
        """
        if self._all_down:  # it would wait for a coordinator that does not answer
            return
        self._is_leaving = True
        self._consumer.unsubscribe()
        deadline_s = time.monotonic() + LET_GO_S
        self._consumer.poll(LAST_NEWS_S)  # an assignment may be on its way
        while self._consumer.assignment() and time.monotonic() < deadline_s:
            self._consumer.poll(LAST_NEWS_S)  # calls _on_revoke
        self._consumer.close()

    def fetch(self, wait_s: float) -> Arrived:
        """Take what is there, waiting up to `wait_s` for a first record.

        A rebalance callback can run inside the call; what it returns of the partitions touched
        may belong to the assignment before, so those are thrown away and taken again.
        """
        self._touched.clear()
        found: list[Message] = []
        with undisguised():  # taking a partition may raise
            first = self._consumer.poll(wait_s)
            if first is not None:  # a message without a value has length 0: it counts as false
                found = [first, *self._consumer.consume(self._config.batch_records - 1, 0)]
        crash.point("after poll")
        news = arrived(found)
        for error in news.errors:
            raise_if_final(error, self._topic)
            _log.warning("Kafka client", error=error.str())
        owned = self._partitions.owned
        for number in self._touched & (news.records.keys() | news.at_end.keys()) & owned.keys():
            self.drop(number, Fenced(number, "a rebalance came in the middle of a fetch"))
        for number in list(news.records):
            if number in owned:
                owned[number].caught_up = False
            else:
                del news.records[number]
        for number, end_offset in news.at_end.items():
            if number in owned:
                owned[number].caught_up = True
                owned[number].end_offset = end_offset
        if news.records or news.at_end:
            self._note_heard()
        return news

    def drop(self, number: int, why: ConsumerError) -> None:
        """Forget what is in memory of a partition, stop fetching it, and take it again soon."""
        if isinstance(why, DeadLetterTooLarge):
            raise_dead_letter_limit(self._config)
        self._partitions.wait(number, why)
        self._on_gone(number)
        self.pause([number])

    def pause(self, numbers: list[int]) -> None:
        """Fetch nothing of these partitions until they are resumed."""
        if numbers:
            self._consumer.pause([TopicPartition(self._topic, number) for number in numbers])

    def resume(self, numbers: list[int]) -> None:
        """Fetch these partitions again, as far as they are still held."""
        held = [n for n in numbers if n in self._partitions.owned]
        if held:
            self._consumer.resume([TopicPartition(self._topic, number) for number in held])

    def take_again(self) -> None:
        """Take the waiting partitions whose pause is over, if this worker is still a member.

        A worker that slept through its session must not take the nonce back from the new owner:
        a synchronous offset commit proves membership first.
        """
        numbers = self._partitions.ready_to_retry()
        if not numbers or not self._is_member(numbers):
            return
        for owned in self._partitions.take(numbers):
            crash.point("while taking again")
            start = TopicPartition(self._topic, owned.number, owned.meta.applied_offset)
            self._consumer.incremental_unassign([TopicPartition(self._topic, owned.number)])
            self._consumer.incremental_assign([start])
            self.resume([owned.number])
            self._on_taken(owned)

    def commit_hints(self) -> None:
        """Tell Kafka how far this worker is: for lag tools, Redis holds the truth."""
        if not self._all_down and (offsets := self._offsets()):
            with contextlib.suppress(KafkaException):
                self._consumer.commit(offsets=offsets, asynchronous=True)

    def look_around(self) -> None:
        """Learn where the logs end, and whether Kafka is back: now and then, not on the hot path.

        What is fetched tells its log's end by itself. What waits is not fetched, and a worker that
        holds nothing hears nothing, so those ask.
        """
        ends = self._partitions.log_ends
        for number in self._partitions.owned:
            at = TopicPartition(self._topic, number)
            _, end = self._consumer.get_watermark_offsets(at, cached=True)
            ends[number] = max(end, ends.get(number, 0))
        asks = self._outages.is_away("Kafka") or self._partitions.waiting
        if not asks or time.monotonic() - self._asked_s < ASK_EVERY_S:
            return
        self._asked_s = time.monotonic()
        try:
            self._consumer.list_topics(self._topic, timeout=ANSWERS_WITHIN_S)
            self._note_heard()
            for number in self._partitions.waiting:
                at = TopicPartition(self._topic, number)
                _, ends[number] = self._consumer.get_watermark_offsets(at, timeout=ANSWERS_WITHIN_S)
        except KafkaException:
            return  # asked again soon

    # --- callbacks of the client ----------------------------------------------------------------

    def _on_assign(self, consumer: Consumer, assigned: list[TopicPartition]) -> None:
        numbers = [one.partition for one in assigned]
        if self._is_leaving:  # it is taken back in a moment, and nobody is to wait for it
            consumer.incremental_assign(
                [TopicPartition(self._topic, number, OFFSET_END) for number in numbers]
            )
            return
        started_s = time.monotonic()
        self._progress.rebalances += bool(assigned)
        # What was never held before cannot have records of an older assignment on their way.
        self._touched |= self._ever_held.intersection(numbers)
        self._ever_held.update(numbers)
        self.joined = True
        crash.point("during ownership")
        taken = self._partitions.take(numbers)
        starts = {owned.number: owned.meta.applied_offset for owned in taken}
        consumer.incremental_assign(
            [TopicPartition(self._topic, n, starts.get(n, OFFSET_END)) for n in numbers]
        )
        # A pause outlives an assignment: one from an earlier failure would starve the partition.
        self.resume(sorted(starts))
        self.pause([number for number in numbers if number not in starts])
        for owned in taken:
            self._on_taken(owned)
            owned.is_moved = True
            self._progress.takes.add(time.monotonic() - started_s)
        if numbers:
            # The client's broker thread may sleep up to 1 s after a rebalance; a request wakes it.
            with contextlib.suppress(KafkaException):
                consumer.get_watermark_offsets(assigned[0], timeout=1.0)

    def _on_revoke(self, consumer: Consumer, revoked: list[TopicPartition]) -> None:
        """Finish what is under way (bounded), say how far it went, forget the rest."""
        crash.point("during revoke")
        self._progress.rebalances += bool(revoked)
        numbers = [one.partition for one in revoked]
        self._touched.update(numbers)
        deadline_s = time.monotonic() + LET_GO_S
        for number in numbers:
            owned = self._partitions.owned.get(number)
            if owned is not None and owned.committing is not None:
                # If it does not come through, the next owner finds it in the outbox.
                with contextlib.suppress(ConsumerError, TimeoutError):
                    owned.committing.result(max(0.0, deadline_s - time.monotonic()))
        if offsets := self._offsets(set(numbers)):
            with contextlib.suppress(KafkaException):
                consumer.commit(offsets=offsets, asynchronous=False)
        self._on_lost(consumer, revoked)

    def _on_lost(self, consumer: Consumer, lost: list[TopicPartition]) -> None:
        for one in lost:
            self._touched.add(one.partition)
            if self._partitions.let_go(one.partition) is not None:
                self._on_gone(one.partition)
        consumer.incremental_unassign(lost)

    def _on_client_error(self, error: KafkaError) -> None:
        if error.code() == KafkaError._ALL_BROKERS_DOWN:  # noqa: SLF001 -- its only name
            self._all_down = True
            self._outages.away(CLIENT, KafkaAway(error.str()))

    def _note_heard(self) -> None:
        self._all_down = False
        self._outages.heard(CLIENT, "Kafka")

    def _on_commit(self, error: KafkaError | None, _offsets: list[TopicPartition]) -> None:
        if error is None:
            self._note_heard()

    # --- small things ---------------------------------------------------------------------------

    def _is_member(self, numbers: list[int]) -> bool:
        """Prove membership by committing what is known of these partitions; if not, they wait."""
        hints = self._partitions.applied_hint
        offsets = [TopicPartition(self._topic, n, hints[n]) for n in numbers if n in hints]
        if not offsets:
            return True  # assigned moments ago, never owned
        try:
            self._consumer.commit(offsets=offsets, asynchronous=False)
        except KafkaException as failure:
            error = failure.args[0]
            for number in numbers:
                if error.code() in _NOT_A_MEMBER:
                    self._partitions.wait(number, Fenced(number, "not a member of the group now"))
                else:
                    self._partitions.wait(number, KafkaAway(error.str()))
            return False
        return True

    def _offsets(self, numbers: set[int] | None = None) -> list[TopicPartition]:
        return [
            TopicPartition(self._topic, number, owned.meta.applied_offset)
            for number, owned in self._partitions.owned.items()
            if numbers is None or number in numbers
        ]
