"""A client that keeps a server busy over connections that stay open."""

from __future__ import annotations

import os
import re
import ssl
import sys
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path
from socket import create_connection
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

CONNECTIONS = 4
"""Requests under way at once: enough that the server never waits for the client."""


class Client:
    """Asks one server over keep-alive connections: a request on each, then all answers."""

    def __init__(self, pid: int, port: int, ca: Path, head: str) -> None:
        """Take the server's process id and port, and what follows the request line."""
        self._pid = pid
        self._context = ssl.create_default_context(cafile=str(ca))
        self._port = port
        self._head = f"Host: 127.0.0.1:{port}\r\n{head}\r\n"

    def size(self, path: str) -> int:
        """Return the size of a path's body."""
        with self._connected() as connections:
            return self._get(path, connections)

    def rate(self, path: str, count: int) -> float:
        """Return how many requests a second are answered; connecting is not counted."""
        with self._connected() as connections:
            began = time.perf_counter()
            for _ in range(count // CONNECTIONS):
                self._get(path, connections)
            return (count // CONNECTIONS) * CONNECTIONS / (time.perf_counter() - began)

    def cpu(self) -> float:
        """Return the seconds of CPU that the server has used."""
        return cpu_of(self._pid)

    @contextmanager
    def _connected(self) -> Iterator[list[ssl.SSLSocket]]:
        # Anew each time: a server closes what was idle for five seconds.
        with ExitStack() as stack:
            yield [
                stack.enter_context(
                    self._context.wrap_socket(
                        create_connection(("127.0.0.1", self._port), 20), server_hostname="127.0.0.1"
                    )
                )
                for _ in range(CONNECTIONS)
            ]

    def _get(self, path: str, connections: list[ssl.SSLSocket]) -> int:
        request = f"GET {path} HTTP/1.1\r\n{self._head}".encode()
        for connection in connections:
            connection.sendall(request)
        return max(_body(connection) for connection in connections)


def _body(connection: ssl.SSLSocket) -> int:
    """Read an answer; return the size of its body."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += _some(connection)
    head, _, body = data.partition(b"\r\n\r\n")
    found = re.search(rb"(?i)content-length: (\d+)", head)
    if found is None or not head.startswith(b"HTTP/1.1 200"):
        sys.exit(f"unexpected answer: {data[:300]!r}")
    left = int(found[1]) - len(body)
    while left > 0:
        left -= len(_some(connection))
    return int(found[1])


def _some(connection: ssl.SSLSocket) -> bytes:
    data = connection.recv(1 << 16)
    if not data:
        sys.exit("the server closed a connection in the middle of an answer")
    return data


def cpu_of(pid: int) -> float:
    """Return the seconds of CPU that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
