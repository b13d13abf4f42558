"""How the trainer learns, as plain values. The figures behind them: docs/segmentation.md."""

from dataclasses import dataclass

from features.catalogue import MODEL_FEATURES
from segments.structure import SEGMENTS_DEFAULT, SEGMENTS_MAX
from segments.window import USERS_MAX


@dataclass(frozen=True, kw_only=True)
class LearnerSettings:
    """How to learn.

    Attributes:
        segments: How many segments, or None for the largest stable number in 3…12.
        features: The features to tell users apart by.
        seed: Of the bootstrap's random starts.
        bootstrap_users: Distinct mature users at which the first model is made at once.
        bootstrap_users_per_segment: Distinct users per segment that are enough after the wait.
        bootstrap_days: What "mature" and "the wait" mean: days of observation behind a vector,
            and days of stream time since the first sample.
        partitions: Input partitions, all of which must have got that far for the wait to be
            over: in a replay one of them may be days ahead of the others.
        samples_per_day: How many samples of one user are learnt a day, about.
        slot_ms: A user is learnt once at most in each slot of this length; 0 for no limit.
        step_size: How far a sample pulls its centroid.
        gate_factor: A sample farther than this times the running mean of the squared distance
            is not learnt.
        gate_step: How fast that mean follows.
        release_samples: Accepted samples after which a version is released.
        release_ms: Stream time after which one is released earlier …
        release_samples_min: … if it has at least so many accepted samples. In a replay of
            history 30 s of stream time pass between any two samples, and a version a sample
            would flood the models topic: at 3 KB a version this bounds it to 60 bytes a sample.
        bias_max: Deviations by which samples may lie beside the model in one feature, on average;
            beyond, nothing is learnt: such a change is one of units, or a fault.
        bias_step: How fast that average follows.
        jump_max: Deviations in one feature by which a user's vector may differ from the one
            before; beyond, the user is not learnt from for a week, or until it jumps back.
        flip_budget: Share of the recent users that a release may move.
        reservoir_users: How many recent users are looked at.
        holds_max: Versions held back in a row after which a release goes part of the way.
        auto_refit: Whether a refit that the learner proposes is also made …
        persists_ms: … once it has been proposed for so long (stream time).
        window_days: Days of stream time after which a user's newest vector says nothing any more
            about whom a release would move.
        window_users: Recent users remembered at most, for releases to be tried on and refits.
    """

    segments: int | None = SEGMENTS_DEFAULT
    features: tuple[str, ...] = MODEL_FEATURES
    seed: int = 0
    bootstrap_users: int = 1000
    bootstrap_users_per_segment: int = 20
    bootstrap_days: float = 14.0
    partitions: int = 1
    samples_per_day: float = 1.0
    slot_ms: int = 12 * 3_600_000
    step_size: float = 0.01
    gate_factor: float = 4.0
    gate_step: float = 0.01
    release_samples: int = 500
    release_ms: int = 30_000
    release_samples_min: int = 50
    bias_max: float = 0.3
    bias_step: float = 0.02
    jump_max: float = 1.0
    flip_budget: float = 0.01
    reservoir_users: int = 2_000
    holds_max: int = 3
    auto_refit: bool = False
    persists_ms: int = 24 * 3_600_000
    window_days: float = 7.0
    window_users: int = USERS_MAX

    def users_after_wait(self) -> int:
        """Distinct users that are enough once `bootstrap_days` have passed."""
        return self.bootstrap_users_per_segment * (self.segments or SEGMENTS_MAX)
