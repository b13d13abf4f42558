"""A campaign plan: what each segment brings, how to split a budget, and what that is worth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
import numpy as np

from shoal.campaigns.rates import Floats, Worth, interval, worth_of
from shoal.campaigns.split import Market, best_split, shared_split
from shoal.campaigns.targets import GROUP_MIN, Standout, Target, trials_of

SEED = 0
THOUSAND = 1000.0
THIN_PER_USER = 10.0
"""Impressions per user below which intervals were seen to be too narrow (docs/campaigns.md)."""


@dataclass(frozen=True, kw_only=True)
class Conditions:
    """What the operator wants.

    Attributes:
        budget: To spend at most.
        cpm: Price of 1,000 impressions by segment id; None for all others.
        frequency_cap: Impressions per user at most.
        min_share: Share of the budget that each segment gets at least, to learn from.
        fatigue: What an impression is worth ÷ what the one before it was.
    """

    budget: float
    cpm: dict[int | None, float]
    frequency_cap: int
    min_share: float
    fatigue: float

    def price(self, segment: int) -> float:
        """Price of 1,000 impressions in a segment."""
        return self.cpm.get(segment, self.cpm.get(None, 0.0))


class Range(msgspec.Struct, frozen=True, kw_only=True):
    """An expected figure and its 95 % interval; `high` is null where there is no bound."""

    expected: float
    low: float
    high: float | None


class SegmentPlan(msgspec.Struct, frozen=True, kw_only=True):
    """One segment in the plan.

    Attributes:
        id, name, reach: The segment and its users.
        impressions, clicks, conversions: Observed in the newest 28 days.
        frequency: Impressions per user so far.
        cpm: Price of 1,000 impressions.
        clicks_per_1000, conversions_per_1000: Per 1,000 impressions.
        cost_per_conversion: Of a first impression's.
        device, time, interests, demographics: How to reach them.
        spend: Part of the budget.
        buys: Impressions.
        expected_conversions: What they bring.
    """

    id: int
    name: str
    reach: int
    impressions: int
    clicks: int
    conversions: int
    frequency: float
    cpm: float
    clicks_per_1000: Range
    conversions_per_1000: Range
    cost_per_conversion: Range
    device: str | None
    time: str | None
    interests: tuple[Standout, ...]
    demographics: tuple[Standout, ...]
    spend: float
    buys: int
    expected_conversions: Range


class SplitResult(msgspec.Struct, frozen=True, kw_only=True):
    """One way to split the budget.

    Attributes:
        spend: By segment id.
        conversions: What it brings.
        lift: What the best split brings more, as a share of this one's; zero for itself.
    """

    spend: dict[int, float]
    conversions: Range
    lift: Range


class LeftOut(msgspec.Struct, frozen=True, kw_only=True):
    """A segment that is not planned for, and why."""

    id: int
    name: str
    reach: int
    why: str


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What to spend on whom.

    Attributes:
        budget: As it was given.
        spent: What the caps leave room for.
        frequency_cap, min_share, fatigue: As given.
        demographics_used: Whether traits were looked at, as descriptions beside the plan.
        evidence: What the expectations rest on.
        segments: The one with most money first.
        best, equal, proportional: Three ways to split.
        left_out: Segments that are too small.
    """

    budget: float
    spent: float
    frequency_cap: int
    min_share: float
    fatigue: float
    demographics_used: bool
    evidence: str
    segments: tuple[SegmentPlan, ...]
    best: SplitResult
    equal: SplitResult
    proportional: SplitResult
    left_out: tuple[LeftOut, ...]


class NothingToPlan(Exception):
    """There is nobody to plan for, or nothing is known of what ads bring; the text says which."""


def make_plan(audiences: Sequence[Target], want: Conditions, *, demographics: bool) -> Plan:
    """Plan a campaign.

    Args:
        audiences: All segments.
        want: Budget and limits.
        demographics: Whether the audiences' demographics were looked at.

    Raises:
        NothingToPlan: No segment has `GROUP_MIN` users, or nobody has ever been shown an ad.
    """
    chosen = [one for one in audiences if one.reach >= GROUP_MIN]
    if not chosen:
        raise NothingToPlan(f"no segment has {GROUP_MIN} users: there is nobody to plan for")
    trials = trials_of(chosen)
    if trials.impressions.sum() <= 0:
        raise NothingToPlan(
            "nobody was shown an ad in the last 28 days and no profile knows a CTR: there is "
            "nothing to expect results from"
        )
    worth = worth_of(trials, np.random.default_rng(SEED))
    market = Market(
        np.array([one.reach for one in chosen], np.float64),
        np.array([want.price(one.id) for one in chosen]) / THOUSAND,
        want.frequency_cap,
        want.fatigue,
    )
    ways = {
        "best": best_split(market, worth.mean, want.budget, want.min_share),
        "equal": shared_split(market, np.ones(len(chosen)), want.budget),
        "proportional": shared_split(market, market.reach, want.budget),
    }
    results = {
        name: _result(chosen, market, worth, spend, ways["best"]) for name, spend in ways.items()
    }
    best = ways["best"]
    by_money = np.argsort(-best, kind="stable").tolist()
    return Plan(
        budget=want.budget,
        spent=float(best.sum()),
        frequency_cap=want.frequency_cap,
        min_share=want.min_share,
        fatigue=want.fatigue,
        demographics_used=demographics,
        evidence=_evidence(chosen),
        segments=tuple(_segment(chosen, i, want, market, worth, best) for i in by_money),
        left_out=tuple(
            LeftOut(id=one.id, name=one.name, reach=one.reach, why=f"under {GROUP_MIN} users")
            for one in audiences
            if one.reach < GROUP_MIN
        ),
        **results,
    )


def _evidence(chosen: Sequence[Target]) -> str:
    """Say what the expectations rest on, and when that is little."""
    observed = sum(one.impressions for one in chosen)
    known = sum(one.known.impressions for one in chosen)
    words = f"{observed:,} impressions in the newest 28 days"
    if known:
        words += f"; what profiles know counts as {known:,.0f} more"
    per_user = observed / sum(one.reach for one in chosen)
    if per_user < THIN_PER_USER:
        words += (
            f". That is thin ({per_user:.1f} impressions per user): segments made from so little "
            "differ partly by chance, and the intervals are too narrow"
        )
    return words


def _result(
    chosen: Sequence[Target], market: Market, worth: Worth, spend: Floats, best: Floats
) -> SplitResult:
    """Say what a split brings, and how much more the best one."""
    ours, theirs = market.fresh_impressions(best), market.fresh_impressions(spend)
    draws = worth.draws @ theirs
    lift = (worth.draws @ ours) / np.maximum(draws, 1e-300) - 1.0
    expected = float(worth.mean @ theirs)
    gain = float(worth.mean @ ours) / expected - 1.0 if expected > 0 else 0.0
    return SplitResult(
        spend={one.id: float(part) for one, part in zip(chosen, spend, strict=True)},
        conversions=_range(expected, draws),
        lift=_range(gain, lift),
    )


def _segment(
    chosen: Sequence[Target],
    i: int,
    want: Conditions,
    market: Market,
    worth: Worth,
    best: Floats,
) -> SegmentPlan:
    """Say everything about one segment."""
    one, price, per_impression = chosen[i], float(market.price[i]), worth.mean[i]
    draws = worth.draws[:, i]
    bought = float(market.fresh_impressions(best)[i])
    low, high = interval(draws)
    return SegmentPlan(
        id=one.id,
        name=one.name,
        reach=one.reach,
        impressions=one.impressions,
        clicks=one.clicks,
        conversions=one.conversions,
        frequency=one.frequency,
        cpm=want.price(one.id),
        clicks_per_1000=_range(THOUSAND * worth.ctr.mean[i], THOUSAND * worth.click_draws[:, i]),
        conversions_per_1000=_range(THOUSAND * per_impression, THOUSAND * draws),
        cost_per_conversion=Range(
            expected=price / float(per_impression),
            low=price / float(high),
            high=price / float(low) if low > 0 else None,
        ),
        device=one.device,
        time=one.time,
        interests=one.interests,
        demographics=one.demographics,
        spend=float(best[i]),
        buys=int(best[i] / price),
        expected_conversions=_range(bought * per_impression, bought * draws),
    )


def _range(expected: float, draws: Floats) -> Range:
    """Put a figure and its interval together."""
    low, high = interval(draws)
    return Range(expected=float(expected), low=float(low), high=float(high))
