"""What the trainer does with each sample, without any I/O.

    collecting ──first model──▶ refining ──release──▶ refining …

Everything is a function of the settings and the samples in order: two learners that read the
same log release the same models bit for bit, and one that resumes from a release and reads on
from its `sample_offset` continues as if it had never stopped.
"""

import msgspec

from features.catalogue import catalogue_fingerprint
from segments.collecting import Collecting
from segments.model import SegmentModel
from segments.refining import Refining
from segments.samples import Sample
from segments.settings import LearnerSettings

__all__ = ["Learner", "LearnerSettings"]


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
