"""What a node tells of its state, in vdsm's fields and types.

Numbers that the engine reads as floating point, and all of a VM's, are texts, as vdsm sends them.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from pytest_ovirt_release.lab.node.capabilities import CORES, MEMORY_MB, NETWORK, NIC

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pytest_ovirt_release.lab.node.vms import VmState


def statistics(booted: float, domains: Mapping[str, int], vms: int) -> dict[str, Any]:
    """Host.getStats: an idle machine, its VMs counted, and its domains with vdsm's code of what ails them."""
    idle = {"cpuIdle": "98.00", "cpuSys": "0.50", "cpuUser": "1.50"}
    wire = {"rx": "1000", "rxDropped": "0", "rxErrors": "0", "tx": "1000", "txDropped": "0", "txErrors": "0"}
    wire |= {"speed": "1000", "state": "up"}
    return {
        **idle,
        "anonHugePages": "0",
        "bootTime": str(int(booted)),
        "cpuLoad": "0.05",
        "cpuStatistics": {str(cpu): idle | {"nodeIndex": 0} for cpu in range(CORES)},
        "dateTime": time.strftime("%Y-%m-%dT%H:%M:%S GMT", time.gmtime()),
        "diskStats": {path: {"free": "5000"} for path in ("/tmp", "/var/log")},  # noqa: S108 - the engine's names
        "elapsedTime": str(int(time.time() - booted)),
        "incomingVmMigrations": 0,
        "ksmCpu": 0,
        "ksmPages": 100,
        "ksmState": False,
        "memFree": MEMORY_MB - 1024,
        "memShared": 0,
        "momStatus": "active",
        "netConfigDirty": "False",
        "network": {name: wire | {"name": name, "sampleTime": time.time()} for name in (NIC, NETWORK)},
        "outgoingVmMigrations": 0,
        "storageDomains": {id_: _domain_report(code) for id_, code in domains.items()},
        "swapFree": 4095,
        "swapTotal": 4095,
        "thpState": "always",
        "vmActive": vms,
        "vmCount": vms,
        "vmMigrating": 0,
    }


def _domain_report(code: int) -> dict[str, Any]:
    well = code == 0
    report = {"code": code, "valid": well, "acquired": well, "actual": True, "version": 5}
    return report | {"delay": "0.000512" if well else "0", "lastCheck": "1.2"}


def vm_statistics(vm_id: str, vm: VmState) -> dict[str, Any]:
    """Return one VM as Host.getAllVmStats tells of it; why it ended only once it is down."""
    told: dict[str, Any] = {
        "acpiEnable": "true",
        "clientIp": "",
        "cpuSys": "0.00",
        "cpuUser": "0.00",
        "displayInfo": [],
        "elapsedTime": str(int(time.monotonic() - vm.since)),
        "kvmEnable": "true",
        "memUsage": "0",
        "monitorResponse": "0",
        "session": "Unknown",
        "status": vm.status,
        "statusTime": str(int(time.monotonic() * 1000)),
        "timeOffset": "0",
        "vmId": vm_id,
        "vmJobs": {},
        "vmName": vm.name,
        "vmType": "kvm",
    }
    if vm.status == "Down":
        told |= {"exitCode": vm.exit_code, "exitMessage": vm.exit_message, "exitReason": vm.exit_reason}
    return told


def domain_information(values: Mapping[str, str]) -> dict[str, Any]:
    """StorageDomain.getInfo, from the domain's metadata."""
    return {
        "alignment": int(values["ALIGNMENT"]),
        "block_size": int(values["BLOCK_SIZE"]),
        "class": values["CLASS"],
        "lver": "-1",
        "master_ver": "0",
        "name": values["DESCRIPTION"],
        "pool": [values["POOL_UUID"]] if values["POOL_UUID"] else [],
        "remotePath": values["REMOTE_PATH"],
        "role": values["ROLE"],
        "spm_id": "-1",
        "state": "OK",
        "type": values["TYPE"],
        "uuid": values["SDUUID"],
        "version": values["VERSION"],
    }


def domain_statistics(total: int, free: int) -> dict[str, Any]:
    """StorageDomain.getStats: sizes are texts."""
    sizes = {"diskfree": str(free), "disktotal": str(total)}
    return sizes | {"mdafree": "0", "mdasize": "0", "mdathreshold": True, "mdavalid": True}


def volume_information(volume: Path, values: Mapping[str, str]) -> dict[str, Any]:
    """Volume.getInfo, from the volume and its metadata."""
    found = volume.stat()
    return {
        "apparentsize": str(found.st_size),
        "capacity": values["CAP"],
        "children": [],
        "ctime": values["CTIME"],
        "description": values["DESCRIPTION"],
        "disktype": values["DISKTYPE"],
        "domain": values["DOMAIN"],
        "format": values["FORMAT"],
        "generation": int(values["GEN"]),
        "image": values["IMAGE"],
        "lease": {"owners": [], "version": None},
        "legality": values["LEGALITY"],
        "mtime": "0",
        "parent": values["PUUID"],
        "pool": "",
        "sequence": int(values["SEQ"]),
        "status": "OK" if values["LEGALITY"] == "LEGAL" else "ILLEGAL",
        "truesize": str(found.st_blocks * 512),
        "type": values["TYPE"],
        "uuid": volume.name,
        "voltype": values["VOLTYPE"],
    }
