"""The lab's PKI: what the release's own script made, further certificates by the same CA, and a stranger."""

from __future__ import annotations

import datetime as dt
import ipaddress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from pytest_ovirt_release.local.postgres import write_private
from pytest_ovirt_release.target.brand import LAB_BRAND

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

SigningKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
CLOCK_SKEW = dt.timedelta(days=1)
LIFE = dt.timedelta(days=398)


@dataclass(frozen=True)
class _Authority:
    certificate: x509.Certificate
    key: SigningKey

    def issue(self, name: str, addresses: Sequence[str], folder: Path) -> tuple[Path, Path]:
        """Write NAME.cer and NAME.key (mode 0600) for these host names and addresses."""
        key = ec.generate_private_key(ec.SECP256R1())
        common = addresses[0] if addresses else name
        builder = _builder(_name(common[:64]), self.certificate.subject, key.public_key())
        for extension, critical in _leaf_extensions(addresses, key.public_key(), self.key.public_key()):
            builder = builder.add_extension(extension, critical=critical)
        certificate = builder.sign(self.key, hashes.SHA256())
        paths = folder / f"{name}.cer", folder / f"{name}.key"
        folder.mkdir(parents=True, exist_ok=True)
        paths[0].write_bytes(_pem(certificate))
        write_private(paths[1], _key_pem(key).decode("ascii"))
        return paths


class LabPki:
    """The engine's CA and certificate as the script left them; `issue` signs more with the same CA.

    `ca_pem` and `ca_der` are bytes, `ca_path` is the file; `engine_cert` and `engine_key` are paths. The
    stranger is an unrelated CA with a certificate for the same names: what the engine shows under
    `ca-mismatch`.
    """

    def __init__(self, folder: Path) -> None:
        """Read the script's output folder; raises FileNotFoundError or ValueError when it is not whole."""
        self.folder = folder
        self.ca_path = folder / "ca.pem"
        self.engine_cert = folder / "certs" / "engine.cer"
        self.engine_key = folder / "keys" / "engine.key"
        self.ca_pem = self.ca_path.read_bytes()
        self._authority = _Authority(
            x509.load_pem_x509_certificate(self.ca_pem), _load_key(folder / "private" / "ca.key")
        )
        self.ca_der = self._authority.certificate.public_bytes(serialization.Encoding.DER)
        self.ca_subject = self._authority.certificate.subject.rfc4514_string()
        names = _names_of(x509.load_pem_x509_certificate(self.engine_cert.read_bytes()))
        stranger = _stranger()
        self.stranger_ca_pem = _pem(stranger.certificate)
        self.stranger_cert, self.stranger_key = stranger.issue("stranger", names, folder / "stranger")

    def issue(self, name: str, addresses: Sequence[str]) -> tuple[Path, Path]:
        """Return the paths of a new certificate and its key, signed by the engine's CA.

        Args:
            name: file name without ending; each name once.
            addresses: host names and IP addresses the certificate is good for.
        """
        return self._authority.issue(name, addresses, self.folder / "issued")


def _stranger() -> _Authority:
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name("A CA that nobody trusts")
    builder = _builder(name, name, key.public_key())
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(_key_usage(authority=True), critical=True)
    builder = builder.add_extension(
        x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False
    )
    return _Authority(builder.sign(key, hashes.SHA256()), key)


def _name(common: str) -> x509.Name:
    parts = (
        (NameOID.COUNTRY_NAME, "US"),
        (NameOID.ORGANIZATION_NAME, LAB_BRAND),
        (NameOID.COMMON_NAME, common),
    )
    return x509.Name([x509.NameAttribute(oid, text) for oid, text in parts])


def _builder(
    subject: x509.Name, issuer: x509.Name, key: rsa.RSAPublicKey | ec.EllipticCurvePublicKey
) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC)
    return x509.CertificateBuilder(
        issuer_name=issuer,
        subject_name=subject,
        public_key=key,
        serial_number=x509.random_serial_number(),
        not_valid_before=now - CLOCK_SKEW,
        not_valid_after=now + LIFE,
    )


def _leaf_extensions(
    addresses: Sequence[str],
    own: ec.EllipticCurvePublicKey,
    signer: rsa.RSAPublicKey | ec.EllipticCurvePublicKey,
) -> tuple[tuple[x509.ExtensionType, bool], ...]:
    usages = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
    return (
        (x509.BasicConstraints(ca=False, path_length=None), True),
        (_key_usage(authority=False), True),
        (x509.ExtendedKeyUsage(usages), False),
        (x509.SubjectAlternativeName([_general_name(a) for a in addresses]), False),
        (x509.SubjectKeyIdentifier.from_public_key(own), False),
        (x509.AuthorityKeyIdentifier.from_issuer_public_key(signer), False),
    )


def _general_name(address: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(address))
    except ValueError:
        return x509.DNSName(address)


def _names_of(certificate: x509.Certificate) -> list[str]:
    found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    addresses = [str(a) for a in found.get_values_for_type(x509.IPAddress)]
    return [*addresses, *found.get_values_for_type(x509.DNSName)]


def _key_usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        content_commitment=False,
        key_encipherment=not authority,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )


def _load_key(path: Path) -> SigningKey:
    key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        raise TypeError(f"{path}: an RSA or elliptic-curve key is expected")
    return key


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
