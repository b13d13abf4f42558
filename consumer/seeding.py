"""Starting a partition whose Redis is new or was emptied: what is published must stay true.

Everybody gets the segment and the user version of their latest membership; then the log is folded
from its start, deciding nothing up to the offset that the last published change came from.
"""

from datetime import datetime
from itertools import islice

import numpy as np

from consumer import crash
from consumer.lost_markers import lost_outbox
from consumer.meta import PartitionMeta
from consumer.outbox import Outbox
from consumer.partition import OwnedPartition
from consumer.readback import ReadBack
from consumer.trend import Trend
from features import codec
from features.slab import Slab
from segments.changes import Membership

_USERS_PER_COMMIT = 1_000

# The first sweep after catch-up looks at everybody. Not 0: that marks users queued by a new model.
_DUE_FIRST_MS = b"1"


def seed(
    owned: OwnedPartition, read_back: ReadBack, log_start: int, log_end: int, now_ms: int
) -> None:
    """Write the memberships into Redis as the only thing known about their users.

    Until the last commit the meta carries `restoring`: an owner that finds it starts over, which
    writes the same again.

    Args:
        owned: the partition; its meta, floors and counters are set.
        read_back: reads the output topics.
        log_start: first offset that the events topic still has.
        log_end: its high watermark.
        now_ms: wall clock. A seeded user counts as last active now, since nothing better is
            known: removed late rather than wrongly.

    Raises:
        Away, Fenced: as for any read and commit.
    """
    memberships = read_back.memberships(owned.number)
    last_sequence = max((member.sequence for member in memberships.values()), default=0)
    changes, last_published = read_back.changes_after(owned.number, last_sequence - 1)
    # A membership that is to be seen has a change that is confirmed, to be seen or not.
    missing = range(last_published + 1, last_sequence + 1)
    lost = lost_outbox(read_back, owned.number, Outbox(), changes=missing, dead=range(0))
    owned.publisher.publish(lost)
    changes = changes or lost.changes
    owned.dead_floor = read_back.last_dead_offset(owned.number)
    if changes:
        owned.floor = changes[-1].source_offset
    elif memberships:
        owned.floor = log_end - 1  # the changes have expired; nothing in the log is news
    owned.meta = PartitionMeta(
        applied_offset=log_start,
        sequence=max(last_sequence, last_published),
        restoring=True,
        floor=owned.floor,
    )
    owned.trend = Trend(owned.meta)  # nothing of the old one is left
    members = iter(memberships.values())
    slab = Slab(_USERS_PER_COMMIT)
    while chunk := list(islice(members, _USERS_PER_COMMIT)):
        _write_chunk(owned, slab, chunk, now_ms)
        crash.point("while seeding")
    done = owned.meta.following()
    done.restoring = False
    owned.write(done)


def _write_chunk(owned: OwnedPartition, slab: Slab, chunk: list[Membership], now_ms: int) -> None:
    slots = np.arange(len(chunk))
    slab.clear(slots)
    head = slab.head
    head["segment"][slots] = [member.segment.id for member in chunk]
    head["user_version"][slots] = [member.user_version for member in chunk]
    head["since_ms"][slots] = [
        int(datetime.fromisoformat(member.since).timestamp() * 1000) for member in chunk
    ]
    head["last_ms"][slots] = now_ms
    meta = owned.meta.following()
    for member in chunk:
        meta.users[member.segment.id] = meta.users.get(member.segment.id, 0) + 1
    keys = owned.store.keys
    pairs = zip(chunk, codec.encode(slab, slots), strict=True)
    owned.write(
        meta,
        states=[part for member, state in pairs for part in (keys.user(member.user_id), state)],
        due=[part for member in chunk for part in (_DUE_FIRST_MS, member.user_id.encode())],
    )
