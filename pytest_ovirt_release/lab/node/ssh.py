"""The SSH server of a node: keys only, the user root, one command for each session.

Who may log in is read from the node's own authorized_keys at every login: the tester from the beginning, the
engine once registration has put its key there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import asyncssh

from pytest_ovirt_release.lab.node.commands import run
from pytest_ovirt_release.lab.node.files import authorized_keys
from pytest_ovirt_release.target.brand import LAB_BRAND

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_ovirt_release.lab.node.shell import Shell

VERSION = f"ovirtnode {LAB_BRAND}"
"""Software version in the SSH banner; the lab's brand stands in its comment part."""

_USER = "root"
_LOGIN = 30


class NodeSsh:
    """The SSH server of one node, on its own address, at a port that the system chooses."""

    def __init__(self, shell: Shell, key_path: Path) -> None:
        """Take what commands run on and the file of the host key, which is made when it is not there."""
        self._shell = shell
        if not key_path.exists():
            asyncssh.generate_private_key("ssh-ed25519", comment=shell.name).write_private_key(key_path)
            key_path.chmod(0o600)
        self._key = asyncssh.read_private_key(key_path)
        self._port = 0
        self._acceptor: asyncssh.SSHAcceptor | None = None
        self._connections: set[asyncssh.SSHServerConnection] = set()

    @property
    def host_key(self) -> str:
        """The public host key, as one OpenSSH line."""
        return self._key.export_public_key().decode().strip()

    async def start(self) -> int:
        """Listen; return the port, which stays the same when the server is started anew."""
        self._acceptor = await asyncssh.listen(
            self._shell.address,
            self._port,
            server_factory=lambda: _Server(self._shell, self._connections),
            process_factory=self._handle,
            server_host_keys=[self._key],
            server_version=VERSION,
            config=None,
            login_timeout=_LOGIN,
            keepalive_interval=0,
        )
        self._port = int(self._acceptor.get_port())
        return self._port

    async def stop(self) -> None:
        """Close the port and every connection."""
        if self._acceptor is None:
            return
        self._acceptor.close()
        connections = tuple(self._connections)
        for connection in connections:
            connection.abort()
        for connection in connections:
            await connection.wait_closed()
        await self._acceptor.wait_closed()
        self._acceptor = None

    async def _handle(self, process: asyncssh.SSHServerProcess[str]) -> None:
        if process.command is None:
            process.stderr.write("This machine runs single commands only.\n")
            process.exit(1)
            return
        result = await run(self._shell, process.command)
        process.stdout.write(result.stdout)
        process.stderr.write(result.stderr)
        process.exit(result.status)


class _Server(asyncssh.SSHServer):
    def __init__(self, shell: Shell, connections: set[asyncssh.SSHServerConnection]) -> None:
        self._shell = shell
        self._connections = connections
        self._connection: asyncssh.SSHServerConnection | None = None

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._connection = conn
        self._connections.add(conn)

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        if self._connection is not None:
            self._connections.discard(self._connection)

    def begin_auth(self, username: str) -> bool:
        keys = self._shell.files.read(authorized_keys(username)) if username == _USER else None
        if self._connection is not None and keys:
            self._connection.set_authorized_keys(asyncssh.import_authorized_keys(keys))
        return True

    def public_key_auth_supported(self) -> bool:
        return True

    def password_auth_supported(self) -> bool:
        return False
