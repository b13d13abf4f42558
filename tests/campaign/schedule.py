"""What goes wrong when: every kind of fault and every named point, in an order drawn by lot.

Pure: a seed gives the same schedule on every machine. What the faults meet there is not the same
twice, so a seed repeats the attack, not the race that it ran into.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Literal, get_args

from consumer.crash import POINTS

Kind = Literal[
    "worker killed",
    "worker killed at a point",
    "worker asleep at a point",
    "worker asleep",
    "worker joins",
    "worker leaves",
    "trainer killed",
    "redis killed",
    "redis loses its tail",
    "redis emptied",
    "redis frozen",
    "redis full",
    "redis read-only",
    "redis slow",
    "redis cut off",
    "broker killed",
    "broker frozen",
    "broker slow",
    "broker cut off",
    "refit ordered",
    "rollback ordered",
]
KINDS: tuple[Kind, ...] = get_args(Kind)
POINT_NAMES = tuple(one.name for one in POINTS)

# Where a sleeper holds something that its successor has taken over when it wakes up.
SLEEPING_POINTS = (
    "before the Redis commit",
    "after the Redis commit",
    "before the Kafka commit",
    "after the nonce",
)

# Nothing happens at first, so that there is something to lose, and at last, so that it is lost.
_QUIET_SHARE = 0.08

# How long a fault lasts, from … to, in seconds; the others are over at once. Sleepers sleep longer
# than the group's session (3 s), a frozen or slow Redis answers after its time-out (1 s).
_LASTS_S: dict[Kind, tuple[float, float]] = {
    "worker asleep": (4.0, 7.0),
    "worker asleep at a point": (5.0, 8.0),
    "redis frozen": (0.5, 3.0),
    "redis full": (1.0, 4.0),
    "redis read-only": (1.0, 4.0),
    "redis slow": (2.0, 4.0),
    "broker frozen": (1.0, 5.0),
    "broker slow": (2.0, 5.0),
    "redis killed": (0.0, 2.0),
    "redis loses its tail": (0.0, 1.0),
    "broker killed": (0.0, 2.0),
}


@dataclass(frozen=True)
class Fault:
    """One thing that goes wrong.

    Attributes:
        at_s: seconds after the start.
        kind: what it is.
        lot: 0 … 1, for whatever choice is left: which worker, how slow, how much is lost.
        lasts_s: how long.
        point: where, with the kinds that have a place; `name` or `name:passage`.
    """

    at_s: float
    kind: Kind
    lot: float
    lasts_s: float = 0.0
    point: str = ""


def schedule(
    seed: int,
    seconds: float,
    kinds: Sequence[Kind] = KINDS,
    points: Sequence[str] = POINT_NAMES,
    sleeping_points: Sequence[str] = SLEEPING_POINTS,
) -> list[Fault]:
    """Draw a schedule.

    Args:
        seed: of everything drawn.
        seconds: how long there is load.
        kinds: which kinds to choose from; each comes at least once.
        points: at which named points workers (and the trainer) are killed; each at least once.
        sleeping_points: at which of them workers fall asleep; likewise.

    Returns:
        The faults by their times.
    """
    random = Random(seed)
    planned = [(kind, "") for kind in kinds if not kind.endswith("at a point")]
    if "worker killed at a point" in kinds:
        planned += [("worker killed at a point", name) for name in points]
    if "worker asleep at a point" in kinds:
        planned += [("worker asleep at a point", name) for name in sleeping_points]
    # Room for more than once each: about one fault in 1.5 s, as workers need time to start.
    simple = [kind for kind, point in planned if not point]
    while simple and len(planned) < seconds / 1.5:
        planned.append((random.choice(simple), ""))
    random.shuffle(planned)
    first_s, last_s = seconds * _QUIET_SHARE, seconds * (1 - _QUIET_SHARE)
    times_s = sorted(random.uniform(first_s, last_s) for _ in planned)
    return [
        Fault(
            round(at_s, 2),
            kind,
            round(random.random(), 3),
            round(random.uniform(*_LASTS_S.get(kind, (0.0, 0.0))), 2),
            _passage(random, point),
        )
        for at_s, (kind, point) in zip(times_s, planned, strict=True)
    ]


def _passage(random: Random, point: str) -> str:
    """Choose which passage of a point that is passed with every batch."""
    if point == "after poll":
        return f"{point}:{random.randint(5, 40)}"
    if point.endswith(("Redis commit", "Kafka commit")):
        return f"{point}:{random.randint(1, 4)}"
    return point
