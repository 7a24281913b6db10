"""The verbs of a node by vdsm's names: each takes vdsm's parameters and does its work on storage, VMs or images."""

from __future__ import annotations

import re
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

from pytest_ovirt_release.lab.node import answers, capabilities, layout
from pytest_ovirt_release.lab.node.domain_xml import parse_domain
from pytest_ovirt_release.lab.node.storage import Place
from pytest_ovirt_release.lab.node.vdsm import Tasks
from pytest_ovirt_release.lab.node.verbs import VdsmError

if TYPE_CHECKING:
    from pytest_ovirt_release.lab.node.capabilities import Identity
    from pytest_ovirt_release.lab.node.imageio import Imageio
    from pytest_ovirt_release.lab.node.storage import NodeStorage
    from pytest_ovirt_release.lab.node.vdsm import Verb
    from pytest_ovirt_release.lab.node.verbs import Params
    from pytest_ovirt_release.lab.node.vms import Vms

NO_TICKET = 482
_VOLUME = re.compile(r"file:///rhev/data-center/[^/]+/(?P<domain>[^/]+)/images/(?P<image>[^/]+)/[^/]+")


class NodeVerbs:
    """What the verbs work on."""

    def __init__(self, who: Identity, storage: NodeStorage, vms: Vms, imageio: Imageio) -> None:
        """Take the parts of a node."""
        self._who = who
        self._storage = storage
        self._vms = vms
        self._imageio = imageio
        self._tasks = Tasks()
        self.booted = time.time()

    def table(self) -> dict[str, Verb]:
        """Return the verbs by name."""
        return {
            "Host.add_image_ticket": self._add_image_ticket,
            "Host.getAllTasksStatuses": self._tasks.statuses,
            "Host.getAllVmStats": self._all_vm_stats,
            "Host.getCapabilities": self._capabilities,
            "Host.getHardwareInfo": self._hardware,
            "Host.getStats": self._statistics,
            "Host.getStorageDomains": self._storage_domains,
            "Host.ping2": self._ping,
            "Host.remove_image_ticket": self._remove_image_ticket,
            "Image.delete": self._delete_image,
            "Image.prepare": self._prepare_image,
            "Image.teardown": self._teardown_image,
            "StorageDomain.create": self._create_domain,
            "StorageDomain.format": self._format_domain,
            "StorageDomain.getImages": self._images,
            "StorageDomain.getInfo": self._domain_info,
            "StorageDomain.getStats": self._domain_stats,
            "StorageDomain.getVolumes": self._volumes,
            "StoragePool.connectStorageServer": self._connect,
            "StoragePool.disconnectStorageServer": self._disconnect,
            "Task.clear": self._tasks.clear,
            "Task.getStatus": self._tasks.status,
            "VM.create": self._create_vm,
            "VM.destroy": self._destroy_vm,
            "VM.shutdown": self._shutdown_vm,
            "Volume.create": self._create_volume,
            "Volume.getInfo": self._volume_info,
        }

    async def _ping(self, _params: Params) -> bool:
        return True

    async def _capabilities(self, _params: Params) -> dict[str, Any]:
        return capabilities.capabilities(self._who)

    async def _hardware(self, _params: Params) -> dict[str, str]:
        return capabilities.hardware(self._who)

    async def _statistics(self, _params: Params) -> dict[str, Any]:
        return answers.statistics(self.booted, self._storage.health(), len(self._vms.states()))

    async def _all_vm_stats(self, _params: Params) -> list[dict[str, Any]]:
        return [answers.vm_statistics(vm_id, vm) for vm_id, vm in self._vms.states().items()]

    async def _connect(self, params: Params) -> list[dict[str, Any]]:
        return [self._status_of(each, params["domainType"]) for each in params["connectionParams"]]

    def _status_of(self, connection: Params, type_: int) -> dict[str, Any]:
        status = 0
        try:
            self._storage.connect(Place(type_, connection["connection"]))
        except VdsmError as error:  # of a connection, the verb itself succeeds
            status = error.code
        return {"id": connection["id"], "status": status}

    async def _disconnect(self, params: Params) -> list[dict[str, Any]]:
        for each in params["connectionParams"]:
            self._storage.disconnect(Place(params["domainType"], each["connection"]))
        return [{"id": each["id"], "status": 0} for each in params["connectionParams"]]

    async def _storage_domains(self, params: Params) -> list[str]:
        wanted = layout.CLASSES[params["domainClass"]]
        return [
            id_
            for id_ in self._storage.domains(params["remotePath"])
            if self._storage.domain(id_)["CLASS"] == wanted
        ]

    async def _create_domain(self, params: Params) -> bool:
        place = Place(params["domainType"], params["typeArgs"])
        self._storage.create_domain(place, params["storagedomainID"], params["name"], params["domainClass"])
        return True

    async def _domain_info(self, params: Params) -> dict[str, Any]:
        return answers.domain_information(self._storage.domain(params["storagedomainID"]))

    async def _domain_stats(self, params: Params) -> dict[str, Any]:
        return answers.domain_statistics(*self._storage.space(params["storagedomainID"]))

    async def _format_domain(self, params: Params) -> bool:
        self._storage.format_domain(params["storagedomainID"])
        return True

    async def _images(self, params: Params) -> list[str]:
        return self._storage.images(params["storagedomainID"])

    async def _volumes(self, params: Params) -> list[str]:
        return [self._storage.volume(params["storagedomainID"], params["imageID"]).name]

    async def _create_volume(self, params: Params) -> str:
        size = int(params["size"])
        values = layout.volume_values(
            params["storagedomainID"],
            params["imageID"],
            size,
            format_=params["volFormat"],
            preallocate=params["preallocate"],
            type_=params["diskType"],
            description=params["desc"],
        )
        return self._tasks.run(lambda: self._storage.create_volume(params["volumeID"], size, values))

    async def _volume_info(self, params: Params) -> dict[str, Any]:
        volume = self._storage.volume(params["storagedomainID"], params["imageID"])
        return answers.volume_information(volume, layout.read_volume(volume))

    async def _delete_image(self, params: Params) -> str:
        return self._tasks.run(
            lambda: self._storage.delete_image(params["storagedomainID"], params["imageID"])
        )

    async def _prepare_image(self, params: Params) -> dict[str, Any]:
        domain, image = params["storagedomainID"], params["imageID"]
        volume = self._storage.volume(domain, image)
        path = f"/rhev/data-center/{params['storagepoolID']}/{domain}/images/{image}/{volume.name}"
        return {"info": {"path": path, "type": "file"}, "path": path}

    async def _teardown_image(self, params: Params) -> bool:
        self._storage.volume(params["storagedomainID"], params["imageID"])
        return True

    async def _add_image_ticket(self, params: Params) -> bool:
        ticket = params["ticket"]
        found = _VOLUME.fullmatch(ticket["url"])
        if found is None:
            raise VdsmError(NO_TICKET, f"Image daemon error: not a volume of this node: {ticket['url']}")
        volume = self._storage.volume(found["domain"], found["image"])
        operation: Literal["read", "write"] = "write" if "write" in ticket["ops"] else "read"
        if operation == "read":
            self._storage.before_reading(found["domain"], found["image"])
        await self._imageio.add_ticket(ticket["uuid"], volume, ticket["size"], operation)
        return True

    async def _remove_image_ticket(self, params: Params) -> bool:
        await self._imageio.remove_ticket(params["uuid"])
        return True

    async def _create_vm(self, params: Params) -> dict[str, Any]:
        await self._vms.create(parse_domain(params["vmParams"]["xml"]))
        # What became of it, even at once, is for the statistics to tell.
        launched = replace(self._vms.state(params["vmID"]), status="WaitForLaunch")
        return answers.vm_statistics(params["vmID"], launched)

    async def _shutdown_vm(self, params: Params) -> bool:
        if params.get("reboot"):
            await self._vms.reboot(params["vmID"])
        else:
            await self._vms.shutdown(params["vmID"])
        return True

    async def _destroy_vm(self, params: Params) -> bool:
        await self._vms.destroy(params["vmID"])
        return True
