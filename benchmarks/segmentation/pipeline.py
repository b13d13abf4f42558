"""Shoal as it runs: samples to the learner, its releases to the workers, hysteresis, sweeps.

The product's own code with its default settings; only Kafka and Redis are missing. Workers take the
newest release at a batch boundary, here the end of two hours.
"""

import numpy as np

from benchmarks.segmentation.score import NOBODY
from benchmarks.segmentation.stream import Ints, Looks
from consumer.step import BATCH_WEIGHT, SWEEP_WEIGHT
from features.catalogue import catalogue_fingerprint
from features.events import event_id_hash
from producer.truth import user_id
from segments.assignment import assign
from segments.learner import Learner, LearnerSettings
from segments.model import NO_SEGMENT, CompiledModel, SegmentModel
from segments.samples import Sample


class Shoal:
    """The trainer and a worker.

    Attributes:
        releases: Every model released, in order.
    """

    name = "**Shoal**"

    def __init__(self, users: int, settings: LearnerSettings) -> None:
        self.releases: list[SegmentModel] = []
        self._learner = Learner.fresh(settings)
        self._model: CompiledModel | None = None
        self._segment = np.full(users, NO_SEGMENT, np.int32)
        self._candidate = np.full(users, NO_SEGMENT, np.int32)
        self._count = np.zeros(users, np.uint8)
        self._hashes = [event_id_hash(user_id(user)) for user in range(users)]
        self._catalogue = catalogue_fingerprint()
        self._samples = 0

    def look(self, looks: Looks) -> Ints:
        """Assign, then learn.

        Returns:
            int64[n], each user's segment after the look.
        """
        labels = np.full(len(looks.user), NOBODY)
        if self._model is not None:
            weight = SWEEP_WEIGHT if looks.sweep else BATCH_WEIGHT
            z = self._model.scaling.project(looks.values, looks.evidence)
            for rows in looks.turns():
                labels[rows] = self._assign(self._model, looks.user[rows], z[rows], weight)
        for row in np.flatnonzero(looks.fresh).tolist():
            self._learn(looks, row)
        return labels

    def _assign(
        self, model: CompiledModel, users: Ints, z: np.ndarray, weight: int
    ) -> np.ndarray[tuple[int], np.dtype[np.int32]]:
        outcome = assign(
            z, model, self._segment[users], self._candidate[users], self._count[users],
            weight=weight,
        )  # fmt: skip
        self._segment[users] = outcome.segment
        self._candidate[users] = outcome.candidate
        self._count[users] = outcome.candidate_count
        return outcome.segment

    def _learn(self, looks: Looks, row: int) -> None:
        sample = Sample(
            catalogue=self._catalogue,
            partition=0,
            source_offset=int(looks.offset[row]),
            user_hash=self._hashes[int(looks.user[row])],
            stream_ms=looks.stream_ms,
            values=looks.values[row].tolist(),
            evidence=looks.evidence[row].tolist(),
        )
        for release in self._learner.learn(sample, self._samples):
            self.releases.append(release)
            self._model = CompiledModel(release)
        self._samples += 1
