"""What the lab's engine may ask of a node: the only road between the two.

The road has two ends. `Vdsm` is the node's: a call by the name of a verb, with vdsm's parameters and answer, as a
real engine would make it. `Node` is how the engine's own commands see it: typed, and each names the verbs that are
behind it; the engine's vdsbroker turns the one into the other. Both raise VdsmError with vdsm's code and text.
Ids are UUID texts, sizes are bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from pytest_ovirt_release.target.brand import LAB_BRAND

Params = Mapping[str, Any]
"""The parameters of a verb, by vdsm's names: JSON."""

Bus = Literal["virtio", "sata", "ide", "virtio_scsi"]
Firmware = Literal["bios", "uefi"]
VmStatus = Literal[
    "WaitForLaunch",
    "Powering up",
    "Up",
    "Powering down",
    "Down",
    "Paused",
    "RebootInProgress",
    "Saving State",
]


class VdsmError(Exception):
    """A verb failed, with vdsm's error code (477: mount failed, 469: no permission, 351: cannot create …)."""

    def __init__(self, code: int, message: str) -> None:
        """Take vdsm's number and text."""
        self.code = code
        self.message = message
        super().__init__(f"{message} (vdsm {code})")


@dataclass(frozen=True)
class Connection:
    """A storage connection: `type` nfs (address and path) or localfs (path only).

    `options` are pairs of vdsm's own words: mnt_options, protocol_version.
    """

    id: str
    type: Literal["nfs", "localfs"]
    path: str
    address: str | None = None
    options: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class DomainInfo:
    """A storage domain as its metadata on the storage says."""

    id: str
    name: str
    type: Literal["data", "iso", "export"]


@dataclass(frozen=True)
class Space:
    """Bytes of a storage domain."""

    total: int
    free: int


@dataclass(frozen=True)
class Hardware:
    """What Host.getHardwareInfo tells of a node; what is empty the engine leaves out."""

    manufacturer: str = LAB_BRAND
    family: str = LAB_BRAND
    product_name: str = ""
    serial_number: str = ""
    version: str = ""


@dataclass(frozen=True)
class Capabilities:
    """What Host.getCapabilities tells of a node; `facts` holds the lab's brand.

    `networks` are the names of the logical networks that the node has, `cpu_flags` those of its processor and the
    `model_…` of every CPU type that it can run.
    """

    uuid: str
    hostname: str
    cpu_model: str
    cpu_cores: int
    memory: int
    vdsm_version: str
    os_name: str
    os_version: str
    cluster_levels: tuple[str, ...]
    facts: dict[str, str]
    pretty_name: str = ""
    kernel_arguments: str = ""
    libvirt_version: str = ""
    iscsi_initiator: str = ""
    rng_sources: tuple[str, ...] = ("random", "hwrng")
    cpu_flags: tuple[str, ...] = (
        *("vmx", "nx", "spec_ctrl", "ssbd", "md_clear"),
        *("model_Nehalem", "model_Westmere", "model_SandyBridge", "model_IvyBridge", "model_Haswell-noTSX"),
    )
    kvm_enabled: bool = True
    networks: tuple[str, ...] = ("ovirtmgmt",)
    hardware: Hardware = Hardware()


@dataclass(frozen=True)
class HostStats:
    """What Host.getStats tells the engine: every storage domain the node watches, 0 or what ails it in vdsm's codes."""

    domains: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Volume:
    """Where a disk's bytes are: a volume of an image on a domain. The engine chooses all three ids."""

    domain_id: str
    image_id: str
    id: str


@dataclass(frozen=True)
class ImageInfo:
    """A disk image that stands on a domain: its volume, bytes, and the name that was given with it."""

    volume: Volume
    size: int
    name: str


@dataclass(frozen=True)
class Ticket:
    """An open image transfer on the node's imageio daemon: where to PUT or GET the bytes (https)."""

    id: str
    url: str


@dataclass(frozen=True)
class VmDisk:
    """A disk of a VM: where its bytes are, and the bus the guest sees it on."""

    volume: Volume
    bus: Bus
    bootable: bool


@dataclass(frozen=True)
class VmSpec:
    """A VM to create: memory in bytes, `boot` device order, disks in order.

    `kernel` is the path of a kernel to boot instead of a disk; `paused`: it waits before its first instruction.
    """

    id: str
    name: str
    memory: int
    firmware: Firmware
    machine: str
    boot: tuple[Literal["hd", "cdrom", "network"], ...]
    disks: tuple[VmDisk, ...]
    kernel: str = ""
    paused: bool = False


@dataclass(frozen=True)
class VmStats:
    """State of a VM on this node; `exit_code` and `exit_message` only when Down (0: clean)."""

    status: VmStatus
    exit_code: int | None = None
    exit_message: str = ""


class Vdsm(Protocol):
    """vdsm of a node, as whoever is connected to it sees it."""

    @property
    def beating(self) -> bool:
        """Whether heart-beats arrive."""

    async def call(self, method: str, params: Params) -> Any:  # noqa: ANN401 - each verb has an answer of its own
        """Return a verb's result; VdsmError or OSError."""


class Node(Protocol):
    """One node, as the engine knows it."""

    @property
    def address(self) -> str:
        """Address the engine knows the node by, e.g. 127.0.0.2."""

    async def host_get_capabilities(self) -> Capabilities:
        """Host.getCapabilities, and Host.getHardwareInfo."""

    async def get_stats(self) -> HostStats:
        """Host.getStats."""

    async def connect_storage_server(self, connection: Connection) -> None:
        """StoragePool.connectStorageServer: mount the export, or check the directory."""

    async def disconnect_storage_server(self, connection: Connection) -> None:
        """StoragePool.disconnectStorageServer."""

    async def get_storage_domains(self, connection: Connection) -> tuple[DomainInfo, ...]:
        """Host.getStorageDomains, StorageDomain.getInfo: the domains whose metadata stands on a connected connection."""

    async def create_storage_domain(self, connection: Connection, domain: DomainInfo) -> None:
        """StorageDomain.create: lay out folders and metadata on the storage."""

    async def format_storage_domain(self, domain_id: str) -> None:
        """StorageDomain.format: remove everything that create and later verbs have made."""

    async def get_storage_domain_stats(self, domain_id: str) -> Space:
        """StorageDomain.getStats."""

    async def create_volume(self, volume: Volume, size: int, name: str) -> None:
        """Volume.create and its task: a raw sparse file of this size, zeros; `name` is the disk's."""

    async def get_images(self, domain_id: str) -> tuple[ImageInfo, ...]:
        """StorageDomain.getImages, StorageDomain.getVolumes, Volume.getInfo: what stands on a domain."""

    async def delete_image(self, domain_id: str, image_id: str) -> None:
        """Image.delete and its task."""

    async def add_image_ticket(
        self, ticket_id: str, volume: Volume, size: int, operation: Literal["read", "write"]
    ) -> Ticket:
        """Image.prepare, Host.add_image_ticket: let the imageio daemon serve the image under this ticket."""

    async def remove_image_ticket(self, ticket_id: str) -> None:
        """Host.remove_image_ticket, Image.teardown."""

    async def create_vm(self, spec: VmSpec) -> None:
        """VM.create: start executing what is on the boot disk; returns once it was launched."""

    async def get_vm_stats(self, vm_id: str) -> VmStats:
        """Host.getAllVmStats, of which the one."""

    async def shutdown_vm(self, vm_id: str) -> None:
        """VM.shutdown: ask the guest by ACPI; a guest without ACPI does not react."""

    async def reboot_vm(self, vm_id: str) -> None:
        """VM.shutdown with reboot."""

    async def hibernate_vm(self, vm_id: str) -> None:
        """VM.hibernate: save the memory and end; returns when that is done."""

    async def destroy_vm(self, vm_id: str) -> None:
        """VM.destroy: pull the plug and forget the VM."""
