"""The parameters of vdsm's verbs, as the engine fills them in."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from pytest_ovirt_release.lab.node.verbs import Connection, DomainInfo, Volume

ZERO_ID = "00000000-0000-0000-0000-000000000000"
STORAGE_TYPES: dict[str, int] = {"nfs": 1, "localfs": 4}
DOMAIN_CLASSES: dict[Literal["data", "iso", "export"], int] = {"data": 1, "iso": 2, "export": 3}
RAW, SPARSE = 5, 2
TICKET_SECONDS, INACTIVITY_SECONDS = 300, 60
SHUTDOWN_TEXT = (
    "System Administrator has initiated shutdown of this Virtual Machine. Virtual Machine is shutting down."
)


def place(connection: Connection) -> str:
    """Return a storage connection as vdsm names it."""
    return f"{connection.address}:{connection.path}" if connection.address else connection.path


def connect(connection: Connection) -> dict[str, Any]:
    """Return the parameters of StoragePool.connectStorageServer and disconnectStorageServer."""
    parameters = {
        "id": connection.id,
        "connection": place(connection),
        "port": "",
        "iqn": "",
        "user": "",
        "password": "",
        "tpgt": "1",
        "ipv6_enabled": "false",
        **dict(connection.options),
    }
    type_ = STORAGE_TYPES[connection.type]
    return {"storagepoolID": ZERO_ID, "domainType": type_, "connectionParams": [parameters]}


def create_domain(connection: Connection, domain: DomainInfo) -> dict[str, Any]:
    """Return the parameters of StorageDomain.create."""
    return {
        "storagedomainID": domain.id,
        "domainType": STORAGE_TYPES[connection.type],
        "typeArgs": place(connection),
        "name": domain.name,
        "domainClass": DOMAIN_CLASSES[domain.type],
        "version": "5",
        "blockSize": 512,
        "maxHosts": 250,
    }


def image(domain_id: str, image_id: str) -> dict[str, str]:
    """Return the ids that name an image."""
    return {"storagepoolID": ZERO_ID, "storagedomainID": domain_id, "imageID": image_id}


def ids(volume: Volume) -> dict[str, str]:
    """Return the ids that name a volume."""
    return image(volume.domain_id, volume.image_id) | {"volumeID": volume.id}


def create_volume(volume: Volume, size: int, name: str) -> dict[str, Any]:
    """Return the parameters of Volume.create for a raw sparse disk without a parent."""
    return {
        **ids(volume),
        "size": str(size),
        "volFormat": RAW,
        "preallocate": SPARSE,
        "diskType": "DATA",
        "desc": json.dumps({"DiskAlias": name, "DiskDescription": ""}, separators=(",", ":")),
        "srcImgUUID": ZERO_ID,
        "srcVolUUID": ZERO_ID,
        "sequence": 1,
        "addBitmaps": False,
        "legal": True,
    }


def disk_name(description: str) -> str:
    """Return the disk's name out of what create_volume has written; any other description is a name as it is."""
    try:
        return str(json.loads(description)["DiskAlias"])
    except (ValueError, KeyError, TypeError):
        return description


def path(volume: Volume) -> str:
    """Return where a volume is on a host."""
    return f"/rhev/data-center/{ZERO_ID}/{volume.domain_id}/images/{volume.image_id}/{volume.id}"


def ticket(ticket_id: str, where: str, size: int, operation: str) -> dict[str, Any]:
    """Return the ticket of Host.add_image_ticket."""
    return {
        "uuid": ticket_id,
        "timeout": TICKET_SECONDS,
        "inactivity_timeout": INACTIVITY_SECONDS,
        "size": size,
        "url": f"file://{where}",
        "ops": [operation],
        "sparse": True,
        "transfer_id": ticket_id,
        "dirty": False,
    }


def shutdown(vm_id: str) -> dict[str, Any]:
    """Return the parameters of VM.shutdown; the engine adds `reboot` only when it wants one."""
    return {"vmID": vm_id, "delay": "30", "message": SHUTDOWN_TEXT}
