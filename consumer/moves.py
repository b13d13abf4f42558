"""Who would move if another release took over: a recount that writes nothing.

Users are held against the release exactly as the sweep after a new major version does it
(hysteresis, one look counts as two), so that a preview shows what would be published.
"""

import heapq
from collections import Counter
from dataclasses import dataclass, field

import msgspec
import numpy as np

from consumer.live_users import LiveUsers
from consumer.population import Rules, eligible
from consumer.step import SWEEP_WEIGHT
from features.events import event_id_hash
from segments.assignment import Ids, assign
from segments.changes import Reason, SegmentRef
from segments.model import CompiledModel
from segments.reasons import reasons
from segments.transforms import Floats

SAMPLE_USERS = 10


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """The users in one segment who would be in another; `source` is null for no segment yet."""

    source: SegmentRef | None
    target: SegmentRef
    users: int
    share: float


class Mover(msgspec.Struct, frozen=True, kw_only=True):
    """One user who would move, and why."""

    user_id: str
    source: SegmentRef | None
    target: SegmentRef
    margin: float
    reasons: list[Reason]


class Moves(msgspec.Struct, frozen=True, kw_only=True):
    """The answer: `share` and the routes' shares are of `users`, all those who are assigned.

    Attributes:
        users: who is or would be in a segment.
        moved: who would be in another one than now, the first segment of a user included.
        share: moved ÷ users; 0 without users.
        matrix: users by segment now and then, the largest route first; who stays is in it too.
        samples: a uniform sample of those who would move, at most ten.
    """

    users: int
    moved: int
    share: float
    matrix: list[Route]
    samples: list[Mover]


@dataclass
class MoveCount:
    """Counts batch by batch.

    Attributes:
        before: the release to start from.
        after: the release that would take over.
        rules: who is assigned at all.
        as_stored: `before` is in force: users are where their states say. Otherwise it is asked
            first, in the same way.
    """

    before: CompiledModel
    after: CompiledModel
    rules: Rules
    as_stored: bool = True
    _routes: Counter[tuple[int, int]] = field(default_factory=Counter)
    _sample: list[tuple[int, Mover]] = field(default_factory=list)

    def add(self, users: LiveUsers, as_of_ms: int) -> None:
        """Hold some more users against both releases."""
        rows = users.slots[eligible(users.slab, users.slots, self.rules)]
        if not len(rows):
            return
        head, seen = users.slab.head[rows], users.vectors(as_of_ms)
        values, evidence = seen.values[rows], seen.evidence[rows]
        source, candidate, count = head["segment"], head["candidate"], head["candidate_count"]
        if not self.as_stored:
            z = self.before.scaling.project(values, evidence)
            now = assign(z, self.before, source, candidate, count, weight=SWEEP_WEIGHT)
            source, candidate, count = now.segment, now.candidate, now.candidate_count
        z = self.after.scaling.project(values, evidence)
        then = assign(z, self.after, source, candidate, count, weight=SWEEP_WEIGHT)
        self._routes.update(zip(source.tolist(), then.segment.tolist(), strict=True))
        hashes = {
            event_id_hash(users.user_ids[rows[at]]): at
            for at in np.flatnonzero(then.moved).tolist()
        }
        lowest = heapq.nsmallest(SAMPLE_USERS, hashes)
        chosen = np.array([hashes[one] for one in lowest], np.int64)
        movers = self._movers(
            [users.user_ids[row] for row in rows[chosen].tolist()],
            z[chosen], source[chosen], then.segment[chosen], then.margin[chosen], values[chosen],
        )  # fmt: skip
        # Whoever has the lowest hashes: a uniform sample, and the same in whatever order.
        found = [*self._sample, *zip(lowest, movers, strict=True)]
        self._sample = heapq.nsmallest(SAMPLE_USERS, found, key=lambda one: one[0])

    def result(self) -> Moves:
        """Give what has been counted so far."""
        total = sum(self._routes.values())
        moved = sum(users for (source, target), users in self._routes.items() if source != target)
        largest_first = sorted(self._routes.items(), key=lambda item: (-item[1], item[0]))
        return Moves(
            users=total,
            moved=moved,
            share=moved / total if total else 0.0,
            matrix=[
                Route(
                    source=self.before.ref(source),
                    target=self._target(target),
                    users=users,
                    share=users / total,
                )
                for (source, target), users in largest_first
            ],
            samples=[mover for _, mover in self._sample],
        )

    def _movers(
        self,
        user_ids: list[str],
        z: Floats,
        source: Ids,
        target: Ids,
        margin: Floats,
        values: Floats,
    ) -> list[Mover]:
        why = reasons(
            z,
            self.after.centroids_of(source),
            self.after.centroids_of(target),
            self.after.model.features,
            values[:, self.after.scaling.columns],
        )
        return [
            Mover(
                user_id=user_id,
                source=self.before.ref(int(source[at])),
                target=self._target(int(target[at])),
                margin=float(margin[at]),
                reasons=why[at],
            )
            for at, user_id in enumerate(user_ids)
        ]

    def _target(self, segment_id: int) -> SegmentRef:
        ref = self.after.ref(segment_id)
        assert ref is not None, "an eligible user is in a segment after a look"
        return ref
