"""The engine's CA, fetched from the engine once: worth nothing until its fingerprint is the one that was pinned."""

from __future__ import annotations

import contextlib
import hashlib
import socket
import ssl
import threading
from http.client import HTTPException, HTTPSConnection
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pytest_ovirt_release.errors import ReleaseError, Unreachable
from pytest_ovirt_release.release.writing import write_atomically

if TYPE_CHECKING:
    from pytest_ovirt_release.target.model import EngineTarget

RESOURCE = "/ovirt-engine/services/pki-resource?resource=ca-certificate&format=X509-PEM-CA"
LARGEST = 64 * 1024
"""Bytes; a CA has two or three thousand."""


def ensure_ca(engine: EngineTarget, seconds: float) -> None:
    """Fetch the CA where a pinned one is not there yet, and hold the file against the pin.

    Raises:
        ReleaseError: the CA is another one. Unreachable: the engine does not give it.
    """
    if engine.ca_sha256 is None:
        return
    if engine.ca_file.is_file():
        pem = engine.ca_file.read_bytes()[:LARGEST]
        _hold(pem, engine.ca_sha256, f"engine.ca_file {engine.ca_file}")
        return
    pem = fetch_ca(engine.url, seconds)
    _hold(pem, engine.ca_sha256, f"the CA that {engine.url} gives")
    write_atomically(engine.ca_file, pem)


def fetch_ca(engine_url: str, seconds: float) -> bytes:
    """Return the CA certificate that an engine gives, as PEM; nobody has vouched for it yet.

    Raises:
        Unreachable: no answer, or something else than one certificate.
    """
    parts = urlsplit(engine_url)
    context = ssl.create_default_context()
    context.check_hostname = False
    # There is nothing to verify it by yet: that is what the fingerprint is for.
    context.verify_mode = ssl.CERT_NONE
    connection = HTTPSConnection(parts.hostname or "", parts.port or 443, timeout=seconds, context=context)
    try:
        connection.connect()
        pem = _asked(connection, seconds)
    except (HTTPException, OSError) as error:
        raise Unreachable(f"{engine_url} does not give its CA within {seconds:g} s: {error}") from error
    finally:
        connection.close()
    fingerprint(pem)
    return pem


def _asked(connection: HTTPSConnection, seconds: float) -> bytes:
    """Ask for the CA; a timer ends the connection, however slowly the other side talks."""
    timer = threading.Timer(seconds, _cut, (connection.sock,))
    timer.daemon = True
    timer.start()
    try:
        connection.request("GET", RESOURCE)
        return connection.getresponse().read(LARGEST)
    finally:
        timer.cancel()


def _cut(connected: socket.socket) -> None:
    with contextlib.suppress(OSError):  # closed already
        socket.socket.shutdown(
            connected, socket.SHUT_RDWR
        )  # its own would take the TLS part away from the reader


def fingerprint(pem: bytes) -> str:
    """Return the SHA-256 of the one certificate in a PEM text; Unreachable when there is none, or more."""
    begin = b"-----BEGIN CERTIFICATE-----"
    try:
        text = pem[pem.find(begin) :].decode("ascii")
        der = ssl.PEM_cert_to_DER_cert(text) if pem.count(begin) == 1 else b""
    except ValueError:
        der = b""
    if not der:
        raise Unreachable("what the engine gave is not one CA certificate as PEM")
    return hashlib.sha256(der).hexdigest()


def _hold(pem: bytes, pinned: str, what: str) -> None:
    try:
        found = fingerprint(pem)
    except Unreachable as error:
        raise ReleaseError(f"{what}: {error}") from error
    if found != pinned:
        raise ReleaseError(
            f"{what} has the SHA-256 {found}, but the target file pins {pinned} (ca_sha256); ask whoever runs the "
            "engine which one is right"
        )
