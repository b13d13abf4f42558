"""Redis away for two minutes under load: memory, lag and rebalances of a worker, and the checker.

    python -m benchmarks.bench_outage [--seconds N] [--rate N] [--users N] [--how kill|freeze]

A real Kafka with 12 partitions and a real Redis. Events come at a steady rate throughout. Redis is
killed (connections are refused) or frozen (calls time out), and comes back with its data. The
worker begins with some seconds of events to catch up with, as after any restart. Its memory is
taken from /proc, everything else from its own /metrics and /readyz. At the end the independent
checker reads topics and Redis; each of its figures must be 0.
"""

import argparse
import json
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from producer.client import Producer, ProducerSettings
from producer.kafka import KafkaConnection
from producer.pace import Pace
from producer.scenario import SyntheticSettings
from producer.synthetic import SyntheticStream
from shoal.server_process import free_port
from tests.integration import releases
from tests.integration.checker import Findings, check
from tests.integration.patience import eventually
from tests.integration.scenario import Scenario
from tests.reference import DAY_MS
from tests.services.deployment import Deployment, fresh_deployment
from tests.services.kafka import KafkaServer
from tests.services.kafka_jars import kafka_jars
from tests.services.redis import RedisServer

PARTITIONS = 12
DAYS = 10
SEED = 7
AIM_GROWTH_MB = 50
DRAIN_S_MAX = 300.0
LOOK_EVERY_S = 0.5
# The worker starts so late, as after any restart: full batches are part of its memory from then on.
LATE_S = 15.0


def main() -> int:
    options = _options()
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        kafka = KafkaServer(kafka_jars(), directory / "kafka", heap="1g").start()
        store = RedisServer(directory).start()
        scenario = _scenario(fresh_deployment(kafka.bootstrap_servers, store.url), directory)
        try:
            return _measure(options, scenario, store)
        finally:
            scenario.end()
            store.kill()
            kafka.kill()


@dataclass
class Watch:
    """Looks at a worker all the time, in a thread."""

    port: int
    pid: int
    rss_mb: float = 0.0
    rss_mb_max: float = 0.0
    lag: float = 0.0
    rebalances: float = 0.0
    ready: bool = False
    history: list[tuple[float, float, float]] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)

    def look(self) -> None:
        status = Path(f"/proc/{self.pid}/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
        self.rss_mb = int(line.split()[1]) / 1024
        self.rss_mb_max = max(self.rss_mb, self.rss_mb_max)
        samples = dict(_samples(self._get("metrics")))
        self.lag = sum(v for k, v in samples.items() if k.startswith("shoal_partition_lag"))
        self.rebalances = samples["shoal_rebalances_total"]
        said = json.loads(self._get("readyz"))
        self.ready = said["ready"]
        self.history.append((time.monotonic(), self.rss_mb, self.lag))

    def keep_looking(self) -> None:
        while not self.stop.wait(LOOK_EVERY_S):
            self.look()

    def _get(self, path: str) -> str:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/{path}", timeout=10) as it:
                body: bytes = it.read()
        except urllib.error.HTTPError as refusal:  # 503 tells something as well
            body = refusal.read()
        return body.decode()


def _measure(options: argparse.Namespace, scenario: Scenario, store: RedisServer) -> int:
    sending = Sending(scenario.deployment, options)
    sending.start()
    time.sleep(LATE_S)
    worker = scenario.start("worker")
    watch = Watch(int(scenario.environment["SHOAL_METRICS_PORT"]), worker.pid)
    eventually(lambda: _is_ready(watch), 60, "the worker is ready")
    looking = threading.Thread(target=watch.keep_looking, daemon=True)
    looking.start()
    _say(f"{options.rate:,} events/s for {options.warm_up} s, so that the cache is full …")
    time.sleep(options.warm_up)
    eventually(lambda: watch.lag < options.rate, 120, "the worker keeps up")
    rss_mb, rebalances, watch.rss_mb_max = watch.rss_mb, watch.rebalances, watch.rss_mb
    _say(f"before: {rss_mb:.0f} MB; Redis goes for {options.seconds} s ({options.how}) …")
    started_s = time.monotonic()
    (store.kill if options.how == "kill" else store.process.pause)()
    eventually(lambda: not watch.ready, 30, "/readyz says no")
    said_after_s = time.monotonic() - started_s
    time.sleep(options.seconds - said_after_s)
    lag, rss_mb_during = watch.lag, watch.rss_mb_max
    (store.start if options.how == "kill" else store.process.resume)()
    back_s = time.monotonic()
    eventually(lambda: watch.ready, 60, "/readyz says yes")
    ready_after_s = time.monotonic() - back_s
    eventually(lambda: watch.lag < options.rate, DRAIN_S_MAX, "the lag is drained")
    drain_s = time.monotonic() - back_s
    rebalances = watch.rebalances - rebalances
    time.sleep(10)
    rss_mb_after, rss_mb_max = watch.rss_mb, watch.rss_mb_max
    sent = sending.finish()
    scenario.wait_for_applied(sent, DRAIN_S_MAX)
    watch.stop.set()
    looking.join()
    worker.terminate()
    assert worker.wait(60) == 0, worker.tail()
    growth_mb = rss_mb_max - rss_mb
    print(f"Redis away          {options.seconds:9} s   ({options.how}, {sent:,} events in all)")
    print(f"memory before       {rss_mb:9.0f} MB")
    print(f"  while away, max   {rss_mb_during:9.0f} MB")
    print(f"  in all, max       {rss_mb_max:9.0f} MB  growth {growth_mb:.0f} (< {AIM_GROWTH_MB})")
    print(f"  after             {rss_mb_after:9.0f} MB")
    print(f"/readyz: 503 after  {said_after_s:9.1f} s   200 again {ready_after_s:.1f} s after it")
    print(f"lag at the end      {lag:9,.0f}     records")
    print(f"drained within      {drain_s:9.1f} s   of Redis's return")
    print(f"rebalances          {rebalances:9.0f}     (must be 0)", flush=True)
    _show_log(worker.log)
    _say(_course(watch, started_s))
    _say(f"{sent:,} events sent; the checker reads everything …")
    findings = check(scenario.deployment)
    print(f"checker             {'all counters 0' if findings == Findings() else findings}")
    return int(findings != Findings() or rebalances != 0 or growth_mb >= AIM_GROWTH_MB)


class Sending:
    """Sends recent events at a steady rate until told to stop."""

    def __init__(self, deployment: Deployment, options: argparse.Namespace) -> None:
        today = int(time.time() * 1000) // DAY_MS
        total = int(options.rate * (options.warm_up + options.seconds + DRAIN_S_MAX + 200))
        stream = SyntheticStream(
            SyntheticSettings(
                users=options.users, events=total, seed=SEED, days=DAYS,
                start_ms=(today - DAYS) * DAY_MS, switchers=0.3, drift=2.0, duplicates=0.01,
            )
        )  # fmt: skip
        self._events = stream.events()
        first = tuple(islice(self._events, 20_000))
        releases.publish(deployment, releases.first_release(first, SEED))
        self._rate = options.rate
        self._first = iter(first)
        self._deployment = deployment
        self._stop = threading.Event()
        self._sent = 0
        self._thread = threading.Thread(target=self._send, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def finish(self) -> int:
        self._stop.set()
        self._thread.join()
        return self._sent

    def _send(self) -> None:
        topic = self._deployment.topics.events
        connection = KafkaConnection(self._deployment.kafka)
        with Producer(ProducerSettings(connection, topic=topic)) as producer:
            pace = Pace(self._rate, time.monotonic, producer.wait)
            for events in (self._first, self._events):
                for timed in events:
                    if self._stop.is_set():
                        return
                    pace.step()
                    producer.send_encoded(timed.event, timed.payload, timed.record_ms)
                    self._sent += 1


def _scenario(deployment: Deployment, directory: Path) -> Scenario:
    settings = {
        "SHOAL_CLOCK": "wall",
        "SHOAL_BATCH_RECORDS": "10000",
        "SHOAL_SESSION_TIMEOUT_MS": "45000",
        "SHOAL_KAFKA_CONFIG": "{}",
        "SHOAL_METRICS_PORT": str(free_port()),
    }
    scenario = Scenario(deployment, directory, settings, PARTITIONS)
    scenario.create_topics()
    return scenario


def _samples(text: str) -> Iterator[tuple[str, float]]:
    for line in text.splitlines():
        if line and not line.startswith("#"):
            name, _, value = line.rpartition(" ")
            yield name, float(value)


def _is_ready(watch: Watch) -> bool:
    try:
        watch.look()
    except urllib.error.URLError:
        return False
    return watch.ready


def _show_log(log: Path) -> None:
    said = [json.loads(line) for line in log.read_text().splitlines() if line.startswith("{")]
    about = [line for line in said if "waiting" in line["event"] or "back" in line["event"]]
    print("its log about it:")
    for line in about:
        print(f"  {line['timestamp'][11:19]} {line['event']} (away_s={line['away_s']})")


def _course(watch: Watch, started_s: float) -> str:
    """Memory and lag every ten seconds from the outage on."""
    rows = {int(at_s - started_s) // 10 * 10: (mb, lag) for at_s, mb, lag in watch.history}
    return "\n".join(f"{s:5} s {mb:6.0f} MB {lag:9,.0f}" for s, (mb, lag) in rows.items())


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bench_outage")
    parser.add_argument("--seconds", type=int, default=120, help="how long Redis is away")
    parser.add_argument("--rate", type=int, default=2_500, help="events per second")
    parser.add_argument("--users", type=int, default=5_000)
    parser.add_argument("--warm-up", type=int, default=60, help="seconds before")
    parser.add_argument("--how", choices=("kill", "freeze"), default="kill")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
