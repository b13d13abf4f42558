"""A worker or a trainer as a child process, for the commands that run more than one thing.

A process, not a thread: learning is pure Python and numpy for seconds on end at bootstrap, and
would hold up the worker's batches.
"""

import multiprocessing
import threading
import time
from multiprocessing.sharedctypes import Synchronized
from types import TracebackType
from typing import Literal, Self

from consumer.config import WorkerConfig
from consumer.trainer import Trainer
from consumer.worker import Worker
from shoal.errors import ProcessFailed
from shoal.exit_codes import explained
from shoal.logs import configure_logs
from shoal.monitoring import monitored
from shoal.settings import Settings
from shoal.stopping import stop_on_signals
from shoal.wiring import worker_config

Role = Literal["worker", "trainer"]

_REPORT_S = 0.1
_STOP_S_MAX = 20.0


class RoleProcess:
    """Runs inside a `with` block; ends by itself when the parent is gone."""

    def __init__(self, role: Role, settings: Settings) -> None:
        """Prepare; the `with` statement starts it."""
        self.role = role
        # Not a fork: librdkafka's threads would not survive in the copy.
        spawning = multiprocessing.get_context("spawn")
        self._idle_s: Synchronized[float] = spawning.Value("d", 0.0)
        self._process = spawning.Process(
            target=_main, args=(role, settings, self._idle_s), name=role, daemon=True
        )

    @property
    def idle_s(self) -> float:
        """For how long it has had nothing left to do, as it reported last."""
        return self._idle_s.value

    @property
    def running(self) -> bool:
        """Tell whether it is there."""
        return self._process.is_alive()

    @property
    def exit_code(self) -> int | None:
        """How it ended; None while it is there."""
        return self._process.exitcode

    def __enter__(self) -> Self:
        """Start it."""
        self._process.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Ask it to stop and wait.

        Raises:
            ProcessFailed: it had ended before with a failure, which it has told itself.
        """
        failed = self._process.exitcode
        self._process.terminate()
        self._process.join(_STOP_S_MAX)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()
        if failed and error is None:
            raise ProcessFailed(self.role, failed)


def build(role: Role, config: WorkerConfig) -> Worker | Trainer:
    """Make the worker or the trainer of this process."""
    return Worker(config) if role == "worker" else Trainer(config)


def _main(role: Role, settings: Settings, idle_s: "Synchronized[float]") -> None:
    """Work, and keep reporting: the child's whole life."""
    with explained():
        configure_logs(settings)
        stop = stop_on_signals()
        work = build(role, worker_config(settings))
        threading.Thread(target=_report, args=(work, idle_s, stop), daemon=True).start()
        with monitored(work, settings):
            work.run(stop)


def _report(work: Worker | Trainer, idle_s: "Synchronized[float]", stop: threading.Event) -> None:
    """Report the idle time; stop when the parent is gone."""
    parent = multiprocessing.parent_process()
    while parent is not None and parent.is_alive():
        idle_s.value = work.idle_s
        time.sleep(_REPORT_S)
    stop.set()
