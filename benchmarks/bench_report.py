"""What the report says of synthetic people against what is true of them, over many seeds.

    python -m benchmarks.bench_report [--seeds 20] [--users 1200] [--events 60000]

For each segment: is its most distinguishing feature one of its persona's own, is its foremost
interest the persona's, and do the intervals of CTR and conversion rate hold the true rates?
"""

import argparse

from producer.synthetic import SyntheticSettings
from shoal.report.profiling import make_report
from tests.shoal.report.synthetic import synthetic_state
from tests.shoal.report.truths import Score, score


def main() -> None:
    options = _options()
    total = Score()
    for seed in range(options.seeds):
        state = synthetic_state(
            SyntheticSettings(users=options.users, events=options.events, seed=seed, days=27)
        )
        people = state.people
        found = score(make_report(people, state.model), people, state.truth)
        total.add(found)
        print(f"seed {seed:2}: {found}", flush=True)
    n = total.segments
    print(
        f"{n} segments: top feature {total.top_features / n:.1%} (the strongest itself "
        f"{total.strictly / n:.1%}), top interest {total.top_interests / n:.1%} (the first itself "
        f"{total.strict_interests / n:.1%}; aim: 90 %); "
        f"{total.covered} of {total.intervals} intervals hold the true rate: "
        f"{total.covered / total.intervals:.1%} (aim: 93 %)"
    )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bench_report")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--users", type=int, default=1_200)
    parser.add_argument("--events", type=int, default=60_000)
    return parser.parse_args()


if __name__ == "__main__":
    main()
