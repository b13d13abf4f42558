"""What happens in one simulation, as plain values: a log, settings, and acts in their order.

Everything is in here, so leaving out an act or a record gives another simulation that can be run:
that is how a failing one is cut down.
"""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from tests.consumer.lives import LogRecord, life
from tests.consumer.simulated.faults import (
    EFFECTS,
    LATE,
    LOST,
    MARKERS_LOST,
    SOME_MARKERS_LOST,
    UNANSWERED,
)

WORKERS = 3
_OFTEN = (
    "commit of a batch",
    "commit of a seeding",
    "produce",
    "commit transaction",
    "own",
    "read back",
)
EVERYTHING = 10_000  # writes to lose: Redis is emptied


@dataclass(frozen=True)
class Act:
    """One thing that happens.

    Attributes:
        kind: turn (of a worker), arm (a fault), kill, leave, move, evict (a worker), lose (writes
            of Redis), release (a model), write (records become visible), arrive (a call that was
            on its way), straggle (a commit of a partition that was dropped), open and close (a
            stranger's transaction on the changes topic).
        number: worker, writes, or records.
        lot: decides what is left open within a turn.
        effect: what a fault is armed for.
        fault: the fault.
    """

    kind: str
    number: int = 0
    lot: int = 0
    effect: str = ""
    fault: str = ""

    def __str__(self) -> str:
        if self.kind == "arm":
            return f"armed for the next {self.effect!r}: {self.fault}"
        if self.kind == "lose" and self.number == EVERYTHING:
            return "Redis is emptied"
        sentences = {
            "turn": f"worker {self.number} takes a turn (lot {self.lot})",
            "write": f"{self.number} more records are written",
            "lose": f"Redis loses its last {self.number} writes",
            "kill": f"worker {self.number} is killed",
            "leave": f"worker {self.number} leaves the group in order",
            "move": f"the partition is to move to worker {self.number}",
            "evict": f"worker {self.number} is put out of the group unawares",
            "release": "a newer model is released",
            "arrive": "a call that was on its way arrives",
            "straggle": "a thread goes on with a commit of a dropped partition",
            "open": "a stranger opens a transaction on the changes topic",
            "close": "the stranger aborts",
        }
        return sentences[self.kind]


# Effects that come only after something else has happened.
_NEEDED = {
    "commit of a seeding": Act("lose", EVERYTHING),
    "commit of a catch-up": Act("lose", 3),
    "commit of a queueing": Act("release"),
}


@dataclass(frozen=True)
class Schedule:
    """One simulation."""

    seed: int
    clock: str
    batch_records: int
    sweep_users: int
    trailing: int
    log: tuple[LogRecord, ...]
    acts: tuple[Act, ...]

    @property
    def size(self) -> str:
        return f"{len(self.acts)} acts and {len(self.log)} records"

    def __str__(self) -> str:
        settings = (
            f"clock {self.clock}, {self.batch_records} records a batch, "
            f"{self.sweep_users} users a sweep, {self.trailing} markers at the end of the log"
        )
        lines = [settings, *map(str, self.log), *map(str, self.acts)]
        return "\n".join(f"    {line}" for line in lines)


def schedule_of(seed: int) -> Schedule:
    """Draw a simulation."""
    random = Random(seed)
    log = tuple(life(random))
    workers = random.choice([1, 1, 2, 2, 3])
    faults = random.choice([0.0, 0.3, 0.6, 0.9])
    acts: list[Act] = []
    if random.random() < 0.6:  # something to lose
        acts += [Act("release"), Act("write", 12), *(_turn(random, 1) for _ in range(3))]
    for _ in range(random.randint(2, 10)):
        acts += _disturbances(random, workers, faults)
        acts.append(_turn(random, workers))
    return Schedule(
        seed=seed,
        clock=random.choice(["wall", "event"]),
        batch_records=random.choice([1, 4, 8, 16]),
        sweep_users=random.randint(1, 5),
        trailing=random.choice([0, 0, 2]),
        log=log,
        acts=tuple(acts),
    )


def _disturbances(random: Random, workers: int, faults: float) -> list[Act]:
    acts: list[Act] = []
    if random.random() < 0.6:
        acts.append(Act("write", random.choice([1, 2, 5, 12])))
    if random.random() < 0.2:
        acts.append(Act("release"))
    for chance in (faults, faults / 2):
        if random.random() < chance:
            acts += _armed(random)
    if random.random() < faults / 2:
        acts.append(random.choice(_FROM_OUTSIDE)(random, workers))
    return acts


def _armed(random: Random) -> list[Act]:
    effect = random.choice(_OFTEN if random.random() < 0.4 else list(EFFECTS))
    fault = random.choice(EFFECTS[effect])
    if random.random() < 0.08:
        effect = "commit transaction"
        fault = random.choice([MARKERS_LOST, SOME_MARKERS_LOST])
    armed = [Act("arm", effect=effect, fault=fault)]
    if fault in (LOST, UNANSWERED, LATE) and random.random() < 0.6:
        # Many calls are tried again at once: only a second time-out leaves the outcome unknown.
        armed.append(Act("arm", effect=effect, fault=random.choice([LOST, fault])))
    needed = _NEEDED.get(effect)
    if needed is not None and random.random() < 0.7:
        return [*armed, needed, *(_turn(random, 1) for _ in range(random.randint(1, 4)))]
    return armed


def _turn(random: Random, workers: int) -> Act:
    return Act("turn", random.randrange(workers), random.randrange(1_000_000))


def _worker_act(kind: str) -> Callable[[Random, int], Act]:
    return lambda random, workers: Act(kind, random.randrange(workers))


_FROM_OUTSIDE: tuple[Callable[[Random, int], Act], ...] = (
    *map(_worker_act, ("kill", "leave", "move", "evict", "evict")),
    *[lambda random, _: Act("lose", random.choice([1, 1, 2, 3, 5, 20, EVERYTHING]))] * 3,
    *[lambda _random, _workers: Act("arrive")] * 2,
    lambda _random, _workers: Act("straggle"),
    lambda _random, _workers: Act("open"),
    lambda _random, _workers: Act("close"),
)
