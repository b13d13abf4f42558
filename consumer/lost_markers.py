"""What to do when Kafka has lost the marker that ends a transaction.

Seen with a broker that was frozen past its own session: the coordinator called the transaction
complete, its marker was in none of the logs. Then readers of committed records stop in front of
it for ever; and the producer's next marker, whatever it says, ends this transaction as well.

An owner looks for it (`hanging`) when it takes the partition, and before it leaves it idle: then
it drops the partition and takes it again. Taking puts it right, right after the fence:

- what hangs is ended by a transaction of one filler that is aborted (`end_hanging`);
- what was confirmed to the old owner, and is aborted now, still lies in the log. Redis tells what
  was confirmed: all that it has decided and does not keep in the outbox (`lost_outbox`). It is
  published again;
- memberships whose changes are to be seen are stated once more (`unstated`).
"""

from collections.abc import Collection

import msgspec
import structlog
from confluent_kafka import Message

from consumer.dead_letters import DeadLetter, dead_letter_of
from consumer.errors import HeldUp
from consumer.filler import is_filler
from consumer.outbox import Outbox
from consumer.publisher import Publisher
from consumer.readback import CHUNK_CHANGES, CHUNK_DEAD, ReadBack
from consumer.topics import ONLY_PARTITION, TopicNames
from segments.changes import SegmentChange, decode_change

_log = structlog.get_logger(__name__)


def hanging(read_back: ReadBack, partition: int) -> dict[str, int]:
    """Tell in which output topics a transaction of ours holds readers up, and at which offset.

    Asked while none of ours is under way. One that another program holds open is not ours to end:
    readers wait for it, an owner need not.

    Raises:
        KafkaAway: Kafka did not answer.
    """
    topics = read_back.topics
    found = {
        topic: read_back.held_up_at(topic, partition, lambda one: _is_ours(topics, one))
        for topic in (topics.changes, topics.memberships, topics.dead)
    }
    return {topic: offset for topic, offset in found.items() if offset is not None}


def _is_ours(topics: TopicNames, message: Message) -> bool:
    if is_filler(message):
        return True
    if message.topic() == topics.dead:
        return dead_letter_of(message) is not None
    if message.topic() == topics.changes:
        return bool(_changes_in([message]))
    return bool(message.key())


def end_hanging(read_back: ReadBack, publisher: Publisher, partition: int) -> None:
    """End what hangs in a partition's output, right after the fence has ended all that does not.

    Raises:
        Away: it may not have come to pass, or it did not help.
        Fenced: another worker has taken the partition.
    """
    topics, found = read_back.topics, hanging(read_back, partition)
    if not found:
        return
    _log.warning("Kafka has lost the end of a transaction", partition=partition, offsets=found)
    for topic in found:
        publisher.abort_filler(topic, partition)
    # In the samples many have transactions open: whether this one hangs there cannot be told.
    publisher.abort_filler(topics.samples, ONLY_PARTITION)
    if left := hanging(read_back, partition):
        raise HeldUp(f"partition {partition}: still held up in {', '.join(left)}")


def unstated(read_back: ReadBack, partition: int) -> list[SegmentChange]:
    """Give changes that readers see, but whose memberships they may not see.

    A transaction can lose its marker in the memberships alone, and be aborted there later. Its
    memberships then lie behind the last one to be seen, its changes are the last to be seen.

    Returns:
        The last change of each user; those of transactions that were aborted as a whole have none.
    """
    topics = read_back.topics
    seen = read_back.tail(topics.memberships, partition, bool, records=CHUNK_DEAD)
    behind = (seen[-1].offset() or 0) + 1 if seen else 0
    unseen = read_back.records_from(topics.memberships, partition, behind)
    users = {message.key() for message in unseen if not is_filler(message)}
    if not users:
        return []
    changes = read_back.tail(
        topics.changes, partition, lambda found: len(found) >= len(unseen), records=CHUNK_CHANGES
    )
    last = {one.user_id: one for one in _changes_in(changes) if one.user_id.encode() in users}
    return list(last.values())


def lost_outbox(
    read_back: ReadBack, partition: int, outbox: Outbox, *, changes: range, dead: range
) -> Outbox:
    """Give what was confirmed, but will never be seen by readers of committed records.

    Args:
        read_back: reads the topics.
        partition: their partition.
        outbox: what Redis keeps because it may not be confirmed.
        changes: the sequences that are confirmed, but not seen.
        dead: the offsets that are applied, behind the last dead letter seen.
    """
    pending = {letter.offset for letter in outbox.dead}
    letters = _lost_dead_letters(read_back, partition, dead)
    letters = [letter for letter in letters if letter.offset not in pending]
    lost = Outbox(_lost_changes(read_back, partition, changes), letters)
    if lost:
        _log.error(
            "Kafka has aborted what it had confirmed: publishing it again",
            partition=partition, changes=len(lost.changes), dead_letters=len(lost.dead),
        )  # fmt: skip
    return lost


def _lost_changes(read_back: ReadBack, partition: int, wanted: range) -> list[SegmentChange]:
    if not wanted:
        return []
    found = read_back.tail(
        read_back.topics.changes,
        partition,
        lambda messages: any(one.sequence < wanted.start for one in _changes_in(messages)),
        records=CHUNK_CHANGES,
        aborted_too=True,
    )
    lost: list[SegmentChange] = []
    for change in _changes_in(found):
        while lost and lost[-1].sequence >= change.sequence:
            lost.pop()  # what was decided anew is void
        lost.append(change)
    return [change for change in lost if change.sequence in wanted]


def is_attempted(read_back: ReadBack, partition: int, change: SegmentChange) -> bool:
    """Tell whether the log holds a change, or a later one, whether readers see it or not."""
    found = read_back.tail(
        read_back.topics.changes,
        partition,
        lambda messages: bool(_changes_in(messages)),
        records=CHUNK_CHANGES,
        aborted_too=True,
    )
    return any(one.sequence >= change.sequence for one in _changes_in(found))


def _changes_in(messages: Collection[Message]) -> list[SegmentChange]:
    values = (message.value() for message in messages)
    return [change for value in values if value and (change := _decoded(value)) is not None]


def _decoded(value: bytes) -> SegmentChange | None:
    try:
        return decode_change(value)
    except msgspec.MsgspecError:
        return None  # another program's


def _lost_dead_letters(read_back: ReadBack, partition: int, wanted: range) -> list[DeadLetter]:
    if not wanted:
        return []
    last_seen = wanted.start - 1
    found = read_back.tail(
        read_back.topics.dead,
        partition,
        lambda messages: any(letter.offset == last_seen for letter in _letters_in(messages)),
        records=CHUNK_DEAD,
        aborted_too=True,
    )
    lost: dict[int, DeadLetter] = {}
    for letter in _letters_in(found):
        if letter.offset == last_seen:
            lost.clear()  # aborted before that one was published
        elif letter.offset in wanted:
            lost[letter.offset] = letter
    return [lost[offset] for offset in sorted(lost)]


def _letters_in(messages: list[Message]) -> list[DeadLetter]:
    return [letter for message in messages if (letter := dead_letter_of(message)) is not None]
