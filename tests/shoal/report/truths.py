"""What a report says of synthetic people, held against what is true of them."""

from dataclasses import dataclass

import numpy as np

from features.catalogue import CATALOGUE
from producer.personas import INTERESTS, PERSONAS
from producer.truth import UserTruth
from segments.transforms import TRANSFORMS
from shoal.report.document import Rate, Report
from shoal.report.population import ReportPopulation

NEARLY = 0.7
"""A feature counts as the persona's when its true effect is so much of the strongest one's; an
interest, when the persona leads the population by so much of what it leads it by most."""
_TRUE_NAMES = {"interest_breadth": "breadth"}
_FEATURES = (
    "weekday_hours",
    "weekend_hours",
    "page_views_per_day",
    "reactions_per_day",
    "ctr",
    "conversion_rate",
    "ad_seconds",
    "mobile_share",
    "interest_breadth",
)


@dataclass
class Score:
    """Counts over segments."""

    segments: int = 0
    top_features: int = 0
    strictly: int = 0
    top_interests: int = 0
    strict_interests: int = 0
    intervals: int = 0
    covered: int = 0

    def add(self, other: "Score") -> None:
        for name, value in vars(other).items():
            setattr(self, name, getattr(self, name) + value)


def score(report: Report, people: ReportPopulation, truth: list[UserTruth]) -> Score:
    """Match each segment to the persona of most of its people, and compare."""
    by_id = {one.user_id: one for one in truth}
    persona = np.array([by_id[user].segment_at_end for user in people.user_ids])
    found = Score()
    effects = _true_effects([by_id[user] for user in people.user_ids], persona)
    for one in report.segments:
        rows = np.flatnonzero(people.segment == one.id)
        if one.users is None:
            continue
        number = int(np.bincount(persona[rows]).argmax())
        found.segments += 1
        told = next(row for row in one.distinctions if row.feature in _FEATURES)
        true = effects[number]
        strongest = max(true, key=lambda name: abs(true[name]))
        found.strictly += told.feature == strongest
        agrees = true[told.feature] * told.effect > 0
        found.top_features += agrees and abs(true[told.feature]) >= NEARLY * abs(true[strongest])
        lead = _interest_leads(number, persona)
        told_lead = lead[INTERESTS.index(one.interests[0].label)]
        found.strict_interests += bool(told_lead == lead.max())
        found.top_interests += bool(told_lead >= NEARLY * lead.max())
        for name, rate in (("ctr", one.ctr), ("conversion_rate", one.conversion_rate)):
            inside = _covers(name, rate, people, rows, by_id)
            found.intervals += inside is not None
            found.covered += bool(inside)
    return found


def _true_effects(truth: list[UserTruth], persona: np.ndarray) -> list[dict[str, float]]:
    """Cohen's d of each persona against the rest, of true rates."""
    transforms = {feature.name: feature.transform for feature in CATALOGUE}
    columns = {}
    for name in _FEATURES:
        rates = np.array([one.rates[_TRUE_NAMES.get(name, name)] for one in truth])
        columns[name] = TRANSFORMS[transforms[name]](rates)
    effects = []
    for number in range(int(persona.max()) + 1):
        inside = persona == number
        effects.append(
            {
                name: float(
                    (x[inside].mean() - x[~inside].mean())
                    / np.sqrt(inside.mean() * x[inside].var() + (~inside).mean() * x[~inside].var())
                )
                for name, x in columns.items()
            }
        )
    return effects


def _interest_leads(number: int, persona: np.ndarray) -> np.ndarray:
    """By how much the persona's share of each interest lies above the population's."""
    shares = np.array([_interest_shares(one) for one in range(int(persona.max()) + 1)])
    weights = np.bincount(persona, minlength=len(shares)) / len(persona)
    return np.asarray(shares[number] - weights @ shares)


def _interest_shares(number: int) -> np.ndarray:
    """A geometric series down the favourites whose exp(entropy) is the persona's breadth."""
    persona = PERSONAS[number]
    order = [INTERESTS.index(label) for label in persona.favourites]
    turned = np.roll(np.arange(len(INTERESTS)), -3 * number).tolist()
    order += [label for label in turned if label not in order]
    low, high = 1e-6, 1.0
    for _ in range(60):
        ratio = (low + high) / 2
        p = ratio ** np.arange(len(order))
        p /= p.sum()
        breadth = float(np.exp(-(p * np.log(p)).sum()))
        low, high = (ratio, high) if breadth < persona.breadth else (low, ratio)
    shares = np.empty(len(order))
    shares[order] = p
    return shares


def _covers(
    name: str,
    rate: Rate | None,
    people: ReportPopulation,
    rows: np.ndarray,
    by_id: dict[str, UserTruth],
) -> bool | None:
    if rate is None or rate.observed is None:
        return None
    trials = people.totals.count("impressions" if name == "ctr" else "clicks")[rows]
    true = np.array([by_id[people.user_ids[row]].rates[name] for row in rows.tolist()])
    expected = float((trials * true).sum() / trials.sum())
    return rate.observed.low <= expected <= rate.observed.high
