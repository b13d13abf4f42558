"""`shoal model diff A B`: what changed between two releases, and for whom."""

from collections.abc import Sequence

import msgspec
import numpy as np
from rich.console import Console
from rich.table import Table

from consumer.moves import Moves
from segments.lineage import Lineage
from segments.model import CompiledModel, SegmentModel
from segments.transforms import Floats
from shoal.model.lineage_view import show_lineage
from shoal.model.moves_view import show_moves

SAME = 1e-12  # below this two centroids are the same one


class Displacement(msgspec.Struct, frozen=True, kw_only=True):
    """How far the centroid of a segment that both releases have lies apart in them.

    Attributes:
        id: The segment.
        name: In the later release.
        distance: Euclidean, in standard deviations of the later release, over common features.
        features: Each common feature's part of it, signed.
    """

    id: int
    name: str
    distance: float
    features: dict[str, float]


class Scale(msgspec.Struct, frozen=True, kw_only=True):
    """The frozen scale of a feature, of its transformed values; null where it is not used."""

    feature: str
    mean: tuple[float | None, float | None]
    deviation: tuple[float | None, float | None]


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """The JSON of `shoal model diff --json`; pairs are (earlier, later).

    Attributes:
        before: The first version named.
        after: The second one.
        only_before: Segments that only the first has: id → name.
        only_after: Segments that only the second has.
        renamed: Segments called otherwise: id → (before, after).
        lineage: What became of each segment, if the second version made new ones.
        displacements: Of the segments that both have, the farthest first.
        scales: Of the features whose scale differs, or that only one of them uses.
        moves: Who would move from the first to the second; null if Redis was not asked.
    """

    before: str
    after: str
    only_before: dict[int, str]
    only_after: dict[int, str]
    renamed: dict[int, tuple[str, str]]
    lineage: Sequence[Lineage]
    displacements: list[Displacement]
    scales: list[Scale]
    moves: Moves | None


def difference(before: SegmentModel, after: SegmentModel, moves: Moves | None) -> Difference:
    """Compare two releases."""
    common = [segment for segment in after.ids if segment in before.ids]
    names = {segment: (before.name_of(segment), after.name_of(segment)) for segment in common}
    return Difference(
        before=before.version,
        after=after.version,
        only_before={s: before.name_of(s) for s in before.ids if s not in after.ids},
        only_after={s: after.name_of(s) for s in after.ids if s not in before.ids},
        renamed={segment: pair for segment, pair in names.items() if pair[0] != pair[1]},
        lineage=after.lineage,
        displacements=_displacements(CompiledModel(before), CompiledModel(after), common),
        scales=_scales(before, after),
        moves=moves,
    )


def show_difference(found: Difference) -> None:
    """Print for people."""
    console = Console(highlight=False)
    console.print(f"[bold]{found.before} → {found.after}[/]")
    for segments, what in ((found.only_before, "gone"), (found.only_after, "new")):
        for segment, name in segments.items():
            console.print(f"  {what}: {segment} · {name}", soft_wrap=True)
    for segment, (was, now) in found.renamed.items():
        console.print(f"  renamed: {segment} · {was} → {now}", soft_wrap=True)
    show_lineage(console, found.lineage)
    if any(one.distance > SAME for one in found.displacements):
        table = Table("id", "name", "moved by", "mostly in")
        for one in found.displacements:
            table.add_row(str(one.id), one.name, f"{one.distance:.2f} σ", _mostly(one.features))
        console.print(table)
    else:
        console.print("  the centroids of the segments that both have are where they were")
    if found.scales:
        table = Table("feature", "mean", "deviation", title="scaling", title_justify="left")
        for scale in found.scales:
            table.add_row(scale.feature, _pair(scale.mean), _pair(scale.deviation))
        console.print(table)
    if found.moves is not None:
        show_moves(console, found.moves)


def _displacements(
    before: CompiledModel, after: CompiledModel, common: list[int]
) -> list[Displacement]:
    if not common:
        return []
    features = [name for name in after.model.features if name in before.model.features]
    ids = np.array(common, np.int32)
    was = _in_scale_of(after, before, before.centroids[before.rows_of(ids)], features)
    is_at = _in_scale_of(after, after, after.centroids[after.rows_of(ids)], features)
    moved = is_at - was
    found = [
        Displacement(
            id=segment,
            name=after.model.name_of(segment),
            distance=float(np.sqrt(np.square(row).sum())),
            features=dict(zip(features, row.tolist(), strict=True)),
        )
        for segment, row in zip(common, moved, strict=True)
    ]
    return sorted(found, key=lambda one: -one.distance)


def _in_scale_of(
    target: CompiledModel, source: CompiledModel, z: Floats, features: list[str]
) -> Floats:
    """Give centroids of one release in the standard deviations of another."""
    at = [source.model.features.index(name) for name in features]
    to = [target.model.features.index(name) for name in features]
    transformed = z[:, at] * source.scaling.deviation[at] + source.scaling.mean[at]
    return (transformed - target.scaling.mean[to]) / target.scaling.deviation[to]


def _scales(before: SegmentModel, after: SegmentModel) -> list[Scale]:
    found = []
    for feature in dict.fromkeys((*before.features, *after.features)):
        was, now = _scale_of(before, feature), _scale_of(after, feature)
        if was != now:
            mean, deviation = zip(was, now, strict=True)
            found.append(Scale(feature=feature, mean=mean, deviation=deviation))
    return found


def _scale_of(model: SegmentModel, feature: str) -> tuple[float | None, float | None]:
    if feature not in model.features:
        return None, None
    at = model.features.index(feature)
    return model.mean[at], model.deviation[at]


def _mostly(features: dict[str, float]) -> str:
    strongest = sorted(features, key=lambda name: -abs(features[name]))[:3]
    return ", ".join(f"{name} {features[name]:+.2f}" for name in strongest)


def _pair(pair: tuple[float | None, float | None]) -> str:
    return " → ".join("not used" if value is None else f"{value:.3f}" for value in pair)
