"""What to do when Kafka has lost the marker that ends a transaction.

Seen with a broker that was frozen past its own session: the coordinator called the transaction
complete, its marker was in none of the logs. Then readers of committed records stop in front of
it for ever; and the producer's next marker, whatever it says, ends this transaction as well.

An owner looks for it when it takes the partition, and before it leaves it idle:

- what hangs is ended by a transaction of one filler that is aborted (`Publisher.end_hanging`);
- what was confirmed to the old owner, and is aborted now, still lies in the log. Redis tells what
  was confirmed: all that it has decided and does not keep in the outbox. It is published again.
"""

import structlog
from confluent_kafka import Message

from consumer.dead_letters import FUTURE, DeadLetter, dead_letter_of
from consumer.outbox import Outbox
from consumer.publisher import Publisher
from consumer.readback import CHUNK_CHANGES, CHUNK_DEAD, ReadBack
from consumer.topics import ONLY_PARTITION
from segments.changes import SegmentChange, decode_change

_log = structlog.get_logger(__name__)


def end_hanging(read_back: ReadBack, publisher: Publisher, partition: int) -> bool:
    """End what hangs in a partition's output, while nothing of its own is under way.

    Returns:
        Whether anything was ended. A transaction that another program holds open goes on.

    Raises:
        Away: Kafka did not answer in time.
        Fenced: another worker has taken the partition.
    """
    topics = read_back.topics
    hanging = {
        topic: offset
        for topic in (topics.changes, topics.memberships, topics.dead)
        if (offset := read_back.held_up_at(topic, partition)) is not None
    }
    for topic in hanging:
        publisher.end_hanging(topic, partition)
    if hanging:  # there, many have transactions open: whether this one hangs cannot be told
        publisher.end_hanging(topics.samples, ONLY_PARTITION)
    ended = [topic for topic in hanging if read_back.held_up_at(topic, partition) is None]
    for topic in ended:
        _log.warning(
            "Kafka had lost the end of a transaction",
            topic=topic, partition=partition, offset=hanging[topic],
        )  # fmt: skip
    if topics.memberships in ended:
        users = _keys_from(read_back, topics.memberships, partition, hanging[topics.memberships])
        publisher.restate(_last_changes(read_back, partition, users))
    return bool(ended)


def _keys_from(read_back: ReadBack, topic: str, partition: int, offset: int) -> set[bytes]:
    """Give the keys of all records from this offset on, aborted ones too."""
    found = read_back.tail(
        topic,
        partition,
        lambda messages: (messages[0].offset() or 0) <= offset,
        records=CHUNK_CHANGES,
        aborted_too=True,
    )
    return {message.key() or b"" for message in found if (message.offset() or 0) >= offset}


def _last_changes(read_back: ReadBack, partition: int, users: set[bytes]) -> list[SegmentChange]:
    """Give these users' last changes that readers see, as far as the topic still has one."""
    found = read_back.tail(
        read_back.topics.changes,
        partition,
        lambda messages: users <= {message.key() for message in messages},
        records=CHUNK_CHANGES,
    )
    last = {message.key(): message.value() for message in found if message.key() in users}
    return [decode_change(value) for value in last.values() if value is not None]


def lost_outbox(
    read_back: ReadBack, partition: int, outbox: Outbox, *, changes: range, dead: range, hung: bool
) -> Outbox:
    """Give what was confirmed, but will never be seen by readers of committed records.

    Args:
        read_back: reads the topics.
        partition: their partition.
        outbox: what Redis keeps because it may not be confirmed.
        changes: the sequences that are confirmed, but not seen.
        dead: the offsets that are applied, behind the last dead letter seen.
        hung: whether the last transaction was found without an end. If not, a letter about the
            future may have been aborted long ago, and its record have been applied since.
    """
    pending = {letter.offset for letter in outbox.dead}
    letters = [
        letter
        for letter in _lost_dead_letters(read_back, partition, dead)
        if letter.offset not in pending and (hung or letter.reason != FUTURE)
    ]
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


def _changes_in(messages: list[Message]) -> list[SegmentChange]:
    return [decode_change(value) for message in messages if (value := message.value())]


def _lost_dead_letters(read_back: ReadBack, partition: int, wanted: range) -> list[DeadLetter]:
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
