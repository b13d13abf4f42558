"""What can be told of a running worker, read by other threads while it works.

Nothing here takes part in the work: the loop writes plain numbers, whoever is curious reads them.
"""

from collections.abc import Callable

from consumer.config import WorkerConfig
from consumer.health import Health
from consumer.partitions import Partitions
from consumer.progress import Progress
from segments.model import SegmentModel


class Vitals:
    """The numbers of one worker.

    Attributes:
        progress: what it has done since it started.
        health: for what it waits.
        model: the model that decides now; None before the first release.
    """

    def __init__(
        self,
        config: WorkerConfig,
        progress: Progress,
        health: Health,
        partitions: Partitions,
        clock: Callable[[], int],
    ) -> None:
        """Remember where the numbers are; `clock` is the wall clock, ms."""
        self.progress = progress
        self.health = health
        self.model: SegmentModel | None = None
        self._is_live = config.clock == "wall"
        self._partitions = partitions
        self._clock = clock

    @property
    def owned(self) -> list[int]:
        """The partitions that it works on."""
        return sorted(self._partitions.owned)

    @property
    def waiting(self) -> list[int]:
        """The partitions that it was given and cannot work on now: their fetching is paused."""
        return sorted(self._partitions.waiting)

    @property
    def lags(self) -> dict[int, float]:
        """Lag of each partition that it was given, in records; NaN: not known yet."""
        return self._partitions.lags

    @property
    def unpublished(self) -> int:
        """Changes and dead letters decided, their transaction not known to be through."""
        held = sum(owned.unpublished for owned in list(self._partitions.owned.values()))
        return held + sum(list(self._partitions.unpublished.values()))

    @property
    def model_age_s(self) -> float | None:
        """Seconds since the model was released: by the clock; historical data: of stream time."""
        if self.model is None:
            return None
        owned = list(self._partitions.owned.values())
        now_ms = (
            self._clock() if self._is_live else max((o.meta.stream_ms for o in owned), default=0)
        )
        return max(0.0, (now_ms - self.model.released_ms) / 1000)
