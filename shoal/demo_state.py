"""What the demo shows, gathered from where an operator would look: Redis and the change topic."""

from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from time import monotonic

from consumer.lookup import Lookup, SegmentsView
from consumer.meta import PartitionMeta
from consumer.subscriber import Subscriber
from segments.changes import SegmentChange, rfc3339

_NEWEST_SHOWN = 8
_CHANGES_PER_LOOK = 5_000
_RATE_OVER_S = 5.0

# The first model moves everybody at once; what comes after is worth watching.
_FIRST_MODEL = "model"


@dataclass(frozen=True)
class Scene:
    """One moment of the demo.

    Attributes:
        elapsed_s: since the demo began.
        sent, processed: events written to the topic, and events that a worker has dealt with.
        per_second: of the latter, over the last few seconds.
        stream_time: how far the stream has come, RFC 3339; "" before the first event.
        segments: names, sizes and centroids; None before the worker has started.
        changes: published so far.
        causes: the same by cause.
        newest: the newest of them.
    """

    elapsed_s: float
    sent: int
    processed: int
    per_second: float
    stream_time: str
    segments: SegmentsView | None
    changes: int
    causes: dict[str, int]
    newest: Sequence[SegmentChange]

    @property
    def lag(self) -> int:
        """Events not dealt with yet."""
        return max(0, self.sent - self.processed)


@dataclass
class DemoState:
    """Looks again and again, and remembers what it needs to tell rates and totals."""

    lookup: Lookup
    subscriber: Subscriber
    started_s: float = field(default_factory=monotonic)
    changes: int = 0
    causes: Counter[str] = field(default_factory=Counter)
    newest: deque[SegmentChange] = field(default_factory=lambda: deque(maxlen=_NEWEST_SHOWN))
    seen: deque[tuple[float, int]] = field(default_factory=deque)

    def look(self, sent: int, *, wait_s: float = 0.0) -> Scene:
        """Gather the moment.

        Args:
            sent: events written so far.
            wait_s: how long to wait for a change when there is none.
        """
        self._follow_changes(wait_s)
        metas = self.lookup.metas()
        processed = sum(meta.outcomes.records for meta in metas.values())
        return Scene(
            elapsed_s=monotonic() - self.started_s,
            sent=sent,
            processed=processed,
            per_second=self._rate(processed),
            stream_time=_stream_time(metas),
            segments=self.lookup.segments(),
            changes=self.changes,
            causes=dict(self.causes),
            newest=list(self.newest),
        )

    def processed(self) -> int:
        """Count the events that a worker has dealt with."""
        return sum(meta.outcomes.records for meta in self.lookup.metas().values())

    def _follow_changes(self, wait_s: float) -> None:
        for _ in range(_CHANGES_PER_LOOK):
            change = self.subscriber.next(timeout_s=wait_s)
            if change is None:
                return
            wait_s = 0.0
            self.changes += 1
            self.causes[change.cause] += 1
            if change.cause != _FIRST_MODEL or not self.newest:
                self.newest.appendleft(change)

    def _rate(self, processed: int) -> float:
        now_s = monotonic()
        self.seen.append((now_s, processed))
        while now_s - self.seen[0][0] > _RATE_OVER_S and len(self.seen) > 2:
            self.seen.popleft()
        first_s, first = self.seen[0]
        passed_s = now_s - first_s
        return (processed - first) / passed_s if passed_s > 0 else 0.0


def _stream_time(metas: dict[int, PartitionMeta]) -> str:
    newest_ms = max((meta.stream_ms for meta in metas.values()), default=0)
    return rfc3339(newest_ms) if newest_ms else ""
