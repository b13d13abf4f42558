"""A real Kafka: one broker in one process (KRaft), on free ports and in a directory of its own."""

import subprocess
from collections.abc import Mapping
from pathlib import Path

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from producer.kafka import KafkaConnection
from shoal.server_process import ServerFailed, ServerProcess, free_port, listens

READY_S_MAX = 90.0
CLUSTER_ID = "MkU3OEVBNTcwNTJENDM2Qk"

# What one broker for tests needs: no replicas, groups that form at once and notice a dead member
# within seconds, and no topic that nobody asked for.
CONFIG = {
    "auto.create.topics.enable": "false",
    "broker.heartbeat.interval.ms": "1000",
    "broker.session.timeout.ms": "4000",  # a killed broker is let in again only after this
    "default.replication.factor": "1",
    "group.initial.rebalance.delay.ms": "0",
    "group.min.session.timeout.ms": "1000",
    "min.insync.replicas": "1",
    "num.partitions": "1",
    "offsets.topic.num.partitions": "4",
    "offsets.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "share.coordinator.state.topic.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "transaction.state.log.num.partitions": "4",
    "transaction.state.log.replication.factor": "1",
}


def listener_config(port: int, controller_port: int, host: str) -> dict[str, str]:
    """Give the settings of a single node that is broker and controller in one.

    Args:
        port: where clients connect, under the same number inside and outside a container.
        controller_port: where the node talks to itself.
        host: address to listen on, "" for all.
    """
    return {
        "process.roles": "broker,controller",
        "node.id": "1",
        "controller.quorum.voters": f"1@127.0.0.1:{controller_port}",
        "controller.listener.names": "CONTROLLER",
        "listeners": f"PLAINTEXT://{host}:{port},CONTROLLER://{host}:{controller_port}",
        "advertised.listeners": f"PLAINTEXT://127.0.0.1:{port}",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
    }


class KafkaServer:
    """Start, stop, kill and restart a broker on the same port with the same data.

    Args:
        libs: directory with Kafka's jars (`kafka_jars()`).
        directory: where its log directories and its output go.
        heap: the JVM's memory limit.
        config: settings beyond `CONFIG`, by the names of server.properties.
        advertised_port: where clients are sent to, if not to its own port (a proxy's).
    """

    def __init__(
        self,
        libs: Path,
        directory: Path,
        *,
        heap: str = "768m",
        config: Mapping[str, str] | None = None,
        advertised_port: int | None = None,
    ) -> None:
        self.port = free_port()
        self.directory = directory
        self._properties = directory / "server.properties"
        self._java = ["java", f"-Xmx{heap}", "-cp", f"{libs}/*"]
        self._config = (
            CONFIG
            | listener_config(self.port, free_port(), "127.0.0.1")
            | {"log.dirs": str(directory / "data")}
            | dict(config or {})
        )
        if advertised_port is not None:
            self._config["advertised.listeners"] = f"PLAINTEXT://127.0.0.1:{advertised_port}"
        self.process = ServerProcess(
            [*self._java, "kafka.Kafka", str(self._properties)], directory / "kafka.log"
        )

    @property
    def bootstrap_servers(self) -> str:
        """Where it is, as SHOAL_KAFKA_BOOTSTRAP_SERVERS wants it."""
        return f"127.0.0.1:{self.port}"

    def start(self) -> "KafkaServer":
        """Start it and wait until it answers; the first time, format its log directory."""
        if not self._properties.exists():
            self._format()
        self.process.start(lambda: answers(self.bootstrap_servers), READY_S_MAX)
        return self

    def stop(self) -> None:
        """Let it shut down in order."""
        self.process.stop()

    def kill(self) -> None:
        """SIGKILL."""
        self.process.kill()

    def restart(self) -> None:
        """Stop and start on the same port and data."""
        self.stop()
        self.start()

    def _format(self) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        lines = [f"{name}={value}" for name, value in sorted(self._config.items())]
        self._properties.write_text("\n".join(lines) + "\n")
        answer = subprocess.run(
            [
                *(*self._java, "kafka.tools.StorageTool", "format"),
                *("--cluster-id", CLUSTER_ID),
                *("--config", str(self._properties)),
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        if answer.returncode:
            raise ServerFailed(f"Kafka's log directory could not be formatted: {answer.stderr}")


def answers(bootstrap_servers: str, timeout_s: float = 1.0) -> bool:
    """Tell whether a broker answers there."""
    if not listens(bootstrap_servers):
        return False  # cheaper than a client that waits for its time-out
    try:
        config = KafkaConnection(bootstrap_servers).admin_config()
        client = AdminClient(config)  # type: ignore[arg-type]  # the stubs forget `logger`
        return bool(client.list_topics(timeout=timeout_s).brokers)
    except KafkaException:
        return False
