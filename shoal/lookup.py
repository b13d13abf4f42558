"""`shoal lookup` and `shoal segments`: what is known about one user, and about everybody."""

from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from consumer.clock import wall_clock_ms
from consumer.lookup import Lookup, SegmentsView
from consumer.redis_client import open_redis
from consumer.user_view import UserView
from shoal.settings import Settings, load_settings
from shoal.telling import telling_features

segments_app = typer.Typer(help="All segments: names, sizes, most telling features.")

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
    as_json: _Json = False,
) -> None:
    """Explain users: features, segment, and why they are in it.

    With --json one document per user and line, in the order asked for.
    """
    for view in open_lookup(load_settings()).users(users):
        if as_json:
            typer.echo(msgspec.json.encode(view).decode())
        else:
            _show_user(view)


@segments_app.callback(invoke_without_command=True)
def segments(context: typer.Context, as_json: _Json = False) -> None:
    """List all segments with their sizes and most telling features."""
    if context.invoked_subcommand is not None:
        return
    view = open_lookup(load_settings()).segments()
    if as_json:
        typer.echo(msgspec.json.encode(view).decode())
    else:
        _show_segments(view)


def _show_user(view: UserView) -> None:
    console = Console(highlight=False)
    where = f"{view.segment.id} · {view.segment.name}" if view.segment else view.status
    console.print(f"[bold]{escape(view.user_id)}[/]  {escape(where)}", soft_wrap=True)
    if view.status == "unknown":
        console.print("  nobody by this id: never seen, or removed after a long silence")
        return
    if view.margin is not None:
        why = ", ".join(f"{reason.feature} {reason.contribution:+.2f}" for reason in view.reasons)
        margin = f"  margin {view.margin:.2f}, model {view.model_version}; {why}"
        console.print(margin, soft_wrap=True)
    count = f"{view.user_version} change{'' if view.user_version == 1 else 's'}"
    place = f"  partition {view.partition}, {count} so far, as of {view.as_of}"
    console.print(place, soft_wrap=True)
    table = Table(show_header=False, box=None)
    for name, value in view.features.items():
        table.add_row(f"  {name}", "–" if value is None else f"{value:.4g}")
    console.print(table)


def _show_segments(view: SegmentsView) -> None:
    console = Console(highlight=False)
    table = Table("id", "name", "users", "most telling")
    telling = telling_features(view.segments)
    for segment in view.segments:
        table.add_row(str(segment.id), segment.name, f"{segment.size:,}", telling[segment.id])
    if view.segments:
        console.print(table)
    model = f"model {view.model_version}" if view.model_version else "no model yet"
    console.print(f"{view.users:,} users, {view.unassigned:,} without a segment; {model}")
