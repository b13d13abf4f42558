"""What all workers of a namespace must agree on, and the sentence when one does not."""

import msgspec
import pytest

from consumer.errors import ProtectsData
from consumer.topology import (
    PARTITIONER,
    Topology,
    check_topology,
    current_topology,
    decode_topology,
    encode_topology,
)
from features.catalogue import catalogue_fingerprint
from features.codec import LAYOUT_VERSION

OURS = current_topology(12)


def test_ours_is_that_of_this_release() -> None:
    assert Topology(
        partitions=12,
        partitioner=PARTITIONER,
        layout=LAYOUT_VERSION,
        catalogue=catalogue_fingerprint(),
    ) == OURS  # fmt: skip


def test_what_is_stored_is_read_back() -> None:
    assert decode_topology(encode_topology(OURS)) == OURS


def test_state_of_the_same_shape_is_accepted() -> None:
    check_topology(OURS, current_topology(12), "shoal")


@pytest.mark.parametrize(
    ("differs", "words"),
    [
        (
            {"partitions": 6},
            ["belongs to 6 partitions", "topic has 12", "a topic with 6 partitions"],
        ),
        ({"partitioner": "crc32"}, ["partitioner 'crc32'", "uses 'murmur2'", "rebuild"]),
        ({"layout": 99}, ["layout 99", f"reads layout {LAYOUT_VERSION}", "run the release that"]),
        ({"catalogue": "beef"}, ["catalogue beef", catalogue_fingerprint(), "rebuild"]),
    ],
)
def test_state_of_another_shape_is_refused_with_the_remedy(
    differs: dict[str, object], words: list[str]
) -> None:
    found = msgspec.structs.replace(OURS, **differs)
    with pytest.raises(ProtectsData) as refused:
        check_topology(found, OURS, "mine")
    sentence = str(refused.value)
    for part in [*words, "namespace 'mine'", "SHOAL_NAMESPACE"]:
        assert part in sentence
