"""One worker beside a bare consume-and-decode loop, on a real Kafka and a real Redis.

    python -m benchmarks.bench_worker [--events N] [--users N] [--days N] [--rounds N]

A topic of 4 partitions is filled with synthetic, skewed traffic. A first pass collects samples and
trains a model, so that the measured passes assign and publish. Then, in each round, one process
only consumes and decodes, and one worker with a state of its own does the whole job. Absolute
figures depend on the machine and on what else it does; the ratio of a round does not, much.

The stream covers a week of stream time, so it is a fast replay: every midnight costs a look at
everybody. `--days 28` has more midnights to the event, `--days 1` is nearer to live traffic.
"""

import argparse
import json
import logging
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec
import redis
import structlog
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka import Producer as KafkaProducer
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]

from consumer.config import WorkerConfig
from consumer.topics import TopicNames, topic_specs
from consumer.trainer import Trainer
from consumer.worker import Worker
from features.events import Event
from producer.kafka import KafkaConnection
from producer.synthetic import SyntheticSettings, SyntheticStream
from tests.services.kafka import KafkaServer
from tests.services.kafka_jars import kafka_jars
from tests.services.redis import RedisServer

PARTITIONS = 4
IDLE_S = 2.0
AIM_EVENTS_PER_S = 150_000
AIM_RATIO = 0.20
AIM_BYTES = 600


def main() -> None:
    options = _options()
    # stdout carries the results.
    quiet = structlog.make_filtering_bound_logger(logging.WARNING)
    structlog.configure(
        wrapper_class=quiet, logger_factory=structlog.PrintLoggerFactory(sys.stderr)
    )
    if options.role:
        print(json.dumps({"bare": bare_loop, "worker": one_worker}[options.role](options)))
        return
    with tempfile.TemporaryDirectory() as directory:
        kafka = KafkaServer(kafka_jars(), Path(directory) / "kafka", heap="1g").start()
        store = RedisServer(Path(directory)).start()
        options.kafka, options.redis = kafka.bootstrap_servers, store.url
        try:
            _report(*_rounds(options))
        finally:
            kafka.kill()
            store.kill()


def bare_loop(options: argparse.Namespace) -> dict[str, Any]:
    """Consume and decode everything; nothing else."""
    kafka = KafkaConnection(options.kafka)
    consumer = Consumer(
        kafka.consumer_config(
            **{"group.id": "bare", "enable.partition.eof": True, "fetch.queue.backoff.ms": 1}
        )
    )
    topic = TopicNames().events
    consumer.assign([TopicPartition(topic, number, 0) for number in range(PARTITIONS)])
    decode = msgspec.json.Decoder(Event).decode
    first = consumer.poll(30)
    started_s, events, ends = time.perf_counter(), 0, 0
    while ends < PARTITIONS:
        for message in [first, *consumer.consume(10_000, 0)] if first else []:
            if message.error():
                ends += 1
            else:
                decode(message.value() or b"")
                events += 1
        first = consumer.poll(1)
    return {"events": events, "seconds": time.perf_counter() - started_s}


def one_worker(options: argparse.Namespace) -> dict[str, Any]:
    """Do the whole job from the first record on, with a state of its own."""
    worker = Worker(_config(options, options.namespace))
    progress = worker.run(threading.Event(), until_idle_s=IDLE_S)
    return {
        "events": progress.outcomes.records,
        "changes": progress.changes,
        "swept": progress.swept,
        "seconds": progress.working_s,
        "stages": progress.stages.seconds,
    }


def _config(options: argparse.Namespace, namespace: str) -> WorkerConfig:
    # One set of output topics for all passes would make the second read back the first.
    names = TopicNames(
        changes=f"{namespace}-changes",
        memberships=f"{namespace}-memberships",
        samples=f"{namespace}-samples",
        dead=f"{namespace}-dead",
    )
    return WorkerConfig(
        kafka=KafkaConnection(options.kafka),
        redis_url=options.redis,
        namespace=namespace,
        group=namespace,
        topics=names,
        clock="event",
        bootstrap_days=min(3.0, options.days / 2),  # the warm-up shall give a model, not a good one
    )


def _rounds(options: argparse.Namespace) -> tuple[list[float], list[dict[str, Any]], float]:
    _create_topics(options, "warm-up")
    size_bytes = _fill(options)
    print(f"{options.events:,} events of {options.users:,} users, {size_bytes:.0f} bytes each")
    one_worker(argparse.Namespace(**vars(options) | {"namespace": "warm-up"}))
    summary = Trainer(_config(options, "warm-up")).run(threading.Event(), until_idle_s=IDLE_S)
    print(f"model {summary.version} trained with {summary.samples:,} samples")
    bare, whole = [], []
    for number in range(options.rounds):
        namespace = f"round-{number}-{uuid4().hex[:6]}"
        _create_topics(options, namespace)
        alone = _process(options, "bare", namespace)
        bare.append(alone["events"] / alone["seconds"])
        whole.append(_process(options, "worker", namespace))
        rate = whole[-1]["events"] / whole[-1]["seconds"]
        print(
            f"round {number + 1}: bare loop {bare[-1]:>9,.0f} events/s   "
            f"worker {rate:>9,.0f} events/s   ratio {rate / bare[-1]:.2f}"
        )
    return bare, whole, _bytes_per_user(options, namespace)


def _process(options: argparse.Namespace, role: str, namespace: str) -> dict[str, Any]:
    answer = subprocess.run(
        [
            *(sys.executable, "-m", "benchmarks.bench_worker", "--role", role),
            *("--kafka", options.kafka, "--redis", options.redis, "--namespace", namespace),
            *("--days", str(options.days)),
        ],
        stdout=subprocess.PIPE,
        check=True,
    )
    measured: dict[str, Any] = json.loads(answer.stdout)
    return measured


def _report(
    bare: list[float],
    whole: list[dict[str, Any]],
    bytes_per_user: float,
) -> None:
    rates = [run["events"] / run["seconds"] for run in whole]
    ratio = statistics.median(rate / alone for rate, alone in zip(rates, bare, strict=True))
    print("\nmicroseconds per event, last round (stages run beside each other):")
    for stage, seconds in whole[-1]["stages"].items():
        print(f"  {stage:<18}{seconds / whole[-1]['events'] * 1e6:6.2f}")
    print(
        f"changes {whole[-1]['changes']:,}, users looked at without an event {whole[-1]['swept']:,}"
    )
    print(f"bytes per user      {bytes_per_user:9.0f}   (aim: at most {AIM_BYTES})")
    rate = statistics.median(rates)
    print(f"worker, median      {rate:9,.0f}   events/s (aim: {AIM_EVENTS_PER_S:,})")
    print(f"ratio, median       {ratio:9.2f}   of the bare loop (aim: {AIM_RATIO})")


def _create_topics(options: argparse.Namespace, namespace: str) -> None:
    config = _config(options, namespace)
    admin = AdminClient(config.kafka.admin_config())  # type: ignore[arg-type]  # stubs forget logger
    existing = admin.list_topics(timeout=10).topics
    wanted = [
        NewTopic(spec.name, spec.partitions, 1, config=spec.config)
        for spec in topic_specs(config.topics, PARTITIONS, event_clock=True)
        if spec.name not in existing
    ]
    for future in admin.create_topics(wanted).values():
        future.result()


def _fill(options: argparse.Namespace) -> float:
    producer = KafkaProducer(
        KafkaConnection(options.kafka).producer_config(
            partitioner="murmur2",
            linger_ms=50,
            compression_type="lz4",
            **{"queue.buffering.max.messages": 1_000_000},
        )
    )
    stream = SyntheticStream(
        SyntheticSettings(users=options.users, events=options.events, seed=7, days=options.days)
    )
    size_bytes = 0
    for record in stream.events():
        size_bytes += len(record.payload)
        producer.produce(
            TopicNames().events, value=record.payload, key=record.event.user_id.encode(),
            timestamp=record.record_ms,
        )  # fmt: skip
        producer.poll(0)
    producer.flush()
    return size_bytes / int(options.events)


def _bytes_per_user(options: argparse.Namespace, namespace: str) -> float:
    client = redis.Redis.from_url(options.redis)
    sizes: list[int] = [
        client.strlen(key)
        for number in range(PARTITIONS)
        for key in client.scan_iter(f"{{{namespace}.{number}}}:u:*", count=1000)
    ]
    mean: float = sum(sizes) / len(sizes)
    return mean


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bench_worker")
    parser.add_argument("--events", type=int, default=2_000_000)
    parser.add_argument("--users", type=int, default=20_000)
    parser.add_argument("--days", type=int, default=7)
    parser.add_argument("--rounds", type=int, default=3)
    for hidden in ("--role", "--kafka", "--redis", "--namespace"):
        parser.add_argument(hidden, help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
