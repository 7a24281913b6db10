"""How a node asks an engine to be registered: the protocol's client, for the command and for the node itself.

Source of the steps: the behaviour of `vdsm-tool register` against `/ovirt-engine/services/host-register`,
protocol version 1. Kept as it is, oddities included: the first request goes to the name without the port
option, an engine CA that is already there is used again, and every answer 200 counts as success.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import http.client
import ssl
import urllib.parse
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

from pytest_ovirt_release.lab.node.files import ENGINE_CA, REGISTER_LOG, VDSM_ID, NodeFiles, authorized_keys

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

SERVICE = "/ovirt-engine/services/host-register"
_DEADLINE = 10.0
_LARGEST_BODY = 1024 * 1024
_OK = 200
_HTTPS = 443
_VDSM_PORT = 54321


class RegistrationError(Exception):
    """The node could not be registered; the text says at which step and why."""


@dataclass(frozen=True)
class Registration:
    """What to ask for: the options of `vdsm-tool register`. `engine_fqdn` may carry a port."""

    engine_fqdn: str
    node_address: str
    ssh_port: int
    engine_https_port: int | None = None
    node_name: str | None = None
    ssh_user: str = "root"
    check_fqdn: bool = True
    fingerprint: str | None = None
    vdsm_port: int = _VDSM_PORT
    vdsm_uuid: str | None = None


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise RegistrationError(f"register: {message}")


def parse(arguments: Sequence[str], address: str, ssh_port: int) -> Registration:
    """Read the command's options; the node's own address and SSH port are the defaults.

    Raises:
        RegistrationError: for a missing --engine-fqdn or an option that is not known.
    """
    parser = _Parser(prog="vdsm-tool register", add_help=False, allow_abbrev=False)
    parser.add_argument("--engine-fqdn", required=True)
    parser.add_argument("--engine-https-port", type=int)
    parser.add_argument("--node-address", default=address)
    parser.add_argument("--node-name")
    parser.add_argument("--ssh-user", default="root")
    parser.add_argument("--ssh-port", type=int, default=ssh_port)
    parser.add_argument("--check-fqdn", type=_yes, default=True)
    parser.add_argument("--fingerprint")
    parser.add_argument("--vdsm-port", type=int, default=_VDSM_PORT)
    parser.add_argument("--vdsm-uuid")
    return Registration(**vars(parser.parse_args(list(arguments))))


def _yes(text: str) -> bool:
    return text.casefold() not in {"false", "no", "0", "n", "f"}


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
        files.append(REGISTER_LOG, f"ERROR {error}\n")
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
        trusting = ssl.create_default_context()
        trusting.check_hostname = False
        trusting.verify_mode = ssl.CERT_NONE  # the protocol begins before the node knows the engine's CA
        # The first request ignores the port option: a host:port in the name is the only way to another port.
        self._ask(wanted.engine_fqdn, trusting, {"command": "get-version"})
        node_id = self._node_id()
        engine = wanted.engine_fqdn
        if wanted.engine_https_port is not None:
            engine = f"{engine}:{wanted.engine_https_port}"
        ca = self._engine_ca(engine, trusting)
        verifying = self._verifying(ca) if wanted.check_fqdn else trusting
        key = self._ask(engine, verifying, {"command": "get-ssh-trust"})
        self._trust_key(key)
        self._ask(engine, verifying, self._request(node_id))
        self._say(f"Registration completed, host is pending approval on Engine: {wanted.engine_fqdn}")

    def _say(self, text: str) -> None:
        self._files.append(REGISTER_LOG, f"INFO {text}\n")
        self._print(text)

    def _node_id(self) -> str:
        wanted = self._wanted.vdsm_uuid or (self._files.read(VDSM_ID) or "").strip() or self._hardware_id
        self._files.write(VDSM_ID, wanted.lower() + "\n")
        self._say(f"Host UUID: {wanted.lower()}")
        return wanted.lower()

    def _engine_ca(self, engine: str, trusting: ssl.SSLContext) -> str:
        ca = self._files.read(ENGINE_CA)
        if ca is None:
            ca = self._ask(engine, trusting, {"command": "get-pki-trust"})
            self._files.write(ENGINE_CA, ca)
        try:
            digest = hashlib.sha1(ssl.PEM_cert_to_DER_cert(ca), usedforsecurity=False).hexdigest()
        except ValueError as error:
            raise RegistrationError(f"get-pki-trust: the engine's CA cannot be read: {error}") from error
        fingerprint = ":".join(digest[i : i + 2] for i in range(0, len(digest), 2)).upper()
        self._say(f"Engine CA fingerprint: {fingerprint}")
        wanted = self._wanted.fingerprint
        if wanted is not None and wanted.upper() != fingerprint:
            raise RegistrationError(
                f"the fingerprints do not match: wanted {wanted}, the engine's CA has {fingerprint}"
            )
        return ca

    @staticmethod
    def _verifying(ca: str) -> ssl.SSLContext:
        try:
            return ssl.create_default_context(cadata=ca)
        except ssl.SSLError as error:
            raise RegistrationError(f"get-pki-trust: the engine's CA cannot be used: {error}") from error

    def _trust_key(self, key: str) -> None:
        path = authorized_keys(self._wanted.ssh_user)
        if key.strip() not in (self._files.read(path) or ""):
            self._files.append(path, key.strip() + "\n", mode=0o600)
        self._say(f"Engine's SSH key was added to {path}")

    def _request(self, node_id: str) -> dict[str, str]:
        wanted = self._wanted
        # `port` is what the tool sends; the engine reads `vdsPort`, so it has no effect, as in life.
        request = {
            "command": "register",
            "sshUser": wanted.ssh_user,
            "sshPort": str(wanted.ssh_port),
            "port": str(wanted.vdsm_port),
            "address": wanted.node_address,
            "uniqueId": node_id,
        }
        return request if wanted.node_name is None else request | {"name": wanted.node_name}

    def _ask(self, engine: str, context: ssl.SSLContext, parameters: dict[str, str]) -> str:
        command = parameters["command"]
        host, port = _split(engine)
        connection = http.client.HTTPSConnection(
            host, port, timeout=_DEADLINE, context=context, source_address=(self._source, 0)
        )
        try:
            connection.request("GET", f"{SERVICE}?{urllib.parse.urlencode({'version': 1} | parameters)}")
            answer = connection.getresponse()
            body = answer.read(_LARGEST_BODY).decode(errors="replace")
        except (OSError, http.client.HTTPException) as error:
            raise RegistrationError(f"{command}: cannot reach {engine}: {error}") from error
        finally:
            connection.close()
        if answer.status != _OK:
            raise RegistrationError(f"{command}: {engine} answered {answer.status} {answer.reason}")
        return body


def _split(engine: str) -> tuple[str, int]:
    host, colon, port = engine.rpartition(":")
    if not colon:
        return engine, _HTTPS
    try:
        return host, int(port)
    except ValueError:
        raise RegistrationError(f"{engine}: the port is not a number") from None
