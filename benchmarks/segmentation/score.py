"""What the labels of a system are worth, told from the truth.

All systems are scored over the same days: from the first whole day on which Shoal has a model.
"""

from dataclasses import dataclass

import numpy as np

from benchmarks.segmentation.stream import Bools, Ints, Looks, Trace
from segments.agreement import adjusted_rand_index

NOBODY = -1
DAYS_IN_A_ROW = 3  # a label that wanders at random comes by the right place, but does not stay


@dataclass(frozen=True, kw_only=True)
class Score:
    """One system on one population.

    Attributes:
        ari: Of the labels at the end.
        same_id: Share of the last third's user-days whose id means what it meant in the first.
        per_1000: Changes of steady users per 1,000 of their applied events.
        found: Share of the switchers found; NaN without any.
        delay_days: Median from the switch to the first of three right days; NaN without any.
        seconds: Of processor time.
    """

    ari: float
    same_id: float
    per_1000: float
    found: float
    delay_days: float
    seconds: float = 0.0


class Tally:
    """Follows the labels of one system through a stream.

    Attributes:
        label: int64[users], where everybody is now.
        daily: int64[days, users], where they were at the end of each day.
        changes: int64[days, users], how often the label changed.
    """

    def __init__(self, days: int, users: int) -> None:
        self.label = np.full(users, NOBODY)
        self.daily = np.full((days, users), NOBODY)
        self.changes = np.zeros((days, users), np.int64)

    def note(self, looks: Looks, labels: Ints) -> None:
        """Take the labels that a system gave at each look."""
        order = np.argsort(looks.user, kind="stable")
        user, label = looks.user[order], labels[order]
        before = np.roll(label, 1)
        start = np.flatnonzero(np.diff(user, prepend=-1))
        before[start] = self.label[user[start]]
        changed = (before != NOBODY) & (label != before)
        np.add.at(self.changes[looks.day], user[changed], 1)
        self.label[user] = label  # of repeated users numpy keeps the last
        if looks.sweep:
            self.daily[looks.day] = self.label


def score(tally: Tally, trace: Trace, first_day: int) -> Score:
    """Hold the labels against the truth, from `first_day` on."""
    days = slice(first_day, None)
    daily, persona = tally.daily[days], trace.persona[days]
    known = (daily != NOBODY) & trace.scored
    steady = trace.scored & (trace.switch_day < 0)
    events = int(trace.applied[days, steady].sum())
    delays = switch_delays(daily, persona, known & steady, _switches(trace, first_day))
    return Score(
        ari=adjusted_rand_index(persona[-1, known[-1]], daily[-1, known[-1]]),
        same_id=same_id_accuracy(daily, persona, known),
        per_1000=1000 * int(tally.changes[days, steady].sum()) / events,
        found=float(np.isfinite(delays).mean()) if len(delays) else np.nan,
        delay_days=float(np.nanmedian(delays)) if np.isfinite(delays).any() else np.nan,
    )


def meanings(daily: Ints, persona: Ints, known: Bools) -> dict[int, int]:
    """Say what each id means: the persona that most of its user-days belong to."""
    ids, row = np.unique(daily[known], return_inverse=True)
    counts = np.zeros((len(ids), int(persona.max(initial=0)) + 1), np.int64)
    np.add.at(counts, (row, persona[known]), 1)
    return dict(zip(ids.tolist(), counts.argmax(axis=1).tolist(), strict=True))


def translated(daily: Ints, meaning: dict[int, int]) -> Ints:
    """Replace ids by what they mean, −1 for an id that means nothing."""
    ids, row = np.unique(daily, return_inverse=True)
    personas = np.array([meaning.get(one, NOBODY) for one in ids.tolist()], np.int64)
    return personas[row].reshape(daily.shape)


def same_id_accuracy(daily: Ints, persona: Ints, known: Bools) -> float:
    """Does an id still mean in the last third what it meant in the first?

    Args:
        daily: int64[days, users], ids.
        persona: int64[days, users], the truth.
        known: bool[days, users], where to look.

    Returns:
        Share of the user-days of the last third that are right under the meaning that most
        user-days of the first third give to each id.
    """
    third = len(daily) // 3
    first, last = slice(0, third), slice(len(daily) - third, None)
    meaning = meanings(daily[first], persona[first], known[first])
    right = translated(daily[last], meaning) == persona[last]
    return float(right[known[last]].mean())


def switch_delays(
    daily: Ints, persona: Ints, steady: Bools, switches: list[tuple[int, int]]
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """How long until each switcher stands where the users of the new persona stand.

    What an id means is asked anew every day, of the steady users: this column is about being
    recognised, `same_id_accuracy` about ids that keep their meaning.

    Args:
        daily: int64[days, users], ids at the end of each day.
        persona: int64[days, users].
        steady: bool[days, users], who says what the ids mean.
        switches: (user, day), each switch within the days given.

    Returns:
        float64[switches], days from the switch to the first of three right ones in a row; NaN for
        who is never found.
    """
    means = np.stack(
        [
            translated(labels, meanings(labels, truth, known))
            for labels, truth, known in zip(daily, persona, steady, strict=True)
        ]
    )
    right = means == persona
    delays = [_first_run(right[day:, user]) for user, day in switches]
    return np.array(delays, np.float64)


def _first_run(right: Bools) -> float:
    """Where the first three days in a row begin that are right, NaN if nowhere."""
    run = np.convolve(right, np.ones(DAYS_IN_A_ROW), "valid") if len(right) else np.zeros(0)
    found = np.flatnonzero(run == DAYS_IN_A_ROW)
    return float(found[0]) if len(found) else np.nan


def _switches(trace: Trace, first_day: int) -> list[tuple[int, int]]:
    """Who switches when, of those who were known as somebody else for a week before."""
    day = trace.switch_day
    chosen = trace.scored & (day >= trace.join_day + 7) & (day >= first_day)
    chosen &= day < len(trace.persona)
    return [(user, int(day[user]) - first_day) for user in np.flatnonzero(chosen).tolist()]
