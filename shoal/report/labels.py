"""Labels of many users (interests, traits) as columns: who carries which, and how strongly."""

from array import array
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from features.slab import Interner


@dataclass(frozen=True)
class Labels:
    """Which users carry which labels; a user may carry any number of distinct ones.

    Attributes:
        names: the labels, sorted.
        user: int64[m], row of the population, rising.
        label: int32[m], index into `names`, rising within a user.
        weight: float64[m], how much of the label the user carries (a trait: 1).
    """

    names: tuple[str, ...]
    user: npt.NDArray[np.int64]
    label: npt.NDArray[np.int32]
    weight: npt.NDArray[np.float64]


class LabelColumns:
    """Collects labels, user by user or many at once.

    Attributes:
        interner: numbers the labels in the order in which they came.
    """

    def __init__(self) -> None:
        """Start with none."""
        self.interner = Interner()
        self._user: list[npt.NDArray[np.int64]] = [np.empty(0, np.int64)]
        self._label: list[npt.NDArray[np.int32]] = [np.empty(0, np.int32)]
        self._weight: list[npt.NDArray[np.float64]] = [np.empty(0)]
        # Single notes: machine integers take a quarter of what a list of pairs would.
        self._noted_user, self._noted_label = array("q"), array("i")

    def add(
        self,
        user: npt.NDArray[np.int64],
        label: npt.NDArray[np.int32],
        weight: npt.NDArray[np.float64],
    ) -> None:
        """Take in columns; `label` are ids of `interner`."""
        self._user.append(user)
        self._label.append(label)
        self._weight.append(weight)

    def note(self, user: int, names: Iterable[str]) -> None:
        """Take in the distinct labels of one user, each with the weight 1."""
        ids = self.interner.ids_of(names)
        self._noted_user.extend([user] * len(ids))
        self._noted_label.extend(ids)

    def labels(self, row_of: npt.NDArray[np.int64]) -> Labels:
        """Give them in the one order that depends on nothing but what they say.

        Args:
            row_of: int64[n], the row that each user has in the end.
        """
        noted = np.array(self._noted_user, np.int64)
        user = row_of[np.concatenate([*self._user, noted])]
        label = np.concatenate([*self._label, np.array(self._noted_label, np.int32)])
        weight = np.concatenate([*self._weight, np.ones(len(noted))])
        names = self.interner.names
        by_name = sorted(range(len(names)), key=names.__getitem__)
        rank = np.empty(len(names), np.int32)
        rank[by_name] = np.arange(len(names), dtype=np.int32)
        label = rank[label]
        order = np.lexsort((label, user))
        return Labels(
            tuple(names[number] for number in by_name), user[order], label[order], weight[order]
        )
