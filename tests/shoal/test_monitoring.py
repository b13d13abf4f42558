import json
import socket
import urllib.request
from types import SimpleNamespace
from typing import Any, cast
from wsgiref.util import setup_testing_defaults

import pytest

from consumer.health import ALIVE_WITHIN_S, Health
from consumer.trainer import Trainer
from consumer.training import TrainingProgress
from shoal.errors import SettingsError
from shoal.monitoring import application, monitored
from shoal.server_process import free_port
from shoal.settings import Settings

NOW_S = 1_000.0


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> Trainer:
    """What the endpoints read of a trainer; nothing runs."""
    monkeypatch.setattr("time.monotonic", lambda: NOW_S)
    return cast("Trainer", SimpleNamespace(health=Health(), progress=TrainingProgress()))


def ask(work: Trainer, path: str) -> tuple[int, str]:
    status: list[str] = []
    environ: dict[str, Any] = {}
    setup_testing_defaults(environ)
    environ["PATH_INFO"] = path
    body = application(work)(environ, lambda said, _headers, *_: status.append(said))  # type: ignore[arg-type]
    return int(status[0].split()[0]), b"".join(body).decode()


def test_readiness_turns_to_503_with_the_reason_and_back(work: Trainer) -> None:
    assert ask(work, "/readyz")[0] == 503, "it has only just been started"
    work.health.blocked = None
    assert ask(work, "/readyz")[0] == 200
    work.health.away("Redis", 3, "Redis is full: give it more maxmemory", NOW_S - 12)
    status, body = ask(work, "/readyz")
    assert status == 503
    assert json.loads(body) == {
        "ready": False,
        "why": "Redis has been away for 12 s (Redis is full: give it more maxmemory)",
        "waits_for": [
            {"service": "Redis", "seconds": 12.0, "why": "Redis is full: give it more maxmemory"}
        ],
    }
    work.health.heard("Redis", 3, NOW_S)
    assert ask(work, "/readyz")[0] == 200


def test_waiting_is_alive_and_hanging_is_not(work: Trainer) -> None:
    work.health.turned_s = NOW_S - 1
    work.health.away("Kafka", "client", "all brokers are down", NOW_S - 500)
    assert ask(work, "/healthz")[0] == 200
    work.health.turned_s = NOW_S - ALIVE_WITHIN_S - 1
    assert ask(work, "/healthz") == (
        503,
        '{"alive":false,"why":"the loop has not turned for 301 s"}\n',
    )


def test_an_outage_shows_in_the_metrics(work: Trainer) -> None:
    work.health.away("Redis", 3, "no answer", NOW_S - 12)
    text = ask(work, "/metrics")[1]
    assert 'shoal_service_away_seconds{service="Redis"} 12.0' in text
    assert 'shoal_service_away_seconds{service="Kafka"} 0.0' in text
    assert 'shoal_outages_total{service="Redis"} 1.0' in text
    assert "shoal_ready 0.0" in text
    assert "process_resident_memory_bytes" in text


def test_any_other_path_names_those_that_there_are(work: Trainer) -> None:
    assert ask(work, "/") == (404, "/metrics, /healthz or /readyz\n")


def test_it_is_served_while_the_work_is_done_and_not_without_a_port(work: Trainer) -> None:
    port = free_port()
    address = f"http://127.0.0.1:{port}/healthz"
    with (
        monitored(work, Settings(metrics_port=port)),
        urllib.request.urlopen(address, timeout=5) as answer,
    ):
        assert answer.status == 200
    with (
        monitored(work, Settings(metrics_port=0)),
        pytest.raises(ConnectionRefusedError),
        socket.create_connection(("127.0.0.1", port), timeout=1),
    ):
        pass


def test_a_port_in_use_is_one_sentence_with_the_remedy(work: Trainer) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with (
            pytest.raises(SettingsError, match=f"SHOAL_METRICS_PORT is {port}.*another port"),
            monitored(work, Settings(metrics_port=port)),
        ):
            pass
