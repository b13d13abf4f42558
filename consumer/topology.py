"""What all workers of a namespace must agree on, kept in Redis and checked at every start."""

import msgspec

from consumer.errors import ProtectsData
from features.catalogue import catalogue_fingerprint
from features.codec import LAYOUT_VERSION

PARTITIONER = "murmur2"


class Topology(msgspec.Struct, frozen=True, kw_only=True):
    """The shape of the stored state."""

    partitions: int
    partitioner: str
    layout: int
    catalogue: str


def current_topology(partitions: int) -> Topology:
    """The shape that this release of Shoal reads and writes."""
    return Topology(
        partitions=partitions,
        partitioner=PARTITIONER,
        layout=LAYOUT_VERSION,
        catalogue=catalogue_fingerprint(),
    )


def encode_topology(topology: Topology) -> bytes:
    """Give the stored form."""
    return msgspec.json.encode(topology)


def decode_topology(value: bytes) -> Topology:
    """Read the stored form."""
    return msgspec.json.decode(value, type=Topology)


def check_topology(found: Topology, ours: Topology, namespace: str) -> None:
    """Refuse to touch state of another shape.

    Raises:
        ProtectsData: the stored state was written with other partitions, layout or features.
    """
    if found.partitions != ours.partitions:
        msg = (
            f"the state in namespace '{namespace}' belongs to {found.partitions} partitions, the "
            f"events topic has {ours.partitions}: users would be looked for in the wrong place. "
            f"Use a topic with {found.partitions} partitions, or another SHOAL_NAMESPACE to rebuild"
        )
        raise ProtectsData(msg)
    if found.partitioner != ours.partitioner:
        msg = (
            f"the state in namespace '{namespace}' was keyed with the partitioner "
            f"'{found.partitioner}', this release uses '{ours.partitioner}': rebuild in another "
            "SHOAL_NAMESPACE"
        )
        raise ProtectsData(msg)
    if found.layout != ours.layout:
        msg = (
            f"the user states in namespace '{namespace}' have layout {found.layout}, this release "
            f"reads layout {ours.layout}: run the release that wrote them, or rebuild in another "
            "SHOAL_NAMESPACE"
        )
        raise ProtectsData(msg)
    if found.catalogue != ours.catalogue:
        msg = (
            f"the features in namespace '{namespace}' follow catalogue {found.catalogue}, this "
            f"release has {ours.catalogue}: rebuild in another SHOAL_NAMESPACE"
        )
        raise ProtectsData(msg)
