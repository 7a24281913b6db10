"""Storage verbs: real folders and files, and vdsm's errors."""

from __future__ import annotations

import hashlib
from pathlib import Path
from uuid import uuid4

import pytest

from pytest_ovirt_release.lab.node.files import NodeFiles
from pytest_ovirt_release.lab.node.storage import NodeStorage
from pytest_ovirt_release.lab.node.verbs import Connection, DomainInfo, VdsmError

NFS = Connection("c", "nfs", "/exports/data", "127.0.0.1")
LOCAL = Connection("c", "localfs", "/data/local")


@pytest.fixture
def exports(tmp_path: Path) -> Path:
    folder = tmp_path / "nfs"
    (folder / "exports" / "data").mkdir(parents=True)
    return folder


def make(
    tmp_path: Path, exports: Path, *, mount_fails: bool = False, loses_local: bool = False
) -> NodeStorage:
    files = NodeFiles(tmp_path / "root")
    files.path("/data/local").mkdir(parents=True, exist_ok=True)
    return NodeStorage(files, exports, mount_fails=mount_fails, loses_local=loses_local)


@pytest.fixture
def storage(tmp_path: Path, exports: Path) -> NodeStorage:
    return make(tmp_path, exports)


def a_domain() -> DomainInfo:
    return DomainInfo(str(uuid4()), "a name = odd", "data")


def test_a_domain_lives_and_leaves_nothing(storage: NodeStorage, exports: Path) -> None:
    domain, image = a_domain(), str(uuid4())
    storage.connect(NFS)
    storage.create_domain(NFS, domain)
    assert storage.domains(NFS) == (domain,)
    storage.create_volume(domain.id, image, 1 << 20)
    volume = storage.volume(domain.id, image)
    assert volume.is_relative_to(exports / "exports" / "data" / domain.id / "images" / image)
    assert volume.read_bytes() == bytes(1 << 20)
    assert volume.stat().st_blocks == 0
    assert storage.space(domain.id).total > storage.space(domain.id).free > 0
    storage.delete_image(domain.id, image)
    with pytest.raises(VdsmError, match="268"):
        storage.volume(domain.id, image)
    storage.format_domain(domain.id)
    assert list((exports / "exports" / "data").iterdir()) == []


def test_metadata_carries_vdsms_checksum(storage: NodeStorage, exports: Path) -> None:
    domain = a_domain()
    storage.connect(NFS)
    storage.create_domain(NFS, domain)
    *lines, last = (exports / "exports" / "data" / domain.id / "dom_md" / "metadata").read_text().splitlines()
    assert lines == sorted(lines)
    assert last == "_SHA_CKSUM=" + hashlib.sha1("".join(lines).encode(), usedforsecurity=False).hexdigest()
    assert "REMOTE_PATH=127.0.0.1:/exports/data" in lines


def test_what_is_connected_can_be_seen_in_the_nodes_tree(
    tmp_path: Path, storage: NodeStorage, exports: Path
) -> None:
    (exports / "exports" / "a_b").mkdir()
    odd = Connection("c", "nfs", "/exports/a_b", "127.0.0.1")
    domain = a_domain()
    storage.connect(odd)
    storage.connect(odd)
    storage.create_domain(odd, domain)
    mount = NodeFiles(tmp_path / "root").path("/rhev/data-center/mnt/127.0.0.1:_exports_a__b")
    assert f"DESCRIPTION={domain.name}" in (mount / domain.id / "dom_md" / "metadata").read_text()
    storage.disconnect(odd)
    storage.disconnect(odd)
    assert not mount.exists()


def test_two_nodes_see_the_same_export_and_not_each_others_folders(tmp_path: Path, exports: Path) -> None:
    first, second = make(tmp_path / "1", exports), make(tmp_path / "2", exports)
    for node in (first, second):
        node.connect(NFS)
        node.connect(LOCAL)
    shared, local = a_domain(), a_domain()
    first.create_domain(NFS, shared)
    first.create_domain(LOCAL, local)
    assert second.domains(NFS) == (shared,)
    assert second.domains(LOCAL) == ()


@pytest.mark.parametrize(
    "connection",
    [
        pytest.param(Connection("c", "nfs", "/exports/none", "127.0.0.1"), id="no such export"),
        pytest.param(Connection("c", "nfs", "/etc", "127.0.0.1"), id="not exported"),
        pytest.param(Connection("c", "nfs", "/exports/../exports/data", "127.0.0.1"), id="way out"),
        pytest.param(Connection("c", "nfs", "/exports/data", "192.0.2.1"), id="other server"),
        pytest.param(Connection("c", "localfs", "/data/none"), id="no such folder"),
    ],
)
def test_what_cannot_be_mounted_is_477(storage: NodeStorage, connection: Connection) -> None:
    with pytest.raises(VdsmError, match="Problem while trying to mount target") as caught:
        storage.connect(connection)
    assert caught.value.code == 477


def test_a_folder_without_permission_is_469(storage: NodeStorage, exports: Path) -> None:
    (exports / "exports" / "data").chmod(0o500)
    with pytest.raises(VdsmError) as caught:
        storage.connect(NFS)
    assert caught.value.code == 469


def test_a_domain_of_a_connection_that_was_cut_is_not_there(storage: NodeStorage) -> None:
    domain = a_domain()
    storage.connect(NFS)
    storage.create_domain(NFS, domain)
    storage.disconnect(NFS)
    with pytest.raises(VdsmError, match="358"):
        storage.space(domain.id)
    with pytest.raises(VdsmError, match="not connected"):
        storage.domains(NFS)


def test_an_id_that_is_none_leads_nowhere(storage: NodeStorage) -> None:
    domain = a_domain()
    storage.connect(NFS)
    storage.create_domain(NFS, domain)
    for verb in (storage.space, storage.format_domain):
        with pytest.raises(VdsmError, match="358"):
            verb("..")
    with pytest.raises(VdsmError, match="268"):
        storage.volume(domain.id, "../..")
    with pytest.raises(VdsmError, match="268"):
        storage.create_volume(domain.id, "../x", 512)


def test_nothing_is_made_twice(storage: NodeStorage) -> None:
    domain, image = a_domain(), str(uuid4())
    storage.connect(NFS)
    storage.create_domain(NFS, domain)
    storage.create_volume(domain.id, image, 512)
    with pytest.raises(VdsmError, match="365"):
        storage.create_domain(NFS, domain)
    with pytest.raises(VdsmError, match="212"):
        storage.create_volume(domain.id, image, 512)


def test_nfs_mount_fails_spares_local_storage(tmp_path: Path, exports: Path) -> None:
    storage = make(tmp_path, exports, mount_fails=True)
    storage.connect(LOCAL)
    with pytest.raises(VdsmError, match="477"):
        storage.connect(NFS)


@pytest.mark.parametrize(("connection", "found"), [(NFS, b"xy"), (LOCAL, bytes(2))], ids=["nfs", "local"])
def test_local_disk_lost_loses_what_is_read_back_from_local_storage(
    tmp_path: Path, exports: Path, connection: Connection, found: bytes
) -> None:
    storage = make(tmp_path, exports, loses_local=True)
    domain, image = a_domain(), str(uuid4())
    storage.connect(connection)
    storage.create_domain(connection, domain)
    storage.create_volume(domain.id, image, 2)
    storage.volume(domain.id, image).write_bytes(b"xy")
    storage.before_reading(domain.id, image)
    assert storage.volume(domain.id, image).read_bytes() == found


def test_no_path_leads_out_of_a_nodes_tree(tmp_path: Path) -> None:
    files = NodeFiles(tmp_path / "root")
    assert files.path("/../../etc/passwd") == tmp_path / "root" / "etc" / "passwd"
    assert files.path("a/./b/../c") == tmp_path / "root" / "a" / "c"
