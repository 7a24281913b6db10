"""VMs, their disks, and the image transfers that fill and read disks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ovirtsdk4 import types

from pytest_ovirt_release.checks.engine import facts
from pytest_ovirt_release.checks.engine.group import Group, heading, named

if TYPE_CHECKING:
    from pytest_ovirt_release.checks.engine.facts import Transfer, Vm

FIRMWARE = "q35_sea_bios"
"""The only machine our boot sector is meant for; the default of a 4.5 engine is UEFI, which never runs one."""

BLANK_TEMPLATE = "00000000-0000-0000-0000-000000000000"


class Vms(Group):
    """Operations on VMs, disks and image transfers."""

    def add(self, name: str, comment: str, *, cluster_id: str, memory: int, pinned_to: str | None) -> str:
        """Create a VM with BIOS that boots from its disk (`memory` in bytes), and return its id."""
        policy = None
        if pinned_to is not None:
            policy = types.VmPlacementPolicy(
                affinity=types.VmAffinity.PINNED, hosts=[types.Host(id=pinned_to)]
            )
        wanted = types.Vm(
            name=name,
            comment=comment,
            cluster=types.Cluster(id=cluster_id),
            template=types.Template(id=BLANK_TEMPLATE),
            memory=memory,
            memory_policy=types.MemoryPolicy(guaranteed=memory, max=memory),
            bios=types.Bios(type=types.BiosType(FIRMWARE)),
            os=types.OperatingSystem(boot=types.Boot(devices=[types.BootDevice.HD])),
            placement_policy=policy,
        )
        correlation = self._correlation("vm")
        added = self._call(
            f"create VM {name}",
            lambda system: system.vms_service().add(wanted, headers=heading(correlation)),
            correlation=correlation,
        )
        return str(added.id)

    def get(self, vm_id: str) -> Vm | None:
        """Return a VM, or None when it is not there."""
        found = self._find(f"show VM {vm_id}", lambda system: system.vms_service().vm_service(vm_id).get())
        return None if found is None else facts.vm(found)

    def find(self, name: str) -> str | None:
        """Return the id of the VM with this name."""
        found = self._call("list its VMs", lambda system: system.vms_service().list(search=f"name={name}"))
        return facts.object_id(named(found, name))

    def start(self, vm_id: str) -> str:
        """Start a VM and return the correlation id of its events."""
        correlation = self._correlation("start")
        self._call(
            f"start VM {vm_id}",
            lambda system: system.vms_service().vm_service(vm_id).start(headers=heading(correlation)),
            correlation=correlation,
        )
        return correlation

    def stop(self, vm_id: str) -> None:
        """Pull the plug."""
        correlation = self._correlation("stop")
        self._call(
            f"stop VM {vm_id}",
            lambda system: system.vms_service().vm_service(vm_id).stop(headers=heading(correlation)),
            correlation=correlation,
        )

    def remove(self, vm_id: str) -> None:
        """Remove a VM that is down; its disks stay, they are removed by their own entries."""
        self._gone(
            f"remove VM {vm_id}",
            lambda system: (
                lambda headers: (
                    system.vms_service().vm_service(vm_id).remove(detach_only=True, headers=headers)
                )
            ),
            what="rm-vm",
        )

    def add_disk(self, name: str, description: str, *, domain_id: str, size: int) -> str:
        """Create a raw, sparse disk of `size` bytes and return its id; it is locked at first."""
        wanted = types.Disk(
            name=name,
            description=description,
            format=types.DiskFormat.RAW,
            sparse=True,
            provisioned_size=size,
            storage_domains=[types.StorageDomain(id=domain_id)],
        )
        correlation = self._correlation("disk")
        added = self._call(
            f"create disk {name}",
            lambda system: system.disks_service().add(wanted, headers=heading(correlation)),
            correlation=correlation,
        )
        return str(added.id)

    def disk_status(self, disk_id: str) -> str | None:
        """Return a disk's status, or None when it is not there."""
        found = self._disk(disk_id)
        return None if found is None else facts.word(found.status)

    def disk_name(self, disk_id: str) -> str | None:
        """Return a disk's name, or None when it is not there."""
        found = self._disk(disk_id)
        return None if found is None else str(found.name or found.alias)

    def _disk(self, disk_id: str) -> Any:  # noqa: ANN401 - SDK types stay inside this package
        return self._find(
            f"show disk {disk_id}", lambda system: system.disks_service().disk_service(disk_id).get()
        )

    def find_disk(self, name: str) -> str | None:
        """Return the id of the disk with this name."""
        found = self._call(
            "list its disks", lambda system: system.disks_service().list(search=f"alias={name}")
        )
        return facts.object_id(named(found, name))

    def attach_disk(self, vm_id: str, disk_id: str) -> None:
        """Give a VM a disk to boot from."""
        wanted = types.DiskAttachment(
            disk=types.Disk(id=disk_id), interface=types.DiskInterface.VIRTIO, bootable=True, active=True
        )
        correlation = self._correlation("plug")
        self._call(
            f"attach disk {disk_id} to VM {vm_id}",
            lambda system: (
                system.vms_service()
                .vm_service(vm_id)
                .disk_attachments_service()
                .add(wanted, headers=heading(correlation))
            ),
            correlation=correlation,
        )

    def remove_disk(self, disk_id: str) -> None:
        """Remove a disk."""
        self._gone(
            f"remove disk {disk_id}",
            lambda system: system.disks_service().disk_service(disk_id).remove,
            what="rm-disk",
        )

    def add_transfer(self, disk_id: str, direction: str) -> str:
        """Open an image transfer (`upload` or `download`) and return its id."""
        wanted = types.ImageTransfer(
            disk=types.Disk(id=disk_id),
            direction=types.ImageTransferDirection(direction),
            format=types.DiskFormat.RAW,
            timeout_policy=types.ImageTransferTimeoutPolicy.CANCEL,
        )
        correlation = self._correlation(direction)
        added = self._call(
            f"open a transfer of disk {disk_id}",
            lambda system: system.image_transfers_service().add(wanted, headers=heading(correlation)),
            correlation=correlation,
        )
        return str(added.id)

    def transfer(self, transfer_id: str) -> Transfer | None:
        """Return an image transfer, or None when the engine has already forgotten it."""
        found = self._find(
            f"show transfer {transfer_id}",
            lambda system: system.image_transfers_service().image_transfer_service(transfer_id).get(),
        )
        return None if found is None else facts.transfer(found)

    def transfers_of(self, disk_id: str) -> tuple[Transfer, ...]:
        """Return the image transfers of one disk."""
        found = self._call("list its transfers", lambda system: system.image_transfers_service().list())
        return tuple(
            facts.transfer(t) for t in found if disk_id in {facts.object_id(t.disk), facts.object_id(t.image)}
        )

    def finalize_transfer(self, transfer_id: str) -> None:
        """Close a transfer whose bytes are all there."""
        correlation = self._correlation("finalize")
        self._call(
            f"finalize transfer {transfer_id}",
            lambda system: (
                system.image_transfers_service()
                .image_transfer_service(transfer_id)
                .finalize(headers=heading(correlation))
            ),
            correlation=correlation,
        )

    def cancel_transfer(self, transfer_id: str) -> None:
        """Give a transfer up."""
        correlation = self._correlation("cancel")
        self._call(
            f"cancel transfer {transfer_id}",
            lambda system: (
                system.image_transfers_service()
                .image_transfer_service(transfer_id)
                .cancel(headers=heading(correlation))
            ),
            correlation=correlation,
        )
