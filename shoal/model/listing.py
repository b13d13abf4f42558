"""`shoal model list`: one line per release."""

from collections import Counter
from collections.abc import Sequence

import msgspec
from rich.console import Console
from rich.table import Table

from segments.changes import rfc3339
from segments.lineage import Lineage
from segments.model import SegmentModel
from shoal.model.releases import Releases


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """One release in the list.

    Attributes:
        version: "major.minor".
        released_at: Stream time of the newest sample behind it.
        release: Why it was made.
        order_id: The order it obeys, if it does.
        restored: The version that it is a rollback to.
        segments: How many.
        samples: Samples learnt since the major version began.
        flip_share: Share of the recent users that it moved.
        held: Versions that the flip budget held back before it.
        lineage: What became of each segment, where identities changed.
    """

    version: str
    released_at: str
    release: str
    order_id: str | None
    restored: str | None
    segments: int
    samples: int
    flip_share: float
    held: int
    lineage: Sequence[Lineage]


class Listing(msgspec.Struct, frozen=True, kw_only=True):
    """The JSON of `shoal model list --json`, the newest release last."""

    newest: str
    total: int
    releases: list[Listed]


def listing(releases: Releases, last: int | None) -> Listing:
    """List releases.

    Args:
        releases: all.
        last: all that are more than a refinement, and so many of the newest; None: all.
    """
    models = releases.models
    first_shown = 0 if last is None else max(0, len(models) - last)
    chosen = [
        model
        for at, model in enumerate(models)
        if at >= first_shown or model.release != "samples" or model.minor == 0
    ]
    return Listing(
        newest=releases.newest.version, total=len(models), releases=[_listed(m) for m in chosen]
    )


def show_listing(found: Listing) -> None:
    """Print a list for people."""
    console = Console(highlight=False)
    table = Table("version", "released", "kind", "segments", "samples", "flips", "held", "lineage")
    for one in found.releases:
        table.add_row(
            one.version,
            one.released_at,
            f"{one.release} to {one.restored}" if one.restored else one.release,
            str(one.segments),
            f"{one.samples:,}",
            f"{one.flip_share:.2%}" if one.release == "samples" else "",
            str(one.held or ""),
            summary(one.lineage),
        )
    console.print(table)
    hidden = found.total - len(found.releases)
    more = f"; {hidden:,} refinements not shown (--all)" if hidden else ""
    count = "1 release" if found.total == 1 else f"{found.total:,} releases"
    console.print(f"{count}, {found.newest} is in force{more}")


def summary(lineage: Sequence[Lineage]) -> str:
    """Say in a few words what became of the segments: "4 kept, 1 new, 1 retired"."""
    counts = Counter(one.kind.replace("_", " ") for one in lineage)
    return ", ".join(f"{count} {kind}" for kind, count in counts.items())


def _listed(model: SegmentModel) -> Listed:
    return Listed(
        version=model.version,
        released_at=rfc3339(model.released_ms),
        release=model.release,
        order_id=model.order_id,
        restored=model.restored,
        segments=len(model.ids),
        samples=model.samples,
        flip_share=model.flip_share,
        held=model.held,
        lineage=model.lineage,
    )
