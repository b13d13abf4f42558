"""How long partitions stand still when workers come, leave and die, on a real Kafka and Redis.

    python -m benchmarks.bench_rebalance [--rate N] [--phase-s N] [--session-ms N]

3 workers under a steady load; 2 more join, 3 leave in order, 3 join, 3 are killed. The applied
offsets are watched in Redis every 20 ms, from the outside: a partition's pause is the longest time
in which its offset did not move, from 0.5 s before the workers are told until all is quiet again.
At the end everything is held against the topics, as the fault campaign does.
"""

import argparse
import json
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import redis

from producer.client import Producer, ProducerSettings
from producer.kafka import KafkaConnection
from producer.pace import Pace
from producer.scenario import SyntheticSettings
from producer.synthetic import SyntheticStream
from tests.integration import releases
from tests.integration.checker import Findings, check
from tests.integration.processes import ShoalProcess
from tests.integration.scenario import Scenario
from tests.services.deployment import fresh_deployment
from tests.services.kafka import KafkaServer
from tests.services.kafka_jars import kafka_jars
from tests.services.redis import RedisServer

PARTITIONS = 12
LOOK_EVERY_S = 0.02
DAY_MS = 86_400_000
STARTS_WITHIN_S = 90.0
AIM_S = {"join": (1.6, 0.6), "leave": (0.7, 0.4), "kill": (6.0, 0.3)}
"""Median of moved and of untouched partitions in the trials of the protocol, quiet machine."""


@dataclass
class Watch(threading.Thread):
    """Notes when each partition's applied offset moves."""

    url: str
    namespace: str
    moved_s: list[list[float]] = field(default_factory=lambda: [[] for _ in range(PARTITIONS)])
    ends: bool = False

    def __post_init__(self) -> None:
        threading.Thread.__init__(self, daemon=True)

    __hash__ = threading.Thread.__hash__

    def run(self) -> None:
        keys = [f"{{{self.namespace}.{number}}}:meta" for number in range(PARTITIONS)]
        before: list[int] = [-1] * PARTITIONS
        with redis.Redis.from_url(self.url) as client:
            while not self.ends:
                with client.pipeline(transaction=False) as pipeline:
                    for key in keys:
                        pipeline.get(key)
                    metas = pipeline.execute()
                now_s = time.time()
                for number, meta in enumerate(metas):
                    body = (meta or b"").partition(b"\n")[2]
                    applied = json.loads(body)["applied_offset"] if body else -1
                    if applied != before[number]:
                        before[number] = applied
                        self.moved_s[number].append(now_s)
                time.sleep(LOOK_EVERY_S)

    def pause_s(self, partition: int, from_s: float, to_s: float) -> float:
        """Give the longest time without a move that touches the interval."""
        moves = [at for at in self.moved_s[partition] if at <= to_s]
        gaps = [b - a for a, b in zip(moves, [*moves[1:], to_s], strict=True) if b > from_s]
        return max(gaps, default=to_s - from_s)


class Bench:
    """One run."""

    def __init__(self, scenario: Scenario, watch: Watch, phase_s: float) -> None:
        self.scenario, self.watch, self.phase_s = scenario, watch, phase_s
        self.workers: list[ShoalProcess] = []
        self.rows: list[tuple[str, list[float], list[float]]] = []

    def start(self, number: int) -> None:
        """Start workers; they are up when each has been given a partition."""
        started = [self.scenario.start("worker") for _ in range(number)]
        self.workers += started
        deadline_s = time.monotonic() + STARTS_WITHIN_S
        while not all(taken(worker) for worker in started):
            assert time.monotonic() < deadline_s, "no partition was given to a new worker"
            time.sleep(0.05)

    def join(self, number: int) -> None:
        """Let workers join. They take seconds to start: the pause begins when the first joins."""
        owners, from_s = self.owners(), time.time()
        self.start(number)
        self._note(f"join: {number} more", owners, from_s)

    def end(self, number: int, *, kill: bool) -> None:
        """End the workers that have been there longest."""
        owners, from_s = self.owners(), time.time() - 0.5
        ending, self.workers = self.workers[:number], self.workers[number:]
        for worker in ending:
            if kill:
                worker.kill()
            else:
                worker.terminate()
        self._note(f"{'kill' if kill else 'leave'}: {number} go", owners, from_s)
        for worker in ending:
            assert worker.wait(30) == (-9 if kill else 0), worker.tail()

    def owners(self) -> dict[int, str]:
        """Give the worker that took each partition last, by what the workers say."""
        lines = [
            (datetime.fromisoformat(line["timestamp"]), line["partition"], process.log.name)
            for process in self.scenario.processes
            for line in taken(process)
        ]
        return {partition: name for _, partition, name in sorted(lines)}

    def _note(self, what: str, owners: dict[int, str], from_s: float) -> None:
        time.sleep(self.phase_s)
        to_s, now = time.time(), self.owners()
        pauses = [self.watch.pause_s(n, from_s, to_s) for n in range(PARTITIONS)]
        moved = [pauses[n] for n in range(PARTITIONS) if owners.get(n) != now.get(n)]
        rest = [pauses[n] for n in range(PARTITIONS) if owners.get(n) == now.get(n)]
        self.rows.append((what, moved, rest))
        print(f"{what:18} moved {told(moved)}   untouched {told(rest)}", flush=True)


def taken(worker: ShoalProcess) -> list[dict[str, Any]]:
    """Give what a worker said whenever it took a partition."""
    lines = worker.log.read_text().splitlines()
    return [json.loads(line) for line in lines if '"event": "partition taken"' in line]


def told(pauses: list[float]) -> str:
    """Say how many, their median and the longest."""
    if not pauses:
        return f"{0:2}" + " " * 27
    return f"{len(pauses):2}: median {statistics.median(pauses):5.2f} s, max {max(pauses):5.2f} s"


@contextmanager
def load(scenario: Scenario, rate: float, seconds_max: float) -> Iterator[list[int]]:
    """Send live events at a steady rate until the body ends; gives how many were sent."""
    settings = SyntheticSettings(
        users=2_000,
        events=int(rate * seconds_max),
        seed=7,
        days=1,
        start_ms=(int(time.time() * 1000) // DAY_MS - 1) * DAY_MS,  # yesterday: nothing is ahead
        personas=4,
        switchers=0.3,
        drift=2.0,
        profiled=0.2,
        duplicates=0.02,
    )
    events = tuple(SyntheticStream(settings).events())
    releases.publish(scenario.deployment, releases.first_release(events[:20_000], 7))
    sent, ends = [0], threading.Event()

    def work() -> None:
        connection = KafkaConnection(scenario.deployment.kafka)
        topic = scenario.deployment.topics.events
        with Producer(ProducerSettings(connection, topic=topic)) as producer:
            pace = Pace(rate, time.monotonic, producer.wait)
            for timed in events:
                if ends.is_set():
                    break
                pace.step()
                producer.send_encoded(timed.event, timed.payload, int(time.time() * 1000))
                sent[0] += 1

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield sent
    finally:
        ends.set()
        thread.join()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rate", type=float, default=2_000, help="events per second")
    parser.add_argument("--phase-s", type=float, default=12.0, help="watched after each step")
    parser.add_argument("--session-ms", type=int, default=6_000, help="session of the group")
    parser.add_argument("--heartbeat-ms", type=int, help="how soon members hear (Shoal's own)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        kafka = KafkaServer(kafka_jars(), directory / "kafka", heap="1g").start()
        store = RedisServer(directory).start()
        try:
            run(options, kafka.bootstrap_servers, store.url, directory)
        finally:
            kafka.kill()
            store.kill()


def run(options: argparse.Namespace, kafka: str, redis_url: str, directory: Path) -> None:
    heartbeat = {"heartbeat.interval.ms": options.heartbeat_ms} if options.heartbeat_ms else {}
    settings = {
        "SHOAL_CLOCK": "wall",
        "SHOAL_BATCH_RECORDS": "10000",
        "SHOAL_KAFKA_CONFIG": json.dumps(heartbeat),
    }
    scenario = Scenario(fresh_deployment(kafka, redis_url), directory, settings, PARTITIONS)
    scenario._settings["SHOAL_SESSION_TIMEOUT_MS"] = str(options.session_ms)  # noqa: SLF001
    scenario.create_topics()
    watch = Watch(redis_url, scenario.deployment.namespace)
    bench = Bench(scenario, watch, options.phase_s)
    print(
        f"{options.rate:,.0f} events/s, {PARTITIONS} partitions, session "
        f"{options.session_ms / 1000:.0f} s"
    )
    try:
        with load(scenario, options.rate, 4 * (options.phase_s + 20) + 60) as sent:
            watch.start()
            bench.start(3)
            time.sleep(options.phase_s)
            bench.join(2)
            bench.end(3, kill=False)
            bench.join(3)
            bench.end(3, kill=True)
        watch.ends = True
        for worker in bench.workers:
            worker.terminate()
            assert worker.wait(60) == 0, worker.tail()
        scenario.work_until_idle()
        findings = check(scenario.deployment)
    finally:
        for process in scenario.processes:
            process.kill()
    aims = "; ".join(f"{what} {moved} / {rest} s" for what, (moved, rest) in AIM_S.items())
    print(f"medians in the protocol's trials (moved / untouched): {aims}")
    print(f"{sent[0]:,} events sent; {'nothing broken' if findings == Findings() else findings}")


if __name__ == "__main__":
    main()
