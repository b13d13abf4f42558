"""With a model: let each sample pull its centroid a little, and say when a release is due."""

import msgspec
import numpy as np

from features.catalogue import feature_index
from segments.kmeans import OnlineKMeans
from segments.model import CompiledModel, SegmentModel
from segments.names import Name, name_segments
from segments.samples import Sample
from segments.settings import LearnerSettings

ACTIVITY = feature_index("activity_24h")
BESIDE_MAX = 2.0  # deviations by which one sample counts in the bias at most


class Refining:
    """From one release to the next.

    Everything in it follows from the release and the samples since, so it is thrown away with
    every release and made anew, here or in a learner that resumes.

    Attributes:
        base: The newest release.
        compiled: The same as arrays.
        held: Versions that the flip budget has held back since.
        held_since_ms: Stream time of the first of them; None if there is none.
        flip_share: Share of the recent users that the last version looked at would move.
    """

    def __init__(self, model: SegmentModel, settings: LearnerSettings) -> None:
        """Go on from a release."""
        self.base = model
        self.compiled = CompiledModel(model)
        self.held = 0
        self.held_since_ms: int | None = None
        self.flip_share = 0.0
        self._settings = settings
        self._bias = list(model.bias) or [0.0] * len(model.features)
        self._gated = model.gated
        self._thinned = model.thinned
        self._forget()

    def _forget(self) -> None:
        """Go back to the release: what was learnt since is given up."""
        model = self.base
        self._kmeans = OnlineKMeans(model.ids, model.centroids, self._settings.step_size)
        self._counts = dict(zip(model.ids, model.counts, strict=True))
        self._gate = model.gate
        self._samples = model.samples
        self._unlearnt = True
        self._next_check = self._settings.release_samples

    @property
    def accepted(self) -> int:
        """Samples learnt since the release."""
        return self._samples - self.base.samples

    @property
    def bias(self) -> tuple[float, ...]:
        """D running means of how far samples lie beside their centroid, in deviations."""
        return tuple(self._bias)

    @property
    def shifted(self) -> bool:
        """Whether all samples lie beside the model in the same direction.

        A population that changes takes its centroids along. What does not wait for them is a
        change of a unit, or a fault of whoever measures.
        """
        return max(map(abs, self._bias)) > self._settings.bias_max

    def learn(self, sample: Sample, last_ms: int | None, *, doubted: bool = False) -> bool:
        """Learn a sample, unless its user has spoken lately or it cannot be believed.

        Args:
            sample: The sample.
            last_ms: Time of the user's sample before that was chosen; None without one.
            doubted: Whether the user's vector has jumped. It still tells whether all samples lie
                beside the model.

        Returns:
            Whether it was learnt.
        """
        if not chosen(sample, self._settings.samples_per_day) or self._spoke(sample, last_ms):
            self._thinned += 1
            return False
        z = self.compiled.scaling.project_one(sample.values, sample.evidence)
        segment, beside = self._kmeans.nearest(z)
        squared_distance = sum(difference**2 for difference in beside)
        limit = self._settings.gate_factor * self._gate
        believed = squared_distance <= limit
        if believed or doubted:  # if all jump, most of them may be beyond the gate
            self._follow_bias(beside)
        if self.shifted and not self._unlearnt:
            self._forget()
        if self.shifted or doubted:
            self._gated += 1
            return False
        if believed:
            self._kmeans.learn(z)
            self._counts[segment] += 1
            self._samples += 1
            self._unlearnt = False
        else:  # one bot could drag a centroid
            self._gated += 1
        # Clipped, so that outliers cannot quickly open the gate for themselves.
        self._gate += self._settings.gate_step * (min(squared_distance, limit) - self._gate)
        return believed

    def _spoke(self, sample: Sample, last_ms: int | None) -> bool:
        """Whether the user had a sample in the same slot of time.

        Slots and not a distance: someone who is sampled all day long is learnt once a slot, and
        not only the first time. Each user's slots begin at another time of the day.
        """
        slot_ms = self._settings.slot_ms
        if last_ms is None or not slot_ms:
            return False
        shift_ms = sample.user_hash % slot_ms
        return (last_ms + shift_ms) // slot_ms >= (sample.stream_ms + shift_ms) // slot_ms

    def _follow_bias(self, beside: list[float]) -> None:
        step = self._settings.bias_step
        self._bias = [
            mean + step * (max(-BESIDE_MAX, min(BESIDE_MAX, difference)) - mean)
            for mean, difference in zip(self._bias, beside, strict=True)
        ]

    def due(self, newest_ms: int) -> bool:
        """Whether a version should be released now."""
        if self.accepted >= self._next_check:
            return True
        waited_ms = newest_ms - self.base.released_ms
        return (
            not self.held
            and self.accepted >= self._settings.release_samples_min
            and waited_ms >= self._settings.release_ms
        )

    def passed(self, samples: int) -> bool:
        """Whether a multiple of so many accepted samples has been passed since the release."""
        return self._samples // samples > self.base.samples // samples

    def hold(self, newest_ms: int) -> None:
        """Note that the version now due is not released, and look again in a while."""
        self.held += 1
        self.held_since_ms = newest_ms if self.held_since_ms is None else self.held_since_ms
        self._next_check = self.accepted + self._settings.release_samples

    def next_minor(self, part: float = 1.0) -> SegmentModel:
        """The next version.

        Args:
            part: How far to go from the released to the learnt centroids.

        Returns:
            It, its place in the sample log not filled in.
        """
        base = self.base
        centroids = np.array(self._kmeans.centroids)
        if part < 1.0:
            centroids = self.compiled.centroids + part * (centroids - self.compiled.centroids)
        names = name_segments(
            base.ids,
            centroids,
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
            centroids=tuple(tuple(row) for row in centroids.tolist()),
            counts=tuple(self._counts.values()),
            names=tuple(name.text for name in names),
            named_by=tuple(name.traits for name in names),
            gate=self._gate,
            samples=self._samples,
            gated=self._gated,
            thinned=self._thinned,
            bias=self.bias,
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
