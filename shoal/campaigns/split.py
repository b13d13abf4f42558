"""How to divide a budget among segments: the best way, and two simple ones beside it.

Buying x impressions in a segment of reach N at cap F buys the first impression of N users, then
the second, and so on. The f-th one is worth v · d^(f - 1) conversions, v for the first and d the
fatigue (1: none). The best split is a linear programme: values fall from one impression to the
next, so it never pays to buy a later one first, and no order has to be asked for.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog

Floats = NDArray[np.float64]

_ROUNDS_MAX = 64


@dataclass(frozen=True)
class Market:
    """What can be bought.

    Attributes:
        reach: float64[k], users per segment.
        price: float64[k], of one impression; > 0.
        frequency_cap: Impressions per user at most.
        fatigue: What an impression is worth ÷ what the one before it was; 0 < d ≤ 1.
    """

    reach: Floats
    price: Floats
    frequency_cap: int
    fatigue: float = 1.0

    @property
    def room(self) -> Floats:
        """What can be spent on each segment under the cap, float64[k]."""
        return self.reach * self.frequency_cap * self.price

    def fresh_impressions(self, spend: Floats) -> Floats:
        """Say how many first impressions a spending is worth.

        Args:
            spend: float64[k], ≤ `room`.

        Returns:
            float64[k]: the impressions bought, later ones counting less by fatigue.
        """
        per_user = spend / self.price / np.maximum(self.reach, 1e-12)
        if self.fatigue == 1.0:
            return per_user * self.reach
        whole = np.floor(per_user)
        first = (1 - self.fatigue**whole) / (1 - self.fatigue)
        return self.reach * (first + (per_user - whole) * self.fatigue**whole)


def best_split(market: Market, worth: Floats, budget: float, share_min: float) -> Floats:
    """Divide a budget so that the expected conversions are most.

    Args:
        market: What can be bought.
        worth: float64[k], expected conversions of a first impression.
        budget: To spend at most.
        share_min: Share of the budget that every segment gets, or all that its cap allows.

    Returns:
        float64[k], spending; the whole budget unless the caps leave no room for it.
    """
    k, steps = len(worth), 1 if market.fatigue == 1.0 else market.frequency_cap
    width = market.frequency_cap // steps
    # Column s·steps + f: money for the f-th impression of the users of segment s.
    value = (worth / market.price)[:, None] * market.fatigue ** np.arange(steps)
    room = np.repeat(market.reach * market.price * width, steps)
    of_segment = np.kron(np.eye(k), np.ones(steps))
    least = np.minimum(share_min * budget, market.room)
    solved = linprog(
        -value.reshape(-1) / max(value.max(), 1e-300),  # about 1, whatever the currency
        A_ub=np.vstack([np.ones(k * steps), -of_segment]),
        b_ub=np.concatenate([[budget], -least]),
        bounds=[(0.0, most) for most in room.tolist()],
        method="highs",
    )
    assert solved.x is not None, solved.message  # spending the least is always possible
    return np.asarray(of_segment @ np.maximum(solved.x, 0.0))


def shared_split(market: Market, weights: Floats, budget: float) -> Floats:
    """Divide a budget in proportion to weights; what a cap refuses goes to the others.

    Args:
        market: What can be bought.
        weights: float64[k], > 0: ones for an equal split, the reach for a proportional one.
        budget: To spend at most.

    Returns:
        float64[k], spending.
    """
    spend = np.zeros(len(weights))
    for _ in range(_ROUNDS_MAX):
        left = budget - spend.sum()
        open_ = spend < market.room * (1 - 1e-12)
        if left <= budget * 1e-12 or not open_.any():
            break
        part = np.where(open_, weights, 0.0)
        spend = np.minimum(spend + left * part / part.sum(), market.room)
    return spend
