"""`shoal segments`: everybody, and the names that operators give."""

from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from consumer.clock import wall_clock_ms
from consumer.lookup import SegmentsView
from consumer.order_desk import new_order_id
from segments.errors import OrderRefused
from segments.orders import Order
from segments.rename import rename as renamed
from shoal.errors import WrongUse
from shoal.lookup import open_lookup
from shoal.model import ordering
from shoal.model.releases import read
from shoal.settings import load_settings
from shoal.telling import telling_features

app = typer.Typer(help="All segments: names, sizes, most telling features.")

_Json = Annotated[bool, typer.Option("--json", help="JSON on stdout.")]


@app.callback(invoke_without_command=True)
def segments(context: typer.Context, as_json: _Json = False) -> None:
    """List all segments with their sizes and most telling features."""
    if context.invoked_subcommand is not None:
        return
    view = open_lookup(load_settings()).segments()
    if as_json:
        typer.echo(msgspec.json.encode(view).decode())
    else:
        _show_segments(view)


@app.command()
def rename(
    segment_id: Annotated[int, typer.Argument(metavar="ID", help="The segment's id.")],
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="What to call it from now on.")
    ] = None,
    automatic: Annotated[
        bool, typer.Option("--automatic", help="Give it the name made from its features back.")
    ] = False,
    wait_s: Annotated[
        float, typer.Option("--wait", min=1, help="Seconds to wait for the trainer's answer.")
    ] = ordering.WAIT_S,
    as_json: _Json = False,
) -> None:
    """Name a segment; the name outlives every later version, and nobody is moved."""
    if (name is None) != automatic:
        msg = "give a NAME, or --automatic for the name made from the segment's features"
        raise WrongUse(msg)
    settings = load_settings()
    newest = read(settings).newest
    try:
        renamed(newest, segment_id, name)  # what cannot be done is said at once
    except OrderRefused as error:
        raise WrongUse(str(error)) from None
    order = Order(
        id=new_order_id(),
        kind="rename",
        issued_ms=wall_clock_ms(),
        segment_id=segment_id,
        name=name,
    )
    done = ordering.done(order, ordering.carry_out(settings, order, wait_s))
    if as_json:
        typer.echo(msgspec.json.encode(done).decode())
    else:
        ordering.show_done(done)


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
