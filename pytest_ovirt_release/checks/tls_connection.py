"""One TLS connection with a deadline for all of it, to a host and port."""

from __future__ import annotations

import select
import socket
import ssl
import time
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from urllib.parse import urlsplit

import urllib3

from pytest_ovirt_release.errors import ReleaseError, Unreachable


@dataclass(frozen=True)
class Endpoint:
    """Host and port of an HTTPS address, and the proxy on the way there (empty: none)."""

    host: str
    port: int
    proxy: str = ""

    @classmethod
    def of(cls, url: str, proxy: str | None = None) -> Endpoint:
        """Read them from an https URL; ReleaseError if it is none."""
        parts = urlsplit(url)
        if parts.scheme != "https" or not parts.hostname:
            raise ReleaseError(f"engine url {url!r}: https://HOST[:PORT]/… is expected")
        return cls(parts.hostname, parts.port or 443, proxy or "")

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def client_context() -> ssl.SSLContext:
    """Return a context that trusts nobody yet, wants TLS 1.2, and takes no common name for a host name."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.hostname_checks_common_name = False
    return context


def connected(endpoint: Endpoint, context: ssl.SSLContext, deadline: float) -> ssl.SSLSocket:
    """Connect and shake hands; the deadline is for all of it, however slowly the other side talks."""
    until = time.monotonic() + deadline
    try:
        plain = _dialled(endpoint, deadline)
    except (OSError, HTTPException) as error:
        by = f" by the proxy {endpoint.proxy}" if endpoint.proxy else ""
        raise Unreachable(f"nothing answers at {endpoint}{by}: {error}") from error
    try:
        connection = context.wrap_socket(plain, server_hostname=endpoint.host, do_handshake_on_connect=False)
    except BaseException:
        plain.close()
        raise
    try:
        _shake_hands(connection, endpoint, until)
    except BaseException:
        connection.close()
        raise
    return connection


def _dialled(endpoint: Endpoint, deadline: float) -> socket.socket:
    """Connect, through the target's proxy where it names one; what the environment says is never asked."""
    if not endpoint.proxy:
        return socket.create_connection((endpoint.host, endpoint.port), timeout=deadline)
    parts = urlsplit(endpoint.proxy)
    tunnel = HTTPConnection(parts.hostname or "", parts.port or 80, timeout=deadline)
    tunnel.set_tunnel(endpoint.host, endpoint.port)
    tunnel.connect()
    return tunnel.sock


def pool(context: ssl.SSLContext, proxy: str | None) -> urllib3.PoolManager:
    """Return where HTTPS requests go out: directly, whatever the environment says, or by the target's proxy."""
    if proxy is None:
        return urllib3.PoolManager(ssl_context=context, retries=False)
    return urllib3.ProxyManager(proxy, ssl_context=context, retries=False)


def _shake_hands(connection: ssl.SSLSocket, endpoint: Endpoint, until: float) -> None:
    connection.setblocking(False)  # noqa: FBT003 - the standard library's own signature
    while True:
        try:
            connection.do_handshake()
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError) as wanted:
            reads, writes = (
                ([connection], []) if isinstance(wanted, ssl.SSLWantReadError) else ([], [connection])
            )
            left = until - time.monotonic()
            if left <= 0 or not any(select.select(reads, writes, [], left)):
                raise Unreachable(
                    f"{endpoint} accepts the connection but does not finish the handshake"
                ) from None
        except (ssl.SSLEOFError, ssl.SSLZeroReturnError, ConnectionError) as error:
            raise Unreachable(f"{endpoint} dropped the connection in the handshake: {error}") from error
        else:
            return
