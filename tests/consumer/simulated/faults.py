"""What may go wrong, and where: every effect of the protocol is a place, every fault has a name.

An effect is one call that leaves the process: a Redis script, a step of a Kafka transaction, a
read, a callback of the group. A fault is armed for the next passage of one effect, whoever makes
it; that way a schedule of faults can be cut down without shifting those that are left.
"""

from collections import Counter, defaultdict, deque
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

BEFORE, AFTER = "dies before", "dies after"
LOST = "time-out, not carried out"
UNANSWERED = "time-out, carried out"
LATE = "time-out, carried out later"
SLEEPS_BEFORE, SLEEPS_AFTER = "sleeps before", "sleeps after"
PAUSES = "its thread pauses, the worker goes on"
ABORTABLE = "refused, must abort"
RETRIABLE = "refused, may retry"
MARKERS_LOST = "carried out, all markers are lost"
SOME_MARKERS_LOST = "carried out, some markers are lost"

_ALWAYS = (BEFORE, AFTER, SLEEPS_BEFORE, SLEEPS_AFTER)
_READ = (BEFORE, LOST, SLEEPS_BEFORE, SLEEPS_AFTER)
_WRITE = (*_ALWAYS, LOST, UNANSWERED, LATE)

# What a commit is about is told from its arguments (`redis.kind_of`).
COMMITS = (
    "commit of a batch",
    "commit of a sweep",
    "commit of a catch-up",
    "commit of a seeding",
    "commit of a tidying",
    "commit of a queueing",
)

EFFECTS: dict[str, tuple[str, ...]] = {
    "ping": _READ,
    "own": _WRITE,
    "read users": _READ,
    "read due": _READ,
    "read trend": _READ,
    "compare meta": _READ,
    **dict.fromkeys(COMMITS, (*_WRITE, PAUSES)),
    "fence": (*_ALWAYS, LOST, UNANSWERED, MARKERS_LOST, SOME_MARKERS_LOST),
    "produce": (BEFORE, AFTER, SLEEPS_BEFORE, SLEEPS_AFTER, PAUSES, ABORTABLE),
    "commit transaction": (*_WRITE, PAUSES, ABORTABLE, RETRIABLE, MARKERS_LOST, SOME_MARKERS_LOST),
    "abort transaction": (*_ALWAYS, MARKERS_LOST, SOME_MARKERS_LOST),
    "watermarks": _READ,
    "read back": (BEFORE, SLEEPS_BEFORE, SLEEPS_AFTER),
    "poll": _ALWAYS,
    "prove membership": (*_ALWAYS, LOST),
    "assigned": _ALWAYS,
    "revoked": _ALWAYS,
    "lost": _ALWAYS,
}
"""Every effect with the faults that may be armed for it."""


_LOSES: dict[str, Callable[[int], bool]] = {
    "": lambda _: False,
    MARKERS_LOST: lambda _: True,
    SOME_MARKERS_LOST: lambda place: place % 2 == 1,
}


class Crash(BaseException):
    """The process dies here. Nothing may catch it, as nothing catches a SIGKILL."""


class Faults:
    """The faults armed, those that have struck, and how often each effect was passed."""

    def __init__(
        self,
        sleep: Callable[[], None],
        pause: Callable[[], bool],
        network: list[Callable[[], object]],
    ) -> None:
        self._sleep, self._pause = sleep, pause
        self._network = network  # calls on their way: they arrive some time, or never
        self._armed: defaultdict[str, deque[str]] = defaultdict(deque)
        self.off = False
        self.loses_markers: Callable[[int], bool] = _LOSES[""]  # now, in the log at this place
        self.struck: Counter[tuple[str, str]] = Counter()
        self.passed: Counter[str] = Counter()

    def arm(self, effect: str, fault: str) -> None:
        assert fault in EFFECTS[effect], (effect, fault)
        self._armed[effect].append(fault)

    def some_pause(self) -> bool:
        """Tell whether a thread is to pause at one of its next effects."""
        return any(PAUSES in armed for armed in self._armed.values())

    def disarm(self) -> None:
        self._armed.clear()

    def note(self, what: str) -> None:
        """Count what strikes from outside of any effect."""
        self.struck[what, ""] += 1

    def passing(
        self,
        effect: str,
        carry_out: Callable[[], T],
        timed_out: Callable[[], Exception],
        refused: Callable[[str], Exception] | None = None,
    ) -> T:
        """Carry an effect out, or let the fault armed for it strike."""
        self.passed[effect] += 1
        armed = self._armed.get(effect)
        if not armed or self.off:
            return carry_out()
        fault = armed.popleft()
        if fault == PAUSES and not self._pause():
            return carry_out()
        self.struck[effect, fault] += 1
        self._strike_before(fault, timed_out, refused)
        if fault == LATE:
            self._network.append(carry_out)
            raise timed_out()
        self.loses_markers = _LOSES.get(fault, _LOSES[""])
        answer = carry_out()
        self.loses_markers = _LOSES[""]
        self._strike_after(fault, timed_out)
        return answer

    def _strike_before(
        self,
        fault: str,
        timed_out: Callable[[], Exception],
        refused: Callable[[str], Exception] | None,
    ) -> None:
        if fault == BEFORE:
            raise Crash
        if fault == LOST:
            raise timed_out()
        if fault == SLEEPS_BEFORE:
            self._sleep()
        if fault in (ABORTABLE, RETRIABLE):
            assert refused is not None
            raise refused(fault)

    def _strike_after(self, fault: str, timed_out: Callable[[], Exception]) -> None:
        if fault == AFTER:
            raise Crash
        if fault == UNANSWERED:
            raise timed_out()
        if fault == SLEEPS_AFTER:
            self._sleep()
