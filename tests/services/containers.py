"""Kafka and Redis in containers, where a Docker engine answers."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic, sleep

from testcontainers.core.container import DockerContainer

from shoal.server_process import ServerFailed, free_port
from tests.services.kafka import CONFIG as KAFKA_CONFIG
from tests.services.kafka import READY_S_MAX, answers, listener_config
from tests.services.kafka_jars import KAFKA_VERSION
from tests.services.redis import CONFIG as REDIS_CONFIG

KAFKA_IMAGE = f"apache/kafka:{KAFKA_VERSION}"
REDIS_IMAGE = "redis:8.2-alpine"
_ENGINE_S_MAX = 2


def docker_answers() -> bool:
    """Tell within two seconds whether a Docker engine is there; a client alone is not enough."""
    if not shutil.which("docker"):
        return False
    try:
        answer = subprocess.run(
            ["docker", "version", "--format", "{{.Server.Version}}"],
            capture_output=True,
            check=False,
            timeout=_ENGINE_S_MAX,
        )
    except subprocess.TimeoutExpired:
        return False
    return answer.returncode == 0


@contextmanager
def kafka_container() -> Iterator[str]:
    """Run a broker; yields its bootstrap servers."""
    port = free_port()
    container = DockerContainer(KAFKA_IMAGE).with_bind_ports(port, port)
    # The image turns KAFKA_A_B into a.b.
    for name, value in (KAFKA_CONFIG | listener_config(port, 9093, "")).items():
        container = container.with_env("KAFKA_" + name.upper().replace(".", "_"), value)
    with container:
        deadline_s = monotonic() + READY_S_MAX
        while not answers(f"127.0.0.1:{port}"):
            if monotonic() > deadline_s:
                raise ServerFailed(f"{KAFKA_IMAGE} did not answer in {READY_S_MAX:.0f} s")
            sleep(0.2)
        yield f"127.0.0.1:{port}"


@contextmanager
def redis_container() -> Iterator[str]:
    """Run a Redis; yields its URL."""
    port = free_port()
    options = " ".join(f'--{name} "{value}"' for name, value in REDIS_CONFIG.items())
    container = DockerContainer(REDIS_IMAGE).with_bind_ports(6379, port)
    with container.with_command(f"redis-server {options}"):
        yield f"redis://127.0.0.1:{port}/0"
