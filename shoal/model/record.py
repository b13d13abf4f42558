"""`shoal model show`: one release with everything an operator may ask of it."""

from collections.abc import Mapping, Sequence

import msgspec
import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from consumer.errors import NotSetUp, ServiceUnavailable
from segments.changes import rfc3339
from segments.health import LIMITS, Health
from segments.lineage import Lineage
from segments.model import CompiledModel, Proposal, SegmentModel
from segments.structure import STABLE
from shoal.lookup import open_lookup
from shoal.model.lineage_view import show_lineage
from shoal.settings import Settings

_BAR = 40  # characters for an ARI of 1


class ShownSegment(msgspec.Struct, frozen=True, kw_only=True):
    """A segment of the release.

    Attributes:
        id: Never reused.
        name: What it is called.
        size: Users in it now; null if Redis could not be asked.
        samples: Samples behind its centroid.
        centroid: In the features' own units.
    """

    id: int
    name: str
    size: int | None
    samples: int
    centroid: dict[str, float]


class ShownFeature(msgspec.Struct, frozen=True, kw_only=True):
    """How a feature is scaled: mean and deviation are of the transformed values."""

    name: str
    transform: str
    mean: float
    deviation: float
    prior_weight: float


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """The JSON of `shoal model show --json`.

    Attributes:
        version: "major.minor".
        in_force: Whether it is the newest release.
        released_at: Stream time of the newest sample behind it.
        release: Why it was made.
        order_id: The order it obeys, if it does.
        restored: The version that it is a rollback to.
        users: Distinct users whose vectors founded the major version.
        samples: Samples learnt since.
        gated: Samples refused as outliers since.
        thinned: Samples passed over, so that every user counts about equally, since.
        flip_share: Share of the recent users that it moved.
        held: Versions that the flip budget held back before it.
        segments: In the order of the record.
        features: Likewise.
        left_out: Features that it does not use, and why.
        structure: How clearly people fall into so many segments.
        structure_curve: (k, split-half ARI), as far as computed.
        lineage: What became of each segment.
        health: How it fits the users seen lately; null if it is not in force, or was not asked for.
        proposal: What the learner would have an operator do.
    """

    version: str
    in_force: bool
    released_at: str
    release: str
    order_id: str | None
    restored: str | None
    users: int
    samples: int
    gated: int
    thinned: int
    flip_share: float
    held: int
    segments: list[ShownSegment]
    features: list[ShownFeature]
    left_out: dict[str, str]
    structure: str
    structure_curve: Sequence[tuple[int, float]]
    lineage: Sequence[Lineage]
    health: Health | None
    proposal: Proposal | None


def sizes(settings: Settings) -> dict[int, int] | None:
    """Count the users per segment; None, and a line on stderr, when Redis does not tell."""
    try:
        return {segment.id: segment.size for segment in open_lookup(settings).segments().segments}
    except (ServiceUnavailable, NotSetUp) as error:
        typer.echo(f"sizes are not known: {error}", err=True)
        return None


def record(
    model: SegmentModel,
    newest: SegmentModel,
    users: Mapping[int, int] | None,
    health: Health | None,
) -> Record:
    """Put together what is known of a release.

    Args:
        model: the release.
        newest: the one in force.
        users: users per segment now, of whatever release; None: not known.
        health: of the release in force, if it was measured.
    """
    compiled = CompiledModel(model)
    centroids = compiled.scaling.values_at(compiled.centroids).tolist()
    return Record(
        version=model.version,
        in_force=model.version == newest.version,
        released_at=rfc3339(model.released_ms),
        release=model.release,
        order_id=model.order_id,
        restored=model.restored,
        users=model.bootstrap_users,
        samples=model.samples,
        gated=model.gated,
        thinned=model.thinned,
        flip_share=model.flip_share,
        held=model.held,
        segments=[
            ShownSegment(
                id=segment,
                name=model.name_of(segment),
                size=None if users is None else users.get(segment, 0),
                samples=samples,
                centroid=dict(zip(model.features, centroid, strict=True)),
            )
            for segment, samples, centroid in zip(model.ids, model.counts, centroids, strict=True)
        ],
        features=[
            ShownFeature(
                name=name, transform=transform, mean=mean, deviation=spread, prior_weight=weight
            )
            for name, transform, mean, spread, weight in zip(
                model.features, model.transforms, model.mean, model.deviation,
                model.prior_weights, strict=True,
            )
        ],
        left_out=model.left_out,
        structure=model.structure,
        structure_curve=model.structure_curve,
        lineage=model.lineage,
        health=health,
        proposal=(health and health.proposal) or model.proposal,
    )  # fmt: skip


def show_record(found: Record) -> None:
    """Print a release for people."""
    console = Console(highlight=False)
    force = "in force" if found.in_force else "not in force any more"
    kind = f"{found.release} to {found.restored}" if found.restored else found.release
    console.print(f"[bold]{found.version}[/]  {kind}, {found.released_at}, {force}")
    table = Table("id", "name", "users", "samples")
    for segment in found.segments:
        size = "?" if segment.size is None else f"{segment.size:,}"
        table.add_row(str(segment.id), segment.name, size, f"{segment.samples:,}")
    console.print(table)
    _show_centroids(console, found)
    for name, why in found.left_out.items():
        console.print(f"  left out: {name}: {escape(why)}", soft_wrap=True)
    _show_structure(console, found)
    show_lineage(console, found.lineage)
    _show_health(console, found)


def _show_centroids(console: Console, found: Record) -> None:
    """Features down, segments across: the columns stay narrow."""
    table = Table("centroid of", *(str(segment.id) for segment in found.segments), "mean", "σ", "w")
    for feature in found.features:
        values = (f"{segment.centroid[feature.name]:.3g}" for segment in found.segments)
        scale = (f"{feature.mean:.2f}", f"{feature.deviation:.2f}", f"{feature.prior_weight:g}")
        table.add_row(f"{feature.name} ({feature.transform})", *values, *scale)
    console.print(table)


def _show_structure(console: Console, found: Record) -> None:
    """The curve as bars: how well two halves of the people agree on k segments."""
    console.print(escape(found.structure), soft_wrap=True)
    for k, ari in found.structure_curve:
        bar = "█" * round(max(0.0, ari) * _BAR)
        mark = "  stable" if ari >= STABLE else ""
        chosen = " ←" if k == len(found.segments) else ""
        console.print(f"  {k:2d} {bar:{_BAR}} {ari:.2f}{mark}{chosen}", soft_wrap=True)


def _show_health(console: Console, found: Record) -> None:
    seen = found.samples + found.gated
    gated = found.gated / seen if seen else 0.0
    console.print(
        f"{found.samples:,} samples learnt since {found.users:,} users founded it, "
        f"{gated:.1%} gated as outliers; this release moved {found.flip_share:.2%} of the "
        f"recent users by moving centroids, {found.held} versions were held back before it",
        soft_wrap=True,
    )
    if found.health is not None:
        _show_fit(console, found, found.health)
    if found.proposal is not None:
        console.print(f"[bold]proposal[/]: {escape(found.proposal.sentence)}", soft_wrap=True)


def _show_fit(console: Console, found: Record, health: Health) -> None:
    """How the release fits the users seen lately, segment by segment; what is beyond a limit."""
    table = Table(
        "id", "moved since the founding", "share, ÷ then", "apart from its neighbour",
        title=f"health, over {health.users:,} recent users", title_justify="left",
    )  # fmt: skip
    for segment, moved, share, apart in zip(
        found.segments, health.displacement, health.starving, health.separation, strict=True
    ):
        table.add_row(
            str(segment.id),
            _marked(moved, moved > LIMITS["displacement"]),
            _marked(share, share < LIMITS["starving"]),
            _marked(apart, apart < LIMITS["separation"]),
        )
    console.print(table)
    drift = "; the distances are changing (ADWIN)" if health.changing else ""
    console.print(
        f"mean squared distance ÷ that at the founding: "
        f"{_marked(health.spread, health.spread > LIMITS['spread'])}{drift}; "
        f"beyond the outlier gate: {_marked(health.gated, health.gated > LIMITS['gated'])}",
        soft_wrap=True,
    )
    for finding in health.findings:
        console.print(f"  {finding.kind}: {escape(finding.sentence)}", soft_wrap=True)


def _marked(value: float, beyond: bool) -> str:
    return f"[bold red]{value:.2f} ![/]" if beyond else f"{value:.2f}"
