"""How a process is: which service it waits for, since when and why, and whether it can work.

Pure: times come in as arguments (seconds of a monotonic clock), nothing is asked or logged. The
loop writes and an HTTP thread reads; numbers, and objects that are not changed in a way a reader
could see half of, need no lock.
"""

import math
from dataclasses import dataclass, field
from typing import Literal

Service = Literal["Kafka", "Redis"]
SERVICES: tuple[Service, ...] = ("Kafka", "Redis")

TOLD_EVERY_S = 30.0  # how often a log is reminded of an outage that goes on
# An outage that begins again within this time goes on: a Redis that is nearly full takes a small
# write and refuses the next large one, for hours.
RESUMED_WITHIN_S = 10.0
# librdkafka's max.poll.interval.ms: whoever does not turn for so long has lost its partitions. An
# outage makes a turn wait for time-outs, a minute of them at most.
ALIVE_WITHIN_S = 300.0


@dataclass
class Outage:
    """One service that does not answer, or answers that it cannot.

    Attributes:
        since_s: when it began.
        why: the newest reason, one sentence.
        holders: what is held up by it: partition numbers, or a client by name.
        told_s: when somebody was told last.
        over_s: when it ended; None while it goes on.
        relapsed: it had ended and has begun again.
    """

    since_s: float
    why: str
    holders: set[str | int] = field(default_factory=set)
    told_s: float = -math.inf
    over_s: float | None = None
    relapsed: bool = False


class Health:
    """The state of one worker or trainer.

    Attributes:
        turned_s: when the loop turned last; None before the first time.
        blocked: why it cannot work although every service is there; None: it can.
        outages_total: outages so far, by service.
    """

    def __init__(self, blocked: str | None = "it has just been started") -> None:
        """Begin with every service there."""
        self.turned_s: float | None = None
        self.blocked = blocked
        self.outages_total: dict[Service, int] = dict.fromkeys(SERVICES, 0)
        self._outages: dict[Service, Outage] = {}

    def away(self, service: Service, holder: str | int, why: str, now_s: float) -> bool:
        """Note that a service holds something up; tell whether it is time to say so."""
        outage = self._outages.get(service)
        if outage is not None and outage.over_s is not None:
            if now_s - outage.over_s <= RESUMED_WITHIN_S:
                outage.over_s, outage.relapsed = None, True
            else:
                outage = None
        if outage is None:
            outage = self._outages[service] = Outage(now_s, why)
            self.outages_total[service] += 1
        outage.why = why
        outage.holders.add(holder)
        return self._is_to_be_told(outage, now_s)

    def heard(self, service: Service, holder: str | int, now_s: float) -> float | None:
        """Note that a service does not hold something up (any more).

        Returns:
            How long the outage was, if this is its end and the end is to be told.
        """
        outage = self._outages.get(service)
        if outage is None or outage.over_s is not None:
            return None
        outage.holders.discard(holder)
        if outage.holders:
            return None
        outage.over_s = now_s
        # Relapses come every second where they come: their ends are told like the outage itself.
        told = not outage.relapsed or self._is_to_be_told(outage, now_s)
        return now_s - outage.since_s if told else None

    def waits_for(self) -> dict[Service, tuple[float, str]]:
        """Give the services that are away: since when, and why."""
        return {
            service: (outage.since_s, outage.why)
            for service, outage in list(self._outages.items())
            if outage.over_s is None
        }

    def away_s(self, service: Service, now_s: float) -> float:
        """Give for how long a service has been away; 0 when it is there."""
        since_s, _ = self.waits_for().get(service, (now_s, ""))
        return max(0.0, now_s - since_s)

    def not_ready(self, now_s: float) -> str | None:
        """Give one sentence on why it cannot work now; None: it can."""
        for service, (since_s, why) in self.waits_for().items():
            return f"{service} has been away for {now_s - since_s:.0f} s ({why})"
        return self.blocked

    def not_alive(self, now_s: float) -> str | None:
        """Give one sentence on why it should be started again; None: it should not."""
        if self.turned_s is None or now_s - self.turned_s <= ALIVE_WITHIN_S:
            return None
        return f"the loop has not turned for {now_s - self.turned_s:.0f} s"

    def _is_to_be_told(self, outage: Outage, now_s: float) -> bool:
        if now_s - outage.told_s < TOLD_EVERY_S:
            return False
        outage.told_s = now_s
        return True
