"""The engine's end of the road to a node: what its commands ask, made into calls of vdsm's verbs, and the answers read.

A node that is not there, or sends no heart-beats any more, is a VdsmError 5022 like any other failure.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Literal

from pytest_ovirt_release.lab.engine import vdsm_params
from pytest_ovirt_release.lab.engine.domain_xml import domain_xml
from pytest_ovirt_release.lab.node.verbs import (
    Capabilities,
    Connection,
    DomainInfo,
    Hardware,
    HostStats,
    ImageInfo,
    Space,
    Ticket,
    VdsmError,
    VmStats,
    Volume,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_ovirt_release.lab.clock import Clock
    from pytest_ovirt_release.lab.node.verbs import Vdsm, VmSpec

NETWORK_ERROR, NO_VM, UNKNOWN_TASK = 5022, 1, 401
HEARTBEAT_SECONDS = 22.5
"""Silence after which a connection is given up: vdsm beats every 15 s, and half of that is its grace."""


class VdsBroker:
    """One host's vdsm, for the engine's commands: verbs.Node."""

    def __init__(self, address: str, vdsm: Vdsm, clock: Clock, image_port: Callable[[], int]) -> None:
        """Take the host's address, its vdsm, and the port of its image daemon (option ImageDaemonPort)."""
        self._address = address
        self._vdsm = vdsm
        self._clock = clock
        self._image_port = image_port
        self._prepared: dict[str, Volume] = {}

    @property
    def address(self) -> str:
        """Address the engine knows the host by."""
        return self._address

    async def _call(self, method: str, **params: Any) -> Any:  # noqa: ANN401 - JSON
        answer = asyncio.ensure_future(self._vdsm.call(method, params))
        try:
            while not answer.done():
                await asyncio.wait((answer,), timeout=HEARTBEAT_SECONDS / self._clock.speed)
                if not answer.done() and not self._vdsm.beating:
                    text = f"Connection timeout for host '{self._address}', last response arrived "
                    raise VdsmError(NETWORK_ERROR, f"{text}{HEARTBEAT_SECONDS * 1000:.0f} ms ago.")
            return answer.result()
        except OSError as error:
            raise VdsmError(NETWORK_ERROR, "Connection refused") from error
        finally:
            answer.cancel()

    async def host_get_capabilities(self) -> Capabilities:
        """Ask what the host is."""
        told = await self._call("Host.getCapabilities")
        hardware = await self._call("Host.getHardwareInfo")
        system, packages = told["operatingSystem"], told["packages2"]
        kernel = packages["kernel"]
        return Capabilities(
            uuid=hardware["systemUUID"],
            hostname=hardware["systemProductName"],
            cpu_model=told["cpuModel"],
            cpu_cores=int(told["cpuCores"]),
            memory=int(told["memSize"]) * 1024 * 1024,
            vdsm_version=packages["vdsm"]["version"],
            os_name=system["name"],
            os_version=system["version"],
            cluster_levels=tuple(told["clusterLevels"]),
            facts={
                "brand": hardware["systemManufacturer"],
                "kernel": f"{kernel['version']}-{kernel['release']}",
            },
            pretty_name=system["pretty_name"],
            kernel_arguments=told["kernelArgs"],
            libvirt_version="libvirt-{version}-{release}".format(**packages["libvirt"]),
            iscsi_initiator=told["ISCSIInitiatorName"],
            rng_sources=tuple(told["rngSources"]),
            cpu_flags=tuple(told["cpuFlags"].split(",")),
            kvm_enabled=told["kvmEnabled"] == "true",
            networks=tuple(told["networks"]),
            hardware=Hardware(
                manufacturer=hardware["systemManufacturer"],
                family=hardware["systemFamily"],
                product_name=hardware["systemProductName"],
                serial_number=hardware["systemSerialNumber"],
                version=hardware["systemVersion"],
            ),
        )

    async def get_stats(self) -> HostStats:
        """Ask how the host is."""
        told = await self._call("Host.getStats")
        domains = told["storageDomains"].items()
        return HostStats({id_: int(domain["code"]) for id_, domain in domains if domain["actual"]})

    async def connect_storage_server(self, connection: Connection) -> None:
        """Connect the host to a storage connection; the verb succeeds, its answer says what came of it."""
        told = await self._call("StoragePool.connectStorageServer", **vdsm_params.connect(connection))
        status = told[0]["status"]
        if status:
            raise VdsmError(status, f"Cannot connect to {vdsm_params.place(connection)}")

    async def disconnect_storage_server(self, connection: Connection) -> None:
        """Disconnect the host from a storage connection."""
        await self._call("StoragePool.disconnectStorageServer", **vdsm_params.connect(connection))

    async def get_storage_domains(self, connection: Connection) -> tuple[DomainInfo, ...]:
        """Ask for the domains on a connection, class by class, and what each of them is."""
        found: list[DomainInfo] = []
        for type_, class_ in vdsm_params.DOMAIN_CLASSES.items():
            ids = await self._call(
                "Host.getStorageDomains",
                storagepoolID=vdsm_params.ZERO_ID,
                domainClass=class_,
                storageType="",
                remotePath=vdsm_params.place(connection),
            )
            for id_ in ids:
                told = await self._call("StorageDomain.getInfo", storagedomainID=id_)
                found.append(DomainInfo(told["uuid"], told["name"], type_))
        return tuple(found)

    async def create_storage_domain(self, connection: Connection, domain: DomainInfo) -> None:
        """Lay a domain out."""
        await self._call("StorageDomain.create", **vdsm_params.create_domain(connection, domain))

    async def format_storage_domain(self, domain_id: str) -> None:
        """Remove a domain with all that is on it."""
        await self._call("StorageDomain.format", storagedomainID=domain_id, autoDetach=False)

    async def get_storage_domain_stats(self, domain_id: str) -> Space:
        """Ask for a domain's bytes."""
        told = await self._call("StorageDomain.getStats", storagedomainID=domain_id)
        return Space(int(told["disktotal"]), int(told["diskfree"]))

    async def create_volume(self, volume: Volume, size: int, name: str) -> None:
        """Make an image of one raw sparse volume."""
        await self._finish(await self._call("Volume.create", **vdsm_params.create_volume(volume, size, name)))

    async def get_images(self, domain_id: str) -> tuple[ImageInfo, ...]:
        """Ask for the images on a domain, the volumes of each, and what each of these is."""
        found: list[ImageInfo] = []
        for image_id in await self._call("StorageDomain.getImages", storagedomainID=domain_id):
            image = vdsm_params.image(domain_id, image_id)
            for volume_id in await self._call("StorageDomain.getVolumes", **image):
                volume = Volume(domain_id, image_id, volume_id)
                told = await self._call("Volume.getInfo", **vdsm_params.ids(volume))
                if told["disktype"] == "DATA":
                    name = vdsm_params.disk_name(told["description"])
                    found.append(ImageInfo(volume, int(told["capacity"]), name))
        return tuple(found)

    async def delete_image(self, domain_id: str, image_id: str) -> None:
        """Remove an image."""
        image = vdsm_params.image(domain_id, image_id)
        task = await self._call("Image.delete", **image, postZero="false", discard=False, force="false")
        await self._finish(task)

    async def add_image_ticket(
        self, ticket_id: str, volume: Volume, size: int, operation: Literal["read", "write"]
    ) -> Ticket:
        """Let the host's image daemon serve a volume."""
        prepared = await self._call("Image.prepare", **vdsm_params.ids(volume), allowIllegal=True)
        ticket = vdsm_params.ticket(ticket_id, prepared["path"], size, operation)
        await self._call("Host.add_image_ticket", ticket=ticket)
        self._prepared[ticket_id] = volume
        return Ticket(ticket_id, f"https://{self._address}:{self._image_port()}/images/{ticket_id}")

    async def remove_image_ticket(self, ticket_id: str) -> None:
        """Take a ticket back; the daemon waits for its connections to end."""
        await self._call("Host.remove_image_ticket", uuid=ticket_id)
        volume = self._prepared.pop(ticket_id, None)
        if volume is not None:
            image = vdsm_params.image(volume.domain_id, volume.image_id)
            await self._call("Image.teardown", **image, leafVolID=volume.id)

    async def create_vm(self, spec: VmSpec) -> None:
        """Start a VM."""
        await self._call("VM.create", vmID=spec.id, vmParams={"vmId": spec.id, "xml": domain_xml(spec)})

    async def get_vm_stats(self, vm_id: str) -> VmStats:
        """Ask for all VMs and return the one."""
        for told in await self._call("Host.getAllVmStats"):
            if told["vmId"] == vm_id:
                return VmStats(told["status"], told.get("exitCode"), told.get("exitMessage", ""))
        raise VdsmError(NO_VM, f"Virtual machine does not exist: {{'vmId': '{vm_id}'}}")

    async def shutdown_vm(self, vm_id: str) -> None:
        """Ask a VM's guest to switch itself off."""
        await self._call("VM.shutdown", **vdsm_params.shutdown(vm_id))

    async def reboot_vm(self, vm_id: str) -> None:
        """Let a VM begin again with what it was created with."""
        await self._call("VM.shutdown", **vdsm_params.shutdown(vm_id), reboot=True)

    async def hibernate_vm(self, vm_id: str) -> None:
        """Save a VM's memory and end it; no host of the lab can, so no volumes are made for it."""
        await self._call("VM.hibernate", vmID=vm_id, hibernationVolHandle="")

    async def destroy_vm(self, vm_id: str) -> None:
        """Pull a VM's plug and let the host forget it."""
        await self._call("VM.destroy", vmID=vm_id)

    async def _finish(self, task_id: str) -> None:
        """Wait for a storage task and clear it; what went wrong in it is a VdsmError."""
        while True:
            told = (await self._call("Host.getAllTasksStatuses")).get(task_id)
            if told is None:
                raise VdsmError(UNKNOWN_TASK, f"Task id unknown: {{'task_id': '{task_id}'}}")
            if told["taskState"] == "finished":
                break
            await self._clock.sleep(1.0)
        await self._call("Task.clear", taskID=task_id)
        if told["taskResult"] != "success":
            raise VdsmError(told["code"], told["message"])
