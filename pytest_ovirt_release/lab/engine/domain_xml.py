"""The libvirt domain that VM.create carries: what a node needs of it, as the engine writes it."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element, SubElement, tostring

from pytest_ovirt_release.lab.engine.vdsm_params import path

if TYPE_CHECKING:
    from pytest_ovirt_release.lab.node.verbs import VmDisk, VmSpec

BUSES = {"virtio": "virtio", "sata": "sata", "ide": "ide", "virtio_scsi": "scsi"}
DEVICES = {"virtio": "vd", "sata": "sd", "ide": "hd", "scsi": "sd"}
MACHINES = {"q35": "pc-q35-rhel9.6.0", "pc": "pc-i440fx-rhel7.6.0"}
OVMF = "/usr/share/OVMF/OVMF_CODE.secboot.fd"
OVIRT_VM = "http://ovirt.org/vm/1.0"
"""Namespace of what the engine notes in a domain's metadata."""

_KIB = 1024


def domain_xml(spec: VmSpec) -> str:
    """Return the domain of a VM."""
    domain = Element("domain", type="kvm")
    _text(domain, "name", spec.name)
    _text(domain, "uuid", spec.id)
    for name in ("memory", "currentMemory"):
        _text(domain, name, str(spec.memory // _KIB))
    _text(domain, "vcpu", "1")
    if spec.paused:
        own = SubElement(SubElement(domain, "metadata"), f"{{{OVIRT_VM}}}vm")
        _text(own, f"{{{OVIRT_VM}}}launchPaused", "true")
    devices = SubElement(domain, "devices")
    for place, disk in enumerate(spec.disks):
        order = spec.boot.index("hd") + 1 if "hd" in spec.boot and disk.bootable else None
        _disk(devices, disk, place, order)
    system = SubElement(domain, "os")
    _text(system, "type", "hvm", arch="x86_64", machine=MACHINES.get(spec.machine, spec.machine))
    if spec.kernel:
        _text(system, "kernel", spec.kernel)
    if spec.firmware == "uefi":
        _text(system, "loader", OVMF, readonly="yes", secure="no", type="pflash")
    return tostring(domain, encoding="unicode", xml_declaration=True)


def _disk(devices: Element, disk: VmDisk, place: int, order: int | None) -> None:
    element = SubElement(devices, "disk", snapshot="no", type="file", device="disk")
    bus = BUSES[disk.bus]
    SubElement(element, "target", dev=f"{DEVICES[bus]}{chr(ord('a') + place)}", bus=bus)
    SubElement(element, "source", file=path(disk.volume))
    SubElement(element, "driver", name="qemu", io="threads", type="raw", error_policy="stop", cache="none")
    if order is not None:
        SubElement(element, "boot", order=str(order))
    _text(element, "serial", disk.volume.image_id)


def _text(parent: Element, name: str, text: str, **attributes: str) -> None:
    SubElement(parent, name, attributes).text = text
