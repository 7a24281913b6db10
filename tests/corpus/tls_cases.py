"""Servers whose TLS must not be accepted, and certificates of a release's PKI script that must not."""

from __future__ import annotations

import datetime as dt
import ssl
import warnings
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from pytest_ovirt_release.checks import tls
from pytest_ovirt_release.checks.pki_resource import check_pki_resource
from pytest_ovirt_release.checks.tls_old import refuse_old_tls
from tests.corpus.frame import Check, case
from tests.corpus.tls_servers import served
from tests.corpus.workshop import DEADLINE, Workshop
from tests.unit.checks.leaves import without_alternative_name

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

HOST = "127.0.0.1"
DAY = dt.timedelta(days=1)


def cas() -> tuple[trustme.CA, trustme.CA]:
    """Return the engine's CA and a stranger's."""
    return trustme.CA(organization_name="engine"), trustme.CA(organization_name="stranger")


def ca_file(shop: Workshop, *authorities: trustme.CA) -> Path:
    """Write the CA file of the target."""
    path = shop.folder / "ca.pem"
    path.write_bytes(b"".join(ca.cert_pem.bytes() for ca in authorities))
    return path


def self_made(*, ca: bool, names: bool = True) -> bytes:
    """Return key and certificate that signed itself, PEM."""
    key, now = ec.generate_private_key(ec.SECP256R1()), dt.datetime.now(dt.UTC)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - DAY)
        .not_valid_after(now + DAY)
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    )
    if names:
        made = made.add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return private + made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


@dataclass(frozen=True)
class Server:
    """A server to be judged; each field is what one case changes."""

    identities: tuple[str, ...] = (HOST,)
    names: Mapping[str, object] = field(default_factory=dict)
    chain: bytes | None = None
    pages: dict[str, bytes] = field(default_factory=dict)
    oldest: str = "TLSv1_2"

    def start(self, shop: Workshop, signer: trustme.CA) -> str:
        """Start it and return its address."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        if self.chain is None:
            signer.issue_cert(*self.identities, **self.names).configure_cert(context)  # type: ignore[arg-type] # dates
        else:
            path = shop.folder / "chain.pem"
            path.write_bytes(self.chain)
            context.load_cert_chain(path)
        if self.oldest != "TLSv1_2":
            context.set_ciphers("ALL:@SECLEVEL=0")
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)
                context.minimum_version = ssl.TLSVersion[self.oldest]
        return served(context, self.pages)

    def check(self, shop: Workshop, signer: trustme.CA, trusted: Path) -> Check:
        """Return the check of its certificate."""
        url = self.start(shop, signer)
        return lambda: tls.check_server(url, trusted, DEADLINE, lambda *_: None)


@case("tls", "ca-does-not-verify")
def a_certificate_of_another_ca(shop: Workshop, *, bad: bool) -> Check:
    """The certificate is by a CA that the target does not name."""
    ca, stranger = cas()
    return Server().check(shop, stranger if bad else ca, ca_file(shop, ca))


@case("tls", "wrong-name")
def a_certificate_for_another_host(shop: Workshop, *, bad: bool) -> Check:
    """The certificate is for another host."""
    ca, _ = cas()
    return Server(("engine.example.org",) if bad else (HOST,)).check(shop, ca, ca_file(shop, ca))


@case("tls", "wrong-name")
def a_host_named_only_in_the_subject(shop: Workshop, *, bad: bool) -> Check:
    """The host stands in the common name only, which OpenSSL would accept."""
    ca, _ = cas()
    identities = ("engine.example.org",) if bad else (HOST,)
    return Server(identities, {"common_name": HOST}).check(shop, ca, ca_file(shop, ca))


@case("tls", "no-alternative-name")
def a_certificate_without_any_alternative_name(shop: Workshop, *, bad: bool) -> Check:
    """The host stands in the common name, and there is no subjectAltName at all."""
    ca, _ = cas()
    leaf = without_alternative_name(ca, HOST) if bad else ca.issue_cert(HOST)
    return Server(chain=leaf.private_key_and_cert_chain_pem.bytes()).check(shop, ca, ca_file(shop, ca))


@case("tls", "expired")
def an_expired_certificate(shop: Workshop, *, bad: bool) -> Check:
    """The certificate was valid until yesterday."""
    ca, _ = cas()
    last = shop.now + (-DAY if bad else DAY)
    return Server(names={"not_after": last}).check(shop, ca, ca_file(shop, ca))


@case("tls", "not-yet-valid")
def a_certificate_of_tomorrow(shop: Workshop, *, bad: bool) -> Check:
    """The certificate becomes valid tomorrow."""
    ca, _ = cas()
    first = shop.now + (DAY if bad else -DAY)
    names = {"not_before": first, "not_after": shop.now + 3 * DAY}
    return Server(names=names).check(shop, ca, ca_file(shop, ca))


@case("tls", "self-signed")
def a_self_signed_leaf(shop: Workshop, *, bad: bool) -> Check:
    """The server made its certificate itself, and the target's CA has nothing to do with it."""
    ca, _ = cas()
    return Server(chain=self_made(ca=False) if bad else None).check(shop, ca, ca_file(shop, ca))


@case("tls", "old-tls-offered")
def a_server_that_still_speaks_tls_1_1(shop: Workshop, *, bad: bool) -> Check:
    """TLS 1.1 is offered beside the newer versions."""
    ca, _ = cas()
    url = Server(oldest="TLSv1_1" if bad else "TLSv1_2").start(shop, ca)
    return lambda: refuse_old_tls(tls.Endpoint.of(url), DEADLINE)


@case("tls", "no-tls")
def plain_http_on_the_port(shop: Workshop, *, bad: bool) -> Check:
    """The server speaks plain HTTP where TLS is wanted."""
    ca, _ = cas()
    url = f"https{shop.web.url.removeprefix('http')}/" if bad else Server().start(shop, ca)
    trusted = ca_file(shop, ca)
    return lambda: tls.check_server(url, trusted, DEADLINE, lambda *_: None)


CA_PAGE = "/ovirt-engine/services/pki-resource?resource=ca-certificate&format=X509-PEM-CA"
KEY_PAGE = "/ovirt-engine/services/pki-resource?resource=engine-certificate&format=OPENSSH-PUBKEY"


def handing_out(
    shop: Workshop, ca: trustme.CA, handed: bytes | None = None, **changes: bytes | None
) -> Check:
    """Return the check of an engine that hands out a CA and an SSH key; None: it does not."""
    key = ec.generate_private_key(ec.SECP256R1()).public_key()
    line = key.public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    pages = {CA_PAGE: handed or ca.cert_pem.bytes(), KEY_PAGE: changes.get("key", line)}
    url = Server(pages={page: body for page, body in pages.items() if body is not None}).start(shop, ca)
    trusted = ca_file(shop, ca)
    return lambda: check_pki_resource(url, trusted, DEADLINE)


@case("tls", "pki-resource-other-ca")
def the_engine_hands_out_another_ca(shop: Workshop, *, bad: bool) -> Check:
    """Hosts would be told to trust a CA that does not sign the engine's certificate."""
    ca, stranger = cas()
    return handing_out(shop, ca, stranger.cert_pem.bytes() if bad else None)


@case("tls", "pki-resource-broken")
def the_engine_hands_out_an_error_page(shop: Workshop, *, bad: bool) -> Check:
    """What should be a certificate is a page."""
    ca, _ = cas()
    return handing_out(shop, ca, b"<html>Welcome</html>" if bad else None)


@case("tls", "pki-resource-missing")
def the_engine_hands_out_no_ssh_key(shop: Workshop, *, bad: bool) -> Check:
    """The SSH key that hosts need is not there."""
    ca, _ = cas()
    return handing_out(shop, ca, key=None) if bad else handing_out(shop, ca)


@case("tls", "ssh-key-broken")
def the_engines_ssh_key_is_none(shop: Workshop, *, bad: bool) -> Check:
    """The SSH key looks like one and is cut short."""
    ca, _ = cas()
    return (
        handing_out(shop, ca, key=b"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA ovirt-engine")
        if bad
        else handing_out(shop, ca)
    )


def pair(shop: Workshop, ca: trustme.CA, leaf: trustme.LeafCert) -> Check:
    """Return the check of the two files that a PKI script leaves behind."""
    authority, certificate = shop.folder / "ca.pem", shop.folder / "engine.cer"
    authority.write_bytes(ca.cert_pem.bytes())
    certificate.write_bytes(leaf.cert_chain_pems[0].bytes())
    return lambda: tls.verify_pair(authority, certificate, HOST)


@case("pki", "ca-does-not-verify", "openssl")
def a_script_that_signs_with_another_ca(shop: Workshop, *, bad: bool) -> Check:
    """The CA that the script leaves behind did not sign its certificate."""
    ca, stranger = cas()
    return pair(shop, ca, (stranger if bad else ca).issue_cert(HOST))


@case("pki", "wrong-name", "openssl")
def a_script_that_forgets_the_host(shop: Workshop, *, bad: bool) -> Check:
    """The certificate is for a host that nobody asked for."""
    ca, _ = cas()
    return pair(shop, ca, ca.issue_cert("localhost.localdomain" if bad else HOST))


@case("pki", "expired", "openssl")
def a_script_whose_certificate_is_over(shop: Workshop, *, bad: bool) -> Check:
    """The certificate's last day was yesterday."""
    ca, _ = cas()
    return pair(shop, ca, ca.issue_cert(HOST, not_after=shop.now + (-DAY if bad else DAY)))


@case("pki", "certificate-unreadable", "openssl")
def a_script_that_leaves_an_empty_certificate(shop: Workshop, *, bad: bool) -> Check:
    """Openssl failed, the shell went on, and the file is empty."""
    ca, _ = cas()
    check = pair(shop, ca, ca.issue_cert(HOST))
    if bad:
        (shop.folder / "engine.cer").write_bytes(b"")
    return check


@case("pki", "certificate-missing", "openssl")
def a_script_that_leaves_no_certificate(shop: Workshop, *, bad: bool) -> Check:
    """The script made a CA, said that all is well, and signed nothing."""
    ca, _ = cas()
    check = pair(shop, ca, ca.issue_cert(HOST))
    if bad:
        (shop.folder / "engine.cer").unlink()
    return check


@case("pki", "no-alternative-name", "openssl")
def a_script_that_names_the_host_in_the_subject_only(shop: Workshop, *, bad: bool) -> Check:
    """The host stands in the common name only: no client of today takes that."""
    ca, _ = cas()
    check = pair(shop, ca, ca.issue_cert(HOST))
    if bad:
        pem = self_made(ca=False, names=False)
        (shop.folder / "engine.cer").write_bytes(pem[pem.index(b"-----BEGIN CERT") :])
    return check


@case("pki", "ca-unreadable", "openssl")
def a_script_that_leaves_a_broken_ca(shop: Workshop, *, bad: bool) -> Check:
    """The CA file is cut short."""
    ca, _ = cas()
    check = pair(shop, ca, ca.issue_cert(HOST))
    if bad:
        path = shop.folder / "ca.pem"
        path.write_bytes(path.read_bytes()[:100])
    return check


@case("pki", "not-yet-valid", "openssl")
def a_script_whose_certificate_begins_tomorrow(shop: Workshop, *, bad: bool) -> Check:
    """The clock was wrong while the script ran."""
    ca, _ = cas()
    first = shop.now + (DAY if bad else -DAY)
    return pair(shop, ca, ca.issue_cert(HOST, not_before=first, not_after=shop.now + 3 * DAY))


@case("pki", "ca-missing", "openssl")
def a_script_that_leaves_no_ca(shop: Workshop, *, bad: bool) -> Check:
    """The script ends well and left no CA where the page says."""
    ca, _ = cas()
    check = pair(shop, ca, ca.issue_cert(HOST))
    if bad:
        (shop.folder / "ca.pem").unlink()
    return check
