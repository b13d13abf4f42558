"""A population's stream, folded once, so that every system looks at the same vectors.

A user is looked at after each of their events, as in live traffic, where a batch holds a fraction
of a second; and everybody once more at each midnight, as by the worker's sweep. Events are folded
two hours at a time: features are read as of the end of them, at most that much ahead.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from benchmarks.segmentation.populations import SWITCH_DAYS, PopulationSpec
from consumer.population import Rules, eligible
from features.columns import Columns, build_columns
from features.fold import APPLIED, fold
from features.slab import Slab
from features.tiles import DAY_MS, HOUR_MS
from features.vector import vectors
from producer.batch import EventBatch
from producer.population import Population
from producer.rendering import Renderer, TimedEvent
from producer.simulation import Simulation

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

RULES = Rules(min_events=5, sample_interval_ms=600_000, removal_ms=90 * DAY_MS)
_BLOCK_MS = 2 * HOUR_MS
_BURST_MS = 600_000


@dataclass(frozen=True)
class Looks:
    """What is seen of the eligible users in one block of two hours, or in one sweep.

    Attributes:
        day: Day of the stream.
        stream_ms: When it ends.
        sweep: Whether it is the look at everybody at midnight rather than a block's events.
        user: int64[n], in the order of the records; a user may come several times.
        turn: int64[n], the how-manieth look at the user in this block, from 0.
        values, evidence: float64[n, 13], after the record.
        fresh: bool[n], whether the worker would send the vector to the trainer.
        offset: int64[n], the record's number in the stream.
    """

    day: int
    stream_ms: int
    sweep: bool
    user: Ints
    turn: Ints
    values: Floats
    evidence: Floats
    fresh: Bools
    offset: Ints

    def turns(self) -> Iterator[Ints]:
        """Rows of distinct users, in the order in which each user's must be taken."""
        for turn in range(int(self.turn.max(initial=-1)) + 1):
            yield np.flatnonzero(self.turn == turn)


@dataclass(frozen=True)
class Trace:
    """A whole population: what is seen of it, and what is true.

    Attributes:
        spec: What it is like.
        looks: In the order of time.
        persona: int64[days, users], who everybody is on each day.
        applied: int64[days, users], applied events.
        switch_day: int64[users], −1 for most.
        join_day: int64[users].
        scored: bool[users], ordinary people: neither bots nor thin.
    """

    spec: PopulationSpec
    looks: list[Looks]
    persona: Ints
    applied: Ints
    switch_day: Ints
    join_day: Ints
    scored: Bools

    def everybody(self) -> Looks:
        """The last sweep: all eligible users as they are at the end."""
        return self.looks[-1]


def trace(spec: PopulationSpec) -> Trace:
    """Generate and fold the stream of a population; equal specifications give equal traces."""
    settings = spec.settings()
    simulation = Simulation(settings, SWITCH_DAYS)
    people = simulation.people
    folding = Folding(people)
    renderer = Renderer(people)
    for day, batch in enumerate(simulation.days()):
        midnight_ms = settings.start_ms + day * DAY_MS
        ordered = in_bursts(batch, midnight_ms) if spec.bursts else batch
        folding.day(day, midnight_ms, list(renderer.render(ordered)), ordered.user)
    return Trace(
        spec=spec,
        looks=folding.looks,
        persona=np.stack([people.persona_on(day) for day in range(settings.days)]),
        applied=folding.applied,
        switch_day=people.switch_day,
        join_day=people.join_day,
        scored=~people.bot & ~people.thin,
    )


def in_bursts(batch: EventBatch, midnight_ms: int) -> EventBatch:
    """Let all that a user does in a day come within ten minutes, at the time of their first event.

    Args:
        batch: A day's records; those of other days (late ones) stay where they are.
        midnight_ms: When the day began.
    """
    here = np.flatnonzero(
        (batch.time_ms >= midnight_ms) & (batch.arrival_ms - midnight_ms < DAY_MS)
    )
    order = here[np.lexsort((batch.time_ms[here], batch.user[here]))]
    user, time_ms = batch.user[order], batch.time_ms[order].copy()
    start = np.flatnonzero(np.diff(user, prepend=-1))
    first_ms = np.repeat(time_ms[start], np.diff(start, append=len(user)))
    squeezed = first_ms + (time_ms - first_ms) * _BURST_MS // DAY_MS
    times, arrivals = batch.time_ms.copy(), batch.arrival_ms.copy()
    times[order] = squeezed
    arrivals[order] = squeezed + 100
    moved = replace(batch, time_ms=times, arrival_ms=arrivals)
    return moved.take(np.argsort(arrivals, kind="stable"))


class Folding:
    """Folds a stream block by block and notes what is seen.

    Attributes:
        looks: Everything seen so far.
        applied: int64[days, users], see `Trace`.
    """

    def __init__(self, people: Population) -> None:
        self.looks: list[Looks] = []
        self.applied = np.zeros((people.settings.days, len(people)), np.int64)
        self._slab = Slab(len(people))
        self._stream_ms = 0
        self._offset = 0
        self._sampled_ms = np.full(len(people), -DAY_MS)

    def day(self, day: int, midnight_ms: int, events: list[TimedEvent], users: Ints) -> None:
        """Fold a day's records, then look at everybody."""
        blocks = np.array([(event.record_ms - midnight_ms) // _BLOCK_MS for event in events])
        for block in np.unique(blocks).tolist():
            rows = np.flatnonzero(blocks == block)
            self._block(day, [events[row] for row in rows.tolist()], users[rows])
        self._sweep(day, midnight_ms + DAY_MS)

    def _block(self, day: int, events: list[TimedEvent], users: Ints) -> None:
        """Fold turn by turn: users do not touch each other, so only each one's order counts."""
        slab, n = self._slab, len(events)
        stream = np.maximum.accumulate(
            np.array([self._stream_ms, *(event.record_ms for event in events)])
        )[1:]
        self._stream_ms = int(stream[-1])
        columns = build_columns([event.event for event in events], users, stream, slab.interests)
        values, evidence = np.empty((2, n, self._width))
        seen = np.zeros(n, np.bool_)
        turn = nth_of_user(users)
        for number in range(int(turn.max()) + 1):
            rows = np.flatnonzero(turn == number)
            applied = fold(slab, rows_of(columns, rows)).outcome == APPLIED
            np.add.at(self.applied[day], users[rows[applied]], 1)
            rows = rows[applied & eligible(slab, users[rows], RULES)]
            if len(rows):
                found = vectors(slab, users[rows], self._stream_ms)
                values[rows], evidence[rows], seen[rows] = found.values, found.evidence, True
        rows = np.flatnonzero(seen)
        fresh = np.array(
            [self._is_fresh(*one) for one in zip(users[rows], stream[rows], strict=True)], np.bool_
        )
        self._note(day, rows, users[rows], values[rows], evidence[rows], fresh)
        self._offset += n

    _width = 13

    def _is_fresh(self, user: int, stream_ms: int) -> bool:
        """Whether a worker would sample the user now."""
        if stream_ms - self._sampled_ms[user] < RULES.sample_interval_ms:
            return False
        self._sampled_ms[user] = stream_ms
        return True

    def _sweep(self, day: int, midnight_ms: int) -> None:
        """Look at everybody who has been seen, as of midnight."""
        self._stream_ms = max(self._stream_ms, midnight_ms)
        everybody = np.arange(self._slab.capacity)
        users = everybody[eligible(self._slab, everybody, RULES)]
        found = vectors(self._slab, users, self._stream_ms)
        nobody = np.zeros(len(users), np.bool_)
        self._note(day, None, users, found.values, found.evidence, nobody)

    def _note(
        self,
        day: int,
        rows: Ints | None,
        users: Ints,
        values: Floats,
        evidence: Floats,
        fresh: Bools,
    ) -> None:
        self.looks.append(
            Looks(
                day=day,
                stream_ms=self._stream_ms,
                sweep=rows is None,
                user=users,
                turn=nth_of_user(users),
                values=values,
                evidence=evidence,
                fresh=fresh,
                offset=np.zeros(len(users), np.int64) if rows is None else self._offset + rows,
            )
        )


def nth_of_user(users: Ints) -> Ints:
    """How often each row's user has come before it.

    Example:
        >>> nth_of_user(np.array([4, 7, 4, 4])).tolist()
        [0, 0, 1, 2]
    """
    order = np.argsort(users, kind="stable")
    start = np.flatnonzero(np.diff(users[order], prepend=-1))
    count = np.diff(start, append=len(users))
    nth = np.empty(len(users), np.int64)
    nth[order] = np.arange(len(users)) - np.repeat(start, count)
    return nth


def rows_of(columns: Columns, rows: Ints) -> Columns:
    """Some rows of a batch's columns, in rising order."""
    place = np.full(len(columns), -1)
    place[rows] = np.arange(len(rows))
    named = place[columns.interest_row]
    return Columns(
        slot=columns.slot[rows],
        time_ms=columns.time_ms[rows],
        stream_ms=columns.stream_ms[rows],
        type_code=columns.type_code[rows],
        id_hash=columns.id_hash[rows],
        device=columns.device[rows],
        duration_s=columns.duration_s[rows],
        amount=columns.amount[rows],
        interest_row=named[named >= 0],
        interest_id=columns.interest_id[named >= 0],
        profiles={int(place[row]): one for row, one in columns.profiles.items() if place[row] >= 0},
    )
