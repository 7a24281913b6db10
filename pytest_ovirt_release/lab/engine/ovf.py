"""A VM as OVF text, the form in which the engine archives it: name, hardware, disks; no client reads more."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from pytest_ovirt_release.lab.engine.state import BLANK

if TYPE_CHECKING:
    from pytest_ovirt_release.lab.engine.core import Core
    from pytest_ovirt_release.lab.engine.state import Vm

SPACES = (
    'xmlns:ovf="http://schemas.dmtf.org/ovf/envelope/1/" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
    'xmlns:rasd="http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_ResourceAllocationSettingData"'
)
MEBIBYTE, GIBIBYTE = 1024**2, 1024**3


def ovf(core: Core, vm: Vm) -> str:
    """Return the document."""
    cpus, memory = vm.cores * vm.sockets * vm.threads, vm.memory // MEBIBYTE
    disks = [core.state.disks[item.disk] for item in vm.attachments]
    listed = "".join(
        f'<Disk ovf:diskId="{disk.image_id}" ovf:size="{disk.provisioned_size // GIBIBYTE}" '
        f'ovf:fileRef="{disk.id}/{disk.image_id}" ovf:volume-format="{disk.format.upper()}"></Disk>'
        for disk in disks
    )
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><ovf:Envelope {SPACES} ovf:version="4.4.0.0">'
        f'<Section xsi:type="ovf:DiskSection_Type"><Info>List of Virtual Disks</Info>{listed}</Section>'
        f'<Content ovf:id="out" xsi:type="ovf:VirtualSystem_Type"><Name>{escape(vm.name)}</Name>'
        f"<Description>{escape(vm.description)}</Description><TemplateId>{BLANK}</TemplateId>"
        f'<Section ovf:id="{vm.id}" ovf:required="false" xsi:type="ovf:OperatingSystemSection_Type">'
        f"<Description>{escape(vm.os_type)}</Description></Section>"
        f'<Section xsi:type="ovf:VirtualHardwareSection_Type"><Info>{cpus} CPU, {memory} Memory</Info></Section>'
        "</Content></ovf:Envelope>"
    )
