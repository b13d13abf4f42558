"""Users who never change, learning on: how many does each release move, and how many move between?

python -m benchmarks.segmentation.static [--releases N] [--write]
"""

import argparse
import sys

from benchmarks.segmentation import document
from benchmarks.segmentation.populations import PopulationSpec
from benchmarks.segmentation.still import still
from segments.agreement import adjusted_rand_index

SPREADS = (1.0, 1.3, 1.6)
SEED = 31
USERS = 2000
DAYS = 28
BUDGET = 0.01


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--releases", type=int, default=50)
    parser.add_argument("--write", action="store_true", help="into docs/segmentation.md")
    options = parser.parse_args()
    lines = [
        f"{USERS} users as they are after {DAYS} days, seed {SEED}, {options.releases} releases.",
        "",
        "| spread | ARI | most users moved by a release | mean | between releases | held |",
        "|---|---|---|---|---|---|",
    ]
    kept = True
    for spread in SPREADS:
        line, fine = row(spread, options.releases)
        lines.append(line)
        kept &= fine
        print(line, flush=True)
    if options.write:
        document.write("static", "\n".join(lines))
    return not kept


def row(spread: float, releases: int) -> tuple[str, bool]:
    spec = PopulationSpec(
        name="static", seed=SEED, users=USERS, days=DAYS, spread=spread, switchers=0.0
    )
    world, persona = still(spec, SEED)
    held = 0
    while len(world.flips) < releases:
        before = len(world.releases)
        world.live(100)
        held += sum(release.held for release in world.releases[before:])
    most, n = max(world.flips) / USERS, len(world.flips)
    ari = adjusted_rand_index(persona, world.segment)
    cells = (f"{spread}", f"{ari:.3f}", f"{most:.2%}", f"{sum(world.flips) / USERS / n:.3%}",
             f"{world.between}", f"{held}")  # fmt: skip
    return f"| {' | '.join(cells)} |", most <= BUDGET and world.between == 0


if __name__ == "__main__":
    sys.exit(main())
