"""Giving an order: send it, wait for the trainer, tell what became of it."""

import time

import msgspec
import typer
from rich.console import Console
from rich.markup import escape

from consumer.answers import Answer
from consumer.errors import ServiceUnavailable
from consumer.order_desk import OrderDesk
from segments.changes import SegmentRef
from segments.errors import OrderRefused
from segments.lineage import Lineage
from segments.model import SegmentModel
from segments.orders import Order
from shoal.model.lineage_view import show_lineage
from shoal.settings import Settings
from shoal.wiring import worker_config

WAIT_S = 120.0


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """The JSON of an order that was obeyed."""

    order_id: str
    version: str
    release: str
    structure: str
    segments: list[SegmentRef]
    lineage: tuple[Lineage, ...]


def carry_out(settings: Settings, order: Order, wait_s: float) -> SegmentModel:
    """Send an order and wait until the trainer has obeyed it; give the newest release of it.

    Raises:
        OrderRefused: the trainer says why.
        ServiceUnavailable: nobody has answered in time, or Kafka is away.
    """
    desk = OrderDesk(worker_config(settings))
    try:
        desk.send(order)
        say(f"order {order.id} is in {settings.topic_samples}; waiting for the trainer …")
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
        segments=segments_of(model),
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
            say(f"still waiting, {waited_s:.0f} s …")


def segments_of(model: SegmentModel) -> list[SegmentRef]:
    """Name the segments of a release."""
    return [SegmentRef(id=segment, name=model.name_of(segment)) for segment in model.ids]


def say(line: str) -> None:
    """Tell a person what is going on; stdout is for the result."""
    typer.echo(line, err=True)
