"""A state as workers and a trainer would leave it, made of synthetic people without services.

The worker's own steps fold the stream and decide; the first model is founded when three quarters
of the days are over. `write` puts it all into a Redis, as commits do.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from consumer.effects import Batch, Moment
from consumer.judge import Partitioning, judge
from consumer.keys import model_key, topology_key
from consumer.meta import PartitionMeta, encode_meta
from consumer.population import Rules, eligible
from consumer.records import Records, batches, no_headers
from consumer.step import step_batch, step_sweep
from consumer.store import Commit, PartitionStore
from consumer.topology import current_topology, encode_topology
from consumer.trend import Trend
from features import codec
from features.catalogue import MODEL_FEATURES
from features.columns import build_columns
from features.slab import Slab
from features.tiles import DAY_MS
from features.vector import vectors
from producer.synthetic import SyntheticSettings, SyntheticStream, UserTruth
from segments.bootstrap import bootstrap
from segments.model import CompiledModel, SegmentModel, encode_model
from shoal.report.history import History, put_together
from shoal.report.population import PopulationBuilder, ReportPopulation

SWEEP = 20_000


@dataclass
class SyntheticState:
    """One partition's users, model and trend."""

    slab: Slab
    user_ids: list[str] = field(default_factory=list)
    meta: PartitionMeta = field(default_factory=lambda: PartitionMeta(applied_offset=0))
    model: SegmentModel | None = None
    trend: dict[str, bytes] = field(default_factory=dict)
    truth: list[UserTruth] = field(default_factory=list)

    @property
    def people(self) -> ReportPopulation:
        builder = PopulationBuilder(self.meta.as_of_ms)
        builder.add(self.slab, np.arange(len(self.user_ids)), self.user_ids)
        return builder.build()

    @property
    def history(self) -> History:
        last = self.meta.as_of_ms // DAY_MS
        return put_together([self.trend], range(last - 27, last + 1))

    def write(self, store: PartitionStore, client: Any, namespace: str) -> None:
        """Put it where `store` looks, as one partition of one."""
        before, _ = store.own("nonce")
        slots = np.arange(len(self.user_ids))
        for start in range(0, len(slots), SWEEP):
            part = slots[start : start + SWEEP]
            self.meta.commits += 1
            after = encode_meta("nonce", self.meta)
            ids = [self.user_ids[slot].encode() for slot in part.tolist()]
            states = codec.encode(self.slab, part)
            store.commit(
                Commit(
                    expected_meta=before,
                    new_meta=after,
                    outbox=b"",
                    states=[
                        item
                        for one, state in zip(ids, states, strict=True)
                        for item in (store.keys.user_prefix + one, state)
                    ],
                    due=[item for one in ids for item in (b"1", one)],
                    trend=[
                        item
                        for name, value in self.trend.items()
                        for item in (name.encode(), value)
                    ],
                )
            )
            before = after
        client.set(topology_key(namespace), encode_topology(current_topology(1)))
        if self.model is not None:
            client.set(model_key(namespace), encode_model(self.model))


def synthetic_state(settings: SyntheticSettings, *, segments: int = 6) -> SyntheticState:
    """Live through a synthetic stream."""
    stream = SyntheticStream(settings)
    timed = list(stream.events())
    records = Records(
        np.arange(len(timed)),
        np.array([one.record_ms for one in timed], np.int64),
        [one.event.user_id.encode() for one in timed],
        [one.payload for one in timed],
        no_headers,
    )
    state = SyntheticState(Slab(settings.users + 10))
    start_ms = int(records.timestamps_ms[0])
    rules = Rules(min_events=5, sample_interval_ms=DAY_MS, removal_ms=90 * DAY_MS)
    trend, slot_of = Trend(state.meta), dict[str, int]()
    model: CompiledModel | None = None
    for part in batches(records, stream_ms=0, records_max=10_000):
        end_ms = int(part.timestamps_ms[-1])
        judged = judge(part, Partitioning(0, 1, 10**6), stream_ms=state.meta.stream_ms, routed=())
        for user in judged.user_ids:
            if user not in slot_of:
                slot_of[user] = len(slot_of)
                state.user_ids.append(user)
        batch = Batch(
            columns=build_columns(
                judged.events,
                [slot_of[user] for user in judged.user_ids],
                judged.stream_ms,
                state.slab.interests,
                time_ms=judged.times_ms,
            ),
            offsets=judged.offsets,
            next_offset=int(part.offsets[-1]) + 1,
            stream_end_ms=judged.stream_end_ms,
            dead=judged.dead,
        )
        moment = Moment(0, judged.stream_end_ms, judged.stream_end_ms)
        effects = step_batch(
            state.slab, state.user_ids, state.meta, batch, model, rules, moment
        )  # fmt: skip
        _keep(state, trend, effects)
        if model is None and end_ms - start_ms > 0.75 * settings.days * DAY_MS:
            model = _founded(state, rules, segments)
            state.model = model.model
            slots = np.arange(len(state.user_ids))
            effects = step_sweep(
                state.slab, state.user_ids, state.meta, slots, np.ones(len(slots), bool),
                model, rules, Moment(0, state.meta.stream_ms, state.meta.stream_ms),
            )  # fmt: skip
            _keep(state, trend, effects)
    state.truth = stream.truth()
    return state


def _keep(state: SyntheticState, trend: Trend, effects: Any) -> None:
    state.meta = effects.meta
    trend.add(effects.tally, effects.meta)
    write = trend.take()
    pairs = zip(write.fields[::2], write.fields[1::2], strict=True)
    state.trend.update({name.decode(): value for name, value in pairs})


def _founded(state: SyntheticState, rules: Rules, segments: int) -> CompiledModel:
    slots = np.arange(len(state.user_ids))
    slots = slots[eligible(state.slab, slots, rules)]
    found = vectors(state.slab, slots, state.meta.stream_ms)
    rng = np.random.default_rng(0)
    return CompiledModel(bootstrap(found.values, found.evidence, segments, rng, MODEL_FEATURES))


def repeated(state: SyntheticState, times: int) -> SyntheticState:
    """The same people several times over, under other ids: for sizes, not for statistics."""
    n = len(state.user_ids)
    big = Slab(n * times)
    values: Sequence[bytes] = codec.encode(state.slab, np.arange(n))
    for time in range(times):
        codec.decode(big, np.arange(n) + time * n, values)
    ids = [f"{user}-{time}" for time in range(times) for user in state.user_ids]
    return replace(state, slab=big, user_ids=ids)
