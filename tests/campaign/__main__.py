"""`make campaign ARGS="--seed 1 --runs 30 --seconds 60"`: one line for each run, and a sum.

Exit code 0 when every counter of every run is 0, 1 otherwise. With --mutate 0 when the checker
reports faults in most of the runs.
"""

import argparse
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from tests.campaign.mutant import MUTATIONS
from tests.campaign.outcome import Outcome, told
from tests.campaign.run import plan, plan_mutant, run


def main() -> int:
    """Run the campaign that the arguments ask for."""
    parser = argparse.ArgumentParser(prog="make campaign", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="of the first run; rises by 1")
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=60.0, help="of events, at least")
    parser.add_argument("--side-by-side", type=int, default=1, help="runs at a time")
    parser.add_argument("--keep", type=Path, help="keep logs and data of each run in here")
    parser.add_argument("--mutate", choices=MUTATIONS, help="switch a rule off: it must be seen")
    asked = parser.parse_args()
    seeds = range(asked.seed, asked.seed + asked.runs)
    for kept in (kept_in(asked, seed) for seed in seeds):
        if kept is not None and kept.exists():
            parser.error(f"--keep: {kept} is there already: name another directory")
    with ThreadPoolExecutor(asked.side_by_side) as runs:
        outcomes = list(runs.map(lambda seed: one_run(asked, seed), seeds))
    clean = sum(outcome.is_clean for outcome in outcomes)
    faults = sum((outcome.faults for outcome in outcomes), Counter[str]())
    reached = sum((outcome.reached for outcome in outcomes), Counter[str]())
    print(f"{clean} of {len(outcomes)} runs clean; {sum(faults.values())} faults: {told(faults)}")  # noqa: T201
    print(f"points: {told(reached)}")  # noqa: T201
    if asked.mutate:
        seen = sum(bool(outcome.wrong) for outcome in outcomes)
        print(f"without {MUTATIONS[asked.mutate].rule}: faults in {seen} of {asked.runs} runs")  # noqa: T201
        return 0 if 2 * seen > asked.runs else 1
    return 0 if clean == len(outcomes) else 1


def kept_in(asked: argparse.Namespace, seed: int) -> Path | None:
    """Say where a run keeps its logs and data; None when it need not."""
    return None if asked.keep is None else asked.keep / f"seed-{seed}"


def one_run(asked: argparse.Namespace, seed: int) -> Outcome:
    """Carry out one run and tell what came of it."""
    planned = (
        plan_mutant(seed, asked.seconds, asked.mutate)
        if asked.mutate
        else plan(seed, asked.seconds)
    )
    planned = replace(planned, directory=kept_in(asked, seed) or planned.directory)
    outcome = run(planned)
    mutate = f" --mutate {asked.mutate}" if asked.mutate else ""
    again = f'make campaign ARGS="--seed {seed} --seconds {asked.seconds:g}{mutate}"'
    print(f"seed {seed}: {outcome.line()} · {again}", flush=True)  # noqa: T201
    return outcome


if __name__ == "__main__":
    sys.exit(main())
