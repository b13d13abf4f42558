"""What the trainer does with each sample and each order, without any I/O.

    collecting ──first model──▶ refining ──release──▶ refining …

Everything is a function of the settings and of the samples and orders in order: two learners
that read the same log release the same models bit for bit, and one that resumes from a release
and reads on from its `resume_offset` continues as if it had never stopped.
"""

import msgspec
import numpy as np

from features.catalogue import catalogue_fingerprint
from features.tiles import DAY_MS
from segments.collecting import Collecting
from segments.doubts import Doubts
from segments.errors import OrderRefused
from segments.health import Health, health_of, propose
from segments.model import CompiledModel, Proposal, SegmentModel
from segments.orders import Order
from segments.refining import Refining, chosen
from segments.refit import refit, segments_asked_for
from segments.rename import rename
from segments.repair import YOUNG_SAMPLES, repair
from segments.reservoir import Reservoir
from segments.rollback import roll_back
from segments.samples import Sample
from segments.settings import LearnerSettings
from segments.transforms import Floats
from segments.window import Window

__all__ = ["Learner", "LearnerSettings"]

# Accepted samples between two looks at dead centroids and drift. While a major version is young,
# every version due is looked at: a bad start shows at once.
HEALTH_SAMPLES = 500
# A partial release goes as far as the flip budget allows: half of the way, a quarter, …
PARTS = tuple(0.5**halvings for halvings in range(1, 7))


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
        self._window = Window(round(settings.window_days * DAY_MS), settings.window_users)
        # Whom hysteresis keeps where, by user; None until the window is filled again.
        self._lingering: dict[int, int] | None = None
        self._doubts = Doubts()

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

    @property
    def held(self) -> int:
        """Versions that the flip budget has held back since the newest release."""
        return self._state.held if isinstance(self._state, Refining) else 0

    @property
    def held_since_ms(self) -> int | None:
        """Stream time of the first of them; None if there is none."""
        return self._state.held_since_ms if isinstance(self._state, Refining) else None

    @property
    def flip_share(self) -> float:
        """Share of the recent users that the version looked at last would have moved."""
        if isinstance(self._state, Refining) and self._state.held:
            return self._state.flip_share
        return self.model.flip_share if self.model else 0.0

    @property
    def paused(self) -> bool:
        """Whether nothing is learnt because all samples lie beside the model."""
        return isinstance(self._state, Refining) and self._state.shifted

    @property
    def health(self) -> Health | None:
        """How the newest release fits the recent users; None before the first one. A few ms."""
        return self._health(self._state) if isinstance(self._state, Refining) else None

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
        resumed = self.model is None or offset >= self.model.sample_offset
        if resumed:
            self._resolve()
        self._window.trim(offset, self._newest_ms)
        last_ms = self._window.last_ms(sample.user_hash)
        last_vector = self._window.last_vector(sample.user_hash)
        speaks = chosen(sample, self._settings.samples_per_day)
        if speaks:
            self._window.add(sample, offset)
        if not resumed or sample.source_offset <= self._learnt.get(sample.partition, -1):
            return []
        self._learnt[sample.partition] = sample.source_offset
        self._newest_ms = max(self._newest_ms, sample.stream_ms)
        if isinstance(self._state, Collecting):
            version = self._state.learn(sample, self._newest_ms)
            return [] if version is None else self._release(version, offset)
        doubted = speaks and self._doubted(self._state, sample, last_vector)
        if self._state.learn(sample, last_ms, doubted=doubted) and self._state.due(self._newest_ms):
            return self._check(self._state, offset)
        return []

    def _doubted(
        self, state: Refining, sample: Sample, last: tuple[list[float], list[float]] | None
    ) -> bool:
        project = state.compiled.scaling.project_one
        return self._doubts.hear(
            sample.user_hash,
            sample.stream_ms,
            None if last is None else project(*last),
            project(sample.values, sample.evidence),
            self._settings.jump_max,
        )

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
        self._resolve()
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
            wanted = segments_asked_for(order, self.model, len(self._window), self._settings)
            return self._refit(self.model, wanted)
        raise OrderRefused(f"The order {order.id} ({order.kind}) does not say what to do.")

    def recent(self) -> tuple[Floats, Floats]:
        """The recent users that a refit starts from.

        Returns:
            Values and evidence, float64[n, 13] each, the newest user first.
        """
        return self._window.newest(len(self._window))

    def _check(self, state: Refining, offset: int) -> list[SegmentModel]:
        """Release the version that is due, unless it would move too many users."""
        self._window.trim(offset, self._newest_ms)
        proposal = state.base.proposal
        if state.passed(HEALTH_SAMPLES) or state.base.samples < YOUNG_SAMPLES:
            proposal = self._health(state).proposal
            other = self._other_major(state, proposal)
            if other is not None:
                return self._release(other, offset)
        reservoir = self._reservoir(state)
        for part in (1.0, *(PARTS if state.held >= self._settings.holds_max else ())):
            version = state.next_minor(part)
            flips = reservoir.flips(CompiledModel(version))
            if part == 1.0:
                state.flip_share = flips.share
            if reservoir.allows(flips, self._settings.flip_budget):
                noted = msgspec.structs.replace(
                    version,
                    held=state.held,
                    flip_share=flips.share,
                    lingering=flips.lingering,
                    proposal=proposal,
                )
                return self._release(noted, offset)
        state.hold(self._newest_ms)
        return []

    def _other_major(self, state: Refining, proposal: Proposal | None) -> SegmentModel | None:
        """A repair if one is needed, or the refit proposed if that may be done unasked."""
        if len(self._window) < self._settings.bootstrap_users_per_segment * len(state.base.ids):
            return None
        version = repair(state.compiled, self._recent_z(state, len(self._window)))
        if version is not None:
            return version
        if (
            self._settings.auto_refit
            and proposal is not None
            and proposal.kind != "shift"
            and self._newest_ms - proposal.since_ms >= self._settings.persists_ms
        ):
            return self._refit(state.base, len(state.base.ids))
        return None

    def _refit(self, model: SegmentModel, wanted: int | None) -> SegmentModel:
        rng = np.random.default_rng([self._settings.seed, model.major])
        return refit(model, *self.recent(), wanted, rng, self._settings.features)

    def _recent_z(self, state: Refining, users_max: int) -> Floats:
        return state.compiled.scaling.project(*self._window.newest(users_max))

    def _reservoir(self, state: Refining) -> Reservoir:
        users_max = self._settings.reservoir_users
        known = self._lingering or {}
        places = {
            place: known[user]
            for place, user in enumerate(self._window.users(users_max))
            if user in known
        }
        return Reservoir(self._recent_z(state, users_max), state.compiled, places)

    def _health(self, state: Refining) -> Health:
        health = health_of(
            state.compiled,
            self._recent_z(state, self._settings.reservoir_users),
            state.bias,
            outlier=self._settings.gate_factor * state.base.gate,
            bias_max=self._settings.bias_max,
        )
        proposal = propose(health, state.base, self._newest_ms)
        return msgspec.structs.replace(health, proposal=proposal)

    def _resolve(self) -> None:
        """Find the users whom the release notes by their place in the window."""
        if self._lingering is None:
            users = self._window.users(len(self._window))
            noted = self.model.lingering if self.model else ()
            self._lingering = {users[place]: kept for place, kept in noted if place < len(users)}
            days = self.model.doubted if self.model else ()
            self._doubts = Doubts((users[place], day) for place, day in days if place < len(users))

    def _release(self, version: SegmentModel, offset: int) -> list[SegmentModel]:
        """Give a version its place in the sample log and make it the newest.

        The one way out for every version.
        """
        self._window.trim(offset, self._newest_ms)
        self.model = msgspec.structs.replace(
            version,
            released_ms=self._newest_ms,
            sample_offset=offset + 1,
            learnt=dict(self._learnt),
            window_offset=self._window.offset,
            doubted=self._doubts.places(self._window.users(len(self._window))),
        )
        self._state = Refining(self.model, self._settings)
        self._lingering = None
        self._resolve()
        return [self.model]
