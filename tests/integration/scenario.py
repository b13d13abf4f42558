"""One Shoal of a test's own: its topics, its processes, and what can be asked about it."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import redis
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # re-exported without saying so
    AdminClient,
    ConfigResource,
    NewTopic,
    ResourceType,
)

from consumer.topics import topic_specs
from tests.integration.checker import Findings, check
from tests.integration.patience import eventually
from tests.integration.processes import COMMAND, ShoalProcess
from tests.integration.stored import read_meta
from tests.services.deployment import Deployment

IDLE_S = "1"
SESSION_MS_MIN = 3_000  # a busy machine may be silent for a second or two

SETTINGS = {
    "SHOAL_CLOCK": "event",
    "SHOAL_BATCH_RECORDS": "200",  # many commits even in a small stream
    "SHOAL_KAFKA_CONFIG": '{"heartbeat.interval.ms": 500}',
    "SHOAL_SEGMENTS": "4",
    "SHOAL_SAMPLE_INTERVAL_S": "3600",
    "SHOAL_LOG_FORMAT": "json",
}


@cache
def session_ms(kafka: str) -> int:
    """The shortest session that a broker accepts: a killed member is missed sooner."""
    admin = AdminClient({"bootstrap.servers": kafka})
    broker = next(iter(admin.list_topics(timeout=10).brokers))
    resource = ConfigResource(ResourceType.BROKER, str(broker))
    settings = admin.describe_configs([resource])[resource].result(10)
    return max(SESSION_MS_MIN, int(settings["group.min.session.timeout.ms"].value))


class Scenario:
    """Starts and watches the processes of one deployment."""

    def __init__(
        self, deployment: Deployment, directory: Path, settings: dict[str, str], partitions: int
    ) -> None:
        self.deployment = deployment
        self.partitions = partitions
        self.processes: list[ShoalProcess] = []
        self._directory = directory
        self.session_ms = session_ms(deployment.kafka)
        self._settings = SETTINGS | {"SHOAL_SESSION_TIMEOUT_MS": str(self.session_ms)} | settings

    @property
    def environment(self) -> dict[str, str]:
        """The SHOAL_ variables that point the command line here."""
        partitions = {"SHOAL_PARTITIONS": str(self.partitions)}
        return self.deployment.environment() | partitions | self._settings

    def create_topics(self) -> None:
        """Create the six topics as `shoal topics create` does."""
        admin = AdminClient({"bootstrap.servers": self.deployment.kafka})
        specs = topic_specs(
            self.deployment.topics,
            self.partitions,
            event_clock=self._settings["SHOAL_CLOCK"] == "event",
        )
        topics = [NewTopic(spec.name, spec.partitions, 1, config=spec.config) for spec in specs]
        for created in admin.create_topics(topics).values():
            created.result(20)

    def start(
        self, *arguments: str, command: Sequence[str] = COMMAND, **settings: str
    ) -> ShoalProcess:
        """Start `shoal <arguments>` with these settings besides the scenario's."""
        process = ShoalProcess(
            [*command, *arguments],
            self.environment | settings,
            self._directory,
            f"{len(self.processes)}-{arguments[0]}",
        )
        self.processes.append(process)
        return process

    def call(self, *arguments: str, exit_code: int = 0) -> str:
        """Run `shoal <arguments>` to its end and give what it wrote to stdout."""
        process = self.start(*arguments)
        found = process.wait()
        assert found == exit_code, f"exit code {found}: {process.tail()}"
        return process.output

    def work_until_idle(self, command: str = "worker") -> dict[str, Any]:
        """Run a worker (or `run`) until nothing is left to do; give its summary."""
        process = self.start(command, "--until-idle", IDLE_S)
        found = process.wait()
        assert found == 0, f"exit code {found}: {process.tail()}"
        return process.summary

    def metas(self) -> list[dict[str, Any]]:
        """Read the counters of the partitions that have any."""
        with redis.Redis.from_url(self.deployment.redis_url) as client:
            found = [
                read_meta(client, self.deployment.namespace, number)
                for number in range(self.partitions)
            ]
        return [meta for meta in found if meta]

    @property
    def applied(self) -> int:
        """How many records have gone into Redis."""
        return sum(meta["applied_offset"] for meta in self.metas())

    @property
    def changes(self) -> int:
        """How many changes have been decided."""
        return sum(meta["sequence"] for meta in self.metas())

    def wait_for_applied(self, records: int, within_s: float = 60.0) -> None:
        """Wait until so many records have gone into Redis."""
        eventually(lambda: self.applied >= records, within_s, f"{records} records applied")

    def assert_promises_hold(self) -> None:
        """Hold topics and Redis against everything that is promised; workers must be idle.

        Raises:
            AssertionError: something is broken; the text says what, and how often.
        """
        findings = check(self.deployment)
        assert findings == Findings(), str(findings)

    def end(self) -> None:
        """Kill what is left; show what the processes said, in case the test has failed."""
        for process in self.processes:
            process.kill()
            print(f"--- {process.log.name}\n{process.tail()}")  # noqa: T201 -- shown by pytest
