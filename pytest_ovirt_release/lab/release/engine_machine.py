"""The machine the lab's engine stands on: the release's scripts really ran there, and SSH shows what is left.

The PKI script makes the CA and certificate that the lab's engine then uses; the database script runs against
a real PostgreSQL, in the background. Both are always the good ones: a fault publishes broken scripts, but
the lab's own engine was installed before.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import asyncssh

from pytest_ovirt_release.errors import ReleaseError
from pytest_ovirt_release.lab.pki import LabPki
from pytest_ovirt_release.lab.release import scripts
from pytest_ovirt_release.lab.release.answer import Answer
from pytest_ovirt_release.lab.release.engine_share import DATABASE, EngineShare
from pytest_ovirt_release.lab.release.engine_shell import EngineShell
from pytest_ovirt_release.local import processes
from pytest_ovirt_release.local.postgres import EmbeddedPostgres
from pytest_ovirt_release.local.release_script import ScriptResult, run_script
from pytest_ovirt_release.target.brand import LAB_BRAND

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pytest_ovirt_release.local.postgres import Connection

log = logging.getLogger(__name__)

SCRIPT_DEADLINE = 120.0
STOP_DEADLINE = 4.0


class EngineMachine:
    """An engine machine: `install`, then `start`; `ssh_port` and `host_key` say where to log in as root."""

    def __init__(
        self,
        *,
        folder: Path,
        faults: frozenset[str],
        root_key: str,
        address: str = "127.0.0.1",
        packages: Mapping[str, str] | None = None,
    ) -> None:
        """Take its folder, the lab's faults, and the tester's public key line.

        Args:
            folder: for certificates and logs; it must exist.
            faults: `service-disabled` is this machine's own.
            root_key: OpenSSH public key that may log in as root.
            address: loopback address of engine and SSH.
            packages: name → full version of what is installed, as its package manager says.
        """
        self.folder = folder
        self.address = address
        self.ssh_port = 0
        self.host_key = ""
        self._root_key = asyncssh.import_public_key(root_key)
        self._postgres: EmbeddedPostgres | None = None
        self._database: asyncio.Task[None] | None = None
        self._server: asyncssh.SSHAcceptor | None = None
        self._log_file = folder / "engine-setup.log"
        self._share = EngineShare(folder / "pki", packages or {})
        name = f"ovirt-engine-setup-{datetime.now(UTC):%Y%m%d%H%M%S}-lab.log"
        self._shell = EngineShell(
            enabled="service-disabled" not in faults,
            log_name=name,
            log_file=self._log_file,
            installed=self._installed,
            set_up=self._set_up_again,
            share=self._share,
        )

    async def install(self, source_tree: Path) -> LabPki:
        """Run the release's PKI script and return what it made; the database follows in the background.

        Args:
            source_tree: an unpacked ovirt-engine source tree that holds `scripts.tree(frozenset())`.

        Raises:
            ReleaseError: the PKI script failed.
        """
        out, self._share.source = self._share.pki, source_tree
        self._note(f"Stage: PKI, organisation {LAB_BRAND}")
        environment = {"PKI_ORGANIZATION": LAB_BRAND}
        result = await asyncio.to_thread(
            run_script,
            scripts.PKI,
            source_tree,
            out,
            {"host": self.address},
            deadline=SCRIPT_DEADLINE,
            extra_env=environment,
        )
        self._note_script(result)
        if result.status != 0:
            raise ReleaseError(
                f"the lab's engine machine could not be installed: {result}; {result.output.strip()}"
            )
        self._database = asyncio.create_task(
            self._create_database(source_tree), name="engine machine: database"
        )
        return await asyncio.to_thread(LabPki, out)

    async def start(self) -> None:
        """Listen for SSH on a free port."""
        key = asyncssh.generate_private_key("ssh-ed25519", comment="engine")
        self.host_key = key.export_public_key().decode("ascii").strip()
        self._server = await asyncssh.create_server(
            lambda: _RootOnly(self._root_key),
            self.address,
            0,
            server_host_keys=[key],
            server_version=f"engine {LAB_BRAND}",
            process_factory=self._shell.answer,
            login_timeout=20,
            keepalive_interval=0,
        )
        self.ssh_port = self._server.get_port()

    async def stop(self) -> None:
        """Stop SSH and PostgreSQL; harmless when nothing runs."""
        if self._server is not None:
            self._server.close()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._server.wait_closed(), STOP_DEADLINE)
            self._server = None
        if self._database is not None:
            done, _ = await asyncio.wait([self._database], timeout=STOP_DEADLINE)
            for task in done:
                task.exception()  # logged where it happened; asked for here so that asyncio does not complain
            self._database = None
        postgres, self._postgres = self._postgres, None
        if postgres is not None:
            await asyncio.to_thread(postgres.stop)

    async def _installed(self) -> bool:
        """Wait for the database and return whether the machine was installed without an error."""
        if self._database is None:
            return False
        await asyncio.wait([self._database])
        return self._database.exception() is None

    async def _create_database(self, source_tree: Path) -> None:
        try:
            result = await asyncio.to_thread(self._run_database_script, source_tree)
        except Exception:
            log.exception("engine machine: the database could not be created")
            self._note("Stage: database failed")
            raise
        self._note_script(result)
        if result.status != 0:
            raise ReleaseError(f"the lab's database script failed: {result}")
        self._note("Stage: Execution of setup completed successfully")

    async def _set_up_again(self) -> Answer:
        """Run the release's database script once more, as the setup tool does on a machine that is set up."""
        where, source = self._share.connection, self._share.source
        if not await self._installed() or where is None or source is None:
            return Answer(err="***L:ERROR engine-setup: the first set-up failed\n", status=1)
        result = await asyncio.to_thread(self._apply, where, source)
        self._note_script(result)
        ended = (
            "Execution of setup completed successfully" if result.status == 0 else "Failed to execute stage"
        )
        return Answer(f"{result.output}[ INFO  ] Stage: {ended}\n", status=result.status)

    def _run_database_script(self, source_tree: Path) -> ScriptResult:
        # Known before it starts: who stops this machine meanwhile has to find it.
        self._postgres = postgres = EmbeddedPostgres()
        postgres.__enter__()
        self._share.connection = where = postgres.superuser
        self._note("Stage: database, PostgreSQL is ready")
        options = [
            f"--host={where.host}",
            f"--port={where.port}",
            f"--username={where.user}",
            "--no-password",
        ]
        env = {"HOME": str(self.folder), **where.environment()}
        made = processes.run(["createdb", *options, DATABASE], deadline=30, env=env, cwd=self.folder)
        if made.status != 0:
            raise ReleaseError(f"createdb failed: {made.output.strip()}")
        return self._apply(where, source_tree)

    def _apply(self, where: Connection, source_tree: Path) -> ScriptResult:
        values = {
            "db_host": where.host,
            "db_port": str(where.port),
            "db_user": where.user,
            "db_name": DATABASE,
        }
        return run_script(
            scripts.DATABASE,
            source_tree,
            self.folder,
            values,
            deadline=SCRIPT_DEADLINE,
            extra_env=where.environment(),
        )

    def _note_script(self, result: ScriptResult) -> None:
        self._note(f"Command: {' '.join(result.command)}")
        for line in result.output.splitlines():
            self._note(f"  {line}")
        self._note(f"Result: {result}")

    def _note(self, text: str) -> None:
        moment = datetime.now(UTC).isoformat(sep=" ", timespec="milliseconds")
        with self._log_file.open("a", encoding="utf-8") as file:
            file.write(f"{moment} INFO {text}\n")


class _RootOnly(asyncssh.SSHServer):
    """Lets root in with one key, and says who this is before."""

    def __init__(self, key: asyncssh.SSHKey) -> None:
        self._key = key
        self._connection: asyncssh.SSHServerConnection | None = None

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        """Keep the connection, for the banner."""
        self._connection = conn

    def begin_auth(self, username: str) -> bool:
        """Say the banner; everybody must log in."""
        del username
        if self._connection is not None:
            self._connection.send_auth_banner(f"engine machine of the {LAB_BRAND}\n")
        return True

    def public_key_auth_supported(self) -> bool:
        """Keys are the only way in."""
        return True

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        """Accept root's key."""
        return username == "root" and key == self._key
