"""The decayed interest weights of many users: at most 32 each, the heaviest.

A user's interests occupy the first places of the row in the order in which they came; one that
takes an evicted one's turn takes its place.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from features.slab import INTERESTS, INTERESTS_MAX, WORD_COLUMNS, Slab

_MISSING: Final = -1


def add_interests(
    slab: Slab,
    slot: NDArray[np.int64],
    interest_id: NDArray[np.int32],
    weight: NDArray[np.float64],
    event: NDArray[np.int64],
) -> None:
    """Add the interests of applied events.

    Args:
        slab: changed in place; the weights of these users have the same period as ``weight``.
        slot: i8[m], the user of each named interest, in record order.
        interest_id: i4[m], what was named.
        weight: f8[m], weight of the event.
        event: i8[m], the event that named it, rising; eviction happens after each event.
    """
    place = _places(slab, slot, interest_id)
    overflow = np.zeros(len(slot), np.bool_)
    missing = np.flatnonzero(place == _MISSING)
    if len(missing):
        crowded = _take_places(slab, slot, interest_id, place, missing)
        if len(crowded):
            overflow = np.isin(slot, crowded)
            keep = ~overflow
            _add(slab, slot[keep], place[keep], weight[keep])
            _add_one_by_one(slab, slot, interest_id, weight, event, np.flatnonzero(overflow))
            return
    _add(slab, slot, place, weight)


def _add(
    slab: Slab, slot: NDArray[np.int64], place: NDArray[np.int64], weight: NDArray[np.float64]
) -> None:
    """Add weights at known places, in record order."""
    column = slot * WORD_COLUMNS + (INTERESTS.start + place)
    np.add.at(slab.words.reshape(-1), column, weight)


def _places(
    slab: Slab, slot: NDArray[np.int64], interest_id: NDArray[np.int32]
) -> NDArray[np.int64]:
    """Find where each interest stands in its user's row; `_MISSING` when it does not."""
    same = slab.interest_ids[slot] == interest_id[:, None]
    place = same.argmax(axis=1)
    place[~same[np.arange(len(slot)), place]] = _MISSING
    return np.asarray(place)


def _take_places(
    slab: Slab,
    slot: NDArray[np.int64],
    interest_id: NDArray[np.int32],
    place: NDArray[np.int64],
    missing: NDArray[np.int64],
) -> NDArray[np.int64]:
    """Give new interests the next places of their users' rows, in the order in which they came.

    Writes the places into ``place``.

    Returns:
        i8[k], the slots for which there are too many; nothing is changed for them.
    """
    key = (slot[missing] << 32) | interest_id[missing]
    _, first, inverse = np.unique(key, return_index=True, return_inverse=True)
    # The distinct new interests, user by user, each user's in order of appearance.
    by_user = np.lexsort((first, slot[missing[first]]))
    row = missing[first[by_user]]
    users, starts, counts = np.unique(slot[row], return_index=True, return_counts=True)
    held = slab.head["interest_count"][users].astype(np.int64)
    fits = held + counts <= INTERESTS_MAX
    rank = np.arange(len(row)) - np.repeat(starts, counts)
    new_place = np.empty(len(row), np.int64)
    new_place[by_user] = np.repeat(held, counts) + rank
    place[missing] = new_place[inverse]
    row_fits = np.repeat(fits, counts)
    taken = row[row_fits]
    slab.interest_ids[slot[taken], place[taken]] = interest_id[taken]
    slab.head["interest_count"][users[fits]] = (held + counts)[fits]
    for user in users[fits].tolist():
        slab.tails[user] = None
    return np.asarray(users[~fits])


def _add_one_by_one(
    slab: Slab,
    slot: NDArray[np.int64],
    interest_id: NDArray[np.int32],
    weight: NDArray[np.float64],
    event: NDArray[np.int64],
    rows: NDArray[np.int64],
) -> None:
    """Add the interests of users whose row may overflow, event by event."""
    named: dict[int, dict[int, list[tuple[int, float]]]] = {}
    for user, number, interest, heavy in zip(
        slot[rows].tolist(),
        event[rows].tolist(),
        interest_id[rows].tolist(),
        weight[rows].tolist(),
        strict=True,
    ):
        named.setdefault(user, {}).setdefault(number, []).append((interest, heavy))
    for user, events in named.items():
        count = int(slab.head["interest_count"][user])
        ids: list[int] = slab.interest_ids[user, :count].tolist()
        weights: list[float] = slab.words[user, INTERESTS][:count].tolist()
        for pairs in events.values():
            _add_event(ids, weights, pairs, slab.interests.names)
        slab.interest_ids[user, : len(ids)] = ids
        slab.words[user, INTERESTS.start : INTERESTS.start + len(ids)] = weights
        slab.head["interest_count"][user] = len(ids)
        slab.tails[user] = None


def _add_event(
    ids: list[int], weights: list[float], pairs: list[tuple[int, float]], names: list[str]
) -> None:
    """Add the interests of one event, then drop the lightest above 32 (ties: the greater name)."""
    for interest, weight in pairs:
        if interest in ids:
            weights[ids.index(interest)] += weight
        else:
            ids.append(interest)
            weights.append(weight)
    excess = len(ids) - INTERESTS_MAX
    if excess <= 0:
        return
    heaviest = sorted(range(len(ids)), key=lambda i: (-weights[i], names[ids[i]]))
    dropped = set(heaviest[INTERESTS_MAX:])
    free = sorted(i for i in dropped if i < INTERESTS_MAX)
    late = [i for i in range(INTERESTS_MAX, len(ids)) if i not in dropped]
    for place, i in zip(free, late, strict=True):
        ids[place], weights[place] = ids[i], weights[i]
    del ids[INTERESTS_MAX:], weights[INTERESTS_MAX:]
