"""A real Redis: `redis-server` from the distribution, on a port and in a directory of its own."""

import shutil
from collections.abc import Mapping
from pathlib import Path

import redis

from shoal.server_process import ServerProcess, free_port

READY_S_MAX = 20.0

# What `doctor` asks of a Redis that holds Shoal's state.
CONFIG = {
    "appendonly": "yes",
    "appendfsync": "everysec",
    "maxmemory-policy": "noeviction",
    "save": "",
}


def redis_program() -> str | None:
    """Find `redis-server` or `valkey-server`; both speak the same protocol."""
    return shutil.which("redis-server") or shutil.which("valkey-server")


class RedisServer:
    """Start, stop, kill and restart a Redis on the same port with the same data.

    Args:
        directory: where its append-only file and its log go.
        config: settings beyond `CONFIG`, by the names of redis.conf.
    """

    def __init__(self, directory: Path, config: Mapping[str, str] | None = None) -> None:
        program = redis_program()
        assert program, "redis-server is not installed"
        self.directory = directory
        self.port = free_port()
        self.config = CONFIG | dict(config or {})
        options = [part for name, value in self.config.items() for part in (f"--{name}", value)]
        self.process = ServerProcess(
            [
                *(program, "--bind", "127.0.0.1", "--port", str(self.port)),
                *("--dir", str(directory), "--daemonize", "no"),
                *options,
            ],
            directory / "redis.log",
        )

    @property
    def url(self) -> str:
        """Where it is, as SHOAL_REDIS_URL wants it."""
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> "RedisServer":
        """Start it and wait until it has loaded its data."""
        self.process.start(self._ready, READY_S_MAX)
        return self

    def stop(self) -> None:
        """Let it write everything and end."""
        self.process.stop()

    def kill(self) -> None:
        """SIGKILL; with `everysec` at most its last second is lost, and only with the machine."""
        self.process.kill()

    def restart(self) -> None:
        """Stop and start on the same port and data."""
        self.stop()
        self.start()

    @property
    def append_only_files(self) -> list[Path]:
        """The files to cut short in order to lose the last writes (while it is down)."""
        return sorted((self.directory / "appendonlydir").glob("*.incr.aof"))

    def _ready(self) -> bool:
        try:
            with redis.Redis(port=self.port, socket_timeout=1) as client:
                return bool(client.ping())
        except redis.RedisError:
            return False
