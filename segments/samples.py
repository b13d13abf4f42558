"""Training samples: feature vectors on their way from the workers to the one trainer."""

from collections.abc import Sequence

import msgspec

from features.catalogue import catalogue_fingerprint
from segments.errors import MalformedSample
from segments.transforms import Floats


class Sample(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One user's vector as of one input record. On the topic: a MessagePack array.

    MessagePack keeps every float bit for bit in 9 bytes, NaN (null) included: 330 bytes a
    sample. The user is a hash, so that a forgotten user leaves no name behind in this topic.

    Attributes:
        catalogue: Fingerprint of the catalogue that the columns follow.
        partition: Input partition.
        source_offset: Offset of the user's own newest record in the batch. Within a partition
            samples are written in rising order of it: the trainer skips one that is at or
            below the highest it has seen, which is how repeats after a crash are told.
        user_hash: 64-bit hash of the user id.
        stream_ms: Stream time of that record, Unix ms.
        values: One per feature of the catalogue, NaN where null.
        evidence: What stands behind each value.
    """

    catalogue: str
    partition: int
    source_offset: int
    user_hash: int
    stream_ms: int
    values: list[float]
    evidence: list[float]


_encoder = msgspec.msgpack.Encoder()
_decode = msgspec.msgpack.Decoder(Sample).decode

encode_sample = _encoder.encode
"""A `Sample` to bytes."""


def decode_sample(payload: bytes) -> Sample:
    """Read a record of the samples topic.

    Args:
        payload: What `encode_sample` wrote.

    Returns:
        The sample.

    Raises:
        MalformedSample: It is something else.
    """
    try:
        return _decode(payload)
    except msgspec.DecodeError as error:
        raise MalformedSample(f"A record of the samples topic is not a sample: {error}.") from error


def encode_samples(
    partition: int,
    source_offsets: Sequence[int],
    user_hashes: Sequence[int],
    stream_ms: Sequence[int],
    *,
    values: Floats,
    evidence: Floats,
) -> list[bytes]:
    """Encode the samples of one batch of one partition.

    Args:
        partition: Input partition.
        source_offsets: n offsets, strictly rising.
        user_hashes: n 64-bit hashes.
        stream_ms: n stream times, Unix ms.
        values: float64[n, 13], NaN where null.
        evidence: float64[n, 13].

    Returns:
        n record values.
    """
    fingerprint = catalogue_fingerprint()
    rows = zip(
        source_offsets, user_hashes, stream_ms, values.tolist(), evidence.tolist(), strict=True
    )
    return [encode_sample(Sample(fingerprint, partition, *row)) for row in rows]
