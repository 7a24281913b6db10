"""Server certificates that trustme refuses to make."""

from __future__ import annotations

import datetime as dt
import ssl

import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

ONE, OTHER = "1.3.6.1.4.1.55555.1", "1.3.6.1.4.1.55555.2"
ARC = bytes.fromhex("83b203")
"""55555, as DER writes it in an object id."""


def without_alternative_name(ca: trustme.CA, common: str) -> trustme.LeafCert:
    """Issue a server certificate that names its host only in the subject."""
    return _issued(ca, common)


def unreadable(ca: trustme.CA, common: str) -> trustme.LeafCert:
    """Issue a certificate that has an extension twice: OpenSSL takes it, Python's `cryptography` does not."""
    extensions = [x509.UnrecognizedExtension(x509.ObjectIdentifier(oid), b"\4\0") for oid in (ONE, OTHER)]
    leaf = _issued(ca, common, *extensions)
    der = ssl.PEM_cert_to_DER_cert(leaf.cert_chain_pems[0].bytes().decode())
    twice = der.replace(ARC + b"\2", ARC + b"\1")
    pem = ssl.DER_cert_to_PEM_cert(twice)
    return trustme.LeafCert(leaf.private_key_pem.bytes(), pem.encode(), [])


def _issued(ca: trustme.CA, common: str, *extensions: x509.ExtensionType) -> trustme.LeafCert:
    authority = x509.load_pem_x509_certificate(ca.cert_pem.bytes())
    signer = serialization.load_pem_private_key(ca.private_key_pem.bytes(), password=None)
    assert isinstance(signer, ec.EllipticCurvePrivateKey)
    key = ec.generate_private_key(ec.SECP256R1())
    now = dt.datetime.now(dt.UTC)
    builder = x509.CertificateBuilder(
        issuer_name=authority.subject,
        subject_name=x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)]),
        public_key=key.public_key(),
        serial_number=x509.random_serial_number(),
        not_valid_before=now - dt.timedelta(days=1),
        not_valid_after=now + dt.timedelta(days=1),
    )
    for extension in extensions:
        builder = builder.add_extension(extension, critical=False)
    certificate = builder.sign(signer, hashes.SHA256())
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return trustme.LeafCert(private, certificate.public_bytes(serialization.Encoding.PEM), [])
