"""The trainer's metrics, and the health of the model that it trains; see `metrics`."""

from collections.abc import Callable

from consumer.trainer import Trainer
from segments.health import GRAVEST_FIRST
from shoal.metrics import Metric


def _training(name: str) -> Callable[[Trainer], float]:
    return lambda trainer: float(getattr(trainer.progress, name))


def _fit(name: str) -> Callable[[Trainer], float | dict[str, float] | None]:
    """Read a figure of the model's health, one for each segment where it has so many."""

    def read(trainer: Trainer) -> float | dict[str, float] | None:
        health, segments = trainer.progress.health, trainer.progress.segments
        if health is None:
            return None
        found = getattr(health, name)
        if isinstance(found, tuple):
            return dict(zip(map(str, segments), found, strict=False))
        return float(found)

    return read


def _findings(trainer: Trainer) -> dict[str, float]:
    health = trainer.progress.health
    kinds = [] if health is None else [finding.kind for finding in health.findings]
    return {kind: float(kinds.count(kind)) for kind in GRAVEST_FIRST}


TRAINER_METRICS = (
    Metric("shoal_trainer_samples_total", "counter", "samples read", _training("samples")),
    Metric(
        "shoal_trainer_malformed_samples_total",
        "counter",
        "records of the samples topic that were no samples",
        _training("malformed"),
    ),
    Metric("shoal_trainer_releases_total", "counter", "models released", _training("releases")),
    Metric(
        "shoal_trainer_model_info",
        "gauge",
        "1 for the newest version in the topic",
        lambda trainer: trainer.progress.version and {trainer.progress.version: 1},
        label="version",
    ),
    Metric("shoal_trainer_orders_total", "counter", "orders read", _training("orders")),
    Metric(
        "shoal_trainer_refused_orders_total",
        "counter",
        "orders that could not be obeyed",
        _training("refused"),
    ),
    Metric(
        "shoal_trainer_held_releases",
        "gauge",
        "versions that the flip budget has held back since the newest release",
        _training("held"),
    ),
    Metric(
        "shoal_trainer_flip_share",
        "gauge",
        "share of the recent users that the version tried last would move",
        _training("flip_share"),
    ),
    Metric(
        "shoal_trainer_paused",
        "gauge",
        "1 while nothing is learnt, because all samples lie beside the model",
        _training("paused"),
    ),
    Metric(
        "shoal_trainer_release_age_seconds",
        "gauge",
        "since the newest release, in stream time of the samples",
        lambda trainer: trainer.progress.release_age_s,
    ),
    Metric(
        "shoal_health_findings",
        "gauge",
        "figures of the model's health beyond their threshold; `shoal model show` tells which",
        _findings,
        label="kind",
    ),
    Metric(
        "shoal_health_spread_ratio",
        "gauge",
        "mean squared distance of the recent users to their centroid, by that at the founding",
        _fit("spread"),
    ),
    Metric(
        "shoal_health_changing",
        "gauge",
        "1 while that distance is found to be changing (ADWIN)",
        _fit("changing"),
    ),
    Metric(
        "shoal_health_gated_share",
        "gauge",
        "share of the recent users beyond the outlier gate",
        _fit("gated"),
    ),
    Metric(
        "shoal_health_displacement",
        "gauge",
        "how far a centroid is from its founding, in mean distances of its users then",
        _fit("displacement"),
        label="segment",
    ),
    Metric(
        "shoal_health_share_ratio",
        "gauge",
        "a segment's share of the recent users, by that at the founding",
        _fit("starving"),
        label="segment",
    ),
    Metric(
        "shoal_health_separation",
        "gauge",
        "how clearly a segment is apart from the one it is least apart from",
        _fit("separation"),
        label="segment",
    ),
)
