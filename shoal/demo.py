"""`shoal demo`: everything at once on embedded services."""

import sys
import threading
from contextlib import ExitStack
from time import monotonic
from typing import Annotated

import typer
from rich.console import Console
from rich.live import Live

from consumer.errors import NotSetUp
from consumer.subscriber import Subscriber
from shoal.demo_state import DemoState, Scene
from shoal.demo_stream import DemoStream
from shoal.demo_view import lines, screen, summary
from shoal.embedded import EmbeddedServices
from shoal.errors import ProcessFailed
from shoal.lookup import open_lookup
from shoal.role_process import RoleProcess
from shoal.settings import Settings
from shoal.stopping import stop_on_signals
from shoal.wiring import kafka_connection, topic_names

PARTITIONS = 4
_LOOK_S = 0.25
_LINES_S = 5.0
_CATCH_UP_S_MAX = 20.0
_POLL_S = 0.1


def demo(
    users: Annotated[int, typer.Option(min=100, help="How many people.")] = 2_000,
    rate: Annotated[
        float, typer.Option(min=1, help="Events per second once their history is told.")
    ] = 500,
    seconds: Annotated[
        float | None, typer.Option(min=1, help="End by itself after so long, with a summary.")
    ] = None,
) -> None:
    """See it work: synthetic people, a broker, Redis, a worker and a trainer, all on this machine.

    Nothing needs to be installed or running, and nothing is left behind. Four weeks of the people's
    past are read first; then time goes on, faster than real, and they change their ways.
    """
    stop = stop_on_signals()
    print("starting an embedded broker and an embedded Valkey …", file=sys.stderr)  # noqa: T201
    with EmbeddedServices(PARTITIONS) as services, ExitStack() as closing:
        settings = services.settings()
        roles = [
            closing.enter_context(RoleProcess("trainer", settings)),
            closing.enter_context(RoleProcess("worker", settings)),
        ]
        state = _wait_for_worker(settings, roles, stop, closing)
        if state is None:
            return
        stream = DemoStream(settings, users, rate, state.processed)
        closing.callback(stream.stop)
        stream.start()
        deadline_s = None if seconds is None else state.started_s + seconds
        _show_until(state, stream, roles, stop, deadline_s)
        scene = _settle(state, stream, stop)
    for line in summary(scene):
        print(line)  # noqa: T201 -- the result of the command


def _wait_for_worker(
    settings: Settings, roles: list[RoleProcess], stop: threading.Event, closing: ExitStack
) -> DemoState | None:
    """Wait until the worker has introduced itself to Redis; None when told to stop meanwhile."""
    started_s = monotonic()
    lookup = open_lookup(settings)
    while not stop.wait(_POLL_S):
        _check_alive(roles)
        try:
            lookup.topology()
        except NotSetUp:
            continue
        subscriber = Subscriber(kafka_connection(settings), topic_names(settings), start="earliest")
        closing.callback(subscriber.close)
        return DemoState(lookup, subscriber, started_s)
    return None


def _show_until(
    state: DemoState,
    stream: DemoStream,
    roles: list[RoleProcess],
    stop: threading.Event,
    deadline_s: float | None,
) -> None:
    """Show scene after scene until told to stop or the time is up."""
    console = Console()
    watched = console.is_terminal
    told_s = monotonic()
    with Live(console=console, auto_refresh=False, screen=watched) as live:
        while not stop.is_set() and (deadline_s is None or monotonic() < deadline_s):
            _check_alive(roles)
            if stream.failure is not None:
                raise stream.failure
            scene = state.look(stream.sent, wait_s=_LOOK_S)
            if watched:
                live.update(screen(scene), refresh=True)
            elif monotonic() - told_s >= _LINES_S:
                told_s = monotonic()
                print(*lines(scene), sep="\n", flush=True)  # noqa: T201 -- the view
            stop.wait(_POLL_S)


def _settle(state: DemoState, stream: DemoStream, stop: threading.Event) -> Scene:
    """Let the worker finish what was sent, unless somebody is in a hurry; give the last scene."""
    stream.stop()
    deadline_s = monotonic() + _CATCH_UP_S_MAX
    scene = state.look(stream.sent)
    while scene.lag and not stop.is_set() and monotonic() < deadline_s:
        scene = state.look(stream.sent, wait_s=_POLL_S)
    return scene


def _check_alive(roles: list[RoleProcess]) -> None:
    """Notice a worker or trainer that has ended; it has said why."""
    for role in roles:
        if not role.running:
            raise ProcessFailed(role.role, role.exit_code or 1)
