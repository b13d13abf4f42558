"""What sets a segment apart: the features in which its centroid lies furthest from the others."""

import math
from collections.abc import Sequence

from consumer.lookup import SegmentView

_SHOWN = 3


def telling_features(segments: Sequence[SegmentView]) -> dict[int, str]:
    """Give a line of the most telling features per segment id.

    Features have different units, so each is measured by its own spread over the segments,
    weighted by their sizes: how many standard deviations lies this centroid from the mean?
    """
    names = list(segments[0].centroid) if segments else []
    spreads = {name: _spread(name, segments) for name in names}
    lines = {}
    for segment in segments:
        deviations = {
            name: (segment.centroid[name] - mean) / deviation
            for name, (mean, deviation) in spreads.items()
            if name in segment.centroid and deviation > 0
        }
        strongest = sorted(deviations, key=lambda name: -abs(deviations[name]))[:_SHOWN]
        lines[segment.id] = ", ".join(
            f"{name} {segment.centroid[name]:.2g} {'▲' if deviations[name] > 0 else '▼'}"
            for name in strongest
        )
    return lines


def _spread(name: str, segments: Sequence[SegmentView]) -> tuple[float, float]:
    """Give mean and standard deviation of a feature over the users' segments."""
    found = [(s.centroid[name], max(s.size, 1)) for s in segments if name in s.centroid]
    total = sum(weight for _, weight in found)
    mean = sum(value * weight for value, weight in found) / total
    variance = sum(weight * (value - mean) ** 2 for value, weight in found) / total
    return mean, math.sqrt(variance)
