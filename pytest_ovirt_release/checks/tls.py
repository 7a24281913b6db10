"""TLS of the engine under test, judged by the CA that the target names and by nothing else.

Python's `ssl` by itself: `cryptography` refuses private CAs that OpenSSL and every client of the engine
accept. The common name never counts as a host name (OpenSSL's fallback would let it).
"""

from __future__ import annotations

import hashlib
import ssl
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pytest_ovirt_release.checks.certificate_files import PairFacts, verify_pair
from pytest_ovirt_release.checks.tls_connection import Endpoint, client_context, connected
from pytest_ovirt_release.errors import CheckFailed, ReleaseError, Unreachable

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cryptography import x509

    Met = Callable[[str, str], None]

__all__ = ["CertificateFacts", "Endpoint", "PairFacts", "check_server", "verify_pair"]

EXPIRED, NOT_YET_VALID, SELF_SIGNED = 10, 9, 18
WRONG_NAME = frozenset({62, 64})
"""X509_V_ERR_* of OpenSSL: hostname mismatch, IP address mismatch."""

TOO_OLD = frozenset({"UNSUPPORTED_PROTOCOL", "TLSV1_ALERT_PROTOCOL_VERSION", "NO_PROTOCOLS_AVAILABLE"})
NOT_TLS = frozenset({"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "UNKNOWN_PROTOCOL"})


@dataclass(frozen=True)
class CertificateFacts:
    """A server certificate that was verified, and the connection it came over."""

    subject: str
    issuer: str
    names: tuple[str, ...]
    not_before: datetime
    not_after: datetime
    sha256: str
    tls_version: str
    cipher: str
    self_check: str = ""

    def days_left(self, now: datetime) -> int:
        """Return the whole days until it expires."""
        return (self.not_after - now).days

    def as_evidence(self) -> dict[str, Any]:
        """Return plain values for the report."""
        return {
            "subject": self.subject,
            "issuer": self.issuer,
            "names": list(self.names),
            "not before": self.not_before.isoformat(),
            "not after": self.not_after.isoformat(),
            "days left": self.days_left(datetime.now(UTC)),
            "SHA-256": self.sha256,
            "TLS version": self.tls_version,
            "cipher": self.cipher,
            "self-check of our client": self.self_check,
        }


@dataclass(frozen=True)
class _Shown:
    """What is told of a certificate that did not verify; `nameless`: it has no subjectAltName."""

    text: str
    issuer: str = ""
    nameless: bool = False


def check_server(
    url: str, ca_file: Path, deadline: float, met: Met, proxy: str | None = None
) -> CertificateFacts:
    """Return the facts of an HTTPS server whose certificate the CA verifies.

    Args:
        url: any https address on the server.
        ca_file: the only CA that counts, PEM.
        deadline: seconds for each of at most three handshakes.
        met: told the subjects of the CA and of the issuer that was met.
        proxy: the target's, if it names one.

    Raises:
        CheckFailed: ca-does-not-verify, self-signed, wrong-name, no-alternative-name, expired, not-yet-valid,
            tls-too-old, no-tls.
        Unreachable: nobody answers there.
        ReleaseError: the CA file cannot be read, or our client accepts a certificate without any CA.
    """
    endpoint = Endpoint.of(url, proxy)
    context, subjects = _trusting(ca_file)
    met(f"CA file {ca_file.name}", "; ".join(subjects))
    try:
        facts = _handshake(endpoint, context, deadline)
    except ssl.SSLCertVerificationError as error:
        shown = _describe_unverified(endpoint, deadline)
        if shown.issuer:
            met(f"TLS {endpoint}", shown.issuer)
        raise CheckFailed(
            _code(error.verify_code, shown),
            f"the CA in {ca_file.name} ({'; '.join(subjects)}) does not verify {endpoint}: "
            f"{error.verify_message.rstrip('. ')}; the server shows {shown.text}",
        ) from error
    except ssl.SSLError as error:
        raise _not_our_tls(endpoint, error) from error
    met(f"TLS {endpoint}", facts.issuer)
    if facts.subject == facts.issuer:
        raise CheckFailed(
            "self-signed", f"{endpoint} shows a CA's own certificate ({facts.subject}), signed by itself"
        )
    return replace(facts, self_check=_self_check(endpoint, deadline))


def _self_check(endpoint: Endpoint, deadline: float) -> str:
    """Show that our client refuses the same certificate when it knows no CA."""
    try:
        _handshake(endpoint, client_context(), deadline)
    except ssl.SSLCertVerificationError as error:
        return f"without the CA our client refuses: {error.verify_message}"
    raise ReleaseError(
        f"self-check failed: our client accepts {endpoint} without any CA, so that it verified it proves nothing"
    )


def _trusting(ca_file: Path) -> tuple[ssl.SSLContext, list[str]]:
    context = client_context()
    try:
        context.load_verify_locations(cafile=ca_file)
    except (OSError, ssl.SSLError) as error:
        raise ReleaseError(f"engine.ca_file {ca_file}: {error.strerror or error}") from error
    subjects = [name_text(ca.get("subject", ())) for ca in context.get_ca_certs()]
    if not subjects:
        raise ReleaseError(f"engine.ca_file {ca_file}: there is no CA certificate in it")
    return context, subjects


def _handshake(endpoint: Endpoint, context: ssl.SSLContext, deadline: float) -> CertificateFacts:
    with connected(endpoint, context, deadline) as connection:
        found: dict[str, Any] = dict(connection.getpeercert() or {})
        der = connection.getpeercert(binary_form=True) or b""
        cipher = connection.cipher()
        return CertificateFacts(
            subject=name_text(found.get("subject", ())),
            issuer=name_text(found.get("issuer", ())),
            names=tuple(f"{kind}:{name}" for kind, name in found.get("subjectAltName", ())),
            not_before=_moment(found["notBefore"]),
            not_after=_moment(found["notAfter"]),
            sha256=hashlib.sha256(der).hexdigest(),
            tls_version=connection.version() or "",
            cipher=cipher[0] if cipher else "",
        )


def _code(verify_code: int, shown: _Shown) -> str:
    if verify_code in WRONG_NAME:
        return "no-alternative-name" if shown.nameless else "wrong-name"
    codes = {EXPIRED: "expired", NOT_YET_VALID: "not-yet-valid", SELF_SIGNED: "self-signed"}
    return codes.get(verify_code, "ca-does-not-verify")


def _not_our_tls(endpoint: Endpoint, error: ssl.SSLError) -> Exception:
    reason = error.reason or ""
    if reason in TOO_OLD:
        return CheckFailed("tls-too-old", f"{endpoint} does not speak TLS 1.2 or newer ({reason})")
    if reason in NOT_TLS:
        return CheckFailed("no-tls", f"{endpoint} does not speak TLS ({reason})")
    return Unreachable(f"{endpoint}: the TLS handshake failed: {error}")


def _describe_unverified(endpoint: Endpoint, deadline: float) -> _Shown:
    """Describe a certificate that did not verify; never believed."""
    context = client_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        with connected(endpoint, context, deadline) as connection:
            der = connection.getpeercert(binary_form=True) or b""
    except (Unreachable, ssl.SSLError) as error:
        return _Shown(f"nothing more ({error})")
    digest = hashlib.sha256(der).hexdigest()
    try:
        from cryptography import x509  # noqa: PLC0415 - only describes, and is there only with [live] or [lab]
    except ImportError:
        return _Shown(f"a certificate with SHA-256 {digest}")
    issuer = ""
    try:
        found = x509.load_der_x509_certificate(der)
        issuer = _in_order(found.issuer)
        text = (
            f"{_in_order(found.subject)}, issued by {issuer}, valid {found.not_valid_before_utc:%Y-%m-%d} to "
            f"{found.not_valid_after_utc:%Y-%m-%d}, SHA-256 {digest}"
        )
        nameless = not any(isinstance(e.value, x509.SubjectAlternativeName) for e in found.extensions)
    except (ValueError, x509.DuplicateExtension) as error:  # OpenSSL reads some that cryptography does not
        return _Shown(f"a certificate with SHA-256 {digest} that cannot be read in full: {error}", issuer)
    return _Shown(text, issuer, nameless)


def name_text(name: Any) -> str:  # noqa: ANN401 - ssl gives nested tuples without a type
    """Return a distinguished name of the `ssl` module as one line."""
    short = {"countryName": "C", "organizationName": "O", "organizationalUnitName": "OU", "commonName": "CN"}
    return ", ".join(f"{short.get(key, key)}={value}" for part in name for key, value in part)


def _in_order(name: x509.Name) -> str:
    """Return a name of `cryptography` as `name_text` would: in the certificate's own order."""
    return ", ".join(f"{part.rfc4514_attribute_name}={part.value!s}" for part in name)


def _moment(text: str) -> datetime:
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(text), UTC)
