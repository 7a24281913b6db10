"""One node of the lab: SSH, registration, storage, image transfer and a hypervisor behind vdsm's verbs."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import shutil
import urllib.parse
from typing import TYPE_CHECKING, Literal, Protocol

from pytest_ovirt_release.lab.node.commands import KERNEL, Shell
from pytest_ovirt_release.lab.node.files import OS_RELEASE, PRODUCT_UUID, NodeFiles, authorized_keys
from pytest_ovirt_release.lab.node.hypervisor import NeverExecutes, choose
from pytest_ovirt_release.lab.node.imageio import Imageio
from pytest_ovirt_release.lab.node.registration import Registration, RegistrationError, register
from pytest_ovirt_release.lab.node.ssh import NodeSsh
from pytest_ovirt_release.lab.node.storage import NodeStorage
from pytest_ovirt_release.lab.node.verbs import Capabilities
from pytest_ovirt_release.lab.node.vms import Vms
from pytest_ovirt_release.target.brand import LAB_BRAND

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytest_ovirt_release.lab.clock import Clock
    from pytest_ovirt_release.lab.node.verbs import (
        Connection,
        DomainInfo,
        Space,
        Ticket,
        VmDisk,
        VmSpec,
        VmStats,
    )

LOCAL_STORAGE = "/data/local"
"""Directory on every node that a local storage domain can be made in."""

REGISTRATION_INTERVAL = 5.0
VDSM_VERSION = "4.50.7"
OS_VERSION = "9.5"
CLUSTER_LEVELS = ("4.2", "4.3", "4.4", "4.5", "4.6", "4.7", "4.8")
_GIB = 1024**3
_LOG = logging.getLogger(__name__)


class CertificateIssuer(Protocol):
    """Whoever signs the certificates of the lab."""

    def issue(self, name: str, addresses: tuple[str, ...]) -> tuple[Path, Path]:
        """Return certificate and key files for a machine with these addresses."""


class LabNode:
    """A node, for the engine (verbs.Node) and for everybody who logs in to it."""

    def __init__(  # noqa: PLR0913 - a node is put together from exactly these
        self,
        *,
        name: str,
        uuid: str,
        address: str,
        folder: Path,
        exports: Path,
        clock: Clock,
        faults: frozenset[str],
        pki: CertificateIssuer,
        root_key: str,
        engine_base: Callable[[], str],
        registers_itself: bool,
    ) -> None:
        """Lay out the node's files; nothing is started.

        Args:
            name: host name.
            uuid: of its hardware, by which the engine knows it again.
            address: its own loopback address, e.g. 127.0.0.2.
            folder: where everything of the node is kept.
            exports: the tree of the lab's NFS server: the export /exports/data is `exports/data` in it.
            clock: scales the node's waits.
            faults: names of the lab's faults; those of nodes are heeded.
            pki: signs the certificate of the image daemon.
            root_key: public key line of the tester.
            engine_base: tells `https://host:port` of the engine, an empty text as long as there is none.
            registers_itself: whether the node asks to be registered until it succeeds.
        """
        self.name = name
        self.uuid = uuid
        self.ssh_port = 0
        self._address = address
        self._clock = clock
        self._engine_base = engine_base
        self._registers_itself = registers_itself
        self._agent: asyncio.Task[None] | None = None
        self._files = NodeFiles(folder / "root")
        self._furnish(root_key)
        self._shell = Shell(name, address, self.uuid, self._files)
        self._ssh = NodeSsh(self._shell, folder / "ssh_host_ed25519_key")
        self._storage = NodeStorage(
            self._files,
            exports,
            mount_fails="nfs-mount-fails" in faults,
            loses_local="local-disk-lost" in faults,
        )
        self._imageio = Imageio(address, folder / "imageio", *pki.issue(name, (address,)))
        self._runs_copies = "vm-off-its-storage" in faults
        self._copies = folder
        hypervisor = NeverExecutes(clock) if "guest-never-executes" in faults else choose()
        self._vms = Vms(hypervisor, clock, folder / "vms", self._disk_path)

    def _furnish(self, root_key: str) -> None:
        self._files.write(authorized_keys("root"), root_key.strip() + "\n", mode=0o600)
        self._files.write(
            OS_RELEASE,
            f'NAME="oVirt Node"\nID=ovirt-node\nVERSION_ID="{OS_VERSION}"\n'
            f'PRETTY_NAME="oVirt Node {OS_VERSION} ({LAB_BRAND})"\nVARIANT="{LAB_BRAND}"\n',
        )
        self._files.write(PRODUCT_UUID, self.uuid + "\n")
        self._files.write("/etc/hostname", self.name + "\n")
        self._files.path(LOCAL_STORAGE).mkdir(parents=True, exist_ok=True)

    @property
    def address(self) -> str:
        """Address the engine knows the node by."""
        return self._address

    @property
    def host_key(self) -> str:
        """The public SSH host key, as one OpenSSH line."""
        return self._ssh.host_key

    async def start(self) -> None:
        """Start image daemon, SSH server and, if the node registers by itself, its agent."""
        await self._imageio.start()
        self.ssh_port = self._shell.ssh_port = await self._ssh.start()
        if self._registers_itself:
            self._agent = asyncio.create_task(self._keep_registering())

    async def stop(self) -> None:
        """End everything the node has started."""
        if self._agent is not None:
            self._agent.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._agent
        await self._vms.stop()
        await self._ssh.stop()
        await self._imageio.stop()

    async def _keep_registering(self) -> None:
        while not await self._registered():
            await self._clock.sleep(REGISTRATION_INTERVAL)

    async def _registered(self) -> bool:
        engine = urllib.parse.urlsplit(self._engine_base()).netloc
        if not engine:
            return False
        wanted = Registration(engine, self._address, self.ssh_port, node_name=self.name)
        try:
            await register(wanted, self._files, self.uuid, self._address, _LOG.info)
        except RegistrationError as error:
            _LOG.warning("%s: %s", self.name, error)
            return False
        return True

    def _disk_path(self, disk: VmDisk) -> Path:
        volume = self._storage.volume(disk.domain_id, disk.image_id)
        if not self._runs_copies:
            return volume
        return shutil.copyfile(volume, self._copies / disk.image_id)

    async def host_get_capabilities(self) -> Capabilities:
        """Host.getCapabilities."""
        return Capabilities(
            uuid=self.uuid,
            hostname=self.name,
            cpu_model="Intel Nehalem Family",
            cpu_cores=4,
            memory=16 * _GIB,
            vdsm_version=VDSM_VERSION,
            os_name="oVirt Node",
            os_version=OS_VERSION,
            cluster_levels=CLUSTER_LEVELS,
            facts={"brand": LAB_BRAND, "kernel": KERNEL},
        )

    async def connect_storage_server(self, connection: Connection) -> None:
        """StoragePool.connectStorageServer."""
        self._storage.connect(connection)

    async def disconnect_storage_server(self, connection: Connection) -> None:
        """StoragePool.disconnectStorageServer."""
        self._storage.disconnect(connection)

    async def get_storage_domains(self, connection: Connection) -> tuple[DomainInfo, ...]:
        """Host.getStorageDomains."""
        return self._storage.domains(connection)

    async def create_storage_domain(self, connection: Connection, domain: DomainInfo) -> None:
        """StorageDomain.create."""
        self._storage.create_domain(connection, domain)

    async def format_storage_domain(self, domain_id: str) -> None:
        """StorageDomain.format."""
        self._storage.format_domain(domain_id)

    async def get_storage_domain_stats(self, domain_id: str) -> Space:
        """StorageDomain.getStats."""
        return self._storage.space(domain_id)

    async def create_volume(self, domain_id: str, image_id: str, size: int) -> None:
        """Volume.create."""
        self._storage.create_volume(domain_id, image_id, size)

    async def delete_image(self, domain_id: str, image_id: str) -> None:
        """Image.delete."""
        self._storage.delete_image(domain_id, image_id)

    async def add_image_ticket(
        self, ticket_id: str, domain_id: str, image_id: str, size: int, operation: Literal["read", "write"]
    ) -> Ticket:
        """Host.add_image_ticket."""
        volume = self._storage.volume(domain_id, image_id)
        if operation == "read":
            self._storage.before_reading(domain_id, image_id)
        return await self._imageio.add_ticket(ticket_id, volume, size, operation)

    async def remove_image_ticket(self, ticket_id: str) -> None:
        """Host.remove_image_ticket."""
        await self._imageio.remove_ticket(ticket_id)

    async def create_vm(self, spec: VmSpec) -> None:
        """VM.create."""
        await self._vms.create(spec)

    async def get_vm_stats(self, vm_id: str) -> VmStats:
        """VM.getStats."""
        return self._vms.stats(vm_id)

    async def shutdown_vm(self, vm_id: str) -> None:
        """VM.shutdown."""
        await self._vms.shutdown(vm_id)

    async def destroy_vm(self, vm_id: str) -> None:
        """VM.destroy."""
        await self._vms.destroy(vm_id)
