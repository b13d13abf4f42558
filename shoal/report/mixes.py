"""What groups of people are made of: each label's share as an index against the population."""

from dataclasses import dataclass

import msgspec
import numpy as np

from shoal.report.labels import Labels
from shoal.report.population import Floats, Ints

GROUP_MIN = 20
"""Groups of fewer people are not described: they could be recognised."""


class MixRow(msgspec.Struct, frozen=True, kw_only=True):
    """One label in one segment.

    Attributes:
        label: for example "25-34".
        people: users of the segment who carry it.
        share: of the segment.
        population_share: of everybody.
        index: 100 × share ÷ population_share; 100 = as in the population.
    """

    label: str
    people: int
    share: float
    population_share: float
    index: int


@dataclass(frozen=True)
class Mix:
    """The shares of labels in k groups.

    Attributes:
        names: the labels.
        share: float64[k, labels].
        population: float64[labels].
        people: int64[k, labels], who carries the label.
        known: int64[k], of how many people anything is known here.
    """

    names: tuple[str, ...]
    share: Floats
    population: Floats
    people: Ints
    known: Ints

    def rows(self, group: int, most: int, *, in_order: bool = False) -> list[MixRow]:
        """Describe a group by its labels that enough people carry.

        Args:
            group: which one.
            most: at most so many rows, those with most users.
            in_order: sort by label (age groups), not by how much they stand out.
        """
        people, share = self.people[group], self.share[group]
        shown = np.flatnonzero(people >= GROUP_MIN)
        shown = shown[np.argsort(-share[shown], kind="stable")][:most]
        if not in_order:
            lead = share[shown] - self.population[shown]
            shown = shown[np.argsort(-lead, kind="stable")]
        else:
            shown = np.array(sorted(shown.tolist(), key=lambda at: _rank(self.names[at])), np.int64)
        return [
            MixRow(
                label=self.names[at],
                people=int(people[at]),
                share=float(share[at]),
                population_share=float(self.population[at]),
                index=round(100 * float(share[at] / self.population[at])),
            )
            for at in shown.tolist()
        ]


def mix(labels: Labels, group: Ints, groups: int) -> Mix:
    """Share labels out.

    Every user about whom anything is known counts as one: a user's labels share that one by their
    weights. A share is the mean over the people of a group.

    Args:
        labels: who carries what.
        group: int64[n], 0 … groups − 1, or −1 for people in none; these are in the population.
        groups: how many groups there are.
    """
    n, width = len(group), len(labels.names)
    total = np.bincount(labels.user, labels.weight, n)
    part = labels.weight / total[labels.user]
    cell = (group[labels.user] + 1) * width + labels.label
    size = (groups + 1) * width
    sums = np.bincount(cell, part, size).reshape(groups + 1, width)
    carried = np.bincount(cell, minlength=size).reshape(groups + 1, width)
    known = np.bincount(group[total > 0] + 1, minlength=groups + 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.nan_to_num(sums[1:] / known[1:, None])
        population = np.nan_to_num(sums.sum(axis=0) / known.sum())
    return Mix(labels.names, share, population, carried[1:], known[1:])


def _rank(label: str) -> tuple[float, str]:
    """Put "0-20k", "20k-40k", "100k+", "65+" in the order of their numbers."""
    digits = ""
    for character in label:
        if not character.isdigit():
            break
        digits += character
    return (float(digits) if digits else float("inf"), label)
