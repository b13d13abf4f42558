"""With a model: let each sample pull its centroid a little, and say when to release."""

import msgspec
import numpy as np

from features.catalogue import feature_index
from segments.kmeans import OnlineKMeans
from segments.model import CompiledModel, SegmentModel
from segments.names import Name, name_segments
from segments.samples import Sample
from segments.settings import LearnerSettings

ACTIVITY = feature_index("activity_24h")


class Refining:
    """With a model: each accepted sample pulls its centroid a little.

    Attributes:
        base: The newest release, from which the next one's samples and time count.
    """

    def __init__(self, model: SegmentModel, settings: LearnerSettings) -> None:
        """Go on from a release."""
        self.base = model
        self._settings = settings
        self._scaling = CompiledModel(model).scaling
        self._kmeans = OnlineKMeans(model.ids, model.centroids, settings.step_size)
        self._counts = dict(zip(model.ids, model.counts, strict=True))
        self._gate = model.gate
        self._samples = model.samples
        self._gated = model.gated
        self._thinned = model.thinned

    def learn(self, sample: Sample, newest_ms: int) -> SegmentModel | None:
        """Learn a sample unless it lies too far out; answer with a version when one is due."""
        if not chosen(sample, self._settings.samples_per_day):
            self._thinned += 1
            return None
        values, evidence = np.array([sample.values]), np.array([sample.evidence])
        (z,) = self._scaling.project(values, evidence).tolist()
        segment, squared_distance = self._kmeans.nearest(z)
        limit = self._settings.gate_factor * self._gate
        if squared_distance <= limit:
            self._kmeans.learn(z)
            self._counts[segment] += 1
            self._samples += 1
        else:  # one bot could drag a centroid
            self._gated += 1
        # Clipped, so that outliers cannot quickly open the gate for themselves.
        self._gate += self._settings.gate_step * (min(squared_distance, limit) - self._gate)
        return self._next_minor() if self._due(newest_ms) else None

    def _due(self, newest_ms: int) -> bool:
        """Whether a version should be released now."""
        accepted = self._samples - self.base.samples
        if accepted >= self._settings.release_samples:
            return True
        waited_ms = newest_ms - self.base.released_ms
        return (
            accepted >= self._settings.release_samples_min
            and waited_ms >= self._settings.release_ms
        )

    def _next_minor(self) -> SegmentModel:
        """The centroids as they are now, as the next version."""
        base = self.base
        centroids = self._kmeans.centroids
        names = name_segments(
            base.ids,
            np.array(centroids),
            base.features,
            dict(zip(base.ids, map(Name, base.names, base.named_by), strict=True)),
            base.renamed.values(),
        )
        return msgspec.structs.replace(
            base,
            minor=base.minor + 1,
            release="samples",
            order_id=None,
            restored=None,
            lineage=(),
            centroids=centroids,
            counts=tuple(self._counts.values()),
            names=tuple(name.text for name in names),
            named_by=tuple(name.traits for name in names),
            gate=self._gate,
            samples=self._samples,
            gated=self._gated,
            thinned=self._thinned,
        )


def chosen(sample: Sample, samples_per_day: float) -> bool:
    """Decide whether a sample speaks for its user today.

    Users are sampled every ten minutes in which they are active, so without this the centroids
    would follow the few who never leave. A sample is taken with probability `samples_per_day`
    ÷ the user's events of the last 24 hours, which makes every user's voice about equal, and
    needs no memory: the draw is a hash of where the sample came from.

    Args:
        sample: Any sample.
        samples_per_day: About how many samples of one user to take a day.

    Returns:
        The same answer for the same sample, always.
    """
    events = sample.values[ACTIVITY]
    mixed = (sample.user_hash ^ (sample.source_offset * 0x9E3779B97F4A7C15)) * 0xBF58476D1CE4E5B9
    mixed = (mixed ^ (mixed >> 32)) & 0xFFFFFFFFFFFFFFFF  # as in splitmix64
    draw = mixed / 2**64
    return not events > 1.0 or draw * events < samples_per_day  # "not >" takes NaN as well
