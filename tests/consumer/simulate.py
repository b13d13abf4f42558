"""`make simulate`: thousands of worker lives on services in memory, everything going wrong by lot.

python -m tests.consumer.simulate --seeds 2000                 so many simulations
python -m tests.consumer.simulate --seed 17                    one of them; if it fails, cut down
python -m tests.consumer.simulate --mutations                  seeds until each left-out rule shows
python -m tests.consumer.simulate --seed 17 --mutation torn_commits
"""

import argparse
import contextlib
import gc
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context

from tests.consumer.simulated.mutations import MUTATIONS, SECOND_LINE
from tests.consumer.simulated.schedule import Schedule, schedule_of
from tests.consumer.simulated.shrinking import failure_of, shrunk
from tests.consumer.simulated.stand_ins import services_in_memory
from tests.consumer.simulated.verdict import simulate

COMMAND = "python -m tests.consumer.simulate"
MUTATION_SEEDS = 1_000
SHARE = 50  # seeds that a process takes at a time


def main() -> int:
    """Run what the arguments ask for; exit code 1 when a promise is broken."""
    parser = argparse.ArgumentParser(prog=COMMAND, description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=2_000, help="how many simulations")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--seed", type=int, help="only this one, with the workers' log")
    parser.add_argument("--mutation", choices=MUTATIONS, help="leave a rule of the protocol out")
    parser.add_argument(
        "--mutations", action="store_true", help="tell how many seeds each mutation survives"
    )
    wanted = parser.parse_args()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
    if wanted.mutations:
        return try_mutations()
    mutation = MUTATIONS[wanted.mutation]() if wanted.mutation else contextlib.nullcontext()
    with mutation:
        if wanted.seed is not None:
            return show(wanted.seed)
        return run(range(wanted.first, wanted.first + wanted.seeds))


def say(line: object) -> None:
    """Write a line of the result."""
    print(line, flush=True)  # noqa: T201 -- this is a command


@dataclass(frozen=True)
class Share:
    """What one process found in its share of the seeds; `failure` is the report of the first."""

    struck: Counter[tuple[str, str]]
    passed: int
    cpu_s: float
    failure: str = ""


def run(seeds: range) -> int:
    """Run many, on all cores; stop at the first that fails."""
    started_s = time.perf_counter()
    shares: list[Share] = []
    parts = [seeds[first : first + SHARE] for first in range(0, len(seeds), SHARE)]
    with ProcessPoolExecutor(mp_context=get_context("fork")) as processes:
        for share in processes.map(run_share, parts):
            shares.append(share)
            if share.failure:
                processes.shutdown(cancel_futures=True)
                say(share.failure)
                return 1
    struck = sum((share.struck for share in shares), Counter[tuple[str, str]]())
    for (effect, fault), times in sorted(struck.items()):
        say(f"{times:7,}  {effect}{': ' if fault else ''}{fault}")
    seconds, cpu_s = time.perf_counter() - started_s, sum(share.cpu_s for share in shares)
    say(
        f"{len(seeds):,} seeds in {seconds:.1f} s ({cpu_s:.1f} s of one core), "
        f"{sum(share.passed for share in shares):,} effects, "
        f"{struck.total():,} faults of {len(struck)} kinds; every promise held"
    )
    return 0


def run_share(seeds: range) -> Share:
    """Run some, in a process of their own."""
    struck, passed = Counter[tuple[str, str]](), 0
    started_cpu_s = time.process_time()
    with services_in_memory():
        for seed in seeds:
            schedule = schedule_of(seed)
            try:
                world = simulate(schedule)
            except Exception as error:  # noqa: BLE001 -- whatever it is, it is to be shown
                return Share(struck, passed, 0.0, report(schedule, error))
            struck += world.faults.struck
            passed += world.faults.passed.total()
    return Share(struck, passed, time.process_time() - started_cpu_s)


def show(seed: int) -> int:
    """Run one; if it fails, cut it down and show what is left."""
    schedule = schedule_of(seed)
    with services_in_memory():
        error = failure_of(schedule)
        if error is not None:
            say(report(schedule, error))
            return 1
    say(schedule)
    say(f"seed {seed}: every promise held")
    return 0


def report(schedule: Schedule, error: Exception) -> str:
    """Say what failed, the smallest schedule that fails, and how to see it again."""
    smallest = shrunk(schedule)
    return "\n".join(
        [
            f"seed {schedule.seed} fails: {type(error).__name__}: {error}",
            f"cut down from {schedule.size} to {smallest.size}:",
            str(smallest),
            f"  {type(last := failure_of(smallest)).__name__}: {last}",
            f"again: {COMMAND} --seed {schedule.seed}",
        ]
    )


def seeds_until_found(mutation: str, seeds_max: int) -> int | None:
    """Give the number of seeds after which a left-out rule shows; None if it does not."""
    with MUTATIONS[mutation](), services_in_memory():
        for seed in range(seeds_max):
            if failure_of(schedule_of(seed)) is not None:
                return seed + 1
    return None


def try_mutations() -> int:
    """Tell for each mutation after how many seeds it is found (a second line of defence: never)."""
    missed = 0
    for name in MUTATIONS:
        found = seeds_until_found(name, MUTATION_SEEDS)
        missed += (found is None) != (name in SECOND_LINE)
        say(f"{name.replace('_', ' '):40} {found or f'not within {MUTATION_SEEDS}'}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
