"""What the split of a budget brings, counted with what is really true of synthetic people.

    python -m benchmarks.bench_campaigns [--seeds N] [--users N] [--events N]

Per seed: 28 days of synthetic people are folded and segmented as a worker and a trainer would do,
a plan is made from what they did, and each split is paid out at the people's true rates: a
segment's impressions fall evenly on its people. "true rates" is the split by somebody who knows
them: more is not to be had. Lifts are of sums over all seeds; coverage is the share of segments
whose true value lies in the plan's 95 % interval.
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np

from features.catalogue import MODEL_FEATURES
from features.columns import build_columns
from features.fold import fold
from features.slab import Slab
from features.tiles import DAY_MS
from producer.synthetic import SyntheticSettings, SyntheticStream
from segments.assignment import nearest_rows
from segments.bootstrap import bootstrap
from segments.model import NO_SEGMENT, CompiledModel, SegmentModel
from shoal.campaigns.plan import Conditions, Plan, make_plan
from shoal.campaigns.rates import Floats
from shoal.campaigns.split import Market, best_split
from shoal.campaigns.targets import targets
from shoal.report.population import PopulationBuilder, ReportPopulation

CPM = 5.0
CAP = 10
MIN_SHARE = 0.05
SEGMENTS = 6
EVENTS_MIN = 5
BUDGETS = (0.25, 0.5, 0.75)  # of what the caps leave room for
BATCH = 20_000


@dataclass(frozen=True)
class Outcome:
    """True conversions of the splits of one plan, and how good its intervals are."""

    conversions: dict[str, float]
    covered_clicks: list[bool]
    covered_conversions: list[bool]


def people_of(
    seed: int, users: int, events: int
) -> tuple[ReportPopulation, SegmentModel, dict[str, dict[str, float]]]:
    """Fold a stream and segment its people; give their true rates by user id."""
    stream = SyntheticStream(
        SyntheticSettings(users=users, events=events, seed=seed, days=28, drift=0, switchers=0)
    )
    slab = Slab(users)
    slots: dict[str, int] = {}
    stream_ms = 0
    records = stream.events()
    while batch := list(islice(records, BATCH)):
        rows = [slots.setdefault(timed.event.user_id, len(slots)) for timed in batch]
        times = np.maximum.accumulate([stream_ms, *(timed.record_ms for timed in batch)])[1:]
        fold(slab, build_columns([t.event for t in batch], rows, times, slab.interests))
        stream_ms = int(times[-1])
    builder = PopulationBuilder(stream_ms // DAY_MS * DAY_MS + DAY_MS - 1)
    builder.add(slab, np.arange(len(slots)), list(slots))
    people = builder.build()
    chosen = np.flatnonzero(people.applied >= EVENTS_MIN)
    model = bootstrap(
        people.values[chosen],
        people.evidence[chosen],
        SEGMENTS,
        np.random.default_rng(seed),
        MODEL_FEATURES,
    )
    compiled = CompiledModel(model)
    z = compiled.scaling.project(people.values[chosen], people.evidence[chosen])
    people.segment[...] = NO_SEGMENT
    people.segment[chosen] = compiled.ids[nearest_rows(z, compiled.centroids)]
    return people, model, {user.user_id: user.rates for user in stream.truth()}


def outcomes(seed: int, users: int, events: int) -> Iterator[Outcome]:
    """Pay the splits out at the true rates, one budget after the other."""
    people, model, truth = people_of(seed, users, events)
    ctr = np.array([truth[user]["ctr"] for user in people.user_ids])
    worth = ctr * np.array([truth[user]["conversion_rate"] for user in people.user_ids])
    audiences = targets(people, model, demographics=False)
    reach = np.array([one.reach for one in audiences], np.float64)
    market = Market(reach, np.full(len(reach), CPM / 1000), CAP)
    true_ctr = _by_segment(people, model, ctr)
    true_worth = _by_segment(people, model, worth)
    for share in BUDGETS:
        budget = share * float(market.room.sum())
        want = Conditions(
            budget=budget, cpm={None: CPM}, frequency_cap=CAP, min_share=MIN_SHARE, fatigue=1.0
        )
        plan = make_plan(audiences, want, demographics=False)
        spends = {
            name: np.array([getattr(plan, name).spend.get(number, 0.0) for number in model.ids])
            for name in ("best", "equal", "proportional")
        }
        spends["true rates"] = best_split(market, true_worth, budget, MIN_SHARE)
        yield Outcome(
            {
                name: float(true_worth @ market.fresh_impressions(spend))
                for name, spend in spends.items()
            },
            _covered(plan, model, true_ctr, "clicks_per_1000"),
            _covered(plan, model, true_worth, "conversions_per_1000"),
        )


def _by_segment(people: ReportPopulation, model: SegmentModel, values: Floats) -> Floats:
    """Mean over the people of each segment."""
    return np.array([values[people.segment == number].mean() for number in model.ids])


def _covered(plan: Plan, model: SegmentModel, truth: Floats, figure: str) -> list[bool]:
    """Whether each segment's true value lies in the plan's interval."""
    true_of = dict(zip(model.ids, 1000 * truth, strict=True))
    ranges = {one.id: getattr(one, figure) for one in plan.segments}
    return [found.low <= true_of[number] <= found.high for number, found in ranges.items()]


def main() -> None:
    """Print the sums and lifts per budget."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--users", type=int, default=1500)
    parser.add_argument("--events", type=int, default=90_000)
    options = parser.parse_args()
    found = [list(outcomes(s, options.users, options.events)) for s in range(options.seeds)]
    ways = tuple(found[0][0].conversions)
    print(f"{options.seeds} seeds, {options.users} people, {options.events} events each")
    print("budget  " + "".join(f"{way:>14}" for way in ways) + "   over equal  over proportional")
    for number, share in enumerate(BUDGETS):
        sums = {way: sum(one[number].conversions[way] for one in found) for way in ways}
        won = {
            way: sum(o[number].conversions["best"] >= o[number].conversions[way] for o in found)
            for way in ("equal", "proportional")
        }
        lifts = "".join(
            f"{sums['best'] / sums[way] - 1:>+10.1%} ({won[way]}/{len(found)})" for way in won
        )
        print(
            f"{share:>6.0%}  "
            + "".join(f"{sums[way] / len(found):>14.2f}" for way in ways)
            + f"  {lifts}"
        )
    for name in ("covered_clicks", "covered_conversions"):
        covered = [hit for one in found for hit in getattr(one[0], name)]
        print(f"{name}: {np.mean(covered):.1%} of {len(covered)} segments")


if __name__ == "__main__":
    main()
