"""Every metric: its name, kind, meaning, and where its value is read at a scrape.

`docs/metrics.md` is generated from these tables. The loop of a process knows nothing of them: it
writes plain numbers, and a scrape reads those. A new metric is one more row.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
)
from prometheus_client.core import Metric as Family
from prometheus_client.registry import Collector

from consumer.durations import Durations
from consumer.health import SERVICES, Health
from consumer.vitals import Vitals

Reading = float | Mapping[str, float] | Durations | None
"""One value, one for each value of the label, a histogram, or nothing to tell for now."""


@dataclass(frozen=True)
class Metric:
    """One row of the table.

    Attributes:
        name: with its unit; a counter ends in `_total`.
        kind: as Prometheus means it.
        text: what it counts or measures.
        read: gives its value.
        label: its one label, if it has one.
    """

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    text: str
    read: Callable[[Any], Reading]
    label: str | None = None

    def family(self, source: object) -> Family | None:
        """Read it, in the library's form; None: there is nothing to tell."""
        found = self.read(source)
        if found is None:
            return None
        labels = [self.label] if self.label else []
        if isinstance(found, Durations):
            histogram = HistogramMetricFamily(self.name, self.text)
            buckets = [("+Inf" if b == float("inf") else str(b), n) for b, n in found.cumulative()]
            histogram.add_metric([], buckets, found.total_s)
            return histogram
        kind = CounterMetricFamily if self.kind == "counter" else GaugeMetricFamily
        family = kind(self.name, self.text, labels=labels)
        for value_of_label, value in found.items() if isinstance(found, Mapping) else [("", found)]:
            family.add_metric([value_of_label] if self.label else [], value)
        return family


class Readings(Collector):
    """Reads a table of metrics from one source at every scrape."""

    def __init__(self, metrics: Iterable[Metric], source: object) -> None:
        """Remember what to read and where."""
        self._metrics = tuple(metrics)
        self._source = source

    def collect(self) -> Iterable[Family]:
        """Read everything once."""
        for metric in self._metrics:
            if (family := metric.family(self._source)) is not None:
                yield family


def _outcomes(vitals: Vitals) -> dict[str, float]:
    found = vitals.progress.outcomes
    dead = sum(found.dead.copy().values())
    return {
        "applied": found.applied,
        "duplicate": found.duplicate,
        "late": found.late,
        "dead": dead,
    }


def _of_model(name: str) -> Callable[[Vitals], float | None]:
    """Read a number of the newest model's record; nothing before there is one."""
    return lambda vitals: None if vitals.model is None else getattr(vitals.model, name, None)


def _turned(health: Health) -> float | None:
    return None if health.turned_s is None else time.monotonic() - health.turned_s


HEALTH_METRICS = (
    Metric(
        "shoal_ready",
        "gauge",
        "1 while `/readyz` says yes",
        lambda health: health.not_ready(time.monotonic()) is None,
    ),
    Metric(
        "shoal_service_away_seconds",
        "gauge",
        "for how long Kafka or Redis has been away, or has not taken writes; 0 while it is there",
        lambda health: {s: health.away_s(s, time.monotonic()) for s in SERVICES},
        label="service",
    ),
    Metric(
        "shoal_outages_total",
        "counter",
        "times that Kafka or Redis was away",
        lambda health: dict(health.outages_total),
        label="service",
    ),
    Metric(
        "shoal_loop_age_seconds",
        "gauge",
        "since the process's loop turned last; long while it waits for a time-out",
        _turned,
    ),
)

WORKER_METRICS = (
    Metric(
        "shoal_partition_lag_records",
        "gauge",
        "records of a partition of this worker whose effects are not in Redis yet; NaN before the "
        "worker could take it for the first time",
        lambda vitals: {str(number): lag for number, lag in vitals.lags.items()},
        label="partition",
    ),
    Metric(
        "shoal_partitions_owned",
        "gauge",
        "partitions that this worker works on",
        lambda vitals: len(vitals.owned),
    ),
    Metric(
        "shoal_partitions_paused",
        "gauge",
        "partitions that were given to this worker and wait: for a service, or to be taken again",
        lambda vitals: len(vitals.waiting),
    ),
    Metric(
        "shoal_records_total",
        "counter",
        "records applied, duplicate, late or dead",
        _outcomes,
        label="outcome",
    ),
    Metric(
        "shoal_dead_letters_total",
        "counter",
        "dead letters by reason",
        lambda vitals: vitals.progress.outcomes.dead.copy(),
        label="reason",
    ),
    Metric(
        "shoal_changes_total",
        "counter",
        "segment changes published",
        lambda vitals: vitals.progress.changes,
    ),
    Metric(
        "shoal_commits_total",
        "counter",
        "batches and sweeps written to Redis and published",
        lambda vitals: vitals.progress.commits,
    ),
    Metric(
        "shoal_swept_users_total",
        "counter",
        "users looked at although no event of theirs came",
        lambda vitals: vitals.progress.swept,
    ),
    Metric(
        "shoal_outbox_entries",
        "gauge",
        "changes and dead letters decided whose transaction is not known to be through",
        lambda vitals: vitals.unpublished,
    ),
    Metric(
        "shoal_rebalances_total",
        "counter",
        "times that partitions came to this worker or left it",
        lambda vitals: vitals.progress.rebalances,
    ),
    Metric(
        "shoal_partitions_taken_total",
        "counter",
        "partitions taken, after a rebalance or after a failure",
        lambda vitals: vitals.progress.taken,
    ),
    Metric(
        "shoal_partition_take_seconds",
        "histogram",
        "from a partition's assignment to this worker until its first record may be fetched",
        lambda vitals: vitals.progress.takes,
    ),
    Metric(
        "shoal_partition_pause_seconds",
        "histogram",
        "pause per moved partition: the age of its first record when this worker got it; live data "
        "only, and after a stop the time of the stop",
        lambda vitals: vitals.progress.pauses,
    ),
    Metric(
        "shoal_stage_seconds_total",
        "counter",
        "seconds of the loop by stage",
        lambda vitals: vitals.progress.stages.seconds.copy(),
        label="stage",
    ),
    Metric(
        "shoal_model_info",
        "gauge",
        "1 for the version of the model that decides",
        lambda vitals: vitals.model and {vitals.model.version: 1},
        label="version",
    ),
    Metric(
        "shoal_model_age_seconds",
        "gauge",
        "since that model was released: by the clock; with historical data, of stream time",
        lambda vitals: vitals.model_age_s,
    ),
    Metric(
        "shoal_model_held_releases",
        "gauge",
        "versions that the flip budget held back before that model was released",
        _of_model("held"),
    ),
    Metric(
        "shoal_model_flip_share",
        "gauge",
        "share of the recent users whom that model moved to another segment",
        _of_model("flip_share"),
    ),
)
