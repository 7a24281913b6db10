"""How the lab's engine logs in to a node: with its own key, to install the host software."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import asyncssh

if TYPE_CHECKING:
    from pathlib import Path

COMMENT = "ovirt-engine"
_DEADLINE = 60.0


class DeployError(Exception):
    """The host could not be installed; the text says why."""


class HostAccess:
    """The engine's SSH key, kept in a file, and what it does with it."""

    def __init__(self, key_path: Path) -> None:
        """Take the file of the private key, which is made when it is not there."""
        if not key_path.exists():
            key_path.parent.mkdir(parents=True, exist_ok=True)
            asyncssh.generate_private_key("ssh-rsa", comment=COMMENT).write_private_key(key_path)
            key_path.chmod(0o600)
        self._key = asyncssh.read_private_key(key_path)

    @property
    def public_key(self) -> str:
        """The public key as one OpenSSH line with the comment `ovirt-engine`."""
        return self._key.export_public_key().decode().strip()

    async def host_key(self, address: str, ssh_port: int) -> str:
        """Return the host's own public key, one OpenSSH line; OSError when nobody answers."""
        try:
            found = await asyncio.wait_for(
                asyncssh.get_server_host_key(address, ssh_port, config=None), _DEADLINE
            )
        except (TimeoutError, OSError, asyncssh.Error) as error:
            raise ConnectionError(f"cannot connect to {address}:{ssh_port} by SSH: {error}") from error
        if found is None:
            raise ConnectionError(f"{address}:{ssh_port} has no host key")
        return found.export_public_key().decode().strip()

    async def authorize(self, address: str, ssh_port: int, user: str, password: str | None) -> None:
        """Log in and leave the engine's key; without a password it must be there already.

        PermissionError when the host refuses the login, any other OSError when it cannot be reached.
        """
        try:
            await asyncio.wait_for(self._authorize(address, ssh_port, user, password), _DEADLINE)
        except asyncssh.PermissionDenied as error:
            raise PermissionError(f"SSH authentication to '{user}@{address}' failed") from error
        except (TimeoutError, OSError, asyncssh.Error) as error:
            raise ConnectionError(f"cannot connect to {address}:{ssh_port} by SSH: {error}") from error

    async def _authorize(self, address: str, ssh_port: int, user: str, password: str | None) -> None:
        keys = [self._key] if password is None else None
        async with asyncssh.connect(
            address,
            ssh_port,
            username=user,
            password=password,
            client_keys=keys,
            known_hosts=None,
            agent_path=None,
            config=None,
        ) as connection:
            if password is not None:
                await connection.run(f"ssh-copy-id '{self.public_key}'", check=True)

    async def deploy(self, address: str, ssh_port: int) -> None:
        """Log in as root and configure vdsm; DeployError when login or command fail.

        The host key is not known: registration does not carry it, and a real engine takes the first one too.
        """
        try:
            await asyncio.wait_for(self._configure(address, ssh_port), _DEADLINE)
        except TimeoutError as error:
            raise DeployError(f"{address}:{ssh_port} did not answer within {_DEADLINE:g} s") from error
        except asyncssh.PermissionDenied as error:
            raise DeployError(f"SSH authentication to 'root@{address}:{ssh_port}' failed") from error
        except (OSError, asyncssh.Error) as error:
            raise DeployError(f"cannot connect to {address}:{ssh_port} by SSH: {error}") from error

    async def _configure(self, address: str, ssh_port: int) -> None:
        async with asyncssh.connect(
            address,
            ssh_port,
            username="root",
            client_keys=[self._key],
            known_hosts=None,
            agent_path=None,
            config=None,
        ) as connection:
            done = await connection.run("vdsm-tool configure --force", check=False)
        if done.exit_status != 0:
            raise DeployError(
                f"vdsm-tool configure on {address} ended with {done.exit_status}: {done.stderr!s}"
            )
