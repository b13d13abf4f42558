"""What a synthetic stream is to be like: its size and the shares of everything unpleasant in it."""

from __future__ import annotations

from dataclasses import dataclass

from features.tiles import DAY_MS
from producer.errors import UnusableSettings
from producer.personas import PERSONAS

START_MS = 1_767_312_000_000
"""2026-01-02T00:00:00Z, a Friday: weekdays and weekend days are both seen within two days."""

_PERSONAS_MIN = 2
_SHARES = (
    "switchers",
    "joiners",
    "thin",
    "profiled",
    "bots",
    "duplicates",
    "out_of_order",
    "late",
)
# Above this the shares would leave no ordinary activity to hide in.
_UNUSUAL_MAX = 0.5

_SPREADS_MAX = 20  # standard deviations; beyond, rates leave what a day can hold


@dataclass(frozen=True)
class SyntheticSettings:
    """Everything that decides a synthetic stream: equal settings give equal bytes.

    Attributes:
        users: Distinct users; with few events some of them never appear.
        events: Records in the whole stream, duplicates and late ones included.
        seed: Start of all randomness.
        days: Length of the stream; it begins at a UTC midnight.
        start_ms: That midnight, epoch milliseconds.
        personas: How many of `PERSONAS` take part; each is one true segment.
        drift: How far each persona's means move in 28 days, in standard deviations of its users.
        spread: Factor on those standard deviations; 0 makes all users of a persona alike.
        activity_spread: How unequally active users are: deviation of the logarithm; at 1.1 the
            busiest 1 % do about 6 % of everything, at 2 about 20 %.
        switchers: Share of the users who change persona once, around the middle.
        joiners: Share of the users whose first day is not the first day of the stream.
        thin: Share of the users with 1–4 events in all.
        profiled: Share of the users who send a profile event with traits and metrics.
        bots: Share of the users with one burst of hundreds of events.
        duplicates: Share of the records sent again, within seconds, with the same event_id.
        out_of_order: Share of the records that arrive minutes to hours late.
        late: Share of the records older than the 28-day window when they arrive.
    """

    users: int
    events: int
    seed: int
    days: int = 28
    start_ms: int = START_MS
    personas: int = 6
    drift: float = 0.25
    spread: float = 1.0
    activity_spread: float = 1.1
    switchers: float = 0.05
    joiners: float = 0.1
    thin: float = 0.03
    profiled: float = 0.1
    bots: float = 0.002
    duplicates: float = 0.01
    out_of_order: float = 0.03
    late: float = 0.002

    def __post_init__(self) -> None:
        """Refuse what cannot be generated, naming the setting."""
        _at_least("users", self.users, 1)
        _at_least("events", self.events, 1)
        _at_least("days", self.days, 1)
        _at_least("seed", self.seed, 0)
        if not _PERSONAS_MIN <= self.personas <= len(PERSONAS):
            raise UnusableSettings(
                "personas", f"must be {_PERSONAS_MIN} to {len(PERSONAS)}, not {self.personas}"
            )
        if self.start_ms % DAY_MS:
            raise UnusableSettings("start", "must be a midnight in UTC, such as 2026-01-02")
        for name in ("drift", "spread", "activity_spread"):
            if not 0 <= getattr(self, name) <= _SPREADS_MAX:  # not true of NaN either
                what = f"is a number, 0 to {_SPREADS_MAX}, not {getattr(self, name)}"
                raise UnusableSettings(name, what)
        for name in _SHARES:
            share = getattr(self, name)
            if not 0 <= share <= 1:
                raise UnusableSettings(name, f"is a share, 0 to 1, not {share}")
        if self.duplicates + self.late > _UNUSUAL_MAX or self.thin > _UNUSUAL_MAX:
            raise UnusableSettings("duplicates, late, thin", f"must stay below {_UNUSUAL_MAX}")


def _at_least(name: str, value: float, minimum: int) -> None:
    """Refuse a number that is too small."""
    if value < minimum:
        raise UnusableSettings(name, f"must be at least {minimum}, not {value}")
