"""What the trainer does with each sample, without any I/O.

    collecting ──bootstrap──▶ refining ──every release──▶ refining …

Everything is a function of the settings and the samples in order: two learners that read the
same log release the same models bit for bit, and one that resumes from a release and reads on
from its `sample_offset` continues as if it had never stopped.
"""

from dataclasses import dataclass, field

import msgspec
import numpy as np

from features.catalogue import MODEL_FEATURES, catalogue_fingerprint
from segments.bootstrap import bootstrap
from segments.collector import Collector
from segments.errors import NotEnoughSamples
from segments.kmeans import OnlineKMeans
from segments.model import CompiledModel, SegmentModel
from segments.names import Name, name_segments
from segments.samples import Sample
from segments.structure import SEGMENTS_DEFAULT, SEGMENTS_MAX

DAY_MS = 86_400_000


@dataclass(frozen=True, kw_only=True)
class LearnerSettings:
    """How to learn. Figures behind the defaults: docs/segmentation.md.

    Attributes:
        segments: How many segments, or None for the largest stable number in 3…12.
        features: The features to tell users apart by.
        seed: Of the bootstrap's random starts.
        bootstrap_users: Distinct mature users at which the first model is made at once.
        bootstrap_users_per_segment: Distinct users per segment that are enough after the wait.
        bootstrap_days: What "mature" and "the wait" mean: days of observation behind a vector,
            and days of stream time since the first sample.
        step_size: How far a sample pulls its centroid.
        gate_factor: A sample farther than this times the running mean of the squared distance
            is not learnt.
        gate_step: How fast that mean follows.
        release_samples: Accepted samples after which a version is released.
        release_ms: Stream time after which one is released earlier …
        release_samples_min: … if it has at least so many accepted samples. In a replay of
            history 30 s of stream time pass between any two samples, and a version a sample
            would flood the models topic: at 3 KB a version this bounds it to 60 bytes a sample.
    """

    segments: int | None = SEGMENTS_DEFAULT
    features: tuple[str, ...] = MODEL_FEATURES
    seed: int = 0
    bootstrap_users: int = 1000
    bootstrap_users_per_segment: int = 20
    bootstrap_days: float = 7.0
    step_size: float = 0.01
    gate_factor: float = 4.0
    gate_step: float = 0.01
    release_samples: int = 500
    release_ms: int = 30_000
    release_samples_min: int = 50

    def users_after_wait(self) -> int:
        """Distinct users that are enough once `bootstrap_days` have passed."""
        return self.bootstrap_users_per_segment * (self.segments or SEGMENTS_MAX)


class Learner:
    """The state machine of the trainer.

    Attributes:
        model: The newest release, None while collecting.
    """

    def __init__(self, settings: LearnerSettings, model: SegmentModel | None) -> None:
        """Use `fresh` or `resume`."""
        self.model = model
        self._catalogue = catalogue_fingerprint()
        self._settings = settings
        self._learnt: dict[int, int] = dict(model.learnt) if model else {}
        self._newest_ms = model.released_ms if model else 0
        self._state = Refining(model, settings) if model else Collecting(settings)

    @classmethod
    def fresh(cls, settings: LearnerSettings) -> "Learner":
        """Begin without a model, at the start of the sample log."""
        return cls(settings, None)

    @classmethod
    def resume(cls, model: SegmentModel, settings: LearnerSettings) -> "Learner":
        """Go on from a release; the next sample to give is the one at its `sample_offset`."""
        return cls(settings, model)

    @property
    def collected(self) -> int:
        """Distinct users waiting for the bootstrap; 0 once there is a model."""
        return len(self._state.users) if isinstance(self._state, Collecting) else 0

    def learn(self, sample: Sample, offset: int) -> list[SegmentModel]:
        """Take the next sample.

        Args:
            sample: The sample. One of another feature catalogue, or at or below the highest
                source offset seen of its partition, changes nothing.
            offset: Its offset in the samples topic, rising.

        Returns:
            The releases due now, in order: none or one.
        """
        if sample.catalogue != self._catalogue:
            return []
        if sample.source_offset <= self._learnt.get(sample.partition, -1):
            return []
        self._learnt[sample.partition] = sample.source_offset
        self._newest_ms = max(self._newest_ms, sample.stream_ms)
        version = self._state.learn(sample, self._newest_ms)
        return [] if version is None else self._release(version, offset)

    def _release(self, version: SegmentModel, offset: int) -> list[SegmentModel]:
        """Give a version its place in the sample log and make it the newest.

        The one way out for every version: a gate that holds back one which would move too many
        users belongs here, and answers with an empty list.
        """
        self.model = msgspec.structs.replace(
            version,
            released_ms=self._newest_ms,
            sample_offset=offset + 1,
            learnt=dict(self._learnt),
        )
        if isinstance(self._state, Refining):
            self._state.base = self.model
        else:
            self._state = Refining(self.model, self._settings)
        return [self.model]


@dataclass
class Collecting:
    """Before the first model: wait until the users collected are enough to found one."""

    settings: LearnerSettings
    users: Collector = field(default_factory=Collector)
    first_ms: int | None = None
    retry_at: int = 0  # users to wait for after a bootstrap found nothing to tell them apart by

    def learn(self, sample: Sample, newest_ms: int) -> SegmentModel | None:
        """Take a sample; answer with the first model when there is enough."""
        if self.first_ms is None:
            self.first_ms = newest_ms
        self.users.add(sample, self.settings.bootstrap_days)
        mature_only = self._ready(newest_ms - self.first_ms)
        if mature_only is None or len(self.users) < self.retry_at:
            return None
        values, evidence = self.users.vectors(mature_only=mature_only)
        rng = np.random.default_rng(self.settings.seed)
        try:
            return bootstrap(values, evidence, self.settings.segments, rng, self.settings.features)
        except NotEnoughSamples:
            self.retry_at = len(self.users) + len(self.users) // 10 + 1
            return None

    def _ready(self, waited_ms: int) -> bool | None:
        """Whether to found the model: on the mature users (True), on all (False), not yet."""
        if self.users.mature() >= self.settings.bootstrap_users:
            return True
        if waited_ms < self.settings.bootstrap_days * DAY_MS:
            return None
        enough = self.settings.users_after_wait()
        if len(self.users) < enough:
            return None
        return self.users.mature() >= enough


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

    def learn(self, sample: Sample, newest_ms: int) -> SegmentModel | None:
        """Learn a sample unless it lies too far out; answer with a version when one is due."""
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
            centroids=centroids,
            counts=tuple(self._counts.values()),
            names=tuple(name.text for name in names),
            named_by=tuple(name.traits for name in names),
            gate=self._gate,
            samples=self._samples,
            gated=self._gated,
        )
