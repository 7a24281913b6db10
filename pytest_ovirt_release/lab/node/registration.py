"""How a node asks an engine to be registered: the protocol's client, for the command and for the node itself.

Source of the steps: the behaviour of `vdsm-tool register` against `/ovirt-engine/services/host-register`,
protocol version 1. Kept as it is, oddities included: the first request goes to the name without the port option, an
engine CA that is already there is used again, every answer 200 counts as success, and what goes wrong is printed
where what goes right is. Two things differ. The default of --ssh-port is the node's own port, for the lab's nodes do
not listen on 22; and of a traceback only the last line is written.
"""

from __future__ import annotations

import asyncio
import hashlib
import http.client
import ssl
import time
import urllib.parse
from typing import TYPE_CHECKING

from pytest_ovirt_release.lab.node.files import ENGINE_CA, REGISTER_LOG, VDSM_ID, NodeFiles, authorized_keys
from pytest_ovirt_release.lab.node.registration_options import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_ovirt_release.lab.node.registration_options import Registration

SERVICE = "/ovirt-engine/services/host-register"
_DEADLINE = 10.0
_LARGEST_BODY = 1024 * 1024
_OK = 200
_HTTPS = 443


class RegistrationError(Exception):
    """The node could not be registered; the text says why, as the tool's last line does."""


class _NotOkError(RegistrationError):
    """The engine answered, but not 200."""


async def register(
    wanted: Registration, files: NodeFiles, hardware_id: str, source: str, say: Callable[[str], None]
) -> None:
    """Go through the seven steps; what is done is said, and written to the node's registration log.

    Args:
        wanted: the options.
        files: the node's files: its id, the engine's CA, authorized_keys, the log.
        hardware_id: id of the machine, used when the node has no vdsm id yet.
        source: address that the requests come from.
        say: where the command prints.

    Raises:
        RegistrationError: at the first step that fails.
    """
    steps = _Steps(wanted, files, hardware_id, source, say)
    try:
        await asyncio.to_thread(steps.run)
    except RegistrationError as error:
        steps.info(f"Cannot connect to engine. {wanted.engine_fqdn} matches the FQDN of Engine?\n{error}")
        raise


class _Steps:
    def __init__(
        self,
        wanted: Registration,
        files: NodeFiles,
        hardware_id: str,
        source: str,
        say: Callable[[str], None],
    ) -> None:
        self._wanted = wanted
        self._files = files
        self._hardware_id = hardware_id
        self._source = source
        self._print = say

    def run(self) -> None:
        wanted = self._wanted
        self._debug("Registering the node")
        self._debug(f"Received the following attributes: {wanted}")
        self.info("Starting registration...")
        trusting = ssl.create_default_context()
        trusting.check_hostname = False
        trusting.verify_mode = ssl.CERT_NONE  # the protocol begins before the node knows the engine's CA
        # The first request ignores the port option: a host:port in the name is the only way to another port.
        try:
            self._ask(wanted.engine_fqdn, trusting, {"command": "get-version"})
        except _NotOkError as error:
            raise RegistrationError("RuntimeError: Cannot get registration version from Engine!") from error
        node_id = self._node_id()
        engine = wanted.engine_fqdn
        if wanted.engine_https_port is not None:
            engine = f"{engine}:{wanted.engine_https_port}"
        ca = self._engine_ca(engine, trusting)
        verifying = self._verifying(ca) if wanted.checks else trusting
        self._trust_key(engine, verifying)
        self._ask(engine, verifying, self._request(node_id))
        self.info(f"Registration completed, host is pending approval on Engine: {wanted.engine_fqdn}")

    def info(self, text: str) -> None:
        """Say something, and log it."""
        self._debug(text)
        self._print(text)

    def _debug(self, text: str) -> None:
        self._files.append(REGISTER_LOG, f"{time.strftime('%m/%d/%Y %I:%M:%S %p')} {text}\n")

    def _node_id(self) -> str:
        own = (self._files.read(VDSM_ID) or "").strip()
        node_id = self._wanted.vdsm_uuid or own or self._hardware_id.lower()
        if node_id != own:
            self._files.write(VDSM_ID, node_id)
        self.info(f"Host UUID: {node_id}")
        return node_id

    def _engine_ca(self, engine: str, trusting: ssl.SSLContext) -> str:
        self.info("Collecting CA data from Engine...")
        known = self._files.read(ENGINE_CA)
        ca = self._ask(engine, trusting, {"command": "get-pki-trust"}) if known is None else known
        try:
            digest = hashlib.sha1(ssl.PEM_cert_to_DER_cert(ca), usedforsecurity=False).hexdigest()
        except ValueError as error:
            raise RegistrationError(f"ValueError: {error}") from error
        fingerprint = ":".join(digest[i : i + 2] for i in range(0, len(digest), 2))
        wanted = self._wanted.fingerprint
        if wanted is not None and wanted.lower() != fingerprint:
            raise RegistrationError(
                "RuntimeError: The fingeprints doesn't match:\n"
                f"Calculated fingerprint: [{fingerprint}]\n"
                f"Attribute fingerprint:  [{wanted}]"
            )
        if known is None:
            self._files.write(ENGINE_CA, ca)
        self.info(f"Calculated fingerprint: {fingerprint}")
        return ca

    @staticmethod
    def _verifying(ca: str) -> ssl.SSLContext:
        try:
            return ssl.create_default_context(cadata=ca)
        except ssl.SSLError as error:
            raise RegistrationError(f"requests.exceptions.SSLError: {error}") from error

    def _trust_key(self, engine: str, context: ssl.SSLContext) -> None:
        self.info("Collecting ssh pub key data...")
        user = self._wanted.ssh_user
        if user != ROOT:
            raise RegistrationError(f"KeyError: \"getpwnam(): name not found: '{user}'\"")
        path = authorized_keys(user)
        self._debug(f"auth_key is located {path}")
        key = self._ask(engine, context, {"command": "get-ssh-trust"})
        known = self._files.read(path) or ""
        if key not in known:
            self._files.write(path, known + key, mode=0o600)
            self._files.path(path).parent.chmod(0o700)

    def _request(self, node_id: str) -> dict[str, str]:
        wanted = self._wanted
        # `port` is what the tool sends; the engine reads `vdsPort`, so it has no effect, as in life.
        optional = {"name": wanted.node_name, "address": wanted.node_address}
        return {
            "command": "register",
            "sshUser": wanted.ssh_user,
            "sshPort": wanted.ssh_port,
            "port": wanted.vdsm_port,
            **{option: value for option, value in optional.items() if value is not None},
            "uniqueId": node_id,
        }

    def _ask(self, engine: str, context: ssl.SSLContext, parameters: dict[str, str]) -> str:
        host, port = _split(engine)
        connection = http.client.HTTPSConnection(
            host, port, timeout=_DEADLINE, context=context, source_address=(self._source, 0)
        )
        try:
            connection.request("GET", f"{SERVICE}?{urllib.parse.urlencode({'version': 1} | parameters)}")
            answer = connection.getresponse()
            body = answer.read(_LARGEST_BODY).decode(errors="replace")
        except (OSError, http.client.HTTPException) as error:
            raise RegistrationError(f"requests.exceptions.{_kind(error)}: {engine}: {error}") from error
        finally:
            connection.close()
        if answer.status != _OK:
            raise _NotOkError(
                f"requests.exceptions.RequestException: http response was non OK, code {answer.status}"
            )
        return body


def _split(engine: str) -> tuple[str, int]:
    host, colon, port = engine.rpartition(":")
    if not colon:
        return engine, _HTTPS
    try:
        return host, int(port)
    except ValueError:
        raise RegistrationError(
            f"requests.exceptions.InvalidURL: Failed to parse: https://{engine}"
        ) from None


def _kind(error: Exception) -> str:
    return "SSLError" if isinstance(error, ssl.SSLError) else "ConnectionError"
