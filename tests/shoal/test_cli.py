import json
import time

import pytest

from shoal.server_process import free_port
from tests.shoal.running import run_python, run_shoal

COMMANDS = (
    "demo", "topics", "topics create", "doctor", "worker", "trainer", "run", "produce",
    "produce file", "produce synthetic", "profiles", "profiles import", "profiles segment",
    "campaigns", "campaigns plan", "campaigns results",
    "watch", "lookup", "segments", "segments rename", "model", "model refit", "model rollback",
)  # fmt: skip


@pytest.fixture
def nowhere() -> dict[str, str]:
    """Addresses of this machine where nobody listens."""
    return {
        "SHOAL_KAFKA_BOOTSTRAP_SERVERS": f"127.0.0.1:{free_port()}",
        "SHOAL_REDIS_URL": f"redis://127.0.0.1:{free_port()}/0",
    }


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command: str) -> None:
    done = run_shoal(*command.split(), "--help")
    assert done.returncode == 0
    assert "Usage" in done.stdout


def test_the_help_lists_every_command_and_the_exit_codes() -> None:
    said = run_shoal("--help").stdout
    for command in {command.split()[0] for command in COMMANDS}:
        assert command in said
    assert "Exit codes" in said


@pytest.mark.parametrize(
    "arguments",
    [
        ("nonsense",),
        ("lookup",),
        ("watch", "--count", "0"),
        ("model", "refit", "--segments", "1"),
        ("model", "refit", "--segments", "some"),
        ("segments", "rename", "3"),
        ("segments", "rename", "3", "Ours", "--automatic"),
    ],
)
def test_wrong_use_ends_with_2(arguments: tuple[str, ...]) -> None:
    assert run_shoal(*arguments).returncode == 2


@pytest.mark.parametrize("command", ["worker", "doctor", "segments", "topics create"])
def test_a_wrong_setting_ends_with_2_and_one_sentence(command: str) -> None:
    done = run_shoal(*command.split(), environment={"SHOAL_CLOCK": "lunar"})
    assert done.returncode == 2
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert "SHOAL_CLOCK is 'lunar'" in done.stderr


@pytest.mark.parametrize(
    ("command", "remedy"),
    [
        ("topics create", "SHOAL_KAFKA_BOOTSTRAP_SERVERS"),
        ("worker", "SHOAL_KAFKA_BOOTSTRAP_SERVERS"),
        ("trainer", "SHOAL_KAFKA_BOOTSTRAP_SERVERS"),
        ("run", "SHOAL_KAFKA_BOOTSTRAP_SERVERS"),
        ("watch", "SHOAL_KAFKA_BOOTSTRAP_SERVERS"),
        ("watch --snapshot", "SHOAL_KAFKA_BOOTSTRAP_SERVERS"),
        ("produce synthetic --events 10", "SHOAL_KAFKA_BOOTSTRAP_SERVERS"),
        ("lookup u1", "SHOAL_REDIS_URL"),
        ("segments", "SHOAL_REDIS_URL"),
        ("segments rename 1 Ours", "SHOAL_KAFKA_BOOTSTRAP_SERVERS"),
        ("model list", "SHOAL_KAFKA_BOOTSTRAP_SERVERS"),
        ("model refit --yes", "SHOAL_KAFKA_BOOTSTRAP_SERVERS"),
    ],
)
def test_a_service_that_is_not_there_ends_with_3_and_one_sentence(
    nowhere: dict[str, str], command: str, remedy: str
) -> None:
    started_s = time.monotonic()
    done = run_shoal(*command.split(), environment=nowhere)
    assert done.returncode == 3, done.stderr
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert remedy in done.stderr
    assert time.monotonic() - started_s < 30  # 10 s of it for Kafka to answer


def test_doctor_names_both_services_that_are_not_there(nowhere: dict[str, str]) -> None:
    done = run_shoal("doctor", "--json", environment=nowhere)
    assert done.returncode == 3
    checks = {check["name"]: check for check in json.loads(done.stdout)["checks"]}
    assert checks["kafka"]["status"] == "unreachable"
    assert checks["redis"]["status"] == "unreachable"
    assert checks["packages"]["status"] == "ok"
    assert "Traceback" not in done.stderr


def test_a_command_imports_only_what_it_needs() -> None:
    done = run_python(
        "import sys; from shoal.cli import app; app(['lookup', '--help'], standalone_mode=False)",
        "print([name for name in ('scipy', 'pandas', 'river') if name in sys.modules])",
    )
    assert done.stdout.endswith("[]\n"), done.stdout + done.stderr


def test_a_misspelt_command_is_answered_with_the_right_one() -> None:
    done = run_shoal("lokup")
    assert done.returncode == 2
    assert "Did you mean 'lookup'?" in done.stderr
