"""Everybody there is, as compact columns: what a report and a campaign plan are computed from.

Built chunk by chunk from slabs, so it makes no difference where the states come from: a scan of
Redis, or a profile table that was folded without any service. About 0.9 KB a user.

    builder = PopulationBuilder(as_of_ms)
    builder.add(slab, slots, user_ids)      # as often as there are chunks
    people = builder.build()
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from features import decay
from features.events import Traits
from features.profile import decode_traits
from features.slab import INTERESTS, Slab
from features.totals import Totals, totals
from features.vector import vectors
from segments.model import NO_SEGMENT
from shoal.report.labels import LabelColumns, Labels

TRAIT_NAMES: tuple[str, ...] = Traits.__struct_fields__
"""age, gender, location, language, education, income, interests, device."""

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class ReportPopulation:
    """All users, in the order of their ids: n rows in every column.

    Attributes:
        as_of_ms: the time that everything is read at (stream time).
        user_ids: n ids.
        segment: int32[n], `NO_SEGMENT` for none.
        applied: int64[n], events applied since the first one, profiles included.
        values: float64[n, 13], features in the order of the catalogue; NaN = not known.
        evidence: float64[n, 13], what stands behind each.
        totals: counts and sums of the windows, devices, known metrics (`features.totals`).
        interests: what they are interested in lately; weights are decayed counts.
        traits: by name (`TRAIT_NAMES`): what their profiles say. They describe, they never decide.
    """

    as_of_ms: int
    user_ids: tuple[str, ...]
    segment: npt.NDArray[np.int32]
    applied: Ints
    values: Floats
    evidence: Floats
    totals: Totals
    interests: Labels
    traits: dict[str, Labels]

    def __len__(self) -> int:
        """Count the users."""
        return len(self.user_ids)


@dataclass(frozen=True, kw_only=True)
class _Chunk:
    """The users added at once; columns as in `ReportPopulation`."""

    segment: npt.NDArray[np.int32]
    applied: Ints
    values: Floats
    evidence: Floats
    totals: Totals


class PopulationBuilder:
    """Collects users chunk by chunk."""

    def __init__(self, as_of_ms: int) -> None:
        """Start with nobody.

        Args:
            as_of_ms: the time to read features at; not before the newest event folded.
        """
        self._as_of_ms = as_of_ms
        self._user_ids: list[str] = []
        self._interests = LabelColumns()
        self._traits = {name: LabelColumns() for name in TRAIT_NAMES}
        self._chunks: list[_Chunk] = []
        nobody = np.empty(0, np.int64)
        self.add(Slab(1), nobody, ())  # so that there is always a chunk

    def add(self, slab: Slab, slots: Ints, user_ids: Sequence[str]) -> None:
        """Take in the users of some rows; forgotten users and empty rows are passed over.

        Args:
            slab: their states; not changed.
            slots: int64[m], distinct.
            user_ids: their ids, in the same order.
        """
        head = slab.heads(slots)
        present = np.flatnonzero((head["applied"] > 0) | (head["segment"] != NO_SEGMENT))
        slots, head = slots[present], head[present]
        first = len(self._user_ids)
        self._user_ids += [user_ids[row] for row in present.tolist()]
        found = vectors(slab, slots, self._as_of_ms)
        self._chunks.append(
            _Chunk(
                segment=head["segment"].copy(),
                applied=head["applied"].astype(np.int64),
                values=found.values,
                evidence=found.evidence,
                totals=totals(slab, slots, self._as_of_ms),
            )
        )
        self._add_interests(slab, slots, head["newest_hour"].astype(np.int64), first)
        for row, slot in enumerate(slots.tolist(), first):
            if slab.traits[slot] is not None:
                self._add_traits(row, slab.traits[slot])

    def build(self) -> ReportPopulation:
        """Give everybody, in the order of their ids: the order of the chunks leaves no trace."""
        ids = self._user_ids
        order = np.array(sorted(range(len(ids)), key=ids.__getitem__), np.int64)
        row_of = np.empty_like(order)
        row_of[order] = np.arange(len(order))

        def column(name: str) -> npt.NDArray[Any]:
            parts = [getattr(chunk, name) for chunk in self._chunks]
            return np.asarray(np.concatenate(parts)[order])

        return ReportPopulation(
            as_of_ms=self._as_of_ms,
            user_ids=tuple(ids[row] for row in order.tolist()),
            segment=column("segment"),
            applied=column("applied"),
            values=column("values"),
            evidence=column("evidence"),
            totals=Totals.joined([chunk.totals for chunk in self._chunks]).part(order),
            interests=self._interests.labels(row_of),
            traits={name: found.labels(row_of) for name, found in self._traits.items()},
        )

    def _add_interests(self, slab: Slab, slots: Ints, newest_hour: Ints, first: int) -> None:
        factor = decay.as_of_factors(decay.periods(newest_hour), self._as_of_ms)
        weights = slab.words[slots, INTERESTS] * factor[:, None]
        row, place = np.nonzero(weights > 0)
        # Ids of this slab, each name looked up once.
        ids, inverse = np.unique(slab.interest_ids[slots[row], place], return_inverse=True)
        names = [slab.interests.names[number] for number in ids.tolist()]
        ours = np.array(self._interests.interner.ids_of(names), np.int32)
        self._interests.add(first + row, ours[inverse], weights[row, place])

    def _add_traits(self, row: int, stored: bytes | None) -> None:
        traits = decode_traits(stored)
        for name in TRAIT_NAMES:
            said: str | tuple[str, ...] | None = getattr(traits, name)
            if said is not None:
                each = (said,) if isinstance(said, str) else dict.fromkeys(said)
                self._traits[name].note(row, each)
