"""Records of what holds hosts and disks: data centers, clusters, storage domains."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_ovirt_release.lab.node.verbs import Connection, Space


HOST_CPU = "Secure Intel Haswell Family"
"""What the lab's hosts are."""


def id_of(what: str, owner: str) -> str:
    """Return the id of something that comes with its owner: the same in every lab where the owner has the same id."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, f"{what} of {owner}"))


@dataclass
class DataCenter:
    """A data center; `spm` is the id of the host that manages its storage.

    `network` is its management network, `vnic_profile` that network's profile, `quota` the unlimited one.
    """

    id: str
    name: str
    local: bool
    description: str | None = None
    comment: str | None = None
    version: tuple[int, int] = (4, 8)
    status: str = "uninitialized"
    spm: str | None = None
    network: str = ""
    network_description: str = "Default Management Network"
    vnic_profile: str = ""
    quota: str = ""

    def __post_init__(self) -> None:
        """Make what comes with it."""
        self.network = id_of("network", self.id)
        self.vnic_profile = id_of("vnic profile", self.id)
        self.quota = id_of("quota", self.id)


@dataclass
class Cluster:
    """A cluster; it survives its data center (`data_center` None).

    `policy_properties`: the properties of its scheduling policy are stored, which the first update does for one
    that the engine's setup made.
    """

    id: str
    name: str
    data_center: str | None
    description: str = ""
    comment: str = ""
    architecture: str = "undefined"
    cpu_type: str = ""
    bios_type: str | None = None
    version: tuple[int, int] = (4, 8)
    fips_mode: str = "undefined"
    transparent_hugepages: bool = True
    vnc_encryption: bool = True
    migration_policy: str | None = None
    policy_properties: bool = True
    cpu_profile: str = ""
    name_when_made: str = ""

    def __post_init__(self) -> None:
        """Make its CPU profile, which keeps the cluster's first name."""
        self.cpu_profile = id_of("CPU profile", self.id)
        self.name_when_made = self.name

    def fit_to_host(self) -> bool:
        """Take from the first host what nobody has set; False when there was nothing to take."""
        if self.fips_mode != "undefined":
            return False
        self.fips_mode, self.policy_properties = "disabled", True
        if self.architecture == "undefined":
            self.architecture, self.cpu_type = "x86_64", HOST_CPU
            self.bios_type = self.bios_type or "q35_ovmf"
        return True


@dataclass
class StorageDomain:
    """A storage domain and its one connection; `status` is the one inside its data center."""

    id: str
    name: str
    type: str
    connection: Connection
    space: Space
    options: dict[str, str] = field(default_factory=dict)
    description: str = ""
    comment: str = ""
    data_center: str | None = None
    status: str = "unattached"
    master: bool = False
    ovf_store: bool = False
    name_when_made: str = ""

    @property
    def disk_profile(self) -> str:
        """Id of its disk profile; the domain itself gets its id only when the host has made it."""
        return id_of("disk profile", self.id)
