"""Which partition a key belongs to: murmur2, exactly as Kafka's Java client computes it.

Every producer of ``user-events`` must agree on the partition of a user, whatever language it is
written in, since one worker owns all that is known about a user. Java's default is ``toPositive(
murmur2(key)) % partitions``; librdkafka offers the same as ``partitioner=murmur2``. A worker
checks each record against this module.

Source: ``org.apache.kafka.common.utils.Utils.murmur2`` and ``toPositive`` (Apache Kafka), which
follow Austin Appleby's MurmurHash2, 32 bits.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_SEED = 0x9747B28C
_M = 0x5BD1E995
_R = 24
_MASK_32 = 0xFFFFFFFF
_MASK_POSITIVE = 0x7FFFFFFF

_WIDTH_MIN_BYTES = 16
# Longer keys are rare (a user_id has at most 128 characters); one giant key must not make numpy
# allocate that width for every key of the batch, so they take the scalar way.
_WIDTH_MAX_BYTES = 1024


def murmur2(key: bytes) -> int:
    """Hash one key.

    Returns:
        The hash as an unsigned 32-bit integer; Java prints the same bits as a signed int.

    Example:
        >>> murmur2(b"21") - 2**32
        -973932308
    """
    length = len(key)
    tail = length & ~3
    h = _SEED ^ (length & _MASK_32)
    for start in range(0, tail, 4):
        k = int.from_bytes(key[start : start + 4], "little") * _M & _MASK_32
        k = (k ^ k >> _R) * _M & _MASK_32
        h = h * _M & _MASK_32 ^ k
    if tail < length:
        h = (h ^ int.from_bytes(key[tail:], "little")) * _M & _MASK_32
    h = (h ^ h >> 13) * _M & _MASK_32
    return h ^ h >> 15


def murmur2_partition(key: bytes, partitions: int) -> int:
    """Return the partition of one key, 0 … partitions - 1.

    Example:
        >>> murmur2_partition(b"u42", 12)
        11
    """
    return (murmur2(key) & _MASK_POSITIVE) % partitions


def murmur2_partitions(keys: Sequence[bytes], partitions: int) -> NDArray[np.int64]:
    """Return the partition of each key; the same as `murmur2_partition` at a fraction of the cost.

    Args:
        keys: n keys of any lengths, empty ones included.
        partitions: Partition count of the topic, at least 1.

    Returns:
        int64[n], each 0 … partitions - 1.
    """
    hashes = np.empty(len(keys), dtype=np.uint32)
    lengths = np.fromiter(map(len, keys), dtype=np.int64, count=len(keys))
    if len(keys) and lengths.max() < _WIDTH_MIN_BYTES * 2:
        # The usual case, short keys only: no grouping.
        hashes[:] = _hash_padded(keys, lengths, int(lengths.max()))
    else:
        for width, members in _by_width(lengths):
            chosen = [keys[i] for i in members.tolist()]
            if width > _WIDTH_MAX_BYTES:
                hashes[members] = [murmur2(key) for key in chosen]
            else:
                hashes[members] = _hash_padded(chosen, lengths[members], width - 1)
    positive = (hashes & np.uint32(_MASK_POSITIVE)).astype(np.int64)
    return positive % partitions


def _by_width(lengths: NDArray[np.int64]) -> list[tuple[int, NDArray[np.int64]]]:
    """Group key indices by the power of two above their length: padding at most doubles it."""
    groups = []
    low, width = 0, _WIDTH_MIN_BYTES
    while width <= _WIDTH_MAX_BYTES:
        members = np.flatnonzero((lengths >= low) & (lengths < width))
        if members.size:
            groups.append((width, members))
        low, width = width, width * 2
    members = np.flatnonzero(lengths >= low)
    if members.size:
        groups.append((width, members))
    return groups


def _hash_padded(
    keys: Sequence[bytes], lengths: NDArray[np.int64], length_max: int
) -> NDArray[np.uint32]:
    """Hash keys of similar length, all of them one 4-byte word at a time.

    Each key is padded with zero bytes to the same number of words, always at least one byte
    beyond the longest key, so that the word holding the last ``length % 4`` bytes exists.
    """
    words = length_max // 4 + 1
    padded = np.array(keys, dtype=f"S{words * 4}")
    # One row per word position: each step of the loop then reads contiguous memory.
    columns = np.ascontiguousarray(padded.view("<u4").reshape(-1, words).T)
    m = np.uint32(_M)
    blocks = lengths >> 2
    h = np.uint32(_SEED) ^ lengths.astype(np.uint32)
    blocks_min = int(blocks.min())
    for i in range(words):
        k = columns[i] * m
        k ^= k >> np.uint32(_R)
        k *= m
        mixed = h * m
        mixed ^= k
        h = mixed if i < blocks_min else np.where(blocks > i, mixed, h)
    tails = (h ^ columns[blocks, np.arange(len(keys))]) * m
    h = np.where(lengths & 3, tails, h)
    h ^= h >> np.uint32(13)
    h *= m
    h ^= h >> np.uint32(15)
    return h
