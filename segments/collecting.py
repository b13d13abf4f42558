"""Before the first model: collect vectors until they are enough to found one."""

import numpy as np

from features.tiles import DAY_MS
from segments.bootstrap import bootstrap
from segments.collector import Collector
from segments.errors import NotEnoughSamples
from segments.model import SegmentModel
from segments.samples import Sample
from segments.settings import LearnerSettings

# A partition may be idle or hold no user at all. After so many samples from those that have
# passed the wait, the others are not waited for any longer.
LAGGARD_SAMPLES = 5_000


class Collecting:
    """Before the first model: wait until the users collected are enough to found one.

    Attributes:
        users: Their latest vectors.
    """

    def __init__(self, settings: LearnerSettings) -> None:
        """Start empty."""
        self.users = Collector()
        self._settings = settings
        # Observed days count both ends, so users begin to be mature a day before the wait is over,
        # and it does not end on the few who come first: those whose profile makes them mature.
        self._wait = Wait(round(settings.bootstrap_days * DAY_MS), settings.partitions)
        self._retry_at = 0  # users to wait for after too few of them could be told apart

    def learn(self, sample: Sample, _newest_ms: int) -> SegmentModel | None:
        """Take a sample; answer with the first model when there is enough."""
        self.users.add(sample, self._settings.bootstrap_days)
        enough = self._settings.users_after_wait()
        waited = self._wait.over(sample) and len(self.users) >= enough
        mature = self.users.mature()
        if not waited and mature < self._settings.bootstrap_users:
            return None
        if len(self.users) < self._retry_at:
            return None
        # Vectors of a few days would freeze a scaling that nobody fits a week later, so they
        # found a model only where there are no others.
        values, evidence = self.users.vectors(mature_only=mature >= enough)
        rng = np.random.default_rng(self._settings.seed)
        try:
            return bootstrap(
                values, evidence, self._settings.segments, rng, self._settings.features
            )
        except NotEnoughSamples:
            self._retry_at = len(self.users) + len(self.users) // 10 + 1
            return None


class Wait:
    """Whether the stream has moved on far enough, in every partition."""

    def __init__(self, wait_ms: int, partitions: int) -> None:
        """Begin with the first sample."""
        self._wait_ms = wait_ms
        self._partitions = partitions
        self._first_ms: int | None = None
        self._newest_ms: dict[int, int] = {}
        self._patience = LAGGARD_SAMPLES

    def over(self, sample: Sample) -> bool:
        """Take the time of a sample; say whether the wait is over."""
        if self._first_ms is None:
            self._first_ms = sample.stream_ms
        seen = self._newest_ms.get(sample.partition, sample.stream_ms)
        self._newest_ms[sample.partition] = max(seen, sample.stream_ms)
        until_ms = self._first_ms + self._wait_ms
        arrived = sum(newest_ms >= until_ms for newest_ms in self._newest_ms.values())
        if arrived:
            self._patience -= 1
        return arrived >= self._partitions or (arrived > 0 and self._patience < 0)
