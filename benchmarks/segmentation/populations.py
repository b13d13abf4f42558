"""The populations that every system is judged on.

Each is a stream of real events (`producer`), so that windows, thin users and evidence are real.
Drift is the distance that each persona's means move over the whole stream, in standard deviations
of its users; every quantity of every persona goes its own way.
"""

from dataclasses import dataclass

from producer.scenario import SyntheticSettings

USERS = 300
DAYS = 56
EVENTS_PER_USER_DAY = 3.6
# Both ends leave room: a model exists before, and the 28-day window is full of the new after.
SWITCH_DAYS = (23, 28)
DRIFT_UNIT_DAYS = 28  # what `SyntheticSettings.drift` counts in


@dataclass(frozen=True, kw_only=True)
class PopulationSpec:
    """What one population is like.

    Attributes:
        name: Short, unique.
        seed: Of everything random in it.
        personas: True segments.
        drift: Over the whole stream, in standard deviations.
        spread: Factor on those deviations: how much the personas overlap.
        activity_spread: See `SyntheticSettings`; 2 = the busiest 1 % do a fifth of everything.
        switchers, bots, joiners, thin, disorder: Shares of the users, of the records for the last.
        bursts: Whether all that a user does in a day comes within ten minutes.
    """

    name: str
    seed: int
    personas: int = 6
    drift: float = 0.0
    spread: float = 1.0
    activity_spread: float = 1.1
    switchers: float = 0.10
    bots: float = 0.0
    joiners: float = 0.1
    thin: float = 0.03
    disorder: float = 0.03
    bursts: bool = False
    users: int = USERS
    days: int = DAYS

    def settings(self) -> SyntheticSettings:
        """The generator's settings."""
        return SyntheticSettings(
            users=self.users,
            events=round(self.users * self.days * EVENTS_PER_USER_DAY),
            seed=self.seed,
            days=self.days,
            personas=self.personas,
            drift=self.drift * DRIFT_UNIT_DAYS / self.days,
            spread=self.spread,
            activity_spread=self.activity_spread,
            switchers=self.switchers,
            joiners=self.joiners,
            thin=self.thin,
            bots=self.bots,
            duplicates=self.disorder / 3,
            out_of_order=self.disorder,
        )


POPULATIONS = (
    PopulationSpec(name="calm", seed=11, switchers=0.0),
    PopulationSpec(name="switchers", seed=12),
    PopulationSpec(name="drift 1", seed=13, drift=1.0),
    PopulationSpec(name="drift 4", seed=14, drift=4.0),
    PopulationSpec(name="bursts", seed=15, bursts=True),
    PopulationSpec(name="bots", seed=16, bots=0.03),
    PopulationSpec(name="heavy tails", seed=17, activity_spread=2.0),
    PopulationSpec(name="four segments", seed=18, personas=4, drift=1.0),
    PopulationSpec(name="eight segments", seed=19, personas=8, drift=1.0),
    PopulationSpec(name="ten segments", seed=20, personas=10),
    PopulationSpec(name="blurred", seed=21, spread=1.3),
    PopulationSpec(
        name="everything", seed=22, drift=1.0, bots=0.02, activity_spread=1.6, joiners=0.3,
        thin=0.1, disorder=0.1, bursts=True,
    ),
    PopulationSpec(
        name="everything, 8 segments, drift 4", seed=23, personas=8, drift=4.0, bots=0.02,
        activity_spread=1.6, joiners=0.3, thin=0.1, disorder=0.1, bursts=True,
    ),
)  # fmt: skip
