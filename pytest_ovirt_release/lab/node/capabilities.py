"""What a node is, in the fields and types of vdsm's Host.getCapabilities and Host.getHardwareInfo.

The engine is strict about types and forgiving about values.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pytest_ovirt_release.target.brand import LAB_BRAND

VDSM_VERSION = "4.50.7"
OS_VERSION = "9.5"
KERNEL_VERSION, KERNEL_RELEASE = "5.14.0", "503.el9.x86_64"
KERNEL = f"{KERNEL_VERSION}-{KERNEL_RELEASE}"
CLUSTER_LEVELS = ("4.2", "4.3", "4.4", "4.5", "4.6", "4.7", "4.8")
CORES = 4
MEMORY_MB = 16 * 1024
NETWORK, NIC = "ovirtmgmt", "eth0"
CPU_FLAGS = (
    *(
        "fpu",
        "vme",
        "de",
        "pse",
        "tsc",
        "msr",
        "pae",
        "mce",
        "cx8",
        "apic",
        "sep",
        "mtrr",
        "pge",
        "mca",
        "cmov",
    ),
    *(
        "pat",
        "pse36",
        "clflush",
        "mmx",
        "fxsr",
        "sse",
        "sse2",
        "ht",
        "syscall",
        "nx",
        "lm",
        "pni",
        "vmx",
        "ssse3",
    ),
    *("cx16", "sse4_1", "sse4_2", "popcnt", "model_qemu64", "model_Conroe", "model_Penryn", "model_Nehalem"),
)
MACHINES = (
    "pc-q35-rhel8.6.0",
    "pc-q35-rhel9.6.0",
    "pc-q35-4.1",
    "pc-i440fx-rhel7.6.0",
    "pc-i440fx-2.12",
    "pc",
    "q35",
)
BLOCK_SIZES = {"NFS": [512], "LOCALFS": [0, 512, 4096], "POSIXFS": [512], "GLUSTERFS": [0, 512, 4096]}


@dataclass(frozen=True)
class Identity:
    """Who a node is: host name, address, the machine's UUID."""

    name: str
    address: str
    uuid: str


def capabilities(who: Identity) -> dict[str, Any]:
    """Host.getCapabilities."""
    return {
        **_machine(who),
        **_network(who),
        "additionalFeatures": [],
        "autoNumaBalancing": 1,
        "backupEnabled": False,
        "build_name": "",
        "clusterLevels": list(CLUSTER_LEVELS),
        "domain_versions": [0, 2, 3, 4, 5],
        "emulatedMachines": list(MACHINES),
        "fipsEnabled": False,
        "guestOverhead": "65",
        "HBAInventory": {"FC": [], "iSCSI": [{"InitiatorName": f"iqn.1994-05.com.redhat:{who.name}"}]},
        "hooks": {},
        "hostdevPassthrough": "false",
        "ISCSIInitiatorName": f"iqn.1994-05.com.redhat:{who.name}",
        "kdumpStatus": 0,
        "kernelArgs": "ro",
        "kvmEnabled": "true",
        "operatingSystem": {
            "name": "oVirt Node",
            "pretty_name": f"oVirt Node {OS_VERSION} ({LAB_BRAND})",
            "release": "1.el9",
            "version": OS_VERSION,
        },
        "packages2": {
            "kernel": {"release": KERNEL_RELEASE, "version": KERNEL_VERSION},
            "libvirt": {"release": "8.el9", "version": "10.10.0"},
            "qemu-kvm": {"release": "15.el9", "version": "9.1.0"},
            "vdsm": {"release": "1.el9", "version": VDSM_VERSION},
        },
        "reservedMem": "321",
        "rngSources": ["hwrng", "random"],
        "selinux": {"mode": "1"},
        "software_revision": "1",
        "software_version": VDSM_VERSION,
        "supported_block_size": BLOCK_SIZES,
        "supportedENGINEs": ["4.2", "4.3", "4.4", "4.5"],
        "supportedProtocols": ["2.2", "2.3"],
        "uuid": who.uuid,
        "version_name": "Snow Man",
        "vmTypes": ["kvm"],
        "vncEncrypted": False,
    }


def _machine(who: Identity) -> dict[str, Any]:
    cpus = range(CORES)
    place = {"die_id": 0, "numa_cell_id": 0, "socket_id": 0}
    return {
        "boot_uuid": who.uuid,
        "cpuCores": str(CORES),
        "cpuFlags": ",".join(CPU_FLAGS),
        "cpuModel": "Intel Nehalem Family",
        "cpuSockets": "1",
        "cpuSpeed": "2600.000",
        "cpuThreads": str(CORES),
        "cpuTopology": [{"core_id": cpu, "cpu_id": cpu, **place} for cpu in cpus],
        "memSize": str(MEMORY_MB),
        "numaNodeDistance": {"0": [10]},
        "numaNodes": {"0": {"cpus": list(cpus), "totalMemory": str(MEMORY_MB)}},
        "onlineCpus": ",".join(map(str, cpus)),
        "vdsmToCpusAffinity": [1],
    }


def _network(who: Identity) -> dict[str, Any]:
    plain = {
        "dhcpv4": False,
        "dhcpv6": False,
        "gateway": "",
        "ipv6addrs": [],
        "ipv6autoconf": False,
        "mtu": 1500,
    }
    plain |= {"ipv6gateway": "::", "ipv4defaultroute": False}
    own = plain | {"addr": who.address, "netmask": "255.0.0.0", "ipv4addrs": [f"{who.address}/8"]}
    own |= {"ports": [NIC], "stp": "off"}
    last = int(who.address.rsplit(".", 1)[1])
    bare = plain | {
        "addr": "",
        "netmask": "",
        "ipv4addrs": [],
        "hwaddr": f"52:54:00:00:00:{last:02x}",
        "speed": 1000,
    }
    return {
        "bondings": {},
        "bridges": {NETWORK: own | {"opts": {}}},
        "lastClientIface": NETWORK,
        "nameservers": [],
        "netConfigDirty": "False",
        "networks": {
            NETWORK: own
            | {"bridged": True, "iface": NETWORK, "southbound": NIC, "switch": "legacy", "nameservers": []}
        },
        "nics": {NIC: bare},
        "vlans": {},
    }


def hardware(who: Identity) -> dict[str, str]:
    """Host.getHardwareInfo: made by the lab, and saying so."""
    return {
        "systemFamily": LAB_BRAND,
        "systemManufacturer": LAB_BRAND,
        "systemProductName": who.name,
        "systemSerialNumber": who.uuid,
        "systemUUID": who.uuid,
        "systemVersion": OS_VERSION,
    }
