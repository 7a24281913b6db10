"""One HTTP request with a total deadline.

A server that sends one byte now and then resets every per-read timeout; so a watchdog closes the connection
when the whole deadline has passed.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError

from pytest_ovirt_release.errors import Unreachable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from urllib3.response import BaseHTTPResponse

PIECE = 1024 * 1024
CONNECT_TIMEOUT = 15.0
READ_TIMEOUT = 60.0
"""Longest silence in seconds; the total deadline counts besides."""


class BrokenOff(Unreachable):
    """The body ended before it was whole, and there is time left to ask for the rest."""


class TooMuch(Exception):  # noqa: N818 - reads as what happened
    """The body is larger than it may be."""


class Exchange:
    """One request on one connection, which a watchdog closes when time is up."""

    def __init__(self, url: str, end: float) -> None:
        self.url = url
        self._end = end
        self._was_cut = threading.Event()
        self._socket: socket.socket | None = None
        self._response: BaseHTTPResponse | None = None
        parts = urlsplit(url)
        host, timeout = parts.hostname or "", min(CONNECT_TIMEOUT, max(0.001, end - time.monotonic()))
        self._connection: HTTPConnection
        if parts.scheme == "https":
            context = ssl.create_default_context()
            self._connection = HTTPSConnection(host, parts.port, timeout=timeout, ssl_context=context)
        else:
            self._connection = HTTPConnection(host, parts.port, timeout=timeout)
        self._target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._watchdog = threading.Timer(max(0.001, end - time.monotonic()), self._cut)
        self._watchdog.daemon = True

    def __enter__(self) -> Self:
        self._watchdog.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._watchdog.cancel()
        if self._response is not None:
            self._response.close()
        self._connection.close()

    def get(self, **headers: str) -> BaseHTTPResponse:
        """Send the request, header names with _ for -, and return the response with its head read."""
        try:
            self._connection.connect()
            # Kept by us: the connection forgets its socket when the response is the last one on it.
            self._socket = self._connection.sock
            self._connection.timeout = READ_TIMEOUT  # urllib3 sets it on the socket with each request
            if self._was_cut.is_set():
                raise self._trouble(None)
            self._connection.request(
                "GET",
                self._target,
                headers={
                    "Accept-Encoding": "identity",
                    **{n.replace("_", "-"): v for n, v in headers.items()},
                },
                preload_content=False,
                decode_content=False,
            )
            self._response = self._connection.getresponse()
        except (HTTPError, OSError, ValueError) as error:
            raise self._trouble(error) from error
        if self._was_cut.is_set():  # a head cut off by the watchdog looks like a whole one
            raise self._trouble(None)
        return self._response

    def pieces(self, response: BaseHTTPResponse, largest: int) -> Iterator[bytes]:
        """Yield the body, at most `largest` bytes of it; BrokenOff when it ends early and there is time left."""
        size = 0
        while True:
            try:
                # Not `read`: that copies every byte twice more, through a buffer for what it may decode.
                data = response.read1(PIECE, decode_content=False)
            except (HTTPError, OSError, ValueError) as error:
                trouble = self._trouble(error)
                if self._is_over():
                    raise trouble from error
                raise BrokenOff(str(trouble)) from error
            if not data:
                break
            size += len(data)
            if size > largest:
                raise TooMuch
            yield data
        if self._was_cut.is_set():
            raise self._trouble(None)

    def _trouble(self, error: Exception | None) -> Unreachable:
        if error is None or self._is_over():
            return Unreachable(f"{self.url} did not arrive within its deadline")
        return Unreachable(f"{self.url} cannot be downloaded: {error}")

    def _is_over(self) -> bool:
        return self._was_cut.is_set() or time.monotonic() >= self._end

    def _cut(self) -> None:
        self._was_cut.set()
        if self._socket is not None:
            with contextlib.suppress(OSError):  # closed already
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)
