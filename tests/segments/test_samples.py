"""Training samples on the wire."""

import math

import numpy as np
import pytest

from features.catalogue import FEATURE_NAMES, catalogue_fingerprint
from segments.errors import MalformedSample
from segments.samples import decode_sample, encode_samples


def test_samples_keep_every_float_and_null() -> None:
    rng = np.random.default_rng(2)
    values = rng.normal(size=(3, len(FEATURE_NAMES)))
    values[1, 4] = np.nan
    evidence = rng.uniform(0, 28, size=values.shape)
    evidence[0, 4] = np.inf
    payloads = encode_samples(
        7, [10, 11, 19], [1, 2, 2**64 - 1], [5, 6, 7], values=values, evidence=evidence
    )
    samples = [decode_sample(payload) for payload in payloads]
    assert [(s.partition, s.source_offset, s.user_hash, s.stream_ms) for s in samples] == [
        (7, 10, 1, 5),
        (7, 11, 2, 6),
        (7, 19, 2**64 - 1, 7),
    ]
    assert np.array([s.values for s in samples]).tobytes() == values.tobytes()
    assert np.array([s.evidence for s in samples]).tobytes() == evidence.tobytes()
    assert {s.catalogue for s in samples} == {catalogue_fingerprint()}
    assert math.isnan(samples[1].values[4])
    assert max(map(len, payloads)) <= 330


@pytest.mark.parametrize("payload", [b"", b"{}", b"\x93\x01\x02\x03", b"not msgpack"])
def test_what_is_no_sample_is_refused(payload: bytes) -> None:
    with pytest.raises(MalformedSample):
        decode_sample(payload)
