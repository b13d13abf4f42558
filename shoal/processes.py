"""`shoal worker`, `shoal trainer` and `shoal run`: the long-running processes."""

import threading
import time
from typing import Annotated

import msgspec
import typer

from consumer.progress import Progress
from consumer.trainer import Trainer
from consumer.worker import Worker
from shoal.logs import configure_logs
from shoal.monitoring import monitored
from shoal.role_process import RoleProcess
from shoal.settings import Settings, load_settings
from shoal.stopping import stop_on_signals
from shoal.wiring import worker_config

_WATCH_S = 0.1

UntilIdle = Annotated[
    float | None,
    typer.Option(
        "--until-idle",
        min=0.1,
        metavar="SECONDS",
        help="End once nothing has been left to do for so long.",
    ),
]


def worker(until_idle: UntilIdle = None) -> None:
    """Read events, keep features in Redis, publish segment changes.

    Start as many as you like, up to the number of partitions: they share them. SIGTERM and Ctrl-C
    finish the batch and hand over.
    """
    settings = load_settings()
    configure_logs(settings)
    stop, started_s = stop_on_signals(), time.monotonic()
    shoal_worker = Worker(worker_config(settings))
    with monitored(shoal_worker, settings):
        progress = shoal_worker.run(stop, until_idle_s=until_idle)
    _print_summary(progress, time.monotonic() - started_s)


def trainer(until_idle: UntilIdle = None) -> None:
    """Learn the segments from the workers' samples and release models.

    One is enough; a second one waits and takes over when the first is gone.
    """
    settings = load_settings()
    configure_logs(settings)
    shoal_trainer, stop = Trainer(worker_config(settings)), stop_on_signals()
    with monitored(shoal_trainer, settings):
        progress = shoal_trainer.run(stop, until_idle_s=until_idle)
    typer.echo(msgspec.json.encode(progress).decode())


def run(until_idle: UntilIdle = None) -> None:
    """Worker and trainer together: the simplest deployment.

    The trainer runs in a process of its own; when either of the two ends, so does the other.
    """
    settings = load_settings()
    configure_logs(settings)
    config = worker_config(settings)
    stop, started_s = stop_on_signals(), time.monotonic()
    shoal_worker = Worker(config)
    with (
        monitored(shoal_worker, settings),
        RoleProcess("trainer", _on_next_port(settings)) as trainer_process,
    ):
        watcher = threading.Thread(
            target=_watch, args=(shoal_worker, trainer_process, stop, until_idle), daemon=True
        )
        watcher.start()
        progress = shoal_worker.run(stop)
        stop.set()
        watcher.join()
    _print_summary(progress, time.monotonic() - started_s)


def _on_next_port(settings: Settings) -> Settings:
    """Give the settings of a second process beside this one."""
    port = settings.metrics_port
    return settings.model_copy(update={"metrics_port": port and port + 1})


def _watch(
    shoal_worker: Worker,
    trainer_process: RoleProcess,
    stop: threading.Event,
    until_idle_s: float | None,
) -> None:
    """Ask the worker to stop once both are idle for long enough, or the trainer has ended.

    Both must be idle at the same time: the worker's samples give the trainer work, and the
    trainer's releases the worker.
    """
    while not stop.wait(_WATCH_S):
        idle_s = min(shoal_worker.idle_s, trainer_process.idle_s)
        if until_idle_s is not None and idle_s >= until_idle_s:
            stop.set()
        if not trainer_process.running:
            stop.set()


def _print_summary(progress: Progress, seconds: float) -> None:
    """Print what scripts rely on: the last line on stdout."""
    outcomes = progress.outcomes
    summary = {
        "records": outcomes.records,
        "applied": outcomes.applied,
        "duplicate": outcomes.duplicate,
        "late": outcomes.late,
        "dead": outcomes.dead,
        "changes": progress.changes,
        "seconds": round(seconds, 3),
    }
    typer.echo(msgspec.json.encode(summary).decode())
