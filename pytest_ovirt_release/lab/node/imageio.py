"""The real ovirt-imageio daemon, one for each node, on the node's own address.

Tickets are added and removed over its control service (HTTP on a port of the loopback address 127.0.0.1 that
the system chose); clients move bytes over HTTPS at `https://<node>:<port>/images/<ticket>`.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import re
import shutil
import sys
from asyncio import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pytest_ovirt_release.lab.node.tied import tied
from pytest_ovirt_release.lab.node.verbs import VdsmError

if TYPE_CHECKING:
    from typing import BinaryIO

TICKET_ERROR = 482
_LISTENS = re.compile(r"(remote|control)\.service listening on .*?(\d+)\)?\s*$")
_START = 30.0
_STOP = 5.0
_REQUEST = 30.0
_TIMEOUT = 300
_OK, _NO_CONTENT = 200, 204


class ImageioError(Exception):
    """The daemon did not start."""


class Imageio:
    """The image transfer daemon of one node."""

    def __init__(self, address: str, folder: Path, cert: Path, key: Path) -> None:
        """Take the node's address, a folder for the daemon's files, and its certificate and key."""
        self._address = address
        self._folder = folder
        self._cert = cert
        self._key = key
        self._process: subprocess.Process | None = None
        self._drain: asyncio.Task[None] | None = None
        self._ports: dict[str, int] = {}

    async def start(self) -> None:
        """Start the daemon and wait until both of its services listen; ImageioError when they never do."""
        configuration = self._folder / "conf.d" / "lab.conf"
        configuration.parent.mkdir(parents=True, exist_ok=True)
        configuration.write_text(self._configuration())
        argv = [_program(), "--conf-dir", str(self._folder)]
        self._process = await subprocess.create_subprocess_exec(
            *tied(argv), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        assert self._process.stderr is not None  # noqa: S101 - a pipe was asked for
        listening = asyncio.Event()
        log = (self._folder / "imageio.log").open("ab")  # closed by the task that writes it
        self._drain = asyncio.create_task(self._read_log(self._process.stderr, log, listening))
        ready = asyncio.create_task(listening.wait())
        await asyncio.wait((ready, self._drain), timeout=_START, return_when=asyncio.FIRST_COMPLETED)
        ready.cancel()
        if not listening.is_set():
            await self.stop()
            raise ImageioError(f"ovirt-imageio does not listen, see {self._folder / 'imageio.log'}")

    async def stop(self) -> None:
        """End the daemon."""
        if self._process is None:
            return
        if self._process.returncode is None:
            self._process.terminate()
            try:
                await asyncio.wait_for(self._process.wait(), _STOP)
            except TimeoutError:
                self._process.kill()
        await self._process.wait()
        if self._drain is not None:
            await asyncio.wait((self._drain,))
        self._process = None

    @property
    def port(self) -> int:
        """The port that clients move bytes over."""
        return self._ports["remote"]

    async def add_ticket(
        self, ticket_id: str, path: Path, size: int, operation: Literal["read", "write"]
    ) -> None:
        """Let clients read or write a file under a ticket; VdsmError 482 when the daemon refuses."""
        ticket = {
            "uuid": ticket_id,
            "size": size,
            "url": f"file://{path}",
            "timeout": _TIMEOUT,
            "ops": [operation],
            "sparse": True,
        }
        await asyncio.to_thread(self._control, "PUT", ticket_id, json.dumps(ticket))

    async def remove_ticket(self, ticket_id: str) -> None:
        """Take a ticket back; the daemon waits for its connections to end. An unknown one is no error."""
        await asyncio.to_thread(self._control, "DELETE", ticket_id, None)

    def _control(self, method: str, ticket_id: str, body: str | None) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._ports["control"], timeout=_REQUEST)
        try:
            connection.request(method, f"/tickets/{ticket_id}", body)
            answer = connection.getresponse()
            text = answer.read().decode(errors="replace")
        except (OSError, http.client.HTTPException) as error:
            raise VdsmError(TICKET_ERROR, f"Image daemon does not answer: {error}") from error
        finally:
            connection.close()
        if answer.status not in {_OK, _NO_CONTENT}:
            raise VdsmError(TICKET_ERROR, f"Image daemon error: {answer.status} {text.strip()}")

    async def _read_log(self, lines: asyncio.StreamReader, log: BinaryIO, listening: asyncio.Event) -> None:
        with log:
            async for line in lines:
                log.write(line)
                log.flush()
                if found := _LISTENS.search(line.decode(errors="replace")):
                    self._ports[found[1]] = int(found[2])
                if len(self._ports) == len(("remote", "control")):
                    listening.set()

    def _configuration(self) -> str:
        return f"""\
[daemon]
run_dir = {self._folder}
drop_privileges = false
systemd_enable = false
poll_interval = 0.2

[tls]
enable = true
cert_file = {self._cert}
key_file = {self._key}

[remote]
host = {self._address}
port = 0

[local]
enable = false

[control]
transport = tcp
port = 0
remove_timeout = 10

[handlers]
keys = stderr

[logger_root]
handlers = stderr
level = INFO
"""


def _program() -> str:
    beside = Path(sys.executable).with_name("ovirt-imageio")
    found = str(beside) if beside.exists() else shutil.which("ovirt-imageio")
    if found is None:
        raise ImageioError("ovirt-imageio is not installed: pip install 'pytest-ovirt-release[lab]'")
    return found
