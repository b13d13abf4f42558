"""What synthetic users say of themselves in a profile event: traits, and metrics known before."""

from __future__ import annotations

import numpy as np

from features.events import Metrics, Traits
from producer.population import Population, Rates

_GENDERS = ("female", "male", "other")
_GENDER_SHARES = (0.49, 0.49, 0.02)
_LOCATIONS = ("urban", "suburban", "rural")
_LANGUAGES = ("English", "Spanish", "Hindi", "Mandarin")
_EDUCATION = ("high school", "technical", "bachelor", "master", "doctorate")

# Metrics come from somewhere else, months ago: right but for a tenth.
_METRIC_SPREAD = 0.1
_METRICS = 7
_WINDOW_DAYS = 28
_OFTEN = 0.65  # Mobile share from which a person calls itself mobile only.
_SELDOM = 0.35


class Profiles:
    """Traits and metrics of each user, drawn once."""

    def __init__(self, people: Population, rng: np.random.Generator) -> None:
        """Draw what is not decided by the persona."""
        n = len(people)
        self._people = people
        self._gender = rng.choice(len(_GENDERS), n, p=_GENDER_SHARES)
        self._location = rng.integers(0, len(_LOCATIONS), n)
        self._language = rng.integers(0, len(_LANGUAGES), n)
        self._education = rng.integers(0, len(_EDUCATION), n)
        self._pick = rng.random((n, 2))
        self._error = np.exp(rng.standard_normal((n, _METRICS)) * _METRIC_SPREAD)
        self._rates: dict[int, Rates] = {}

    def traits(self, user: int) -> Traits:
        """Return a user's traits: age, income and interests as its first persona has them."""
        persona = self._people.personas[int(self._people.persona[user])]
        age, income = self._pick[user]
        if persona.mobile_share >= _OFTEN:
            device = "mobile only"
        elif persona.mobile_share <= _SELDOM:
            device = "desktop only"
        else:
            device = "mobile and desktop"
        return Traits(
            age=persona.ages[int(age * len(persona.ages))],
            gender=_GENDERS[self._gender[user]],
            location=_LOCATIONS[self._location[user]],
            language=_LANGUAGES[self._language[user]],
            education=_EDUCATION[self._education[user]],
            income=persona.incomes[int(income * len(persona.incomes))],
            interests=persona.favourites[:2],
            device=device,
        )

    def metrics(self, user: int, day: int) -> Metrics:
        """Return what is known about a user on the day it joins; about right.

        Args:
            user: Its index.
            day: Day of the stream.
        """
        rates = self._rates_on(day)
        a_week = self._people.day_factors(day)[user]  # Take the day's rhythm out of the counts.
        error = self._error[user]
        in_window = _WINDOW_DAYS / a_week * error
        return Metrics(
            weekday_hours=round(min(float(rates.weekday_hours[user] * error[0]), 24.0), 1),
            weekend_hours=round(min(float(rates.weekend_hours[user] * error[1]), 24.0), 1),
            likes_and_reactions=round(float(rates.reactions[user] * in_window[2])),
            followed_accounts=round(float(rates.follows[user] * in_window[3])),
            ctr=round(min(float(rates.ctr[user] * error[4]), 1.0), 3),
            conversion_rate=round(min(float(rates.conversion_rate[user] * error[5]), 1.0), 3),
            ad_seconds=round(float(rates.ad_seconds[user] * error[6]), 1),
        )

    def _rates_on(self, day: int) -> Rates:
        """Return a day's rates, computed once."""
        if day not in self._rates:
            self._rates = {day: self._people.rates(day)}
        return self._rates[day]
