"""`shoal` processes as an operator starts them: real command line, own environment, own log."""

import atexit
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).parents[2]
COMMAND = (sys.executable, "-m", "shoal")

# The same command line, but where a named point would kill the process it falls asleep, once.
_SLEEPY = """
import os, signal, sys, threading
def sleep(pid, number, kill=os.kill):
    os.kill = lambda pid, number: None if number == signal.SIGKILL else kill(pid, number)
    # To this thread: sent to the process, it might go on for a few calls before it stops.
    signal.pthread_kill(threading.get_ident(), signal.SIGSTOP)
os.kill, sys.argv[0] = sleep, "shoal"
from shoal.cli import main
main()
"""
SLEEPY_COMMAND = (sys.executable, "-c", _SLEEPY)

ENDS_WITHIN_S = 90.0


class ShoalProcess:
    """One running `shoal …`; it never outlives the test run."""

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        directory: Path,
        name: str,
    ) -> None:
        self.log = directory / f"{name}.log"
        self._output = directory / f"{name}.out"
        setpriv = shutil.which("setpriv")
        dies_with_us = [setpriv, "--pdeathsig", "KILL"] if setpriv else []
        with self.log.open("wb") as log, self._output.open("wb") as output:
            self._process = subprocess.Popen(
                [*dies_with_us, *command],
                cwd=directory,  # no .env of a developer's there
                env=_environment(environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=log,
                start_new_session=True,
            )
        atexit.register(self.kill)

    def wait(self, within_s: float = ENDS_WITHIN_S) -> int:
        """Wait for its end; give its exit code, -9 after a SIGKILL.

        Raises:
            AssertionError: it did not end in time.
        """
        try:
            return self._process.wait(within_s)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"it goes on after {within_s:.0f} s: {self.tail()}") from None

    @property
    def running(self) -> bool:
        """Tell whether it is there (a sleeping one is)."""
        return self._process.poll() is None

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def asleep(self) -> bool:
        """Tell whether it was stopped by SIGSTOP."""
        status = Path(f"/proc/{self._process.pid}/stat")
        return self.running and status.read_text().rpartition(")")[2].split()[0] == "T"

    def kill(self) -> None:
        """SIGKILL, and wait until it is gone."""
        atexit.unregister(self.kill)
        if self.running:
            self._process.kill()
        self._process.wait(10)

    def terminate(self) -> None:
        """SIGTERM: it should finish what it is at and leave."""
        self._process.send_signal(signal.SIGTERM)

    def pause(self) -> None:
        """SIGSTOP."""
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """SIGCONT."""
        self._process.send_signal(signal.SIGCONT)

    @property
    def output(self) -> str:
        """What it has written to stdout."""
        return self._output.read_text()

    @property
    def summary(self) -> dict[str, Any]:
        """The last line on stdout, decoded."""
        decoded: dict[str, Any] = json.loads(self.output.splitlines()[-1])
        return decoded

    def tail(self) -> str:
        """The end of its log."""
        return self.log.read_text(errors="replace")[-4000:]


def _environment(ours: Mapping[str, str]) -> dict[str, str]:
    """Ours, and of the surrounding one whatever is not about Shoal."""
    around = {name: value for name, value in os.environ.items() if not name.startswith("SHOAL_")}
    return {**around, "PYTHONPATH": str(REPOSITORY), "PYTHONUNBUFFERED": "1", **ours}
