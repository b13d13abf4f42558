"""A name that an operator gives to a segment."""

import msgspec

from segments.errors import OrderRefused
from segments.lineage import Lineage
from segments.model import SegmentModel

NAME_MAX = 64


def rename(model: SegmentModel, segment_id: int, name: str | None) -> SegmentModel:
    """Give one segment a name, or the automatic one back.

    Args:
        model: The newest release.
        segment_id: Which.
        name: The name; None for the automatic one.

    Returns:
        The next minor version, its place in the sample log not filled in.

    Raises:
        OrderRefused: There is no such segment, or the name will not do.
    """
    if segment_id not in model.ids:
        raise OrderRefused(
            f"Version {model.version} has no segment {segment_id}; it has "
            f"{', '.join(map(str, model.ids))}."
        )
    renamed = {i: text for i, text in model.renamed.items() if i != segment_id}
    if name is not None:
        renamed[segment_id] = _checked(model, segment_id, name)
    version = msgspec.structs.replace(model, minor=model.minor + 1, renamed=renamed)
    line = Lineage(
        id=segment_id,
        name=version.name_of(segment_id),
        kind="renamed",
        from_ids=(segment_id,),
        into_ids=(segment_id,),
    )
    return msgspec.structs.replace(version, lineage=(line,), restored=None, release="rename")


def _checked(model: SegmentModel, segment_id: int, name: str) -> str:
    text = name.strip()
    if not text or len(text) > NAME_MAX or not text.isprintable():
        raise OrderRefused(
            f"The name {name!r} will not do: give 1 to {NAME_MAX} printable characters."
        )
    for other in model.ids:
        if other != segment_id and model.name_of(other) == text:
            raise OrderRefused(f"Segment {other} is called {text!r} already: choose another name.")
    return text
