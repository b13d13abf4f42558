"""The proxy passes everything on, is as late as it is told to be, and cuts."""

import socket
import threading
from collections.abc import Iterator
from time import monotonic

import pytest

from tests.campaign.proxy import Proxy


@pytest.fixture
def echo() -> Iterator[int]:
    """A server that sends back what it gets."""
    server = socket.create_server(("127.0.0.1", 0))

    def answer(connection: socket.socket) -> None:
        with connection:
            while piece := connection.recv(65_536):
                connection.sendall(piece)

    def serve() -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            threading.Thread(target=answer, args=(connection,), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    yield server.getsockname()[1]
    server.close()


@pytest.fixture
def proxy(echo: int) -> Iterator[Proxy]:
    made = Proxy()
    made.lead_to(echo)
    yield made
    made.close()


def connect(proxy: Proxy) -> socket.socket:
    return socket.create_connection(("127.0.0.1", proxy.port), timeout=10)


def receive(client: socket.socket, size_bytes: int) -> bytes:
    found = b""
    while len(found) < size_bytes and (piece := client.recv(65_536)):
        found += piece
    return found


def test_everything_arrives_in_order(proxy: Proxy) -> None:
    sent = bytes(range(256)) * 4_000
    with connect(proxy) as client:
        threading.Thread(target=client.sendall, args=(sent,), daemon=True).start()
        assert receive(client, len(sent)) == sent


def test_each_way_is_late_by_the_delay(proxy: Proxy) -> None:
    with connect(proxy) as client:
        client.sendall(b"warm")
        assert receive(client, 4) == b"warm"
        proxy.delay_s = 0.1
        started_s = monotonic()
        client.sendall(b"slow")
        assert receive(client, 4) == b"slow"
        assert monotonic() - started_s >= 0.2


def test_a_cut_ends_every_connection_and_new_ones_are_served(proxy: Proxy) -> None:
    with connect(proxy) as client:
        client.sendall(b"x")
        assert receive(client, 1) == b"x"
        proxy.cut()
        assert client.recv(1) == b""
    with connect(proxy) as client:
        client.sendall(b"y")
        assert receive(client, 1) == b"y"


def test_a_target_that_is_away_is_a_closed_connection(proxy: Proxy, echo: int) -> None:
    proxy.lead_to(1)
    with connect(proxy) as client:
        assert client.recv(1) == b""
