"""Giving an order: preview it, ask, send it, wait for the trainer, tell what became of it."""

import sys
import time

import msgspec
import typer
from rich.console import Console
from rich.markup import escape

from consumer.answers import Answer
from consumer.errors import ServiceUnavailable
from consumer.moves import Moves
from consumer.order_desk import OrderDesk
from consumer.rehearsal import Rehearsal, rehearse
from segments.changes import SegmentRef
from segments.errors import OrderRefused
from segments.lineage import Lineage
from segments.model import SegmentModel
from segments.orders import Order
from shoal.errors import WrongUse
from shoal.lookup import open_lookup
from shoal.model.lineage_view import show_lineage
from shoal.model.moves_view import count_moves, is_large, show_moves
from shoal.settings import Settings
from shoal.wiring import worker_config

WAIT_S = 120.0


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


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """The JSON of an order that was obeyed."""

    order_id: str
    version: str
    release: str
    structure: str
    segments: list[SegmentRef]
    lineage: tuple[Lineage, ...]


def preview(settings: Settings, order: Order) -> Preview:
    """Find out what an order would lead to, without touching anything.

    Raises:
        OrderRefused: the trainer would refuse it.
        NotSetUp, ServiceUnavailable, ProtectsData: topics or Redis cannot be read.
    """
    _say("reading the samples as the trainer would …")
    found: Rehearsal = rehearse(worker_config(settings), order)
    _say("holding everybody in Redis against the result …")
    moves = count_moves(settings, open_lookup(settings), found.before, found.after, as_stored=True)
    return Preview(
        in_force=found.before.version,
        release=found.after.release,
        version=found.after.version,
        structure=found.after.structure,
        segments=_segments(found.after),
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
        Abort: the answer was no.
    """
    if yes:
        return
    if not sys.stdin.isatty():
        msg = "there is nobody to confirm it here: look at it with --dry-run, then give --yes"
        raise WrongUse(msg)
    found = preview(settings, order)
    show_preview(found)
    warning = " This moves a large part of everybody." if is_large(found.moves) else ""
    typer.confirm(f"Give the order?{warning}", abort=True)


def carry_out(settings: Settings, order: Order, wait_s: float) -> SegmentModel:
    """Send an order and wait until the trainer has obeyed it; give the newest release of it.

    Raises:
        OrderRefused: the trainer says why.
        ServiceUnavailable: nobody has answered in time, or Kafka is away.
    """
    desk = OrderDesk(worker_config(settings))
    try:
        desk.send(order)
        _say(f"order {order.id} is in {settings.topic_samples}; waiting for the trainer …")
        outcome = desk.wait(order, wait_s, Progress())
    finally:
        desk.close()
    if isinstance(outcome, Answer):
        raise OrderRefused(outcome.refused)
    if outcome is None:
        msg = (
            f"no trainer has answered order {order.id} within {wait_s:.0f} s: is `shoal trainer` "
            "running? The order stays in the topic and will be obeyed when one runs; do not give "
            "it again. `shoal model list` shows it then"
        )
        raise ServiceUnavailable(msg)
    return outcome[-1]


def done(order: Order, model: SegmentModel) -> Done:
    """Say what an order has led to."""
    return Done(
        order_id=order.id,
        version=model.version,
        release=model.release,
        structure=model.structure,
        segments=_segments(model),
        lineage=model.lineage,
    )


def show_done(found: Done) -> None:
    """Print what an order has led to, for people."""
    console = Console(highlight=False)
    console.print(f"[bold]{found.version}[/] is released ({found.release})")
    if found.release == "refit":
        console.print(f"  {escape(found.structure)}", soft_wrap=True)
    show_lineage(console, found.lineage)


class Progress:
    """Says on stderr, now and then, that it is still waiting."""

    def __init__(self, every_s: float = 10.0) -> None:
        """Begin now."""
        self._every_s = every_s
        self._say_at_s = time.monotonic() + every_s

    def __call__(self, waited_s: float) -> None:
        """Note that nothing has happened for so long."""
        if time.monotonic() >= self._say_at_s:
            self._say_at_s += self._every_s
            _say(f"still waiting, {waited_s:.0f} s …")


def _segments(model: SegmentModel) -> list[SegmentRef]:
    return [SegmentRef(id=segment, name=model.name_of(segment)) for segment in model.ids]


def _say(line: str) -> None:
    typer.echo(line, err=True)
