"""A whole small lab in this process: the lab's engine, real nodes of it, and an NFS server's folder."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Coroutine, Sequence
from concurrent.futures import Future
from functools import partial
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit
from uuid import uuid4

import asyncssh
import ovirtsdk4 as sdk
import trustme
import urllib3
from ovirtsdk4 import types

from pytest_ovirt_release.lab.clock import Clock
from pytest_ovirt_release.lab.engine.server import LabEngine
from pytest_ovirt_release.lab.engine.vdsbroker import VdsBroker
from pytest_ovirt_release.lab.node.access import HostAccess
from pytest_ovirt_release.lab.node.machine import LabNode
from tests.lab.engine.fakes import PASSWORD, FakePki, wait
from tests.lab.engine.flows import Lab
from tests.lab.node.conftest import Pki

T = TypeVar("T")
DEADLINE = 60
SPEED = 100.0


class House:
    """Engine and nodes in a loop of their own thread; the nodes register by themselves when they boot."""

    def __init__(
        self, folder: Path, exports: Path, addresses: Sequence[str] = ("127.0.0.2", "127.0.0.3")
    ) -> None:
        folder.mkdir()
        ca = trustme.CA()
        self.pki = Pki(folder, ca)
        certificate, key = self.pki.issue("engine", ("127.0.0.1", "localhost"))
        self.ca_file = folder / "ca.pem"
        self.ca_file.write_bytes(self.pki.ca_pem)
        self.tester = asyncssh.generate_private_key("ssh-ed25519")
        clock = Clock(SPEED)
        self.nodes = {
            address: LabNode(
                name=f"node-{place}",
                uuid=str(uuid4()),
                address=address,
                folder=folder / f"node-{place}",
                exports=exports,
                clock=clock,
                faults=frozenset(),
                pki=self.pki,
                root_key=self.tester.export_public_key().decode(),
                engine_base=lambda: self.base,
                registers_itself=True,
            )
            for place, address in enumerate(addresses, 1)
        }
        self.base = ""
        self.engine = LabEngine(
            clock=clock,
            faults=frozenset(),
            nodes={a: VdsBroker(a, node.vdsm, clock, node.image_port) for a, node in self.nodes.items()},
            pki=FakePki(self.pki.ca_pem, certificate, key, certificate, key),
            folder=folder,
            admin_password=PASSWORD,
            ssh=HostAccess(folder / "host_access_key"),
        )
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        self.do(self._start())
        self.lab = Lab(self)  # type: ignore[arg-type]  # it has of a bench what the steps use

    async def _start(self) -> None:
        await self.engine.start()
        self.base = self.engine.base
        for node in self.nodes.values():
            await node.start()

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        future: Future[T] = asyncio.run_coroutine_threadsafe(work, self.loop)
        return future.result(timeout=DEADLINE)

    def call(self, what: Any) -> None:
        """Call something in the loop that everything lives in."""

        async def now() -> None:
            what()

        self.do(now())

    def close(self) -> None:
        self.lab.close()
        self.base = ""
        self.do(self._stop())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(timeout=10)
        self.loop.close()

    async def _stop(self) -> None:
        await self.engine.stop()
        for node in self.nodes.values():
            await node.stop()

    def connection(self) -> sdk.Connection:
        return sdk.Connection(
            url=self.engine.url,
            username="admin@internal",
            password=PASSWORD,
            ca_file=str(self.ca_file),
            timeout=DEADLINE,
        )

    def node(self, place: int) -> LabNode:
        """Return a node by its number, from 1."""
        return list(self.nodes.values())[place - 1]

    def host(self, place: int) -> Any:
        """Return what the engine shows of a node."""
        (found,) = self.lab.system.hosts_service().list(search=f"name=node-{place}")
        return found

    def status(self, place: int) -> str:
        """Return a host's status."""
        return str(self.host(place).status.value)

    def until(self, place: int, status: str) -> Any:
        """Wait until a host has a status."""
        wait(lambda: self.status(place), status.__eq__, DEADLINE)
        return self.host(place)

    def approved(self, *places: int) -> None:
        """Approve nodes once they have registered, and wait until they are up."""
        hosts = self.lab.system.hosts_service()
        for place in places:
            wait(partial(hosts.list, search=f"name=node-{place}"), bool, DEADLINE)
            self.lab.host(self.host(place).id).approve(reboot=False)
            self.until(place, "up")

    def center(self) -> Any:
        """Return the data center that registered hosts come into."""
        (found,) = self.lab.system.data_centers_service().list(search="name=Default")
        return found

    def nfs(self, name: str, path: str = "/exports/data") -> Any:
        """Add an NFS domain through the first node and attach it."""
        domain = self.lab.nfs("node-1", path, name)
        self.lab.attached(self.center()).add(types.StorageDomain(id=domain.id))
        self.domain_until(name, "active")
        return domain

    def domain_status(self, name: str) -> str:
        """Return a domain's status in its data center."""
        (found,) = [d for d in self.lab.attached(self.center()).list() if d.name == name]
        return str(found.status.value)

    def domain_until(self, name: str, status: str) -> None:
        """Wait until a domain has a status in its data center."""
        wait(lambda: self.domain_status(name), status.__eq__, DEADLINE)

    def disk(self, domain: Any, name: str, content: bytes) -> Any:
        """Add a disk and upload its content."""
        disks = self.lab.system.disks_service()
        disk = disks.add(
            types.Disk(
                name=name,
                format=types.DiskFormat.RAW,
                provisioned_size=len(content),
                storage_domains=[types.StorageDomain(id=domain.id)],
            )
        )
        self.disk_ok(disk.id)
        self.transfer(disk.id, types.ImageTransferDirection.UPLOAD, content)
        return disk

    def disk_ok(self, disk_id: str) -> None:
        """Wait until a disk is unlocked."""
        service = self.lab.system.disks_service().disk_service(disk_id)
        wait(service.get, lambda disk: disk.status == types.DiskStatus.OK, DEADLINE)

    def transfer(self, disk_id: str, direction: Any, content: bytes | None = None) -> bytes:
        """Move a disk's bytes through the image daemon of a node."""
        transfers = self.lab.system.image_transfers_service()
        wish = types.ImageTransfer(
            disk=types.Disk(id=disk_id), direction=direction, format=types.DiskFormat.RAW
        )
        service = transfers.image_transfer_service(transfers.add(wish).id)
        now = wait(service.get, lambda t: t.phase == types.ImageTransferPhase.TRANSFERRING, DEADLINE)
        context = ssl.create_default_context(cafile=str(self.ca_file))
        with urllib3.PoolManager(ssl_context=context, timeout=DEADLINE, retries=False) as pool:
            answer = pool.request("PUT" if content else "GET", now.transfer_url, body=content)
        assert answer.status == 200
        assert urlsplit(now.transfer_url).hostname in self.nodes
        service.finalize()
        self.disk_ok(disk_id)
        return answer.data

    def shell(self, place: int, line: str) -> tuple[int | None, str]:
        """Run a command on a node over SSH."""

        async def run() -> tuple[int | None, str]:
            node = self.node(place)
            known = asyncssh.import_known_hosts(f"[{node.address}]:{node.ssh_port} {node.host_key}")
            async with asyncssh.connect(
                node.address,
                node.ssh_port,
                username="root",
                client_keys=[self.tester],
                known_hosts=known,
                config=None,
                agent_path=None,
            ) as connection:
                done = await connection.run(line)
            return done.exit_status, str(done.stdout) + str(done.stderr)

        return self.do(run())
