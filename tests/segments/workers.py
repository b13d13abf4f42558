"""Everybody's segment, as workers keep it: all users are looked at with every release."""

from collections.abc import Iterable

import numpy as np

from segments.assignment import assign
from segments.learner import Learner
from segments.model import CompiledModel, SegmentModel
from segments.samples import Sample


class Workers:
    """Users whose vectors stay as they are.

    Attributes:
        segment: int32[n], where everybody is; −1 before the first release.
        moved: Users moved by each release after the first.
    """

    def __init__(self, values: np.ndarray, evidence: np.ndarray) -> None:
        self._values, self._evidence = values, evidence
        self.segment = np.full(len(values), -1, dtype=np.int32)
        self.moved: list[int] = []

    def look(self, release: SegmentModel) -> None:
        """Assign everybody, twice over: what would move them, moves them."""
        model = CompiledModel(release)
        n = len(self.segment)
        nobody, none = np.full(n, -1, dtype=np.int32), np.zeros(n, dtype=np.uint8)
        z = model.scaling.project(self._values, self._evidence)
        before = self.segment
        self.segment = assign(z, model, before, nobody, none, weight=2).segment
        if (before >= 0).all():
            self.moved.append(int((self.segment != before).sum()))

    def follow(self, learner: Learner, samples: Iterable[Sample], first: int = 0) -> int:
        """Feed a learner and take its releases; give the next offset."""
        offset = first
        for offset, sample in enumerate(samples, start=first):
            for release in learner.learn(sample, offset):
                self.look(release)
        return offset + 1
