"""Users who never change, a learner that goes on learning from them, and workers that follow it."""

import copy
from collections.abc import Callable

import numpy as np

from benchmarks.segmentation.populations import PopulationSpec
from benchmarks.segmentation.stream import Bools, Floats, Ints, trace
from consumer.step import SWEEP_WEIGHT
from features.catalogue import catalogue_fingerprint, feature_index
from features.events import event_id_hash
from features.tiles import DAY_MS
from producer.truth import user_id
from segments.assignment import assign
from segments.learner import Learner, LearnerSettings
from segments.model import NO_SEGMENT, CompiledModel, SegmentModel
from segments.samples import Sample

START_MS = 1_767_312_000_000
ACTIVITY = feature_index("activity_24h")


class Still:
    """n users with fixed vectors, sampled in random order, about once a day each.

    After each release everybody is looked at twice, as by a sweep, so that whoever will move moves.

    Attributes:
        values, evidence: float64[n, 13], the users as they are.
        segment: int32[n], where they are.
        moved: bool[n], who has changed segment since `forget_moves`.
        flips: int per release, how many it moved.
        between: Users who moved at a second look under the same release.
        releases: Every release.
    """

    def __init__(
        self, values: Floats, evidence: Floats, settings: LearnerSettings, seed: int
    ) -> None:
        self.values, self.evidence = values, evidence
        self.learner = Learner.fresh(settings)
        self.releases: list[SegmentModel] = []
        self.segment = np.full(len(values), NO_SEGMENT, np.int32)
        self.moved = np.zeros(len(values), np.bool_)
        self.flips: list[int] = []
        self.between = 0
        self.now_ms = START_MS
        self._rng = np.random.default_rng(seed)
        self._catalogue = catalogue_fingerprint()
        self._offset = 0

    def copy(self) -> "Still":
        """The same world, to try something out in."""
        return copy.deepcopy(self)

    def forget_moves(self) -> None:
        """Begin to count anew."""
        self.moved[:] = False
        self.flips.clear()
        self.between = 0

    def live(self, samples: int, bug: Callable[[int, Floats], Floats] | None = None) -> None:
        """Let so many samples of ordinary users come.

        Args:
            samples: How many.
            bug: What becomes of a user's values on the way to the learner; (user, float64[13]).
        """
        for user in self._rng.integers(0, len(self.values), samples).tolist():
            self.now_ms += DAY_MS // len(self.values)
            values = self.values[user] if bug is None else bug(user, self.values[user].copy())
            self.tell(user_id(user), values, self.evidence[user])

    def tell(self, user: str, values: Floats, evidence: Floats) -> None:
        """Give the learner a sample; follow its release if one comes of it."""
        sample = Sample(
            catalogue=self._catalogue,
            partition=0,
            source_offset=self._offset,
            user_hash=event_id_hash(user),
            stream_ms=self.now_ms,
            values=values.tolist(),
            evidence=evidence.tolist(),
        )
        for release in self.learner.learn(sample, self._offset):
            self.releases.append(release)
            self._follow(CompiledModel(release))
        self._offset += 1

    def _follow(self, model: CompiledModel) -> None:
        first = len(self.releases) == 1
        moved = self._look(model)
        if not first:
            self.flips.append(int(moved.sum()))
            self.moved |= moved
        self.between += int(self._look(model).sum())

    def _look(self, model: CompiledModel) -> Bools:
        n = len(self.values)
        z = model.scaling.project(self.values, self.evidence)
        nobody, none = np.full(n, NO_SEGMENT, np.int32), np.zeros(n, np.uint8)
        outcome = assign(z, model, self.segment, nobody, none, weight=SWEEP_WEIGHT)
        self.segment = outcome.segment
        return outcome.moved


def still(spec: PopulationSpec, seed: int) -> tuple[Still, Ints]:
    """A population as it is at the end of its stream, standing still from then on.

    Args:
        spec: The population.
        seed: Of the order in which users are sampled.

    Returns:
        The world, nothing learnt yet; int64[n], each user's persona.
    """
    followed = trace(spec)
    end = followed.everybody()
    values = end.values.copy()
    # Everybody is about equally active, so that no sample is passed over for it.
    values[:, ACTIVITY] = 1.0
    world = Still(
        values,
        end.evidence,
        LearnerSettings(segments=spec.personas, bootstrap_users=len(values) // 2),
        seed,
    )
    return world, followed.persona[-1, end.user]
