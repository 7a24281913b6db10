"""The part of a libvirt domain that a lab's node heeds: name, memory, machine, firmware, disks and their boot order."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from xml.etree.ElementTree import ParseError

from defusedxml.ElementTree import fromstring

from pytest_ovirt_release.lab.node.verbs import VdsmError, VmDisk, VmSpec, Volume

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    from pytest_ovirt_release.lab.node.verbs import Bus

CREATE_ERROR = 9
BUSES: dict[str, Bus] = {"virtio": "virtio", "sata": "sata", "ide": "ide", "scsi": "virtio_scsi"}
_SOURCE = re.compile(r"/rhev/data-center/[^/]+/(?P<domain>[^/]+)/images/(?P<image>[^/]+)/(?P<volume>[^/]+)")
LAUNCH_PAUSED = "metadata/{http://ovirt.org/vm/1.0}vm/{http://ovirt.org/vm/1.0}launchPaused"
_KIB = 1024


def parse_domain(xml: str) -> VmSpec:
    """Return the VM that a domain describes; VdsmError 9 when it describes none."""
    try:
        domain = fromstring(xml)
    except ParseError as error:
        raise VdsmError(CREATE_ERROR, f"Failed to create VM: {error}") from error
    disks = tuple(_disk(disk) for disk in domain.iterfind("devices/disk[@device='disk']"))
    return VmSpec(
        id=_text(domain, "uuid"),
        name=_text(domain, "name"),
        memory=int(_text(domain, "memory")) * _KIB,
        firmware="bios" if domain.find("os/loader") is None else "uefi",
        machine=_needed(domain, "os/type").get("machine", "q35"),
        boot=("hd",) if any(disk.bootable for disk in disks) else (),
        disks=disks,
        kernel=domain.findtext("os/kernel", ""),
        paused=domain.findtext(LAUNCH_PAUSED) == "true",
    )


def _disk(disk: Element) -> VmDisk:
    found = _SOURCE.fullmatch(_needed(disk, "source").get("file", ""))
    bus = BUSES.get(_needed(disk, "target").get("bus", ""))
    if found is None or bus is None:
        raise VdsmError(CREATE_ERROR, "Failed to create VM: a disk that is no volume, or on an unknown bus")
    return VmDisk(
        Volume(*found.group("domain", "image", "volume")), bus, bootable=disk.find("boot") is not None
    )


def _text(domain: Element, name: str) -> str:
    return (_needed(domain, name).text or "").strip()


def _needed(element: Element, path: str) -> Element:
    found = element.find(path)
    if found is None:
        raise VdsmError(CREATE_ERROR, f"Failed to create VM: the domain has no {path}")
    return found
