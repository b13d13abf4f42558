"""What networks and clients do to a stream: delays, retries, and events from long ago."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from features.tiles import DAY_MS
from producer.batch import DEVICES, EventBatch, new_batch
from producer.population import Rates

_PROMPT_MS = (40, 300)  # Least, and mean of what comes on top.
_DELAY_MS = (2 * 60_000, 6 * 3_600_000)
_RETRY_MS = (200, 8_000)
# Beyond the 28-day window at the arrival, whatever the hour and the disorder around it.
_LATE_DAYS = (30, 45)


def delayed(batch: EventBatch, share: float, rng: np.random.Generator) -> EventBatch:
    """Set arrival times: soon after the event, or for a share minutes to hours later.

    Profile events are not delayed beyond the ordinary, since nothing is gained by it.
    """
    n = len(batch)
    prompt_ms = _PROMPT_MS[0] + rng.exponential(_PROMPT_MS[1], n)
    # Evenly spread in the logarithm: most delays are minutes, some are hours.
    delay_ms = np.exp(rng.uniform(np.log(_DELAY_MS[0]), np.log(_DELAY_MS[1]), n))
    behind_ms = np.where(rng.random(n) < share, delay_ms, prompt_ms).astype(np.int64)
    return replace(batch, arrival_ms=batch.time_ms + behind_ms)


def resent(batch: EventBatch, number: int, rng: np.random.Generator) -> EventBatch:
    """Return copies of some records, event_id and all, that arrive within seconds of the first."""
    chosen = np.sort(rng.permutation(len(batch))[:number])
    copies = batch.take(chosen)
    retry_ms = rng.integers(*_RETRY_MS, len(chosen), endpoint=True)
    return replace(copies, arrival_ms=copies.arrival_ms + retry_ms)


def long_ago(number: int, midnight_ms: int, rates: Rates, rng: np.random.Generator) -> EventBatch:
    """Return page views that arrive today and happened before the window; nobody counts them."""
    users = np.flatnonzero(rates.alive)
    if not users.size:
        number = 0
    chosen = users[rng.integers(0, max(users.size, 1), number)] if number else users[:0]
    arrival_ms = midnight_ms + rng.integers(0, DAY_MS, number)
    age_ms = rng.integers(_LATE_DAYS[0] * DAY_MS, _LATE_DAYS[1] * DAY_MS, number)
    return new_batch(
        "page_view",
        chosen,
        arrival_ms - age_ms,
        arrival_ms=arrival_ms,
        device=np.full(number, DEVICES.index("mobile")),
    )
