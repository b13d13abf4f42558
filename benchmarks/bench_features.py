"""What each step of the package ``features`` costs, without any service.

    python -m benchmarks.bench_features [--events N] [--users N] [--batch N]

Skewed traffic of 28 days: each step is timed on the last batches, when the states are full. The
budget of a step is what the throughput aimed at leaves for it; the least of several runs is
shown, since everything above it is somebody else's use of the machine.
"""

import argparse
import random
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import numpy as np

from features import codec
from features.columns import Columns, build_columns, event_times_ms
from features.events import Event, EventType, decode_event, encode_event
from features.fold import fold
from features.slab import Slab
from features.vector import vectors

SEED = 7
ROUNDS = 15
WARM_BATCHES = 5
SMALL = 10
DAYS = 28
START = datetime(2026, 11, 1, tzinfo=UTC)
TYPES: tuple[EventType, ...] = ("page_view", "ad_impression", "ad_click", "session", "reaction")
WEIGHTS = (40, 40, 6, 10, 4)
INTERESTS = [f"interest {i}" for i in range(30)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--users", type=int, default=1_000)
    parser.add_argument("--batch", type=int, default=8_000)
    options = parser.parse_args()
    payloads = payloads_of(options.events, options.users)
    events = [decode_event(payload) for payload in payloads]
    slab = Slab(options.users)
    past = events[: -options.batch]
    for start in range(0, len(past), options.batch):
        fold(slab, columns_of(slab, past[start : start + options.batch]))
    report(slab, payloads[-options.batch :], events[-options.batch :])


def payloads_of(count: int, users: int) -> list[bytes]:
    """Skewed traffic: few users do most of it, each has interests of its own."""
    rng = random.Random(SEED)
    return [
        encode_event(
            Event(
                event_id=f"{number:026d}",
                user_id=str(user := int(users * rng.random() ** 2)),
                type=rng.choices(TYPES, WEIGHTS)[0],
                timestamp=START + timedelta(days=DAYS * number / count),
                device=rng.choice(("mobile", "desktop")),
                interests=(INTERESTS[(user + rng.randrange(5)) % 30],) if number % 3 == 0 else (),
                duration_s=round(rng.expovariate(1 / 300) % 80_000 + 1, 1),
            )
        )
        for number in range(count)
    ]


def columns_of(slab: Slab, events: list[Event]) -> Columns:
    slots = [int(event.user_id) for event in events]
    time_ms = event_times_ms(events)
    stream_ms = np.maximum.accumulate(time_ms)
    return build_columns(events, slots, stream_ms, slab.interests, time_ms=time_ms)


def least_us(step: Callable[[], object], count: int) -> float:
    """Microseconds per item of the fastest run."""
    best = float("inf")
    for _ in range(ROUNDS):
        start = time.perf_counter()
        step()
        best = min(best, time.perf_counter() - start)
    return best * 1e6 / count


def fold_us(slab: Slab, events: list[Event]) -> float:
    """Microseconds per event of folding; each run needs states of before."""
    columns = columns_of(slab, events)
    slots = np.arange(slab.capacity)
    values = codec.encode(slab, slots)
    best = float("inf")
    for _ in range(ROUNDS):
        codec.decode(slab, slots, values)
        start = time.perf_counter()
        fold(slab, columns)
        best = min(best, time.perf_counter() - start)
    return best * 1e6 / len(events)


def report(slab: Slab, payloads: list[bytes], events: list[Event]) -> None:
    slots = np.arange(slab.capacity)
    as_of_ms = int(event_times_ms(events).max())
    folding, folding_small = fold_us(slab, events), fold_us(slab, events[-SMALL:])
    fold(slab, columns_of(slab, events))
    values = codec.encode(slab, slots)
    other = Slab(slab.capacity)
    n = len(slots)
    steps = [
        (
            "decode",
            "event",
            1.0,
            least_us(lambda: [decode_event(p) for p in payloads], len(events)),
        ),
        ("columns", "event", 1.0, least_us(lambda: columns_of(slab, events), len(events))),
        ("fold", "event", 0.8, folding),
        ("vectors", "user", 1.5, least_us(lambda: vectors(slab, slots, as_of_ms), n)),
        ("encode", "user", 1.5, least_us(lambda: codec.encode(slab, slots), n)),
        ("decode state", "user", 2.5, least_us(lambda: codec.decode(other, slots, values), n)),
        (f"fold a batch of {SMALL}", "batch", 400.0, folding_small * SMALL),
    ]
    print(f"{len(events)} events in a batch, {n} users, seed {SEED}")
    for name, unit, budget, took in steps:
        print(f"  {name:<20}{took:8.2f} µs per {unit:<6} (budget {budget:g})")
    sizes = np.array([len(value) for value in values])
    print(f"  state: mean {sizes.mean():.0f} bytes, greatest {sizes.max()} (budget 520, 2500)")


if __name__ == "__main__":
    main()
