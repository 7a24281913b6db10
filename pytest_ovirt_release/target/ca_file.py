"""The engine's CA, fetched from the engine once: worth nothing until its fingerprint is the one that was pinned."""

from __future__ import annotations

import hashlib
import ssl
from typing import TYPE_CHECKING

import urllib3

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
    url = engine_url.split("/ovirt-engine", 1)[0] + RESOURCE
    context = ssl.create_default_context()
    context.check_hostname = False
    # There is nothing to verify it by yet: that is what the fingerprint is for.
    context.verify_mode = ssl.CERT_NONE
    try:
        with urllib3.PoolManager(ssl_context=context, retries=False) as pool:
            limit = urllib3.Timeout(total=seconds)
            answer = pool.request("GET", url, timeout=limit, redirect=False, preload_content=False)
            pem = answer.read(LARGEST)
            answer.close()
    except urllib3.exceptions.HTTPError as error:
        raise Unreachable(f"{url} does not answer: {error}") from error
    fingerprint(pem)
    return bytes(pem)


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
