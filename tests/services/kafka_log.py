"""Surgery on a stopped broker's log: what Kafka confirmed is made to end without its marker."""

import struct
from collections.abc import Iterator
from pathlib import Path

# The head of a record batch, version 2: base offset, length, leader epoch, magic, CRC, attributes.
_HEAD = struct.Struct(">qiibIh")
_LENGTH_FROM = 12  # the length counts what comes after itself
_CONTROL = 0x20


def cut_last_marker(data: Path, topic: str, partition: int) -> bool:
    """Take the marker off the end of a partition, as if it had never been written.

    Args:
        data: the broker's log directory; the broker must have been killed.
        topic: the topic.
        partition: its partition.

    Returns:
        Whether the partition ended with a marker.
    """
    directory = data / f"{topic}-{partition}"
    segment = max(directory.glob("*.log"))
    batches = list(_batches(segment.read_bytes()))
    if not batches or not batches[-1][1] & _CONTROL:
        return False
    with segment.open("r+b") as log:
        log.truncate(batches[-1][0])
    for derived in (*directory.glob("*.snapshot"), *directory.glob("*.txnindex")):
        derived.unlink()  # they know of the marker; Kafka makes them anew from the log
    return True


def _batches(log: bytes) -> Iterator[tuple[int, int]]:
    """Give position and attributes of each batch."""
    position = 0
    while position + _HEAD.size <= len(log):
        _, length, _, _, _, attributes = _HEAD.unpack_from(log, position)
        if length <= 0:
            return  # preallocated
        yield position, attributes
        position += _LENGTH_FROM + length
