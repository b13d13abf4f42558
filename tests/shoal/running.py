"""The real command line as a process, as a person or a script runs it."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parents[2]


def run_shoal(
    *arguments: str, environment: Mapping[str, str] | None = None, within_s: float = 60
) -> subprocess.CompletedProcess[str]:
    """Run `shoal …` with nothing of the surroundings' settings; never raises for its exit code."""
    return _run(["-m", "shoal", *arguments], environment or {}, within_s)


def run_python(*lines: str, within_s: float = 60) -> subprocess.CompletedProcess[str]:
    """Run lines of Python in a process of their own, with the same surroundings."""
    return _run(["-c", "\n".join(lines)], {}, within_s)


def _run(
    arguments: list[str], environment: Mapping[str, str], within_s: float
) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SHOAL_")}
    return subprocess.run(
        [sys.executable, *arguments],
        env=kept | {"PYTHONPATH": str(ROOT), "COLUMNS": "200"} | dict(environment),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=within_s,
    )
