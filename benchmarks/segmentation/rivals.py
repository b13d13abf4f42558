"""The clusterers that Shoal is compared with, each as its documentation shows it.

None has a notion of publishing: its label at a look is the user's segment, and a label that differs
from the last one is a change. Every event is learnt and then predicted. A null is replaced by
the feature's mean so far, since none of them accepts one. All are told the true number of segments.
"""

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
from river import cluster, preprocessing
from sklearn.cluster import MiniBatchKMeans
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from benchmarks.segmentation.stream import Floats, Ints, Looks
from features.catalogue import MODEL_FEATURES
from segments.scaling import Scaling, columns_of

SEED = 1


class System(Protocol):
    """Something that labels users as they come."""

    name: str

    def look(self, looks: Looks) -> Ints:
        """Give each look's label, int64[n]; in the order of the looks."""
        ...


Space = Callable[[Looks], Floats]
"""Where a rival sees the users: float64[n, d], without nulls."""


class Raw:
    """Feature values as they are, in the catalogue's units."""

    def __init__(self) -> None:
        self._columns = columns_of(MODEL_FEATURES)
        self._sum = np.zeros(len(self._columns))
        self._count = np.zeros(len(self._columns))

    def __call__(self, looks: Looks) -> Floats:
        values = looks.values[:, self._columns]
        if not looks.sweep:
            self._sum += np.nansum(values, axis=0)
            self._count += np.isfinite(values).sum(axis=0)
        mean = self._sum / np.maximum(self._count, 1)
        return np.where(np.isfinite(values), values, mean)


class Projected:
    """Shoal's own space: transformed, standardised, shrunk by evidence, frozen."""

    def __init__(self, scaling: Scaling) -> None:
        self._scaling = scaling

    def __call__(self, looks: Looks) -> Floats:
        return self._scaling.project(looks.values, looks.evidence)


class RiverSystem:
    """A River clusterer, one event at a time, behind River's StandardScaler if wanted.

    What the pipeline ``StandardScaler | clusterer`` does, with each vector scaled only once.
    """

    def __init__(self, name: str, space: Space, model: Any, *, scale: bool) -> None:
        self.name = name
        self._space = space
        self._scaler: Any = preprocessing.StandardScaler() if scale else None
        self._model = model

    def look(self, looks: Looks) -> Ints:
        model, scaler, labels = self._model, self._scaler, []
        for row in self._space(looks).tolist():
            x = dict(enumerate(row))
            if scaler is not None:
                if not looks.sweep:
                    scaler.learn_one(x)
                x = scaler.transform_one(x)
            if not looks.sweep:
                model.learn_one(x)
            labels.append(model.predict_one(x))
        return np.array(labels, np.int64)


class MiniBatchSystem:
    """scikit-learn's MiniBatchKMeans, two hours' events at a time."""

    FIRST_ROWS = 200  # the start is drawn from the first call's rows

    def __init__(self, name: str, space: Space, segments: int, *, scale: bool) -> None:
        self.name = name
        self._space = space
        self._scaler = StandardScaler() if scale else None
        self._model = MiniBatchKMeans(n_clusters=segments, random_state=SEED)
        self._waiting: list[Floats] = []
        self._started = False

    def look(self, looks: Looks) -> Ints:
        x = self._space(looks)
        with threadpool_limits(1):  # for so few rows, threads cost more than they do
            if not looks.sweep and len(x):
                self._learn(x)
            if not self._started or not len(x):
                return np.full(len(x), -1)
            labels: Ints = self._model.predict(self._scaled(x)).astype(np.int64)
            return labels

    def _learn(self, x: Floats) -> None:
        if self._scaler is not None:
            self._scaler.partial_fit(x)
        self._waiting.append(x)
        if self._started or sum(map(len, self._waiting)) >= self.FIRST_ROWS:
            self._model.partial_fit(self._scaled(np.concatenate(self._waiting)))
            self._waiting.clear()
            self._started = True

    def _scaled(self, x: Floats) -> Floats:
        return x if self._scaler is None else self._scaler.transform(x)


def rivals(segments: int, scaling: Scaling) -> list[System]:
    """Every rival, fresh.

    Args:
        segments: The true number.
        scaling: Shoal's, for those who borrow its space.
    """

    def river_kmeans() -> Any:
        return cluster.KMeans(n_clusters=segments, seed=SEED)

    def stream_kmeans() -> Any:
        make: Any = cluster.STREAMKMeans  # River's methods carry no types
        return make(n_clusters=segments, seed=SEED)

    return [
        RiverSystem("River KMeans, defaults, raw features", Raw(), river_kmeans(), scale=False),
        RiverSystem("River StandardScaler \\| KMeans", Raw(), river_kmeans(), scale=True),
        RiverSystem("River StandardScaler \\| STREAMKMeans", Raw(), stream_kmeans(), scale=True),
        MiniBatchSystem("sklearn MiniBatchKMeans.partial_fit", Raw(), segments, scale=True),
        MiniBatchSystem(
            "the same in Shoal's space, frozen on day 14", Projected(scaling), segments, scale=False
        ),
    ]
