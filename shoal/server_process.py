"""A server of our own as a child process: started, stopped, killed or frozen by its own id."""

import atexit
import shutil
import signal
import socket
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from time import monotonic, sleep

from shoal.errors import ShoalError

STOP_S_MAX = 20.0
_POLL_S = 0.05


class ServerFailed(ShoalError):
    """A server did not come up; the text ends with what it wrote last."""


class ServerProcess:
    """One child process in a process group of its own, its output in a file.

    It never outlives us: `atexit` ends it, and the kernel does when we are killed ourselves
    (`setpriv`, where there is one). Ctrl-C at the terminal reaches us and not the server, so that
    whoever still needs it can finish.
    """

    def __init__(self, command: Sequence[str], log: Path) -> None:
        """Remember the command and the file that its output is added to."""
        self.command = list(command)
        self.log = log
        self._process: subprocess.Popen[bytes] | None = None

    def running(self) -> bool:
        """Tell whether it is there (a frozen one is)."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """Its process id."""
        assert self._process is not None, "not started"
        return self._process.pid

    def start(self, ready: Callable[[], bool], within_s: float) -> None:
        """Start the process and wait until `ready()` says yes.

        Raises:
            ServerFailed: it ended, or was not ready in time.
        """
        assert not self.running(), "already running"
        setpriv = shutil.which("setpriv")
        dies_with_us = [setpriv, "--pdeathsig", "KILL"] if setpriv else []
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 -- our own command, no shell
                [*dies_with_us, *self.command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        atexit.register(self.kill)
        deadline_s = monotonic() + within_s
        while not ready():
            if not self.running() or monotonic() > deadline_s:
                self.kill()
                tail = self.log.read_text(errors="replace")[-2000:]
                raise ServerFailed(f"{self.command[0]} did not become ready:\n{tail}")
            sleep(_POLL_S)

    def stop(self) -> None:
        """Ask it to end; after `STOP_S_MAX` seconds kill it."""
        if not self.running():
            return
        self._signal(signal.SIGTERM)
        try:
            self._wait(STOP_S_MAX)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """SIGKILL: it gets no chance to write anything."""
        atexit.unregister(self.kill)
        if self.running():
            self._signal(signal.SIGKILL)
            self._wait(STOP_S_MAX)

    def pause(self) -> None:
        """SIGSTOP: alive, and silent."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """SIGCONT."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: int) -> None:
        assert self._process is not None, "not started"
        self._process.send_signal(number)

    def _wait(self, within_s: float) -> None:
        assert self._process is not None, "not started"
        self._process.wait(within_s)


def listens(address: str) -> bool:
    """Tell whether somebody listens at `host:port`."""
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=1).close()
    except OSError:
        return False
    return True


def free_port() -> int:
    """Give a TCP port of 127.0.0.1 that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
