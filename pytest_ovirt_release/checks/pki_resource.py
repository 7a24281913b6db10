"""What the engine hands out about itself: its CA, which has to be the one that signs, and its SSH key for hosts."""

from __future__ import annotations

import hashlib
import http.client
import io
import select
import ssl
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_ssh_public_key

from pytest_ovirt_release.checks.ssh_keys import fingerprint, pinned_key
from pytest_ovirt_release.checks.tls_connection import Endpoint, client_context, connected
from pytest_ovirt_release.errors import CheckFailed, ReleaseError, Unreachable

if TYPE_CHECKING:
    from pathlib import Path

SERVICE = "/ovirt-engine/services/pki-resource"
CA, SSH_KEY = (
    "?resource=ca-certificate&format=X509-PEM-CA",
    "?resource=engine-certificate&format=OPENSSH-PUBKEY",
)
LARGEST = 256 * 1024
PIECE = 16 * 1024
OK = 200


@dataclass(frozen=True)
class PkiResource:
    """SHA-256 of the CA certificate that the engine hands out, and the fingerprint of its SSH key."""

    ca_sha256: str
    ssh_key: str

    def as_evidence(self) -> dict[str, str]:
        """Return plain values for the report."""
        return {"CA handed out, SHA-256": self.ca_sha256, "SSH key handed out": self.ssh_key}


def check_pki_resource(url: str, ca_file: Path, deadline: float) -> PkiResource:
    """Return what the engine hands out, once it is shown to be of use.

    Args:
        url: any https address on the engine.
        ca_file: the CA that verifies the engine, PEM; what is read here is read over that connection.
        deadline: seconds for each of three exchanges.

    Raises:
        CheckFailed: pki-resource-missing, pki-resource-broken, pki-resource-other-ca, ssh-key-broken.
        Unreachable: the engine does not answer.
    """
    endpoint, trusting = Endpoint.of(url), client_context()
    trusting.load_verify_locations(cafile=ca_file)
    pem = _fetch(endpoint, trusting, CA, deadline)
    digest = _must_sign(endpoint, pem, deadline)
    return PkiResource(digest, _ssh_key(_fetch(endpoint, trusting, SSH_KEY, deadline)))


def _must_sign(endpoint: Endpoint, pem: str, deadline: float) -> str:
    """Connect once more, trusting what was handed out and nothing else; return its SHA-256."""
    context = client_context()
    try:
        context.load_verify_locations(cadata=pem)
        found = context.get_ca_certs(binary_form=True)
    except (ssl.SSLError, ValueError, TypeError) as error:
        raise CheckFailed(
            "pki-resource-broken", f"{endpoint}{SERVICE} gives no certificate: {error}"
        ) from error
    if len(found) != 1:
        raise CheckFailed(
            "pki-resource-broken", f"{endpoint}{SERVICE} gives {len(found)} CA certificates, not one"
        )
    try:
        connected(endpoint, context, deadline).close()
    except ssl.SSLCertVerificationError as error:
        raise CheckFailed(
            "pki-resource-other-ca",
            f"the CA that {endpoint} hands out is not the one that signs its certificate: {error.verify_message}",
        ) from error
    return hashlib.sha256(found[0]).hexdigest()


def _ssh_key(line: str) -> str:
    try:
        load_ssh_public_key(line.strip().encode())
        return fingerprint(pinned_key(line, "pki-resource")[1])
    except (ValueError, UnsupportedAlgorithm, ReleaseError) as error:
        raise CheckFailed(
            "ssh-key-broken", f"the engine's SSH key cannot be parsed ({error}): {line[:80]!r}"
        ) from error


def _fetch(endpoint: Endpoint, context: ssl.SSLContext, query: str, deadline: float) -> str:
    end = time.monotonic() + deadline
    request = f"GET {SERVICE}{query} HTTP/1.0\r\nHost: {endpoint}\r\nAccept-Encoding: identity\r\n\r\n"
    with connected(endpoint, context, deadline) as connection:
        answer = _exchange(connection, request.encode("ascii"), endpoint, end)
    response = http.client.HTTPResponse(_Received(answer))  # type: ignore[arg-type] # all that it needs of a socket
    try:
        response.begin()
        body = response.read()
    except (http.client.HTTPException, OSError, ValueError) as error:
        raise Unreachable(f"{endpoint}{SERVICE}: the answer is no HTTP: {error!r}") from error
    if response.status != OK:
        raise CheckFailed(
            "pki-resource-missing", f"{endpoint}{SERVICE}{query} answers HTTP {response.status}"
        )
    try:
        return body.decode("ascii")
    except UnicodeDecodeError as error:
        raise CheckFailed(
            "pki-resource-broken", f"{endpoint}{SERVICE}{query} gives no text: {error}"
        ) from error


class _Received:
    """An answer that has arrived whole, as `http.client` wants to read it."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def makefile(self, *_: object) -> io.BytesIO:
        """Return the bytes as a file."""
        return io.BytesIO(self._content)


def _exchange(connection: ssl.SSLSocket, request: bytes, endpoint: Endpoint, end: float) -> bytes:
    """Send a request and read the answer to its end, within the deadline and not more than is sane."""
    answer, sent = b"", 0
    while len(answer) <= LARGEST:
        try:
            if sent < len(request):
                sent += connection.send(request[sent:])
                continue
            data = connection.recv(PIECE)
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError) as wanted:
            sides = ([connection], []) if isinstance(wanted, ssl.SSLWantReadError) else ([], [connection])
            left = end - time.monotonic()
            if left <= 0 or not any(select.select(*sides, [], left)):
                raise Unreachable(f"{endpoint}{SERVICE} did not answer within its deadline") from None
        except OSError as error:
            if isinstance(error, (ssl.SSLZeroReturnError, ssl.SSLEOFError)) and answer:
                return answer
            raise Unreachable(f"{endpoint}{SERVICE} broke off: {error}") from error
        else:
            if not data:
                return answer
            answer += data
    raise CheckFailed("pki-resource-broken", f"{endpoint}{SERVICE} answers more than {LARGEST} bytes")
