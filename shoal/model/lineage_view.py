"""Lineage for people: what became of each segment."""

from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape

from segments.lineage import Lineage


def show_lineage(console: Console, lineage: Sequence[Lineage]) -> None:
    """Print a line per segment."""
    for one in lineage:
        console.print(f"  {escape(sentence(one))}", soft_wrap=True)


def sentence(one: Lineage) -> str:
    """Say what became of a segment."""
    said = f"{one.kind.replace('_', ' ')}: {one.id} · {one.name}"
    if one.kind == "merged_into" and one.into_ids:
        return f"{said} — {one.share:.0%} of its people are in {_ids(one.into_ids)} now"
    if one.kind == "retired" and one.into_ids:
        return f"{said} — most of its people are in {_ids(one.into_ids)} now"
    if one.kind == "split_from" and one.from_ids:
        return f"{said} — {one.share:.0%} of its people were in {_ids(one.from_ids)}"
    if one.kind == "new" and one.from_ids:
        return f"{said} — its people were in {_ids(one.from_ids)}"
    if one.kind == "kept" and one.share < 1.0:
        return f"{said} — {one.share:.0%} of its people stay"
    return said


def _ids(ids: Sequence[int]) -> str:
    return ", ".join(map(str, ids))
