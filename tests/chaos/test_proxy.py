"""The outages are real: a proxy that refuses, swallows, and carries on."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest

from tests.chaos.proxy import Proxy


@pytest.fixture
def echo() -> Iterator[int]:
    """The port of a server that sends back what it gets."""
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                there, _ = server.accept()
            except OSError:
                return
            with there:
                while data := there.recv(100):
                    there.sendall(data)

    thread = threading.Thread(target=serve)
    thread.start()
    yield server.getsockname()[1]
    server.shutdown(socket.SHUT_RDWR)
    server.close()
    thread.join(10)


def said(port: int, text: bytes, seconds: float = 5.0) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=seconds) as sock:
        sock.sendall(text)
        return sock.recv(100)


def test_it_carries_refuses_and_carries_again(echo: int) -> None:
    with Proxy(echo) as way:
        assert said(way.port, b"one") == b"one"
        way.refuse()
        with pytest.raises(ConnectionRefusedError):
            said(way.port, b"two")
        way.accept()
        assert said(way.port, b"three") == b"three"


def test_what_is_swallowed_comes_when_the_way_is_open_again(echo: int) -> None:
    with Proxy(echo) as way, socket.create_connection(("127.0.0.1", way.port), timeout=0.5) as sock:
        way.swallow()
        sock.sendall(b"one")
        with pytest.raises(TimeoutError):
            sock.recv(100)
        way.flow()
        sock.settimeout(5)
        assert sock.recv(100) == b"one"
