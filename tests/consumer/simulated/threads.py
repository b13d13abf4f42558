"""A pool whose threads never run at the same time as anybody else.

Work is done at once, or when somebody waits for it, by lot: both ends of what a thread may do. In
between lies a thread that stops before one of its effects while the worker goes on; such work runs
on a real thread, which hands over to the one that waits for it and back.
"""

import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any, Protocol

from tests.consumer.simulated.faults import Crash


class Lots(Protocol):
    def random(self) -> float: ...


class Pending(Future[Any]):
    """Work that is done when somebody waits for it, at the latest."""

    def __init__(self, work: Callable[[], Any]) -> None:
        super().__init__()
        self._work = work
        self._begun = False
        self._paused: _Thread | None = None

    def run(self) -> None:
        if self._paused is not None:
            thread, self._paused = self._paused, None
            thread.go_on(self)
        elif not self._begun:
            self._begun = True
            self._carry_out()

    def run_on_a_thread(self) -> None:
        """Do it, if need be only until it pauses."""
        if not self._begun:
            self._begun = True
            _Thread(self._carry_out).go_on(self)

    def pause(self, thread: "_Thread") -> None:
        self._paused = thread

    def end(self) -> None:
        """The process has died: what paused must not stay behind."""
        if self._paused is not None:
            self._paused.dies = True
            self.run()

    def _carry_out(self) -> None:
        try:
            answer = self._work()
        except Exception as error:  # noqa: BLE001 -- as an executor does
            self.set_exception(error)
        else:
            self.set_result(answer)

    def result(self, timeout: float | None = None) -> Any:
        if timeout is not None and self._paused is not None:
            raise TimeoutError  # it takes longer than letting go of a partition may take
        while not self.done():
            self.run()
        return super().result(0)


class _Thread(threading.Thread):
    """A thread that runs only while the one that let it go on waits."""

    def __init__(self, work: Callable[[], None]) -> None:
        super().__init__(daemon=True)
        self._work = work
        self._may_run, self._stands = threading.Semaphore(0), threading.Semaphore(0)
        self._is_paused = False
        self._crash: BaseException | None = None
        self.dies = False
        self.start()

    def run(self) -> None:
        self._may_run.acquire()
        try:
            self._work()
        except BaseException as error:  # noqa: BLE001 -- handed over to who waits
            self._crash = error
        self._is_paused = False
        self._stands.release()

    def go_on(self, pending: Pending) -> None:
        """Let it run until it pauses or ends."""
        self._may_run.release()
        self._stands.acquire()
        if self._is_paused:
            pending.pause(self)
        elif self._crash is not None:
            raise self._crash

    def pause_here(self) -> None:
        """Called by the thread itself."""
        self._is_paused = True
        self._stands.release()
        self._may_run.acquire()
        self._is_paused = False
        if self.dies:
            raise Crash


def pause() -> bool:
    """Stop here until somebody waits for what this thread does; False where it cannot stop."""
    thread = threading.current_thread()
    if not isinstance(thread, _Thread):
        return False
    thread.pause_here()
    return True


class MemoryPool(Executor):
    """What a worker has for its commits and ownerships."""

    def __init__(
        self, lots: Lots, submitted: list[Pending], some_pause: Callable[[], bool]
    ) -> None:
        self._lots, self._submitted, self._some_pause = lots, submitted, some_pause

    def submit(self, work: Callable[..., Any], /, *arguments: Any, **options: Any) -> Any:
        pending = Pending(lambda: work(*arguments, **options))
        self._submitted.append(pending)
        if self._some_pause():
            pending.run_on_a_thread()
        elif self._lots.random() < 0.5:
            pending.run()
        return pending
