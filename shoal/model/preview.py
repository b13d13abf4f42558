"""What an order would lead to, before it is given: who would move, from where to where, and why."""

import sys

import msgspec
import typer
from rich.console import Console
from rich.markup import escape

from consumer.moves import Moves
from consumer.rehearsal import rehearse
from segments.changes import SegmentRef
from segments.lineage import Lineage
from segments.orders import Order
from shoal.errors import WrongUse
from shoal.lookup import open_lookup
from shoal.model.lineage_view import show_lineage
from shoal.model.moves_view import count_moves, is_large, show_moves
from shoal.model.ordering import say, segments_of
from shoal.settings import Settings
from shoal.wiring import worker_config


class Preview(msgspec.Struct, frozen=True, kw_only=True):
    """The JSON of `--dry-run --json`: what would be released, and who would move.

    Attributes:
        in_force: The version to move from.
        release: Why the next one would be made.
        version: The version that would be made now.
        structure: How clearly the people fall into its segments.
        segments: Its segments.
        lineage: What would become of each segment.
        moves: Who would move.
    """

    in_force: str
    release: str
    version: str
    structure: str
    segments: list[SegmentRef]
    lineage: tuple[Lineage, ...]
    moves: Moves


def preview(settings: Settings, order: Order) -> Preview:
    """Find out what an order would lead to, without touching anything.

    Raises:
        OrderRefused: the trainer would refuse it.
        NotSetUp, ServiceUnavailable, ProtectsData: topics or Redis cannot be read.
    """
    say("reading the samples as the trainer would …")
    found = rehearse(worker_config(settings), order)
    say("holding everybody in Redis against the result …")
    moves = count_moves(settings, open_lookup(settings), found.before, found.after, as_stored=True)
    return Preview(
        in_force=found.before.version,
        release=found.after.release,
        version=found.after.version,
        structure=found.after.structure,
        segments=segments_of(found.after),
        lineage=found.after.lineage,
        moves=moves,
    )


def show_preview(found: Preview) -> None:
    """Print a preview for people."""
    console = Console(highlight=False)
    console.print(f"[bold]{found.release}[/]: {found.in_force} → {found.version}, if ordered now")
    if found.release == "refit":
        console.print(f"  {escape(found.structure)}", soft_wrap=True)
    show_lineage(console, found.lineage)
    show_moves(console, found.moves)


def agree(settings: Settings, order: Order, *, yes: bool) -> None:
    """Let a person see what would happen, and decide.

    Raises:
        WrongUse: nobody can be asked, and `--yes` was not given.
        OrderRefused: the trainer would refuse it.
        Exit: the answer was no (exit code 0).
    """
    if yes:
        return
    if not sys.stdin.isatty():
        msg = "there is nobody to confirm it here: look at it with --dry-run, then give --yes"
        raise WrongUse(msg)
    found = preview(settings, order)
    show_preview(found)
    warning = " This moves a large part of everybody." if is_large(found.moves) else ""
    if not typer.confirm(f"Give the order?{warning}"):
        say("nothing was ordered")
        raise typer.Exit
