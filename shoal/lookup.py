"""`shoal lookup`: what is known about one user."""

from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from consumer.clock import wall_clock_ms
from consumer.lookup import Lookup
from consumer.readback import ReadBack
from consumer.redis_client import open_redis
from consumer.setup import check_topics
from consumer.user_view import UserView
from segments.changes import SegmentChange
from shoal.settings import Settings, load_settings
from shoal.watch import describe
from shoal.wiring import worker_config

_NUDGES_SHOWN = 3

_Json = Annotated[bool, typer.Option("--json", help="JSON on stdout.")]


def open_lookup(settings: Settings) -> Lookup:
    """Give a reader of the state in Redis."""
    client = open_redis(settings.redis_url, timeout_s=settings.redis_timeout_s)
    return Lookup(
        client,
        settings.namespace,
        clock_mode=settings.clock,
        clock=wall_clock_ms,
    )


def lookup(
    users: Annotated[list[str], typer.Argument(metavar="USER…", help="User ids.")],
    with_change: Annotated[
        bool,
        typer.Option("--last-change", help="Look the last change up in the changes topic as well."),
    ] = False,
    as_json: _Json = False,
) -> None:
    """Explain users: features, segment, why they are in it, and what would move them.

    With --json one document per user and line, in the order asked for.
    """
    settings = load_settings()
    for view in open_lookup(settings).users(users):
        change = _last_change(settings, view) if with_change else None
        if as_json:
            shown = view if not with_change else msgspec.to_builtins(view) | {"last_change": change}
            typer.echo(msgspec.json.encode(shown).decode())
        else:
            _show_user(view)
            if with_change:
                typer.echo(f"  {describe(change) if change else 'no change of theirs is kept'}")


def _last_change(settings: Settings, view: UserView) -> SegmentChange | None:
    """Read the changes topic backwards until a change of the user comes.

    Raises:
        ServiceUnavailable, KafkaAway: Kafka cannot be reached.
    """
    config = worker_config(settings)
    check_topics(config)
    read_back = ReadBack(config)
    try:
        return read_back.last_change_of(view.partition, view.user_id)
    finally:
        read_back.close()


def _show_user(view: UserView) -> None:
    console = Console(highlight=False)
    where = f"{view.segment.id} · {view.segment.name}" if view.segment else view.status
    console.print(f"[bold]{escape(view.user_id)}[/]  {escape(where)}", soft_wrap=True)
    if view.status == "unknown":
        console.print("  nobody by this id: never seen, or removed after a long silence")
        return
    _show_place(console, view)
    count = f"{view.user_version} change{'' if view.user_version == 1 else 's'}"
    since = f"there since {view.since}, " if view.since else ""
    place = f"  {since}{count} so far, partition {view.partition}, as of {view.as_of}"
    console.print(place, soft_wrap=True)
    table = Table("", "", box=None, header_style="dim")
    table.add_column("percentile", justify="right")
    for name, value in view.features.items():
        percentile = view.percentiles[name]
        table.add_row(
            f"  {name}",
            "–" if value is None else f"{value:.4g}",
            "" if percentile is None else f"{percentile:.0f}",
        )
    console.print(table)


def _show_place(console: Console, view: UserView) -> None:
    """Say how the user lies between the segments."""
    if view.margin is not None:
        why = ", ".join(f"{reason.feature} {reason.contribution:+.2f}" for reason in view.reasons)
        margin = f"  margin {view.margin:.2f}, model {view.model_version}; {why}"
        console.print(margin, soft_wrap=True)
    elif view.segment is not None:
        console.print(
            f"  model {view.model_version} has retired this segment; the next look moves them"
        )
    if view.nearest:
        near = ", ".join(f"{one.id} · {one.name} at {one.distance:.2f}" for one in view.nearest)
        console.print(escape(f"  nearest: {near}"), soft_wrap=True)
    if view.candidate is not None:
        next_one = view.candidate
        seen = f"{next_one.observations} of {next_one.needed} observations"
        line = f"  about to move to {next_one.id} · {next_one.name} ({seen})"
        console.print(escape(line), soft_wrap=True)
    for one in view.would_move[:_NUDGES_SHOWN]:
        now = "unknown" if one.value is None else f"{one.value:.3g}"
        change = f"{one.feature} {now} → {one.needed:.3g} ({one.size:.1f} σ)"
        line = f"  would move to {one.to.id} · {one.to.name}: {change}"
        console.print(escape(line), soft_wrap=True)
