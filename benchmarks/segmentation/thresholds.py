"""How the learner's health figures spread on good populations.

    python -m benchmarks.segmentation.thresholds

Prints, for each population, the figure furthest towards its threshold over the whole stream. A
threshold must lie beyond all of them, and this side of what the faults in `tests/segments` do.
"""

import sys

import numpy as np

from benchmarks.segmentation.pipeline import Shoal
from benchmarks.segmentation.populations import POPULATIONS, PopulationSpec
from benchmarks.segmentation.stream import Looks, trace
from segments.health import Health
from segments.learner import LearnerSettings

SAMPLES_BETWEEN = 20  # the bias is looked at that often
RELEASES_BETWEEN = 8  # the other figures, which change slowly


class Watched(Shoal):
    """Shoal, with its health noted down."""

    def __init__(self, users: int, settings: LearnerSettings) -> None:
        super().__init__(users, settings)
        self.seen: list[Health] = []
        self.bias = [0.0]

    def look(self, looks: Looks) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        before = len(self.releases)
        labels = super().look(looks)
        for health in [self._learner.health] if self.releases and looks.fresh.any() else []:
            assert health is not None
            self.bias.append(max(map(abs, health.bias)))
            if len(self.releases) // RELEASES_BETWEEN > before // RELEASES_BETWEEN:
                self.seen.append(health)
        return labels


def extremes(spec: PopulationSpec) -> list[str]:
    """Run one population; give the cells of its row."""
    followed = trace(spec)
    shoal = Watched(followed.persona.shape[1], LearnerSettings(segments=spec.personas))
    for looks in followed.looks:
        shoal.look(looks)
    flips = [release.flip_share for release in shoal.releases]
    held = sum(release.held for release in shoal.releases)
    return [
        spec.name,
        shoal.releases[-1].version,
        f"{max(shoal.bias):.2f}",
        f"{max(health.spread for health in shoal.seen):.2f}",
        f"{max(max(health.displacement) for health in shoal.seen):.2f}",
        f"{min(min(health.starving) for health in shoal.seen):.2f}",
        f"{min(min(health.separation) for health in shoal.seen):.1f}",
        f"{max(health.gated for health in shoal.seen):.3f}",
        f"{sum(health.changing for health in shoal.seen)}/{len(shoal.seen)}",
        f"{max(flips):.2%}",
        f"{held}",
    ]


HEADER = (
    "population", "version", "bias", "spread", "displaced", "starving", "apart", "gated",
    "ADWIN", "flips", "held",
)  # fmt: skip

if __name__ == "__main__":
    print(" | ".join(HEADER))
    for population in POPULATIONS:
        if len(sys.argv) < 2 or population.name in sys.argv[1:]:
            print(" | ".join(extremes(population)), flush=True)
