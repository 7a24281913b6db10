"""One node of the lab: SSH, registration, storage, image transfer and a hypervisor behind vdsm's verbs.

It can get into trouble, over SSH (services.py) or by its methods: vanish, hang, reboot, lose its storage.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import shutil
import time
import urllib.parse
from typing import TYPE_CHECKING, Protocol

from pytest_ovirt_release.lab.node.capabilities import OS_VERSION, Identity
from pytest_ovirt_release.lab.node.files import OS_RELEASE, PRODUCT_UUID, NodeFiles, authorized_keys
from pytest_ovirt_release.lab.node.hypervisor import NeverExecutes, choose
from pytest_ovirt_release.lab.node.imageio import Imageio
from pytest_ovirt_release.lab.node.registration import RegistrationError, register
from pytest_ovirt_release.lab.node.registration_options import Registration
from pytest_ovirt_release.lab.node.shell import Shell
from pytest_ovirt_release.lab.node.ssh import NodeSsh
from pytest_ovirt_release.lab.node.storage import NodeStorage
from pytest_ovirt_release.lab.node.vdsm import Vdsm
from pytest_ovirt_release.lab.node.verb_table import NodeVerbs
from pytest_ovirt_release.lab.node.vms import Vms
from pytest_ovirt_release.target.brand import LAB_BRAND

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytest_ovirt_release.lab.clock import Clock
    from pytest_ovirt_release.lab.node.verbs import VmDisk

LOCAL_STORAGE = "/data/local"
"""Directory on every node that a local storage domain can be made in."""

REGISTRATION_INTERVAL = 5.0
REBOOT_SECONDS = 30.0
"""How long a node is away when it reboots."""

_ANSWER_SECONDS = 0.1
_LOG = logging.getLogger(__name__)


class CertificateIssuer(Protocol):
    """Whoever signs the certificates of the lab."""

    def issue(self, name: str, addresses: tuple[str, ...]) -> tuple[Path, Path]:
        """Return certificate and key files for a machine with these addresses."""


class LabNode:
    """A node: `vdsm` is what an engine talks to, SSH what everybody else does."""

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
        self._reboot: asyncio.Task[None] | None = None
        self._files = NodeFiles(folder / "root")
        self._furnish(root_key)
        self._shell = Shell(name, address, self.uuid, self._files, self)
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
        self._verbs = NodeVerbs(Identity(name, address, self.uuid), self._storage, self._vms, self._imageio)
        self.vdsm = Vdsm(self._verbs.table())

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

    def image_port(self) -> int:
        """Return the port of the image daemon."""
        return self._imageio.port

    async def start(self) -> None:
        """Boot: image daemon, SSH server, vdsm and, if the node registers by itself, the agent that does so."""
        await self._imageio.start()
        self.ssh_port = self._shell.ssh_port = await self._ssh.start()
        self._verbs.booted = time.time()
        self.vdsm.start()
        if self._registers_itself:
            self._agent = asyncio.create_task(self._keep_registering())

    async def stop(self) -> None:
        """End everything the node has started."""
        await _cancel(self._reboot)
        await self.vanish()

    async def vanish(self) -> None:
        """Lose power: VMs end, ports close, what was connected is forgotten; files stay. `start` boots it again."""
        self.vdsm.stop()
        await _cancel(self._agent)
        await self._vms.stop()
        self._storage.disconnect_all()
        await self._ssh.stop()
        await self._imageio.stop()

    async def reboot(self) -> None:
        """Vanish and boot."""
        await self.vanish()
        await self._clock.sleep(REBOOT_SECONDS)
        await self.start()

    def begin_reboot(self) -> None:
        """Reboot in the background, once whoever asked over SSH has had the answer."""

        async def later() -> None:
            await asyncio.sleep(_ANSWER_SECONDS)
            await self.reboot()

        self._reboot = asyncio.create_task(later())

    def hang(self) -> None:
        """Let vdsm take calls and answer none; VMs and SSH go on."""
        self.vdsm.hang()

    def resume(self) -> None:
        """Let vdsm go on after a hang."""
        self.vdsm.resume()

    def lose_storage(self) -> None:
        """Cut the node off from every NFS server: what is mounted does not answer any more."""
        self._storage.lost = True

    def regain_storage(self) -> None:
        """Let the node reach the NFS servers again."""
        self._storage.lost = False

    def export(self, path: str) -> Path | None:
        """Return the folder behind `server:/path`, as a mount by hand finds it; None when no server gives it."""
        return self._storage.export(path)

    async def _keep_registering(self) -> None:
        while not await self._registered():
            await self._clock.sleep(REGISTRATION_INTERVAL)

    async def _registered(self) -> bool:
        engine = urllib.parse.urlsplit(self._engine_base()).netloc
        if not engine:
            return False
        wanted = Registration(engine, str(self.ssh_port), self._address, node_name=self.name)
        try:
            await register(wanted, self._files, self.uuid, self._address, _LOG.info)
        except RegistrationError as error:
            _LOG.warning("%s: %s", self.name, error)
            return False
        return True

    def _disk_path(self, disk: VmDisk) -> Path:
        volume = self._storage.volume(disk.volume.domain_id, disk.volume.image_id)
        if not self._runs_copies:
            return volume
        return shutil.copyfile(volume, self._copies / disk.volume.image_id)


async def _cancel(task: asyncio.Task[None] | None) -> None:
    if task is not None:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
