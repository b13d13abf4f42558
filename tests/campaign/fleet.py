"""The workers and the trainer, and whoever would restart them: an orchestrator's part."""

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from time import monotonic, sleep

from tests.integration.processes import COMMAND, SLEEPY_COMMAND, ShoalProcess
from tests.integration.scenario import Scenario

WORKERS_MIN, WORKERS_MAX = 2, 4
_POLL_S = 0.1
_STARTS_WITHIN_S = 60.0  # on a busy machine; 2 s otherwise
_REACHES_WITHIN_S = 12.0
_AT_POINTS_MAX = 2
_BETWEEN_STARTS_S = 1.0
_SERVICES_S = 60.0
_PAUSE_S = 1.5  # before whoever gave up is started again
_ENDS_WITHIN_S = 40.0  # a commit under way may wait for both services' time-outs
_COMMAND_ENDS_WITHIN_S = 120.0
_KILLED = -9
# SIGTERM while Python is still importing: nothing was begun.
_ASKED_EARLY = -15
_TAKEN = '"event": "partition taken"'
_TRACEBACK = "Traceback (most recent call last)"
_GAVE_UP = 3  # Kafka or Redis was away for too long: "start the worker again when it is back"


@dataclass
class Member:
    """One process of the fleet.

    Attributes:
        process: itself.
        point: where it is to die or to fall asleep; empty for nowhere.
        killed: we have killed it.
        asked: we have asked it to leave.
        busy: something is being done to it.
    """

    process: ShoalProcess
    point: str = ""
    killed: bool = False
    asked: bool = False
    busy: bool = False

    @property
    def has_taken(self) -> bool:
        """Whether it has come to own a partition."""
        return _TAKEN in self.process.log.read_text(errors="replace")


def _comes_to_pass(member: Member, fact: Callable[[], bool]) -> bool:
    """Wait for a fact about a process: for a while, once it owns something."""
    started_s, taken_s = monotonic(), None
    while not fact() and member.process.running:
        now_s = monotonic()
        if taken_s is None and member.has_taken:
            taken_s = now_s
        patient = taken_s is None or now_s - taken_s < _REACHES_WITHIN_S
        if not patient or now_s - started_s > _STARTS_WITHIN_S:
            return False
        sleep(_POLL_S)
    return fact()


@dataclass
class Fleet:
    """Keeps the number of workers between its bounds, and counts ends that nobody asked for.

    Attributes:
        scenario: starts the processes.
        is_up: tells whether the services are there, waiting for so many seconds.
        worker_command: `shoal`, or a mutant of it.
        sleepy_command: the same, falling asleep where it would be killed.
        crashes: what each unexpected end or traceback said.
        gave_up: ends with exit code 3.
        few_at_a_time: whoever leads a worker to a point holds it meanwhile.
        reached: how often a process was killed, or fell asleep, at each point.
    """

    scenario: Scenario
    is_up: Callable[[float], bool]
    worker_command: Sequence[str] = COMMAND
    sleepy_command: Sequence[str] = SLEEPY_COMMAND
    crashes: list[str] = field(default_factory=list)
    gave_up: int = 0
    reached: Counter[str] = field(default_factory=Counter)
    _workers: list[Member] = field(default_factory=list)
    _trainer: Member | None = None
    _lock: threading.RLock = field(default_factory=threading.RLock)
    _stop: threading.Event = field(default_factory=threading.Event)
    few_at_a_time: threading.Semaphore = field(
        default_factory=lambda: threading.Semaphore(_AT_POINTS_MAX)
    )
    _pause_until_s: float = 0.0
    _started_s: float = 0.0
    _keeper: "Future[None] | None" = None

    def start(self, threads: Executor, *points: str) -> None:
        """Start one worker for each point ("" for none), a trainer, and keep them going."""
        for point in points:
            self.join(point)
        self.restart_trainer()
        self._keeper = threads.submit(self._keep)

    def join(self, point: str = "", *, sleepy: bool = False) -> Member:
        """Start one more worker; when there are too many, another one leaves."""
        self.is_up(_SERVICES_S)  # who starts without them gives up at once
        with self._lock:
            if len(self._present()) >= WORKERS_MAX:
                self.ask_to_leave(self.choose(0.0))
            command = self.sleepy_command if sleepy else self.worker_command
            member = Member(self._start("worker", command, point), point)
            self._workers.append(member)
            return member

    def restart_trainer(self, point: str = "") -> Member:
        """Kill the trainer, if there is one, and start it anew."""
        self.is_up(_SERVICES_S)
        with self._lock:
            if self._trainer is not None:
                self.kill(self._trainer)
                self._bury(self._trainer)
            self._trainer = Member(self._start("trainer", COMMAND, point), point)
            return self._trainer

    def choose(self, lot: float) -> Member | None:
        """Choose one of the workers by lot, if possible one that nothing is planned for."""
        with self._lock:
            idle = [one for one in self._present() if not one.busy]
            found = [one for one in idle if not one.point] or idle
            return found[min(int(lot * len(found)), len(found) - 1)] if found else None

    def wait_for_choice(self, lot: float, within_s: float) -> Member | None:
        """Choose one, as soon as there is one that has come to own something."""
        deadline_s = monotonic() + within_s
        while True:
            found = self.choose(lot)
            if (found and found.has_taken) or monotonic() > deadline_s:
                return found
            sleep(_POLL_S)

    def kill(self, member: Member | None) -> None:
        """SIGKILL."""
        if member is not None:
            with self._lock:
                member.killed = member.killed or member.process.running
            member.process.kill()

    def ask_to_leave(self, member: Member | None) -> None:
        """SIGTERM, once: a second one would end it at once."""
        if member is not None and not member.asked:
            member.asked = True
            member.process.terminate()

    def wait_for_end(self, member: Member) -> bool:
        """Wait until a process has ended; tell whether it died at its point."""
        return _comes_to_pass(member, lambda: not member.process.running) and self.died_at_point(
            member
        )

    @staticmethod
    def died_at_point(member: Member) -> bool:
        """Tell whether a process that has ended was killed by itself."""
        return member.process.wait() == _KILLED and bool(member.point) and not member.killed

    def wait_for_sleep(self, member: Member) -> bool:
        """Wait until a process has fallen asleep at its point; tell whether it has."""
        if not _comes_to_pass(member, lambda: member.process.asleep):
            return False
        with self._lock:
            self.reached[f"asleep {member.point.partition(':')[0]}"] += 1
        return True

    def wait_for_partitions(self, member: Member) -> bool:
        """Wait until a worker owns something; tell whether it does."""
        return _comes_to_pass(member, lambda: member.has_taken)

    def call(self, *arguments: str) -> bool:
        """Run a command of an operator's; tell whether it succeeded (it may be refused)."""
        self.is_up(_SERVICES_S)
        with self._lock:
            process = self.scenario.start(*arguments)
        done = process.wait(_COMMAND_ENDS_WITHIN_S) == 0
        if _TRACEBACK in process.log.read_text(errors="replace"):
            self.crashes.append(f"{process.log}: {process.tail()[-800:]}")
        return done

    def stop(self) -> None:
        """Start nobody any more."""
        self._stop.set()

    def end(self) -> None:
        """Ask everybody to leave, and wait until they have."""
        self.stop()
        if self._keeper is not None:
            self._keeper.result()
        everybody = [*self._workers, *([self._trainer] if self._trainer else [])]
        for member in everybody:
            if member.process.running:
                member.process.resume()
                self.ask_to_leave(member)
        for member in everybody:
            try:
                member.process.wait(_ENDS_WITHIN_S)
            except AssertionError as error:
                self.crashes.append(f"{member.process.log.name} does not end: {error}")
                member.process.kill()
                continue
            self._bury(member)

    def _present(self) -> list[Member]:
        return [one for one in self._workers if one.process.running and not one.asked]

    def _start(self, role: str, command: Sequence[str], point: str) -> ShoalProcess:
        """Start a process, a second after the one before: two cores import no ten at once."""
        sleep(max(0.0, self._started_s + _BETWEEN_STARTS_S - monotonic()))
        self._started_s = monotonic()
        settings = {"SHOAL_CRASH_AT": point} if point else {}
        return self.scenario.start(role, command=command, **settings)

    def _keep(self) -> None:
        """Look after the processes until told to stop, as an orchestrator does."""
        while not self._stop.wait(_POLL_S):
            with self._lock:
                for member in [one for one in self._workers if not one.process.running]:
                    self._workers.remove(member)
                    self._bury(member)
                may_start = monotonic() >= self._pause_until_s and self.is_up(0.0)
                if may_start and len(self._present()) < WORKERS_MIN:
                    self.join()
                if self._trainer is not None and not self._trainer.process.running:
                    self._bury(self._trainer)
                    self._trainer = None
                if may_start and self._trainer is None:
                    self.restart_trainer()

    def _bury(self, member: Member) -> None:
        """Judge how a process has ended."""
        code, log = member.process.wait(), member.process.log
        died_at_point = self.died_at_point(member)
        if died_at_point:
            self.reached[member.point.partition(":")[0]] += 1
        if code == _GAVE_UP:
            self.gave_up += 1
            self._pause_until_s = monotonic() + _PAUSE_S
        expected = {0, _ASKED_EARLY} if member.asked else set()
        expected |= {_KILLED} if member.killed or died_at_point else set()
        if code not in {*expected, _GAVE_UP} or _TRACEBACK in log.read_text(errors="replace"):
            self.crashes.append(f"{log}: exit code {code}: {member.process.tail()[-800:]}")
