"""The unauthenticated services: health, certificates and keys, host registration's wire protocol."""

from __future__ import annotations

import base64
import re
import ssl
import textwrap
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from starlette.responses import Response

from pytest_ovirt_release.lab.engine.fault import BAD_REQUEST
from pytest_ovirt_release.lab.engine.pages import error_line
from pytest_ovirt_release.lab.engine.registration import Refused, Registration, register

if TYPE_CHECKING:
    from starlette.requests import Request

    from pytest_ovirt_release.lab.engine.core import Core

LATIN = "; charset=ISO-8859-1"
TEXT = "text/plain" + LATIN
CA_TYPE = "application/x-x509-ca-cert" + LATIN
CERTIFICATE_TYPE = "application/x-x509-cert" + LATIN
COLUMNS = 76
"""The engine wraps certificates at 76 columns, not at 64."""

HEALTHY = b"DB Up!Welcome to Health Status!"
PROTOCOL = 1
SMALLEST = -(2**31)
"""The smallest number that a Java int holds."""


def wrapped(pem: str) -> str:
    """Return a certificate in the engine's own layout."""
    body = base64.b64encode(ssl.PEM_cert_to_DER_cert(_first(pem))).decode()
    return "\n".join(
        ["-----BEGIN CERTIFICATE-----", *textwrap.wrap(body, COLUMNS), "-----END CERTIFICATE-----", ""]
    )


def _first(pem: str) -> str:
    found = re.search(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----\n?", pem, re.DOTALL)
    return found.group() if found else pem


def _openssh(pem: str) -> str:
    key = x509.load_pem_x509_certificate(pem.encode()).public_key()
    return key.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()


class Services:
    """The servlets below /ovirt-engine/services."""

    def __init__(self, core: Core, ca_pem: str, engine_pem: str) -> None:
        """Take the engine, the CA's certificate and the engine's own."""
        self.core = core
        self.ca_pem = ca_pem
        self.engine_pem = engine_pem

    async def health(self, _request: Request) -> Response:
        """Say that the engine is well."""
        return Response(HEALTHY, media_type="text/html;charset=ISO-8859-1")

    async def pki_resource(self, request: Request) -> Response:
        """Give a certificate, or a public key in OpenSSH's form."""
        asked = request.query_params
        resource = asked.get("resource")
        if resource is None:
            return error_line(BAD_REQUEST, "Missing resource name")
        pems = {
            "ca-certificate": (self.ca_pem, "X509-PEM-CA"),
            "qemu-ca-certificate": (self.ca_pem, "X509-PEM-CA"),
            "engine-certificate": (self.engine_pem, "X509-PEM"),
        }
        if resource not in pems:
            return error_line(BAD_REQUEST, f"Resource '{_printable(resource)}' is invalid")
        pem, default = pems[resource]
        form = asked.get("format", default)
        if form == "OPENSSH-PUBKEY":
            line = self._key_line(asked.get("alias")) if resource == "engine-certificate" else _openssh(pem)
            return Response(line, media_type=TEXT)
        types = {"X509-PEM-CA": CA_TYPE, "X509-PEM": CERTIFICATE_TYPE}
        if form not in types:
            return error_line(BAD_REQUEST, f"Format '{_printable(form)}' is invalid")
        return Response(wrapped(pem), media_type=types[form])

    def _key_line(self, alias: str | None = None) -> str:
        kind, key = self.core.ssh.public_key.split()[:2]
        return f"{kind} {key} {alias or 'ovirt-engine'}"

    async def host_register(self, request: Request) -> Response:
        """Speak version 1 of the registration protocol."""
        asked = request.query_params
        version = java_int(asked.get("version", ""))
        version = -1 if version is None else version
        if version != PROTOCOL:
            return error_line(BAD_REQUEST, f"Invalid registration protocol version {version}")
        command = asked.get("command")
        if command == "register":
            return self._register(request)
        replies = {
            "get-version": (str(PROTOCOL), TEXT),
            "get-pki-trust": (wrapped(self.ca_pem), CA_TYPE),
            "get-ssh-trust": (self._key_line(), TEXT),
        }
        if command is None:
            return error_line(BAD_REQUEST, "command parameter is missing")
        if command not in replies:
            return error_line(BAD_REQUEST, "Invalid command")
        content, kind = replies[command]
        return Response(content, media_type=kind)

    def _register(self, request: Request) -> Response:
        # Of a parameter that is given twice, the first counts.
        asked = dict(reversed(request.query_params.multi_items()))
        ports: dict[str, int] = {}
        for name, default in (("sshPort", "22"), ("vdsPort", "54321")):
            text = asked.get(name, default)
            if (port := java_int(text)) is None:
                return error_line(BAD_REQUEST, f'For input string: "{_printable(text)}"')
            ports[name] = port
        if "uniqueId" not in asked:
            return error_line(BAD_REQUEST, "Unique id was not provided")
        address = asked.get("address", _reverse_name(request))
        wish = Registration(
            address=address,
            name=asked.get("name", address),
            unique_id=asked["uniqueId"],
            ssh_port=ports["sshPort"],
            vdsm_port=ports["vdsPort"],
            fingerprint=asked.get("sshKeyFingerprint"),
        )
        try:
            register(self.core, wish)
        except Refused as refused:
            return error_line(BAD_REQUEST, f"runInternalQuery failed '{_printable(str(refused))}'")
        return Response(b"OK\n", media_type=TEXT)


def java_int(text: str) -> int | None:
    """Return the number that Java's Integer.parseInt reads, None where it throws."""
    if re.fullmatch(r"[+-]?[0-9]+", text) is None or not SMALLEST <= int(text) <= -SMALLEST - 1:
        return None
    return int(text)


def _printable(text: str) -> str:
    """Return a client's text as it may stand in a page."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _reverse_name(request: Request) -> str:
    """Return what a caller's address resolves to: of the loopback addresses only the first has a name."""
    address = request.client.host if request.client else ""
    return "localhost" if address in {"127.0.0.1", ""} else address
