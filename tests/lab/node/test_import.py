"""A domain that one lab has made is read by the next: all that it is stands on the storage."""

from __future__ import annotations

from pathlib import Path

import pytest
from ovirtsdk4 import types

from tests.lab.node.house import House

CONTENT = bytes(range(256)) * 4096


@pytest.mark.parametrize("fate", ["ended", "detached"])
def test_the_next_lab_imports_a_domain_and_reads_its_disk(tmp_path: Path, fate: str) -> None:
    exports = tmp_path / "nfs"
    (exports / "exports" / "data").mkdir(parents=True)
    first = House(tmp_path / "a", exports, ("127.0.0.2",))
    try:
        first.approved(1)
        domain = first.nfs("made-by-a")
        disk = first.disk(domain, "precious", CONTENT)
        image = first.lab.system.disks_service().disk_service(disk.id).get().image_id
        if fate == "detached":
            attached = first.lab.attached(first.center()).storage_domain_service(domain.id)
            attached.deactivate()
            first.domain_until("made-by-a", "maintenance")
            attached.remove()
    finally:
        first.close()

    volume = exports / "exports" / "data" / domain.id / "images" / disk.id / image
    assert volume.read_bytes() == CONTENT

    second = House(tmp_path / "b", exports, ("127.0.0.2",))
    try:
        second.approved(1)
        imported = second.nfs("taken-by-b")
        assert imported.id == domain.id
        disks = second.lab.system.storage_domains_service().storage_domain_service(domain.id).disks_service()
        (found,) = disks.list(unregistered=True)
        assert (found.id, found.name, found.provisioned_size, found.image_id) == (
            disk.id,
            "precious",
            len(CONTENT),
            image,
        )
        assert disks.list() == []
        disks.add(types.Disk(id=found.id), unregistered=True)
        assert disks.list(unregistered=True) == []
        assert [item.id for item in disks.list()] == [disk.id]
        assert second.transfer(disk.id, types.ImageTransferDirection.DOWNLOAD) == CONTENT
    finally:
        second.close()
