"""An earlier version, released again: versions never go backwards."""

import msgspec

from segments.errors import OrderRefused
from segments.lineage import Lineage
from segments.model import SegmentModel


def roll_back(model: SegmentModel, target: SegmentModel) -> SegmentModel:
    """Make the next release out of an earlier one.

    Args:
        model: The newest release.
        target: The version to return to.

    Returns:
        Within a major version the next minor one, else the next major one: the target's space,
        centroids, ids and automatic names; names that operators gave are today's. Its place in
        the sample log is not filled in.

    Raises:
        OrderRefused: The target follows another feature catalogue, or is the newest release.
    """
    if target.catalogue != model.catalogue:
        raise OrderRefused(
            f"Version {target.version} was learnt with another feature catalogue, so nobody "
            "could be assigned with it. Refit instead: `shoal model refit`."
        )
    if target.order >= model.order:
        raise OrderRefused(
            f"Version {target.version} is not older than the newest one, {model.version}. "
            "Choose one that `shoal model list` shows before it."
        )
    same_major = target.major == model.major
    return msgspec.structs.replace(
        target,
        major=model.major if same_major else model.major + 1,
        minor=model.minor + 1 if same_major else 0,
        renamed=model.renamed,
        next_id=max(model.next_id, target.next_id),
        samples=model.samples if same_major else 0,
        gated=model.gated if same_major else 0,
        thinned=model.thinned if same_major else 0,
        id_map={} if same_major else {i: i for i in model.ids if i in target.ids},
        lineage=() if same_major else _lineage(model, target),
        release="rollback",
        restored=target.version,
        proposal=None,
        lingering=(),
        bias=(),
    )


def _lineage(model: SegmentModel, target: SegmentModel) -> tuple[Lineage, ...]:
    """Kept and restored segments, then those of the newest release that are gone."""
    names = msgspec.structs.replace(target, renamed=model.renamed)
    back = tuple(
        Lineage(id=i, name=names.name_of(i), kind="kept", from_ids=(i,), into_ids=(i,))
        if i in model.ids
        else Lineage(id=i, name=names.name_of(i), kind="restored")
        for i in target.ids
    )
    gone = tuple(
        Lineage(id=i, name=model.name_of(i), kind="retired")
        for i in model.ids
        if i not in target.ids
    )
    return back + gone
