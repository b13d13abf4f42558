"""While a service is away: say so now and then, wait, and in the end give up."""

import time

import structlog

from consumer.errors import Away, ServiceUnavailable
from consumer.health import SERVICES, Health, Service

_log = structlog.get_logger(__name__)


class Outages:
    """Notes in `Health` what services hold up, tells the log, and keeps the limit."""

    def __init__(self, health: Health, limit_s: float) -> None:
        """Begin with every service there.

        Args:
            health: where it is noted.
            limit_s: how long a service may be away before the process stops.
        """
        self._health = health
        self._limit_s = limit_s

    def away(self, holder: str | int, why: Away) -> None:
        """Note what is held up (a partition's number, or a client's name), and by what."""
        now_s = time.monotonic()
        if self._health.away(why.service, holder, str(why), now_s):
            away_s = round(self._health.away_s(why.service, now_s), 1)
            _log.error(
                f"waiting for {why.service}; nothing is lost",
                why=str(why),
                away_s=away_s,
                limit_s=self._limit_s,
            )

    def heard(self, holder: str | int, *services: Service) -> None:
        """Note that these services (or all of them) do not hold something up any more."""
        for service in services or SERVICES:
            away_s = self._health.heard(service, holder, time.monotonic())
            if away_s is not None:
                _log.info(f"{service} is back", away_s=round(away_s, 1))

    def is_away(self, service: Service) -> bool:
        """Tell whether something is held up by a service."""
        return service in self._health.waits_for()

    def check(self) -> None:
        """Keep the limit.

        Raises:
            ServiceUnavailable: a service has been away for longer.
        """
        now_s = time.monotonic()
        for service, (since_s, why) in self._health.waits_for().items():
            if now_s - since_s > self._limit_s:
                msg = (
                    f"{service} has been away for more than {self._limit_s:g} s ({why}): nothing "
                    "is lost; start it again when the service is back"
                )
                raise ServiceUnavailable(msg)
