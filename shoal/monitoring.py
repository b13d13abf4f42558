"""`/metrics`, `/healthz` and `/readyz` of a worker or a trainer, on SHOAL_METRICS_PORT.

A thread beside the work that only reads: a scrape costs the loop nothing but the interpreter's
attention for a millisecond.
"""

import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from socket import SO_REUSEADDR, SOL_SOCKET
from socketserver import ThreadingMixIn
from typing import TYPE_CHECKING, Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import msgspec
from prometheus_client import CollectorRegistry, ProcessCollector, make_wsgi_app

from consumer.health import Health
from consumer.trainer import Trainer
from consumer.worker import Worker
from shoal.errors import SettingsError
from shoal.metrics import HEALTH_METRICS, WORKER_METRICS, Readings
from shoal.settings import Settings
from shoal.trainer_metrics import TRAINER_METRICS

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

_SLOWEST_REQUEST_S = 10


@contextmanager
def monitored(work: Worker | Trainer, settings: Settings) -> Iterator[None]:
    """Serve the state of a worker or a trainer while the body runs, if a port is set.

    Raises:
        SettingsError: the port or the address cannot be had.
    """
    if not settings.metrics_port:
        yield
        return
    address, port = settings.metrics_address, settings.metrics_port
    try:
        server = make_server(
            address, port, application(work), server_class=_Server, handler_class=_Handler
        )
    except OSError as error:
        msg = (
            f"SHOAL_METRICS_PORT is {port}, but nothing can be served at {address}:{port} "
            f"({error.strerror}): give another port, or another SHOAL_METRICS_ADDRESS"
        )
        raise SettingsError(msg) from error
    threading.Thread(target=server.serve_forever, name="monitoring", daemon=True).start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()


def application(work: Worker | Trainer) -> "WSGIApplication":
    """Answer for one worker or trainer."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    registry.register(Readings(HEALTH_METRICS, work.health))
    if isinstance(work, Worker):
        registry.register(Readings(WORKER_METRICS, work.vitals))
    else:
        registry.register(Readings(TRAINER_METRICS, work))
    metrics = make_wsgi_app(registry)

    def answer(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        match environ.get("PATH_INFO"):
            case "/metrics":
                served: Iterable[bytes] = metrics(environ, start_response)
                return served
            case "/healthz":
                problem = work.health.not_alive(time.monotonic())
                return _json(start_response, problem, {"alive": problem is None, "why": problem})
            case "/readyz":
                problem = work.health.not_ready(time.monotonic())
                return _json(start_response, problem, _readiness(work, problem))
        start_response("404 Not Found", [("Content-Type", "text/plain")])
        return [b"/metrics, /healthz or /readyz\n"]

    return answer


def _readiness(work: Worker | Trainer, problem: str | None) -> dict[str, Any]:
    said: dict[str, Any] = {
        "ready": problem is None,
        "why": problem,
        "waits_for": _waits(work.health),
    }
    if isinstance(work, Worker):
        said["partitions"] = {"owned": work.vitals.owned, "paused": work.vitals.waiting}
    return said


def _waits(health: Health) -> list[dict[str, Any]]:
    now_s = time.monotonic()
    return [
        {"service": service, "seconds": round(now_s - since_s, 1), "why": why}
        for service, (since_s, why) in health.waits_for().items()
    ]


def _json(start_response: "StartResponse", problem: str | None, body: object) -> list[bytes]:
    status = "200 OK" if problem is None else "503 Service Unavailable"
    encoded = msgspec.json.encode(body) + b"\n"
    headers = [("Content-Type", "application/json"), ("Content-Length", str(len(encoded)))]
    start_response(status, headers)
    return [encoded]


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True

    def server_bind(self) -> None:
        """Bind without the library's look-up of the host's name, which may take seconds."""
        self.socket.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_name, self.server_port = self.socket.getsockname()[:2]
        self.setup_environ()


class _Handler(WSGIRequestHandler):
    timeout = _SLOWEST_REQUEST_S

    def log_message(self, *_arguments: Any) -> None:
        """Say nothing: probes come every few seconds."""
