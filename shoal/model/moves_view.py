"""Who would move, for people: shares, a matrix from where to where, and some users with reasons."""

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from consumer.live_users import walk
from consumer.lookup import Lookup
from consumer.moves import MoveCount, Moves
from consumer.population import Rules
from consumer.redis_client import open_redis
from features.tiles import DAY_MS
from segments.changes import SegmentRef
from segments.model import CompiledModel, SegmentModel
from shoal.settings import Settings

LARGE_SHARE = 0.2  # of all users: more than this moving at once deserves a second look
ROUTES_SHOWN = 20


def count_moves(
    settings: Settings,
    lookup: Lookup,
    before: SegmentModel,
    after: SegmentModel,
    *,
    as_stored: bool,
) -> Moves:
    """Count over everybody in Redis, read in batches, nothing written.

    Args:
        settings: the deployment.
        lookup: its state.
        before: the release to start from.
        after: the release that would take over.
        as_stored: `before` is in force, so users are where their states say.

    Raises:
        ServiceUnavailable: Redis cannot be reached.
        NotSetUp: no worker has ever written to this namespace.
    """
    client = open_redis(settings.redis_url, timeout_s=settings.redis_timeout_s)
    rules = Rules(
        min_events=settings.min_events,
        sample_interval_ms=settings.sample_interval_s * 1000,
        removal_ms=settings.removal_days * DAY_MS,
    )
    count = MoveCount(CompiledModel(before), CompiledModel(after), rules, as_stored=as_stored)
    for partition, meta in lookup.metas().items():
        for users in walk(client, settings.namespace, partition):
            count.add(users, lookup.as_of_ms(meta))
    return count.result()


def show_moves(console: Console, moves: Moves) -> None:
    """Print for people."""
    if not moves.users:
        console.print("Nobody is in a segment yet, so nobody moves.")
        return
    large = f"  [bold]That is more than {LARGE_SHARE:.0%}.[/]" if is_large(moves) else ""
    console.print(
        f"{moves.moved:,} of {moves.users:,} users would move ({moves.share:.1%}).{large}"
    )
    if not moves.moved:
        return
    table = Table(
        "from", "to", "users", "share of all", title="who would move", title_justify="left"
    )
    routes = [one for one in moves.matrix if one.source is None or one.source.id != one.target.id]
    for route in routes[:ROUTES_SHOWN]:
        source, target = named(route.source), named(route.target)
        table.add_row(source, target, f"{route.users:,}", f"{route.share:.1%}")
    console.print(table)
    if len(routes) > ROUTES_SHOWN:
        console.print(f"{len(routes) - ROUTES_SHOWN} smaller routes not shown (--json has all)")
    console.print("for example:")
    for mover in moves.samples:
        why = ", ".join(f"{one.feature} {_value(one.value)}" for one in mover.reasons)
        line = f"  {mover.user_id}: {named(mover.source)} → {named(mover.target)} ({why})"
        console.print(escape(line), soft_wrap=True)


def is_large(moves: Moves) -> bool:
    """Tell whether so many move that somebody should look twice."""
    return moves.share > LARGE_SHARE


def named(segment: SegmentRef | None) -> str:
    """Name a segment by id and name; a user may come from none."""
    return "–" if segment is None else f"{segment.id} · {segment.name}"


def _value(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.3g}"
