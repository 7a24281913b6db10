"""Download a file over HTTP(S): streaming, hashed on the way, with a total deadline and a size cap.

A server that sends one byte now and then resets every per-read timeout; so a watchdog closes the connection
when the whole deadline has passed.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import socket
import ssl
import tempfile
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING, Self
from urllib.parse import urljoin, urlsplit

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError

from pytest_ovirt_release.errors import CheckFailed, ReleaseError, Unproven, Unreachable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from urllib3.response import BaseHTTPResponse

LARGEST_REDIRECTS = 5
PIECE = 256 * 1024
CONNECT_TIMEOUT = 15.0
READ_TIMEOUT = 60.0
"""Longest silence in seconds; the total deadline counts besides."""

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_OK, _GONE = 200, frozenset({404, 410})


class NotThere(Unproven):
    """The server says that there is nothing at this address; who asked decides what that means."""

    def __init__(self, url: str, status: int) -> None:
        """Take the address and the HTTP status."""
        self.url = url
        self.status = status
        super().__init__(f"there is nothing at {url} (HTTP {status})")


class TooLarge(CheckFailed):
    """The file is larger than any such file may be."""

    def __init__(self, url: str, largest: int) -> None:
        """Take the address and the cap in bytes."""
        super().__init__(
            "file-too-large", f"{url} is larger than the {largest} bytes that such a file may have"
        )


@dataclass(frozen=True)
class Downloaded:
    """A file that arrived whole: where it is, SHA-256, size in bytes, asked address, server's date."""

    path: Path
    sha256: str
    size: int
    url: str
    last_modified: datetime | None = None


def download(url: str, path: Path, *, deadline: float, largest: int) -> Downloaded:
    """Download `url` to `path` within `deadline` seconds in all; nothing is left at `path` unless all arrived.

    Raises:
        NotThere: HTTP 404 or 410.
        TooLarge: more than `largest` bytes.
        Unreachable: no connection, another status, broken off, or out of time.
        ReleaseError: the address is not http or https, or `path` cannot be written.
    """
    end = time.monotonic() + deadline
    asked = url
    for _ in range(LARGEST_REDIRECTS + 1):
        _check_url(url)
        with _Exchange(url, end) as exchange:
            response = exchange.get()
            if response.status in _REDIRECTS:
                url = _redirected(url, response.headers.get("location"))
                continue
            if response.status in _GONE:
                raise NotThere(url, response.status)
            if response.status != _OK:
                raise Unreachable(f"{url} answered HTTP {response.status}")
            digest, size = _save(exchange, response, path, largest)
            dated = _date(response.headers.get("last-modified"))
            return Downloaded(path, digest, size, asked, dated)
    raise Unreachable(f"{asked} redirects more than {LARGEST_REDIRECTS} times")


def local_name(url: str) -> str:
    """Return a plain file name for the last part of an address: no folders, never hidden, never empty."""
    name = re.sub(r"[^A-Za-z0-9._+~-]", "_", url.partition("?")[0].rpartition("/")[2]).lstrip(".")[-150:]
    return name or hashlib.sha256(url.encode()).hexdigest()[:16]


class _Exchange:
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

    def get(self) -> BaseHTTPResponse:
        """Send the request and return the response with its head read."""
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
                headers={"Accept-Encoding": "identity"},
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
        """Yield the body, at most `largest` bytes of it."""
        size = 0
        while True:
            try:
                data = response.read(PIECE, decode_content=False)
            except (HTTPError, OSError, ValueError) as error:
                raise self._trouble(error) from error
            if not data:
                break
            size += len(data)
            if size > largest:
                raise TooLarge(self.url, largest)
            yield data
        if self._was_cut.is_set():
            raise self._trouble(None)

    def _trouble(self, error: Exception | None) -> Unreachable:
        if error is None or self._was_cut.is_set() or time.monotonic() >= self._end:
            return Unreachable(f"{self.url} did not arrive within its deadline")
        return Unreachable(f"{self.url} cannot be downloaded: {error}")

    def _cut(self) -> None:
        self._was_cut.set()
        if self._socket is not None:
            with contextlib.suppress(OSError):  # closed already
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)


def _save(exchange: _Exchange, response: BaseHTTPResponse, path: Path, largest: int) -> tuple[str, int]:
    length = response.headers.get("content-length", "")
    if length.isdigit() and int(length) > largest:
        raise TooLarge(exchange.url, largest)
    digest, size = hashlib.sha256(), 0
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    except OSError as error:
        raise ReleaseError(f"{path} cannot be written: {error.strerror or error}") from error
    try:
        with os.fdopen(handle, "wb") as file:
            for data in exchange.pieces(response, largest):
                file.write(data)
                digest.update(data)
                size += len(data)
        Path(name).replace(path)
    except BaseException as error:
        Path(name).unlink(missing_ok=True)
        if isinstance(error, OSError):  # the network's own errors became Unreachable in `pieces`
            raise ReleaseError(f"{path} cannot be written: {error.strerror or error}") from error
        raise
    return digest.hexdigest(), size


def _redirected(url: str, location: str | None) -> str:
    if not location:
        raise Unreachable(f"{url} redirects to nowhere")
    target = urljoin(url, location)
    if urlsplit(url).scheme == "https" and urlsplit(target).scheme != "https":
        raise Unreachable(f"{url} redirects away from https, to {target}")
    return target


def _check_url(url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ReleaseError(f"{url!r} cannot be downloaded; it has to be http:// or https://")


def _date(text: str | None) -> datetime | None:
    try:
        return parsedate_to_datetime(text).astimezone(UTC) if text else None
    except (ValueError, TypeError, OverflowError):
        return None
