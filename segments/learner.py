"""What the trainer does with each sample, without any I/O.

    collecting ──first model──▶ refining ──release──▶ refining …

Everything is a function of the settings and the samples in order: two learners that read the
same log release the same models bit for bit, and one that resumes from a release and reads on
from its `sample_offset` continues as if it had never stopped.
"""

import msgspec
import numpy as np

from features.catalogue import catalogue_fingerprint
from features.tiles import DAY_MS
from segments.collecting import Collecting
from segments.errors import OrderRefused
from segments.model import SegmentModel
from segments.orders import Order
from segments.refining import Refining, chosen
from segments.refit import refit
from segments.rename import rename
from segments.rollback import roll_back
from segments.samples import Sample
from segments.settings import LearnerSettings
from segments.structure import SEGMENTS_MAX
from segments.window import Window

__all__ = ["Learner", "LearnerSettings"]

SEGMENTS_LEAST, SEGMENTS_MOST = 2, 100  # what an order may ask for


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
        self._window = Window(round(settings.window_days * DAY_MS))

    @classmethod
    def fresh(cls, settings: LearnerSettings) -> "Learner":
        """Begin without a model, at the start of the sample log."""
        return cls(settings, None)

    @classmethod
    def resume(cls, model: SegmentModel, settings: LearnerSettings) -> "Learner":
        """Go on from a release; the next sample to give is the one at its `resume_offset`.

        Samples below its `sample_offset` fill the window again and do nothing else.
        """
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
        if chosen(sample, self._settings.samples_per_day):
            self._window.trim(offset, self._newest_ms)
            self._window.add(sample, offset)
        if self.model is not None and offset < self.model.sample_offset:
            return []
        if sample.source_offset <= self._learnt.get(sample.partition, -1):
            return []
        self._learnt[sample.partition] = sample.source_offset
        self._newest_ms = max(self._newest_ms, sample.stream_ms)
        version = self._state.learn(sample, self._newest_ms)
        return [] if version is None else self._release(version, offset)

    def obey(self, order: Order, offset: int) -> list[SegmentModel]:
        """Do what an operator orders.

        Args:
            order: The order.
            offset: Its offset in the samples topic, above those of all samples learnt.

        Returns:
            The releases that come of it, in order: one.

        Raises:
            OrderRefused: It cannot be done; nothing has changed.
        """
        self._window.trim(offset, self._newest_ms)
        version = self.preview(order)
        return self._release(msgspec.structs.replace(version, order_id=order.id), offset)

    def preview(self, order: Order) -> SegmentModel:
        """Say what an order would release. Nothing changes.

        Args:
            order: The order.

        Returns:
            The version, its place in the sample log not filled in.

        Raises:
            OrderRefused: It cannot be done.
        """
        if self.model is None:
            raise OrderRefused(
                f"There is no model yet, so nothing to {order.kind}: "
                f"{self.collected} users are collected for the first one."
            )
        if order.kind == "rollback" and order.model is not None:
            return roll_back(self.model, order.model)
        if order.kind == "rename" and order.segment_id is not None:
            return rename(self.model, order.segment_id, order.name)
        if order.kind == "refit":
            return self._refit(self.model, order)
        raise OrderRefused(f"The order {order.id} ({order.kind}) does not say what to do.")

    def _refit(self, model: SegmentModel, order: Order) -> SegmentModel:
        k = len(model.ids) if order.segments is None else order.segments
        wanted = None if k == "auto" else k
        if wanted is not None and not SEGMENTS_LEAST <= wanted <= SEGMENTS_MOST:
            raise OrderRefused(
                f"{wanted} segments were asked for: choose {SEGMENTS_LEAST} to {SEGMENTS_MOST}."
            )
        least = self._settings.bootstrap_users_per_segment * (wanted or SEGMENTS_MAX)
        if len(self._window) < least:
            raise OrderRefused(
                f"A refit needs the vectors of {least} users, {len(self._window)} have been seen "
                f"in the last {self._settings.window_days:g} days: ask for fewer segments, or wait."
            )
        values, evidence = self._window.newest(len(self._window))
        rng = np.random.default_rng([self._settings.seed, model.major])
        return refit(model, values, evidence, wanted, rng, self._settings.features)

    def _release(self, version: SegmentModel, offset: int) -> list[SegmentModel]:
        """Give a version its place in the sample log and make it the newest.

        The one way out for every version: a gate that holds back one which would move too many
        users belongs here, and answers with an empty list.
        """
        self._window.trim(offset, self._newest_ms)
        self.model = msgspec.structs.replace(
            version,
            released_ms=self._newest_ms,
            sample_offset=offset + 1,
            learnt=dict(self._learnt),
            window_offset=self._window.offset,
        )
        self._state = Refining(self.model, self._settings)
        return [self.model]
