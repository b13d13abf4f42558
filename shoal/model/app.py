"""The commands of `shoal model`."""

from typing import Annotated, Literal

import msgspec
import typer

from consumer.clock import wall_clock_ms
from consumer.order_desk import new_order_id
from consumer.rehearsal import remember
from segments.orders import Order
from shoal.errors import WrongUse
from shoal.lookup import open_lookup
from shoal.model import ordering
from shoal.model.difference import difference, show_difference
from shoal.model.listing import listing, show_listing
from shoal.model.moves_view import count_moves
from shoal.model.preview import agree, preview, show_preview
from shoal.model.record import record, show_record, sizes
from shoal.model.releases import read
from shoal.settings import Settings, load_settings, segments_wanted
from shoal.wiring import worker_config

app = typer.Typer(
    help="Releases of the model: look at them, compare them, refit, roll back.",
    no_args_is_help=True,
)

_Json = Annotated[bool, typer.Option("--json", help="JSON on stdout.")]
_DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Only show who would move; nothing is touched.")
]
_Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask: for scripts.")]
_Wait = Annotated[
    float, typer.Option("--wait", min=1, help="Seconds to wait for the trainer's answer.")
]


@app.command("list")
def list_releases(
    last: Annotated[
        int,
        typer.Option(
            min=0,
            help="So many of the newest releases, and all before them that "
            "are more than a refinement.",
        ),
    ] = 10,
    everything: Annotated[bool, typer.Option("--all", help="All releases.")] = False,
    as_json: _Json = False,
) -> None:
    """List releases, the newest last."""
    found = listing(read(load_settings()), None if everything else last)
    _print(found) if as_json else show_listing(found)


@app.command()
def show(
    version: Annotated[
        str | None, typer.Argument(metavar="[VERSION]", help="By default the one in force.")
    ] = None,
    with_health: Annotated[
        bool,
        typer.Option(
            "--health/--no-health",
            help="Measure the release in force on the samples; takes seconds where there are many.",
        ),
    ] = True,
    as_json: _Json = False,
) -> None:
    """Show one release: segments, scaling, structure, health."""
    settings = load_settings()
    releases = read(settings)
    model = releases.newest if version is None else releases.find(version)
    in_force = model.version == releases.newest.version
    health = remember(worker_config(settings))[0].health if with_health and in_force else None
    found = record(model, releases.newest, sizes(settings), health)
    _print(found) if as_json else show_record(found)


@app.command()
def diff(
    before: Annotated[str, typer.Argument(metavar="A", help="A version.")],
    after: Annotated[str, typer.Argument(metavar="B", help="Another version.")],
    as_json: _Json = False,
) -> None:
    """Compare two releases: lineage, centroids, scaling, and who would move from A to B."""
    settings = load_settings()
    releases = read(settings)
    one, other = releases.find(before), releases.find(after)
    in_force = one.version == releases.newest.version
    moves = count_moves(settings, open_lookup(settings), one, other, as_stored=in_force)
    found = difference(one, other, moves)
    _print(found) if as_json else show_difference(found)


@app.command()
def refit(
    segments: Annotated[
        str | None,
        typer.Option(
            help="How many, 2 to 50, or auto: the largest stable number. By default as "
            "many as there are."
        ),
    ] = None,
    dry_run: _DryRun = False,
    yes: _Yes = False,
    wait_s: _Wait = ordering.WAIT_S,
    as_json: _Json = False,
) -> None:
    """Make a new major version from the users seen lately; what stays the same keeps its id."""
    settings = load_settings()
    order = Order(
        id=new_order_id(), kind="refit", issued_ms=wall_clock_ms(), segments=_wanted(segments)
    )
    _preview_or_carry_out(settings, order, dry_run=dry_run, yes=yes, wait_s=wait_s, as_json=as_json)


@app.command()
def rollback(
    version: Annotated[str, typer.Argument(metavar="VERSION", help="The version to return to.")],
    dry_run: _DryRun = False,
    yes: _Yes = False,
    wait_s: _Wait = ordering.WAIT_S,
    as_json: _Json = False,
) -> None:
    """Release an earlier version again, under a new number: versions never go back."""
    settings = load_settings()
    releases = read(settings)
    target = releases.find(version)
    if target.version == releases.newest.version:
        msg = f"{version} is the release in force already: there is nothing to go back to"
        raise WrongUse(msg)
    order = Order(id=new_order_id(), kind="rollback", issued_ms=wall_clock_ms(), model=target)
    _preview_or_carry_out(settings, order, dry_run=dry_run, yes=yes, wait_s=wait_s, as_json=as_json)


def _preview_or_carry_out(
    settings: Settings, order: Order, *, dry_run: bool, yes: bool, wait_s: float, as_json: bool
) -> None:
    if dry_run:
        found = preview(settings, order)
        _print(found) if as_json else show_preview(found)
        return
    agree(settings, order, yes=yes)
    outcome = ordering.done(order, ordering.carry_out(settings, order, wait_s))
    _print(outcome) if as_json else ordering.show_done(outcome)


def _wanted(segments: str | None) -> int | Literal["auto"] | None:
    """Read `--segments`.

    Raises:
        WrongUse: it is neither a number that makes sense nor auto.
    """
    if segments is None:
        return None
    try:
        return segments_wanted(segments)
    except ValueError as error:
        raise WrongUse(f"--segments is '{segments}', but {error}") from None


def _print(found: msgspec.Struct) -> None:
    typer.echo(msgspec.json.encode(found).decode())
