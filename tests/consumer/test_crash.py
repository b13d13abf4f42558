"""The named points: each stands in the code once, is told of, and kills where it is asked to."""

import re
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from consumer import crash

CONSUMER = Path(crash.__file__).parent
NAMES = [one.name for one in crash.POINTS]


def test_every_point_is_listed_and_stands_in_the_code_once() -> None:
    passed = Counter(
        name
        for module in CONSUMER.glob("*.py")
        for name in re.findall(r'crash\.point\("([^"]+)"\)', module.read_text())
    )
    assert passed == Counter(NAMES)


def die_at(wanted: str, *passed: str) -> "subprocess.CompletedProcess[str]":
    code = f"from consumer import crash\nfor one in {passed}: crash.point(one)\nprint('alive')"
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=CONSUMER.parent,
        env={"SHOAL_CRASH_AT": wanted, "PYTHONPATH": str(CONSUMER.parent)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_process_dies_at_the_passage_asked_for_and_at_no_other() -> None:
    assert die_at("after poll:2", "after poll", "after poll").returncode == -signal.SIGKILL
    alive = die_at("after poll:2", "after poll", "after tidying")
    assert alive.stdout == "alive\n", alive.stderr


@pytest.mark.parametrize("wanted", ["after pol", "somewhere:3"])
def test_a_point_that_does_not_exist_is_refused(wanted: str) -> None:
    assert "no such point" in die_at(wanted).stderr
