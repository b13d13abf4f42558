"""The demo on a terminal; the same facts as plain lines where nobody watches."""

from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from segments.changes import SegmentChange
from shoal.demo_state import Scene
from shoal.telling import telling_features

_SHORT_NAME = 34


def screen(scene: Scene) -> RenderableType:
    """Draw a scene."""
    return Group(_headline(scene), _segments(scene), _changes(scene))


def lines(scene: Scene) -> Iterator[str]:
    """Tell a scene in plain lines."""
    yield headline(scene)
    if scene.segments is not None and scene.segments.segments:
        telling = telling_features(scene.segments.segments)
        for segment in scene.segments.segments:
            named = f"{segment.id} · {segment.name}"
            yield f"  segment {named}: {segment.size:,} users ({telling[segment.id]})"
    if scene.newest:
        yield f"  newest change: {describe(scene.newest[0])}"


def headline(scene: Scene) -> str:
    """Tell the figures in one line."""
    view = scene.segments
    users = f"{view.users:,} users" if view else "starting"
    model = f"model {view.model_version}" if view and view.model_version else "no model yet"
    return (
        f"[{scene.elapsed_s:4.0f} s] {scene.processed:,} events ({scene.per_second:,.0f}/s), "
        f"lag {scene.lag:,}, {users}, {model}, {scene.changes:,} changes published, "
        f"stream time {scene.stream_time[:16] or '–'}"
    )


def summary(scene: Scene) -> Iterator[str]:
    """Tell how it ended."""
    users = scene.segments.users if scene.segments else 0
    yield f"{scene.processed:,} events of {users:,} users processed, {scene.lag:,} left"
    causes = ", ".join(f"{count:,} {cause}" for cause, count in sorted(scene.causes.items()))
    yield f"{scene.changes:,} segment changes published" + (f" ({causes})" if causes else "")
    if scene.segments is None or not scene.segments.segments:
        yield "no segments yet: a first model needs some hundred users with five events each"
        return
    telling = telling_features(scene.segments.segments)
    yield f"{len(scene.segments.segments)} segments, model {scene.segments.model_version}:"
    for segment in scene.segments.segments:
        named = f"{segment.name}  ({telling[segment.id]})"
        yield f"  {segment.id:>3}  {segment.size:>7,} users  {named}"
    yield f"     {scene.segments.unassigned:>8,} users without a segment (too few events yet)"


def describe(change: SegmentChange) -> str:
    """Tell a change with cause and reasons."""
    previous = change.previous.name if change.previous else "–"
    current = change.current.name if change.current else "–"
    return f"{change.user_id}: {previous} → {current} ({change.cause}: {reasons(change)})"


def reasons(change: SegmentChange) -> str:
    """Tell why: the features that did most, with the user's values."""
    told = (
        f"{reason.feature} {'unknown' if reason.value is None else format(reason.value, '.2g')}"
        for reason in change.reasons
    )
    return ", ".join(told) or "no features involved"


def _headline(scene: Scene) -> Panel:
    view = scene.segments
    table = Table.grid(expand=True)
    cells = (
        ("events/s", f"{scene.per_second:,.0f}"),
        ("events", f"{scene.processed:,}"),
        ("lag", f"{scene.lag:,}"),
        ("users", f"{view.users:,}" if view else "–"),
        ("changes", f"{scene.changes:,}"),
        ("model", (view.model_version if view else None) or "–"),
        ("stream time", scene.stream_time[:16].replace("T", " ") or "–"),
    )
    for _ in cells:
        table.add_column(justify="center")
    table.add_row(*(Text(value, style="bold cyan") for _, value in cells))
    table.add_row(*(Text(name, style="dim") for name, _ in cells))
    return Panel(table, title="Shoal", subtitle=f"{scene.elapsed_s:.0f} s · Ctrl-C ends it")


def _segments(scene: Scene) -> RenderableType:
    view = scene.segments
    if view is None or not view.segments:
        return Panel(Text("collecting samples for a first model …", style="dim"), title="segments")
    table = Table(expand=True, box=None, pad_edge=False)
    table.add_column("id", justify="right", style="dim")
    table.add_column("segment", style="bold", ratio=3)
    table.add_column("users", justify="right")
    table.add_column("", ratio=2, no_wrap=True)
    table.add_column("most telling", ratio=5, no_wrap=True)
    telling = telling_features(view.segments)
    largest = max(segment.size for segment in view.segments) or 1
    for segment in view.segments:
        bar = "█" * round(20 * segment.size / largest)
        row = (segment.name, f"{segment.size:,}", Text(bar, style="blue"), telling[segment.id])
        table.add_row(str(segment.id), *row)
    return Panel(table, title="segments", subtitle=f"{view.unassigned:,} users without one")


def _changes(scene: Scene) -> RenderableType:
    table = Table(expand=True, box=None, pad_edge=False, show_header=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(ratio=4, no_wrap=True)
    table.add_column(style="yellow", no_wrap=True)
    table.add_column(ratio=4, style="dim", no_wrap=True)
    for change in scene.newest:
        previous = _short(change.previous.name) if change.previous else "–"
        current = _short(change.current.name) if change.current else "–"
        table.add_row(change.user_id, f"{previous} → {current}", change.cause, reasons(change))
    return Panel(table, title="newest changes")


def _short(name: str) -> str:
    return name if len(name) <= _SHORT_NAME else name[: _SHORT_NAME - 1] + "…"
