"""The scores as tables."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from statistics import fmean

import numpy as np

from benchmarks.segmentation.score import Score

HEADINGS = (
    "ARI at the end",
    "same-id accuracy",
    "changes of steady users per 1,000 events",
    "switchers found",
    "median delay, days",
    "processor seconds",
)
HIGHER_IS_BETTER = {"ari": True, "same_id": True, "per_1000": False, "found": True,
                    "delay_days": False}  # fmt: skip
CEILING = "batch k-means with hindsight (the ceiling)"
SHOAL = "**Shoal**"

Scores = Mapping[str, Score]
"""Score by system."""


def mean(scores: Sequence[Score]) -> Score:
    """The mean of each column over populations; those without switchers do not count there."""
    columns = {
        field.name: [value for score in scores if np.isfinite(value := getattr(score, field.name))]
        for field in fields(Score)
    }
    return Score(**{name: fmean(values or [np.nan]) for name, values in columns.items()})


def means(populations: Mapping[str, Scores]) -> dict[str, Score]:
    """The mean of each system."""
    systems = next(iter(populations.values()))
    return {name: mean([scores[name] for scores in populations.values()]) for name in systems}


def markdown(scores: Scores, first: str = "system") -> str:
    """A table with a row per system."""
    lines = [f"| {first} | {' | '.join(HEADINGS)} |", f"|---{'|---' * len(HEADINGS)}|"]
    lines += [f"| {name} | {' | '.join(_cells(score))} |" for name, score in scores.items()]
    return "\n".join(lines) + "\n"


def per_population(populations: Mapping[str, Scores]) -> str:
    """A table per population."""
    return "\n".join(f"## {name}\n\n{markdown(scores)}" for name, scores in populations.items())


def _cells(score: Score) -> list[str]:
    return [
        f"{score.ari:.3f}",
        f"{score.same_id:.3f}",
        f"{score.per_1000:.2f}" if score.per_1000 < 10 else f"{score.per_1000:.0f}",
        "–" if np.isnan(score.found) else f"{score.found:.1%}",
        "–" if np.isnan(score.delay_days) else f"{score.delay_days:.0f}",
        f"{score.seconds:.1f}",
    ]


def shortfalls(average: Scores) -> list[str]:
    """What the table must show and does not.

    Args:
        average: Of every system.

    Returns:
        A sentence for each line missed; empty when all hold.
    """
    shoal = average[SHOAL]
    found = []
    if shoal.ari < average[CEILING].ari - 0.03:
        found.append(f"ARI {shoal.ari:.3f} is more than .03 below {average[CEILING].ari:.3f}")
    if shoal.same_id < 0.93:
        found.append(f"same-id accuracy {shoal.same_id:.3f} is below .93")
    if shoal.per_1000 > 0.5:
        found.append(f"{shoal.per_1000:.2f} changes of steady users per 1,000 events are above .5")
    if shoal.found < 0.97:
        found.append(f"{shoal.found:.1%} of the switchers found are below 97 %")
    for name, score in average.items():
        better = beaten(score, shoal)
        if name not in {SHOAL, CEILING} and len(better) > 1:
            found.append(f"{name} is better in {', '.join(better)}")
    return found


def beaten(score: Score, shoal: Score) -> list[str]:
    """The columns in which a system is better than Shoal; seconds are no quality."""
    one, other = asdict(score), asdict(shoal)
    return [
        column
        for column, higher in HIGHER_IS_BETTER.items()
        if (one[column] > other[column] if higher else one[column] < other[column])
    ]
