"""Named points of the protocol at which a test may kill the process.

Production code only names the points. `SHOAL_CRASH_AT="<point>"` makes the process kill itself
there, as hard as a power cut; `SHOAL_CRASH_AT="<point>:<n>"` at the n-th passage.
"""

import os
import signal
import threading
from typing import NamedTuple


class Point(NamedTuple):
    """A point, and what is done and not done yet when the process dies there."""

    name: str
    place: str


POINTS = (
    # A batch.
    Point("after poll", "records fetched; nothing of them is done"),
    Point("before the Redis commit", "decided in memory; nothing of it is in Redis or Kafka"),
    Point("after the Redis commit", "states and outbox in Redis; nothing of them in Kafka"),
    Point("before the Kafka commit", "all of a transaction produced; it stays open"),
    Point("after the Kafka commit", "published; the outbox in Redis says so nowhere"),
    Point("during the sweep", "due users looked at in memory; nothing of it in Redis"),
    Point("during catch-up", "published changes taken over in memory; nothing of it in Redis"),
    Point("after queueing everybody", "everybody is due for a new major version; nobody looked at"),
    Point("after tidying", "an idle partition's outbox emptied"),
    # Taking ownership, in order.
    Point("during ownership", "assigned; nothing is fenced yet"),
    Point("after the Kafka fence", "the old owner cannot publish; it can still write to Redis"),
    Point("after the nonce", "the old owner can do neither; nothing is read back"),
    Point("while seeding", "some of an emptied Redis's users are back, under `restoring`"),
    Point("during read-back", "changes read back; dead letters not, the outbox not published"),
    Point("after the outbox", "what the old owner left is published; no record taken"),
    Point("while taking again", "a dropped partition is owned again; it is not fetched yet"),
    # Giving up, and the trainer.
    Point("during revoke", "asked to let go; nothing is finished or said to Kafka"),
    Point("before the model commit", "a release produced; its transaction stays open"),
    Point("after the model commit", "a release published; Redis's copy is an older one"),
)

_WANTED, _, _COUNT = os.environ.get("SHOAL_CRASH_AT", "").partition(":")
assert not _WANTED or _WANTED in {one.name for one in POINTS}, f"no such point: {_WANTED}"
_left = int(_COUNT or 1)
_lock = threading.Lock()  # commits of several partitions pass at the same time


def point(name: str) -> None:
    """Pass a named point; the process ends here if a test asked for it."""
    if name != _WANTED:
        return
    global _left  # noqa: PLW0603 -- counts passages of the whole process
    with _lock:
        _left -= 1
        if _left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
